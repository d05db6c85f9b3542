"""One day at Holdfast, from inside: reports come, people take the next case and decide.

Run by ``brigade`` in a process of its own; see ``holdfast.demo.inside``. The clock is
moved to each event; what the doors and the operations do is what they always do, and
the jobs that follow are run as a worker would run them.
"""

from __future__ import annotations

import heapq
import json
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import mean
from typing import Any, LiteralString
from uuid import UUID

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.events import run_step
from holdfast.base.models import Event
from holdfast.base.rows import read, write
from holdfast.decisions import misuse
from holdfast.demo import founding
from holdfast.freeze.models import Freeze
from holdfast.intake.models import Arrival as StoredArrival
from holdfast.intake.models import MisuseWarning, Report, ReportingSuspension
from holdfast.items.models import Item
from holdfast.items.operations import ItemGiven, put_item
from holdfast.notifications.models import Alarm
from holdfast.review import claims, readings
from holdfast.review.models import Reading
from holdfast.review.operations import reveal
from holdfast.staff.queries import by_of
from holdfast.triage.models import Case, CaseTarget
from holdfast_bench import brigade_off
from holdfast_bench.brigade import (
    BY_PORTAL,
    HOUR_S,
    LEAD_LOOKS_S,
    REVIEW_S,
    REVIEWERS,
    SUSPENDED_DAYS,
    Arrival,
    Outcome,
    reviewers,
)
from holdfast_bench.brigade_doors import Doors

GROUNDS = {
    BY_PORTAL: "child_sexual_abuse_illegal",
}
START = datetime.now(UTC)
REASON = "Part of a simulated day: looked at, and found as planted."
JOBS_EVERY_S = 600.0
"""How often what follows a report is done, where there is any. A worker does it at
once; what is told here does not depend on it, but for the moment of an alarm."""


def run(given: Mapping[str, Any]) -> dict[str, Any]:
    """``{arrivals, defended}`` → ``{outcome, seen, defences}``."""
    arrivals = [
        Arrival(**{**each, "claims": tuple(each["claims"])})
        for each in given["arrivals"]
    ]
    if not given["defended"]:
        brigade_off.switch_off()
    day = Day(arrivals, defended=given["defended"])
    end_s = day.pass_by()
    return {
        "outcome": asdict(count(end_s, sum(each.true for each in arrivals))),
        "seen": {**seen(), "held_up_s": round(day.doors.held_up_s, 1)},
        "defences": brigade_off.described(),
    }


@contextmanager
def at(seconds: float) -> Iterator[None]:
    """The clock stands so many seconds after the start of the day."""
    target = START + timedelta(seconds=seconds)
    with clock.shifted(target - datetime.now(UTC)):
        yield


@dataclass
class Day:
    """What happens in the order of its time."""

    arrivals: list[Arrival]
    defended: bool
    _coming: list[tuple[float, int, str, Any]] = field(default_factory=list)
    _idle: list[int] = field(default_factory=list)
    _number: int = 0
    _is_new: bool = False
    """Whether anything happened of which something follows."""

    def __post_init__(self) -> None:
        key, people, lead = found(self.arrivals)
        self.people, self.lead = people, lead
        self.doors = Doors(key, at)
        for each in self.arrivals:
            self._then(each.at_s, "report", each)
        for person in range(len(people)):
            self._then(0.0, "free", person)
        self._then(JOBS_EVERY_S, "jobs", None)
        if self.defended:
            self._then(LEAD_LOOKS_S, "lead", None)

    def pass_by(self) -> float:
        """Let the day pass, until nobody has anything to do; when that is."""
        now_s = 0.0
        while self._coming:
            now_s, _, what, about = heapq.heappop(self._coming)
            getattr(self, f"_{what}")(now_s, about)
        with at(now_s):
            do_jobs()
        return now_s

    def _then(self, at_s: float, what: str, about: Any) -> None:
        self._number += 1
        heapq.heappush(self._coming, (at_s, self._number, what, about))

    def _report(self, now_s: float, each: Arrival) -> None:
        self.doors.report(each)
        self._is_new = True
        self._wake(now_s)

    def _free(self, now_s: float, person: int) -> None:
        """Somebody takes the next case, or waits until there is one."""
        with at(now_s):
            taken = claims.claim_next(by=by_of(self.people[person]))
        if taken is None:
            self._idle.append(person)
        else:
            self._then(now_s + REVIEW_S, "read", (taken.case_id, person))

    def _read(self, now_s: float, about: tuple[UUID, int]) -> None:
        case_id, person = about
        with at(now_s):
            find(case_id, self.people[person])
        self._is_new = True
        self._then(now_s, "free", person)
        self._wake(now_s)

    def _wake(self, now_s: float) -> None:
        for person in self._idle:
            self._then(now_s, "free", person)
        self._idle.clear()

    def _jobs(self, now_s: float, _: None) -> None:
        if self._is_new:
            with at(now_s):
                do_jobs()
        self._is_new = False
        self._again(now_s + JOBS_EVERY_S, "jobs")

    def _lead(self, now_s: float, _: None) -> None:
        with at(now_s):
            look_for_misuse(by_of(self.lead))
        self._again(now_s + LEAD_LOOKS_S, "lead")

    def _again(self, at_s: float, what: str) -> None:
        """Once more, while anything else is still to come."""
        if any(each[2] not in ("jobs", "lead") for each in self._coming):
            self._then(at_s, what, None)


