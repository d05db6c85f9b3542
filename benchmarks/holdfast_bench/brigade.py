"""A brigade at the door: thousands of false reports among a few true ones.

The same reports and the same people meet Holdfast twice, each time with a database of
its own: once as it is, and once with its defences switched off by name (see
``brigade_off``). Reports come through the real doors (see ``brigade_doors``), people
take the next case of the queue and decide, and the clock is moved from event to event.
Told are the hours for which harmless posts were hidden, the mean wait of a true report
for its decision, and how often somebody read a case. All of it is simulated time, and
whatever it rests on is told beside it.
"""

from __future__ import annotations

import itertools
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import holdfast.policy
from holdfast.cli import start
from holdfast.demo.inside import run_inside
from holdfast.demo.stage import new_folder
from holdfast.run.postgres import EmbeddedPostgres

BRIGADE_REPORTS = 2000
BRIGADE_ACCOUNTS = 40
"""Accounts of the platform that send half of the brigade's reports."""
PROGRAM_SHARE = 0.5
"""Of its reports by the portal: sent by programs, and not by people who read."""
PROGRAM_PLACES = 5
"""Network addresses from which all of these programs send."""
HARMLESS_ACCOUNTS = 20
POSTS_OF_EACH = 5
TRUE_REPORTS = 40
REVIEWERS = 4
"""Of whom every second is a specialist; they work day and night."""
REVIEW_S = 300
"""How long somebody takes to open and read one case."""
READS_S = 20
"""How long a person takes for one page of the portal."""
LEAD_LOOKS_S = 1800
"""How often a lead looks for misuse of reporting."""
SUSPENDED_DAYS = 30
HOUR_S = 3600
BRIGADE_HOURS = (1.0, 7.0)
"""When the brigade reports; the true reports come all day."""
RUSH_SHARE = 0.3
"""Of the brigade's reports: all in the first minutes, as when somebody calls for it."""
RUSH_S = 60
DAY_S = 24 * HOUR_S
LYING_SHARE = 0.02
"""Of the brigade's reports: they claim to be of the person shown, which weighs more."""
BY_PORTAL = "child_sexual_abuse_material"
BY_ACCOUNT = "intimate_image"
"""What the brigade claims: by the portal, and as an account. Both freeze, and both are
of the highest urgency; true reports are all of the first."""
SEED = 20261122
TIMEOUT_S = 3600.0
POLICY = Path(holdfast.policy.__path__[0]) / "default.yaml"


@dataclass(frozen=True)
class Arrival:
    """One report: when (seconds from the start), about which post, and how it comes."""

    at_s: float
    post: str
    true: bool
    category: str = BY_PORTAL
    account: str = ""
    """Of the platform; blank for a visit to the portal."""
    address: str = ""
    """The network address of such a visit."""
    is_program: bool = False
    claims: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Where the post is."""
        return f"https://bench.example/{self.post}"


@dataclass(frozen=True)
class Outcome:
    """What a day did to harmless people, to the truth, and to those who look."""

    wrongful_freeze_hours: float
    true_report_delay_s: float
    reviews: int


def run(
    *,
    n: int | None = None,
    true_reports: int = TRUE_REPORTS,
    media: Path | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Both days, with ``n`` brigade reports (default :data:`BRIGADE_REPORTS`).

    Side by side; each takes about a fifth of a second of a core for each report and
    what follows from it. ``media`` is not used.
    """
    arrivals = arrivals_of(BRIGADE_REPORTS if n is None else n, true_reports)
    progress(f"Two days with {len(arrivals)} reports each; this takes minutes")
    with ThreadPoolExecutor(2) as both:
        days = [
            both.submit(holdfast_day, arrivals, defended=each) for each in (True, False)
        ]
        defended, bare = (each.result() for each in days)
    return {
        "with": defended["outcome"],
        "without": bare["outcome"],
        "seen": {"with": defended["seen"], "without": bare["seen"]},
        "defences": defended["defences"],
        "brigade_reports": sum(not each.true for each in arrivals),
        "true_reports": true_reports,
        "harmless_posts": HARMLESS_ACCOUNTS * POSTS_OF_EACH,
        "reviewers": REVIEWERS,
        "review_s": REVIEW_S,
        "assumptions": assumptions(),
    }


