"""The worker: how steps are run, retried and taken up again, and what recurs.

A job whose worker was killed stays ``doing`` for ever in procrastinate, so a reaper
looks for such jobs every few seconds and hands them out again. A failing step is
retried with a growing pause and never given up: it is an alarm long before that. What
the flow says recurs is run by one worker of the installation at a time, chosen by an
advisory lock, so that any number of workers may run.

There are two lanes. What takes seconds of a processor waits in the slow one, for a
thread of its own in each worker, so that it never holds up what hides something; and
each lane's jobs are retried and handed out again in it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from django.db import Error, close_old_connections, connection, transaction
from procrastinate import BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.contrib.django import app as jobs
from procrastinate.jobs import Job

from holdfast.base import clock
from holdfast.base.events import (
    ALARM_AFTER_ATTEMPTS,
    QUEUE,
    SLOW_QUEUE,
    SPREAD_TASK,
    STEP_TASK,
    Every,
    Tick,
    alarm,
    run_step,
    step_name,
)

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 1
LONGEST_PAUSE_S = 900
CONCURRENCY = 4
"""Steps that one worker runs at a time, each in a thread of its own."""
SLOW_CONCURRENCY = 1
"""Slow steps that it runs beside those: they take seconds of a processor."""
POLL_S = 0.2
HEARTBEAT_S = 2
STALLED_AFTER_S = 6
"""A worker without a sign of life for this long is taken to be dead."""
REAP_EVERY_S = 2
SHUTDOWN_S = 10


class NeverGiveUp(BaseRetryStrategy):
    """Twice the pause after each failure, up to a quarter of an hour, for ever."""

    def get_retry_decision(
        self, *, exception: BaseException, job: Job
    ) -> RetryDecision:
        pause_s = min(FIRST_PAUSE_S * 2 ** min(job.attempts, 12), LONGEST_PAUSE_S)
        return RetryDecision(retry_in={"seconds": pause_s})


@jobs.task(name=STEP_TASK, pass_context=True, retry=NeverGiveUp())
def step(context: JobContext, event_id: int, name: str) -> None:
    """Run one step of the flow for one event."""
    with _connected(context):
        run_step(event_id, name, context.job.attempts)


@jobs.task(name=SPREAD_TASK, pass_context=True, retry=NeverGiveUp())
def spread(context: JobContext, event_ids: list[int], name: str) -> None:
    """Enqueue one step for each of many events, which are retried each by itself."""
    deferrer = jobs.configure_task(
        STEP_TASK, queue=context.job.queue, priority=context.job.priority
    )
    with _connected(context), transaction.atomic():
        jobs.job_manager.batch_defer_jobs(
            [deferrer.make_new_job(event_id=each, name=name) for each in event_ids]
        )


@contextmanager
def _connected(context: JobContext) -> Iterator[None]:
    close_old_connections()
    try:
        yield
    finally:
        if context.additional_context.get("once"):
            connection.close()
        close_old_connections()


def reap() -> None:
    """Hand out again what a dead worker was doing."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT job.id FROM procrastinate_jobs job
            LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
            WHERE job.status = 'doing' AND (worker.id IS NULL OR
                  worker.last_heartbeat < now() - make_interval(secs => %s))
            """,
            [STALLED_AFTER_S],
        )
        stalled = [row[0] for row in cursor.fetchall()]
    for job_id in stalled:
        log.warning("job taken up again job=%s", job_id)
        jobs.job_manager.retry_job_by_id(job_id, retry_at=clock.now())


class Clockwork:
    """Runs what recurs, each thing on one worker of the installation at a time.

    Every tick has a thread of its own, so that one that waits for a network holds back
    no other.
    """

    def __init__(self, ticks: Sequence[Every]) -> None:
        self._stopped = threading.Event()
        lines = [*ticks, Every(REAP_EVERY_S, (reap,))]
        self._threads = [
            threading.Thread(
                target=self._run, args=(tick, line.seconds), name=step_name(tick)
            )
            for line in lines
            for tick in line.steps
        ]

    def start(self) -> None:
        """Begin all ticks."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the ticks in hand and end."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _run(self, tick: Tick, pause_s: int) -> None:
        while not self._stopped.wait(pause_s):
            run_tick(tick)
        connection.close()


def run_tick(tick: Tick) -> None:
    """Run one recurring step unless another worker is at it; a failure is logged.

    The lock lives as long as the transaction that holds it, and ticks open their own
    transactions, so the lock is one of the session and is given back by name.
    """
    key = f"holdfast.tick.{step_name(tick)}"
    try:
        close_old_connections()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [key])
            row = cursor.fetchone()
            if not row or not row[0]:
                return
            try:
                tick()
            finally:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [key])
    except Exception:
        log.exception("tick failed tick=%s", key)
        if not connection.in_atomic_block:
            connection.close()
        _count_failure(step_name(tick))
    else:
        _failures.pop(step_name(tick), None)


_failures: dict[str, int] = {}
"""How often each tick has failed in a row, in this process."""


def _count_failure(tick: str) -> None:
    """Raise an alarm when a tick fails again and again; it is run all the same."""
    _failures[tick] = _failures.get(tick, 0) + 1
    if _failures[tick] != ALARM_AFTER_ATTEMPTS:
        return
    try:
        alarm("tick.failing", about={"tick": tick})
    except Error:
        # Without a database nobody can be told yet: the next failure tries again.
        _failures[tick] -= 1
        log.exception("alarm not raised tick=%s", tick)


def run_worker(ticks: Sequence[Every], *, concurrency: int = CONCURRENCY) -> None:
    """Work until told to stop (SIGINT, SIGTERM); running steps are finished first."""
    clockwork = Clockwork(ticks)
    clockwork.start()
    try:
        asyncio.run(_work(wait=True, concurrency=concurrency))
    finally:
        clockwork.stop()


def drain() -> None:
    """Run every job that is due, in this process, and come back; for tests.

    In a thread of its own: the caller's may have a loop that runs already.
    """
    with ThreadPoolExecutor(1, "drain") as thread:
        thread.submit(asyncio.run, _work(wait=False, concurrency=1)).result()


async def _work(*, wait: bool, concurrency: int) -> None:
    """Two lanes, of which a slow step never takes the place of another; once, one."""
    connector = jobs.connector.get_worker_connector()  # type: ignore[attr-defined]  # The Django connector has it, its base class does not say so.
    app = jobs.with_connector(connector)

    async def lane(queues: list[str], concurrency: int, *, signals: bool) -> None:
        await app.run_worker_async(
            queues=queues,
            concurrency=concurrency,
            wait=wait,
            fetch_job_polling_interval=POLL_S,
            shutdown_graceful_timeout=SHUTDOWN_S,
            delete_jobs="successful",
            update_heartbeat_interval=HEARTBEAT_S,
            stalled_worker_timeout=STALLED_AFTER_S,
            install_signal_handlers=signals,
            additional_context={"once": not wait},
        )

    async with app.open_async():
        if not wait:
            await lane([QUEUE, SLOW_QUEUE], concurrency, signals=False)
            return
        lanes = [
            asyncio.create_task(lane([QUEUE], concurrency, signals=True)),
            asyncio.create_task(lane([SLOW_QUEUE], SLOW_CONCURRENCY, signals=False)),
        ]
        # A signal ends the first, a failure either; the other then finishes and ends.
        ended, others = await asyncio.wait(lanes, return_when=asyncio.FIRST_COMPLETED)
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for each in ended:
            each.result()