def do_jobs() -> None:
    """Every step that is due, by the function that a worker calls, and in its order.

    Without a worker, which opens a connection for each job. A step that fails fails the
    run: nothing of this day can be out of reach.
    """
    while due := read(_DUE):
        for job_id, text in due:
            args = json.loads(text)
            for event_id in args.get("event_ids", [args.get("event_id")]):
                run_step(event_id, args["name"], 0)
            write("DELETE FROM procrastinate_jobs WHERE id = %s", job_id)


_DUE: LiteralString = """
SELECT id, args::text FROM procrastinate_jobs
WHERE status = 'todo' AND scheduled_at IS NULL
ORDER BY priority DESC, id LIMIT 100
"""


def found(arrivals: list[Arrival]) -> tuple[str, list[UUID], UUID]:
    """A platform with the posts: its key, the people at the desk, and a lead."""
    roles = reviewers()
    desk = [[next(roles)] for _ in range(REVIEWERS)]
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
                    "roles": each,
                    "password": secrets.token_urlsafe(16),
                }
                for number, each in enumerate([*desk, ["lead"]])
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
    *people, lead = [UUID(each["id"]) for each in founded["people"]]
    return founded["key"], people, lead


def find(case_id: UUID, person: UUID) -> None:
    """Open everything that was reported, and say what was planted."""
    by = by_of(person)
    case = Case.objects.get(id=case_id)
    items = list(Item.objects.filter(place__case=case).order_by("external_id"))
    for item in items:
        reveal(case_id=case_id, item_id=item.id, media_id=None, reason=REASON, by=by)
    is_true = any(item.external_id.startswith("true") for item in items)
    readings.record_reading(
        case_id=case_id,
        outcome="violation" if is_true else "no_violation",
        category=case.category,
        ground=GROUNDS[case.category] if is_true else "",
        reason=REASON,
        parts={},
        refer=False,
        why_not_refer="A simulated day: there is nobody to tell.",
        by=by,
    )


def look_for_misuse(by: By) -> None:
    """Warn whoever sent reports in which people found nothing, and suspend who goes on.

    An account that is suspended is let be.
    """
    senders = Report.objects.exclude(reporter_actor=None)
    for actor_id in set(senders.values_list("reporter_actor", flat=True)):
        assert actor_id is not None  # As just asked for.
        standing = misuse.standing_of(actor_id, by=by)
        since = standing.counts_from
        unfounded = [
            each.id
            for each in standing.reports
            if each.may_count and (since is None or each.received_at > since)
        ]
        if standing.suspended_until or len(unfounded) < misuse.LEAST_REPORTS:
            continue
        said: dict[str, Any] = {
            "actor_id": actor_id,
            "unfounded": unfounded,
            "intention": REASON,
            "reason": REASON,
            "by": by,
        }
        if standing.warned_at is None:
            misuse.warn(**said)
        else:
            misuse.suspend(**said, days=SUSPENDED_DAYS)


def count(end_s: float, true_reports: int) -> Outcome:
    """What the day came to, from the rows that it left.

    Raises ``RuntimeError`` if a true report was never decided as one.
    """
    end = START + timedelta(seconds=end_s)
    wrongful = Freeze.objects.filter(item__external_id__startswith="harmless")
    wrongful_s = sum(
        ((thawed_at or end) - frozen_at).total_seconds()
        for frozen_at, thawed_at in wrongful.values_list("frozen_at", "thawed_at")
    )
    true = CaseTarget.objects.filter(
        target__item__external_id__startswith="true", case__outcome="violation"
    )
    delays = [
        (decided_at - received_at).total_seconds()
        for received_at, decided_at in true.values_list(
            "target__report__received_at", "case__decided_at"
        )
        if decided_at is not None
    ]
    if len(delays) != true_reports:
        raise RuntimeError(f"{len(delays)} of {true_reports} true reports decided")
    return Outcome(
        round(wrongful_s / HOUR_S, 1),
        round(mean(delays), 1),
        Reading.objects.count(),
    )


def seen() -> dict[str, Any]:
    """What else the day left behind."""
    alarms = Counter(Alarm.objects.values_list("code", flat=True))
    return {
        "alarms": dict(sorted(alarms.items())),
        "marked_reports": StoredArrival.objects.exclude(marks=[]).count(),
        "frozen_times": Freeze.objects.filter(
            item__external_id__startswith="harmless"
        ).count(),
        "warnings": MisuseWarning.objects.count(),
        "suspensions": ReportingSuspension.objects.count(),
        "set_aside": Event.objects.filter(kind="report.set_aside").count(),
    }