def assumptions() -> dict[str, Any]:
    """Everything of the model that is no measurement."""
    return {
        "reviewers": REVIEWERS,
        "reviewers_work": "day and night, each on the next case of the queue, and each"
        " finds what is so",
        "every_second_is": "a specialist",
        "review_s": REVIEW_S,
        "brigade_hours": list(BRIGADE_HOURS),
        "brigade_arrives": "evenly in these hours, but for the rush",
        "rush_share": RUSH_SHARE,
        "rush_s": RUSH_S,
        "true_reports_arrive": "evenly over the day, half by the portal, half by the"
        " API as accounts, one of each true post",
        "day_s": DAY_S,
        "brigade_by_accounts_share": 0.5,
        "brigade_accounts": BRIGADE_ACCOUNTS,
        "brigade_category_by_portal": BY_PORTAL,
        "brigade_category_by_accounts": BY_ACCOUNT,
        "true_category": BY_PORTAL,
        "lying_share": LYING_SHARE,
        "program_share_by_portal": PROGRAM_SHARE,
        "program_places": PROGRAM_PLACES,
        "page_read_s": READS_S,
        "lead_looks_every_s": LEAD_LOOKS_S,
        "lead_warns": "whoever sent three reports in which people found nothing, and"
        " suspends whoever sent three more after that",
        "suspended_days": SUSPENDED_DAYS,
        "doors": "every report is an HTTP request to the whole program, called within"
        " one process; what is held up is counted and not waited for",
        "seed": SEED,
    }


def arrivals_of(brigade: int, true_reports: int = TRUE_REPORTS) -> list[Arrival]:
    """The day's reports in order, the same ones every time."""
    chance = random.Random(SEED)  # A simulation, no secret.
    harmless = [
        f"harmless-{account}-{post}"
        for account in range(HARMLESS_ACCOUNTS)
        for post in range(POSTS_OF_EACH)
    ]
    homes = _addresses()
    found = [
        _false(chance, chance.choice(harmless), place, homes)
        for place in range(brigade)
    ]
    for number in range(true_reports):
        by_api = number % 2
        found.append(
            Arrival(
                chance.uniform(0, DAY_S),
                f"true-{number}",
                true=True,
                account=f"witness-{number}" if by_api else "",
                address="" if by_api else next(homes),
            )
        )
    return sorted(found, key=lambda each: each.at_s)


def _false(
    chance: random.Random, post: str, place: int, homes: Iterator[str]
) -> Arrival:
    first_s, last_s = (hours * HOUR_S for hours in BRIGADE_HOURS)
    in_rush = chance.random() < RUSH_SHARE
    at_s = chance.uniform(first_s, first_s + RUSH_S if in_rush else last_s)
    if place % 2:
        account = f"brigade-{chance.randrange(BRIGADE_ACCOUNTS)}"
        lies = chance.random() < 2 * LYING_SHARE
        claims = ("shown",) if lies else ()
        return Arrival(at_s, post, False, BY_ACCOUNT, account, claims=claims)
    is_program = chance.random() < PROGRAM_SHARE
    address = (
        f"93.184.216.{1 + chance.randrange(PROGRAM_PLACES)}"
        if is_program
        else next(homes)
    )
    return Arrival(at_s, post, False, address=address, is_program=is_program)


def _addresses() -> Iterator[str]:
    """One for each household; they are looked at here, and called by nobody."""
    for number in itertools.count():
        yield f"81.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def holdfast_day(arrivals: list[Arrival], *, defended: bool) -> dict[str, Any]:
    """One day at Holdfast, in a process of its own with its own database."""
    with ExitStack() as stack:
        folder = stack.enter_context(new_folder())
        database = stack.enter_context(
            EmbeddedPostgres(folder / "postgres", dies_with_owner=True)
        )
        environment = {
            **os.environ,
            "HOLDFAST_HOME": str(folder),
            "HOLDFAST_URL": "http://127.0.0.1",
            "DATABASE_URL": database.url(),
            "HOLDFAST_LOG_LEVEL": "ERROR",
            # No time is measured here, and nothing has to outlive the run.
            "PGOPTIONS": "-c synchronous_commit=off",
        }
        subprocess.run(
            [*start.holdfast(), "prepare"],
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        given = {
            "arrivals": [asdict(each) for each in arrivals],
            "defended": defended,
        }
        return run_inside("holdfast_bench.brigade_day", given, environment, TIMEOUT_S)


def reviewers() -> itertools.cycle[str]:
    """The roles of the people at the desk, in turn."""
    return itertools.cycle(("specialist", "reviewer"))
