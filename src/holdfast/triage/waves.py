"""Waves: many reports at once, seen and told, and never a reason by themselves.

A wave does not move the queue (promise 7): nothing here touches a case, a clock or a
freeze. People are alarmed and shown what the wave looks like: how many an hour, how
many came from one place, how many look like a program's, and whom they are about. A
wave can be an attack on somebody, and it can be a catastrophe; only people can tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import NotFound
from holdfast.base.events import Event, alarm
from holdfast.intake.arrival import arrived_like
from holdfast.intake.models import Report
from holdfast.items.models import Actor
from holdfast.policy import queries as policies
from holdfast.triage.models import CaseTarget

WINDOW = timedelta(hours=1)
SHOWN = timedelta(hours=24)
"""How far back a picture of a wave goes: as far as address tokens live."""
MOST_SHOWN = 20
"""Accounts that are named, those with the most reports first."""
BAR = timedelta(minutes=20)
"""What one bar of the picture counts."""


@dataclass(frozen=True)
class Bar:
    """The reports of one stretch of time."""

    at: datetime
    reports: int
    marked: int
    """Those that look like a program's."""


@dataclass(frozen=True)
class Wave:
    """What reports of the last day look like: about one account, or from one place."""

    about: tuple[tuple[UUID, str, int], ...]
    """Accounts that they are about: row, id on the platform, how often."""
    platform: str
    bars: tuple[Bar, ...]
    reports: int
    child_safety: int
    marked: int
    known_places: int
    """Places that reports came from through the front door; as far as known."""
    most_from_one_place: int
    reporters: tuple[tuple[UUID, str, int], ...]
    """Accounts of the platform that reported: row, id there, how often."""
    decided_violation: int
    decided_no_violation: int


def watch_waves(event: Event) -> None:
    """Step: many reports of one account's items, or from one place, alarm people."""
    most = policies.current().wave_reports_per_hour
    since = clock.now() - WINDOW
    about = {"platform": event.about["platform"]}
    report = Report.objects.get(id=event.about["report"])
    for actor in _reported_actors(report):
        reports = _reports_about(actor).filter(received_at__gte=since).count()
        if reports >= most:
            alarm(
                "report.wave",
                about={**about, "actor": actor},
                facts={"reports": reports},
            )
    together = arrived_like(report.id)
    lately = Report.objects.filter(id__in=together, received_at__gte=since).count()
    if lately >= most:
        # One alarm for one wave, which its first report stands for.
        first = Report.objects.filter(id__in=together).earliest("received_at", "id")
        alarm(
            "report.wave_from_one_place",
            about={**about, "report": first.id},
            facts={"reports": lately},
        )


def wave_about(actor_id: UUID, *, by: By) -> Wave:
    """The picture of the reports about one account, for those who look at cases."""
    by.require(Permission.CASE_READ)
    actor = Actor.objects.select_related("platform").filter(id=actor_id).first()
    if actor is None:
        raise NotFound("There is no such account.", actor=actor_id)
    return _picture(_reports_about(actor_id), actor.platform.name, (actor,))


def wave_from_place_of(report_id: UUID, *, by: By) -> Wave:
    """The picture of the reports from where one came, for those who look at cases.

    Where that is nobody can tell. After a day nobody knows either what came from there.
    """
    by.require(Permission.CASE_READ)
    report = Report.objects.select_related("platform").filter(id=report_id).first()
    if report is None:
        raise NotFound("There is no such report.", report=report_id)
    together = Report.objects.filter(id__in=arrived_like(report_id))
    return _picture(together, report.platform.name)


def _picture(
    wanted: QuerySet[Report], platform: str, about: Sequence[Actor] = ()
) -> Wave:
    end = clock.now()
    reports = list(
        wanted.filter(received_at__gte=end - SHOWN)
        .select_related("arrival", "reporter_actor")
        .order_by("received_at")
    )
    marks = {each.id for each in reports if _arrival(each) and each.arrival.marks}
    places = Counter(
        each.arrival.address_token
        for each in reports
        if _arrival(each) and each.arrival.address_token
    )
    of_children = {
        each.code for each in policies.current().categories if each.child_safety
    }
    found = CaseTarget.objects.filter(target__report__in=reports).exclude(
        case__outcome=""
    )
    # A report about several things of one case, or of two alike, counts once.
    outcomes = Counter(
        outcome
        for _report, outcome in found.values_list(
            "target__report", "case__outcome"
        ).distinct()
    )
    people = Counter(each.reporter_actor for each in reports if each.reporter_actor)
    return Wave(
        about=_most(about, reports),
        platform=platform,
        bars=_bars(reports, marks, end),
        reports=len(reports),
        child_safety=sum(each.category in of_children for each in reports),
        marked=len(marks),
        known_places=len(places),
        most_from_one_place=max(places.values(), default=0),
        reporters=tuple(
            (who.id, who.external_id, count)
            for who, count in people.most_common(MOST_SHOWN)
        ),
        decided_violation=outcomes["violation"],
        decided_no_violation=outcomes["no_violation"],
    )


def _most(
    about: Sequence[Actor], reports: Sequence[Report]
) -> tuple[tuple[UUID, str, int], ...]:
    """Accounts that reports are about; all of them where nobody has asked for one."""
    if about:
        return tuple((each.id, each.external_id, len(reports)) for each in about)
    named = Counter(actor for each in reports for actor in _reported_actors(each))
    known = Actor.objects.in_bulk(named)
    return tuple(
        (actor, known[actor].external_id, count)
        for actor, count in named.most_common(MOST_SHOWN)
    )


def _bars(
    reports: Sequence[Report], marks: set[UUID], end: datetime
) -> tuple[Bar, ...]:
    start = end - SHOWN
    count = int(SHOWN / BAR)
    all_ = Counter(
        min(int((each.received_at - start) / BAR), count - 1) for each in reports
    )
    marked = Counter(
        min(int((each.received_at - start) / BAR), count - 1)
        for each in reports
        if each.id in marks
    )
    return tuple(
        Bar(start + place * BAR, all_[place], marked[place]) for place in range(count)
    )


def _arrival(report: Report) -> bool:
    return hasattr(report, "arrival")


def _reports_about(actor_id: UUID) -> QuerySet[Report]:
    about = Q(targets__item__actor=actor_id) | Q(targets__actor=actor_id)
    return Report.objects.filter(about).distinct()


def _reported_actors(report: Report) -> list[UUID]:
    named = report.targets.values_list("item__actor", "actor")
    return sorted({actor for pair in named for actor in pair if actor is not None})
