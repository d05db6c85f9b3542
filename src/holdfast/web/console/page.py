"""What every page of the console does: ask who is there, and whether they may.

A page says what permission it needs; the operations and queries it calls ask again.
Nothing is changed by a GET, and no answer is stored by a browser or on the way.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views import View

from holdfast.base.by import By, Permission
from holdfast.base.errors import HoldfastError, InvalidInput, NotAllowed, Refused
from holdfast.notifications.alarms import open_alarms
from holdfast.review.queue import queue_length
from holdfast.review.rules import Need
from holdfast.staff.queries import PersonLine, by_of_session, myself
from holdfast.web import signed_in as session
from holdfast.web.components.shapes import Me, NavItem
from holdfast.web.console import problems
from holdfast.web.console.words import ROLES


class Page(View):
    """One page for somebody who has signed in."""

    needs: ClassVar[Permission | None] = None
    """Without it the page is refused; None is for everybody who is signed in."""
    by: By

    def dispatch(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Answer; a refusal is a page of its own."""
        try:
            there = session.seated(request, by_of_session)
        except NotAllowed as away:
            return self._to_sign_in(away)
        self.by = there.by
        answer: HttpResponseBase
        if there.must_enrol:
            answer = HttpResponseRedirect(reverse("console:enrol"))
        else:
            try:
                if self.needs is not None:
                    self.by.require(self.needs)
                answer = super().dispatch(request, *args, **kwargs)
            except HoldfastError as refusal:
                answer = self.refused(refusal)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def may(self, permission: Permission) -> bool:
        """Whether the one who asks may do that."""
        return permission in self.by.permissions

    def show(
        self,
        template: str,
        context: dict[str, Any],
        status: HTTPStatus = HTTPStatus.OK,
    ) -> HttpResponse:
        """A page within the frame."""
        framed = {**frame(self.request, self.by), **context}
        return render(self.request, template, framed, status=status)

    def refused(self, refusal: HoldfastError) -> HttpResponse:
        """A refusal as a page."""
        problem, status = problems.of(refusal)
        return self.show("console/problem.html", {"problem": problem}, status)

    def go(self, name: str, *, said: str = "", **kwargs: Any) -> HttpResponse:
        """On to another page, asked for anew, so that reloading does nothing twice."""
        if said:
            messages.success(self.request, said)
        return HttpResponseRedirect(reverse(f"console:{name}", kwargs=kwargs))

    def _to_sign_in(self, away: NotAllowed) -> HttpResponse:
        if isinstance(away, session.SignedOut):
            messages.info(self.request, away.message)
        address = reverse("console:sign-in")
        if self.request.method == "GET":
            address += "?" + urlencode({"next": self.request.get_full_path()})
        return HttpResponseRedirect(address)


START = "/console/"


class FormPage(Page):
    """One form: shown, shown again with what is wrong, or done."""

    template: ClassVar[str]

    def form(self, data: Any = None) -> forms.Form:
        """The form, empty or with ``data``."""
        raise NotImplementedError

    def done(self, form: forms.Form) -> HttpResponse:
        """Do it. ``InvalidInput``, ``Refused``, ``NotAllowed`` show the form again."""
        raise NotImplementedError

    def around(self) -> dict[str, Any]:
        """What the template shows around the form."""
        return {}

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Ask."""
        return self.asked(self.form(), HTTPStatus.OK)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Do it, or ask again with the answers kept."""
        form = self.form(request.POST)
        answer = attempt(form, self.done)
        return answer or self.asked(form, HTTPStatus.UNPROCESSABLE_ENTITY)

    def asked(self, form: forms.Form, status: HTTPStatus) -> HttpResponse:
        """The form as a page."""
        return self.show(self.template, {"form": form, **self.around()}, status)


def attempt(form: forms.Form, do: Any) -> HttpResponse | None:
    """Do what a form asks for; None, and the form says why, when that cannot be."""
    if not form.is_valid():
        return None
    try:
        answer: HttpResponse = do(form)
    except (InvalidInput, Refused, NotAllowed) as refusal:
        form.add_error(None, refusal.message)
        return None
    return answer


def frame(request: HttpRequest, by: By) -> dict[str, Any]:
    """The top bar: where one can go, who one is, how many alarms ring."""
    me = myself(by)
    sees_alarms = by.permissions & {Permission.CASE_READ, Permission.ALARM_ACKNOWLEDGE}
    return {
        "nav": _nav(request, by),
        "me": Me(me.name, role_words(me)),
        "me_url": reverse("console:me"),
        "alarms_count": len(open_alarms(by=by)) if sees_alarms else 0,
        "alarms_url": reverse("console:alarms") if sees_alarms else "",
        "sign_out_url": reverse("console:sign-out"),
    }


def role_words(person: PersonLine) -> str:
    """Somebody's roles in words."""
    return ", ".join(ROLES.get(role, role) for role in person.roles)


def _nav(request: HttpRequest, by: By) -> tuple[NavItem, ...]:
    start = reverse("console:start")
    places: list[tuple[Permission, str, str, int | None]] = []
    if Permission.CASE_READ in by.permissions:
        places = [
            (Permission.CASE_READ, "Queue", start, queue_length(by)),
            (Permission.CASE_CLAIM, "My cases", f"{start}?claimed=mine", None),
            (
                Permission.CASE_DECIDE_AS_SPECIALIST,
                "For specialists",
                f"{start}?{urlencode({'needs': Need.SECOND_SPECIALIST})}",
                None,
            ),
            (Permission.CASE_READ, "Messages", reverse("console:messages"), None),
        ]
    places += [
        (Permission.REPORT_FILE, "Enter a report", reverse("console:enter"), None),
        (Permission.STAFF_MANAGE, "People", reverse("console:people"), None),
        (Permission.PLATFORM_MANAGE, "Platforms", reverse("console:platforms"), None),
        (Permission.PLATFORM_MANAGE, "Flaggers", reverse("console:flaggers"), None),
        (Permission.BANK_MANAGE, "Banks", reverse("console:banks"), None),
        (
            Permission.AUTHORITY_GO_LIVE,
            "Authorities",
            reverse("console:authorities"),
            None,
        ),
    ]
    here = request.get_full_path()
    return tuple(
        NavItem(label, url, current=url == here, count=count)
        for permission, label, url, count in places
        if permission in by.permissions
    )
