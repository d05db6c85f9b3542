"""What a letter says: that there is news, and where. Nothing else.

It can be read by whoever holds the phone, so it names no site, no subject, no person
and no report, and its link opens a page that names none either. Whatever that page does
takes a button: programs that read mail follow links.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext as _

from holdfast.intake.rules import Way

REVEALING = re.compile(
    # Whole words where the word is part of a harmless one, else wherever it stands.
    r"abus|\bchild|\bkid|safe|police|politi|sex|naked|intimat|image|photo|picture|"
    r"victim|threat|crim|hotline|holdfast|takedown|\breport|\brapport|overgrep|\bbarn|"
    r"bilde|trussel|offer|varsl",
    re.IGNORECASE,
)
"""Words that say what this is about, in English and Norwegian; never in a letter, its
sender or its link."""


@dataclass(frozen=True)
class Sheet:
    """A letter as it goes out. A text message has no subject."""

    subject: str
    body: str


def letter_words(
    template: str, way: Way, language: str, *, link: str, has_codename: bool
) -> Sheet:
    """The letter of a template (``confirm`` or ``news``) in a language."""
    with translation.override(language if language else None):
        if template == "confirm":
            return _confirm(way, link)
        return _news(way, link, has_codename)


def _confirm(way: Way, link: str) -> Sheet:
    if way is Way.PHONE:
        text = _("Is this your number? Open this page and say yes or no: %(link)s")
        return Sheet("", text % {"link": link})
    return Sheet(
        _("Is this your address?"),
        "\n\n".join(
            [
                _(
                    "Somebody gave us this address, so that we can send a short message"
                    " when there is something new."
                ),
                _("Was it you? Open this page and press the button:"),
                link,
                _(
                    "Was it not you? Then you need not do anything. On the same page"
                    " you can also stop this for good."
                ),
            ]
        )
        + "\n",
    )


def _news(way: Way, link: str, has_codename: bool) -> Sheet:
    if way is Way.PHONE:
        text = (
            _("There is something new for you: %(link)s")
            if has_codename
            else _(
                "There is something new for you, where you wrote to us. To stop these"
                " messages: %(link)s"
            )
        )
        return Sheet("", text % {"link": link})
    where = (
        [_("You can read it here:"), link, _("You can stop these messages there, too.")]
        if has_codename
        else [
            _("You find it where you wrote to us."),
            _("You can stop these messages here:"),
            link,
        ]
    )
    return Sheet(
        _("There is something new for you"),
        "\n\n".join([_("There is something new for you."), *where]) + "\n",
    )
