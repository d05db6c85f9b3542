"""How reports come to the doors in ``brigade_day``: as people and programs send them.

By the portal's pages, one after the other, each visit with a browser and an address of
its own; or by the platform's API with its key, as an account of the platform. Each is
an HTTP request to the whole program, middleware and all, which is called within this
process, so that its clock can be moved. What the doors hold up is counted and not
waited for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from django.test import Client

from holdfast.web import waiting
from holdfast.web.portal import door
from holdfast_bench.brigade import READS_S, Arrival

_ONCE = re.compile(r'name="once"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="once"')


@dataclass
class Doors:
    """The two doors of one installation; ``at`` moves the clock."""

    key: str
    at: Callable[[float], Any]
    held_up_s: float = 0.0
    """For how long receipts and answers were held up, all together."""
    sent: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        # In this process alone; every door waits there.
        instead = SimpleNamespace(sleep=self._hold_up)
        waiting.time = instead  # type: ignore[assignment, attr-defined]  # Its module ``time``.

    def report(self, each: Arrival) -> None:
        """Send one report. Raises ``RuntimeError`` for one that is not taken in."""
        self.sent += 1
        if each.account:
            self._by_api(each)
        else:
            self._by_pages(each)

    def _by_pages(self, each: Arrival) -> None:
        visitor = Client(REMOTE_ADDR=each.address, SERVER_NAME="127.0.0.1")
        reads_s = 0.0 if each.is_program else READS_S
        with self.at(each.at_s - 2 * reads_s):
            visitor.get("/")
        with self.at(each.at_s - reads_s):
            visitor.post("/", {"category": each.category})
            page = visitor.get("/report/where").content.decode()
        once = _ONCE.search(page)
        given = {
            "category": each.category,
            "address": each.url,
            "once": (once[1] or once[2]) if once else "",
        }
        if each.is_program:
            # It fills in all that it finds.
            given[door.HONEYPOT] = "https://spam.example"
        with self.at(each.at_s):
            answer = visitor.post("/report/where", given)
        if answer.status_code != 302 or "received" not in answer["Location"]:
            raise RuntimeError(f"a report was not taken in: {answer.status_code}")

    def _by_api(self, each: Arrival) -> None:
        body = {
            "targets": [{"url": each.url}],
            "category": each.category,
            "reporter": each.account,
            "claims": list(each.claims),
        }
        with self.at(each.at_s):
            answer = Client(SERVER_NAME="127.0.0.1").post(
                "/api/v1/reports",
                json.dumps(body),
                content_type="application/json",
                headers={
                    "Authorization": f"Bearer {self.key}",
                    "Idempotency-Key": f"report-{self.sent}",
                },
            )
        if answer.status_code != 201:
            raise RuntimeError(f"a report was not taken in: {answer.status_code}")

    def _hold_up(self, seconds: float) -> None:
        self.held_up_s += seconds
