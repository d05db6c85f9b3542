"""Coming and going, for guests alone; and one's own account.

The door itself is the same as the console's: see ``web.sign_in``.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _

from holdfast.staff import operations as staff
from holdfast.staff.queries import by_of_guest_session
from holdfast.web import sign_in, signed_in
from holdfast.web.flaggers.forms import ChangePassword, Enrol, SignIn
from holdfast.web.flaggers.page import FormPage

DOOR = sign_in.Door("flaggers", by_of_guest_session, True, SignIn, Enrol)


class SignInPage(sign_in.SignInPage):
    """The door."""

    door = DOOR


class SignOut(sign_in.SignOut):
    """Leaving."""

    door = DOOR


class EnrolPage(sign_in.EnrolPage):
    """A second factor."""

    door = DOOR


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
