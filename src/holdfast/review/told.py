"""What a reporter has told, as the desk reads it: words, answers, and the law's forms.

Answers count as they stand now; those that were changed or taken back are shown as
such, the latter without a word of what they said. How to reach the reporter is never
here.
"""

from __future__ import annotations

from holdfast.intake import questions, statements
from holdfast.intake.models import Answer, Report
from holdfast.intake.queries import told_by
from holdfast.review.lines import (
    AdditionLine,
    AnswerLine,
    LegalFormLine,
    ReportLine,
)


def report_line(
    row: Report, named_as: tuple[str, ...], attachments: int, names: str = ""
) -> ReportLine:
    """One report as the page of its case shows it."""
    told = told_by(row)
    signed = max(row.signatures.all(), key=lambda each: each.signed_at, default=None)
    return ReportLine(
        report_id=row.id,
        number=row.number,
        channel=row.channel,
        category=row.category,
        language=row.language,
        words=row.words,
        words_erased_at=row.words_erased_at,
        named_as=named_as,
        claims=told.claims,
        police_number=told.police_number or row.police_number,
        is_police_number=bool(told.police_number),
        police_agency=row.police_agency,
        police_contact=row.police_contact,
        in_danger_now=told.in_danger_now,
        can_be_answered=hasattr(row, "codename")
        or any(each.withdrawn_at is None for each in row.contacts.all()),
        additions=tuple(
            AdditionLine(each.kind, each.words, each.added_at, each.erased_at)
            for each in sorted(row.additions.all(), key=lambda each: each.added_at)
        ),
        answers=tuple(
            _answer(each)
            for each in sorted(row.answers.all(), key=lambda each: each.answered_at)
        ),
        forms=tuple(
            LegalFormLine(
                code=str(each.form),
                name=str(statements.NAMES[each.form]),
                lacking=tuple(each.missing),
                complete=each.complete,
            )
            for each in told.forms
        ),
        signed_as=signed.name if signed else "",
        signature_erased_at=signed.erased_at if signed else None,
        received_at=row.received_at,
        attachments=attachments,
        names=names,
    )


def _answer(row: Answer) -> AnswerLine:
    question = questions.question(row.question)
    words = (
        {each.code: str(each.words) for each in question.choices} if question else {}
    )
    state = "erased" if row.erased_at else "replaced" if row.replaced_at else "counts"
    return AnswerLine(
        question=str(question.short) if question else row.question,
        answer=words.get(row.value, row.value),
        answered_at=row.answered_at,
        state=state,
    )
