"""Webhooks: verified, applied once and in order, confirmed only when done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.client import BadSignature, Change, Holdfast, Receiver, replay
from tests.client.contract import SECRET, Contract, signed, webhook


class Memory:
    """A platform that remembers what it was told to do."""

    def __init__(self) -> None:
        self.done: list[tuple[str, int, str]] = []
        self.numbers: dict[str, int] = {}
        self.at: str | None = None
        self.broken = False

    def last_number(self, subject: str) -> int:
        return self.numbers.get(subject, 0)

    def apply(self, change: Change) -> None:
        if self.broken:
            raise OSError("disk full")
        self.done.append((change.subject, change.number, change.verb))
        self.numbers[change.subject] = change.number

    def cursor(self) -> str | None:
        return self.at

    def keep_cursor(self, cursor: str) -> None:
        self.at = cursor


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def receiver(memory: Memory) -> Receiver:
    return Receiver(SECRET, memory)


def test_a_webhook_is_applied_and_its_delivery_confirmed(
    contract: Contract, receiver: Receiver, memory: Memory
) -> None:
    change = contract.freeze("p")
    assert receiver.receive(*webhook(change)) == {"confirmed": [change["id"]]}
    assert memory.done == [("item:p", 1, "freeze")]


def test_a_repeat_is_confirmed_and_not_applied_again(
    contract: Contract, receiver: Receiver, memory: Memory
) -> None:
    change = contract.freeze("p")
    for _ in range(3):
        assert receiver.receive(*webhook(change)) == {"confirmed": [change["id"]]}
    assert len(memory.done) == 1


def test_a_number_below_the_last_one_changes_nothing(
    contract: Contract, receiver: Receiver, memory: Memory
) -> None:
    freeze, thaw = contract.freeze("p"), contract.order("thaw", "item:p")
    other = contract.order("suspend", "actor:p")
    receiver.receive(*webhook(thaw))
    late = receiver.receive(*webhook(freeze))
    receiver.receive(*webhook(other))
    assert late == {"confirmed": [freeze["id"]]}
    assert memory.done == [("item:p", 2, "thaw"), ("actor:p", 1, "suspend")]


def test_what_could_not_be_applied_is_not_confirmed(
    contract: Contract, receiver: Receiver, memory: Memory
) -> None:
    change = contract.freeze("p")
    memory.broken = True
    with pytest.raises(OSError, match="disk full"):
        receiver.receive(*webhook(change))
    memory.broken = False
    receiver.receive(*webhook(change))
    assert memory.done == [("item:p", 1, "freeze")]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda headers: headers.pop("webhook-signature"),
        lambda headers: headers.pop("webhook-id"),
        lambda headers: headers.update({"webhook-id": "another"}),
        lambda headers: headers.update({"webhook-timestamp": "soon"}),
        lambda headers: headers.update({"webhook-timestamp": "1e400"}),
        lambda headers: headers.update({"webhook-timestamp": "nan"}),
        lambda headers: headers.update({"webhook-signature": "v1,AAAA"}),
        lambda headers: headers.update({"webhook-signature": "v1"}),
        lambda headers: headers.update({"webhook-signature": "v1,not base64!"}),
        lambda headers: headers.update({"webhook-signature": "v2,AAAA"}),
        lambda headers: headers.update({"webhook-signature": "v1,é"}),
    ],
)
def test_a_bad_signature_does_nothing(
    contract: Contract, receiver: Receiver, memory: Memory, spoil: object
) -> None:
    body, headers = webhook(contract.freeze("p"))
    assert callable(spoil)
    spoil(headers)
    with pytest.raises(BadSignature):
        receiver.receive(body, headers)
    assert memory.done == []


def test_a_changed_body_does_nothing(contract: Contract, receiver: Receiver) -> None:
    body, headers = webhook(contract.order("thaw", "item:p"))
    for other in (body.replace(b"item:p", b"item:q"), body + b" ", b"\xff" + body):
        if other != body:
            with pytest.raises(BadSignature):
                receiver.receive(other, headers)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_or_early_webhook_does_nothing(
    contract: Contract, receiver: Receiver, minutes: int
) -> None:
    body, _ = webhook(contract.freeze("p"))
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    with pytest.raises(BadSignature):
        receiver.receive(body, signed(body, "d", at=at))
    assert not receiver.sign_check(signed(b"", "d", at=at))


def test_a_media_fetch_is_known_by_its_signature(receiver: Receiver) -> None:
    headers = signed(b"", "fetch-1")
    assert receiver.sign_check({name.title(): value for name, value in headers.items()})
    assert not receiver.sign_check({})
    assert not receiver.sign_check(signed(b"x", "fetch-1"))


def test_replay_catches_up_after_downtime_and_confirms(
    contract: Contract, client: Holdfast, receiver: Receiver, memory: Memory
) -> None:
    changes = [contract.freeze(f"p{number}") for number in range(5)]
    receiver.receive(*webhook(changes[2]))
    assert replay(client, receiver) == 4
    assert contract.confirmed == {each["id"] for each in changes}
    assert replay(client, receiver) == 0
    contract.order("thaw", "item:p0")
    assert replay(client, receiver) == 1
    assert memory.done[-1] == ("item:p0", 2, "thaw")


def test_replay_that_fails_half_way_takes_up_where_it_was(
    contract: Contract, client: Holdfast, receiver: Receiver, memory: Memory
) -> None:
    for number in range(5):
        contract.freeze(f"p{number}")
    memory.broken = True
    with pytest.raises(OSError, match="disk full"):
        replay(client, receiver)
    assert contract.confirmed == set()
    memory.broken = False
    assert replay(client, receiver) == 5
