"""The pure part: words, subjects, levels."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

import holdfast
from holdfast.notifications import alarm_codes
from holdfast.notifications.alarm_codes import (
    CODES,
    ESCALATE_AFTER_S,
    LONGEST_SILENCE_S,
    alarm_words,
    level_after,
    retry_pause_s,
    subject_of,
)

RAISED = re.compile(r"""\b_?alarm(?:_\w+)?\((?:\w+, )?\s*"([a-z]+\.[a-z_]+)\"""")
"""A call that raises an alarm, or a helper of a stage that does."""


def test_every_code_that_is_raised_has_words() -> None:
    raised: set[str] = set()
    for path in Path(holdfast.__file__).parent.rglob("*.py"):
        raised |= set(re.findall(RAISED, path.read_text()))
    assert {"step.failing"} <= raised <= set(CODES)


@pytest.mark.parametrize("code", [*CODES, "never.heard_of"])
def test_words_are_short_and_plain(code: str) -> None:
    assert 10 < len(alarm_words(code)) < 120
    assert alarm_words(code).endswith(".")


def test_what_makes_two_alarms_one() -> None:
    a, b, platform = str(uuid4()), str(uuid4()), str(uuid4())
    one = subject_of("freeze.unconfirmed", {"platform": platform, "item": a})
    assert one == subject_of("freeze.unconfirmed", {"item": b, "platform": platform})
    assert one == f"platform={platform}"
    assert subject_of("deadline.near", {"case": a}) != subject_of(
        "deadline.near", {"case": b}
    )
    assert subject_of("log.behind", {"event": 3}) == ""


@given(st.dictionaries(st.text(max_size=20), st.uuids().map(str), max_size=9))
def test_a_subject_fits_its_column(about: dict[str, str]) -> None:
    assert len(subject_of("never.heard_of", about)) <= alarm_codes.SUBJECT_LENGTH


def test_the_first_escalations() -> None:
    at = {age_s: level_after(age_s) for age_s in (0, 299, 300, 899, 900, 2099, 2100)}
    assert at == {0: 0, 299: 0, 300: 1, 899: 1, 900: 2, 2099: 2, 2100: 3}


@given(st.floats(0, 10_000_000))
def test_nobody_is_left_alone_for_more_than_an_hour(age_s: float) -> None:
    assert level_after(age_s) <= level_after(age_s + 1)
    later = age_s + max(LONGEST_SILENCE_S, ESCALATE_AFTER_S)
    assert level_after(later) > level_after(age_s)


@given(st.integers(0, 1000))
def test_pages_are_tried_again_within_the_hour(failures: int) -> None:
    assert retry_pause_s(0) == 10
    assert retry_pause_s(failures) <= retry_pause_s(failures + 1) <= LONGEST_SILENCE_S
