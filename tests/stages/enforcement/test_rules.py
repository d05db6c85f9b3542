"""The pure part: pauses, bodies, cursors."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.base.errors import InvalidInput
from holdfast.enforcement import rules
from holdfast.enforcement.connectors.webhook import client
from holdfast.enforcement.models import Verb
from holdfast.items.models import ActorState, ItemState


@given(st.integers(1, 10_000))
def test_pauses_grow_up_to_an_hour(attempts: int) -> None:
    pause = rules.pause_after(attempts)
    assert rules.pause_after(1).total_seconds() == 1
    assert pause <= rules.pause_after(attempts + 1)
    assert pause.total_seconds() <= rules.LONGEST_PAUSE_S


def test_a_freeze_is_tried_often_before_it_alarms() -> None:
    waited_s, attempts = 0.0, 0
    while waited_s <= rules.FREEZE_ALARM_AFTER_S:
        attempts += 1
        waited_s += rules.pause_after(attempts).total_seconds()
    assert attempts >= 5


def test_a_lease_outlasts_an_attempt() -> None:
    assert client.TOTAL_TIMEOUT_S < rules.LEASE_S
    assert client.CONNECT_TIMEOUT_S + client.READ_TIMEOUT_S <= client.TOTAL_TIMEOUT_S


def test_verbs_and_states_are_those_of_the_tables() -> None:
    of_accounts = {
        "suspend", "reinstate", "hold_contact", "release_contact", "statement"
    }  # fmt: skip
    assert set(rules.BODIES) | of_accounts == set(Verb.values)
    assert set(rules.STATE_AFTER) | {
        "hold_contact",
        "release_contact",
        "statement",
    } == set(Verb.values)
    states = {*ItemState.values, *ActorState.values}
    assert set(rules.STATE_AFTER.values()) <= states


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**31 - 1), st.uuids())
def test_a_cursor_leads_back_to_its_place(xid: int, number: int, id: UUID) -> None:
    place = rules.Place(xid, number, id)
    assert rules.place_of(rules.cursor_of(place)) == place


@given(
    st.text(max_size=80)
    | st.binary(max_size=60).map(lambda b: urlsafe_b64encode(b).decode())
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        rules.place_of(text)


@pytest.mark.parametrize("text", ["-1.1", "99999999999999999999.1", "1_0.1", "1.-1"])
def test_numbers_out_of_range_are_refused(text: str) -> None:
    whole = f"{text}.{UUID(int=7).hex}".encode()
    with pytest.raises(InvalidInput):
        rules.place_of(urlsafe_b64encode(whole).decode().rstrip("="))


def test_a_webhook_says_what_the_contract_says() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    change = rules.Change(
        UUID(int=1), 3, "freeze", "post-17", None, at, rules.BODIES["freeze"]
    )
    assert rules.webhook_body(change) == {
        "type": "item.freeze",
        "timestamp": "2026-01-02T03:04:05+00:00",
        "data": {
            "id": "00000000-0000-0000-0000-000000000001",
            "number": 3,
            "verb": "freeze",
            "item": "post-17",
            "ordered_at": "2026-01-02T03:04:05+00:00",
            "body": {"advertising_hold": True, "forbid_delete": True},
        },
    }
    suspended = rules.Change(UUID(int=2), 1, "suspend", None, "joe", at, {})
    assert rules.event_type(suspended) == "actor.suspend"
    assert suspended.as_json()["actor"] == "joe"
    assert "item" not in suspended.as_json()
