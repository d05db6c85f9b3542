"""The real server: gunicorn, sockets, chunks, and the examples of the document."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from holdfast.base import clock
from holdfast.client import Holdfast, Item, Target
from holdfast.client.types import File, Receipt
from holdfast.intake.models import Report
from holdfast.items.models import Platform
from holdfast.web.api import reference
from holdfast.web.api.api import api
from tests import server
from tests.stages.api.calls import POSTED_AT, Api
from tests.stages.flaggers.analysts import account
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def served(django_db_setup: None) -> Iterator[str]:
    """The address of a server upon the tests' database."""
    bind = f"127.0.0.1:{server.free_port()}"
    started = server.start(bind)
    try:
        server.wait_for(bind, started)
        yield f"http://{bind}"
        started.send_signal(signal.SIGTERM)
        assert started.wait(20) == 0
    finally:
        server.kill(started)


def test_the_client_that_ships_with_it_works(served: str, world: World) -> None:
    with Holdfast(served, Api(world).token) as holdfast:
        picture = encoded(photograph())
        file = File(picture, "image/jpeg", "a.jpg")
        stranger = Item("1", "image", posted_at=clock.now())
        state = holdfast.put_item(stranger, [file])
        assert state.state == "visible"  # type: ignore[union-attr]  # Not spooled.
        receipt = holdfast.report(Target(item="1"), "child_sexual_abuse_material")
        assert isinstance(receipt, Receipt)
        assert receipt.frozen == ["1"]
        copy = holdfast.put_item(
            Item("a/2 ü", "image", posted_at=clock.now()),
            [File(encoded(photograph(), quality=35), "image/jpeg")],
        )
        assert copy.state == "frozen"  # type: ignore[union-attr]  # Not spooled.
        assert holdfast.item_state("a/2 ü").state == "frozen"
        assert holdfast.categories()[0].child_safety


def test_a_batch_may_come_in_chunks_and_nothing_else(served: str, world: World) -> None:
    headers = {"Authorization": f"Bearer {Api(world).token}", "Idempotency-Key": "k"}

    def lines() -> Iterator[bytes]:
        for number in range(40):
            line = {"id": str(number), "kind": "post", "posted_at": POSTED_AT}
            text = json.dumps(line).encode() + b"\n"
            yield text[:20]
            yield text[20:]

    with httpx.Client(base_url=f"{served}/api/v1") as http:
        kind = {"Content-Type": "application/x-ndjson"}
        answers = [
            http.post("/items:batch", content=lines(), headers={**headers, **kind})
            for _ in range(2)
        ]
        said = [json.loads(line) for line in answers[0].text.splitlines()]
        assert [each["status"] for each in said] == [201] * 40
        assert answers[1].headers["Idempotent-Replay"] == "true"
        assert answers[1].text == answers[0].text
        chunked = http.put("/items/1", content=lines(), headers=headers)
        assert chunked.status_code == 411
        assert chunked.headers["Content-Type"] == "application/problem+json"


