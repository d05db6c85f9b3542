"""Where a report stands, in the shapes that the page's parts draw.

Every line is made from what ``notifications.queries`` says, and says no more: "told"
until the site has confirmed, and what was decided in the words of the decision's own
message (promises 4 and 16).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from holdfast.base import clock
from holdfast.intake.queries import Reported
from holdfast.items.queries import platforms
from holdfast.languages.choice import in_words
from holdfast.notifications.queries import ClockLine, ReportStatus
from holdfast.notifications.queries import Message as Told
from holdfast.web.components.shapes import Message, Step
from holdfast.web.components.spans import span_in_words
from holdfast.web.portal.words import TOLD


@dataclass(frozen=True)
class ClockShown:
    """One promise: ``state`` is kept, late or running."""

    label: str
    due_at: datetime
    met_at: datetime | None
    state: str
    left: str
    """How long there is still, in words; blank when it is done or late."""


def steps(report: ReportStatus) -> list[Step]:
    """The way of a report, with where it is now."""
    return [
        Step(_("We got your report"), "done", report.received_at),
        *_hiding(report),
        Step(_("People decide"), _deciding(report)),
        Step(
            _("We tell you what was decided"),
            "done" if report.status == "decided" else "later",
        ),
    ]


def clocks(report: ReportStatus) -> list[ClockShown]:
    """What was promised, and whether it was kept; each promise once.

    A report about several things has the same promise for each of them. While one runs
    it is not shown as kept; a broken one is always shown.
    """
    running = {each.code for each in report.clocks if not each.met_at}
    shown = {
        (each.code, each.due_at, each.met_at, each.breached): each
        for each in report.clocks
        if not each.met_at or each.breached or each.code not in running
    }
    return [
        ClockShown(
            in_words(each.label),
            each.due_at,
            each.met_at,
            "late" if each.breached else "kept" if each.met_at else "running",
            _left(each),
        )
        for each in shown.values()
    ]


def _left(line: ClockLine) -> str:
    seconds = (line.due_at - clock.now()).total_seconds()
    return span_in_words(seconds) if seconds > 0 and not line.met_at else ""


def served_instead(report: Reported) -> str:
    """The sites that this door serves, where what was reported is on another one.

    Blank where nothing is: nobody may wait here for what only another site can hide.
    """
    if not any(each.elsewhere for each in report.places):
        return ""
    return ", ".join(each.name for each in platforms())


def messages(report: ReportStatus) -> list[Message]:
    """The thread: our messages, and what the reporter has told."""
    return [message(each) for each in report.messages]


def message(told: Told) -> Message:
    """One message of the thread."""
    return Message(
        _words_of(told),
        told.at,
        from_us=not told.from_reporter,
        erase_url=reverse("portal:erase", args=[told.id]) if told.erasable else "",
    )


def _words_of(message: Told) -> str:
    if not message.from_reporter:
        return message.words
    if message.kind == "challenge":
        return message.words or str(TOLD["challenge"])
    if message.kind == "signature":
        return f"{TOLD['signature']} {message.words}"
    if message.kind == "not_taken":
        return f"{TOLD['not_taken']}\n{message.words}"
    return message.words


def _deciding(report: ReportStatus) -> str:
    return {"received": "later", "being_looked_at": "now", "decided": "done"}[
        report.status
    ]


def _hiding(report: ReportStatus) -> list[Step]:
    told, confirmed = report.told_to_hide, report.confirmed_hidden
    if not told:
        return []
    facts = {"platform": report.platform, "count": told, "confirmed": confirmed}
    if report.by_fingerprint:
        # Neither how many nor whose: somebody else may have the picture, too.
        if confirmed >= told:
            return [Step(_("%(platform)s has confirmed it: hidden") % facts, "done")]
        return [Step(_("We have told %(platform)s to hide the picture") % facts, "now")]
    if confirmed >= told:
        words = ngettext(
            "%(platform)s has confirmed it: the post is no longer shown",
            "%(platform)s has confirmed it: %(count)d posts are no longer shown",
            told,
        )
        return [Step(words % facts, "done")]
    words = ngettext(
        "We have told %(platform)s to hide the post",
        "We have told %(platform)s to hide %(count)d posts",
        told,
    )
    detail = _("%(platform)s has confirmed %(confirmed)d of %(count)d so far.")
    return [Step(words % facts, "now", detail=detail % facts)]
