"""What a flagger may read of its own reports: as much as any reporter, and no more.

Every line is made of what ``queries.status_of`` says of one report, and a decision of
the message that told it (``matrix``): whoever may not be told, cannot read it here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.base.by import By, Permission
from holdfast.intake.flagger_people import flagger_of
from holdfast.intake.models import Flag
from holdfast.notifications.queries import ClockLine, ReportStatus, status_of
from holdfast.triage.models import CaseState, CaseTarget

PAGE = 25
"""Reports on one page of the list."""
FOUND = {
    "violation": "violation",
    "violation_known": "violation",
    "violation_unseen": "violation",
    "no_violation": "no_violation",
    "no_violation_unseen": "no_violation",
}
"""What a message of ``matrix`` says that people decided, by its template."""


@dataclass(frozen=True)
class OwnReport:
    """One report of an organisation, on its own page."""

    number: str
    reference: str
    category: str
    had_priority: bool
    withdrawn_at: datetime | None
    status: ReportStatus
    decision: str
    """``violation``, ``no_violation``, or blank: nobody has been told of one."""
    decided_at: datetime | None
    next_clock: ClockLine | None
    """The earliest clock that still runs."""


@dataclass(frozen=True)
class OwnReports:
    """One page of them, the newest first."""

    lines: tuple[OwnReport, ...]
    page: int
    pages: int
    total: int


def own_reports(*, page: int = 1, only: str = "", by: By) -> OwnReports:
    """The reports of this guest's organisation. ``only``: ``open``, ``decided``."""
    by.require(Permission.REPORTS_FLAG)
    rows = Flag.objects.filter(flagger=flagger_of(by)).select_related("report")
    waiting = CaseTarget.objects.filter(case__state=CaseState.OPEN)
    if only == "open":
        rows = rows.filter(report__targets__in=waiting.values("target")).distinct()
    if only == "decided":
        rows = rows.exclude(report__targets__in=waiting.values("target"))
    total = rows.count()
    pages = max(1, -(-total // PAGE))
    at = min(max(1, page), pages)
    ordered = rows.order_by("-report__received_at", "-id")
    chosen = ordered[(at - 1) * PAGE : at * PAGE]
    return OwnReports(tuple(_line(row) for row in chosen), at, pages, total)


def own_report(report_id: UUID, *, by: By) -> OwnReport:
    """One of them, by ``flagger_people.report_of_number``."""
    by.require(Permission.REPORTS_FLAG)
    rows = Flag.objects.select_related("report")
    return _line(rows.get(report=report_id, flagger=flagger_of(by)))


def _line(row: Flag) -> OwnReport:
    known = status_of(row.report_id)
    told = [each for each in known.messages if each.kind in FOUND]
    last = told[-1] if told and known.status == "decided" else None
    running = [each for each in known.clocks if each.met_at is None]
    return OwnReport(
        number=known.number,
        reference=row.reference,
        category=row.report.category,
        had_priority=row.had_priority,
        withdrawn_at=row.withdrawn_at,
        status=known,
        decision=FOUND[last.kind] if last else "",
        decided_at=last.at if last else None,
        next_clock=running[0] if running else None,
    )
