"""Coming and going, for those who work here; and what one says of oneself.

The door itself is the same as the flaggers': see ``web.sign_in``.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme

from holdfast.languages.choice import language_name
from holdfast.staff import operations as staff
from holdfast.staff.queries import by_of_session, myself
from holdfast.web import sign_in
from holdfast.web import signed_in as session
from holdfast.web.console.forms import ChangePassword, Enrol, Languages, SignIn
from holdfast.web.console.page import START, FormPage

DOOR = sign_in.Door("console", by_of_session, False, SignIn, Enrol)


class SignInPage(sign_in.SignInPage):
    """The door; who was on the way to a page goes on to it."""

    door = DOOR

    def onward(self) -> str:
        """The page that somebody wanted, where it is one of ours."""
        return _next(self.request)

    def around(self) -> dict[str, Any]:
        """Where it leads."""
        return {"next": self.request.GET.get("next", "")}


class SignOut(sign_in.SignOut):
    """Leaving."""

    door = DOOR


class EnrolPage(sign_in.EnrolPage):
    """A second factor."""

    door = DOOR


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
