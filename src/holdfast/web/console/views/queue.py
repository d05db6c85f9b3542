"""The queue: what waits, the most urgent first. The order is the query's, not ours."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from holdfast.base.by import Permission
from holdfast.base.errors import InvalidInput, NotFound
from holdfast.items.queries import platforms
from holdfast.languages.choice import language_name
from holdfast.policy.queries import current
from holdfast.policy.rules import Policy
from holdfast.review.lines import QueueFilters, QueueLine
from holdfast.review.queries import living_case
from holdfast.review.queue import queue, queue_length
from holdfast.triage.languages import open_languages
from holdfast.web.components.shapes import QueueRow
from holdfast.web.console.forms import QueueFilter
from holdfast.web.console.page import Page
from holdfast.web.console.views.alarms import alarm_rows
from holdfast.web.console.words import NEEDS

ALARMS_SHOWN = 3
"""Alarms above the queue; the page of alarms has all of them."""


class QueuePage(Page):
    """The queue, or for somebody without cases the first page they may open."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it; ``?number=`` leads to one case."""
        if not self.may(Permission.CASE_READ):
            return HttpResponseRedirect(reverse("console:me"))
        if number := request.GET.get("number", "").strip():
            return self._found(number)
        form = QueueFilter(request.GET or None, languages=open_languages())
        chosen = form.cleaned_data if form.is_bound and form.is_valid() else {}
        lines = queue(self.by, QueueFilters(**chosen))
        alarms = alarm_rows(self.by)
        context = {
            "rows": self._rows(lines),
            "total": queue_length(self.by),
            "filter": form,
            "filtered": any(chosen.values()),
            "may_claim": self.may(Permission.CASE_CLAIM),
            "alarms": alarms[:ALARMS_SHOWN],
            "alarms_more": len(alarms) - ALARMS_SHOWN,
        }
        return self.show("console/queue.html", context)

    def _found(self, number: str) -> HttpResponse:
        try:
            living_case(number)
        except NotFound:
            raise NotFound(
                "There is no case of this number. Case numbers begin with C."
            ) from None
        return self.go("case", number=number)

    def _rows(self, lines: list[QueueLine]) -> list[QueueRow]:
        policy = current()
        names = {each.id: each.name for each in platforms()}
        several = len(names) > 1
        may_claim = self.may(Permission.CASE_CLAIM)
        return [
            _row(
                line,
                category_words(policy, line.category),
                names[line.platform_id] if several else "",
                may_claim=may_claim,
            )
            for line in lines
        ]


def category_words(policy: Policy, code: str) -> str:
    """A category's label; its code when the policy has it no more."""
    try:
        return policy.category(code).label
    except InvalidInput:
        return code


def _row(line: QueueLine, category: str, platform: str, *, may_claim: bool) -> QueueRow:
    free = may_claim and line.claimed_by is None
    claim = reverse("console:claim", kwargs={"number": line.number})
    return QueueRow(
        number=line.number,
        url=reverse("console:case", kwargs={"number": line.number}),
        urgency=line.urgency,
        category=category,
        started_at=line.clock_from,
        # A case without a running clock is shown as due since it was opened.
        due_at=line.due_at or line.clock_from,
        reports=line.reports,
        copies=line.copies + line.reposts,
        doubts=line.doubts,
        claimed_by=line.claimed_by_name,
        claim_url=claim if free else "",
        platform=platform,
        waits_for=NEEDS.get(line.needs, line.needs),
        languages=", ".join(language_name(each) for each in line.languages),
        unread=line.unread,
    )
