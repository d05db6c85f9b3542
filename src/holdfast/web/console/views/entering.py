"""Entering a report that came by telephone or letter, for whoever took it.

It goes through the same operation as every other report. The words that open it are
shown this once, to be read aloud or sent back; since somebody else has seen them, the
person can change them on the portal.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse

from holdfast.base.by import Permission
from holdfast.intake import operations as intake
from holdfast.intake.once import receive_once
from holdfast.notifications.queries import receipt_of
from holdfast.policy.queries import current
from holdfast.web.console.door_forms import TakeDown
from holdfast.web.console.page import FormPage
from holdfast.web.console.views.platforms import platform_choices
from holdfast.web.portal.forms import accounts_of


class EnterReport(FormPage):
    """One form, and then the receipt to pass on."""

    needs = Permission.REPORT_FILE
    template = "console/enter_report.html"

    def form(self, data: Any = None) -> TakeDown:
        """What a caller or a letter says."""
        return TakeDown(data, platforms=platform_choices(), policy=current())

    def done(self, form: forms.Form) -> HttpResponse:
        """File it, and show number and words, this once. Two presses file one."""
        given = form.cleaned_data
        filed = receive_once(
            intake.ReportGiven(
                platform_id=UUID(given["platform"]),
                channel=intake.Channel(given["channel"]),
                category=given["category"],
                targets=accounts_of(given["addresses"]),
                words=given["words"],
                language=given["language"],
                contact=given["contact"],
                claims=[given["claim"]] if given["claim"] else [],
                police_number=given["police_number"],
                in_danger_now=given["in_danger_now"],
                wants_codename=True,
                received_at=given["received_at"],
            ),
            given["once"],
            by=self.by,
        )
        return self.show(
            "console/report_entered.html",
            {
                "receipt": receipt_of(filed.report_id),
                "codename": filed.codename,
                "is_new": filed.is_new,
                "follow_url": settings.HOLDFAST_URL + reverse("portal:follow"),
            },
        )
