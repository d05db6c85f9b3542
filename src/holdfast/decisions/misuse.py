"""Misuse of reporting: Article 23 of the Digital Services Act, by people.

Somebody who often reports what is manifestly unfounded is warned first; if it goes on
after the warning, a person can suspend the processing of their reports for a while.
The four factors of Article 23(3) are written down each time. Being wrong in good faith
is no misuse, so a person says for each report that counts that it was manifestly
unfounded, and what shows the intention. Nobody loses an account here, nothing is done
by a machine, and a suspension ends by itself.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import InvalidInput, NotFound, Refused
from holdfast.base.events import Kind, emit
from holdfast.freeze.models import Freeze
from holdfast.intake.models import MisuseWarning, Report, ReportingSuspension
from holdfast.items.models import Actor
from holdfast.policy import queries as policies
from holdfast.policy.rules import URGENCIES
from holdfast.review.models import Outcome
from holdfast.review.rules import reason_of
from holdfast.triage.models import CaseState, CaseTarget

LOOKED_BACK = timedelta(days=365)
"""How far back the relative proportion is counted."""
LEAST_REPORTS = 3
"""Article 23(2) speaks of those who submit *frequently*: one is never enough."""
LONGEST_DAYS = 90
"""A suspension is for a reasonable time, and can be decided again."""


@dataclass(frozen=True)
class Factors:
    """Article 23(3): number, proportion, gravity, intention."""

    unfounded: int
    """The absolute number of manifestly unfounded reports."""
    reports: int
    """All reports of the same person in the last year."""
    frozen_items: int
    """Gravity: how many items these reports alone kept from view for a time."""
    gravest: str
    """Gravity: the most urgent category that they named."""
    intention: str
    """What shows it, where that can be seen: in a person's words."""

    @property
    def share(self) -> float:
        """The relative proportion, 0 to 1."""
        return self.unfounded / self.reports if self.reports else 0.0


@dataclass(frozen=True)
class ReportLine:
    """One report of somebody, and what people found."""

    id: UUID
    number: str
    category: str
    received_at: datetime
    outcome: str
    """``violation``, ``no_violation`` or blank while nobody has decided."""

    @property
    def may_count(self) -> bool:
        """Only where people found nothing can a report be unfounded."""
        return self.outcome == Outcome.NO_VIOLATION


@dataclass(frozen=True)
class Standing:
    """How somebody's reports stand: for the person who decides about misuse."""

    actor_id: UUID
    account: str
    platform: str
    reports: tuple[ReportLine, ...]
    warned_at: datetime | None
    counts_from: datetime | None
    """Only what was reported after it counts: the warning, or the last suspension."""
    suspension_id: UUID | None
    suspended_until: datetime | None


def standing_of(actor_id: UUID, *, by: By) -> Standing:
    """Everything that a decision about misuse can rest on. Raises ``NotFound``."""
    by.require(Permission.MISUSE_DECIDE)
    actor = Actor.objects.select_related("platform").filter(id=actor_id).first()
    if actor is None:
        raise NotFound("There is no such account.", actor=actor_id)
    warning = _last_warning(actor_id)
    running = (
        ReportingSuspension.objects.filter(
            warning__reporter_actor=actor_id, lifted_at=None, ends_at__gt=clock.now()
        )
        .order_by("-ends_at")
        .first()
    )
    return Standing(
        actor_id=actor.id,
        account=actor.external_id,
        platform=actor.platform.name,
        reports=tuple(_lines(actor_id)),
        warned_at=warning.warned_at if warning else None,
        counts_from=_counts_from(warning) if warning else None,
        suspension_id=running.id if running else None,
        suspended_until=running.ends_at if running else None,
    )


def warn(
    *,
    actor_id: UUID,
    unfounded: Collection[UUID],
    intention: str,
    reason: str,
    by: By,
) -> UUID:
    """Tell somebody that their reports are manifestly unfounded, and what follows.

    Raises ``InvalidInput`` for fewer than ``LEAST_REPORTS`` reports, for one that
    people have not found unfounded, and for too short a reason or intention.
    """
    by.require(Permission.MISUSE_DECIDE)
    with transaction.atomic():
        Actor.objects.select_for_update(no_key=True).get(id=actor_id)
        found = _factors(actor_id, unfounded, intention, since=None)
        warning = MisuseWarning.objects.create(
            reporter_actor_id=actor_id,
            factors=asdict(found),
            reason=reason_of(reason),
            warned_by=str(by),
            warned_at=clock.now(),
        )
        emit(
            Kind.MISUSE_WARNED,
            about=_about(actor_id, unfounded),
            facts={"unfounded": found.unfounded, "reports": found.reports},
            by=by,
        )
    return warning.id


