"""Waves of reports, and what people decide about those who misuse reporting.

A wave is shown, not acted on. Misuse is decided by a person, for reports that people
have found nothing in, after a warning: Article 23 of the Digital Services Act.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse

from holdfast.base.by import Permission
from holdfast.decisions import misuse
from holdfast.languages.choice import in_words
from holdfast.policy.queries import category_of
from holdfast.triage.waves import Wave, wave_about, wave_from_place_of
from holdfast.web.components.bars import Stretch, wave_in_words
from holdfast.web.components.shapes import Fact
from holdfast.web.console.misuse_form import Misuse
from holdfast.web.console.page import FormPage, Page


class WavePage(Page):
    """The reports about one account, or from one place, of the last day."""

    needs = Permission.CASE_READ

    def get(
        self,
        request: HttpRequest,
        actor: UUID | None = None,
        report: UUID | None = None,
    ) -> HttpResponse:
        """Draw them, and say what is known."""
        if actor is not None:
            return self._drawn(wave_about(actor, by=self.by), about_one=True)
        assert report is not None
        return self._drawn(wave_from_place_of(report, by=self.by), about_one=False)

    def _drawn(self, wave: Wave, *, about_one: bool) -> HttpResponse:
        stretches = [Stretch(bar.at, bar.reports, bar.marked) for bar in wave.bars]
        facts = [
            Fact("Reports in the last day", wave.reports),
            Fact("About the safety of a child", wave.child_safety),
            Fact("Filled in as a program does", wave.marked),
            Fact("Places they came from, as far as known", wave.known_places),
            Fact("Most from one place", wave.most_from_one_place),
            Fact("Decided: a violation", wave.decided_violation),
            Fact("Decided: no violation", wave.decided_no_violation),
        ]
        context = {
            "wave": wave,
            "about_one": about_one,
            "stretches": stretches,
            "in_words": wave_in_words(stretches) if wave.reports else "",
            "facts": facts,
            "may_decide": self.may(Permission.MISUSE_DECIDE),
        }
        return self.show("console/wave.html", context)


class ReporterPage(FormPage):
    """How one account's reports stand; warn, and if it goes on, suspend."""

    needs = Permission.MISUSE_DECIDE
    template = "console/reporter.html"

    @property
    def actor(self) -> UUID:
        """Whose reports these are."""
        return UUID(str(self.kwargs["actor"]))

    def form(self, data: Any = None) -> Misuse:
        """The reports that count, what shows the intention, and why."""
        return Misuse(data, standing=misuse.standing_of(self.actor, by=self.by))

    def done(self, form: forms.Form) -> HttpResponse:
        """Warn the first time; suspend after that."""
        given = form.cleaned_data
        about: dict[str, Any] = {
            "actor_id": self.actor,
            "unfounded": [UUID(each) for each in given["unfounded"]],
            "intention": given["intention"],
            "reason": given["reason"],
            "by": self.by,
        }
        if "days" in given:
            misuse.suspend(days=given["days"], **about)
            said = "Suspended. Reports about children are worked on all the same."
        else:
            misuse.warn(**about)
            said = "The warning is on record, and the platform can read it."
        return self.go("reporter", actor=str(self.actor), said=said)

    def around(self) -> dict[str, Any]:
        """Where things stand."""
        standing = misuse.standing_of(self.actor, by=self.by)
        lines = [
            (each, in_words(category_of(each.category).label))
            for each in standing.reports
        ]
        return {"standing": standing, "lines": lines}


class LiftSuspension(Page):
    """Work on this account's reports again."""

    http_method_names = ["post"]
    needs = Permission.MISUSE_DECIDE

    def post(self, request: HttpRequest, actor: UUID, suspension: UUID) -> HttpResponse:
        """Lift it."""
        misuse.lift(suspension, by=self.by)
        return self.go("reporter", actor=str(actor), said="The suspension is lifted.")
