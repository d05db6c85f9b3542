"""Clocks: they run from receipt, alarm before the breach, and record it for ever.

A deadline that passes never thaws and never removes: it pages people.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.base.events import Kind, alarm, emit
from holdfast.base.rows import insert_missing
from holdfast.intake.models import Report
from holdfast.intake.queries import told_by
from holdfast.policy import queries as policies
from holdfast.policy.rules import Category, Policy, ReportFacts
from holdfast.triage.models import Case, CaseState, Deadline
from holdfast.triage.rules import warn_at


def start_clocks(
    case: Case,
    category: Category,
    policy: Policy,
    report: Report | None,
    *,
    runs_from: datetime,
) -> None:
    """Every clock runs from receipt; where all is decided, none has to run.

    Nor is any shown: whoever reports what was decided before is told so, and nothing is
    promised to them.
    """
    if case.state == CaseState.DECIDED:
        return
    facts = facts_of(report) if report else ReportFacts()
    # A clock that runs already runs on as it is.
    insert_missing(
        Deadline(
            case=case,
            report_id=report.id if report else None,
            round=case.round,
            code=each.code,
            shown_to_reporter=each.shown,
            runs_from=runs_from,
            due_at=runs_from + timedelta(hours=each.hours),
        )
        for each in policy.clocks_of(category, facts)
    )


def bring_forward(case: Case, category: Category, report: Report) -> None:
    """A reporter told more: clocks may start or become shorter, never longer.

    They run from receipt. One that would have run out before anybody could know of it
    runs from now.
    """
    now = clock.now()
    mine = Deadline.objects.filter(report_id=report.id)
    for each in policies.current().clocks_of(category, facts_of(report)):
        span = timedelta(hours=each.hours)
        runs_from = report.received_at if report.received_at + span > now else now
        known = mine.filter(code=each.code)
        if known.exists():
            later = known.filter(met_at=None, due_at__gt=runs_from + span)
            later.update(runs_from=runs_from, due_at=runs_from + span)
        elif case.state != CaseState.DECIDED:
            Deadline.objects.create(
                case=case,
                report_id=report.id,
                round=case.round,
                code=each.code,
                shown_to_reporter=each.shown,
                runs_from=runs_from,
                due_at=runs_from + span,
            )


def facts_of(report: Report) -> ReportFacts:
    """What the policy may know of a report."""
    told = told_by(report)
    return ReportFacts(
        claims=told.claims,
        police_number=told.police_number,
        in_danger_now=told.in_danger_now,
        channel=told.channel,
        forms=[str(each.form) for each in told.forms],
    )


def watch_deadlines() -> None:
    """Warn of clocks that run out and record those that have."""
    now = clock.now()
    share = policies.current().warn_at_share
    running = Deadline.objects.filter(met_at=None).exclude(breached_at__isnull=False)
    for deadline in running.order_by("due_at"):
        if deadline.due_at <= now:
            _mark(deadline, "breached_at", Kind.DEADLINE_BREACHED, now)
        elif deadline.warned_at is None and now >= warn_at(
            deadline.runs_from, deadline.due_at, share
        ):
            _mark(deadline, "warned_at", Kind.DEADLINE_NEAR, now)


def _mark(deadline: Deadline, column: str, kind: Kind, at: datetime) -> None:
    with transaction.atomic():
        marked = Deadline.objects.filter(
            id=deadline.id, met_at=None, **{f"{column}__isnull": True}
        ).update(**{column: at})
        if not marked:
            return
        about = {"case": deadline.case_id, "deadline": deadline.id}
        emit(kind, about=about, facts={"code": deadline.code}, by=SYSTEM)
        alarm(kind.value, about=about, facts={"deadline_code": deadline.code})
