"""What every connector to a hash exchange must do, whatever its protocol.

A connector's own test class inherits :class:`ExchangeSuite` and brings its double and
the way to put things there. The tests hold that nothing which an exchange says is lost
or taken for something else, and that no credential goes where it should not.
"""

from __future__ import annotations

import hashlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from holdfast.base.errors import HoldfastError, InvalidInput, Unavailable
from holdfast.matching.connectors.connect import connect
from holdfast.matching.connectors.exchange import (
    CredentialsRefused,
    Cursor,
    Exchange,
    Update,
)
from holdfast.matching.connectors.fake_server import (
    NOTICE_HEADER,
    Double,
    Failure,
    running,
)

START_S = 1_800_000_000
"""When the tests' clock begins, in seconds since 1970."""
PATIENCE_S = 30.0
"""With an exchange that answers, on a machine with other work."""
HANG_S = 2.0
"""How long an exchange that hangs says nothing."""


def pdq(name: object) -> str:
    """A made-up fingerprint, in hexadecimal."""
    return hashlib.sha256(str(name).encode()).hexdigest()


class Clock:
    """Stands in for the module ``time`` of what is tested."""

    def __init__(self) -> None:
        self.now = float(START_S)

    def time(self) -> float:
        return self.now


class State:
    """What has been pulled: the records as they stand after some updates."""

    def __init__(self) -> None:
        self.records: dict[str, set[str]] = {}
        self.malformed: list[str] = []
        self.cursor: Cursor | None = None

    def take(self, updates: Iterator[Update]) -> State:
        for update in updates:
            kept = {each.key for each in update.malformed}
            for each in update.changed:
                values = {signal.value.hex() for signal in each.signals}
                old = self.records.get(each.key, set()) if each.key in kept else set()
                self.records[each.key] = values | old
            for key in update.removed:
                self.records.pop(key, None)
            self.malformed += [each.why for each in update.malformed]
            self.cursor = update.cursor
        return self

    @property
    def values(self) -> set[str]:
        return {value for values in self.records.values() for value in values}


