"""Events: the one way in which a stage makes the next one act.

:func:`emit` writes an event, runs its ``at_once`` steps inside the caller's
transaction, and enqueues its ``soon`` steps in that same transaction as durable jobs.
Which steps follow which event is said in ``flow.py`` and nowhere else. This is the
only module that enqueues. Every step may run twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from django.db import connection, transaction
from procrastinate.contrib.django import app as jobs
from procrastinate.jobs import Job
from procrastinate.types import JSONValue

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By
from holdfast.base.models import Event as Event
from holdfast.base.rows import insert

log = logging.getLogger(__name__)

Step = Callable[[Event], None]
About = Mapping[str, UUID | int | str | None]
Tick = Callable[[], None]

STEP_TASK, SPREAD_TASK = "holdfast.step", "holdfast.spread"
QUEUE, SLOW_QUEUE = "steps", "slow"
ALARM_AFTER_ATTEMPTS = 3
"""A step that failed this often is an alarm; it is tried again all the same."""
AGAIN_EVERY = 24
"""And an alarm again after so many more: at a quarter of an hour each, six hours."""


class Kind(StrEnum):
    """Every kind of event, ``noun.past``, in the order of a report's life."""

    PLATFORM_REGISTERED = "platform.registered"
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    ACTOR_REGISTERED = "actor.registered"
    ITEM_REGISTERED = "item.registered"
    ITEM_CHANGED = "item.changed"
    ITEM_DELETED = "item.deleted"
    REPORT_RECEIVED = "report.received"
    REPORT_SET_ASIDE = "report.set_aside"
    REPORT_KEPT_ASIDE = "report.kept_aside"
    REPORT_EXTENDED = "report.extended"
    REPORT_CHALLENGED = "report.challenged"
    CONTACT_GIVEN = "contact.given"
    CONTACT_CONFIRMED = "contact.confirmed"
    REPORT_WITHDRAWN_CONTACT = "report.contact_withdrawn"
    CODENAME_CHANGED = "codename.changed"
    FLAGGER_ADDED = "flagger.added"
    FLAGGER_CHANGED = "flagger.changed"
    MAIL_RECEIVED = "mail.received"
    MAIL_IGNORED = "mail.ignored"
    ITEM_FINGERPRINTED = "item.fingerprinted"
    ITEM_DESCRIBED = "item.described"
    ITEM_COMPARED = "item.compared"
    MEDIA_REFUSED = "media.refused"
    VIDEO_POSTPONED = "video.postponed"
    BANK_OPENED = "bank.opened"
    BANK_ENTERED = "bank.entered"
    BANK_REVOKED = "bank.revoked"
    BANK_BLOCKED = "bank.blocked"
    BANK_UNBLOCKED = "bank.unblocked"
    BANK_IMPORTED = "bank.imported"
    BANK_EXPORTED = "bank.exported"
    WATCH_STARTED = "watch.started"
    WATCH_ENDED = "watch.ended"
    EXCHANGE_ADDED = "exchange.added"
    EXCHANGE_SYNCED = "exchange.synced"
    MATCH_FOUND = "match.found"
    MATCH_WITHDRAWN = "match.withdrawn"
    CASE_OPENED = "case.opened"
    CASE_JOINED = "case.joined"
    CASE_MERGED = "case.merged"
    CASE_REOPENED = "case.reopened"
    COPY_COVERED = "copy.covered"
    COPY_CONFIRMED = "copy.confirmed"
    COPY_REJECTED = "copy.rejected"
    COPIES_SOUGHT = "copies.sought"
    CASE_RECLASSIFIED = "case.reclassified"
    DEADLINE_NEAR = "deadline.near"
    DEADLINE_BREACHED = "deadline.breached"
    ITEM_FROZEN = "item.frozen"
    ITEM_THAWED = "item.thawed"
    CONTACT_HELD = "contact.held"
    CONTACT_RELEASED = "contact.released"
    CASE_CLAIMED = "case.claimed"
    CASE_RELEASED = "case.released"
    ITEM_REVEALED = "item.revealed"
    CASE_NOTED = "case.noted"
    CASE_READ = "case.read"
    CASE_DECIDED = "case.decided"
    STATEMENT_DUE = "statement.due"
    ENFORCEMENT_PLANNED = "enforcement.planned"
    DELIVERY_ORDERED = "delivery.ordered"
    DELIVERY_CONFIRMED = "delivery.confirmed"
    REFERRAL_OPENED = "referral.opened"
    REFERRAL_DECLINED = "referral.declined"
    REFERRAL_FINISHED = "referral.finished"
    AUTHORITY_WENT_LIVE = "authority.went_live"
    ORIGINAL_SEALED = "original.sealed"
    NOTIFICATION_MADE = "notification.made"
    LETTER_SENT = "letter.sent"
    REPORTER_ASKED = "reporter.asked"
    REPORTER_WROTE = "reporter.wrote"
    REPORTER_ERASED = "reporter.erased"
    ALARM_RAISED = "alarm.raised"
    ALARM_ACKNOWLEDGED = "alarm.acknowledged"
    ALARM_ESCALATED = "alarm.escalated"
    STAFF_ADDED = "staff.added"
    STAFF_CHANGED = "staff.changed"
    STAFF_SIGNED_IN = "staff.signed_in"
    GUEST_CHANGED = "guest.changed"
    GUEST_SIGNED_IN = "guest.signed_in"
    SIGN_IN_REFUSED = "staff.sign_in_refused"
    MISUSE_WARNED = "misuse.warned"
    REPORTING_SUSPENDED = "reporting.suspended"
    REPORTING_RESUMED = "reporting.resumed"
    POLICY_ADOPTED = "policy.adopted"


