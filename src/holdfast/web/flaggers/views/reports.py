"""The organisation's own reports: the list, one of them, what can be done with it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from holdfast.intake import flagger_people as own
from holdfast.languages.choice import in_words
from holdfast.notifications.flagged import OwnReport, own_report, own_reports
from holdfast.policy.queries import category_of
from holdfast.review.challenges import challenge_flagged
from holdfast.triage.flaggers import Tally
from holdfast.web.flaggers import words
from holdfast.web.flaggers.forms import Addition, Reason
from holdfast.web.flaggers.page import FormPage, Page
from holdfast.web.portal import standing


class ReportsPage(Page):
    """The list, and how right these reports have been."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it; ``?only=`` chooses, ``?page=`` turns the page."""
        only = request.GET.get("only", "")
        only = only if only in ("open", "decided") else ""
        page = request.GET.get("page", "")
        known = own_reports(
            page=int(page) if page.isdecimal() and len(page) < 7 else 1,
            only=only,
            by=self.by,
        )
        context = {
            "known": known,
            "rows": [_row(each) for each in known.lines],
            "only": only,
            "choices": [("", _("All")), ("open", _("Open")), ("decided", _("Decided"))],
            "scope": [in_words(category_of(each).label) for each in self.account.scope],
            "tallies": [
                _tally(_("With priority"), self.account.within),
                _tally(_("Without priority"), self.account.outside),
            ],
        }
        return self.show("reports.html", context)


class ReportView(Page):
    """One report: where it stands, what was promised, what we said."""

    def get(self, request: HttpRequest, number: str) -> HttpResponse:
        """Show it."""
        found = own_report(own.report_of_number(number, by=self.by), by=self.by)
        context = {
            "row": _row(found),
            "report": found,
            "receipt": found.status.receipt_words,
            "timeline": standing.steps(found.status),
            # Several items have clocks alike, which need no line each.
            "clocks": list(dict.fromkeys(standing.clocks(found.status))),
            "messages_told": [
                (words.KINDS.get(each.kind, "") if each.from_reporter else "", each)
                for each in found.status.messages
            ],
        }
        return self.show("one.html", context)


class _OfReport(FormPage):
    """A form about one of the organisation's own reports."""

    def around(self) -> dict[str, Any]:
        """Which report; somebody else's is not found."""
        report_id = own.report_of_number(self.number, by=self.by)
        return {"report": own_report(report_id, by=self.by)}

    @property
    def number(self) -> str:
        """As it stands in the address."""
        return str(self.kwargs["number"])


class Add(_OfReport):
    """Words or another place."""

    template = "add.html"

    def form(self, *given: Any) -> Addition:
        """What, and the words."""
        return Addition(*given)

    def done(self, form: forms.Form) -> HttpResponse:
        """Add it; a place is looked for and hidden as the first ones were."""
        given = form.cleaned_data
        own.add(self.number, given["kind"], given["words"], given["once"], by=self.by)
        return self.go("one", number=self.number, said=_("It is added."))


class Challenge(_OfReport):
    """ "This is wrong": somebody new looks."""

    template = "challenge.html"

    def form(self, *given: Any) -> Reason:
        """Why."""
        return Reason(*given)

    def done(self, form: forms.Form) -> HttpResponse:
        """Have it looked at by somebody new."""
        challenge_flagged(self.number, form.cleaned_data["words"], by=self.by)
        return self.go(
            "one", number=self.number, said=_("Somebody new will look at it.")
        )


class Withdraw(_OfReport):
    """Say that the report was wrong."""

    template = "withdraw.html"

    def form(self, *given: Any) -> Reason:
        """Why."""
        return Reason(*given)

    def done(self, form: forms.Form) -> HttpResponse:
        """Keep it; people decide all the same."""
        own.withdraw(self.number, form.cleaned_data["words"], by=self.by)
        return self.go(
            "one",
            number=self.number,
            said=_("We have noted that you take it back. People decide all the same."),
        )


def _row(line: OwnReport) -> dict[str, Any]:
    return {
        "line": line,
        "category": in_words(category_of(line.category).label),
        "state": words.STATES[line.status.status],
        "decision": words.DECISIONS.get(line.decision, ""),
        "next_label": in_words(line.next_clock.label) if line.next_clock else "",
    }


def _tally(name: str, tally: Tally) -> dict[str, Any]:
    share = "" if tally.precision is None else f"{tally.precision:.0%}"
    return {"name": name, "tally": tally, "share": share}
