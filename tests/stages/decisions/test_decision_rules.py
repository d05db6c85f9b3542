"""Readings become a decision, in every order that people could read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.decisions.rules import Ripe, Waiting, ripe, withheld
from holdfast.policy.rules import Withholding
from holdfast.review.rules import Need, Read

people = st.lists(
    st.tuples(
        st.booleans(), st.sampled_from(["violation", "no_violation"]), st.booleans()
    ),
    max_size=6,
)
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def readings(drawn: list[tuple[bool, str, bool]]) -> list[Read]:
    return [
        Read(
            f"r{at}", f"p{at}", specialist, outcome, outcome == "no_violation" or lesser
        )
        for at, (specialist, outcome, lesser) in enumerate(drawn)
    ]


@given(people, st.booleans())
def test_a_decision_is_what_somebody_wrote(
    drawn: list[tuple[bool, str, bool]], child_safety: bool
) -> None:
    read = readings(drawn)
    found = ripe(read, child_safety=child_safety)
    if isinstance(found, Ripe):
        assert found.reading in read
        assert found.second is None or found.second in read
        assert found.second is None or found.second.person != found.reading.person
    else:
        assert isinstance(found, Waiting)


@given(people)
def test_a_child_safety_case_is_cleared_by_two_and_a_specialist(
    drawn: list[tuple[bool, str, bool]],
) -> None:
    found = ripe(readings(drawn), child_safety=True)
    if isinstance(found, Ripe) and found.reading.clears:
        assert found.second is not None
        assert found.second.clears
        assert found.second.person != found.reading.person
        assert found.by_specialist


def test_nobody_clears_alone_by_a_lesser_category() -> None:
    lesser = Read("r", "p", True, "violation", clears=True)
    assert isinstance(ripe([lesser], child_safety=True), Waiting)
    assert isinstance(ripe([lesser], child_safety=False), Ripe)


@given(people)
def test_more_readings_do_not_undo_a_decision_of_the_first(
    drawn: list[tuple[bool, str, bool]],
) -> None:
    first = Read("r", "p", False, "violation", clears=False)
    assert ripe([first, *readings(drawn)], child_safety=True) == Ripe(first)


def test_a_specialists_third_reading_settles() -> None:
    keeps = Read("a", "a", False, "no_violation", clears=True)
    finds = Read("b", "b", True, "violation", clears=False)
    for outcome in ("violation", "no_violation"):
        third = Read("c", "c", True, outcome, clears=outcome == "no_violation")
        found = ripe([keeps, finds, third], child_safety=True)
        assert found == Ripe(third, keeps if third.clears else None)
    lay = Read("c", "c", False, "violation", clears=False)
    assert ripe([keeps, finds, lay], child_safety=True) == Waiting(
        Need.SETTLING_SPECIALIST
    )


def test_the_order_of_two_who_agree_does_not_matter() -> None:
    pair = [
        Read("a", "a", False, "no_violation", clears=True),
        Read("b", "b", True, "no_violation", clears=True),
    ]
    for order in permutations(pair):
        found = ripe(order, child_safety=True)
        assert isinstance(found, Ripe)
        assert found.reading.id == "b"


@given(st.integers(1, 400), st.booleans(), st.sampled_from(["offender", "unknown"]))
def test_withholding_has_a_ground_and_an_end(
    days: int, child_safety: bool, part: str
) -> None:
    said = Withholding('category.child_safety && part == "offender"', "Ground", days)
    wait = withheld(said, category={"child_safety": child_safety}, part=part, at=NOW)
    assert (wait is not None) == (child_safety and part == "offender")
    if wait:
        assert wait.ground
        assert wait.until == NOW + timedelta(days=days)
