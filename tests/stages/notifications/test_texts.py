"""A text is made only when all it claims is so, in every language there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from holdfast.base.events import Kind
from holdfast.intake.rules import Way
from holdfast.notifications.letter_words import REVEALING, letter_words
from holdfast.notifications.matrix import Audience, Cell, Channel, cells
from holdfast.notifications.rules import Facts, Need, unmet
from holdfast.notifications.words import Contradiction, compose

TEXTS = [
    each
    for kind in Kind
    for each in cells(kind, Audience.REPORTER)
    if each.channel in (Channel.RECEIPT, Channel.THREAD)
]
LANGUAGES = [code for code, _name in settings.LANGUAGES]
few = st.integers(0, 2)
facts = st.builds(
    Facts,
    platform=st.just("Plaza"),
    has_codename=st.booleans(),
    located=st.booleans(),
    told_to_hide=few,
    copies_told_to_hide=few,
    hidden_before=few,
    parts=st.integers(1, 3),
    part=st.integers(1, 3),
    case_open=st.booleans(),
    outcome=st.sampled_from(["", "violation", "no_violation"]),
    two_readers=st.booleans(),
    specialist=st.booleans(),
    viewed=st.booleans(),
    both_viewed=st.booleans(),
    authority_answered=st.booleans(),
    decided_before=st.booleans(),
    was_hidden=st.booleans(),
    certain=few,
    confirmed_hidden=few,
    confirmed_removed=few,
    thawed_in_open_case=st.booleans(),
    filed_with=st.sampled_from(["", "cybertipline"]),
    late_with=st.sampled_from(["", "People decide"]),
    late_since=st.sampled_from([None, datetime(2026, 1, 2, 3, 4, tzinfo=UTC)]),
    set_aside_until=st.sampled_from([None, datetime(2026, 1, 2, 3, 4, tzinfo=UTC)]),
    kept_aside=st.booleans(),
    warned_of=st.integers(0, 4),
    thawed=st.booleans(),
)


def names(cell: Cell) -> str:
    return cell.template


@pytest.mark.parametrize("cell", TEXTS, ids=names)
@given(facts)
def test_a_text_is_made_exactly_when_its_facts_hold(cell: Cell, so: Facts) -> None:
    if unmet(cell.needs, so):
        with pytest.raises(Contradiction) as refused:
            compose(cell, "en", so)
        assert "Plaza" not in refused.value.diagnostics()
        return
    for language in LANGUAGES:
        text = compose(cell, language, so)
        assert text
        assert "%(" not in text


MADE_SO: dict[Need, dict[str, Any]] = {
    Need.OPEN: {"case_open": True},
    Need.DECIDED: {"case_open": False},
    Need.VIOLATION: {"outcome": "violation"},
    Need.NO_VIOLATION: {"outcome": "no_violation"},
    Need.VIEWED: {"viewed": True},
    Need.NOT_VIEWED: {"viewed": False},
    Need.AUTHORITY: {"authority_answered": True},
    Need.KNOWN: {"decided_before": True},
    Need.HIDDEN: {"certain": 2, "confirmed_hidden": 2},
    Need.REMOVED: {"certain": 2, "confirmed_removed": 2},
    Need.SHOWN_AGAIN: {"case_open": True, "thawed_in_open_case": True},
    Need.FILED: {"filed_with": "cybertipline"},
    Need.LATE: {
        "late_with": "People decide",
        "late_since": datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    },
    Need.KEPT_ASIDE: {"kept_aside": True},
    Need.WARNED: {"warned_of": 3},
    Need.THAWED: {"thawed": True},
    Need.SET_ASIDE: {"set_aside_until": datetime(2026, 1, 2, 3, 4, tzinfo=UTC)},
}


@pytest.mark.parametrize("cell", TEXTS, ids=names)
@given(facts)
def test_no_sentence_says_what_is_not_so(cell: Cell, so: Facts) -> None:
    for need in cell.needs:
        so = replace(so, **MADE_SO[need])
    text = compose(cell, "en", so)
    confirmed = {so.confirmed_hidden, so.confirmed_removed}
    claims = {
        "has confirmed": so.certain > 0 and so.certain in confirmed,
        "looked at what you reported": so.viewed,
        "Two people have looked": so.two_readers and so.both_viewed,
        "Two people have worked": so.two_readers,
        "specialist": so.specialist,
        "to show it again": so.was_hidden,
        "It is not allowed": so.outcome == "violation",
        "it is allowed": so.outcome == "no_violation",
        "decided on before": so.decided_before,
        "told the authorities": bool(so.filed_with),
        "We are late": so.late_since is not None,
        "will now decide": so.case_open,
        "to hide this": so.told_to_hide == 1,
        "posts that you told us of": so.told_to_hide > 1,
        "everybody could see": so.copies_told_to_hide > 0,
        "kept from view": so.hidden_before > 0,
        "is not hidden before": so.told_to_hide == so.hidden_before == 0,
        "This is about number": so.parts > 1,
        "found nothing wrong in them": so.warned_of > 1 and not so.case_open,
        "We told you that reports": so.warned_of > 1,
        "told you so": so.warned_of > 1,
        "we do not work on it": so.kept_aside and so.set_aside_until is not None,
        "work on your reports again": so.kept_aside and so.set_aside_until is None,
    }
    for words, is_so in claims.items():
        assert is_so or words not in text, (words, text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("way", [Way.EMAIL, Way.PHONE])
@pytest.mark.parametrize("template", ["confirm", "news"])
@pytest.mark.parametrize("has_codename", [True, False])
def test_a_letter_reveals_nothing(
    language: str, way: Way, template: str, has_codename: bool
) -> None:
    link = "https://plaza.example/m/x"
    sheet = letter_words(template, way, language, link=link, has_codename=has_codename)
    assert sheet.body.count(link) == 1
    whole = f"{sheet.subject} {sheet.body.replace(link, '')}"
    assert not REVEALING.search(whole), whole
    assert "plaza" not in whole.lower()
    assert bool(sheet.subject) == (way is Way.EMAIL)
    if way is Way.PHONE:
        # One text message holds 160 characters of GSM 03.38.
        assert len(sheet.body) <= 160


def test_what_would_reveal_is_recognised() -> None:
    for said in ("Child safety", "report@site.example", "Overgrep", "holdfast@x"):
        assert REVEALING.search(said)
    assert not REVEALING.search("post@plaza.example")
