"""Which report a visit is about: opened by its words, and closed when nobody uses it.

A question about a report needs it open. Whoever wrote for longer than a visit lasts, or
while somebody opened another report in the same browser, is asked for the words on the
same page, with what they wrote still in its box.
"""

from __future__ import annotations

from typing import Any

from django.forms import BoundField
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from holdfast.base.errors import NotFound
from holdfast.intake import operations as intake
from holdfast.intake.codename import folded
from holdfast.intake.queries import codename_unconfirmed
from holdfast.web.portal.forms import CodenameForm
from holdfast.web.portal.page import Question
from holdfast.web.portal.session import Memory
from holdfast.web.portal.words import CLOSED


def open_report(memory: Memory, words: str) -> None:
    """Open the report of these words for a visit, and forget all else.

    Raises ``NotFound`` for words that are not one.
    """
    found = intake.open_by_codename(words)
    memory.open(found, words)
    if codename_unconfirmed(found):
        # They opened it with them, so they may see them once more.
        memory.codename = folded(words)


class OfReport(Question):
    """A question about the one report of the visit."""

    of_report = True

    def dispatch(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Only for a visit that has shown which report it may follow."""
        if self.memory.report_id is None:
            if request.method != "POST":
                return self.sent(self.go("pause" if self.memory.expired else "follow"))
            refusal = self._opened_again(request.POST.get("codename", "").strip())
            if refusal:
                return self.unsent(refusal)
        return super().dispatch(request, *args, **kwargs)

    def words_again(self) -> BoundField | None:
        """A box for the words, where the report is closed."""
        if self.memory.report_id is not None:
            return None
        written = {"codename": self.request.POST.get("codename", "")}
        return CodenameForm(initial=written, auto_id="again_%s")["codename"]

    def _opened_again(self, words: str) -> str:
        """Open the report by the words that were given; why not, or blank."""
        if not words:
            return str(CLOSED)
        try:
            open_report(self.memory, words)
        except NotFound as refusal:
            return refusal.message
        return ""