@dataclass(frozen=True)
class On:
    """What follows an event: inside its transaction, and as jobs."""

    kind: Kind
    at_once: tuple[Step, ...] = ()
    soon: tuple[Step, ...] = ()
    priority: int = 0
    """Jobs of a higher priority are taken first."""
    slow: bool = False
    """Jobs that take seconds of a processor run apart, and hold no other up."""


class BulkStep(Protocol):
    """A step that takes any number of events of one kind."""

    def __call__(self, *events: Event) -> None: ...


@dataclass(frozen=True)
class Telling:
    """What one of many events is about."""

    about: About
    facts: Mapping[str, Any] = field(default_factory=dict)
    cause: Event | None = None
    """The event that this follows from; by default the one whose step is running."""
    kept: Mapping[str, Any] = field(default_factory=dict)
    """What the event's ``at_once`` steps need not read again; see ``Event.kept``."""


@dataclass(frozen=True)
class Every:
    """What is done again and again: each ``steps`` member every ``seconds``."""

    seconds: int
    steps: tuple[Tick, ...] = field(default=())


def on(
    kind: Kind,
    *,
    at_once: Sequence[Step] = (),
    soon: Sequence[Step] = (),
    priority: int = 0,
    slow: bool = False,
) -> On:
    """One line of the flow."""
    return On(kind, tuple(at_once), tuple(soon), priority, slow)


def every(seconds: int, *steps: Tick) -> Every:
    """One line of the flow: work that follows the clock and not an event."""
    return Every(seconds, steps)


def step_name(step: Callable[..., object]) -> str:
    """How a step is named in a job: its module below ``holdfast`` and its name."""
    return f"{step.__module__.removeprefix('holdfast.')}.{step.__name__}"


_flow: dict[str, On] = {}
_steps: dict[str, Step] = {}
_bulk: set[Step | BulkStep] = set()
_cause: ContextVar[Event | None] = ContextVar("holdfast_cause", default=None)
_wanted: ContextVar[list[Job] | None] = ContextVar("holdfast_jobs", default=None)


def register(lines: Iterable[On]) -> None:
    """Take the flow in; called once, by ``AppConfig.ready()``."""
    _flow.clear()
    for line in lines:
        if line.kind in _flow:
            raise ValueError(f"{line.kind} stands twice in the flow")
        _flow[line.kind] = line
        _steps.update({step_name(step): step for step in line.soon})


def in_bulk(step: BulkStep) -> BulkStep:
    """Mark a step that takes any number of events of one kind at a time.

    A report can freeze thousands of copies in its transaction; what follows for each
    of them is then done in a few statements for all. Among the ``soon`` steps, such a
    one is enqueued once, with the first of the events, and looks itself for the rest.
    """
    _bulk.add(step)
    return step


def emit(
    kind: Kind,
    *,
    about: About,
    facts: Mapping[str, Any] | None = None,
    by: By,
    later_s: int = 0,
    kept: Mapping[str, Any] | None = None,
) -> Event:
    """Write down that something happened, and make happen what follows.

    Must be called inside a transaction: the event, its ``at_once`` steps and the jobs
    for its ``soon`` steps are stored with it or not at all. ``later_s`` holds the jobs
    back, for a caller that runs them itself after its commit (see :func:`settle`) and
    keeps the jobs as a safety net. ``kept``: what its steps need not read again.
    """
    told = [Telling(about, facts or {}, kept=kept or {})]
    [event] = emit_many(kind, told, by=by, later_s=later_s)
    return event


def emit_many(
    kind: Kind, told: Sequence[Telling], *, by: By, later_s: int = 0
) -> list[Event]:
    """The same as :func:`emit` for many things at once, in a few statements."""
    if not connection.in_atomic_block:
        raise RuntimeError("emit() belongs inside the transaction that it tells of.")
    if not told:
        return []
    with _enqueued_together() as wanted:
        return _tell(kind, told, wanted, by=by, later_s=later_s)


