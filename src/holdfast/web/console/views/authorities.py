"""Access to authorities. A test environment is the default, and going live is a step
that somebody takes by name: until then every referral is NOT FILED (promise 16).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse

from holdfast.authorities.operations import add_account, go_live
from holdfast.authorities.queries import accounts
from holdfast.base.by import Permission
from holdfast.base.errors import HoldfastError, InvalidInput
from holdfast.web.console.forms import Access, GoLive
from holdfast.web.console.page import FormPage
from holdfast.web.console.views.platforms import platform_choices


class AuthoritiesPage(FormPage):
    """The accounts in use, and a form for a test account."""

    needs = Permission.PLATFORM_MANAGE
    template = "console/authorities.html"

    def form(self, data: Any = None) -> Access:
        """Where, and who speaks for the platform."""
        return Access(data, platforms=platform_choices())

    def done(self, form: forms.Form) -> HttpResponse:
        """Set it up as a test environment."""
        add_account(**_given(form), environment="test", by=self.by)
        said = "It is set up as a TEST environment. What goes there is NOT FILED."
        return self.go("authorities", said=said)

    def around(self) -> dict[str, Any]:
        """The list."""
        return {
            "accounts": accounts(by=self.by),
            "may_go_live": self.may(Permission.AUTHORITY_GO_LIVE),
        }


class GoLivePage(FormPage):
    """From now on, for real."""

    needs = Permission.AUTHORITY_GO_LIVE
    template = "console/go_live.html"

    def form(self, data: Any = None) -> GoLive:
        """The production credentials, and that one means it."""
        return GoLive(data, platforms=platform_choices())

    def done(self, form: forms.Form) -> HttpResponse:
        """Ask the authority whether it knows us there; then file."""
        given = _given(form)
        try:
            go_live(**given, by=self.by)
        except InvalidInput:
            raise
        except HoldfastError as refused:
            # The authority's own refusal, and its silence, belong into the form.
            raise InvalidInput(refused.message, **refused.details) from refused
        return self.go("authorities", said="Live. Referrals are filed from now on.")


def _given(form: forms.Form) -> dict[str, Any]:
    given = dict(form.cleaned_data)
    given.pop("sure", None)
    given["platform_id"] = UUID(given.pop("platform"))
    return given
