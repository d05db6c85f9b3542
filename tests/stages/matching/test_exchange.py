"""Keeping a bank as it is at its exchange, whatever happens on the way."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.errors import (
    InvalidInput,
    NotAllowed,
    NotFound,
    Refused,
    Unavailable,
)
from holdfast.base.events import Kind
from holdfast.base.jobs import drain
from holdfast.base.models import Event
from holdfast.items.models import Item
from holdfast.matching import exchange as exchanges
from holdfast.matching.blocks import block
from holdfast.matching.connectors.exchange import (
    CredentialsRefused,
    Cursor,
    Malformed,
    Record,
    Update,
)
from holdfast.matching.connectors.fake_server import Failure, running
from holdfast.matching.connectors.stopncii.fake import FakeStopNCII, Hash
from holdfast.matching.exchange import Synced, add_exchange, sync, sync_due
from holdfast.matching.exchange_list import exchanges as listed
from holdfast.matching.formats import Kind as SignalKind
from holdfast.matching.formats import Signal
from holdfast.matching.models import (
    BankEntry,
    BankState,
    ExchangeRecord,
    HashExchange,
)
from holdfast.signals.sign import sign_picture
from holdfast.triage.models import CaseItem
from tests.world import World, encoded, photograph

BY = By("operator", "test", frozenset({Permission.BANK_MANAGE}))
CATEGORY = "intimate_image"
WHY = "It is a picture of a football."


def signal(name: object) -> Signal:
    return Signal(SignalKind.PDQ, hashlib.sha256(str(name).encode()).digest())


def page(
    changed: dict[str, str] | None = None,
    removed: tuple[str, ...] = (),
    malformed: tuple[str, ...] = (),
    *,
    at: int,
) -> Update:
    """``changed``: each record's name, and the names of its signals."""
    return Update(
        tuple(
            Record(key, tuple(signal(each) for each in names.split()), ("A1",))
            for key, names in (changed or {}).items()
        ),
        removed,
        tuple(Malformed(key, "it is none") for key in malformed),
        {"at": at},
    )


class Scripted:
    """An exchange that says what a test wants; ``stale`` as the folder is."""

    hosts = ()

    def __init__(self) -> None:
        self.pages: list[Update | Exception] = []
        self.stale = False
        self.asked: list[Cursor | None] = []
        self.meanwhile: Any = None

    def is_stale(self, cursor: Cursor) -> bool:
        return self.stale

    def pull(self, cursor: Cursor | None) -> Iterator[Update]:
        self.asked.append(cursor)
        for each in self.pages:
            if isinstance(each, Exception):
                raise each
            yield each
            if self.meanwhile:
                self.meanwhile()


