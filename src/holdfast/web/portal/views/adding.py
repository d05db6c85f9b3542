"""Adding to a report that is in: one question a page, for the one report of the visit.

Asked in a row after the receipt, and one at a time from the page of the report. An
answer counts as if it had been in the report from the start.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django import forms as django_forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from holdfast.intake import operations as intake
from holdfast.web.portal import forms
from holdfast.web.portal.page import BY, Question
from holdfast.web.portal.words import CLOSED


@dataclass(frozen=True)
class Asked:
    """A further question: its form, and the kind of addition that its answer is."""

    form: type[django_forms.Form]
    kind: str


QUESTIONS: Final[dict[str, Asked]] = {
    "danger": Asked(forms.DangerForm, "danger"),
    "about": Asked(forms.AboutForm, "claim"),
    "police": Asked(forms.PoliceForm, "police_number"),
    "words": Asked(forms.WordsForm, "words"),
    "link": Asked(forms.LinkForm, "link"),
}
IN_A_ROW: Final = ("danger", "about", "police", "words")
"""What is asked when the report has just come in, the most urgent first."""


class Adding(Question):
    """One further question about the visit's report."""

    asks: ClassVar[Collection[str]] = QUESTIONS
    name: str

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Find the question; 404 when there is none of that name."""
        super().setup(request, *args, **kwargs)
        self.name = str(kwargs["name"])
        if self.name not in self.asks:
            raise Http404

    def dispatch(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Only for a visit that has shown which report it may follow.

        Who wrote for longer than a visit lasts finds every word in its box.
        """
        if self.memory.report_id is None:
            if request.method == "POST":
                return self.unsent(str(CLOSED))
            return self.sent(self.go("pause" if self.memory.expired else "follow"))
        return super().dispatch(request, *args, **kwargs)

    def form(self, **given: Any) -> django_forms.Form:
        """The question's form."""
        return QUESTIONS[self.name].form(**given)

    def around(self) -> dict[str, Any]:
        """In danger, another number comes first than ours."""
        return {
            "is_danger": self.name == "danger",
            "back_url": reverse("portal:status"),
            "button": _("Add this"),
        }

    def answered(self, form: django_forms.Form) -> HttpResponse:
        """Add the answer to the report."""
        assert self.memory.report_id is not None
        answer = form.cleaned_data["answer"]
        # "No" and "I don't know" to danger are nothing to act on, and are not kept.
        if self.name != "danger" or answer == "yes":
            kind = QUESTIONS[self.name].kind
            intake.add_to_report(self.memory.report_id, kind, answer, by=BY)
            self.memory.said = "added"
        return HttpResponseRedirect(self.next_url())

    def next_url(self) -> str:
        """Where an answer leads: back to the report."""
        return reverse("portal:status")


class InARow(Adding):
    """The same questions one after the other; "skip" is always there."""

    asks = IN_A_ROW

    def around(self) -> dict[str, Any]:
        """Which question of how many this is, and how to skip it."""
        return super().around() | {
            "back_url": "",
            "step": IN_A_ROW.index(self.name) + 1,
            "steps": len(IN_A_ROW),
            "skip_url": self.next_url(),
        }

    def next_url(self) -> str:
        """The question after this one, or where the report stands."""
        place = IN_A_ROW.index(self.name) + 1
        if place == len(IN_A_ROW):
            return reverse("portal:status")
        return reverse("portal:more", kwargs={"name": IN_A_ROW[place]})