def _tell(
    kind: Kind, told: Sequence[Telling], wanted: list[Job], *, by: By, later_s: int
) -> list[Event]:
    at = clock.now()
    events = insert(
        Event(
            kind=kind,
            at=at,
            by=str(by),
            about={k: _plain(v) for k, v in each.about.items() if v is not None},
            facts=dict(each.facts),
            cause=each.cause or _cause.get(),
        )
        for each in told
    )
    for event, each in zip(events, told, strict=True):
        event.kept.update(each.kept)
    line = _flow.get(kind)
    if line is None:
        return events
    for step in line.at_once:
        if step in _bulk:
            with caused_by(events[0]):
                step(*events)
            continue
        for event in events:
            with caused_by(event):
                step(event)
    wanted += _jobs(line, events, later_s)
    return events


def alarm(
    code: str,
    *,
    about: About,
    facts: Mapping[str, Any] | None = None,
    by: By = SYSTEM,
) -> Event:
    """Raise an alarm from any stage: people are paged until somebody acknowledges."""
    with transaction.atomic():
        return emit(
            Kind.ALARM_RAISED, about=about, facts={"code": code, **(facts or {})}, by=by
        )


def alarm_stands(code: str, about: Mapping[str, str]) -> bool:
    """Whether an alarm about this was raised and nobody has acknowledged it since."""
    last = (
        Event.objects.filter(
            kind__in=(Kind.ALARM_RAISED, Kind.ALARM_ACKNOWLEDGED),
            facts__code=code,
            about__contains=dict(about),
        )
        .order_by("-id")
        .first()
    )
    return last is not None and last.kind == Kind.ALARM_RAISED


def settle(event: Event, through: frozenset[Kind]) -> None:
    """Run an event's ``soon`` steps here and now, after its commit.

    Follows the events that those steps emit as long as their kind is in ``through``.
    The jobs stay as they are: should this process die half-way, they finish the work.
    """
    line = _flow.get(event.kind)
    if line is None or event.kind not in through:
        return
    for step in line.soon:
        with caused_by(event):
            step(event)
    for next_event in Event.objects.filter(cause=event, kind__in=through).order_by(
        "id"
    ):
        settle(next_event, through)


def run_step(event_id: int, name: str, attempts: int) -> None:
    """Run one ``soon`` step as a job; a failure is kept, counted and alarmed."""
    event = Event.objects.get(id=event_id)
    try:
        with caused_by(event):
            _steps[name](event)
    except Exception:
        log.exception(
            "step failed step=%s event=%s attempts=%s", name, event_id, attempts
        )
        if attempts + 1 == ALARM_AFTER_ATTEMPTS or (attempts + 1) % AGAIN_EVERY == 0:
            alarm(
                "step.failing", about={**event.about, "step": name, "event": event_id}
            )
        raise


def caused_by(event: Event) -> AbstractContextManager[None]:
    """Within this block, events that are emitted name ``event`` as their cause."""
    return _caused_by(event)


@contextmanager
def _caused_by(event: Event) -> Any:
    token = _cause.set(event)
    try:
        yield
    finally:
        _cause.reset(token)


@contextmanager
def _enqueued_together() -> Iterator[list[Job]]:
    """The jobs of an event and of all that its steps emit, enqueued in one statement.

    What fails takes its jobs with it, as it takes its event.
    """
    outer = _wanted.get()
    if outer is not None:
        before = len(outer)
        try:
            yield outer
        except BaseException:
            del outer[before:]
            raise
        return
    wanted: list[Job] = []
    token = _wanted.set(wanted)
    try:
        yield wanted
    finally:
        _wanted.reset(token)
    if wanted:
        jobs.job_manager.batch_defer_jobs(wanted)


def _jobs(line: On, events: Sequence[Event], later_s: int) -> Iterator[Job]:
    """One job for each ``soon`` step.

    A bulk step finds itself what else was told. Any other is a job for each event; of
    many, one job enqueues them, for that takes longer than a report may wait.
    """
    ids: list[JSONValue] = [event.id for event in events]
    for step in line.soon:
        name = step_name(step)
        is_one = step in _bulk or len(ids) == 1
        deferrer = jobs.configure_task(
            STEP_TASK if is_one else SPREAD_TASK,
            queue=SLOW_QUEUE if line.slow else QUEUE,
            priority=line.priority,
            schedule_in={"seconds": later_s} if later_s else None,
        )
        if is_one:
            yield deferrer.make_new_job(event_id=ids[0], name=name)
        else:
            yield deferrer.make_new_job(event_ids=ids, name=name)


def _plain(value: UUID | int | str | None) -> int | str:
    return value if isinstance(value, int) else str(value)
