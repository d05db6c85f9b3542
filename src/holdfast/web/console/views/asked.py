"""Ending what a reporter has asked for: a hold of a contact, a watch for a picture.

Each is one POST, reversible by the reporter's asking again, and on the record.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from holdfast.base.by import Permission
from holdfast.base.errors import NotFound
from holdfast.enforcement.contact import holds_of
from holdfast.freeze.contact_holds import release_contact
from holdfast.matching.watches import stop_watching
from holdfast.review.case_page import case_page
from holdfast.web.console.views.case import CaseView


class EndWatch(CaseView):
    """No later upload is held against what a reporter named by fingerprint."""

    http_method_names = ["post"]
    needs = Permission.CASE_DECIDE

    def post(self, request: HttpRequest, number: str, report: UUID) -> HttpResponse:
        """End it, for one report of this case."""
        page = case_page(number, self.by)
        if report not in {line.report_id for line in page.reports}:
            raise NotFound("There is no such report in this case.")
        stop_watching(report, by=self.by)
        said = "The picture is not watched for any more."
        return self.go("case", number=page.number, said=said)


class ReleaseHold(CaseView):
    """An account may write to its reporter again."""

    http_method_names = ["post"]
    needs = Permission.CASE_DECIDE

    def post(self, request: HttpRequest, number: str, hold: UUID) -> HttpResponse:
        """Release it, if a report of this case asked for it."""
        page = case_page(number, self.by)
        asked = holds_of(line.report_id for line in page.reports)
        if hold not in {each.id for each in asked}:
            raise NotFound("There is no such contact hold in this case.")
        release_contact(hold, by=self.by)
        said = "We are telling the site that the account may write to its reporter."
        return self.go("case", number=page.number, said=said)
