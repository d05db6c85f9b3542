"""Questions as somebody read them, kept word for word by hash; answers held to them.

A platform may ask the questions in its own app, and its people may have an app of last
year: what they answer is held to the questions that they were asked, by their hash, and
not to those of today.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.base import clock
from holdfast.base.errors import InvalidFields
from holdfast.intake import questions
from holdfast.intake.models import Answer, Questionnaire, Report
from holdfast.languages.catalogues import SOURCE
from holdfast.languages.choice import nearest

MAX_ANSWER = 400  # characters; the column's own length.
KINDS = ("choice", "text")
"""The kinds of questions whose answers are kept as answers."""


def archived(language: str) -> Questionnaire:
    """The questions of now in the language nearest to ``language``, kept for good."""
    document = questions.document(nearest(language) or SOURCE)
    return Questionnaire.objects.get_or_create(
        digest=questions.digest(document),
        defaults={
            "language": document["language"],
            "document": document,
            "archived_at": clock.now(),
        },
    )[0]


def published(language: str) -> dict[str, Any]:
    """The questions for whoever asks them elsewhere, with the hash to name them by."""
    kept = archived(language)
    return {"digest": kept.digest, **kept.document}


def asked_as(digest: str, language: str) -> Questionnaire:
    """The questions that a hash names; without one, those of now.

    Raises ``InvalidFields`` for a hash that was never published.
    """
    if not digest:
        return archived(language)
    found = Questionnaire.objects.filter(digest=digest).first()
    if found is None:
        wrong = "These questions were never published here. Ask GET /questions."
        raise InvalidFields(wrong, {("questions",): wrong})
    return found


def check(answers: Mapping[str, str], asked: Questionnaire) -> None:
    """Raise ``InvalidFields`` unless each is an answer to a question that was asked."""
    by_code = {each["code"]: each for each in asked.document["questions"]}
    faults: dict[tuple[str, ...], str] = {
        ("answers", code): fault
        for code, value in answers.items()
        if (fault := _fault(by_code.get(code), value))
    }
    if faults:
        raise InvalidFields("Some answers are none to the questions asked.", faults)


def keep(
    report: Report, answers: Mapping[str, str], asked: Questionnaire
) -> list[Answer]:
    """Store answers that have been checked, with a report that is new."""
    return Answer.objects.bulk_create(
        Answer(
            report=report,
            questionnaire=asked,
            question=code,
            value=value.strip(),
            answered_at=clock.now(),
        )
        for code, value in answers.items()
    )


def _fault(question: Mapping[str, Any] | None, value: str) -> str:
    if question is None:
        return "There is no such question. Ask GET /questions."
    if question["kind"] not in KINDS:
        return "This question has a field of its own in the report."
    codes = [each["code"] for each in question["choices"]]
    if question["kind"] == "choice" and value.strip() not in codes:
        return f"The answer is one of: {', '.join(codes)}."
    if len(value.strip()) > MAX_ANSWER:
        return f"An answer has up to {MAX_ANSWER} characters."
    return ""
