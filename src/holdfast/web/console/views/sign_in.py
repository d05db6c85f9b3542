"""Coming and going: sign-in, the second factor, one's own password.

The password goes to the operation that checks it and nowhere else: it is never kept
between two pages, so both factors are asked for on one.
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
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.views import View

from holdfast.base.by import By
from holdfast.base.errors import InvalidInput, NotAllowed, Refused
from holdfast.languages.choice import language_name
from holdfast.staff import operations as staff
from holdfast.staff.queries import by_of_session, myself
from holdfast.web import signed_in as session
from holdfast.web.console.forms import ChangePassword, Enrol, Languages, SignIn
from holdfast.web.console.page import START, FormPage


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
                signed = staff.sign_in(**form.cleaned_data)
            except NotAllowed as refusal:
                form.add_error(None, refusal.message)
            else:
                session.begin(
                    request,
                    signed.person_id,
                    signed.session_hash,
                    must_enrol=signed.must_enrol,
                )
                return HttpResponseRedirect(_next(request))
        return self._asked(form, HTTPStatus.UNPROCESSABLE_ENTITY)

    def _asked(self, form: SignIn, status: HTTPStatus) -> HttpResponse:
        context = {"form": form, "next": self.request.GET.get("next", "")}
        answer = render(self.request, "console/sign_in.html", context, status=status)
        answer.headers["Cache-Control"] = "no-store"
        return answer


class SignOut(View):
    """Leaving, by POST alone, so that no page can sign somebody out."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Leave."""
        session.end(request)
        return HttpResponseRedirect(reverse("console:sign-in"))


class EnrolPage(View):
    """A second factor, at the first sign-in and after a reset."""

    by: By

    def dispatch(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Only for somebody who is signed in and has none."""
        try:
            there = session.seated(request, by_of_session)
        except NotAllowed:
            return HttpResponseRedirect(reverse("console:sign-in"))
        if not there.must_enrol:
            return HttpResponseRedirect(START)
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
                session.renew(request, done.session_hash)
                codes = {"codes": done.recovery_codes}
                return render(request, "console/recovery_codes.html", codes)
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
        return render(self.request, "console/totp.html", context, status=status)


class MyPage(FormPage):
    """What one may see of oneself, and a new password."""

    template = "console/me.html"

    def form(self, data: Any = None) -> ChangePassword:
        """Old and new."""
        return ChangePassword(data)

    def done(self, form: forms.Form) -> HttpResponse:
        """Change it; every other session of this person ends."""
        changed = staff.change_password(**form.cleaned_data, by=self.by)
        session.renew(self.request, changed)
        return self.go("me", said="Your password is changed. Other sessions ended.")

    def around(self) -> dict[str, Any]:
        """Name, roles, what is left of the recovery codes."""
        person = myself(self.by)
        read = ", ".join(language_name(each) for each in person.languages)
        return {"person": person, "languages_read": read}


class LanguagesPage(FormPage):
    """Which languages one reads, so that the queue can offer those first."""

    template = "console/languages.html"

    def form(self, data: Any = None) -> Languages:
        """As they are now."""
        known = ", ".join(myself(self.by).languages)
        return Languages(data, initial={"languages": known})

    def done(self, form: forms.Form) -> HttpResponse:
        """From now on."""
        assert isinstance(form, Languages)
        staff.read_languages(languages=form.tags(), by=self.by)
        return self.go("me", said="The queue knows which languages you read.")


def _next(request: HttpRequest) -> str:
    """Where somebody wanted to go: a page of the console, and no other place."""
    wanted = request.POST.get("next", "")
    # A host of its own set is empty: only a path of this site is allowed.
    here = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if here and wanted.startswith(START) else START
