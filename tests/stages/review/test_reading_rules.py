"""Who reads next: promise 3, for every order in which people could read."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from holdfast.review.rules import (
    FOR_SPECIALISTS,
    Hindrance,
    Need,
    Read,
    may_not_read,
    must_look_first,
    need,
    settling,
    views_split,
)


@st.composite
def rounds(draw: st.DrawFn, size: int = 6) -> list[Read]:
    """Some people, each having read once, in any order and with any finding."""
    drawn = draw(
        st.lists(
            st.tuples(
                st.booleans(),
                st.sampled_from(["violation", "no_violation"]),
                st.booleans(),
            ),
            max_size=size,
        )
    )
    return [
        Read(
            f"r{at}", f"p{at}", specialist, outcome, outcome == "no_violation" or lesser
        )
        for at, (specialist, outcome, lesser) in enumerate(drawn)
    ]


@given(rounds())
def test_clearing_a_child_safety_case_takes_two_one_a_specialist(
    readings: list[Read],
) -> None:
    if need(readings, child_safety=True) is not None or not readings:
        return
    if all(read.clears for read in readings):
        assert len({read.person for read in readings}) >= 2
        assert any(read.specialist for read in readings)


@given(rounds())
def test_one_reader_is_enough_for_a_violation(readings: list[Read]) -> None:
    first = Read("r", "p", False, "violation", clears=False)
    assert need([first, *readings], child_safety=True) is None


@given(rounds())
def test_a_disagreement_waits_for_a_specialist_as_third(readings: list[Read]) -> None:
    findings = {(read.outcome, read.clears) for read in readings}
    if len(findings) < 2 or not readings[0].clears:
        return
    waits_for = need(readings, child_safety=True)
    third = any(read.specialist for read in readings[2:])
    assert waits_for is (None if third else Need.SETTLING_SPECIALIST)
    assert (settling(readings) is not None) == third


@given(rounds(), st.booleans())
def test_outside_child_safety_one_reader_decides(
    readings: list[Read], specialist: bool
) -> None:
    waits_for = need(readings, child_safety=False)
    assert (waits_for is Need.FIRST_READER) == (not readings)


@given(rounds(), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_whoever_may_read_brings_the_case_forward(
    readings: list[Read],
    specialist: bool,
    touched: bool,
    child_safety: bool,
    holds_claim: bool,
) -> None:
    hindrance = may_not_read(
        "me",
        specialist=specialist,
        is_open=True,
        touched_before={"me"} if touched else set(),
        readings=readings,
        child_safety=child_safety,
        holds_claim=holds_claim,
    )
    if hindrance is None:
        assert not touched
        waits_for = need(readings, child_safety=child_safety)
        assert waits_for is not None
        assert specialist or waits_for not in FOR_SPECIALISTS
        assert holds_claim or readings
    else:
        assert touched or hindrance is not Hindrance.TOUCHED_BEFORE


@given(rounds(), st.booleans())
def test_nobody_reads_twice_or_in_a_closed_case(
    readings: list[Read], is_open: bool
) -> None:
    for read in readings:
        assert may_not_read(
            read.person,
            specialist=True,
            is_open=is_open,
            touched_before=(),
            readings=readings,
            child_safety=True,
            holds_claim=True,
        ) is (Hindrance.READ_ALREADY if is_open else Hindrance.NOT_OPEN)


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_clearing_unseen_is_never_possible(
    something: bool, looked: bool, clears: bool, known: bool
) -> None:
    unseen = something and not looked
    must = must_look_first(
        something_to_see=something, looked=looked, clears=clears, known_by_bytes=known
    )
    assert must == (unseen and (clears or not known))


moments = st.datetimes()
totals = st.lists(st.tuples(moments, st.integers(0, 10**6)), max_size=20).map(sorted)


@given(totals, moments, st.one_of(st.none(), moments))
def test_views_add_up_and_are_never_negative(
    counts: list[tuple[datetime, int]], first_report: datetime, hidden: datetime | None
) -> None:
    before, between, after = views_split(counts, first_report, hidden)
    assert min(before, between, after) >= 0
    assert before + between + after == max((views for _, views in counts), default=0)
    assert hidden is not None or after == 0


def test_views_are_split_at_report_and_confirmation() -> None:
    def at(minutes: float) -> datetime:
        return datetime(2026, 1, 1) + timedelta(minutes=minutes)

    counts = [(at(1), 10), (at(2), 25), (at(3), 40), (at(4), 41)]
    assert views_split(counts, at(1.5), at(3.5)) == (10, 30, 1)
    assert views_split(counts, at(1.5), None) == (10, 31, 0)
