"""Questions as somebody read them, kept word for word by hash; answers held to them.

A platform may ask the questions in its own app, and its people may have an app of last
year: what they answer is held to the questions that they were asked, by their hash, and
not to those of today.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.base import clock
from holdfast.intake import questions
from holdfast.intake.models import Answer, Questionnaire, Report
from holdfast.intake.not_taken import NotTaken, storable
from holdfast.languages.catalogues import SOURCE
from holdfast.languages.choice import nearest

MAX_ANSWER = 400  # characters; the column's own length.
KINDS = ("choice", "text")
"""The kinds of questions whose answers are kept as answers."""


def archived(language: str) -> Questionnaire:
    """The questions of now in the language nearest to ``language``, kept for good."""
    return kept_for_good(questions.document(nearest(language) or SOURCE))


def kept_for_good(document: Mapping[str, Any]) -> Questionnaire:
    """Questions as somebody read them: their language, and word for word the rest."""
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


@dataclass(frozen=True)
class Held:
    """Answers as they were held to the questions: those that are some, and the rest."""

    asked: Questionnaire | None = None
    """None where there is no answer to keep."""
    taken: Mapping[str, str] = field(default_factory=dict)
    not_taken: tuple[NotTaken, ...] = ()


def hold(answers: Mapping[str, str], digest: str, language: str) -> Held:
    """Hold answers to the questions that a hash names; without one, to those of now.

    So it is with a hash that was never published, which is then named as not taken. A
    blank answer is none.
    """
    said = {code: value.strip() for code, value in answers.items() if value.strip()}
    if not said:
        return Held()
    named = Questionnaire.objects.filter(digest=digest).first() if digest else None
    asked = named or archived(language)
    by_code = {each["code"]: each for each in asked.document["questions"]}
    faults = {code: _fault(by_code.get(code), value) for code, value in said.items()}
    not_taken = [
        NotTaken(("answers", storable(code)), fault, storable(said[code]))
        for code, fault in faults.items()
        if fault
    ]
    if digest and named is None:
        not_taken.append(NotTaken(("questions",), _NEVER_PUBLISHED, digest))
    taken = {code: value for code, value in said.items() if not faults[code]}
    return Held(asked if taken else None, taken, tuple(not_taken))


def keep(report: Report, held: Held) -> list[Answer]:
    """Store the answers that were taken, with a report that is new."""
    if held.asked is None:
        return []
    return Answer.objects.bulk_create(
        Answer(
            report=report,
            questionnaire=held.asked,
            question=code,
            value=value,
            answered_at=clock.now(),
        )
        for code, value in held.taken.items()
    )


_NEVER_PUBLISHED = (
    "These questions were never published here. Ask GET /questions. The answers were "
    "held to the questions of now."
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
