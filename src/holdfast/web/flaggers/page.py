"""What every page for flaggers does: ask who is there, and for whom they work.

Whoever is signed in at the console is nobody here, and the reverse. Every query and
operation finds the organisation by the guest who asks, so that no address names it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View

from holdfast.base.by import By
from holdfast.base.errors import (
    HoldfastError,
    InvalidInput,
    NotAllowed,
    NotFound,
    Refused,
)
from holdfast.staff.queries import by_of_guest_session, myself
from holdfast.triage.flaggers import FlaggerLine, own_account
from holdfast.web import signed_in
from holdfast.web.components.shapes import NavItem, Problem

_STATUSES: tuple[tuple[type[HoldfastError], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (NotAllowed, HTTPStatus.FORBIDDEN),
    (InvalidInput, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Refused, HTTPStatus.CONFLICT),
)


def seated(request: HttpRequest) -> signed_in.Seated:
    """Who asks. Raises ``NotAllowed`` for everybody but a guest."""
    return signed_in.seated(request, by_of_guest_session)


class Page(View):
    """One page for somebody of a flagger who has signed in."""

    by: By
    account: FlaggerLine

    def dispatch(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Answer; a refusal is a page of its own."""
        answer: HttpResponseBase
        try:
            there = seated(request)
            if there.must_enrol:
                answer = HttpResponseRedirect(reverse("flaggers:enrol"))
            else:
                self.by = there.by
                self.account = own_account(by=self.by)
                answer = self._answer(request, *args, **kwargs)
        except NotAllowed as away:
            if isinstance(away, signed_in.SignedOut):
                messages.info(request, away.message)
            answer = HttpResponseRedirect(reverse("flaggers:sign-in"))
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def show(
        self,
        template: str,
        context: dict[str, Any],
        status: HTTPStatus = HTTPStatus.OK,
    ) -> HttpResponse:
        """A page within the frame."""
        framed = {**self._frame(), **context}
        return render(self.request, f"flaggers/{template}", framed, status=status)

    def go(self, name: str, *, said: str = "", **kwargs: Any) -> HttpResponse:
        """On to another page, asked for anew, so that reloading does nothing twice."""
        if said:
            messages.success(self.request, said)
        return HttpResponseRedirect(reverse(f"flaggers:{name}", kwargs=kwargs))

    def _answer(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except HoldfastError as refusal:
            status = next(
                (status for kind, status in _STATUSES if isinstance(refusal, kind)),
                HTTPStatus.INTERNAL_SERVER_ERROR,
            )
            start = NavItem(_("Your reports"), reverse("flaggers:start"))
            problem = Problem(_("This did not work"), refusal.message, actions=(start,))
            return self.show("problem.html", {"problem": problem}, status)

    def _frame(self) -> dict[str, Any]:
        places = (
            (_("Your reports"), "start"),
            (_("New report"), "report"),
            (_("Send a file"), "file"),
        )
        here = self.request.path
        return {
            "account": self.account,
            "me": myself(self.by),
            "nav": [
                NavItem(
                    label,
                    reverse(f"flaggers:{name}"),
                    current=reverse(f"flaggers:{name}") == here,
                )
                for label, name in places
            ],
        }


class FormPage(Page):
    """One form: shown, shown again with what is wrong and all answers, or done."""

    template: ClassVar[str]

    def form(self, *given: Any) -> forms.Form:
        """The form, empty or with data and files."""
        raise NotImplementedError

    def done(self, form: forms.Form) -> HttpResponse:
        """Do it. ``InvalidInput``, ``Refused``, ``NotAllowed`` show the form again."""
        raise NotImplementedError

    def around(self) -> dict[str, Any]:
        """What the template shows around the form."""
        return {}

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Ask."""
        return self._asked(self.form(), HTTPStatus.OK)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Do it, or ask again with the answers kept."""
        form = self.form(request.POST, request.FILES)
        if form.is_valid():
            try:
                return self.done(form)
            except (InvalidInput, Refused, NotAllowed) as refusal:
                form.add_error(None, refusal.message)
        return self._asked(form, HTTPStatus.UNPROCESSABLE_ENTITY)

    def _asked(self, form: forms.Form, status: HTTPStatus) -> HttpResponse:
        return self.show(self.template, {"form": form, **self.around()}, status)
