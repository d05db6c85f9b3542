"""The lanes of the spread chart: what is drawn is what is said beside it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from holdfast.web.components.charts import SpreadPoint, spread_chart
from holdfast.web.components.lanes import (
    KINDS,
    PLACES,
    SHARE,
    UPLOAD,
    SpreadStep,
    steps_in_words,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = st.integers(0, 2_000)


def step(hours: int, kind: str = UPLOAD, account: str = "a") -> SpreadStep:
    return SpreadStep(
        START + timedelta(hours=hours), kind, "post 1", f"@{account}", account
    )


@given(st.lists(st.tuples(HOURS, st.sampled_from(KINDS)), min_size=1, max_size=60))
def test_every_kind_has_a_lane_and_every_mark_is_inside(
    told: list[tuple[int, str]],
) -> None:
    drawn = spread_chart([], steps=[step(*each) for each in told])
    assert drawn.count('class="lane"') == len({kind for _, kind in told})
    marks = [float(x) for x in re.findall(r'class="step" x1="([\d.]+)%"', drawn)]
    assert all(0 <= x <= 100 for x in marks)
    assert 1 <= len(marks) <= len(told)
    for kind, name in zip(KINDS, ("Uploads", "Reposts", "Shares"), strict=True):
        count = sum(each == kind for _, each in told)
        assert (f"{name}: {count}<" in drawn) == (count > 0)


def test_thousands_of_shares_stay_a_small_picture() -> None:
    steps = [step(hour, SHARE, str(hour % 7)) for hour in range(5_000)]
    drawn = spread_chart([], steps=steps)
    assert drawn.count('class="step"') == PLACES + 1
    assert steps_in_words(steps) == "5,000 shares by 7 accounts."


def test_words_count_accounts_once_and_nobody_never() -> None:
    steps = [step(1), step(2), step(3, SHARE, "b"), step(4, SHARE, "")]
    assert steps_in_words(steps) == "2 uploads, 2 shares by 2 accounts."
    assert steps_in_words([]) == ""
    nobody = steps_in_words([step(1, account=""), step(2, account="")])
    assert nobody == "2 uploads by accounts that nobody named."


def test_names_of_accounts_and_items_are_no_markup() -> None:
    odd = SpreadStep(START, UPLOAD, "<b>", "<script>", "x")
    assert "<script>" not in spread_chart([], steps=[odd])


def test_with_neither_views_nor_steps_it_says_so() -> None:
    assert "No views have been counted yet." in spread_chart([])
    assert "<svg" not in spread_chart([SpreadPoint(START, 4)])
    assert "<svg" in spread_chart([SpreadPoint(START, 4)], steps=[step(1)])
