"""Coming and going, the same at every door: both factors at once, and enrolment.

The console and the flaggers' page have doors of their own, with their own people, words
and look, and nothing else about them differs. The password goes to the operation that
checks it and nowhere else: it is never kept between two pages, so both factors are
asked for on one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

import segno
from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views import View

from holdfast.base.by import By
from holdfast.base.errors import InvalidInput, NotAllowed, Refused
from holdfast.staff import operations as staff
from holdfast.web import signed_in


@dataclass(frozen=True)
class Door:
    """Where some people sign in. Who belongs to one is nobody at another."""

    name: str
    """Of its addresses and of the folder of its templates."""
    known: Callable[[str, str], By]
    """Whose session it is; see ``signed_in.seated``."""
    guest: bool
    """Whether it is for guests, and not for staff."""
    sign_in: type[forms.Form]
    enrol: type[forms.Form]

    def url(self, page: str) -> str:
        """The address of one of its pages."""
        return reverse(f"{self.name}:{page}")

    def template(self, page: str) -> str:
        """The template of one of its pages."""
        return f"{self.name}/{page}.html"


class SignInPage(View):
    """The door."""

    door: ClassVar[Door]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        return self._asked(self.door.sign_in(), HTTPStatus.OK)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Let in, or say in the same words every time that it did not work."""
        form = self.door.sign_in(request.POST)
        if form.is_valid():
            try:
                signed = staff.sign_in(**form.cleaned_data, guest=self.door.guest)
            except NotAllowed as refusal:
                form.add_error(None, refusal.message)
            else:
                signed_in.begin(
                    request,
                    signed.person_id,
                    signed.session_hash,
                    must_enrol=signed.must_enrol,
                )
                return HttpResponseRedirect(self.onward())
        return self._asked(form, HTTPStatus.UNPROCESSABLE_ENTITY)

    def onward(self) -> str:
        """Where somebody goes who was let in."""
        return self.door.url("start")

    def around(self) -> dict[str, Any]:
        """What the template shows around the form."""
        return {}

    def _asked(self, form: forms.Form, status: HTTPStatus) -> HttpResponse:
        context = {"form": form, **self.around()}
        template = self.door.template("sign_in")
        answer = render(self.request, template, context, status=status)
        answer.headers["Cache-Control"] = "no-store"
        return answer


class SignOut(View):
    """Leaving, by POST alone, so that no page can sign somebody out."""

    door: ClassVar[Door]
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Leave."""
        signed_in.end(request)
        return HttpResponseRedirect(self.door.url("sign-in"))


class EnrolPage(View):
    """A second factor, at the first sign-in and after a reset."""

    door: ClassVar[Door]
    by: By

    def dispatch(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Only for somebody who is signed in and has none."""
        try:
            there = signed_in.seated(request, self.door.known)
        except NotAllowed:
            return HttpResponseRedirect(self.door.url("sign-in"))
        if not there.must_enrol:
            return HttpResponseRedirect(self.door.url("start"))
        self.by = there.by
        answer = super().dispatch(request, *args, **kwargs)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def get(self, request: HttpRequest) -> HttpResponse:
        """A new secret, kept nowhere until it is confirmed."""
        return self._asked(staff.start_enrolment(by=self.by))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Confirm it, and show the recovery codes, this once."""
        form = self.door.enrol(request.POST)
        if form.is_valid():
            try:
                done = staff.confirm_enrolment(**form.cleaned_data, by=self.by)
            except (InvalidInput, Refused) as refusal:
                form.add_error(None, refusal.message)
            else:
                signed_in.renew(request, done.session_hash)
                codes = {"codes": done.recovery_codes}
                return render(request, self.door.template("recovery_codes"), codes)
        return self._again(form)

    def _again(self, form: forms.Form) -> HttpResponse:
        try:
            started = staff.resume_enrolment(
                token=form.data.get("token", ""), by=self.by
            )
        except InvalidInput:
            # It was too old, or not ours: the errors of the form say what to do.
            started = staff.start_enrolment(by=self.by)
        form.data = {**form.data, "token": started.token, "code": ""}
        return self._asked(started, form)

    def _asked(
        self, started: staff.Enrolment, form: forms.Form | None = None
    ) -> HttpResponse:
        picture = segno.make(started.otpauth_uri, micro=False)
        context = {
            "form": form or self.door.enrol(initial={"token": started.token}),
            # Segno draws paths alone; no text of the address is in its markup.
            "qr_svg": mark_safe(picture.svg_inline(omitsize=True)),
            "secret": started.secret,
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if form else HTTPStatus.OK
        template = self.door.template("totp")
        return render(self.request, template, context, status=status)