def suspend(
    *,
    actor_id: UUID,
    unfounded: Collection[UUID],
    days: int,
    intention: str,
    reason: str,
    by: By,
) -> UUID:
    """Process no reports of somebody for so many days; those about children always.

    Only after a warning, and only for what was reported after it, and after whatever
    was suspended for before: nothing counts twice, also when a button is pressed twice.
    """
    by.require(Permission.MISUSE_DECIDE)
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(f"A suspension lasts 1 to {LONGEST_DAYS} days.")
    with transaction.atomic():
        Actor.objects.select_for_update(no_key=True).get(id=actor_id)
        warning = _last_warning(actor_id)
        if warning is None:
            raise Refused("Warn first. Only what goes on after that can be suspended.")
        since = _counts_from(warning)
        found = _factors(actor_id, unfounded, intention, since=since)
        now = clock.now()
        made = ReportingSuspension.objects.create(
            warning=warning,
            factors=asdict(found),
            reason=reason_of(reason),
            suspended_by=str(by),
            suspended_at=now,
            ends_at=now + timedelta(days=days),
        )
        emit(
            Kind.REPORTING_SUSPENDED,
            about=_about(actor_id, unfounded),
            facts={"unfounded": found.unfounded, "days": days},
            by=by,
        )
    return made.id


def lift(suspension_id: UUID, *, by: By) -> None:
    """End a suspension now. Lifting one that has ended changes nothing."""
    by.require(Permission.MISUSE_DECIDE)
    with transaction.atomic():
        running = ReportingSuspension.objects.filter(
            id=suspension_id, lifted_at=None, ends_at__gt=clock.now()
        )
        if running.update(lifted_at=clock.now(), lifted_by=str(by)):
            made = ReportingSuspension.objects.select_related("warning").get(
                id=suspension_id
            )
            emit(
                Kind.REPORTING_RESUMED,
                about={
                    "actor": made.warning.reporter_actor_id,
                    "suspension": suspension_id,
                },
                by=by,
            )


def _about(actor_id: UUID, unfounded: Collection[UUID]) -> dict[str, UUID]:
    """Whom it is about, and on the page of which report they are told: the newest."""
    newest = Report.objects.filter(id__in=unfounded).latest("received_at")
    return {"platform": newest.platform_id, "actor": actor_id, "report": newest.id}


def _factors(
    actor_id: UUID,
    unfounded: Collection[UUID],
    intention: str,
    *,
    since: datetime | None,
) -> Factors:
    lines = _lines(actor_id)
    chosen = [each for each in lines if each.id in set(unfounded)]
    if len(chosen) < len(set(unfounded)):
        raise InvalidInput("A report that counts is one of this account's own.")
    if len(chosen) < LEAST_REPORTS:
        raise InvalidInput(
            f"Misuse is something frequent: at least {LEAST_REPORTS} reports count."
        )
    if not all(each.may_count for each in chosen):
        raise InvalidInput(
            "A report counts only where people have decided that nothing was wrong."
        )
    if since is not None and any(each.received_at <= since for each in chosen):
        raise InvalidInput(
            "Only what was reported after the warning, and after the last suspension, "
            "counts now."
        )
    policy = policies.current()
    urgency = {each.code: each.urgency for each in policy.categories}
    named = [each.category for each in chosen]
    frozen = Freeze.objects.filter(
        item__place__case__targets__target__report__in=[each.id for each in chosen]
    )
    return Factors(
        unfounded=len(chosen),
        reports=len(lines),
        frozen_items=frozen.values("item").distinct().count(),
        gravest=min(
            named, key=lambda code: URGENCIES.index(urgency.get(code, URGENCIES[-1]))
        ),
        intention=reason_of(intention),
    )


def _lines(actor_id: UUID) -> list[ReportLine]:
    reports = Report.objects.filter(
        reporter_actor=actor_id, received_at__gte=clock.now() - LOOKED_BACK
    ).order_by("-received_at")
    places = CaseTarget.objects.filter(target__report__in=reports)
    found: dict[UUID, set[str]] = {}
    for report_id, state, outcome in places.values_list(
        "target__report", "case__state", "case__outcome"
    ):
        decided = outcome if state == CaseState.DECIDED else ""
        found.setdefault(report_id, set()).add(decided)
    return [
        ReportLine(
            id=each.id,
            number=each.number,
            category=each.category,
            received_at=each.received_at,
            outcome=_one(found.get(each.id, {""})),
        )
        for each in reports
    ]


def _one(outcomes: Collection[str]) -> str:
    """What people found of a report: one violation is enough for it to be founded."""
    if Outcome.VIOLATION in outcomes:
        return str(Outcome.VIOLATION)
    return "" if "" in outcomes else str(Outcome.NO_VIOLATION)


def _last_warning(actor_id: UUID) -> MisuseWarning | None:
    warnings = MisuseWarning.objects.filter(reporter_actor=actor_id)
    return warnings.order_by("-warned_at").first()


def _counts_from(warning: MisuseWarning) -> datetime:
    """What was reported by then has been warned of, or suspended for, already."""
    made = ReportingSuspension.objects.filter(
        warning__reporter_actor=warning.reporter_actor_id
    )
    times = made.values_list("suspended_at", flat=True)
    return max([warning.warned_at, *times])
