"""Reporting: what is wrong, where is it; received at once; then what else there is.

As soon as the second question is answered the report is stored and frozen, and its
clocks run. Whatever is asked after that is added to it, may be skipped, and leaving
loses nothing (promises 1 and 2).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms as django_forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from holdfast.base.errors import Unavailable
from holdfast.intake import operations as intake
from holdfast.items import queries as items
from holdfast.languages.choice import in_words
from holdfast.notifications import queries as notifications
from holdfast.policy import queries as policies
from holdfast.web.components.shapes import Deadline, Receipt
from holdfast.web.portal import forms
from holdfast.web.portal.page import BY, Page, Question
from holdfast.web.portal.session import MAX_ADDRESS_BYTES
from holdfast.web.portal.views.adding import IN_A_ROW
from holdfast.web.portal.words import HINTS


class Start(Question):
    """The first page: what is wrong, child safety first."""

    template = "portal/start.html"

    def form(self, **given: Any) -> forms.StartForm:
        """The categories of the policy in force, in its order."""
        return forms.StartForm(
            policies.current().categories,
            initial={"category": self.memory.category},
            **given,
        )

    def around(self) -> dict[str, Any]:
        """The hints beside the categories."""
        return {"hints": HINTS}

    def answered(self, form: django_forms.Form) -> HttpResponse:
        """Keep the answer for the next page. It is never put into an address."""
        self.memory.category = form.cleaned_data["category"]
        return self.go("where")


class Link(Page):
    """``/report?url=…``: a platform's link, beside each of its items.

    The address leaves the address bar at once, for it would stay in the history.
    """

    def get(self, request: HttpRequest) -> HttpResponse:
        """Remember what it is about, and ask what is wrong."""
        given = request.GET.get("url", "").encode()[:MAX_ADDRESS_BYTES]
        self.memory.address = given.decode(errors="ignore")
        return self.go("start")


class Where(Question):
    """The second page, and the last before the report is in."""

    template = "portal/where.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Ask where it is; without the first answer, ask for that."""
        if not self.memory.category:
            return self.go("start")
        return super().get(request, **kwargs)

    def form(self, **given: Any) -> forms.WhereForm:
        """The question, with what a platform's link has said."""
        platforms = items.platforms()
        if not platforms:
            raise Unavailable(
                _("No site is connected yet, so nothing can be reported here.")
            )
        return forms.WhereForm(
            platforms,
            initial={
                "category": self.memory.category,
                "address": self.memory.address,
            },
            **given,
        )

    def around(self) -> dict[str, Any]:
        """The way back."""
        return {"back_url": reverse("portal:start")}

    def answered(self, form: django_forms.Form) -> HttpResponse:
        """The report: stored, frozen and clocked before the next page is shown."""
        assert isinstance(form, forms.WhereForm)
        assert form.platform_id is not None
        answers = form.cleaned_data
        unknown = [intake.TargetGiven(description=_("The reporter does not know."))]
        received = intake.receive_report(
            intake.ReportGiven(
                platform_id=form.platform_id,
                channel=intake.Channel.PORTAL,
                category=answers["category"],
                targets=form.targets or ([] if answers["words"] else unknown),
                words=answers["words"],
                language=self.request.LANGUAGE_CODE,
                wants_codename=True,
            ),
            by=BY,
        )
        self.memory.forget()
        self.memory.report = str(received.report_id)
        self.memory.codename = received.codename or ""
        return self.go("received")


class Received(Page):
    """The receipt: what is true now, the number, the words, and what comes next."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it. The words are shown until they are said to be saved."""
        if self.memory.report_id is None:
            return self.go("follow")
        told = notifications.receipt_of(self.memory.report_id)
        receipt = Receipt(
            number=told["number"],
            codename=self.memory.codename,
            deadlines=tuple(
                Deadline(
                    in_words(each["label"]), datetime.fromisoformat(each["due_at"])
                )
                for each in told["deadlines"]
            ),
        )
        context = {
            "receipt": receipt,
            "words": told["words"],
            "received_at": datetime.fromisoformat(told["received_at"]),
        }
        return render(request, "portal/received.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        """The words are saved: forget them here, and ask what else there is."""
        self.memory.codename = ""
        return self.go("more", name=IN_A_ROW[0])
