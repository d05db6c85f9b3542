"""What every page of the portal does, and what every question does.

A page reads the visit, answers, and sends the visit back; it is never stored by the
browser. A question is a form: shown, shown again with what is wrong, or answered.

One browser can have two people's pages open, and a parent may be the abuser. So each
form about a report says about which it is, and what comes from a page of another report
than the visit's is never written there: that visit is closed.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.views import View

from holdfast.base.by import anyone
from holdfast.base.errors import HoldfastError, InvalidInput, Refused
from holdfast.intake.once import Filed
from holdfast.intake.queries import is_open
from holdfast.web.portal import problems, session

BY = anyone("portal")
"""Whoever stands at the front door: nothing is known of them, and nothing asked."""


class Page(View):
    """One page of the portal."""

    memory: session.Memory
    of_report: ClassVar[bool] = False
    """Whether its forms are about the visit's report, and say so."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Read the visit, which may have been closed from elsewhere since."""
        super().setup(request, *args, **kwargs)
        self.memory = session.read(request)
        report = self.memory.report_id
        if report is not None and not is_open(report, *self.memory.opened):
            self.memory.forget()
        if self.memory.report and not self._is_of_this_report(request):
            self.memory.forget()

    def _is_of_this_report(self, request: HttpRequest) -> bool:
        """Whether what is sent comes from a page of the report that is open."""
        if not self.of_report or request.method != "POST":
            return True
        return request.POST.get("whose", "") == self.memory.whose

    def dispatch(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Answer; a refusal is a page of its own, in the same calm look."""
        response: HttpResponseBase
        try:
            response = super().dispatch(request, *args, **kwargs)
        except HoldfastError as refusal:
            response = problems.refused(request, refusal)
        return self.sent(response)

    def sent(self, response: HttpResponseBase) -> HttpResponseBase:
        """The answer as it leaves: with the visit, and not to be stored anywhere."""
        session.write(response, self.memory)
        response.headers["Cache-Control"] = "no-store"
        return response

    def shown(
        self, template: str, context: dict[str, Any], status: int = HTTPStatus.OK
    ) -> HttpResponse:
        """A page; its forms about the visit's report say which one that is."""
        whose = {"whose": self.memory.whose} if self.of_report else {}
        return render(self.request, template, context | whose, status=status)

    def speak(self, code: str) -> None:
        """Speak this language from here on, if it is one of ours."""
        if code in dict(settings.LANGUAGES):
            self.memory.language = code
            translation.activate(code)
            self.request.LANGUAGE_CODE = code

    def receipt_of(self, filed: Filed) -> HttpResponse:
        """On to the receipt, with a visit that is for this report alone.

        The same press long after is the way of somebody else into an old page.
        """
        self.memory.forget()
        if filed.codename is None:
            return self.go("follow")
        self.memory.open(filed.report_id, filed.codename)
        self.memory.codename = filed.codename
        return self.go("received")

    def go(self, page: str, **kwargs: str) -> HttpResponse:
        """On to another page, asked for anew, so that reloading sends nothing twice."""
        return HttpResponseRedirect(reverse(f"portal:{page}", kwargs=kwargs))


class Question(Page):
    """One question."""

    template: ClassVar[str] = "portal/ask.html"

    def form(self, **given: Any) -> forms.Form:
        """The form, empty or with ``data``."""
        raise NotImplementedError

    def answered(self, form: forms.Form) -> HttpResponse:
        """Do what follows from an answer. A refusal shows the form again."""
        raise NotImplementedError

    def around(self) -> dict[str, Any]:
        """What the template shows around the question."""
        return {}

    def words_again(self) -> forms.BoundField | None:
        """A box for the words of a report, when they are wanted beside the answer."""
        return None

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Ask."""
        return self.show(self.form(), HTTPStatus.OK)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Take the answer, or ask again with the answer kept."""
        if request.POST.get("language"):
            return self.in_language(request.POST["language"])
        form = self.form(data=request.POST)
        if form.is_valid():
            try:
                return self.answered(form)
            except InvalidInput as refusal:
                form.add_error(None, refusal.message)
            except Refused as refusal:
                form.add_error(None, refusal.message)
                return self.show(form, HTTPStatus.CONFLICT)
        return self.show(form, HTTPStatus.UNPROCESSABLE_ENTITY)

    def in_language(self, code: str) -> HttpResponse:
        """The question in another language, with what was written in its boxes."""
        self.speak(code)
        form = self.form(data=self.request.POST)
        # Nothing was sent yet, so nothing can be wrong with it.
        form.errors.clear()
        return self.show(form, HTTPStatus.OK)

    def unsent(self, why: str) -> HttpResponseBase:
        """The question with its answers in their boxes, and nothing done yet."""
        form = self.form(data=self.request.POST)
        form.add_error(None, why)
        return self.sent(self.show(form, HTTPStatus.FORBIDDEN))

    def show(self, form: forms.Form, status: HTTPStatus) -> HttpResponse:
        """The question as a page."""
        context = {
            "form": form,
            "is_question": True,
            "words_again": self.words_again(),
            **self.around(),
        }
        return self.shown(self.template, context, status)
