"""Whether a report is processed, or kept and set aside because its sender misused it.

Suspension is of processing only, has an end, and was decided by a person after a
warning (``decisions.misuse``). What is about a child is processed always, whoever
sends it: the next one may be true.
"""

from __future__ import annotations

from uuid import UUID

from holdfast.base import clock
from holdfast.intake.models import ReportingSuspension


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


def is_set_aside(reporter_actor_id: UUID | None, *, child_safety: bool) -> bool:
    """Whether a report is only kept. Never one about a child, or of nobody known."""
    if child_safety or reporter_actor_id is None:
        return False
    return in_force(reporter_actor_id) is not None
