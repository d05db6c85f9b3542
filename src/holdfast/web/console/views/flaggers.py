"""Trusted flaggers and hotlines: their accounts, and how right they have been."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from holdfast.base.by import Permission
from holdfast.base.errors import NotFound
from holdfast.intake import flaggers as accounts
from holdfast.policy.queries import category_of, current
from holdfast.triage.flaggers import FlaggerLine, flaggers
from holdfast.web.console.door_forms import NewFlagger, SuspendFlagger
from holdfast.web.console.page import FormPage, Page
from holdfast.web.console.views.platforms import platform_choices


class FlaggersPage(FormPage):
    """Everybody with an account, and a form for somebody new."""

    needs = Permission.PLATFORM_MANAGE
    template = "console/flaggers.html"

    def form(self, data: Any = None) -> NewFlagger:
        """Who it is, where it is listed, and for what."""
        return NewFlagger(data, platforms=platform_choices(), policy=current())

    def done(self, form: forms.Form) -> HttpResponse:
        """Open the account and show its key, this once."""
        given = form.cleaned_data
        key = accounts.add_flagger(
            accounts.FlaggerGiven(
                platform_id=UUID(given["platform"]),
                name=given["name"],
                contact=given["contact"],
                scope=given["scope"],
                listed_as=given["listed_as"],
            ),
            by=self.by,
        )
        shown = {"key": key, "platform": given["name"]}
        back_url = reverse("console:flaggers")
        return self.show("console/key_once.html", {**shown, "back_url": back_url})

    def around(self) -> dict[str, Any]:
        """The list."""
        names = dict(platform_choices())
        return {"rows": [_row(each, names) for each in flaggers(by=self.by)]}


class Suspend(FormPage):
    """End somebody's priority, with a reason in writing."""

    needs = Permission.PLATFORM_MANAGE
    template = "console/suspend_flagger.html"

    def form(self, data: Any = None) -> SuspendFlagger:
        """The reason."""
        return SuspendFlagger(data)

    def done(self, form: forms.Form) -> HttpResponse:
        """Now; what they report is still taken."""
        why = form.cleaned_data["why"]
        accounts.suspend(self.kwargs["flagger"], why, by=self.by)
        return self.go("flaggers", said="It has no priority any more.")

    def asked(self, form: forms.Form, status: HTTPStatus) -> HttpResponse:
        """The form, for an account that there is."""
        wanted = self.kwargs["flagger"]
        lines = flaggers(by=self.by)
        found = next((each for each in lines if each.id == wanted), None)
        if found is None:
            raise NotFound("There is no such flagger.", flagger=wanted)
        return self.show(self.template, {"form": form, "name": found.name}, status)


class Resume(Page):
    """Give it its priority back."""

    http_method_names = ["post"]
    needs = Permission.PLATFORM_MANAGE

    def post(self, request: HttpRequest, flagger: UUID) -> HttpResponse:
        """Now."""
        accounts.resume(flagger, by=self.by)
        return self.go("flaggers", said="It has priority within its scope again.")


def _row(line: FlaggerLine, names: dict[str, str]) -> dict[str, Any]:
    return {
        "line": line,
        "platform": names[str(line.platform_id)],
        "scope": [category_of(each).label for each in line.scope],
        "tallies": [
            (name, tally, _share(tally.precision))
            for name, tally in (
                ("With priority", line.within),
                ("Without", line.outside),
            )
        ],
    }


def _share(precision: float | None) -> str:
    return "" if precision is None else f"{precision:.0%}"
