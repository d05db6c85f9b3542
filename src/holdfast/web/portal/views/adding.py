"""Adding to a report that is in: one question a page, for the one report of the visit.

Asked in a row after the receipt, changed one at a time from the page that shows them
all, and added from the page of the report. Each answer is kept as soon as it is given,
counts as if it had been in the report from the start, and can be taken back.
"""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django import forms as django_forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from holdfast.base.errors import InvalidInput
from holdfast.intake import answering, contacts, questions, statements
from holdfast.intake import operations as intake
from holdfast.intake.legal_forms import may_be_asked, to_ask
from holdfast.intake.once import add_once
from holdfast.intake.queries import Reported, reported
from holdfast.intake.rules import Frequency, Way
from holdfast.items.queries import platform_of_url
from holdfast.notifications.letters import ways
from holdfast.policy import queries as policies
from holdfast.web.portal import advice, forms, help
from holdfast.web.portal.mine import OfReport
from holdfast.web.portal.page import BY
from holdfast.web.portal.words import WRITTEN_TO

FIRST = questions.QUESTIONS[0].code


def asked_of(report: Reported) -> list[questions.Question]:
    """What is asked of the reporter of a report, as far as is known now.

    What is answered stays, so that it can be seen and changed: some is asked only while
    a legal form lacks it.
    """
    told = report.told
    fits = questions.asked(report.category, told.answers, to_ask(told.forms))
    answered = {code for code, said in told.answers.items() if said}
    answered |= {"email"} if report.email else set()
    answered |= {"signature"} if report.signed_as else set()
    return [q for q in questions.QUESTIONS if q in fits or q.code in answered]


def most_to_come(name: str, report: Reported) -> int:
    """How many questions can follow this one; it may shrink later, and never grows."""
    policy = policies.current()
    may_be_missing = may_be_asked(
        child_safety=report.category.child_safety,
        alleges_illegal=policy.alleges_illegal(report.category),
        intimate=report.category.intimate,
        offered=policy.legal_forms,
    )
    return questions.most_to_come(
        name, report.category, report.told.answers, may_be_missing
    )


