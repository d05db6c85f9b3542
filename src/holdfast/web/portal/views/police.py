"""The police's own page: a report like any other, with an agency and a case number.

It hands nothing out. Checking who somebody is, and answering legal demands, is not done
here.
"""

from __future__ import annotations

from typing import Any

from django import forms as django_forms
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from holdfast.base.errors import Unavailable
from holdfast.intake import operations as intake
from holdfast.items import queries as items
from holdfast.policy import queries as policies
from holdfast.web.portal.door import Door
from holdfast.web.portal.police_form import PoliceReport


class Police(Door):
    """One page, since whoever fills it in does so at work."""

    template = "portal/police.html"

    def form(self, **given: Any) -> PoliceReport:
        """Who asks, and what for."""
        platforms = items.platforms()
        if not platforms:
            raise Unavailable(
                _("No site is connected yet, so nothing can be reported here.")
            )
        return PoliceReport(platforms, policies.current().categories, **given)

    def around(self) -> dict[str, Any]:
        """A title of its own, and the way back."""
        return {
            "title": _("For the police"),
            "button": _("Send the report"),
            "back_url": reverse("portal:start"),
        }

    def answered(self, form: django_forms.Form) -> HttpResponse:
        """File it; the receipt and its words are those that everybody gets."""
        assert isinstance(form, PoliceReport)
        assert form.platform_id is not None
        answers = form.cleaned_data
        given = intake.ReportGiven(
            platform_id=form.platform_id,
            channel=intake.Channel.POLICE,
            category=answers["category"],
            targets=form.targets,
            words=answers["words"],
            language=self.request.LANGUAGE_CODE,
            police_contact=form.reach(),
            police_number=answers["number"],
            police_agency=form.office(),
            in_danger_now=answers["danger"],
            wants_codename=True,
        )
        return self.file(given, answers["once"])
