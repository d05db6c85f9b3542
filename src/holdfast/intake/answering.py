"""Answers that come in after the receipt: kept one by one, changed, or taken back.

Each page is kept by itself, so leaving loses nothing. What an answer says counts as if
it had been in the report from the start: a claim, a danger or an age can make a case
more urgent or freeze more, and never less. What was asked is archived with the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.deadlock import again_after_deadlock
from holdfast.base.errors import InvalidInput, NotFound
from holdfast.intake import contacts, questions
from holdfast.intake.archive import KINDS, MAX_ANSWER, archived
from holdfast.intake.legal_forms import LegalForm
from holdfast.intake.models import Answer, Report, Signature
from holdfast.intake.operations import call_people
from holdfast.intake.queries import told_by
from holdfast.intake.rules import Frequency, Way, read_email
from holdfast.intake.statements import forms_in, statement
from holdfast.intake.suspension import tell_extended
from holdfast.policy import queries as policies

CATEGORY = "category"
"""The one answer that no question after the receipt asks for: what it is about."""
MAX_NAME = 200  # characters; the column's own length.


@again_after_deadlock
def give_answer(
    report_id: UUID, code: str, value: str, *, by: By, language: str = "en"
) -> None:
    """Keep an answer; the one given before is replaced. The same again is no change.

    Danger told again is a new call for help, also in the same words: people are called
    unless they are being called about this report already.

    Raises ``InvalidInput`` for what is no answer to that question, ``NotFound`` for a
    question that there is not.
    """
    by.require(Permission.REPORT_FOLLOW)
    value = value.strip()
    _check(code, value)
    with transaction.atomic():
        report = _locked(report_id)
        standing = report.answers.filter(
            question=code, replaced_at=None, erased_at=None
        )
        before = standing.first()
        if before is None or before.value != value:
            standing.update(replaced_at=clock.now())
            Answer.objects.create(
                report=report,
                questionnaire=archived(language),
                question=code,
                value=value,
                answered_at=clock.now(),
            )
            tell_extended(report, code, by=by)
        if code == "danger" and value in questions.DANGERS:
            call_people(report)


def take_back(report_id: UUID, code: str, *, by: By) -> None:
    """Erase an answer, and what it was before: its words leave their rows."""
    by.require(Permission.REPORT_FOLLOW)
    with transaction.atomic():
        report = _locked(report_id)
        given = report.answers.filter(question=code, erased_at=None)
        if given.update(value="", erased_at=clock.now()):
            tell_extended(report, code, by=by)


def give_email(report_id: UUID, address: str, *, by: By) -> None:
    """How to reach the reporter, as often as they chose before, if they did.

    A phone number that they chose is not put aside for what a form of the law asks.
    Raises ``InvalidInput`` then, and for what is no address.
    """
    by.require(Permission.REPORT_FOLLOW)
    if read_email(address) is None:
        raise InvalidInput(_("Write an e-mail address, such as name@example.org."))
    with transaction.atomic():
        report = _locked(report_id)
        chosen = contacts.of_report(report.id)
        if chosen is not None and chosen.way is Way.PHONE:
            raise InvalidInput(
                _(
                    "You gave us a phone number, and we keep one way to reach you. "
                    "Forget the number on the page of your report first, or leave "
                    "this out."
                )
            )
        often = chosen.frequency if chosen else Frequency.DECISIONS_ONLY
        contacts.keep(report.id, address, often, by=by)
        tell_extended(report, "email", by=by)


def sign(report_id: UUID, name: str, *, by: By, language: str = "en") -> None:
    """Sign what the report's legal forms want signed, in the words of ``statement``.

    A typed name is an electronic signature (15 U.S.C. 7006(5)). Raises
    ``InvalidInput`` without a name, or where nothing is to be signed.
    """
    by.require(Permission.REPORT_FOLLOW)
    with transaction.atomic():
        report = _locked(report_id)
        forms = _to_sign(report)
        _signed(report, name, forms, statement(forms, language), language, by)


def sign_as_read(report_id: UUID, name: str, read: str, *, by: By) -> None:
    """The same, where a platform showed the statement in its own app.

    ``read`` is kept as it stood above the name. It signs the forms whose every
    sentence is in it, in one language. Raises ``InvalidInput`` where it is none, so
    that nobody has signed what they were not shown.
    """
    by.require(Permission.REPORTS_WRITE)
    with transaction.atomic():
        report = _locked(report_id)
        languages = [code for code, _name in settings.LANGUAGES]
        forms, language = forms_in(read, _to_sign(report), languages)
        if not forms:
            raise InvalidInput(
                "This is not what is to be signed. Show to_sign of the report, word "
                "for word, and send it as it was shown."
            )
        _signed(report, name, forms, read.strip(), language, by)


def _to_sign(report: Report) -> list[LegalForm]:
    forms = [each.form for each in told_by(report).forms]
    if not forms:
        raise InvalidInput("There is nothing to sign on this report.")
    return forms


def _signed(
    report: Report,
    name: str,
    forms: Sequence[LegalForm],
    words: str,
    language: str,
    by: By,
) -> None:
    if not name.strip() or len(name) > MAX_NAME:
        raise InvalidInput("Write your name, as you sign with it.")
    Signature.objects.create(
        report=report,
        forms=[str(each) for each in forms],
        name=name.strip(),
        statement=words,
        language=language,
        signed_at=clock.now(),
    )
    tell_extended(report, "signature", by=by)


def _check(code: str, value: str) -> None:
    if code == CATEGORY:
        policies.current().category(value)
        return
    question = questions.question(code)
    if question is None or question.kind not in KINDS:
        raise NotFound("There is no such question.")
    codes = [each.code for each in question.choices]
    if question.kind == "choice" and value not in codes:
        raise InvalidInput(f"The answer is one of: {', '.join(codes)}.")
    if not value or len(value) > MAX_ANSWER:
        raise InvalidInput(f"Write something, up to {MAX_ANSWER} characters.")


def _locked(report_id: UUID) -> Report:
    """The report, locked, so that two pages sent at once follow each other."""
    report = Report.objects.select_for_update(no_key=True).filter(id=report_id).first()
    if report is None:
        raise NotFound("There is no such report.")
    return report
