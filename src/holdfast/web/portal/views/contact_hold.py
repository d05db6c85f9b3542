"""Stopping somebody from writing to the reporter, and letting them again.

Two names are asked for, both as people know them on the site, and nothing that proves
who somebody is. The page says what is so: that the site was told, or has confirmed.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms as django_forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from holdfast.freeze import contact_holds
from holdfast.web.portal.mine import OfReport
from holdfast.web.portal.page import BY
from holdfast.web.portal.views.follow import Act

_NAME = django_forms.TextInput(
    attrs={"autocapitalize": "none", "autocorrect": "off", "spellcheck": "false"}
)


class ContactHoldForm(django_forms.Form):
    """Who is not to write to whom?"""

    mine = django_forms.CharField(
        label=gettext_lazy("What are you called on the site?"),
        help_text=gettext_lazy("Your name there, or the address of your page."),
        max_length=contact_holds.MAX_NAME,
        widget=_NAME,
        error_messages={
            "required": gettext_lazy("Write what you are called on the site.")
        },
    )
    theirs = django_forms.CharField(
        label=gettext_lazy("What are they called?"),
        help_text=gettext_lazy(
            "Leave this empty if your report says which account it is."
        ),
        max_length=contact_holds.MAX_NAME,
        required=False,
        widget=_NAME,
    )


class ContactHold(OfReport):
    """Ask for it, for the one report of the visit."""

    template = "portal/contact_hold.html"

    def form(self, **given: Any) -> ContactHoldForm:
        """Two names."""
        return ContactHoldForm(**given)

    def around(self) -> dict[str, Any]:
        """The way back, and what the button does."""
        return {
            "back_url": reverse("portal:status"),
            "title": _("Stop somebody from writing to you"),
            "button": _("Tell the site"),
        }

    def answered(self, form: django_forms.Form) -> HttpResponse:
        """Hold, and say what is so now."""
        report = self.memory.report_id
        assert isinstance(report, UUID)
        answers = form.cleaned_data
        held = contact_holds.hold_contact(
            report, answers["mine"], answers["theirs"], by=BY
        )
        self.memory.said = "held" if held else "not_held"
        return self.go("status")


class ReleaseContact(Act):
    """They may write to the reporter again."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Release all that this report asked for."""
        contact_holds.release_of_report(self.report_id, by=BY)
        self.memory.said = "released"
        return self.go("status")
