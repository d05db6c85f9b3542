"""What staff may ask a reporter: set questions, answered in the reporter's own words.

Staff do not write freely to a reporter. A sentence written in haste could accuse
somebody (promise 15), say that something was reviewed when it was not (promise 4), or
ask a child for a picture; and it would be in the wrong language. These questions were
weighed once, are translated, and assert nothing. None asks to look at it again, for a
picture, a name of the reporter, or a paper.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import translation

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import InvalidInput, NotFound, Refused
from holdfast.base.events import Kind, emit
from holdfast.intake.models import Report
from holdfast.languages.catalogues import SOURCE
from holdfast.notifications.facts import audience_of
from holdfast.notifications.matrix import cell
from holdfast.notifications.models import Notification
from holdfast.notifications.rules import Facts
from holdfast.notifications.words import QUESTIONS, compose
from holdfast.triage.models import Case
from holdfast.triage.placing import living

TEMPLATE: Final = "asked_{}"
"""The name of a question among a report's notifications."""


def ask_reporter(case_id: UUID, report_id: UUID, question: str, *, by: By) -> None:
    """Put a question on the reporter's page, in the report's language.

    Each question is asked once in a case. Raises ``InvalidInput`` for a question that
    is not one, ``NotFound`` for a report of another case, ``Refused`` for a repetition.
    """
    by.require(Permission.REPORTER_ANSWER)
    if question not in QUESTIONS:
        raise InvalidInput("Choose one of the questions.")
    case = living(case_id)
    report = _report_of(case, report_id)
    template = TEMPLATE.format(question)
    told = cell(Kind.REPORTER_ASKED, audience_of(report), template)
    facts = Facts(platform=report.platform.name)
    with transaction.atomic():
        made, new = Notification.objects.get_or_create(
            report=report,
            case=case,
            template=template,
            decision=None,
            defaults={
                "kind": Kind.REPORTER_ASKED,
                "language": report.language,
                "words": compose(told, report.language, facts),
                "facts": asdict(facts),
                "asserts_review": False,
                "made_at": clock.now(),
            },
        )
        if not new:
            raise Refused("This question was asked already.")
        about = {"case": case.id, "report": report.id}
        emit(Kind.REPORTER_ASKED, about=about, facts={"question": question}, by=by)
        emit(
            Kind.NOTIFICATION_MADE,
            about={**about, "notification": made.id},
            facts={"template": made.template},
            by=by,
        )


def questions_left(
    case_id: UUID, report_ids: Collection[UUID]
) -> dict[UUID, list[tuple[str, str]]]:
    """What each report has not been asked yet: codes, and English words for staff."""
    rows = Notification.objects.filter(report__in=report_ids, case=living(case_id))
    asked = set(rows.values_list("report", "template"))
    with translation.override(SOURCE):
        english = {code: str(words) for code, words in QUESTIONS.items()}
    return {
        report: [
            (code, words)
            for code, words in english.items()
            if (report, TEMPLATE.format(code)) not in asked
        ]
        for report in report_ids
    }


def _report_of(case: Case, report_id: UUID) -> Report:
    report = Report.objects.filter(id=report_id, targets__place__case=case).first()
    if report is None:
        raise NotFound("This case has no such report.")
    return report