@pytest.fixture
def scripted(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """The exchange ``them``, set up as a folder and answering as it is told."""
    told = Scripted()
    add_exchange(
        "them",
        "folder",
        name="Them",
        settings={"path": str(tmp_path)},
        category=CATEGORY,
        by=BY,
    )
    connect = "holdfast.matching.connectors.connect.connect"
    monkeypatch.setattr(connect, lambda *_: told)
    return told


def pull(scripted: Scripted, *pages: Update | Exception, **how: Any) -> Synced:
    scripted.pages = list(pages)
    return sync("them", **how, by=BY)


def standing() -> dict[str, str]:
    """The state of each signal of the bank, by the name that it was made of."""
    names = {signal(name).value: name for name in "abcdefgh"}
    return {
        names[bytes(entry.pdq or b"")]: entry.state
        for entry in BankEntry.objects.filter(bank__slug="them")
    }


def in_force() -> str:
    return "".join(
        sorted(name for name, state in standing().items() if state == BankState.ACTIVE)
    )


def alarms() -> list[str]:
    return [
        each.facts["code"]
        for each in Event.objects.filter(kind=Kind.ALARM_RAISED).order_by("id")
    ]


@pytest.mark.django_db
class TestSync:
    def test_records_come_change_and_go(self, scripted: Scripted) -> None:
        told = pull(scripted, page({"1": "a b", "2": "b c"}, at=1))
        assert (told.entered, told.revoked) == (3, 0)
        told = pull(scripted, page({"1": "a d"}, at=2))
        # Record 2 has b as well.
        assert (told.entered, told.revoked) == (1, 0)
        told = pull(scripted, page(removed=("2",), at=3), page(removed=("9",), at=4))
        assert (told.entered, told.revoked, told.pages) == (0, 2, 2)
        assert in_force() == "ad"
        entry = BankEntry.objects.filter(state=BankState.REVOKED).first()
        assert entry is not None
        assert entry.revoked_by == "exchange:them"
        assert scripted.asked == [None, {"at": 1}, {"at": 2}]

    def test_the_same_again_changes_nothing(self, scripted: Scripted) -> None:
        pages = (page({"1": "a b"}, at=1), page({"2": "a"}, at=2))
        pull(scripted, *pages)
        before = Event.objects.filter(kind=Kind.BANK_ENTERED).count()
        told = pull(scripted, *pages)
        assert (told.entered, told.revoked) == (0, 0)
        assert Event.objects.filter(kind=Kind.BANK_ENTERED).count() == before
        assert ExchangeRecord.objects.count() == 3
        assert ExchangeRecord.objects.values_list("labels", flat=True)[0] == "A1"

    def test_malformed_records_keep_what_they_had(self, scripted: Scripted) -> None:
        pull(scripted, page({"1": "a b", "2": "c"}, at=1))
        told = pull(scripted, page({"1": "d"}, malformed=("1", "2", ""), at=2))
        assert told.malformed_count == len(told.malformed) == 3
        assert in_force() == "abcd"
        scripted.stale = True
        pull(scripted, page(malformed=("1", "2"), at=3))
        assert in_force() == "abcd"

    def test_what_comes_again_is_looked_for_again(self, scripted: Scripted) -> None:
        pull(scripted, page({"1": "a", "2": "b"}, at=1))
        pull(scripted, page(removed=("1", "2"), at=2))
        assert in_force() == ""
        batches = Event.objects.filter(kind=Kind.BANK_ENTERED).count()
        pull(scripted, page({"1": "a"}, at=3))
        assert standing() == {"a": "active", "b": "revoked"}
        # And searched back.
        assert Event.objects.filter(kind=Kind.BANK_ENTERED).count() == batches + 1
        batch = Event.objects.filter(kind=Kind.BANK_ENTERED).latest("id").about["batch"]
        # As a new claim.
        assert BankEntry.objects.get(batch=batch).renewed_at is not None
        assert BankEntry.objects.filter(renewed_at__isnull=False).count() == 1

    def test_what_people_took_back_stays_so(self, scripted: Scripted) -> None:
        pull(scripted, page({"1": "a"}, at=1))
        block([BankEntry.objects.get().id], WHY, by=BY)
        pull(scripted, page({"1": "a"}, at=2))
        pull(scripted, page(removed=("1",), at=3))
        pull(scripted, page({"1": "a"}, at=4))
        entry = BankEntry.objects.get()
        assert (entry.state, entry.revoked_by) == ("revoked", "operator:test")

    def test_a_round_from_the_beginning_takes_back_what_did_not_come(
        self, scripted: Scripted
    ) -> None:
        pull(scripted, page({"1": "a", "2": "b"}, at=1), page({"3": "c"}, at=2))
        pull(scripted, page({"4": "d"}, at=3))
        assert in_force() == "abcd"
        scripted.stale = True
        told = pull(scripted, page({"1": "a", "4": "d"}, at=4))
        assert scripted.asked[-1] is None
        assert told.revoked == 2
        assert in_force() == "ad"

    def test_a_failure_loses_nothing_and_is_alarmed(self, scripted: Scripted) -> None:
        pull(scripted, page({"1": "a", "2": "b"}, at=1))
        scripted.stale = True
        with pytest.raises(Unavailable):
            pull(scripted, page({"1": "a", "3": "c"}, at=2), Unavailable("No answer."))
        assert in_force() == "abc"
        assert alarms() == ["exchange.failing"]
        exchange = HashExchange.objects.get()
        assert (exchange.failures, exchange.cursor) == (1, {"at": 2})
        # It goes on within its round, which ends with what came before counted in.
        scripted.stale = False
        pull(scripted, page({"4": "d"}, at=3))
        assert scripted.asked[-1] == {"at": 2}
        assert in_force() == "acd"
        assert HashExchange.objects.get().failures == 0

    def test_a_page_stands_or_falls_with_its_cursor(
        self, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pull(scripted, page({"1": "a"}, at=1))

        def fails(*_: Any, **__: Any) -> int:
            raise ValueError("killed here")

        monkeypatch.setattr("holdfast.matching.bank.revoke", fails)
        with pytest.raises(ValueError, match="killed"):
            pull(scripted, page({"2": "b"}, removed=("1",), at=2))
        assert in_force() == "a"
        assert HashExchange.objects.get().cursor == {"at": 1}
        assert alarms() == ["exchange.failing"]

    def test_two_at_once_do_not_undo_each_other(self, scripted: Scripted) -> None:
        def another() -> None:
            scripted.meanwhile = None
            pull(scripted, page({"3": "c"}, at=9))

        scripted.meanwhile = another
        with pytest.raises(Refused):
            pull(scripted, page({"1": "a"}, at=1), page(removed=("3",), at=2))
        assert in_force() == "ac"
        assert HashExchange.objects.get().cursor == {"at": 9}
        assert alarms() == []

    def test_an_exchange_that_lost_most_of_it_takes_nothing_back(
        self, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(exchanges, "MANY", 4)
        scripted.stale = True
        pull(scripted, page({"1": "a", "2": "b", "3": "c", "4": "d"}, at=1))
        told = pull(scripted, page({"1": "a"}, at=2))
        assert (told.lost, told.revoked) == (3, 0)
        assert in_force() == "abcd"
        assert alarms() == ["exchange.shrank"]
        scripted.stale = False
        told = pull(scripted, page({"1": "a"}, at=3), accept_loss=True)
        assert (told.lost, told.revoked) == (0, 3)
        assert in_force() == "a"

    def test_refused_credentials_are_an_alarm_of_their_own(
        self, scripted: Scripted
    ) -> None:
        with pytest.raises(CredentialsRefused):
            pull(scripted, CredentialsRefused("No."))
        assert alarms() == ["exchange.refuses_us"]

    def test_it_is_written_down(self, scripted: Scripted) -> None:
        pull(scripted, page({"1": "a"}, malformed=("2",), at=1))
        event = Event.objects.get(kind=Kind.EXCHANGE_SYNCED)
        assert event.by == "operator:test"
        assert event.facts == {"entered": 1, "revoked": 0, "malformed": 1, "lost": 0}
        [line] = listed(by=BY)
        assert (line.slug, line.records, line.failures) == ("them", 1, 0)
        assert line.synced_at is not None

    def test_the_tick_waits_and_one_failure_does_not_stop_the_others(
        self, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scripted.pages = [Unavailable("No answer.")]
        add_exchange(
            "others",
            "folder",
            name="Others",
            settings={"path": "/b"},
            category=CATEGORY,
            by=BY,
        )
        sync_due()
        assert len(scripted.asked) == 2
        sync_due()
        assert len(scripted.asked) == 2
        now = clock.now()
        monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=15))
        sync_due()
        # Twice the pause after one failure.
        assert len(scripted.asked) == 2
        monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=25))
        sync_due()
        assert len(scripted.asked) == 4

    def test_only_those_who_may(self, scripted: Scripted) -> None:
        nobody = By("operator", "test")
        for forbidden in (
            lambda: sync("them", by=nobody),
            lambda: listed(by=nobody),
            lambda: add_exchange("x", "folder", name="", category=CATEGORY, by=nobody),
        ):
            with pytest.raises(NotAllowed):
                forbidden()
        with pytest.raises(NotFound):
            sync("nobody", by=BY)


