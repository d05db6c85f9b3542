"""Nothing is lost, nothing is out of order, nobody waits: whatever Holdfast does."""

from __future__ import annotations

import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from holdfast.client import (
    PATIENCE_S,
    File,
    Holdfast,
    Item,
    ItemState,
    Receipt,
    Refused,
    Spooled,
    SpoolInUse,
    Target,
    Views,
)
from tests.client.conftest import BUSY_S, until
from tests.client.contract import KEY, Answer, Contract, Request, problem

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def waiting(client: Holdfast) -> int:
    assert client.spool is not None
    return client.spool.waiting()


def test_holdfast_down_loses_no_report_and_delays_no_post(
    contract: Contract, client: Holdfast
) -> None:
    contract.down()
    first = client.put_item(Item("p0", "post", NOW), [File(b"0", "image/png")])
    assert isinstance(first, Spooled)
    for number in range(1, 20):
        started = time.monotonic()
        client.put_item(Item(f"p{number}", "post", NOW))
        spent_s = time.monotonic() - started
        assert spent_s < PATIENCE_S, "A Holdfast known to be down delays nobody."
    report = client.report(Target(item="p0"), "child_other")
    assert isinstance(report, Spooled)
    assert waiting(client) == 21
    assert client.receipt(report.key) is None

    contract.up()
    until(lambda: waiting(client) == 0)
    assert len(contract.items) == 20
    receipt = client.receipt(report.key)
    assert receipt is not None
    assert receipt.frozen == ["p0"], "The item went before the report about it."
    assert client.reachable


def test_a_slow_holdfast_holds_a_post_no_longer_than_promised(
    contract: Contract, client: Holdfast
) -> None:
    answers = Event()

    def slow(request: Request) -> Answer | None:
        answers.wait()
        return None

    contract.fail = slow
    started = time.monotonic()
    assert isinstance(client.put_item(Item("p", "post", NOW)), Spooled)
    assert time.monotonic() - started < PATIENCE_S + BUSY_S
    answers.set()
    until(lambda: "p" in contract.items)
    until(lambda: waiting(client) == 0)
    assert len(contract.seen("items/p")) == 1


@pytest.mark.parametrize(
    "failure",
    [
        problem(503, "Not now."),
        problem(500, "A bug."),
        problem(429, "Slower.", Retry_After="1"),
        problem(401, "The key was rotated."),
        problem(409, "The same write is under way.", Retry_After="1"),
        Answer(200, "<p>A captive portal</p>", "text/html"),
        Answer(404, "<p>A proxy</p>", "text/html"),
        Answer(302, {}, headers={"Location": "http://127.0.0.1:9/"}),
    ],
    ids=lambda each: f"{each.status} {each.kind}",
)
def test_a_passing_failure_is_tried_again_with_the_same_key(
    contract: Contract, client: Holdfast, failure: Answer
) -> None:
    tried: list[str] = []

    def fail(request: Request) -> Answer | None:
        tried.append(request.key)
        return failure if len(tried) <= 2 else None

    contract.fail = fail
    answer = client.report(Target(description="there"), "child_other")
    assert isinstance(answer, Spooled)
    until(lambda: client.receipt(answer.key))
    assert tried == [answer.key] * 3
    assert len(contract.reports) == 1


def test_a_refused_write_is_put_aside_with_its_reason_and_blocks_nothing(
    contract: Contract, client: Holdfast
) -> None:
    assert client.spool is not None
    with pytest.raises(Refused, match="cannot be read"):
        client.put_item(Item("p", "post", NOW, text="refuse me"))
    assert isinstance(client.put_item(Item("p", "post", NOW)), ItemState)
    [aside] = client.spool.problems()
    assert (aside.path, aside.problem["status"]) == ("items/p", 422)
    assert waiting(client) == 0

    # Its cause is mended (here: the server forgets that it refused); it goes out.
    contract.fail = lambda request: (
        Answer(201, contract.state("p")) if request.key == aside.key else None
    )
    client.retry(aside)
    until(lambda: waiting(client) == 0)
    assert client.spool.problems() == []


def test_writes_about_one_subject_keep_their_order_and_others_pass(
    contract: Contract, client: Holdfast
) -> None:
    def fail(request: Request) -> Answer | None:
        stuck = request.path.endswith("/a") and len(contract.requests) < 3
        return problem(503, "Not now.") if stuck else None

    contract.fail = fail
    for number in range(3):
        client.put_item(Item("a", "post", NOW, text=f"a{number}"), patience_s=0.05)
    for name in "bcd":
        assert isinstance(client.put_item(Item(name, "post", NOW)), ItemState)
    until(lambda: len(contract.seen("items/a")) == 3)
    said = [b"a%d" % number for number in range(3)]
    sent = [each.body for each in contract.seen("items/a")]
    assert all(word in body for word, body in zip(said, sent, strict=True))


