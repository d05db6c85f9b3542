"""The words that reporters read. Plain, short, and true at the moment they are made.

"Hidden" is said when the platform has confirmed it, and before that "we have told …
to hide it" (promise 16). Nothing accuses anybody, and nothing says who else reported.
A text is made from :class:`~holdfast.notifications.rules.Facts` alone, and only when
the facts that it claims are so: :func:`compose` refuses it otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from holdfast.base.errors import Refused
from holdfast.languages.catalogues import SOURCE
from holdfast.languages.choice import nearest
from holdfast.notifications.asked import QUESTIONS as QUESTIONS
from holdfast.notifications.matrix import Cell
from holdfast.notifications.rules import Facts, unmet


class Contradiction(Refused):
    """A text claims what is not so; it is not sent."""

    code = "contradiction"


def compose(cell: Cell, language: str, facts: Facts) -> str:
    """The text of a cell in a language; falls back to the default language.

    Raises :class:`Contradiction` when a fact that the text needs does not hold.
    """
    missing = unmet(cell.needs, facts)
    if missing:
        raise Contradiction(
            "This message would say what is not so, so it is not sent.",
            template=cell.template,
            missing=",".join(need.name for need in missing),
        )
    with translation.override(nearest(language) or SOURCE):
        return " ".join([*_which(facts), TEXTS[cell.template](facts)])


def _which(facts: Facts) -> list[str]:
    """Of which of several reported things a message speaks."""
    if facts.parts < 2:
        return []
    return [
        _("This is about number %(part)d of the %(parts)d things that you told us of.")
        % {"part": facts.part, "parts": facts.parts}
    ]


def _receipt(facts: Facts) -> str:
    if facts.fingerprint_alone:
        return _receipt_of_fingerprint(facts)
    parts = _told_to_hide(facts)
    before = facts.hidden_before
    if before:
        parts.append(
            ngettext(
                "%(count)d post is already kept from view.",
                "%(count)d posts are already kept from view.",
                before,
            )
            % {"count": before}
        )
    if not parts:
        parts.append(
            _(
                "A person reads your report. What you told us of is not hidden before "
                "that."
            )
            if facts.located
            else _(
                "We have not found the post by ourselves. A person reads your report "
                "and looks for it."
            )
        )
    parts.append(_("You do not have to do anything more."))
    return " ".join(parts)


def _told_to_hide(facts: Facts) -> list[str]:
    """What was reported, and the copies that everybody could see; no other is told."""
    told, copies = facts.told_to_hide, facts.copies_told_to_hide
    said = {"platform": facts.platform, "count": copies}
    if told == 1 and copies:
        return [
            ngettext(
                "We have told %(platform)s to hide this and %(count)d copy that "
                "everybody could see.",
                "We have told %(platform)s to hide this and %(count)d copies that "
                "everybody could see.",
                copies,
            )
            % said
        ]
    parts = []
    if told:
        words = ngettext(
            "We have told %(platform)s to hide this.",
            "We have told %(platform)s to hide %(count)d posts that you told us of.",
            told,
        )
        parts.append(words % (said | {"count": told}))
    if copies:
        words = ngettext(
            "We have told %(platform)s to hide %(count)d copy that everybody could "
            "see.",
            "We have told %(platform)s to hide %(count)d copies that everybody could "
            "see.",
            copies,
        )
        parts.append(words % said)
    return parts


def _receipt_of_fingerprint(facts: Facts) -> str:
    """No place, nothing private or hidden, no number: anybody can have the picture."""
    if not facts.tells:
        found = _(
            "We cannot tell you now whether we know this picture: too many have asked. "
            "We look for it all the same."
        )
    elif facts.found_in_public:
        found = _("We know this picture. We have told %(platform)s to hide it.")
    else:
        found = _(
            "We did not find this picture where everybody can see it on %(platform)s."
        )
    return " ".join(
        [
            found % {"platform": facts.platform},
            _("A person reads your report."),
            _("You do not have to do anything more."),
        ]
    )


def _hidden(facts: Facts) -> str:
    return _(
        "%(platform)s has confirmed it: what you reported and the copies we know of "
        "are hidden. People will now decide."
    ) % {"platform": facts.platform}


def _removed(facts: Facts) -> str:
    return _(
        "%(platform)s has confirmed it: what you reported and the copies we know of "
        "are removed. New copies will be hidden as they appear."
    ) % {"platform": facts.platform}


def _shown_again(facts: Facts) -> str:
    return _(
        "We have told %(platform)s to show what you reported again, for now. People "
        "have not decided yet. They go on working on it."
    ) % {"platform": facts.platform}


def _late(facts: Facts) -> str:
    assert facts.late_since is not None
    at = timezone.localtime(facts.late_since)
    return _(
        "We made you a promise: “%(promise)s”, by %(when)s. We are late. That is on "
        "record, and people here have been told."
    ) % {
        "promise": _(facts.late_with),
        "when": formats.date_format(at, "DATETIME_FORMAT") + f" {at:%Z}",
    }


def _looking_again(facts: Facts) -> str:
    return _(
        "We look at this again. People who have not worked on it before will decide."
    )


def _violation(facts: Facts) -> str:
    return _(
        "People have looked at what you reported. It is not allowed. It will be "
        "removed, with its copies, and kept safe as evidence. Thank you for telling us."
    )


def _violation_known(facts: Facts) -> str:
    return _(
        "What you reported is the same as something that people have decided on "
        "before. It is not allowed. It will be removed, with its copies."
    )


def _violation_before(facts: Facts) -> str:
    return _(
        "People have decided on this before: it is not allowed. It is removed with its "
        "copies, or will be. Thank you for telling us."
    )


def _violation_unseen(facts: Facts) -> str:
    return _(
        "People have worked on your report and decided: it is about something that is "
        "not allowed. What we know of it will be removed. Thank you for telling us."
    )


def _no_violation_unseen(facts: Facts) -> str:
    if not facts.two_readers:
        who = _("A person has worked on your report.")
    elif facts.specialist:
        who = _("Two people have worked on your report, one of them a specialist.")
    else:
        who = _("Two people have worked on your report.")
    return " ".join(
        [
            who,
            _("They have found nothing in it that is not allowed."),
            *_shown(facts),
            _(
                "If this is wrong, tell us with one tap. Somebody who has not worked "
                "on it before will decide."
            ),
        ]
    )


def _no_violation(facts: Facts) -> str:
    if not (facts.two_readers and facts.both_viewed):
        who = _("A person has looked at what you reported.")
    elif facts.specialist:
        who = _(
            "Two people have looked at what you reported, one of them a specialist."
        )
    else:
        who = _("Two people have looked at what you reported.")
    return " ".join(
        [
            who,
            _("They found that it is allowed."),
            *_shown(facts),
            _(
                "If this is wrong, tell us with one tap. Somebody who has not seen "
                "it before will decide."
            ),
        ]
    )


def _shown(facts: Facts) -> list[str]:
    """What follows for something that was hidden, as far as it is so yet."""
    if not facts.was_hidden:
        return []
    return [
        _("We have told %(platform)s to show it again.") % {"platform": facts.platform}
    ]


def _referred(facts: Facts) -> str:
    return _("We have told the authorities (%(authority)s) what they need to know.") % {
        "authority": facts.filed_with
    }


def _receipt_set_aside(facts: Facts) -> str:
    if facts.set_aside_until is None:
        return _(
            "We keep your report, and nobody has worked on it. By now we work on your "
            "reports again. If it is still there, send it again."
        )
    return _(
        "We keep your report, but we do not work on it now. People here found that "
        "many of your reports before were about nothing wrong, and told you so. Until "
        "%(until)s we work on your reports only where a child may be harmed. If you "
        "think this is wrong, write to us here: a person reads it."
    ) % {"until": _day(facts.set_aside_until)}


def _misuse_warned(facts: Facts) -> str:
    return _(
        "People have decided on several of your reports, and found nothing wrong in "
        "them. They think that you knew. If this goes on, we will not work on your "
        "reports for a while, except where a child may be harmed. If you reported in "
        "good faith, write to us here: being wrong is allowed."
    )


def _reporting_suspended(facts: Facts) -> str:
    return _(
        "We told you that reports about nothing wrong have to stop, and they went on. "
        "Until %(until)s we keep your reports and do not work on them, except where a "
        "child may be harmed. A person decided this. If you think it is wrong, write "
        "to us here."
    ) % {"until": _day(facts.set_aside_until)}


def _day(at: datetime | None) -> str:
    assert at is not None  # Needed by the cell, and so refused before this.
    return formats.date_format(timezone.localtime(at), "DATE_FORMAT")


def _asked(code: str, facts: Facts) -> str:
    return str(QUESTIONS[code])


TEXTS: Mapping[str, Callable[[Facts], str]] = {
    "receipt": _receipt,
    "receipt_set_aside": _receipt_set_aside,
    "misuse_warned": _misuse_warned,
    "reporting_suspended": _reporting_suspended,
    "hidden": _hidden,
    "removed": _removed,
    "shown_again": _shown_again,
    "late": _late,
    "looking_again": _looking_again,
    "violation": _violation,
    "violation_known": _violation_known,
    "violation_unseen": _violation_unseen,
    "violation_before": _violation_before,
    "no_violation": _no_violation,
    "no_violation_unseen": _no_violation_unseen,
    "referred": _referred,
    **{f"asked_{code}": partial(_asked, code) for code in QUESTIONS},
}
"""Each text that a cell of the channels receipt and thread can name."""
