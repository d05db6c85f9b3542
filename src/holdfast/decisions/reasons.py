"""The words of a statement of reasons, in plain language and ready for translation.

No text accuses before people decided, none says or hints who reported, and none says
that something is done which is only ordered. The parts of a reasoned statement are
those of Article 17(3) of the Digital Services Act: what is restricted, how far and how
long; the facts; automated means; the ground and why; what can be done against it.

A reader's own words are never quoted: they may name the person who asked for help.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import formats, translation
from django.utils.translation import gettext as _

from holdfast.languages.catalogues import SOURCE
from holdfast.languages.choice import in_words, nearest

OBJECT_WITHIN_MONTHS = 6
"""Article 20(1) of the Digital Services Act: at least six months to complain."""

EXPLAINED_AT = "/hidden"
"""The portal's page for whoever had something hidden. It says the same to everybody."""


@dataclass(frozen=True)
class Thing:
    """What was restricted, by facts that its poster knows."""

    kind: str
    posted_at: datetime
    platform: str
    language: str = ""
    private: bool = False
    """Part of a conversation, where a word on its source would say who spoke."""


@dataclass(frozen=True)
class Finding:
    """What people decided about it, from the decision's record."""

    part: str
    """The part of whoever reads this: offender, person_shown, peer or unknown."""
    category: str
    """The category's label."""
    child_safety: bool
    ground_kind: str
    """``illegal`` or ``terms``."""
    ground_reference: str
    ground_words: str
    found_as: str
    """``notice``: it was pointed out; ``copy``: by comparison with what was;
    ``known``: by comparison with a list of known material."""
    decided_before: bool
    """Whether the decision was made before this copy arrived, and covers it."""
    was_frozen: bool
    """Whether it was hidden before the decision."""


def freeze_words(thing: Thing) -> str:
    """Why something is hidden while people look. Neutral: nothing is found yet."""
    return _in_language(
        thing,
        lambda: [
            _(
                "We have told %(platform)s to hide %(thing)s for now, everywhere on"
                " %(platform)s, while people look at it. This is a temporary step and"
                " says nothing about you. Nothing is deleted, and your account stays as"
                " it is."
            )
            % _named(thing, start=False),
            _(
                "The step was taken automatically, so that it takes effect at once."
                " What happens next is decided by people. If they find that everything"
                " is in order, it is shown again exactly as it was."
            ),
            _redress(thing),
            _more(),
        ],
    )


def thaw_words(thing: Thing, *, cleared: bool) -> str:
    """Why something that was hidden is shown again."""
    return _in_language(
        thing,
        lambda: [
            _(
                "%(thing)s was hidden for a while. We have told %(platform)s to show it"
                " again, exactly as it was."
            )
            % _named(thing),
            _("People looked at it and found that it may stay.")
            if cleared
            else _("There is no reason to hide it any longer."),
            _("Your account was not affected. We are sorry for the interruption."),
        ],
    )


def decision_words(thing: Thing, finding: Finding) -> str:
    """What people decided, on which ground and why, and what can be done against it."""
    return _in_language(
        thing,
        lambda: [
            _(
                "People have decided that %(thing)s may not be shown on %(platform)s."
                " It is going to be removed. This applies everywhere on %(platform)s"
                " and has no end date."
            )
            % _named(thing, start=False),
            _account(finding) % _named(thing),
            _("What it was found to be: %(category)s.")
            % {"category": in_words(finding.category)},
            _ground(thing, finding),
            " ".join(filter(None, [_source(thing, finding), _automation(finding)])),
            _redress(thing),
            _more(),
        ],
    )


def _account(finding: Finding) -> str:
    """What it means for the reader of the statement, by the part people found."""
    if finding.part == "offender":
        return _("We have also asked %(platform)s to suspend your account.")
    if finding.part == "person_shown":
        return _(
            "You have done nothing wrong, and your account stays as it is. This is done"
            " to protect you. If somebody presses or threatens you, you can get help,"
            " and it is not your fault."
        )
    if finding.part == "peer":
        return _(
            "Your account stays as it is. Please do not pass it on again: that can hurt"
            " somebody."
        )
    return _("Your account stays as it is.")


def _ground(thing: Thing, finding: Finding) -> str:
    said = {
        "words": in_words(finding.ground_words),
        "reference": finding.ground_reference,
        **_named(thing),
    }
    if finding.ground_kind == "illegal":
        text = _("The ground is a law (%(reference)s): %(words)s")
    else:
        text = _(
            "The ground is in the rules of %(platform)s (%(reference)s): %(words)s"
        )
    return " ".join([text % said, _("People found that it falls under this.")])


def _source(thing: Thing, finding: Finding) -> str:
    """How it came to be looked at, where saying so can point at nobody.

    Article 17(3)(b) asks for this "where relevant". In a conversation, and wherever a
    child may be the one who asked for help, it would lead to that person.
    """
    if finding.found_as == "copy":
        return _(
            "It was found automatically, as a copy of something that people were"
            " looking at."
        )
    if finding.found_as == "known":
        return _("It was found automatically, by comparison with known material.")
    if thing.private or finding.child_safety:
        return ""
    return _("It was looked at after a notice.")


def _automation(finding: Finding) -> str:
    if finding.decided_before:
        return _(
            "People made this decision about the same thing earlier; it was applied to"
            " this copy automatically."
        )
    if finding.was_frozen:
        return _(
            "The step to hide it while people looked was automatic; the decision was"
            " made by people."
        )
    return _("The decision was made by people.")


def _redress(thing: Thing) -> str:
    return _(
        "If you think that this is a mistake, you can object through %(platform)s, free"
        " of charge, within %(months)s months. People decide on your objection. Where"
        " the law gives you this right, you can also go to a certified out-of-court"
        " dispute settlement body, or to a court."
    ) % {**_named(thing), "months": OBJECT_WITHIN_MONTHS}


def _more() -> str:
    """The page for whoever reads this, the same for everybody."""
    return _("What this means, what you can do, and who can help you: %(address)s") % {
        "address": f"{settings.HOLDFAST_URL}{EXPLAINED_AT}"
    }


def _named(thing: Thing, *, start: bool = True) -> dict[str, str]:
    """The thing and its platform, for the start or the middle of a sentence."""
    date = {"date": formats.date_format(thing.posted_at, "DATE_FORMAT")}
    start_of, middle_of = {
        "post": (_("Your post of %(date)s"), _("your post of %(date)s")),
        "image": (_("Your picture of %(date)s"), _("your picture of %(date)s")),
        "video": (_("Your video of %(date)s"), _("your video of %(date)s")),
        "message": (_("Your message of %(date)s"), _("your message of %(date)s")),
        "profile": (_("Your profile"), _("your profile")),
        "comment": (_("Your comment of %(date)s"), _("your comment of %(date)s")),
    }[thing.kind]
    words = start_of if start else middle_of
    return {"thing": words % date, "platform": thing.platform}


def _in_language(thing: Thing, paragraphs: Callable[[], list[str]]) -> str:
    """The text in the item's language where we have it, else in the default one."""
    with translation.override(nearest(thing.language) or SOURCE):
        return "\n\n".join(paragraphs())
