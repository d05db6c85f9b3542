"""Whether the promises are kept, counted afresh each time from the tables.

Nothing here is a stored figure. A line that is not kept names how many rows break it,
so that `holdfast check` and the console can say so before somebody outside does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from holdfast.authorities.models import Referral, ReferralState
from holdfast.base.by import By, Permission
from holdfast.decisions.models import Decision
from holdfast.enforcement.models import Delivery, DeliveryState, Enforcement
from holdfast.freeze.models import Freeze
from holdfast.intake.models import Target
from holdfast.items.models import ItemState
from holdfast.items.queries import Reach, reach
from holdfast.matching.queries import cleared_among
from holdfast.triage.models import Case, CaseItem, CaseState, Deadline


@dataclass(frozen=True)
class PromiseLine:
    """One promise, and how many rows break it or wait for it."""

    number: int
    promise: str
    broken: int
    says: str


@dataclass(frozen=True)
class Exposure:
    """How far a case's items spread, and when that stopped."""

    reported_at: datetime
    confirmed_at: datetime | None
    before_report: Reach
    report_to_freeze: Reach
    after_freeze: Reach


def promises(by: By) -> list[PromiseLine]:
    """The promises that can be counted in the tables."""
    by.require(Permission.OVERSIGHT_READ)
    return [
        _line(1, "Freeze first", _visible_in_open_cases(), "visible though reported"),
        _line(2, "Accepted means kept", _reports_nowhere(), "reported, in no case"),
        _line(2, "A clock for each case", _without_clock(), "open without a clock"),
        _line(4, "One truth", _decisions_without_referral(), "decided, no referral"),
        _line(5, "Preserved before removed", _removed_unsealed(), "removed unsealed"),
        _line(6, "The authority is told", _referrals_waiting(), "referrals waiting"),
        _line(10, "Every clock", _breached(), "clocks breached, ever"),
        _line(16, "Nothing untrue", _unconfirmed(), "told, not confirmed yet"),
    ]


def exposure_of(case_id: UUID, *, by: By) -> Exposure:
    """Views, reposts and earnings of a case's items: before the first report, until
    the platform confirmed the freeze, and after."""
    by.require(Permission.CASE_READ)
    case = Case.objects.get(id=case_id)
    items = list(case.items.filter(certain=True).values_list("item", flat=True))
    confirmed = (
        Delivery.objects.filter(item__in=items, verb="freeze")
        .exclude(confirmed_at=None)
        .order_by("-confirmed_at")
        .values_list("confirmed_at", flat=True)
        .first()
    )
    return Exposure(
        reported_at=case.clock_from,
        confirmed_at=confirmed,
        before_report=reach(items, None, case.clock_from),
        report_to_freeze=reach(items, case.clock_from, confirmed),
        after_freeze=reach(items, confirmed, None) if confirmed else Reach(0, 0, 0),
    )


def _line(number: int, promise: str, broken: int, says: str) -> PromiseLine:
    return PromiseLine(number, promise, broken, f"{broken} {says}")


def _visible_in_open_cases() -> int:
    visible = CaseItem.objects.filter(
        case__state=CaseState.OPEN,
        case__child_safety=True,
        certain=True,
        item__state=ItemState.VISIBLE,
    ).exclude(case__outcome="no_violation")
    items = set(visible.values_list("item", flat=True))
    return len(items - cleared_among(items))


def _reports_nowhere() -> int:
    return Target.objects.filter(place=None).count()


def _without_clock() -> int:
    running = Deadline.objects.filter(case=OuterRef("pk"), met_at=None)
    open_cases = Case.objects.filter(state=CaseState.OPEN)
    return open_cases.exclude(Exists(running)).count()


def _decisions_without_referral() -> int:
    referral = Referral.objects.filter(decision=OuterRef("pk"))
    return Decision.objects.exclude(Exists(referral)).count()


def _removed_unsealed() -> int:
    removals = Enforcement.objects.filter(verb="remove", sealed_blob=None)
    return removals.exclude(state="planned").count()


def _referrals_waiting() -> int:
    done = (ReferralState.FINISHED, ReferralState.DECLINED)
    return Referral.objects.exclude(state__in=done).count()


def _breached() -> int:
    return Deadline.objects.exclude(breached_at=None).count()


def _unconfirmed() -> int:
    in_force = Freeze.objects.filter(thawed_at=None).values("item")
    return Delivery.objects.filter(
        item__in=in_force, verb="freeze", state=DeliveryState.PENDING
    ).count()