def test_an_item_that_cannot_be_registered_does_not_hold_back_its_report(
    contract: Contract, client: Holdfast
) -> None:
    contract.fail = lambda request: (
        problem(500, "A bug.") if request.method == "PUT" else None
    )
    assert isinstance(client.put_item(Item("p", "post", NOW)), Spooled)
    assert isinstance(client.report(Target(item="p"), "child_other"), Receipt)


def test_hours_of_counts_do_not_stand_before_a_report(
    contract: Contract, client: Holdfast
) -> None:
    client.put_item(Item("p", "post", NOW))
    contract.down()
    for total in range(200):
        client.views([Views("p", total, NOW)])
    report = client.report(Target(item="p"), "child_other")
    assert isinstance(report, Spooled)
    contract.up()
    until(lambda: client.receipt(report.key))
    before = [each for each in contract.requests if each.path.endswith("views:batch")]
    assert len(before) < 20
    until(lambda: waiting(client) == 0)


def test_a_dropped_connection_after_acceptance_makes_no_second_report(
    contract: Contract, client: Holdfast
) -> None:
    class Dropped(Exception):
        pass

    lost: list[str] = []

    def fail(request: Request) -> Answer | None:
        if not lost and request.path.endswith("/reports"):
            lost.append(request.key)
            contract.fail = lambda request: None
            contract.answer(request)  # It is stored; only the answer is lost.
            raise Dropped
        return None

    contract.fail = fail
    answer = client.report(Target(item="p"), "child_other")
    assert isinstance(answer, Receipt), "A new connection is tried at once."
    assert len(lost) == len(contract.reports) == 1


_WRITER = """
    import os, sys, time
    from datetime import UTC, datetime
    from pathlib import Path
from threading import Event
    from holdfast.client import File, Holdfast, Item, Target
    url, key, spool = sys.argv[1:]
    client = Holdfast(url, key, spool=Path(spool))
    for number in range(10_000):
        at = datetime(2026, 1, 2, tzinfo=UTC)
        file = File(os.urandom(2000), "image/png")
        client.put_item(Item(f"p{number}", "post", at), [file], patience_s=0)
        client.report(Target(item=f"p{number}"), "child_other", patience_s=0)
        print(number, flush=True)
"""


@pytest.mark.parametrize("up", [False, True], ids=["holdfast-down", "holdfast-up"])
def test_a_killed_process_loses_nothing_and_doubles_nothing(
    contract: Contract, tmp_path: Path, up: bool
) -> None:
    if not up:
        contract.down()
    spool = tmp_path / "spool"
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_WRITER), contract.url, KEY, str(spool)],
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        done = [writer.stdout.readline() for _ in range(30)]
        writer.send_signal(signal.SIGKILL)
        done += writer.stdout.readlines()
    kept = len([line for line in done if line.endswith("\n")])
    if not up:
        contract.up()
    with Holdfast(contract.url, KEY, spool=spool) as client:
        until(lambda: waiting(client) == 0)
    reported = [each["targets"][0]["item"] for each in contract.reports]
    assert {f"p{number}" for number in range(kept)} <= set(reported)
    assert len(reported) == len(set(reported))
    assert set(reported) <= set(contract.items)
    assert contract.frozen == set(reported)


def test_a_spool_has_one_process_and_one_reader(tmp_path: Path) -> None:
    with Holdfast("http://127.0.0.1:9", KEY, spool=tmp_path / "spool"):
        with pytest.raises(SpoolInUse):
            Holdfast("http://127.0.0.1:9", KEY, spool=tmp_path / "spool")
        mode = stat.S_IMODE((tmp_path / "spool").stat().st_mode)
        assert mode == 0o600
    with Holdfast("http://127.0.0.1:9", KEY, spool=tmp_path / "spool") as again:
        assert waiting(again) == 0


def test_every_commit_of_the_spool_is_an_fsync(tmp_path: Path) -> None:
    with Holdfast("http://127.0.0.1:9", KEY, spool=tmp_path / "spool") as client:
        assert client.spool is not None
        database: sqlite3.Connection = client.spool._db
        assert database.execute("pragma synchronous").fetchone()[0] == 2
        assert database.execute("pragma journal_mode").fetchone()[0] == "wal"
