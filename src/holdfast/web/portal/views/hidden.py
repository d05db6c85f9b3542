"""For whoever had something hidden: what it means, and what can be done about it.

The same for everybody. It reads the policy and nothing else, so that it cannot reveal
whether anybody told us of anything (promise 15). It takes no objections: those go
through the site, and people decide on them there.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from holdfast.decisions.reasons import OBJECT_WITHIN_MONTHS
from holdfast.policy import queries as policies
from holdfast.web.components.spans import HOUR_S, span_in_words
from holdfast.web.portal.page import Page


class Hidden(Page):
    """Something of yours was hidden."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it."""
        within_s = policies.current().decided_within_h() * HOUR_S
        shown = {
            "decided_within": span_in_words(within_s),
            "months": OBJECT_WITHIN_MONTHS,
        }
        return render(request, "portal/hidden.html", shown)
