"""Coming back: the words open one report, and only that one.

Nothing in an address says which report it is; the visit does. Never shows or returns
what was reported (promise 9), and says nothing about other reports, places or people.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django import forms as django_forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from holdfast.base.errors import NotFound
from holdfast.enforcement.contact import holds_of
from holdfast.intake import returning
from holdfast.intake.queries import reported
from holdfast.matching import watches
from holdfast.notifications import operations as notifying
from holdfast.notifications import queries as notifications
from holdfast.notifications.letters import ways
from holdfast.notifications.queries import Message as Told
from holdfast.review.challenges import challenge
from holdfast.web.portal import advice, standing
from holdfast.web.portal.forms import CodenameForm
from holdfast.web.portal.mine import open_report
from holdfast.web.portal.offers import may_be_shown
from holdfast.web.portal.page import BY, Page, Question
from holdfast.web.portal.words import NOT_DONE, SAID


class Follow(Question):
    """Enter the words. Slow, and never locked: the words are the only way back."""

    template = "portal/follow.html"

    def form(self, **given: Any) -> CodenameForm:
        """One box for five words."""
        return CodenameForm(**given)

    def around(self) -> dict[str, Any]:
        """Whether the last visit was ended because it was idle, or was another's."""
        closed = not self.memory.report and self.memory.take_said()
        return {
            "button": _("Open my report"),
            "expired": self.memory.expired,
            "said": SAID[NOT_DONE] if closed == NOT_DONE else "",
        }

    def answered(self, form: django_forms.Form) -> HttpResponse:
        """Open the report of these words."""
        words = form.cleaned_data["codename"]
        try:
            open_report(self.memory, words)
        except NotFound as refusal:
            form.add_error("codename", refusal.message)
            return self.show(form, HTTPStatus.UNPROCESSABLE_ENTITY)
        if self.memory.codename:
            return self.go("words")
        return self.go("status")


class Mine(Page):
    """A page of the one report that this visit may follow."""

    of_report = True

    def dispatch(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Without a report, ask for the words; after a while away, ask that first."""
        if self.memory.report_id is None:
            if request.method == "POST" and not self.memory.expired:
                self.memory.said = NOT_DONE
            return self.sent(self.go("pause" if self.memory.expired else "follow"))
        return super().dispatch(request, *args, **kwargs)

    @property
    def report_id(self) -> UUID:
        """The report; there is one, or this page is not reached."""
        assert self.memory.report_id is not None
        return self.memory.report_id


class Status(Mine):
    """Where the report stands, the clocks, and the messages both ways."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it, and note that our messages have been seen."""
        known = notifications.status_of(self.report_id)
        notifying.mark_read(
            each.id for each in known.messages if each.unread and not each.from_reporter
        )
        told = reported(self.report_id)
        context = {
            "report": known,
            "advice": advice.for_answers(
                told.told.answers, child_safety=told.category.child_safety
            ),
            "served": standing.served_instead(told),
            "timeline": standing.steps(known),
            "clocks": standing.clocks(known),
            "messages": standing.messages(known),
            "unsaved": bool(self.memory.codename),
            "letters": bool(ways()),
            "may_be_shown": may_be_shown(told),
            "holds": [
                each for each in holds_of([self.report_id]) if each.released_at is None
            ],
            "watched": watches.watched(self.report_id),
            "said": SAID.get(self.memory.take_said(), ""),
        }
        return self.shown("portal/status.html", context)


class Words(Mine):
    """The words once more, on the first return: are they kept?"""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them, for as long as the visit has them."""
        if not self.memory.codename:
            return self.go("status")
        shown = {"codename": self.memory.codename}
        return self.shown("portal/words.html", shown)

    def post(self, request: HttpRequest) -> HttpResponse:
        """They are: forget them here, and do not ask again."""
        returning.confirm_codename(self.report_id, by=BY)
        self.memory.codename = ""
        return self.go("status")


class Erase(Mine):
    """Take one message off one's own page; asked first, for it cannot be undone."""

    def get(self, request: HttpRequest, message: UUID) -> HttpResponse:
        """Ask."""
        shown = {
            "message": standing.message(self._told(message)),
            "back_url": reverse("portal:status"),
        }
        return self.shown("portal/erase.html", shown)

    def post(self, request: HttpRequest, message: UUID) -> HttpResponse:
        """Do it."""
        told = self._told(message)
        if told.kind == returning.FIRST_WORDS:
            returning.erase_first_words(self.report_id, by=BY)
        elif told.kind == returning.SIGNATURE:
            returning.erase_signature(self.report_id, told.id, by=BY)
        elif told.from_reporter:
            returning.erase_addition(self.report_id, told.id, by=BY)
        else:
            notifying.put_away(self.report_id, told.id, by=BY)
        self.memory.said = "erased"
        return self.go("status")

    def _told(self, message: UUID) -> Told:
        for each in notifications.status_of(self.report_id).messages:
            if each.id == message and each.erasable:
                return each
        raise NotFound(_("There is no such message."))


class Act(Mine):
    """A button of the page of the report. Its address alone does nothing."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Somebody came by the address: show the report."""
        return self.go("status")


class Challenge(Act):
    """ "This is wrong", in one tap."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Have it looked at by somebody new."""
        challenge(self.report_id, by=BY)
        self.memory.said = "challenged"
        return self.go("status")


class Finished(Page):
    """Signed off: this browser no longer knows the report."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Say that it is done."""
        return render(request, "portal/finished.html")

    def post(self, request: HttpRequest) -> HttpResponse:
        """End the visit, and have the browser forget what it kept of it."""
        if self.memory.report_id is not None:
            returning.close_visits(self.memory.report_id, by=BY)
        self.memory.forget()
        response = self.go("finished")
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response
