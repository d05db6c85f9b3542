"""Hearing from us by e-mail or phone: optional, asked after the report is in.

The first page keeps, changes and forgets an address for the one report of the visit.
The other is where a link in a letter leads: a page that says nothing of what it is
about, opens nothing by itself, and does nothing but by a button, because programs that
read mail follow links.
"""

from __future__ import annotations

from typing import Any

from django import forms as django_forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from holdfast.intake import contacts
from holdfast.intake.rules import Frequency
from holdfast.notifications.letters import samples, was_asked, ways
from holdfast.web.portal.forms import HearingForm
from holdfast.web.portal.mine import OfReport
from holdfast.web.portal.page import BY, Page
from holdfast.web.portal.views.follow import Act


class Hearing(OfReport):
    """Do you want to hear from us? Nobody has to."""

    template = "portal/contact.html"

    def dispatch(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Nothing can be sent from here: then nothing is asked."""
        if self.memory.report_id is not None and not ways():
            return self.sent(self.go("status"))
        return super().dispatch(request, *args, **kwargs)

    def form(self, **given: Any) -> django_forms.Form:
        """An address, and how often. What is known is never written into the box."""
        kept = self._kept()
        initial = {"frequency": kept.frequency} if kept else None
        return HearingForm(ways(), initial=initial, **given)

    def around(self) -> dict[str, Any]:
        """What is kept now, and the whole of what would be sent."""
        report = self.memory.report_id
        return {
            "back_url": reverse("portal:status"),
            "kept": self._kept(),
            "asked": report is not None and was_asked(report),
            "samples": samples(self.request.LANGUAGE_CODE),
        }

    def answered(self, form: django_forms.Form) -> HttpResponse:
        """Keep it."""
        assert self.memory.report_id is not None
        given = form.cleaned_data
        contacts.keep(
            self.memory.report_id, given["address"], given["frequency"], by=BY
        )
        quiet = given["frequency"] == Frequency.NEVER
        self.memory.said = "contact_quiet" if quiet else "contact_kept"
        return self.go("status")

    def _kept(self) -> contacts.ContactLine | None:
        report = self.memory.report_id
        return contacts.of_report(report) if report else None


class Forget(Act):
    """No more messages by e-mail or phone."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Forget how to reach the reporter; the report stands."""
        contacts.withdraw(self.report_id, by=BY)
        self.memory.said = "withdrawn"
        return self.go("status")


class FromLetter(Page):
    """Somebody opened the link of a letter: go on, leave, or stop these messages."""

    def get(self, request: HttpRequest, link: str) -> HttpResponse:
        """Show what can be done. Nothing has happened yet."""
        context = {"link": contacts.behind(link), "said": ""}
        return render(request, "portal/letter.html", context)

    def post(self, request: HttpRequest, link: str) -> HttpResponse:
        """Yes, or never again."""
        if "confirm" in request.POST:
            contacts.confirm(link, by=BY)
            said = _("Thank you. Short messages can come here now.")
        else:
            contacts.refuse(link, by=BY)
            said = _("We do not write here any more.")
        context = {"link": contacts.behind(link), "said": said}
        return render(request, "portal/letter.html", context)
