"""The import itself: workers on all cores, so much under way and no more.

Each outcome is in the journal before the next work is given out. When Holdfast does
not answer, everything waits and is tried again; when it has not answered at all, or for
long, the run ends and says so. A worker that dies over a file costs that file its check
and nothing else.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from multiprocessing import forkserver, resource_tracker
from types import FrameType
from typing import Any

from holdfast.base.errors import Unavailable
from holdfast.cli.importing.journal import Journal, Outcome, State, Unit
from holdfast.cli.importing.work import Orders, begin, do

AT_ONCE = 50
"""Items of one request where Holdfast fetches the files; uploads go one by one."""
UNDER_WAY = 2
"""Pieces of work given out for each worker: one in hand, and the next."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
FIRST_TRIES = 5
"""Tries before the first answer; then address or key are taken for wrong."""
GIVE_UP_S = 600.0
"""How long nothing may be accepted before the run ends, to be taken up later."""
DEAD_IN_A_ROW = 3
"""Items over which a worker dies even without decoding; then it is not the items."""
_LOOK_EVERY_S = 0.2

Tell = Callable[[Outcome], None]
Batch = tuple[Unit, ...]


class Stop:
    """Ctrl-C and the like, heard for as long as this is entered, and never lost.

    An exception that is raised while the interpreter calls back from C is dropped, and
    Ctrl-C with it; what was asked for is written down here as well.
    """

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._in_order = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def in_order(self) -> Iterator[None]:
        """Within this block the first one only asks; a second is in a hurry."""
        self._in_order = True
        try:
            yield
        finally:
            self._in_order = False

    def _hear(self, number: int, frame: FrameType | None) -> None:
        is_first = not self.asked.is_set()
        self.asked.set()
        if not (is_first and self._in_order):
            raise KeyboardInterrupt


class Run:
    """One run over what waits in a journal; use it once."""

    def __init__(
        self, journal: Journal, orders: Orders, stop: Stop, *, workers: int, tell: Tell
    ) -> None:
        self._journal = journal
        self._orders = orders
        self._workers = workers
        self._tell = tell
        self._stop = stop
        self._stopped = stop.asked
        self._under_way: dict[Future[list[Outcome]], Batch] = {}
        self._again: deque[Batch] = deque()
        self._heard_at: float | None = None
        self._failures = 0
        self._not_before = 0.0
        self._exhausted = False

    def go(self) -> bool:
        """Register everything that waits; False when somebody stopped it.

        Raises ``Unavailable`` when Holdfast does not answer.
        """
        work = self._batches(self._journal.waiting())
        with self._stop.in_order():
            self._pool = self._new_pool(self._workers)
            try:
                while True:
                    self._give_out(work)
                    if not self._under_way and (self._stopped.is_set() or self._idle):
                        break
                    self._take_in()
            except KeyboardInterrupt:
                # Somebody is in a hurry. What is under way is sent again next time.
                for worker in list(self._pool._processes.values()):
                    worker.kill()
                raise
            finally:
                self._pool.shutdown(wait=False, cancel_futures=True)
        return not self._stopped.is_set()

    @property
    def _idle(self) -> bool:
        return self._exhausted and not self._again

    def _batches(self, units: Iterable[Unit]) -> Iterator[Batch]:
        rest = iter(units)
        size = AT_ONCE if self._orders.base_url else 1
        while batch := tuple(islice(rest, size)):
            yield batch

    def _give_out(self, work: Iterator[Batch]) -> None:
        # Until Holdfast has answered once, one piece tries the address and the key.
        known = self._heard_at is not None or not self._orders.url
        room = self._workers * UNDER_WAY if known else 1
        while len(self._under_way) < room and not self._stopped.is_set():
            if time.monotonic() < self._not_before:
                return
            batch = self._again.popleft() if self._again else next(work, None)
            if batch is None:
                self._exhausted = True
                return
            self._under_way[self._pool.submit(do, batch)] = batch

    def _take_in(self) -> None:
        if not self._under_way:
            self._stopped.wait(_LOOK_EVERY_S)
            return
        done, _ = wait(self._under_way, _LOOK_EVERY_S, FIRST_COMPLETED)
        for future in done:
            batch = self._under_way.get(future)
            if batch is None:
                continue
            try:
                outcomes = future.result()
            except BrokenProcessPool:
                self._find_who_died()
                return
            del self._under_way[future]
            self._settle(batch, outcomes)

    def _settle(self, batch: Batch, outcomes: list[Outcome]) -> None:
        left = []
        for unit, outcome in zip(batch, outcomes, strict=True):
            if outcome.state == State.WAITING:
                left.append(unit)
                continue
            if not unit.check:
                reasons = ("not_checked: its decoder died",) * len(unit.files)
                outcome = replace(outcome, reasons=reasons)
            self._journal.settle(unit, outcome)
            self._tell(outcome)
            if outcome.state == State.REGISTERED:
                self._heard()
        if left:
            self._again.append(tuple(left))
            why = next(o.why for o in outcomes if o.state == State.WAITING)
            self._pause(why)

    def _heard(self) -> None:
        self._heard_at = time.monotonic()
        self._failures = 0

    def _pause(self, why: str) -> None:
        now = time.monotonic()
        if now < self._not_before:
            return  # Others failed at the same time, for the same reason.
        self._failures += 1
        too_long = (
            self._failures >= FIRST_TRIES
            if self._heard_at is None
            else now - self._heard_at > GIVE_UP_S
        )
        if too_long:
            raise Unavailable(
                f"At {self._orders.url}: {why} What is registered stays so; run the"
                " same command again. HOLDFAST_URL or --url name another address."
            )
        pause_s = FIRST_PAUSE_S * 2.0 ** min(self._failures - 1, 16)
        self._not_before = now + min(pause_s, LONGEST_PAUSE_S)

    def _find_who_died(self) -> None:
        """A worker died, and all that was under way with it: one by one again."""
        suspects = [unit for batch in self._under_way.values() for unit in batch]
        self._under_way.clear()
        self._pool.shutdown(wait=False)
        dead = 0
        for unit in suspects:
            for tried in (unit, replace(unit, check=False)):
                if self._alone(tried):
                    dead = 0
                    break
            else:
                dead += 1
                if dead == DEAD_IN_A_ROW:
                    raise Unavailable("The workers die whatever they are given.")
                why = "unreadable: the program that reads it dies"
                outcome = Outcome(unit.item, State.REFUSED, why=why)
                self._journal.settle(unit, outcome)
                self._tell(outcome)
        self._pool = self._new_pool(self._workers)

    def _alone(self, unit: Unit) -> bool:
        """Do one item in a worker of its own; False when that dies."""
        pool = self._new_pool(1)
        try:
            outcomes = pool.submit(do, (unit,)).result()
        except BrokenProcessPool:
            return False
        finally:
            pool.shutdown(wait=False)
        self._settle((unit,), outcomes)
        return True

    def _new_pool(self, workers: int) -> ProcessPoolExecutor:
        # Not "fork": threads and connections of this process are not to be copied.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["holdfast.cli.importing.work"])
        # Ctrl-C reaches every process of the terminal. Who begins with it blocked, and
        # all that it begets, leaves it to this one, from its first moment on.
        # The tracker first: to start it unblocks the signal again.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return ProcessPoolExecutor(
            workers, mp_context=context, initializer=begin, initargs=(self._orders,)
        )