class Adding(OfReport):
    """One further question about the visit's report; it leads back to the report."""

    back: ClassVar[str] = "portal:status"
    name: str

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Find the question; 404 when there is none of that name."""
        super().setup(request, *args, **kwargs)
        self.name = str(kwargs["name"])
        if questions.question(self.name) is None:
            raise Http404

    @property
    def question(self) -> questions.Question:
        """The question; there is one, or this page is not reached."""
        found = questions.question(self.name)
        assert found is not None
        return found

    @property
    def report_id(self) -> UUID:
        """The report; there is one, or this page is not reached."""
        assert self.memory.report_id is not None
        return self.memory.report_id

    @cached_property
    def report(self) -> Reported:
        """The report as it stood when this page was asked for."""
        return reported(self.report_id)

    def form(self, **given: Any) -> django_forms.Form:
        """The question's form, with the answer that stands."""
        if self.memory.report_id is None:
            return forms.AnswerForm(self.question, answers={}, **given)
        form = forms.AnswerForm(
            self.question,
            answers=self.report.told.answers,
            initial={"answer": self._standing()},
            **given,
        )
        if self.question.kind == "email" and self._is_written_to():
            answer = form.fields["answer"]
            answer.help_text = f"{answer.help_text} {WRITTEN_TO}"
        return form

    def around(self) -> dict[str, Any]:
        """In danger, another number comes first than ours."""
        context: dict[str, Any] = {
            "numbers": help.numbers(self.request) if self.name == "danger" else (),
            "hints": {"answer": {c.code: c.hint for c in self.question.choices}},
            "back_url": reverse(self.back),
            "button": _("Add this"),
        }
        if self.memory.report_id is None:
            return context
        if self.question.kind == "signature":
            signed = [each.form for each in self.report.told.forms]
            context |= {
                "title": self.question.words,
                "intro": self.question.hint,
                "sentences": statements.sentences(signed),
                "button": _("Sign"),
            }
        if self.question.kind == "email":
            kept = self.report.email
            return context | {"kept": kept, "may_take_back": bool(kept)}
        may_erase = (
            self.question.kind in ("choice", "text")
            and self._standing()
            and self.name not in self.report.told.said_at_first
        )
        return context | {"may_take_back": bool(may_erase)}

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Take the answer, or take it back."""
        if "take_back" in request.POST:
            if self.question.kind == "email":
                contacts.withdraw(self.report_id, by=BY)
                self.memory.said = "withdrawn"
            else:
                answering.take_back(self.report_id, self.name, by=BY)
                self.memory.said = "taken_back"
            return HttpResponseRedirect(reverse(self.back))
        return super().post(request, **kwargs)

    def answered(self, form: django_forms.Form) -> HttpResponse:
        """Add the answer to the report."""
        assert isinstance(form, forms.AnswerForm)
        self._keep(form)
        self.memory.said = "added"
        if self.name == "danger" and form.cleaned_data["answer"] in questions.DANGERS:
            return self.go("danger")
        return HttpResponseRedirect(self.next_url())

    def next_url(self) -> str:
        """Where an answer leads."""
        return reverse(self.back)

    def _keep(self, form: forms.AnswerForm) -> None:
        answer, language = form.cleaned_data["answer"], self.request.LANGUAGE_CODE
        match self.question.kind:
            case "message":
                pressed = form.cleaned_data["once"]
                add_once(self.report_id, "words", answer, pressed, by=BY)
            case "places":
                self._refuse_other_sites(form.targets())
                intake.add_targets(self.report_id, form.targets(), by=BY)
            case "email":
                answering.give_email(self.report_id, answer, by=BY)
            case "signature":
                answering.sign(self.report_id, answer, by=BY, language=language)
            case _:
                answering.give_answer(
                    self.report_id, self.name, answer, by=BY, language=language
                )

    def _refuse_other_sites(self, targets: list[intake.TargetGiven]) -> None:
        sites = {platform_of_url(each.url) for each in targets if each.url}
        others = {each.name for each in sites if each is not None} - {
            self.report.platform
        }
        if others:
            raise InvalidInput(
                _("Your report is about %(mine)s. Send another report about %(other)s.")
                % {"mine": self.report.platform, "other": ", ".join(sorted(others))}
            )

    def _is_written_to(self) -> bool:
        """Whether an address that is given here is asked if it is right."""
        chosen = contacts.of_report(self.report_id)
        quiet = chosen is not None and chosen.frequency == Frequency.NEVER
        return Way.EMAIL in ways() and not quiet

    def _standing(self) -> str:
        # An e-mail address is never written into the box: whoever looks at the screen
        # would read it, and what is shown of it is no address to be sent again.
        if self.question.kind == "signature":
            return self.report.signed_as
        return self.report.told.answers.get(self.name, "")


class Changing(Adding):
    """The same from the page that shows all answers, and back to it."""

    back = "portal:review"


class InARow(Adding):
    """The same questions one after the other; "skip" and "stop" are always there."""

    back = "portal:review"

    def around(self) -> dict[str, Any]:
        """Which question this is, how many can come, how to skip it, how to stop."""
        context = super().around() | {"back_url": "", "skip_url": self.next_url()}
        if self.memory.report_id is None:
            return context
        codes = [each.code for each in asked_of(self.report)]
        if self.name in codes:
            place = codes.index(self.name)
            to_come = most_to_come(self.name, self.report)
            context |= {"step": place + 1, "to_come": to_come}
            if place and codes[place - 1] == "about":
                context["advice"] = advice.for_answers(
                    self.report.told.answers,
                    child_safety=self.report.category.child_safety,
                )
        if self.question.kind != "signature":
            context["button"] = _("Save and go on")
        return context | {"stop_url": reverse("portal:review")}

    def next_url(self) -> str:
        """The question after this one, or all answers together."""
        if self.memory.report_id is None:
            return reverse("portal:review")
        following = after(self.name, reported(self.report_id))
        if following is None:
            return reverse("portal:review")
        return reverse("portal:more", kwargs={"name": following})


def after(name: str, report: Reported) -> str | None:
    """The question that follows another one; None when that was the last."""
    codes = [each.code for each in questions.QUESTIONS]
    later = set(codes[codes.index(name) + 1 :])
    return next((q.code for q in asked_of(report) if q.code in later), None)


def first_asked(report: Reported) -> str:
    """The question that is asked first once a report is in."""
    return asked_of(report)[0].code
