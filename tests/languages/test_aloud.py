"""Numbers and spans as a voice says them, and nothing of them lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from django.utils import translation

from holdfast.base.ids import read_number, report_number
from holdfast.web.components.aloud import by_digits, by_letters
from holdfast.web.components.spans import span_in_words


@pytest.mark.parametrize("phone", ["112", "116 111", "800 33 321", "+44 800 1111"])
def test_each_digit_stands_by_itself_and_the_number_is_the_same(phone: str) -> None:
    said = by_digits(phone)
    assert not re.search(r"\d\d", said)
    assert re.sub(r"\s", "", said) == phone.replace(" ", "")


def test_a_number_of_ours_is_spelled_and_read_again() -> None:
    number = report_number()
    said = by_letters(number)
    assert not re.search(r"\w\w|-", said)
    assert read_number(said.replace(",", "")) == number


@pytest.mark.parametrize(
    ("span_s", "english", "norwegian"),
    [
        (59, "0 minutes", "0 minutter"),
        (60, "1 minute", "1 minutt"),
        (3660, "1 hour 1 minute", "1 time 1 minutt"),
        (86_340, "23 hours 59 minutes", "23 timer 59 minutter"),
        (90_000, "1 day 1 hour", "1 dag 1 time"),
        (259_200, "3 days", "3 dager"),
    ],
)
def test_a_span_is_said_in_whole_words(
    span_s: float, english: str, norwegian: str
) -> None:
    assert span_in_words(span_s) == english
    with translation.override("nb"):
        assert span_in_words(span_s) == norwegian


def test_a_time_is_told_by_the_clock_of_the_place() -> None:
    """In another process, since settings are read once."""
    told = (
        "import django; django.setup();"
        "from datetime import UTC, datetime;"
        "from django.utils import translation;"
        "from holdfast.web.templatetags.hf import moment;"
        "translation.activate('nb');"
        "print(moment(datetime(2026, 11, 28, 11, 5, tzinfo=UTC)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", told],
        env={**os.environ, "HOLDFAST_TIME_ZONE": "Europe/Oslo"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "28. november 2026 klokken 12:05 CET" in said
    assert 'datetime="2026-11-28T11:05:00+00:00"' in said
