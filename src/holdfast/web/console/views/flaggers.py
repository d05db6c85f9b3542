"""Trusted flaggers and hotlines: their accounts, their people, how right they were."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from holdfast.base.by import Permission
from holdfast.base.errors import NotFound
from holdfast.intake import flagger_people
from holdfast.intake import flaggers as accounts
from holdfast.policy.queries import category_of, current
from holdfast.staff.queries import guests
from holdfast.triage.flaggers import FlaggerLine, flaggers
from holdfast.web.console.door_forms import (
    Listing,
    NewFlagger,
    NewFlaggerPerson,
    WhyFlagger,
)
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
        assert isinstance(form, NewFlagger)
        given = form.cleaned_data
        key = accounts.add_flagger(
            accounts.FlaggerGiven(
                platform_id=UUID(given["platform"]),
                name=given["name"],
                contact=given["contact"],
                scope=given["scope"],
                listed_as=given["listed_as"],
                listed_until=form.until(),
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


class _OfFlagger(FormPage):
    """A form about one account; one that there is not is not found."""

    needs = Permission.PLATFORM_MANAGE

    def around(self) -> dict[str, Any]:
        """The account."""
        return {"line": self.line()}

    def line(self) -> FlaggerLine:
        """The account as it stands."""
        wanted = self.kwargs["flagger"]
        lines = flaggers(by=self.by)
        found = next((each for each in lines if each.id == wanted), None)
        if found is None:
            raise NotFound("There is no such flagger.", flagger=wanted)
        return found


class PeoplePage(_OfFlagger):
    """Who of it signs in, and a form for somebody new."""

    template = "console/flagger_people.html"

    def form(self, data: Any = None) -> NewFlaggerPerson:
        """Name and address."""
        return NewFlaggerPerson(data)

    def done(self, form: forms.Form) -> HttpResponse:
        """Add them and show the first password, this once."""
        flagger = self.kwargs["flagger"]
        added = flagger_people.add_person(flagger, **form.cleaned_data, by=self.by)
        return _password(
            self, added.one_time_password, form.cleaned_data["name"], flagger
        )

    def around(self) -> dict[str, Any]:
        """The account and its people."""
        line = self.line()
        sign_in_url = self.request.build_absolute_uri(reverse("flaggers:sign-in"))
        return {
            "line": line,
            "people": guests(line.people, self.by),
            "sign_in_url": sign_in_url,
        }


class ResetPerson(Page):
    """Let one of its people who lost everything begin again."""

    http_method_names = ["post"]
    needs = Permission.PLATFORM_MANAGE

    def post(self, request: HttpRequest, flagger: UUID, person: UUID) -> HttpResponse:
        """A new first password, shown this once."""
        added = flagger_people.reset_person(flagger, person, by=self.by)
        [line] = guests([person], self.by)
        return _password(self, added.one_time_password, line.name, flagger)


class EndPerson(Page):
    """End the access of one of its people."""

    http_method_names = ["post"]
    needs = Permission.PLATFORM_MANAGE

    def post(self, request: HttpRequest, flagger: UUID, person: UUID) -> HttpResponse:
        """Now."""
        flagger_people.end_person(flagger, person, by=self.by)
        return self.go(
            "flagger-people",
            flagger=flagger,
            said="Their access has ended, and their sessions too.",
        )


class Renew(_OfFlagger):
    """What the public list says of it now."""

    template = "console/renew_flagger.html"

    def form(self, data: Any = None) -> Listing:
        """As it stands, to be changed."""
        line = self.line()
        initial = {
            "listed_as": line.listed_as,
            "listed_until": line.listed_until and line.listed_until.date(),
            "scope": line.scope,
        }
        return Listing(data, policy=current(), initial=initial)

    def done(self, form: forms.Form) -> HttpResponse:
        """From now on."""
        assert isinstance(form, Listing)
        given = form.cleaned_data
        accounts.renew(
            self.kwargs["flagger"],
            given["scope"],
            given["listed_as"],
            form.until(),
            by=self.by,
        )
        return self.go("flaggers", said="Its scope and its listing are renewed.")


class Suspend(_OfFlagger):
    """End somebody's priority, with a reason in writing."""

    template = "console/suspend_flagger.html"

    def form(self, data: Any = None) -> WhyFlagger:
        """The reason."""
        return WhyFlagger(data)

    def done(self, form: forms.Form) -> HttpResponse:
        """Now; what they report is still taken."""
        why = form.cleaned_data["why"]
        accounts.suspend(self.kwargs["flagger"], why, by=self.by)
        return self.go("flaggers", said="It has no priority any more.")


class End(_OfFlagger):
    """Close an account for good, with a reason in writing."""

    template = "console/end_flagger.html"

    def form(self, data: Any = None) -> WhyFlagger:
        """The reason."""
        return WhyFlagger(data)

    def done(self, form: forms.Form) -> HttpResponse:
        """Now: its key and its people open nothing any more."""
        accounts.end(self.kwargs["flagger"], form.cleaned_data["why"], by=self.by)
        return self.go("flaggers", said="The account has ended, with its key.")


class Resume(Page):
    """Give it its priority back."""

    http_method_names = ["post"]
    needs = Permission.PLATFORM_MANAGE

    def post(self, request: HttpRequest, flagger: UUID) -> HttpResponse:
        """Now."""
        accounts.resume(flagger, by=self.by)
        return self.go("flaggers", said="It has priority within its scope again.")


def _password(page: Page, password: str, name: str, flagger: UUID) -> HttpResponse:
    back_url = reverse("console:flagger-people", kwargs={"flagger": flagger})
    shown = {"password": password, "name": name, "back_url": back_url}
    return page.show("console/password_once.html", shown)


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
