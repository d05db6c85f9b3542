"""What somebody can do now, beside telling more: offered where what they told fits.

For a person who is pressed this is what helps at once, so it stands at the top of the
page that shows all answers, and not at the end of another. Nobody but who said that it
is about them is offered to use the picture: anybody else must never handle it.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from holdfast.enforcement.contact import holds_of
from holdfast.intake.operations import Channel
from holdfast.intake.queries import Reported
from holdfast.intake.questions import UNKNOWN, names_accounts
from holdfast.matching.watches import watched

Words = str | Promise
_OWN = ("", "shown", UNKNOWN.code)
"""Answers to "Who is it about?" of somebody who may be that person."""


@dataclass(frozen=True)
class Offer:
    """One thing that can be done, and what comes of it."""

    words: Words
    hint: Words
    url: str


def may_be_shown(report: Reported) -> bool:
    """Whether who reports may be the person shown: they alone may use the picture."""
    if report.told.channel == Channel.POLICE:
        return False
    return report.told.answers.get("about", "") in _OWN


def offers(report: Reported) -> list[Offer]:
    """What fits a report and does not stand already."""
    if not may_be_shown(report):
        return []
    fitting = []
    if _is_pressed(report) and not _is_held(report.id):
        fitting.append(
            Offer(
                _("Stop them from writing to you"),
                _("We tell the site. They do not hear who asked."),
                reverse("portal:hold_contact"),
            )
        )
    if _has_picture(report) and watched(report.id) is None:
        fitting.append(
            Offer(
                _("Have us look out for your picture"),
                _("You do not send it. It stays on your device."),
                reverse("portal:picture"),
            )
        )
    return fitting


def _is_pressed(report: Reported) -> bool:
    writes = report.told.answers.get("contact_again", "")
    return writes == "yes" or (writes != "no" and names_accounts(report.category.code))


def _is_held(report_id: UUID) -> bool:
    return any(each.released_at is None for each in holds_of([report_id]))


def _has_picture(report: Reported) -> bool:
    if report.told.answers.get("about", "") != "shown":
        return False
    said = report.told.answers.get("pictured", "")
    if said in ("posted", "held"):
        return True
    return said == "" and (
        report.category.intimate or report.category.code == "sextortion"
    )
