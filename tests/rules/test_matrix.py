"""The table of what is told to whom is whole, and says nothing twice or by chance."""

from __future__ import annotations

from itertools import product

import pytest

from holdfast.base.events import Kind
from holdfast.decisions.models import StatementKind
from holdfast.enforcement.models import Verb
from holdfast.notifications.matrix import (
    MATRIX,
    WHO_REPORTED,
    Audience,
    Cell,
    Channel,
    Silence,
    Tongue,
    cell,
    cells,
)
from holdfast.notifications.rules import (
    ASKED,
    HOLDS,
    LETTER_PAUSES_S,
    Need,
    letter_pause_s,
    rings,
)
from holdfast.notifications.words import TEXTS

EVERY = list(product(Kind, Audience))
TOLD = [(kind, who, each) for kind, who in EVERY for each in cells(kind, who)]


def templates(*channels: Channel) -> set[str]:
    return {each.template for _kind, _who, each in TOLD if each.channel in channels}


def test_every_event_and_every_audience_is_decided() -> None:
    assert set(MATRIX) == set(Kind)
    for kind, who in EVERY:
        said = MATRIX[kind][who]
        if isinstance(said, Silence):
            assert said.why.endswith("."), (kind, who)
            assert len(said.why.split()) > 4, (kind, who)
        else:
            assert said, (kind, who)
            assert len({each.template for each in said}) == len(said), (kind, who)


def test_every_text_stands_in_the_table_and_every_cell_has_its_text() -> None:
    assert templates(Channel.RECEIPT, Channel.THREAD) == set(TEXTS)
    assert templates(Channel.LETTER) == {"confirm", "news", "mail_answer"}
    assert templates(Channel.ORDER) == set(Verb.values)
    statements = {f"statement_{each}" for each in StatementKind.values}
    assert templates(Channel.STATEMENT) == statements


ONE_OF_THEM = {
    Kind.REPORT_SET_ASIDE,
    Kind.MISUSE_WARNED,
    Kind.REPORTING_SUSPENDED,
    Kind.MAIL_RECEIVED,
}
"""What happens to an account of the platform, or to who wrote a mail, alone."""


def test_who_reported_is_told_the_same_at_every_door() -> None:
    own = (Channel.RECEIPT, Channel.THREAD, Channel.LETTER)
    for kind in set(Kind) - ONE_OF_THEM:
        told = {
            who: [each for each in cells(kind, who) if each.channel in own]
            for who in Audience
        }
        assert all(told[who] == told[Audience.REPORTER] for who in WHO_REPORTED)
        others = set(Audience) - set(WHO_REPORTED)
        assert not any(told[who] for who in others), kind


def test_no_poster_hears_of_a_report_and_none_is_warned() -> None:
    for kind in Kind:
        for each in cells(kind, Audience.POSTER) + cells(kind, Audience.PERSON_SHOWN):
            assert each.channel is Channel.STATEMENT, kind
    # Before people have decided a poster hears of the freeze alone, and neutrally.
    before = {Kind.ITEM_FROZEN, Kind.ITEM_THAWED, Kind.CASE_DECIDED}
    assert {kind for kind in Kind if cells(kind, Audience.POSTER)} == before


def test_what_claims_a_look_claims_the_authoritys_answer_too() -> None:
    for _kind, _who, each in TOLD:
        if each.asserts_review:
            assert Need.AUTHORITY in each.needs, each.template
            assert Need.DECIDED in each.needs, each.template


def test_each_channel_speaks_one_tongue() -> None:
    tongues = {
        Channel.RECEIPT: Tongue.REPORTERS,
        Channel.THREAD: Tongue.REPORTERS,
        Channel.LETTER: Tongue.REPORTERS,
        Channel.STATEMENT: Tongue.POSTERS,
        Channel.ORDER: Tongue.NONE,
        Channel.REFERRAL: Tongue.ENGLISH,
        Channel.PAGE: Tongue.ENGLISH,
    }
    assert {(each.channel, each.tongue) for _k, _w, each in TOLD} == set(
        tongues.items()
    )


CLAIM_NOTHING = {"receipt", *(f"asked_{code}" for code in ASKED)}
"""Questions, and the receipt, whose every sentence is chosen by its own facts."""


def test_every_text_that_is_read_is_bound_to_facts() -> None:
    read = (Channel.RECEIPT, Channel.THREAD, Channel.STATEMENT, Channel.REFERRAL)
    unbound = {
        each.template
        for _kind, _who, each in TOLD
        if each.channel in read and not each.needs
    }
    assert unbound == CLAIM_NOTHING


def test_every_need_can_be_asked() -> None:
    assert set(HOLDS) == set(Need)


def test_where_the_table_is_silent_nothing_can_be_looked_up() -> None:
    assert isinstance(cell(Kind.CASE_DECIDED, Audience.REPORTER, "no_violation"), Cell)
    with pytest.raises(KeyError):
        cell(Kind.CASE_DECIDED, Audience.POSTER, "no_violation")
    with pytest.raises(KeyError):
        cell(Kind.CASE_CLAIMED, Audience.REPORTER, "hidden")


@pytest.mark.parametrize(
    ("frequency", "step", "decision"),
    [
        ("every_step", True, True),
        ("decisions_only", False, True),
        ("never", False, False),
    ],
)
def test_how_often_somebody_is_written_to(
    frequency: str, step: bool, decision: bool
) -> None:
    assert rings(frequency, is_decision=False) is step
    assert rings(frequency, is_decision=True) is decision


def test_pauses_grow_and_end_growing() -> None:
    pauses = [letter_pause_s(each) for each in range(12)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (LETTER_PAUSES_S[0], LETTER_PAUSES_S[-1])