class ExchangeSuite(ABC):
    """The tests; a subclass brings what is abstract."""

    kind: str
    credentials: str
    wrong_credentials: str
    settings: dict[str, Any] = {}
    clocked: tuple[str, ...]
    """Modules whose ``time`` is the tests' clock."""
    pages_by_link: bool
    """Whether a page says the whole address of the next."""
    apart_s = 1
    """Between two records."""

    @abstractmethod
    def double(self) -> Double:
        """A new double, with three records a page."""

    @abstractmethod
    def put(self, double: Any, value: str, at: int) -> None:
        """Let it have a record of this fingerprint, since ``at``."""

    @abstractmethod
    def remove(self, double: Any, value: str, at: int) -> None:
        """Let it take that record back."""

    @abstractmethod
    def add_unreadable(self, double: Any) -> None:
        """Let it hand out a record that is not as documented."""

    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> Clock:
        pytest.importorskip("threatexchange")
        clock = Clock()
        for module in ("holdfast.matching.connectors.remote", *self.clocked):
            monkeypatch.setattr(f"{module}.time", clock)
        return clock

    @pytest.fixture
    def served(self, clock: Clock) -> Iterator[Any]:
        with running(self.double()) as double:
            double.hang_s = HANG_S
            yield double

    def connect(self, url: str, credentials: str = "", **patience: Any) -> Exchange:
        from holdfast.matching.connectors.one_host import (  # noqa: PLC0415  # Needs the extra.
            Patience,
        )

        patience = {"timeout_s": PATIENCE_S, "pauses_s": (0.01,), **patience}
        return connect(
            self.kind,
            url,
            credentials or self.credentials,
            self.settings,
            Patience(**patience),
        )

    def fill(self, double: Any, names: range, at: int = START_S - 1000) -> set[str]:
        values = {pdq(name) for name in names}
        for name in names:
            self.put(double, pdq(name), at + self.apart_s * (name - names[0]))
        return values

    def test_everything_comes_over_several_pages(self, served: Any) -> None:
        values = self.fill(served, range(10))
        state = State().take(self.connect(served.url).pull(None))
        assert state.values == values
        assert not state.malformed
        assert len(state.records) == 10

    def test_an_empty_exchange_is_no_failure(self, served: Any) -> None:
        assert State().take(self.connect(served.url).pull(None)).values == set()

    def test_after_the_cursor_comes_what_is_new(
        self, served: Any, clock: Clock
    ) -> None:
        old = self.fill(served, range(10))
        state = State().take(self.connect(served.url).pull(None))
        clock.now += 600
        assert not self.connect(served.url).is_stale(state.cursor or {})
        new = self.fill(served, range(10, 12), at=int(clock.now) - 60)
        before = len(served.requests)
        again = State().take(self.connect(served.url).pull(state.cursor))
        assert again.values >= new
        assert state.take(iter(())).values | again.values == old | new
        if self.kind != "ncmec":
            assert len(served.requests) - before < 10

    def test_a_sync_without_news_is_no_failure(self, served: Any, clock: Clock) -> None:
        values = self.fill(served, range(4))
        state = State().take(self.connect(served.url).pull(None))
        for _ in range(3):
            clock.now += 600
            state.take(self.connect(served.url).pull(state.cursor))
        assert state.values == values

    def test_what_is_taken_back_is_removed(self, served: Any, clock: Clock) -> None:
        values = self.fill(served, range(5))
        state = State().take(self.connect(served.url).pull(None))
        clock.now += 600
        self.remove(served, pdq(3), int(clock.now) - 60)
        state.take(self.connect(served.url).pull(state.cursor))
        assert state.values == values - {pdq(3)}
        clock.now += 600
        self.put(served, pdq(3), int(clock.now) - 60)
        assert state.take(self.connect(served.url).pull(state.cursor)).values == values

    def test_malformed_hashes_are_told_of_and_the_rest_is_taken(
        self, served: Any
    ) -> None:
        values = self.fill(served, range(4))
        bad = ["0" * 64, "0" * 32, "not a hash", pdq("x")[:63] + "g"]
        for value in bad:
            self.put(served, value, START_S - 1000)
        values |= self.fill(served, range(4, 8))
        state = State().take(self.connect(served.url).pull(None))
        assert state.values == values
        assert len(state.malformed) == len(bad)
        assert not any(value in why for why in state.malformed for value in bad)

    def test_records_that_cannot_be_read_are_told_of_and_the_rest_is_taken(
        self, served: Any
    ) -> None:
        values = self.fill(served, range(5))
        self.add_unreadable(served)
        state = State().take(self.connect(served.url).pull(None))
        assert state.values == values
        assert state.malformed

    @pytest.mark.parametrize(
        "failure",
        [Failure.HTTP_500, Failure.BUSY, Failure.DROP, Failure.CUT, Failure.HANG],
    )
    def test_what_passes_is_tried_again(self, served: Any, failure: Failure) -> None:
        values = self.fill(served, range(5))
        served.failures.append(failure)
        timeout_s = HANG_S / 2 if failure is Failure.HANG else PATIENCE_S
        exchange = self.connect(served.url, timeout_s=timeout_s)
        assert State().take(exchange.pull(None)).values == values

    @pytest.mark.parametrize(
        "failure", [each for each in Failure if each is not Failure.HANG]
    )
    def test_a_pull_that_fails_goes_on_where_it_was(
        self, served: Any, clock: Clock, failure: Failure
    ) -> None:
        values = self.fill(served, range(10))
        state = State()
        pull = self.connect(served.url).pull(None)
        while not state.values:
            state.take(iter([next(pull)]))
        assert 0 < len(state.values) < 10
        served.failures.extend([failure] * 2)
        served.elsewhere = served.url.replace("127.0.0.1", "localhost")
        with pytest.raises(Unavailable) as caught:
            state.take(pull)
        if failure is Failure.GARBAGE:
            assert "cannot be reached" not in str(caught.value)
        served.failures.clear()
        clock.now += 120
        state.take(self.connect(served.url).pull(state.cursor))
        assert state.values == values

    def test_a_time_that_has_not_come_costs_nothing_that_comes_till_then(
        self, served: Any, clock: Clock
    ) -> None:
        """A service that writes milliseconds must not have us wait for thousands of
        years."""
        values = self.fill(served, range(4))
        self.put(served, pdq("ahead"), START_S * 1000)
        state = State()
        with suppress(Unavailable):
            state.take(self.connect(served.url).pull(None))
        assert state.values >= values
        clock.now += 600
        new = self.fill(served, range(4, 6), at=int(clock.now) - 60)
        with suppress(Unavailable):
            state.take(self.connect(served.url).pull(state.cursor))
        assert state.values >= values | new

    def test_refused_credentials_are_not_told_and_not_tried_again(
        self, served: Any
    ) -> None:
        self.fill(served, range(2))
        with pytest.raises(CredentialsRefused) as caught:
            list(self.connect(served.url, self.wrong_credentials).pull(None))
        assert len(served.requests) == 1
        error: BaseException | None = caught.value
        while error is not None:
            assert isinstance(error, HoldfastError)
            assert "wrong" not in error.diagnostics()
            error = error.__cause__

    def test_no_other_host_is_called(self, served: Any) -> None:
        self.fill(served, range(10))
        with running(self.double()) as other:
            served.elsewhere = other.url
            served.failures.append(Failure.ELSEWHERE)
            with pytest.raises(Unavailable):
                list(self.connect(served.url).pull(None))
            if self.pages_by_link:
                for link in (other.url, f"@{other.url.removeprefix('http://')}"):
                    served.next_elsewhere = link
                    with pytest.raises(Unavailable):
                        list(self.connect(served.url).pull(None))
            assert not other.requests

    def test_an_answer_without_end_is_cut(
        self, served: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.fill(served, range(3))
        module = "holdfast.matching.connectors.one_host"
        monkeypatch.setattr(f"{module}.MAX_ANSWER_BYTES", 100)
        with pytest.raises(Unavailable):
            list(self.connect(served.url).pull(None))

    def test_neither_signals_nor_secrets_are_logged(
        self, served: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        values = self.fill(served, range(10))
        self.put(served, "not a hash", START_S - 1000)
        self.add_unreadable(served)
        served.failures.append(Failure.HTTP_500)
        list(self.connect(served.url).pull(None))
        said = "".join(record.getMessage() for record in caplog.records)
        assert not any(value in said for value in values)
        assert "secret" not in said
        assert "not a hash" not in said

    @pytest.mark.parametrize(
        "url",
        [
            "http://exchange.example/v1",
            "ftp://exchange.example/v1",
            "https://name:secret@exchange.example/v1",
            "https:///v1",
            "https://exchange.example/v1?key=1",
            "",
        ],
    )
    def test_no_credential_goes_over_an_open_line(self, url: str) -> None:
        pytest.importorskip("threatexchange")
        with pytest.raises(InvalidInput):
            self.connect(url)

    def test_the_one_host_is_named(self) -> None:
        pytest.importorskip("threatexchange")
        url = "https://exchange.example/v1"
        assert self.connect(url).hosts == (url,)

    def test_credentials_that_cannot_be_meant_are_refused(self) -> None:
        pytest.importorskip("threatexchange")
        with pytest.raises(InvalidInput):
            self.connect("https://exchange.example/v1", "nothing-of-the-kind")

    def test_every_answer_of_the_double_says_what_it_is(self, served: Any) -> None:
        answer = httpx.get(served.url, trust_env=False)
        assert answer.status_code in (400, 401)
        assert "made up" in answer.headers[NOTICE_HEADER]
