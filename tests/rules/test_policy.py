"""A policy that cannot be carried out is refused when it is adopted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.authorities.connectors.cybertipline.convert import MEANINGS
from holdfast.base.errors import InvalidInput
from holdfast.intake.operations import CLAIMS
from holdfast.policy.rules import URGENCIES, Policy, ReportFacts, faster, read_policy
from tests.world import POLICY

TEXT = POLICY.read_text()
DEFAULT = read_policy(TEXT)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("freeze: true", "freeze: false", "must freeze"),
        ("urgency: immediate", "urgency: soonish", "no such urgency"),
        ("report.in_danger_now", "report.in_danger_now +", "cannot be read"),
        ("report.in_danger_now", "report.police_number", "does not say yes or no"),
        ("code: decision", "code: some_day", "no clock for its decision"),
        ("[child_safety_terms]", "[no_such_ground]", "no ground of that code"),
        ("version:", "edition:", "lacks something"),
        ("categories:", "categories: [", "not YAML"),
    ],
)
def test_what_is_refused(old: str, new: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        read_policy(TEXT.replace(old, new))


def test_child_safety_stands_first() -> None:
    first = next(iter(DEFAULT.categories))
    assert first.child_safety
    moved = TEXT.replace("child_safety: true", "child_safety: false", 1)
    with pytest.raises(InvalidInput, match="come first"):
        read_policy(moved)


def test_what_is_referred_has_a_meaning_at_the_authority() -> None:
    for category in DEFAULT.categories:
        if "cybertipline" in category.refer_to:
            assert category.code in MEANINGS


facts = st.builds(
    ReportFacts,
    claims=st.lists(st.sampled_from(CLAIMS), max_size=3),
    police_number=st.text(max_size=20),
    in_danger_now=st.booleans(),
)


@given(facts, st.sampled_from(DEFAULT.categories))
def test_every_report_has_an_urgency_and_a_clock(
    report: ReportFacts, category: object
) -> None:
    policy: Policy = DEFAULT
    assert policy.urgency(category, report) in URGENCIES  # type: ignore[arg-type]  # Sampled from its categories.
    codes = [each.code for each in policy.clocks_of(category, report)]  # type: ignore[arg-type]  # The same.
    assert codes.count("decision") == 1


@given(facts)
def test_danger_or_a_police_number_is_never_slower(report: ReportFacts) -> None:
    for category in DEFAULT.categories:
        plain = DEFAULT.urgency(category, ReportFacts())
        assert faster(plain, DEFAULT.urgency(category, report)) == DEFAULT.urgency(
            category, report
        )
