"""A brigade at the door: thousands of false reports among a few true ones.

The same arrivals and the same people meet two desks. *With* the defences it is
Holdfast itself: its operations, on a database of its own, with the clock moved from
event to event. *Without* it is a desk as many are, in a few lines below: each report is
a ticket, each ticket hides what it names until it is decided, and what most people
reported comes first. Both have two people for every "no violation" about a child. Told
are the hours for which harmless posts were hidden, the mean wait of a true report for
its decision, and how often somebody had to look. All of it is simulated time.
"""

from __future__ import annotations

import heapq
import itertools
import os
import random
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from holdfast.cli import start
from holdfast.demo.inside import run_inside
from holdfast.demo.stage import new_folder
from holdfast.run.postgres import EmbeddedPostgres

BRIGADE_REPORTS = 2000
HARMLESS_ACCOUNTS = 20
POSTS_OF_EACH = 5
TRUE_REPORTS = 40
REVIEWERS = 4
"""Of whom every second is a specialist; they work day and night."""
REVIEW_S = 300
"""How long somebody takes for one case or ticket."""
HOUR_S = 3600
BRIGADE_HOURS = (1.0, 7.0)
"""When the brigade reports; the true reports come all day."""
DAY_S = 24 * HOUR_S
LYING_SHARE = 0.02
"""Brigade reports that claim to be of the person shown, which weighs more."""
SEED = 20261122
TIMEOUT_S = 3600.0


@dataclass(frozen=True)
class Arrival:
    """One report: when (seconds from the start), about which post, and whether true."""

    at_s: float
    post: str
    true: bool
    claims: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a day did to harmless people, to the truth, and to those who look."""

    wrongful_freeze_hours: float
    true_report_delay_s: float
    reviews: int


def run(
    *,
    n: int | None = None,
    media: Path | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Both desks, with ``n`` brigade reports (default :data:`BRIGADE_REPORTS`).

    About 0.1 s for each report. ``media`` is not used.
    """
    arrivals = arrivals_of(BRIGADE_REPORTS if n is None else n)
    progress("The desk without defences")
    without = naive(arrivals)
    progress(f"Holdfast, with {len(arrivals)} reports; this takes minutes")
    return {
        "with": asdict(holdfast(arrivals)),
        "without": asdict(without),
        "brigade_reports": sum(not each.true for each in arrivals),
        "true_reports": TRUE_REPORTS,
        "harmless_posts": HARMLESS_ACCOUNTS * POSTS_OF_EACH,
        "reviewers": REVIEWERS,
        "review_s": REVIEW_S,
    }


def arrivals_of(brigade: int) -> list[Arrival]:
    """The day's reports in order, the same ones every time."""
    chance = random.Random(SEED)  # A simulation, no secret.
    harmless = [
        f"harmless-{account}-{post}"
        for account in range(HARMLESS_ACCOUNTS)
        for post in range(POSTS_OF_EACH)
    ]
    first_s, last_s = (hours * HOUR_S for hours in BRIGADE_HOURS)
    found = [
        Arrival(
            chance.uniform(first_s, last_s),
            chance.choice(harmless),
            true=False,
            claims=("shown",) if chance.random() < LYING_SHARE else (),
        )
        for _ in range(brigade)
    ]
    found += [
        Arrival(chance.uniform(0, DAY_S), f"true-{number}", true=True)
        for number in range(TRUE_REPORTS)
    ]
    return sorted(found, key=lambda each: each.at_s)


def naive(arrivals: list[Arrival]) -> Outcome:
    """Each report a ticket, each ticket hides, the most reported post first."""
    desk = NaiveDesk()
    coming = arrivals[::-1]
    free = [(0.0, reviewer) for reviewer in range(REVIEWERS)]
    while free:
        now_s, reviewer = heapq.heappop(free)
        while coming and coming[-1].at_s <= now_s:
            desk.receive(coming.pop())
        post = desk.next_for(reviewer)
        if post is not None:
            desk.read(post, reviewer, now_s + REVIEW_S)
            heapq.heappush(free, (now_s + REVIEW_S, reviewer))
        elif coming:
            heapq.heappush(free, (max(now_s, coming[-1].at_s) + 1e-6, reviewer))
    return Outcome(
        round(desk.wrongful_s / HOUR_S, 1), round(mean(desk.delays_s), 1), desk.reviews
    )


@dataclass
class Ticket:
    """One report at the naive desk, and who has found nothing in it so far."""

    at_s: float
    read_by: int | None = None


class NaiveDesk:
    """A desk that has none of the defences."""

    def __init__(self) -> None:
        self.wrongful_s = 0.0
        self.delays_s: list[float] = []
        self.reviews = 0
        self._open: dict[str, list[Ticket]] = {}
        self._hidden_since: dict[str, float] = {}

    def receive(self, each: Arrival) -> None:
        """A ticket more, and the post is hidden."""
        self._open.setdefault(each.post, []).append(Ticket(each.at_s))
        self._hidden_since.setdefault(each.post, each.at_s)

    def next_for(self, reviewer: int) -> str | None:
        """The post with the most tickets among those that this person may read."""
        mine = [
            (len(tickets), post)
            for post, tickets in self._open.items()
            if any(ticket.read_by != reviewer for ticket in tickets)
        ]
        return max(mine)[1] if mine else None

    def read(self, post: str, reviewer: int, now_s: float) -> None:
        """One ticket is read; it is done if it was true, or by the second person."""
        tickets = self._open[post]
        ticket = next(each for each in tickets if each.read_by != reviewer)
        is_true = post.startswith("true")
        self.reviews += 1
        if not is_true and ticket.read_by is None:
            ticket.read_by = reviewer
            return
        tickets.remove(ticket)
        if is_true:
            self.delays_s.append(now_s - ticket.at_s)
        if not tickets:
            del self._open[post]
            since_s = self._hidden_since.pop(post)
            self.wrongful_s += 0.0 if is_true else now_s - since_s


def holdfast(arrivals: list[Arrival]) -> Outcome:
    """The same day at Holdfast, in a process of its own with its own database."""
    with ExitStack() as stack:
        folder = stack.enter_context(new_folder())
        database = stack.enter_context(
            EmbeddedPostgres(folder / "postgres", dies_with_owner=True)
        )
        environment = {
            **os.environ,
            "HOLDFAST_HOME": str(folder),
            "DATABASE_URL": database.url(),
            "HOLDFAST_LOG_LEVEL": "ERROR",
        }
        subprocess.run(
            [*start.holdfast(), "prepare"],
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        given = {"arrivals": [asdict(each) for each in arrivals]}
        return Outcome(
            **run_inside("holdfast_bench.brigade_day", given, environment, TIMEOUT_S)
        )


def reviewers() -> itertools.cycle[str]:
    """The roles of the people at the desk, in turn."""
    return itertools.cycle(("specialist", "reviewer"))
