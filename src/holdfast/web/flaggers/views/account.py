"""Coming and going: sign-in, the second factor, one's own password.

As at the console, by the same operations, for guests alone.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import segno
from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views import View

from holdfast.base.by import By
from holdfast.base.errors import InvalidInput, NotAllowed, Refused
from holdfast.staff import operations as staff
from holdfast.web import signed_in
from holdfast.web.flaggers.forms import ChangePassword, Enrol, SignIn
from holdfast.web.flaggers.page import FormPage, seated


class SignInPage(View):
    """The door."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        return self._asked(SignIn(), HTTPStatus.OK)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Let in, or say in the same words every time that it did not work."""
        form = SignIn(request.POST)
        if form.is_valid():
            try:
                signed = staff.sign_in(**form.cleaned_data, guest=True)
            except NotAllowed as refusal:
                form.add_error(None, refusal.message)
            else:
                signed_in.begin(
                    request,
                    signed.person_id,
                    signed.session_hash,
                    must_enrol=signed.must_enrol,
                )
                return HttpResponseRedirect(reverse("flaggers:start"))
        return self._asked(form, HTTPStatus.UNPROCESSABLE_ENTITY)

    def _asked(self, form: SignIn, status: HTTPStatus) -> HttpResponse:
        answer = render(
            self.request, "flaggers/sign_in.html", {"form": form}, status=status
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer


class SignOut(View):
    """Leaving, by POST alone, so that no page can sign somebody out."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Leave."""
        signed_in.end(request)
        return HttpResponseRedirect(reverse("flaggers:sign-in"))


class EnrolPage(View):
    """A second factor, at the first sign-in and after a reset."""

    by: By

    def dispatch(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Only for somebody who is signed in and has none."""
        try:
            there = seated(request)
        except NotAllowed:
            return HttpResponseRedirect(reverse("flaggers:sign-in"))
        if not there.must_enrol:
            return HttpResponseRedirect(reverse("flaggers:start"))
        self.by = there.by
        answer = super().dispatch(request, *args, **kwargs)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def get(self, request: HttpRequest) -> HttpResponse:
        """A new secret, kept nowhere until it is confirmed."""
        return self._asked(staff.start_enrolment(by=self.by))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Confirm it, and show the recovery codes, this once."""
        form = Enrol(request.POST)
        if form.is_valid():
            try:
                done = staff.confirm_enrolment(**form.cleaned_data, by=self.by)
            except (InvalidInput, Refused) as refusal:
                form.add_error(None, refusal.message)
            else:
                signed_in.renew(request, done.session_hash)
                codes = {"codes": done.recovery_codes}
                return render(request, "flaggers/recovery_codes.html", codes)
        return self._again(form)

    def _again(self, form: Enrol) -> HttpResponse:
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
            "form": form or Enrol(initial={"token": started.token}),
            # Segno draws paths alone; no text of the address is in its markup.
            "qr_svg": mark_safe(picture.svg_inline(omitsize=True)),
            "secret": started.secret,
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if form else HTTPStatus.OK
        return render(self.request, "flaggers/totp.html", context, status=status)


class AccountPage(FormPage):
    """The account, as it stands here, and a new password."""

    template = "account.html"

    def form(self, *given: Any) -> ChangePassword:
        """Old and new."""
        return ChangePassword(*given)

    def done(self, form: forms.Form) -> HttpResponse:
        """Change it; every other session of this person ends."""
        changed = staff.change_password(**form.cleaned_data, by=self.by)
        signed_in.renew(self.request, changed)
        return self.go(
            "account", said=_("Your password is changed. Other sessions ended.")
        )
