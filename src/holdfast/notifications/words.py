"""The words that reporters read. Plain, short, and true at the moment they are made.

"Hidden" is said when the platform has confirmed it, and before that "we have told …
to hide it" (promise 16). Nothing accuses anybody, and nothing says who else reported.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def words(template: str, language: str, facts: Mapping[str, object]) -> str:
    """The text of a message in a language; falls back to the default language."""
    with translation.override(language if language else None):
        return _TEXTS[template](facts)


def _receipt(facts: Mapping[str, object]) -> str:
    told, before = int(str(facts["told"])), int(str(facts["before"]))
    platform = facts["platform"]
    parts: list[str] = []
    if told:
        parts.append(
            ngettext(
                "We have told %(platform)s to hide this.",
                "We have told %(platform)s to hide this and its copies: %(count)d "
                "posts in all.",
                told,
            )
            % {"platform": platform, "count": told}
        )
    if before:
        parts.append(
            ngettext(
                "%(count)d post is already kept from view.",
                "%(count)d posts are already kept from view.",
                before,
            )
            % {"count": before}
        )
    if not told and not before:
        parts.append(
            _("A person reads your report. Nothing is hidden before that.")
            if facts["located"]
            else _(
                "We have not found the post by ourselves. A person reads your report "
                "and looks for it."
            )
        )
    parts.append(_("You do not have to do anything more."))
    return " ".join(parts)


def _hidden(facts: Mapping[str, object]) -> str:
    return _(
        "%(platform)s has confirmed it: what you reported and the copies we know of "
        "are hidden. People will now decide."
    ) % {"platform": facts["platform"]}


def _removed(facts: Mapping[str, object]) -> str:
    return _(
        "%(platform)s has confirmed it: what you reported and the copies we know of "
        "are removed. New copies will be hidden as they appear."
    ) % {"platform": facts["platform"]}


def _looking_again(facts: Mapping[str, object]) -> str:
    return _(
        "We look at this again. People who have not worked on it before will decide."
    )


def _violation(facts: Mapping[str, object]) -> str:
    return _(
        "People have looked at what you reported. It is not allowed. It will be "
        "removed, with its copies, and kept safe as evidence. Thank you for telling us."
    )


def _violation_known(facts: Mapping[str, object]) -> str:
    return _(
        "What you reported is the same as something that people have decided on "
        "before. It is not allowed. It will be removed, with its copies."
    )


def _violation_unseen(facts: Mapping[str, object]) -> str:
    return _(
        "People have worked on your report and decided: it is about something that is "
        "not allowed. What we know of it will be removed. Thank you for telling us."
    )


def _no_violation_unseen(facts: Mapping[str, object]) -> str:
    who = (
        _("Two people have worked on your report, one of them a specialist.")
        if facts["two"]
        else _("A person has worked on your report.")
    )
    return " ".join(
        [
            who,
            _("They have found nothing in it that is not allowed."),
            _(
                "If this is wrong, tell us with one tap. Somebody who has not worked "
                "on it before will decide."
            ),
        ]
    )


def _no_violation(facts: Mapping[str, object]) -> str:
    who = (
        _("Two people have looked at what you reported, one of them a specialist.")
        if facts["two"]
        else _("A person has looked at what you reported.")
    )
    return " ".join(
        [
            who,
            _("They found that it is allowed, so it is shown again."),
            _(
                "If this is wrong, tell us with one tap. Somebody who has not seen "
                "it before will decide."
            ),
        ]
    )


def _referred(facts: Mapping[str, object]) -> str:
    return _("We have told the authorities (%(authority)s) what they need to know.") % {
        "authority": facts["authority"]
    }


_TEXTS = {
    "receipt": _receipt,
    "hidden": _hidden,
    "removed": _removed,
    "looking_again": _looking_again,
    "violation": _violation,
    "violation_known": _violation_known,
    "violation_unseen": _violation_unseen,
    "no_violation": _no_violation,
    "no_violation_unseen": _no_violation_unseen,
    "referred": _referred,
}
TEMPLATES = tuple(_TEXTS)