@pytest.mark.django_db
class TestSettingUp:
    URL = "https://exchange.example/v1"

    def add(self, **changed: Any) -> None:
        given: dict[str, Any] = {
            "kind": "stopncii",
            "name": "StopNCII",
            "url": self.URL,
            "credentials": "secret-a,secret-b",
            "category": CATEGORY,
        }
        add_exchange("stop", **{**given, **changed}, by=BY)

    @pytest.fixture(autouse=True)
    def extra(self, world: World) -> None:
        pytest.importorskip("threatexchange")

    def test_credentials_are_kept_encrypted_and_bound_to_their_row(self) -> None:
        self.add()
        exchange = HashExchange.objects.get()
        assert "secret" not in exchange.credentials
        assert "secret" not in repr(listed(by=SYSTEM))
        assert "secret" not in str(list(Event.objects.values("about", "facts")))

    def test_a_new_address_begins_anew_and_a_new_secret_does_not(self) -> None:
        self.add()
        HashExchange.objects.update(cursor={"from": 7, "at": 7}, failures=3)
        self.add(credentials="new-a,new-b")
        exchange = HashExchange.objects.get()
        assert (exchange.cursor, exchange.failures) == ({"from": 7, "at": 7}, 0)
        self.add(url="https://other.example/v1")
        assert HashExchange.objects.get().cursor is None

    def test_what_cannot_be_meant_is_refused(self) -> None:
        for wrong in (
            {"kind": "nobody"},
            {"url": "http://exchange.example"},
            {"credentials": ""},
            {"category": "nothing of the kind"},
            {"settings": {"members": [1]}},
        ):
            with pytest.raises(InvalidInput):
                self.add(**wrong)
        assert not HashExchange.objects.exists()
        self.add()
        with pytest.raises(InvalidInput):
            self.add(kind="folder", settings={"path": "/a"}, url="", credentials="")


