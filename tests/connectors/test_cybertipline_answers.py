"""What the CyberTipline answers is read without trust, and has its reaction."""

from __future__ import annotations

import pytest

from holdfast.authorities.connectors.cybertipline import answers
from holdfast.authorities.connectors.cybertipline.answers import (
    AlreadyFinished,
    AlreadyRetracted,
    CyberTiplineError,
    FileDamaged,
    NeedsOperator,
    OutcomeUnknown,
    Permanent,
    Reaction,
    ReportGone,
    Retry,
    Step,
    reaction,
    read,
)
from holdfast.authorities.connectors.cybertipline.schema import (
    own_schema,
    validate,
)

from .cybertips import (
    ANSWERS,
)


def _answer(code: int, more: str = "") -> bytes:
    return (
        f"<reportResponse><responseCode>{code}</responseCode>"
        f"<responseDescription>d</responseDescription>{more}</reportResponse>"
    ).encode()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        *((code, Retry) for code in (1000, 1100, 1110, 1111, 1210, 1300)),
        *((code, NeedsOperator) for code in (2000, 3000, 3100, 3300, 7, 9999, 5999)),
        *((code, Permanent) for code in (4000, 4100, 4110, 4200, 5002)),
        (5001, ReportGone),
        (5101, AlreadyRetracted),
        (5102, AlreadyFinished),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_each_code_has_its_error(
    code: int, error: type[CyberTiplineError], status: int
) -> None:
    with pytest.raises(error) as caught:
        read(Step.SUBMIT, status, "r-1", _answer(code))
    assert type(caught.value) is error
    assert caught.value.answer is not None
    assert caught.value.answer.raw == _answer(code)
    assert "request_id=r-1" in caught.value.diagnostics()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b"", NeedsOperator),
        (401, _answer(0), NeedsOperator),
        (403, b"<html>", NeedsOperator),
        (404, b"", NeedsOperator),
        (302, b"", NeedsOperator),
        (429, b"", Retry),
        (500, b"", OutcomeUnknown),
        (503, b"<html>busy", OutcomeUnknown),
        (500, _answer(0), OutcomeUnknown),
        (200, b"", OutcomeUnknown),
        (200, b"<html/>", OutcomeUnknown),
        (200, b"<reportResponse/>", OutcomeUnknown),
        (200, _answer(0)[:-9], OutcomeUnknown),
        (200, _answer(0).replace(b">0<", b">zero<"), OutcomeUnknown),
        (200, _answer(0).replace(b">0<", b">" + b"9" * 400_000 + b"<"), OutcomeUnknown),
    ],
)
def test_an_answer_outside_the_protocol(
    status: int, body: bytes, error: type[CyberTiplineError]
) -> None:
    with pytest.raises(error) as caught:
        read(Step.SUBMIT, status, "", body)
    assert type(caught.value) is error


_BILLION = b"".join(
    b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10 if n else b"ha" * 10)
    for n in range(10)
)


@pytest.mark.parametrize(
    "hostile",
    [
        b"<!DOCTYPE r [" + _BILLION + b"]>" + _answer(0, "<x>&e9;</x>"),
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
        + _answer(0, "<x>&x;</x>"),
        b'<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd">' + _answer(0),
        b"<!DOCTYPE reportResponse>" + _answer(0),
        (
            "<?xml version='1.0' encoding='UTF-16'?><!DOCTYPE r>" + _answer(0).decode()
        ).encode("utf-16"),
        b"<a>" * 300_000,
        b"\x00" * 1000,
    ],
)
def test_hostile_answers_are_refused(hostile: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        read(Step.STATUS, 200, "", hostile)
    assert validate(hostile, own_schema())


def test_an_answer_with_elements_of_a_later_version_is_read() -> None:
    answer = read(Step.SUBMIT, 200, "", _answer(0, "<new/><reportId>7</reportId>"))
    assert answer.report_id == 7


def test_answers_about_something_else_are_not_believed() -> None:
    other = read(Step.UPLOAD, 200, "", ANSWERS[0])
    with pytest.raises(OutcomeUnknown):
        answers.check_uploaded(other, 1, other.md5)
    with pytest.raises(FileDamaged):
        answers.check_uploaded(other, 4564654, "0" * 32)
    assert answers.check_uploaded(other, 4564654, other.md5.upper()) is other
    with pytest.raises(OutcomeUnknown):
        answers.check_finished(other, 1)
    with pytest.raises(OutcomeUnknown):
        answers.check_submitted(read(Step.SUBMIT, 200, "", _answer(0)))


@pytest.mark.parametrize("step", list(Step))
def test_what_is_asked_of_an_operator_is_never_dropped(step: Step) -> None:
    for error in (NeedsOperator, Permanent):
        assert reaction(error("m", step=step)) is Reaction.PAGE_OPERATOR
