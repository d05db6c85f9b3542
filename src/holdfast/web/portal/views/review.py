"""All answers on one page, what the law makes of them, and what to do in danger.

Everything shown here is saved already. The page never shows what was reported, and
each visit sees the answers of its own report only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms as django_forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from holdfast.intake import answering, questions, statements
from holdfast.intake.legal_forms import Element, FormState
from holdfast.intake.queries import Reported, being_called, reported
from holdfast.notifications.alarms import on_call_problems
from holdfast.policy import queries as policies
from holdfast.triage import queries as triage
from holdfast.web.portal import advice, forms, help
from holdfast.web.portal.mine import OfReport
from holdfast.web.portal.offers import offers
from holdfast.web.portal.page import BY
from holdfast.web.portal.views.adding import after, asked_of
from holdfast.web.portal.views.follow import Mine
from holdfast.web.portal.words import HINTS, SAID

QUESTION_FOR = {
    Element.ADDRESS: "link",
    Element.REASONS: "words",
    Element.WHO: "about",
    Element.MAY_ACT: "may_act",
    Element.NOT_AGREED: "consent",
    Element.UNLAWFUL: "unlawful",
    Element.EMAIL: "email",
    Element.SIGNATURE: "signature",
}
"""Which question brings what a form lacks."""


@dataclass(frozen=True)
class Line:
    """One answer: ``said`` is empty when the question was left out."""

    name: str | Promise
    said: tuple[str | Promise, ...]
    change_url: str
    adds: bool = False
    """Whether more can be added, and nothing is changed."""


@dataclass(frozen=True)
class FormLine:
    """One legal form: what it is, by when, and what it lacks with where to add it."""

    name: str | Promise
    reference: str
    due_at: datetime | None
    counts_as_full: bool
    """About a child: it lacks something and counts as complete."""
    lacking: tuple[tuple[str | Promise, str], ...]


class Review(Mine):
    """What the reporter has told, with a way to change each answer."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it."""
        report = reported(self.report_id)
        context = {
            "lines": _lines(report),
            "forms": [_form(each, {}) for each in report.told.forms],
            "advice": (
                *advice.for_category(report.category.code),
                *advice.for_answers(
                    report.told.answers, child_safety=report.category.child_safety
                ),
            ),
            "offers": offers(report),
            "said": SAID.get(self.memory.take_said(), ""),
        }
        return render(request, "portal/review.html", context)


class Law(Mine):
    """What the law makes of a report, and what would make it a full request."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it."""
        report = reported(self.report_id)
        clocks = triage.clocks_of_forms(report.id)
        context = {
            "forms": [_form(each, clocks) for each in report.told.forms],
            "child_safety": report.category.child_safety,
            "signed_as": report.signed_as,
            "back_url": reverse("portal:review"),
        }
        return render(request, "portal/law.html", context)


class Danger(Mine):
    """Somebody is in danger: other numbers come first, and an honest word on ours."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it."""
        report = reported(self.report_id)
        following = after("danger", report)
        context = {
            "numbers": help.numbers(request),
            "suicide": report.told.answers.get("danger") == "suicide",
            "called": being_called(report.id) and not on_call_problems(),
            "first_look_by": triage.first_look_by(report.id),
            "next_url": reverse("portal:more", kwargs={"name": following})
            if following
            else reverse("portal:review"),
        }
        return render(request, "portal/danger.html", context)


class ChangeCategory(OfReport):
    """What is wrong, asked again: the first answer can be changed as any other."""

    template = "portal/start.html"

    def form(self, **given: Any) -> forms.StartForm:
        """The categories, with what the report is held to be now."""
        now = self.memory.report_id
        initial = {"category": reported(now).category.code if now else ""}
        return forms.StartForm(policies.current().categories, initial=initial, **given)

    def around(self) -> dict[str, Any]:
        """It is a change, and not a new report."""
        return {
            "hints": HINTS,
            "changing": True,
            "back_url": reverse("portal:review"),
        }

    def answered(self, form: django_forms.Form) -> HttpResponse:
        """Keep it as an answer: the report itself is never changed."""
        assert self.memory.report_id is not None
        answering.give_answer(
            self.memory.report_id,
            answering.CATEGORY,
            form.cleaned_data["category"],
            by=BY,
            language=self.request.LANGUAGE_CODE,
        )
        self.memory.said = "added"
        return self.go("review")


def _lines(report: Reported) -> list[Line]:
    first = Line(
        _("What it is about"), (_(report.category.label),), reverse("portal:category")
    )
    return [first, *(_line(each, report) for each in asked_of(report))]


def _line(question: questions.Question, report: Reported) -> Line:
    said: tuple[str | Promise, ...]
    match question.kind:
        case "places":
            said = tuple(each.named_as for each in report.places)
        case "message":
            said = report.words
        case "email":
            said = (report.email,)
        case "signature":
            said = (report.signed_as,)
        case _:
            answer = report.told.answers.get(question.code, "")
            words = {each.code: each.words for each in question.choices}
            said = (words.get(answer, answer),)
    return Line(
        question.short,
        tuple(each for each in said if each),
        reverse("portal:change", kwargs={"name": question.code}),
        adds=question.kind in ("places", "message"),
    )


def _form(state: FormState, clocks: dict[str, datetime]) -> FormLine:
    return FormLine(
        name=statements.NAMES[state.form],
        reference=statements.REFERENCES[state.form],
        due_at=clocks.get(state.form),
        counts_as_full=state.complete and bool(state.missing),
        lacking=tuple(
            (
                statements.LACKING[each],
                reverse("portal:change", kwargs={"name": QUESTION_FOR[each]}),
            )
            for each in state.missing
        ),
    )
