"""One day at Holdfast, from inside: reports come, people take the next case and decide.

Run by ``brigade`` in a process of its own; see ``holdfast.demo.inside``. The
clock is moved to each event; what the operations do is what they always do.
"""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from statistics import mean
from typing import Any
from uuid import UUID

from holdfast.base import clock
from holdfast.base.by import By, Permission, anyone
from holdfast.demo import founding
from holdfast.freeze.models import Freeze
from holdfast.intake.operations import (
    Channel,
    ReportGiven,
    TargetGiven,
    receive_report,
)
from holdfast.items.models import Item
from holdfast.items.operations import ItemGiven, put_item
from holdfast.review import claims, readings
from holdfast.review.models import Reading
from holdfast.review.operations import reveal
from holdfast.staff.queries import by_of
from holdfast.triage.models import Case, CaseItem
from holdfast_bench.brigade import (
    HOUR_S,
    REVIEW_S,
    REVIEWERS,
    Arrival,
    Outcome,
    reviewers,
)

CATEGORY = "child_sexual_abuse_material"
GROUND = "child_sexual_abuse_illegal"
START = datetime.now(UTC)
REASON = "Part of a simulated day: looked at, and found as planted."


def run(given: Mapping[str, Any]) -> dict[str, Any]:
    """``{arrivals}`` → what ``brigade.Outcome`` has."""
    arrivals = [
        Arrival(**{**each, "claims": tuple(each["claims"])})
        for each in given["arrivals"]
    ]
    return asdict(day(arrivals))


@contextmanager
def at(seconds: float) -> Iterator[None]:
    """The clock stands so many seconds after the start of the day."""
    target = START + timedelta(seconds=seconds)
    with clock.shifted(target - datetime.now(UTC)):
        yield


def day(arrivals: list[Arrival]) -> Outcome:
    """Let the day pass, and count."""
    platform_id, people = found(arrivals)
    coming = arrivals[::-1]
    free = [(0.0, number) for number in range(len(people))]
    last_s = arrivals[-1].at_s
    while free:
        now_s, person = heapq.heappop(free)
        while coming and coming[-1].at_s <= now_s:
            report(platform_id, coming.pop())
        with at(now_s):
            case_id = take(people[person])
        if case_id is not None:
            with at(now_s + REVIEW_S):
                find(case_id, people[person])
            heapq.heappush(free, (now_s + REVIEW_S, person))
        elif coming:
            heapq.heappush(free, (max(now_s, coming[-1].at_s) + 1e-6, person))
        last_s = max(last_s, now_s)
    return count(last_s)


def found(arrivals: list[Arrival]) -> tuple[UUID, list[UUID]]:
    """A platform with the posts, and the people at the desk."""
    roles = reviewers()
    founded = founding.run(
        {
            "platform": {
                "slug": "bench",
                "name": "Bench",
                "url": "https://bench.example",
                "hosts": ["bench.example"],
            },
            "people": [
                {
                    "email": f"reader{number}@bench.example",
                    "name": f"Reader {number}",
                    "roles": [next(roles)],
                    "password": secrets.token_urlsafe(16),
                }
                for number in range(REVIEWERS)
            ],
        }
    )
    platform_id = UUID(founded["platform_id"])
    writer = By("platform", str(platform_id), frozenset({Permission.ITEMS_WRITE}))
    for post in sorted({each.post for each in arrivals}):
        put_item(
            platform_id,
            post,
            ItemGiven(
                kind="post",
                posted_at=START,
                actor=post.rpartition("-")[0] if post.startswith("harm") else post,
                url=f"https://bench.example/{post}",
                text=post,
            ),
            by=writer,
        )
    return platform_id, [UUID(each["id"]) for each in founded["people"]]


def report(platform_id: UUID, each: Arrival) -> None:
    """Somebody reports a post at the front door."""
    with at(each.at_s):
        receive_report(
            ReportGiven(
                platform_id=platform_id,
                channel=Channel.PORTAL,
                category=CATEGORY,
                targets=[TargetGiven(url=f"https://bench.example/{each.post}")],
                claims=each.claims,
            ),
            by=anyone("portal"),
        )


def take(person: UUID) -> UUID | None:
    """The next case that this person may work on, claimed; None if there is none."""
    taken = claims.claim_next(by=by_of(person))
    return taken.case_id if taken else None


def find(case_id: UUID, person: UUID) -> None:
    """Open everything that was reported, and say what was planted."""
    by = by_of(person)
    items = list(Item.objects.filter(place__case=case_id).order_by("external_id"))
    for item in items:
        reveal(case_id=case_id, item_id=item.id, media_id=None, reason=REASON, by=by)
    is_true = any(item.external_id.startswith("true") for item in items)
    readings.record_reading(
        case_id=case_id,
        outcome="violation" if is_true else "no_violation",
        category=CATEGORY,
        ground=GROUND if is_true else "",
        reason=REASON,
        parts={},
        refer=False,
        why_not_refer="A simulated day: there is nobody to tell.",
        by=by,
    )


def count(end_s: float) -> Outcome:
    """What the day came to, from the rows that it left."""
    end = START + timedelta(seconds=end_s)
    wrongful = Freeze.objects.filter(item__external_id__startswith="harmless")
    wrongful_s = sum(
        ((thawed_at or end) - frozen_at).total_seconds()
        for frozen_at, thawed_at in wrongful.values_list("frozen_at", "thawed_at")
    )
    true = CaseItem.objects.filter(item__external_id__startswith="true")
    cases = Case.objects.filter(items__in=true, outcome="violation").distinct()
    delays = [
        (decided_at - clock_from).total_seconds()
        for clock_from, decided_at in cases.values_list("clock_from", "decided_at")
        if decided_at is not None
    ]
    return Outcome(
        round(wrongful_s / HOUR_S, 1),
        round(mean(delays), 1),
        Reading.objects.count(),
    )
