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
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from holdfast.base.errors import Unavailable
from holdfast.intake import operations as intake
from holdfast.intake.queries import reported
from holdfast.intake.questions import is_of_life, names_accounts
from holdfast.items import queries as items
from holdfast.languages.choice import in_words
from holdfast.notifications import queries as notifications
from holdfast.policy import queries as policies
from holdfast.web.components.shapes import Deadline, Receipt
from holdfast.web.portal import advice, first_pages, forms, help, standing
from holdfast.web.portal.door import Door
from holdfast.web.portal.page import Page, Question
from holdfast.web.portal.session import MAX_ADDRESS_BYTES
from holdfast.web.portal.views.adding import first_asked
from holdfast.web.portal.views.follow import Mine
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
        self.memory.started_in = self.request.LANGUAGE_CODE
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


class Where(Door):
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
            by_account=names_accounts(self._category()),
            initial={
                "category": self.memory.category,
                "address": self.memory.address,
            },
            **given,
        )

    def _category(self) -> str:
        """As the page says that it was answered, or else as the visit knows it."""
        return self.request.POST.get("category") or self.memory.category

    def around(self) -> dict[str, Any]:
        """The way back; and first of all numbers, where a life can be in danger."""
        return {
            "back_url": reverse("portal:start"),
            "numbers": help.numbers(self.request)
            if is_of_life(self._category())
            else (),
        }

    def answered(self, form: django_forms.Form) -> HttpResponse:
        """The report: stored, frozen and clocked before the next page is shown."""
        assert isinstance(form, forms.WhereForm)
        assert form.platform_id is not None
        answers = form.cleaned_data
        unknown = [intake.TargetGiven(description=_("I don't know where it is"))]
        given = intake.ReportGiven(
            platform_id=form.platform_id,
            channel=intake.Channel.PORTAL,
            category=answers["category"],
            targets=form.targets or ([] if answers["words"] else unknown),
            words=answers["words"],
            language=self.request.LANGUAGE_CODE,
            wants_codename=True,
            shown=first_pages.shown(
                form,
                language=self.request.LANGUAGE_CODE,
                started_in=self.memory.started_in or self.request.LANGUAGE_CODE,
            ),
        )
        return self.file(given, answers["once"])


class Received(Mine):
    """The receipt: what is true now, the number, the words, and what comes next."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it. The words are shown until they are said to be saved."""
        return self.shown("portal/received.html", self._context())

    def post(self, request: HttpRequest) -> HttpResponse:
        """The words are saved: forget them here, and ask what else there is."""
        self.memory.codename = ""
        return self.go("more", name=first_asked(reported(self.report_id)))

    def _context(self) -> dict[str, Any]:
        told = notifications.receipt_of(self.report_id)
        report = reported(self.report_id)
        category = report.category.code
        known = notifications.status_of(self.report_id)
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
        return {
            "receipt": receipt,
            "words": told["words"],
            "served": standing.served_instead(report),
            # Said only when the site has confirmed all of it (promise 16).
            "hidden": known.platform
            if 0 < known.told_to_hide <= known.confirmed_hidden
            else "",
            # Of what people decided before it was reported, the answer is there.
            "answers": [
                each.words
                for each in known.messages
                if known.status == "decided" and not each.from_reporter
            ],
            "received_at": datetime.fromisoformat(told["received_at"]),
            "advice": advice.for_category(category),
            "numbers": help.numbers(self.request) if is_of_life(category) else (),
        }


class SavedReceipt(Received):
    """The same as a file to keep, under a name that says nothing."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Plain text, which every device can open."""
        text = render_to_string("portal/receipt.txt", self._context(), request)
        response = HttpResponse(text, content_type="text/plain; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="notes.txt"'
        return response

    def post(self, request: HttpRequest) -> HttpResponse:
        """There is nothing to send here."""
        return self.go("received")
