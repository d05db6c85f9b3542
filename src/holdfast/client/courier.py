"""The courier: threads that carry what the spool holds to Holdfast.

Whoever makes a write waits for its answer at most as long as they say; the courier
goes on without them. It never gives a write up: it pauses, longer each time, and tries
again. When no connection can be made at all it pauses for everybody and whoever comes
meanwhile is told ``None`` at once, so that a Holdfast that is down delays nobody; a
report alone ends the pause, because a report is always worth a try.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass
from typing import Any

from holdfast.client.spool import UNREACHABLE, Entry, Spool, Write

_THREADS = 4
"""Writes under way at once; each subject has at most one."""

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 5.0
"""Pauses double from the first to the longest while nobody is at home, and one write
alone looks whether somebody is. A restart of Holdfast goes unnoticed so, and a long
outage costs one connection every few seconds."""

_LONGEST_WAIT_S = 60.0
_LONGEST_REPORT_WAIT_S = 5.0
"""The same for one write that got an error for an answer; a report waits less."""


@dataclass(frozen=True)
class Accepted:
    """Holdfast has it. ``left`` are the lines of a batch that it has not."""

    body: bytes
    left: tuple[tuple[Write, Mapping[str, Any] | None], ...] = ()


@dataclass(frozen=True)
class Refusal:
    """Holdfast will never have it as it is."""

    problem: Mapping[str, Any]


@dataclass(frozen=True)
class Later:
    """Not now. ``wait_s`` is what Holdfast asked for (``Retry-After``), if it did."""

    reason: str
    wait_s: float | None = None


Outcome = Accepted | Refusal | Later


class Courier:
    """Carries writes from ``spool`` through ``send``, which never raises."""

    def __init__(self, spool: Spool, send: Callable[[Write], Outcome]) -> None:
        self._spool = spool
        self._send = send
        self._wake = threading.Condition()
        self._busy: set[int] = set()
        self._waiting: dict[str, list[Future[Outcome]]] = {}
        self._pauses = 0
        self._paused_until = 0.0
        self._closed = False
        self._gone = False
        self._threads = [
            threading.Thread(target=self._run, name=f"holdfast-{number}", daemon=True)
            for number in range(_THREADS)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def reachable(self) -> bool:
        """Whether the last connection that was tried could be made."""
        return self._pauses == 0

    def hand_over(self, write: Write, patience_s: float) -> Outcome | None:
        """Keep ``write`` and wait for its outcome, ``patience_s`` at most.

        ``None`` when there is none yet. When this returns, the write is durable.
        """
        answer: Future[Outcome] = Future()
        with self._wake:
            self._waiting.setdefault(write.key, []).append(answer)
        self._spool.keep(write)
        with self._wake:
            if write.is_report:
                self._paused_until = 0.0
            elif not self.reachable:
                patience_s = 0.0
            self._wake.notify()
        try:
            return answer.result(timeout=patience_s)
        except NotInTime:
            with self._wake:
                if answer in self._waiting.get(write.key, []):
                    self._waiting[write.key].remove(answer)
                    return None
            return answer.result()  # It came in this very moment.

    def look_again(self) -> None:
        """Something in the spool may go now that could not before."""
        with self._wake:
            self._wake.notify_all()

    def close(self, timeout_s: float = 2.0) -> None:
        """Stop after what is under way; the rest stays in the spool."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout_s)
        with self._wake:
            self._gone = True  # Who is still under way may not touch the spool.

    def _run(self) -> None:
        while (entry := self._take()) is not None:
            outcome = self._send(entry.write)
            with self._wake:
                waiting = self._waiting.pop(entry.write.key, [])
                if outcome == Later(UNREACHABLE):
                    # Nobody is at home for anybody: let all go who are waiting.
                    waiting += [
                        each for all_ in self._waiting.values() for each in all_
                    ]
                    self._waiting.clear()
                if not self._gone:
                    self._settle(entry, outcome, was_awaited=bool(waiting))
                self._busy.discard(entry.seq)
                self._wake.notify_all()
            for answer in waiting:
                answer.set_result(outcome)

    def _take(self) -> Entry | None:
        """Wait for something to send; None when closed."""
        with self._wake:
            while not self._closed:
                now = time.time()
                if not self.reachable and self._busy:
                    due_at = None  # One of us is looking whether somebody is at home.
                elif now >= self._paused_until:
                    entry = self._spool.next(self._busy)
                    if entry is not None:
                        self._busy.add(entry.seq)
                        return entry
                    due_at = self._spool.next_due_at()
                else:
                    due_at = self._paused_until
                self._wake.wait(None if due_at is None else max(due_at - now, 0.01))
        return None

    def _settle(self, entry: Entry, outcome: Outcome, *, was_awaited: bool) -> None:
        if isinstance(outcome, Later) and outcome.reason == UNREACHABLE:
            self._pauses += 1
            self._paused_until = time.time() + _growing(
                _FIRST_PAUSE_S, self._pauses, _LONGEST_PAUSE_S
            )
            self._spool.failed(entry.seq, reason=outcome.reason, not_before=0.0)
            return
        self._pauses = 0
        if isinstance(outcome, Accepted):
            keep = entry.write.is_report and not was_awaited
            self._spool.accepted(
                entry.seq, answer=outcome.body if keep else None, left=outcome.left
            )
        elif isinstance(outcome, Refusal):
            self._spool.put_aside(entry.seq, outcome.problem)
        else:
            longest_s = (
                _LONGEST_REPORT_WAIT_S if entry.write.is_report else _LONGEST_WAIT_S
            )
            wait_s = outcome.wait_s or _growing(0.5, entry.attempts + 1, longest_s)
            self._spool.failed(
                entry.seq,
                reason=outcome.reason,
                not_before=time.time() + min(wait_s, longest_s),
            )


def _growing(first_s: float, tries: int, longest_s: float) -> float:
    """Doubling, and scattered a little so that not everybody returns at once."""
    return min(first_s * 2.0 ** min(tries - 1, 16), longest_s) * random.uniform(0.8, 1)
