"""Which case takes something in, and what may freeze."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from holdfast.triage.rules import (
    Candidate,
    choose,
    may_freeze,
    speaks_with_weight,
    warn_at,
)

T0 = datetime(2026, 1, 1, tzinfo=UTC)
candidates = st.lists(
    st.builds(
        Candidate,
        id=st.uuids().map(str),
        is_open=st.booleans(),
        clock_from=st.integers(0, 99).map(lambda day: T0 + timedelta(days=day)),
    ),
    unique_by=lambda each: each.id,
)


@given(candidates)
def test_the_choice_is_open_and_oldest_whatever_the_order(few: list[Candidate]) -> None:
    chosen = choose(few)
    assert chosen == choose(list(reversed(few)))
    if chosen is None:
        assert not few
        return
    assert chosen.is_open or not any(each.is_open for each in few)
    rivals = [each for each in few if each.is_open == chosen.is_open]
    assert chosen.clock_from == min(each.clock_from for each in rivals)


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_the_freeze_rule(
    freezes: bool, cleared: bool, weight: bool, since: bool
) -> None:
    frozen = may_freeze(
        category_freezes=freezes,
        cleared=cleared,
        weight=weight,
        frozen_since_clearance=since,
    )
    if not freezes:
        assert not frozen
    elif not cleared:
        assert frozen
    else:
        assert frozen == (weight and not since)


def test_who_speaks_with_weight() -> None:
    assert speaks_with_weight(["shown"], "")
    assert speaks_with_weight([], "2020-17")
    assert not speaks_with_weight(["witness", "professional"], "")


@given(st.floats(0.01, 0.99), st.integers(1, 10_000))
def test_the_warning_comes_before_the_breach(share: float, minutes: int) -> None:
    due = T0 + timedelta(minutes=minutes)
    assert T0 < warn_at(T0, due, share) < due