def test_a_form_that_is_too_long_gets_a_page_and_keeps_its_connection(
    served: str, world: World
) -> None:
    """Sent whole or in chunks of no said length, and never held in memory."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    with httpx.Client(base_url=served, timeout=server.READY_S) as http:
        for _ in range(2):
            answer = http.post("/report/where", content=b"x" * 2**24, headers=kind)
            assert answer.status_code == 413
            assert "This is too much at once" in answer.text
            assert len(answer.content) < 60_000
        chunks = (b"x" * 2**16 for _ in range(64))
        answer = http.post("/report/where", content=chunks, headers=kind)
        assert answer.status_code == 403  # Nothing of it was read, nor its mark.
        assert len(answer.content) < 60_000
        assert http.get("/").status_code == 200


def test_many_at_once_with_one_key_are_one_report(served: str, world: World) -> None:
    headers = {"Authorization": f"Bearer {Api(world).token}", "Idempotency-Key": "k"}
    said = {"category": "child_other", "words": "x", "wants_codename": True}

    def send(_: int) -> tuple[int, str]:
        answer = httpx.post(
            f"{served}/api/v1/reports",
            json=said,
            headers=headers,
            timeout=server.READY_S,
        )
        return answer.status_code, answer.json().get("codename", "")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(16)))
    assert {status for status, _ in answers} <= {201, 409}
    assert len({codename for status, codename in answers if status == 201}) == 1
    assert Report.objects.count() == 1


def test_a_server_that_is_killed_leaves_nothing_half_done(world: World) -> None:
    """Kills the whole server again and again while reports come in."""
    headers = {"Authorization": f"Bearer {Api(world).token}"}
    bind = f"127.0.0.1:{server.free_port()}"
    numbers: set[str] = set()
    for turn in range(3):
        started = server.start(bind)
        try:
            server.wait_for(bind, started)
            with ThreadPoolExecutor(4) as pool:
                tries = [pool.submit(_report, bind, headers, n) for n in range(24)]
                if turn < 2:
                    while Report.objects.count() < 4 * (turn + 1):
                        time.sleep(0.005)
                    server.kill(started)
                numbers |= {said for each in tries if (said := each.result())}
        finally:
            server.kill(started)
    # Each key is one report, each number that was told is a report, none is lost.
    assert Report.objects.count() == 24
    assert numbers == set(Report.objects.values_list("number", flat=True))


def test_every_example_on_the_page_does_what_it_says(
    served: str, world: World, tmp_path: Path
) -> None:
    (tmp_path / "picture.jpg").write_bytes(encoded(photograph()))
    told = reference.read(api.get_openapi_schema())
    answered: dict[str, list[str]] = {}
    hotline = account(world)

    def key_for(path: str) -> str:
        return hotline if "/flags" in path else Api(world).token

    Platform.objects.update(media_hosts=["media.plaza.example"])
    for operation in (each for group in told.groups for each in group.operations):
        for example in operation.examples:
            command = example.replace(told.server, served).replace(
                "curl ", "curl -sS -w '\\n%{http_code}' ", 1
            )
            done = subprocess.run(
                ["sh", "-c", command],
                cwd=tmp_path,
                env={**os.environ, "HOLDFAST_KEY": key_for(operation.path)},
                capture_output=True,
                check=True,
                text=True,
            )
            body, _, status = done.stdout.rpartition("\n")
            answered.setdefault(operation.anchor, []).append(status)
            if operation.path.endswith(":batch"):
                assert json.loads(body)["status"] in (200, 201), body
    # There is no report of that number yet: it is drawn when one is filed.
    for of_report in (
        "get-api-v1-reports-number",
        "post-api-v1-reports-number-signature",
    ):
        assert answered.pop(of_report) == ["404"]
    assert {each for all_ in answered.values() for each in all_} == {"200", "201"}


def test_pages_carry_their_headers(served: str) -> None:
    blank = httpx.get(f"{served}/blank")
    assert blank.headers["Cache-Control"] == "no-store"
    assert blank.headers["Referrer-Policy"] == "same-origin"
    assert "default-src 'none'" in blank.headers["Content-Security-Policy"]
    assert httpx.get(f"{served}/gallery").status_code == 200
    styles = httpx.get(f"{served}/static/holdfast/tokens.css")
    assert styles.headers["Content-Type"].startswith("text/css")
    nowhere = httpx.get(f"{served}/no/such/page")
    assert nowhere.status_code == 404
    assert nowhere.headers["Content-Type"].startswith("text/html")
    assert "There is no such page" in nowhere.text


def _report(bind: str, headers: dict[str, str], number: int) -> str:
    said = {"category": "child_other", "words": f"{number}", "wants_codename": False}
    try:
        answer = httpx.post(
            f"http://{bind}/api/v1/reports",
            json=said,
            headers={**headers, "Idempotency-Key": f"key {number}"},
            timeout=server.READY_S,
        )
    except httpx.HTTPError:
        return ""
    return str(answer.json()["number"]) if answer.status_code == 201 else ""