@pytest.mark.django_db(transaction=True)
def test_from_the_exchange_to_a_case_and_back(world: World) -> None:
    """Over HTTP, by Meta's client: known, found, withdrawn, gone to people."""
    one_host = pytest.importorskip("holdfast.matching.connectors.one_host")
    patience = one_host.Patience(timeout_s=5, pauses_s=())
    picture = photograph()
    item = world.post("1", encoded(picture))
    value = sign_picture(encoded(picture, quality=60)).views[0].pdq.hex()
    at = int(time.time()) - 1000
    with running(FakeStopNCII("secret-a", "secret-b")) as double:
        assert isinstance(double, FakeStopNCII)
        add_exchange(
            "stop",
            "stopncii",
            name="StopNCII",
            url=double.url,
            credentials="secret-a,secret-b",
            category=CATEGORY,
            by=BY,
        )
        double.put(Hash(value, at))
        double.put(Hash("0" * 32, at))
        told = sync("stop", patience=patience, by=BY)
        assert (told.entered, told.malformed_count) == (1, 1)
        drain()
        assert Item.objects.get(id=item.id).state == "frozen"
        place = CaseItem.objects.get(item=item.id)
        assert place.case.category == CATEGORY
        double.put(Hash(value, at + 500, status="Withdrawn"))
        told = sync("stop", patience=patience, by=BY)
        assert told.revoked == 1
        drain()
        # Nothing is shown again by itself: people look.
        assert Item.objects.get(id=item.id).state == "frozen"
        assert Event.objects.filter(kind=Kind.MATCH_WITHDRAWN).exists()
        late = world.post("2", encoded(picture, quality=70))
        drain()
        double.failures.append(Failure.HTTP_500)
        with pytest.raises(Unavailable):
            sync("stop", patience=patience, by=BY)
        assert "exchange.failing" in alarms()
    assert not CaseItem.objects.filter(item=late.id, entry__isnull=False).exists()
