"""What a journey does and looks at: a running installation, spoken to over HTTP.

Facts that no door shows are read from the installation's database, which is another
one than the test run's own. Processes are found by the supervisor's names and killed
with SIGKILL, as a machine kills them.
"""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg

from holdfast.demo.desk import Reviewer
from holdfast.demo.network import Account
from holdfast.demo.people import CATEGORY
from holdfast.demo.pictures import Picture
from holdfast.demo.stage import Stage
from holdfast.run import places

WAIT_S = 90.0
"""How long anything is waited for; what is asserted is the time it really took."""


class Town:
    """One installation with its neighbours, and one reviewer at its desk."""

    def __init__(self, stage: Stage, pictures: list[Picture]) -> None:
        self.stage = stage
        self.pictures = pictures
        self.poster: Account = stage.plaza.join(f"poster_{secrets.token_hex(4)}")
        self._reviewer: Reviewer | None = None

    # What people do.

    def post(self) -> str:
        """Put up a picture that nobody has seen; returns its id on the network."""
        item = self.stage.plaza.post(self.poster, self.pictures.pop())
        self.until(lambda: self.known(item), "Holdfast knows it")
        return item

    def report(self, item: str) -> str:
        """File a report through the platform API; returns its number."""
        answer = self.api(
            "POST",
            "/reports",
            json={"targets": [{"item": item}], "category": CATEGORY},
            headers={"Idempotency-Key": secrets.token_hex(16)},
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["number"])

    def decide(self, item: str) -> None:
        """One reader finds a violation, at the console; that is enough for one."""
        reviewer = self._reviewer
        if reviewer is None:
            reviewer = Reviewer(self.stage.holdfast_url, self.stage.staff["you"])
            reviewer.sign_in()
            self._reviewer = reviewer
        number = self.value(
            "select c.number from hf_case c join hf_case_item p on p.case_id = c.id"
            " join hf_item i on i.id = p.item_id where i.external_id = %s",
            item,
        )
        reviewer.take_case(f"/console/case/{number}")
        reviewer.look()
        reviewer.read("violation", "A child is shown; this is what the law forbids.")

    def api(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask the platform API with the platform's key."""
        headers = {"Authorization": f"Bearer {self.stage.key}"}
        headers |= options.pop("headers", {})
        return httpx.request(
            method,
            f"{self.stage.holdfast_url}/api/v1{path}",
            headers=headers,
            trust_env=False,
            timeout=30,
            **options,
        )

    # What is so.

    def known(self, item: str) -> bool:
        """Whether Holdfast has the item and its fingerprint."""
        answer = self.api("GET", f"/items/{item}")
        return answer.is_success and not answer.json()["pending"]

    def shown(self, item: str) -> bool:
        """Whether people can see it on the network."""
        return self.stage.plaza.look(item) == 200

    def confirmed(self, item: str, state: str) -> bool:
        """Whether the network has confirmed that state to Holdfast."""
        sql = "select confirmed_state from hf_item where external_id = %s"
        return bool(self.value(sql, item) == state)

    def happened(self, item: str, kind: str) -> int:
        """How often the network itself did something with an item."""
        return sum(
            each["kind"] == kind for each in self.stage.plaza.events(item)["events"]
        )

    def finished_referrals(self, item: str) -> list[str]:
        """The referrals of the item's case that the double has finished."""
        numbers = self.rows(
            "select r.external_id from hf_referral r"
            " join hf_case_item p on p.case_id = r.case_id"
            " join hf_item i on i.id = p.item_id"
            " where i.external_id = %s and r.state = 'finished'",
            item,
        )
        ours = {row[0] for row in numbers}
        return [
            str(each["id"])
            for each in self.stage.double.reports()
            if each["status"] == "finished" and str(each["id"]) in ours
        ]

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the installation's database."""
        address = self.stage.environment["DATABASE_URL"]
        with psycopg.connect(address, connect_timeout=5) as connection:
            return connection.execute(sql.encode(), values).fetchall()

    def value(self, sql: str, *values: Any) -> Any:
        """The first value of a query, None if it has no row."""
        rows = self.rows(sql, *values)
        return rows[0][0] if rows else None

    def until(
        self, happened: Callable[[], bool], what: str, wait_s: float = WAIT_S
    ) -> float:
        """Wait for something, however much is down meanwhile; seconds it took."""
        began = time.monotonic()
        while True:
            try:
                if happened():
                    return time.monotonic() - began
            except (httpx.HTTPError, psycopg.OperationalError, ConnectionError):
                pass  # Whatever was killed is not back yet.
            assert time.monotonic() - began < wait_s, f"not within {wait_s:g} s: {what}"
            time.sleep(0.05)

    def whole(self) -> bool:
        """Whether every part of the installation is up."""
        running = self.stage.supervisor.pids()
        health = httpx.get(f"{self.stage.holdfast_url}/healthz", trust_env=False)
        return set(self.stage.programs) <= set(running) and health.is_success

    # What goes wrong.

    def kill(self, victim: str) -> None:
        """SIGKILL: ``worker``, ``web`` or ``database``."""
        os.kill(self.pid(victim), signal.SIGKILL)

    def pid(self, name: str) -> int:
        """The process behind a name, once there is one.

        A worker whose database was killed may end a while after the database is back,
        and is away for the supervisor's pause.
        """
        if name == "database":
            place = places.read_place(Path(self.stage.folder) / "postgres")
            assert place is not None
            return int((place.data / "postmaster.pid").read_text().split()[0])
        long = _long(name)
        running = self.stage.supervisor.pids
        self.until(lambda: long in running(), f"{name} runs")
        return running()[long]

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """A process stands still (SIGSTOP) inside the block."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            if self.stage.supervisor.pids().get(_long(name)) == pid:
                os.kill(pid, signal.SIGCONT)


def _long(name: str) -> str:
    return {"worker": "worker-1", "double": "cybertipline-double"}.get(name, name)
