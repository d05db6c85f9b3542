"""Whether a report is processed, or kept and set aside because its sender misused it.

Suspension is of processing only, has an end, and was decided by a person after a
warning (``decisions.misuse``). What is about a child is processed always, whoever
sends it: the next one may be true. What is added to a report that was set aside is
set aside with it, until that makes it a matter of a child.
"""

from __future__ import annotations

from uuid import UUID

from holdfast.base import clock
from holdfast.base.by import By
from holdfast.base.events import Event, Kind, emit
from holdfast.intake.models import Report, ReportingSuspension
from holdfast.intake.queries import told_by
from holdfast.policy import queries as policies


def in_force(reporter_actor_id: UUID) -> ReportingSuspension | None:
    """The suspension that lasts longest, if one runs now."""
    now = clock.now()
    running = ReportingSuspension.objects.filter(
        warning__reporter_actor=reporter_actor_id,
        suspended_at__lte=now,
        ends_at__gt=now,
        lifted_at=None,
    )
    return running.order_by("-ends_at").first()


def is_set_aside(report: Report) -> bool:
    """Whether a report is only kept, as far as it has been told by now.

    Never one about a child, or of nobody known. Nor one that has been worked on: it
    was made before the suspension, or was about a child.
    """
    if report.reporter_actor_id is None or in_force(report.reporter_actor_id) is None:
        return False
    if policies.category_of(told_by(report).category).child_safety:
        return False
    return not is_worked_on(report.id)


def is_worked_on(report_id: UUID) -> bool:
    """Whether people work, or have worked, on a report: it was never only kept."""
    return Event.objects.filter(
        kind__in=(Kind.REPORT_RECEIVED, Kind.REPORT_EXTENDED),
        about__contains={"report": str(report_id)},
    ).exists()


def tell_extended(report: Report, what: str, *, by: By, targets: int = 0) -> None:
    """Say that a report holds more now: it is worked on, or set aside as it was.

    Called in the transaction that has stored what was told.
    """
    emit(
        Kind.REPORT_KEPT_ASIDE if is_set_aside(report) else Kind.REPORT_EXTENDED,
        about={"platform": report.platform_id, "report": report.id},
        facts={"what": what, **({"targets": targets} if targets else {})},
        by=by,
    )
