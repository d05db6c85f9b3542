"""NCMEC, StopNCII, ThreatExchange and a folder, each against its double."""

from __future__ import annotations

import builtins
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from holdfast.base.errors import InvalidInput, Unavailable
from holdfast.matching.connectors import connect as connecting
from holdfast.matching.connectors.connect import KINDS, connect
from holdfast.matching.connectors.fake_server import Double, Request, running
from holdfast.matching.connectors.fb_threatexchange.fake import (
    FakeThreatExchange,
    Indicator,
)
from holdfast.matching.connectors.ncmec.fake import Entry, FakeNCMEC
from holdfast.matching.connectors.stopncii.fake import FakeStopNCII, Hash

from .exchange_suite import START_S, Clock, ExchangeSuite, State, pdq

CONNECTORS = "holdfast.matching.connectors"
LIBRARY = "threatexchange.exchanges"
GROUP = 77
TOKEN = "12345678|a-secret-token-of-somebody"


class TestNCMEC(ExchangeSuite):
    kind = "ncmec"
    credentials = "us:a-secret-password"
    wrong_credentials = "us:wrong-password"
    clocked = (
        f"{CONNECTORS}.ncmec.client",
        f"{LIBRARY}.impl.ncmec_api",
        f"{LIBRARY}.clients.ncmec.hash_api",
    )
    pages_by_link = False
    # It pages only through ranges of time that are too dense to be cut.
    apart_s = 0

    def double(self) -> Double:
        user, _, password = self.credentials.partition(":")
        return FakeNCMEC(user, password, page_size=3)

    def put(self, double: FakeNCMEC, value: str, at: int) -> None:
        double.put(Entry(f"e{pdq(value)[:20]}", 42, "image", at, {"pdq": value}))

    def remove(self, double: FakeNCMEC, value: str, at: int) -> None:
        double.put(Entry(f"e{pdq(value)[:20]}", 42, "image", at, deleted=True))

    def add_unreadable(self, double: FakeNCMEC) -> None:
        double.unreadable = 1

    def test_what_is_compared_is_taken_and_nothing_else(self, served: Any) -> None:
        md5, other = pdq("a")[:32], pdq("b")[:32]
        at = START_S - 1000
        prints = {"md5": md5, "PDQ": pdq("p"), "sha1": pdq("s")[:40], "pdna": "x" * 99}
        served.put(Entry("image1", 42, "image", at, prints))
        served.put(Entry("video1", 43, "video", at, {"md5": other, "pdq": pdq("v")}))
        updates = list(self.connect(served.url).pull(None))
        records = {each.key: each for update in updates for each in update.changed}
        assert {each.value.hex() for each in records["42-image1"].signals} == {
            md5,
            pdq("p"),
        }
        assert {each.value.hex() for each in records["43-video1"].signals} == {other}
        assert records["42-image1"].labels == ("A1",)

    def test_one_bad_fingerprint_does_not_cost_the_other(self, served: Any) -> None:
        prints = {"md5": "?", "pdq": pdq("p")}
        served.put(Entry("image1", 42, "image", START_S - 1000, prints))
        [update] = [
            each for each in self.connect(served.url).pull(None) if each.changed
        ]
        assert [each.value.hex() for each in update.changed[0].signals] == [pdq("p")]
        assert [each.key for each in update.malformed] == ["42-image1"]

    def test_only_the_members_asked_for(self, served: Any) -> None:
        for member in (1, 2, 3):
            print_ = {"pdq": pdq(member)}
            served.put(Entry("same", member, "image", START_S - 1000, print_))
        some = connect(
            self.kind, served.url, self.credentials, {"members": [1, 3]}
        ).pull(None)
        assert State().take(some).values == {pdq(1), pdq(3)}

    def test_times_are_asked_for_in_utc(
        self, served: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The library would write local time: east of Greenwich, hours never come."""
        monkeypatch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        try:
            state = State().take(self.connect(served.url).pull(None))
            clock.now += 600
            new = self.fill(served, range(2), at=int(clock.now) - 60)
            assert state.take(self.connect(served.url).pull(state.cursor)).values == new
        finally:
            monkeypatch.undo()
            time.tzset()

    def test_a_pull_can_go_on_at_once(self, served: Any) -> None:
        """The library refuses a range that ends where it would itself end now."""
        values = self.fill(served, range(10), at=START_S - 10)
        state = State()
        pull = self.connect(served.url).pull({"from": START_S - 40})
        state.take(iter([next(pull)]))
        assert state.cursor is not None
        assert state.cursor["to"] == START_S - 5
        assert 0 < len(state.values) < len(values)
        assert state.take(self.connect(served.url).pull(state.cursor)).values == values

    def test_a_page_link_that_has_expired_is_not_used(
        self, served: Any, clock: Clock
    ) -> None:
        values = self.fill(served, range(10))
        state = State()
        pull = self.connect(served.url).pull(None)
        while not state.values:
            state.take(iter([next(pull)]))
        assert state.cursor is not None
        assert "next" in state.cursor
        clock.now += 13 * 60 * 60
        served.requests.clear()
        assert state.take(self.connect(served.url).pull(state.cursor)).values == values
        assert "start" not in served.requests[0].query

    def test_the_double_is_as_documented(self) -> None:
        """The page that the library's own tests quote from the documentation."""
        hash_api = pytest.importorskip(f"{LIBRARY}.clients.ncmec.hash_api")
        from xml.etree import ElementTree as ET  # noqa: PLC0415

        double = FakeNCMEC("us", "password", page_size=1)
        at = START_S
        double.put(Entry("image1", 42, "image", at, {"md5": "a1" * 16}))
        double.put(Entry("video4", 43, "video", at + 1, deleted=True))
        client = hash_api.NCMECHashAPI(
            "us", "password", hash_api.NCMECEnvironment.test_Industry
        )
        with running(double):
            client._base_url = double.url
            page = client.get_entries(start_timestamp=at, end_timestamp=at + 60)
            assert page.max_timestamp == at
            assert page.get_next_info() == (2, 1, 2)
            [entry] = page.updates
            assert (entry.id, entry.member_id, entry.deleted) == ("image1", 42, False)
            assert entry.classification == "A1"
            page = client.get_entries(next_=page.next)
            assert [(each.id, each.deleted) for each in page.updates] == [
                ("video4", True)
            ]
            assert not page.next
        ET.fromstring(double.answer(double.requests[0]).body)


class TestStopNCII(ExchangeSuite):
    kind = "stopncii"
    credentials = "secret-function,secret-subscription"
    wrong_credentials = "wrong-function,wrong-subscription"
    clocked = (f"{CONNECTORS}.stopncii.client",)
    pages_by_link = False

    def double(self) -> Double:
        function, _, subscription = self.credentials.partition(",")
        return FakeStopNCII(function, subscription, page_size=3)

    def put(self, double: FakeStopNCII, value: str, at: int) -> None:
        double.put(Hash(value, at))

    def remove(self, double: FakeStopNCII, value: str, at: int) -> None:
        double.put(Hash(value, at, status="Withdrawn"))

    def add_unreadable(self, double: FakeStopNCII) -> None:
        double.unreadable = [{"hashValue": pdq("u")}, "no record at all", None]

    def test_feedback_of_an_unknown_kind_does_not_cost_the_hash(
        self, served: Any
    ) -> None:
        said = (("Some network", "Undefined"), ("Another", "Blocked"))
        served.put(Hash(pdq(1), START_S - 1000, feedback=said))
        [update] = self.connect(served.url).pull(None)
        [record] = update.changed
        assert record.labels == ("Blocked by Another", "Unknown by Some network")

    def test_kinds_that_are_not_compared_are_left_alone(self, served: Any) -> None:
        served.put(Hash("https://x.example/", START_S - 1000, kind="URL"))
        served.put(Hash(pdq("v")[:32], START_S - 1000, kind="VideoMD5"))
        [update] = self.connect(served.url).pull(None)
        assert len(update.changed) == 1
        assert not update.malformed

    def test_a_month_without_a_pull_begins_anew(self, clock: Clock) -> None:
        exchange = self.connect("https://exchange.example/v1")
        cursor = {"from": START_S, "at": START_S}
        clock.now += 29 * 86400
        assert not exchange.is_stale(cursor)
        clock.now += 2 * 86400
        assert exchange.is_stale(cursor)

    def test_the_library_itself_would_miss_what_is_withdrawn(self) -> None:
        """Why we do not use that layer of it. If this fails, we can."""
        library = pytest.importorskip(f"{LIBRARY}.impl.stop_ncii_api")
        api = pytest.importorskip(f"{LIBRARY}.clients.stopncii.api")
        record = api.StopNCIIHashRecord(
            lastModtimestamp=1,
            signalType=api.StopNCIISignalType.ImagePDQ,
            hashValue=pdq(1),
            hashStatus=api.StopNCIICaseStatus.Withdrawn,
            caseNumbers={},
        )
        assert library._get_delta_mapping(record)[1] is not None


class TestThreatExchange(ExchangeSuite):
    kind = "threatexchange"
    credentials = TOKEN
    wrong_credentials = "12345678|wrong-token-of-somebody"
    settings = {"privacy_group": GROUP}
    clocked = (
        f"{CONNECTORS}.fb_threatexchange.client",
        f"{LIBRARY}.impl.fb_threatexchange_api",
    )
    pages_by_link = True

    def double(self) -> Double:
        return FakeThreatExchange(self.credentials, GROUP, page_size=3)

    def put(self, double: FakeThreatExchange, value: str, at: int) -> None:
        double.put(Indicator(value, at))

    def remove(self, double: FakeThreatExchange, value: str, at: int) -> None:
        double.put(Indicator(value, at, deleted=True))

    def add_unreadable(self, double: FakeThreatExchange) -> None:
        double.unreadable = [
            {"type": "HASH_PDQ", "indicator": pdq("u")},
            {"should_delete": False, "descriptors": {"data": [{}]}},
            "no update at all",
        ]

    def test_what_everybody_calls_harmless_is_not_looked_for(self, served: Any) -> None:
        at = START_S - 1000
        served.put(Indicator(pdq(1), at, status="NON_MALICIOUS"))
        served.put(Indicator(pdq(2), at, status="UNKNOWN", tags=("b", "a")))
        served.put(Indicator(pdq(3), at, kind="HASH_TMK"))
        [update] = self.connect(served.url).pull(None)
        assert [each.key for each in update.changed] == [f"HASH_PDQ {pdq(2)}"]
        assert update.changed[0].labels == ("a", "b")
        assert update.removed == (f"HASH_PDQ {pdq(1)}",)

    def test_metas_visibility_fault_takes_nothing_back(
        self, served: Any, clock: Clock
    ) -> None:
        state = State()
        values = self.fill(served, range(2))
        state.take(self.connect(served.url).pull(None))
        clock.now += 600
        served.put(Indicator(pdq(1), int(clock.now) - 60, owner=None))
        state.take(self.connect(served.url).pull(state.cursor))
        assert state.values == values
        assert len(state.malformed) == 1

    def test_only_the_tags_asked_for(self, served: Any) -> None:
        at = START_S - 1000
        served.put(Indicator(pdq(1), at, tags=("ours",)))
        served.put(Indicator(pdq(2), at, tags=("theirs",)))
        settings = {**self.settings, "tags": ["ours"]}
        pull = connect(self.kind, served.url, TOKEN, settings).pull(None)
        assert State().take(pull).values == {pdq(1)}

    def test_a_privacy_group_is_needed(self) -> None:
        pytest.importorskip("threatexchange")
        for settings in ({}, {"privacy_group": "ours"}):
            with pytest.raises(InvalidInput):
                connect(self.kind, "https://exchange.example/v1", TOKEN, settings)

    def test_the_library_itself_fails_without_news(self, served: Any) -> None:
        """Why pages without an update are left out. If this fails, they need not be."""
        library = pytest.importorskip(f"{LIBRARY}.impl.fb_threatexchange_api")
        client = library.ThreatExchangeAPI(TOKEN, endpoint_override=served.url)
        config = library.FBThreatExchangeCollabConfig(name="", privacy_group=GROUP)
        api = library.FBThreatExchangeSignalExchangeAPI(client, config)
        with pytest.raises(AssertionError):
            list(api.fetch_iter([], None))


class TestFolder:
    def test_every_file_is_read_and_bad_lines_are_told_of(self, tmp_path: Path) -> None:
        (tmp_path / "a.md5").write_text(f"{pdq('m')[:32]}\nnonsense\n")
        (tmp_path / "b.csv").write_text(f"signal_type,signal_str\npdq,{pdq(1)}\n")
        (tmp_path / "list-sha256.txt").write_text(f"{pdq('s')}\n")
        (tmp_path / "README").write_text("nothing of the kind")
        exchange = connect("folder", "", "", {"path": str(tmp_path)})
        assert exchange.hosts == ()
        state = State().take(exchange.pull(None))
        assert state.values == {pdq("m")[:32], pdq(1), pdq("s")}
        [why] = state.malformed
        assert why.startswith("a.md5, line 2: ")
        assert exchange.is_stale(state.cursor or {})

    def test_a_folder_that_is_not_there_is_a_failure(self, tmp_path: Path) -> None:
        for path in (tmp_path / "none", tmp_path):
            with pytest.raises(Unavailable):
                list(connect("folder", "", "", {"path": str(path)}).pull(None))
        with pytest.raises(InvalidInput):
            connect("folder", "", "", {"path": "relative"})


def test_kinds_and_settings_that_nobody_knows_are_refused() -> None:
    with pytest.raises(InvalidInput, match="ncmec, stopncii"):
        connect("other", "", "", {})
    with pytest.raises(InvalidInput, match="colour"):
        connect("folder", "", "", {"path": os.sep, "colour": "red"})


def test_without_the_extra_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    really = builtins.__import__

    def import_without(name: str, *args: Any, **named: Any) -> Any:
        if name.partition(".")[0] == "threatexchange":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return really(name, *args, **named)

    monkeypatch.setattr(builtins, "__import__", import_without)
    for kind, spoken in KINDS.items():
        monkeypatch.delitem(
            sys.modules, f"{CONNECTORS}.{spoken.module}.client", raising=False
        )
        if spoken.is_remote:
            with pytest.raises(Unavailable, match=r"holdfast\[exchange\]"):
                connecting.connect(kind, "https://x.example", "", {})


def test_the_doubles_refuse_what_is_not_theirs() -> None:
    for double in (
        FakeNCMEC("a", "b"),
        FakeStopNCII("a", "b"),
        FakeThreatExchange(TOKEN, GROUP),
    ):
        answer = double.answer(Request(f"{double.base_path}/other", {}, {}))
        assert answer.status in (400, 401)
