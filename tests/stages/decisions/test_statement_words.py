"""No text accuses before a decision, and none says or hints who asked for help."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from holdfast.decisions.models import Part
from holdfast.decisions.reasons import (
    Finding,
    Thing,
    decision_words,
    freeze_words,
    thaw_words,
)
from holdfast.items.models import ItemKind

ACCUSES = re.compile(
    r"violat|illegal|offen[cds]|abus|crim|guilt|suspect|suspic|accus|exploit|victim"
    r"|wrong|broke|breach|sexual|child|minor|danger|harm|investig|authorit|police"
    r"|suspen[ds]|ban(ned)?\b|remov|punish|evidence|allegation|inappropriate",
    re.IGNORECASE,
)
HINTS = re.compile(
    r"report|flag|complain|notif|told us|tell us|somebody asked|someone|informed"
    r"|tip\b|reach(ed)? out|mother|father|parent|victim|police|claim|who asked"
    r"|point(ed)? out|brought to",
    re.IGNORECASE,
)
THING_SETTINGS = {
    "kind": st.sampled_from(ItemKind.values),
    "posted_at": st.datetimes(
        datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)
    ),
    "platform": st.just("Plaza"),
    # None of these has a file, so that the words are those of the code.
    "language": st.sampled_from(
        ["", "en", "en-GB", "sv", "xx-unknown", "../../etc", "-"]
    ),
    "private": st.booleans(),
}
things = st.builds(Thing, **THING_SETTINGS)
findings = st.builds(
    Finding,
    part=st.sampled_from(Part.values),
    category=st.just("LABEL"),
    child_safety=st.booleans(),
    ground_kind=st.sampled_from(["illegal", "terms"]),
    ground_reference=st.just("REFERENCE"),
    ground_words=st.just("GROUND."),
    found_as=st.sampled_from(["notice", "copy"]),
    decided_before=st.booleans(),
    was_frozen=st.booleans(),
)


@given(things)
def test_a_freeze_accuses_nobody_and_points_at_nobody(thing: Thing) -> None:
    words = freeze_words(thing)
    assert not ACCUSES.search(words)
    assert not HINTS.search(words)
    assert "notice" not in words
    for said in ("for now", "automatically", "decided by people", "object", "Plaza"):
        assert said in words


@given(things, st.booleans())
def test_a_thaw_accuses_nobody_and_points_at_nobody(
    thing: Thing, cleared: bool
) -> None:
    words = thaw_words(thing, cleared=cleared)
    assert not ACCUSES.search(words)
    assert not HINTS.search(words)
    # "Reviewed" and its like only where people did look (promise 4).
    assert ("People looked" in words) == cleared


@given(things, findings)
def test_a_decision_gives_every_reason_and_points_at_nobody(
    thing: Thing, finding: Finding
) -> None:
    words = decision_words(thing, finding)
    assert not HINTS.search(words)
    if thing.private or finding.child_safety:
        assert "notice" not in words
    for said in (
        "may not be shown",  # What is restricted,
        "no end date",  # how long,
        "everywhere on Plaza",  # how far;
        "LABEL",  # the facts;
        "automatic" if finding.was_frozen or finding.decided_before else "by people",
        "REFERENCE",  # the ground,
        "GROUND.",
        "falls under this",  # and why;
        "object through Plaza",  # redress.
        "out-of-court",
        "court",
    ):
        assert said in words


@given(things, findings)
def test_only_an_offender_is_told_of_a_suspension(
    thing: Thing, finding: Finding
) -> None:
    words = decision_words(thing, finding)
    assert ("suspend" in words) == (finding.part == Part.OFFENDER)
    if finding.part == Part.PERSON_SHOWN:
        assert "You have done nothing wrong" in words


def test_the_date_is_that_of_the_post() -> None:
    thing = Thing("post", datetime(2020, 1, 9, tzinfo=UTC), "Plaza")
    assert "your post of Jan. 9, 2020" in freeze_words(thing)


def test_a_statement_is_in_the_language_of_what_was_posted() -> None:
    posted = datetime(2026, 11, 22, tzinfo=UTC)
    for language in ("nb", "nb-NO", "no"):
        said = freeze_words(Thing("post", posted, "Plaza", language))
        assert "Vi har bedt Plaza om å skjule innlegget ditt" in said
        assert "inntil videre" in said
