"""The alarms that ring, and who takes them on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from holdfast.base.by import By, Permission
from holdfast.base.errors import NotAllowed
from holdfast.items.queries import platforms
from holdfast.notifications.alarms import (
    AlarmLine,
    acknowledge,
    on_call_problems,
    open_alarms,
)
from holdfast.review.queries import case_number_of
from holdfast.web.console.page import Page

WAVES = {
    "report.wave": ("wave", "actor"),
    "report.wave_from_one_place": ("wave-from-place", "report"),
    "contact.many_held": ("wave", "actor"),
}
"""Alarms that lead to the picture of a wave: to which address, and what it names."""


class AlarmsPage(Page):
    """Every alarm that nobody has taken."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them, and whether they reach anybody who is not looking."""
        context = {"alarms": alarm_rows(self.by), "unreached": on_call_problems()}
        return self.show("console/alarms.html", context)


class Acknowledge(Page):
    """Take one on."""

    http_method_names = ["post"]
    needs = Permission.ALARM_ACKNOWLEDGE

    def post(self, request: HttpRequest, alarm: UUID) -> HttpResponse:
        """Take it."""
        acknowledge(alarm, by=self.by)
        return self.go("alarms", said="You have taken this alarm.")


def alarm_rows(by: By) -> list[dict[str, Any]]:
    """The open alarms as the list draws them, loudest first; none for who may not."""
    try:
        lines = open_alarms(by=by)
    except NotAllowed:
        return []
    names = {str(each.id): each.name for each in platforms()}
    may_take = Permission.ALARM_ACKNOWLEDGE in by.permissions
    return [_row(line, names, by, may_take=may_take) for line in lines]


def _row(
    line: AlarmLine, names: Mapping[str, str], by: By, *, may_take: bool
) -> dict[str, Any]:
    number = ""
    if Permission.CASE_READ in by.permissions and line.about.get("case"):
        number = case_number_of(UUID(str(line.about["case"])), by)
    url = reverse("console:case", kwargs={"number": number}) if number else ""
    if line.code in WAVES:
        address, named = WAVES[line.code]
        url = reverse(f"console:{address}", kwargs={named: line.about[named]})
    take = reverse("console:acknowledge", kwargs={"alarm": line.id})
    return {
        "code": line.code,
        "what": line.words,
        "number": number,
        "platform": names.get(str(line.about.get("platform")), ""),
        "since_at": line.raised_at,
        "times": line.times,
        "level": line.level,
        "reached": line.reached,
        "failure": line.failure,
        "url": url,
        "acknowledge_url": take if may_take else "",
    }
