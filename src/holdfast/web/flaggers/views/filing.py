"""Reporting: one report of several items by a form, or many reports by a file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from holdfast.intake.flag_files import COLUMNS
from holdfast.intake.flaggers import FlagGiven, flag
from holdfast.languages.choice import in_words
from holdfast.policy import queries as policies
from holdfast.web.api.limits import admit_flagger
from holdfast.web.flaggers import files
from holdfast.web.flaggers.forms import MAX_FILE_LINES, NewFile, NewReport
from holdfast.web.flaggers.page import FormPage
from holdfast.web.waiting import hold_up


class Filing(FormPage):
    """A page that takes reports."""

    def turn(self) -> float:
        """Above the rate: for how many seconds the next page is to be held up."""
        return admit_flagger(f"flagger:{self.account.id}", self.account.platform_id)


class ReportPage(Filing):
    """One report."""

    template = "report.html"

    def form(self, *given: Any) -> NewReport:
        """The reference, what it is about, where it is."""
        line = self.account
        return NewReport(
            *given,
            categories=list(policies.current().categories),
            scope=line.scope if line.trusted else (),
            language=get_language() or "",
        )

    def done(self, form: forms.Form) -> HttpResponse:
        """File it, and show it with what was frozen."""
        given = form.cleaned_data
        told = flag(
            self.account.id,
            FlagGiven(
                reference=given["reference"],
                category=given["category"],
                urls=tuple(given["addresses"]),
                words=given["words"],
                language=given["language"],
            ),
            by=self.by,
        )
        hold_up(self.turn())
        if told.added:
            said = _("We had this report already, and have added what is new in it.")
        elif not told.is_new:
            said = _("We had this report already. Nothing was reported twice.")
        elif told.has_priority:
            said = _("We have it. It is in your scope, so it goes first.")
        else:
            said = _(
                "We have it. It is outside your scope or has no priority now, so it "
                "is handled like everybody's."
            )
        return self.go("one", number=told.number, said=said)


class FilePage(Filing):
    """Many reports in one file."""

    template = "file.html"

    def form(self, *given: Any) -> NewFile:
        """A file."""
        return NewFile(*given)

    def done(self, form: forms.Form) -> HttpResponse:
        """Take in each line and say what became of it.

        Loading this answer again sends the file again, and reports nothing twice.
        """
        file = form.cleaned_data["file"]
        given = files.lines_of(file.name, file.read())
        lines = files.take_in(self.account.id, given, by=self.by)
        hold_up(self.turn())
        context = {
            "lines": lines,
            "new": sum(each.is_new for each in lines),
            "known": sum(
                bool(each.number) and not (each.is_new or each.added) for each in lines
            ),
            "corrected": sum(bool(each.added) for each in lines),
            "faults": sum(bool(each.fault) for each in lines),
            "in_part": sum(bool(each.not_taken) for each in lines),
        }
        return self.show("file_taken.html", context)

    def around(self) -> dict[str, Any]:
        """What such a file looks like."""
        scope = self.account.scope if self.account.trusted else ()
        return {
            "columns": ",".join(COLUMNS),
            "most": MAX_FILE_LINES,
            "api_url": reverse("api-v1:openapi-view"),
            "categories": [
                (each.code, in_words(each.label), each.code in scope)
                for each in policies.current().categories
            ],
        }
