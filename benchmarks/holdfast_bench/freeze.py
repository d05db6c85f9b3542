"""From a report's request to its 201, with every copy frozen and committed.

A whole Holdfast runs in a temporary folder: its database, as durable as in real use,
its web part and a worker, and beside them a platform that confirms at once. One
picture after the other is reported over HTTP, as a platform does it, each with twenty
copies that nobody has reported before. A report counts only if its answer names all of
them and the table has them frozen when it arrives. Nothing is asked from inside.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID, uuid4

import httpx
import numpy as np
import psycopg

from holdfast.base.errors import Unavailable
from holdfast.cli import start
from holdfast.demo.inside import run_inside
from holdfast.demo.network import Secrets
from holdfast.demo.stage import HOST, new_folder
from holdfast.run.postgres import EmbeddedPostgres
from holdfast.run.processes import Supervisor, pick_free_port
from holdfast.signals.features import available
from holdfast_bench import registered
from holdfast_bench.machine import processor
from holdfast_bench.registered import COPIES, Group, Pictures, register
from holdfast_bench.site import platform_site

DEFAULT_PICTURES = 100_000
REPORTS = 100
"""Reports whose p50 and p99 are told: each begins when the one before is done with,
its originals sealed and its platform told, or after :data:`QUIET_S`."""
WARM_UP = 24
"""Reports before them: each of the web part's eight threads opens and plans at its
first report what no later one has to. What the very first takes is told apart."""
IN_A_ROW = 40
"""Reports after them, each as soon as the one before is answered. Fewer in all than
Holdfast takes from one platform before it slows them down."""
LOOKED_AT = 40
"""Reports of pictures with thumbnails kept, so that copies that are some bits away are
laid over each other before they are frozen."""
WITH_CODENAME = 20
"""Reports whose codename is hashed too, which is slow on purpose."""
QUIET_S = 10.0
"""Longest wait for what follows a report: some twenty originals are fetched, sealed and
told to the platform, a few seconds of work."""
LOOK_EVERY_S = 0.02
COMMITS = 100
"""Commits of next to nothing: no report is faster than their median on this disk."""
BUILD_TIMEOUT_S = 3600.0

KEEP_UP = """
import json, resource, sys, time
from holdfast.cli import prepare_django
prepare_django()
from holdfast.matching.search import registered
started = time.perf_counter()
assert registered.keep_up()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"s": time.perf_counter() - started, "peak_bytes": peak}))
"""


@dataclass
class Told:
    """One report: how long its answer took, and whether everything was frozen."""

    ms: float
    frozen_all: bool


@dataclass
class Installation:
    """What a platform and an administrator know of a running Holdfast."""

    category: str
    client: httpx.Client
    database: psycopg.Connection
    web: int
    """The number of the web part's first process."""

    def report(self, group: Group, *, wants_codename: bool = False) -> Told:
        """Report a picture and see what was frozen."""
        body = {
            "targets": [{"item": registered.name_of(group.original)}],
            "category": self.category,
            "language": "en",
            "reporter": "a00000000",
            "wants_codename": wants_codename,
        }
        headers = {"Idempotency-Key": str(uuid4())}
        started = time.perf_counter()
        answer = self.client.post("/api/v1/reports", json=body, headers=headers)
        ms = 1e3 * (time.perf_counter() - started)
        if answer.status_code != httpx.codes.CREATED:
            raise Unavailable("A report was not taken in.", status=answer.status_code)
        stand = self.database.execute(
            "SELECT count(*) FROM hf_item JOIN hf_freeze ON item_id = hf_item.id"
            " WHERE external_id = ANY(%s) AND hf_item.state = 'frozen'"
            " AND thawed_at IS NULL",
            [group.names],
        ).fetchone()
        named = answer.json()["frozen"] == group.names
        return Told(ms, named and stand == (1 + COPIES,))

    def be_quiet(self) -> None:
        """Wait until what follows the reports is done, or :data:`QUIET_S`."""
        end = time.monotonic() + QUIET_S
        while time.monotonic() < end:
            found = self.database.execute(
                "SELECT EXISTS (SELECT FROM procrastinate_jobs"
                " WHERE status = 'doing' OR (status = 'todo'"
                " AND (scheduled_at IS NULL OR scheduled_at <= now())))"
            ).fetchone()
            if found == (False,):
                return
            time.sleep(LOOK_EVERY_S)


def run(
    *,
    n: int | None = None,
    media: Path | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Measure with ``n`` registered pictures (default :data:`DEFAULT_PICTURES`).

    Takes about 2 KB of disk a picture, in the folder for temporary files. ``media`` is
    not used. With few pictures there are fewer reports.
    """
    count = DEFAULT_PICTURES if n is None else n
    sizes = sizes_for(count)
    pictures = Pictures(count, sum(sizes.values()))
    with ExitStack() as stack:
        folder = stack.enter_context(new_folder())
        first = sizes["warm_up"] + sizes["reports"]
        shown = pictures.groups[first : first + sizes["looked_at"]]
        built, installation = set_up(stack, folder, pictures, shown, progress)
        groups = iter(pictures.groups)
        told = measure(installation, groups, sizes, progress)
        every = [each for series in told.values() for each in series]
        return {
            "n": count,
            "copies": COPIES,
            "reports": sizes["reports"],
            "ms": percentiles(told["reports"]),
            "ms_looked_at": percentiles(told["looked_at"]),
            "ms_in_a_row": percentiles(told["in_a_row"]),
            "ms_with_codename": percentiles(told["with_codename"]),
            "first_ms": told["warm_up"][0].ms,
            "frozen_all": all(each.frozen_all for each in every),
            "bound": {"commit_ms": commit_ms(installation.database)},
            **built,
            "web_peak_bytes": peak_bytes(installation.web),
            "machine": {
                "cores": os.cpu_count(),
                "processor": processor(),
                "python": platform.python_version(),
                "load": round(os.getloadavg()[0], 2),
            },
        }


def sizes_for(count: int) -> dict[str, int]:
    """How many reports of each kind: at most half of the pictures belong to groups."""
    wanted = {
        "warm_up": WARM_UP,
        "reports": REPORTS,
        "looked_at": LOOKED_AT,
        "in_a_row": IN_A_ROW,
        "with_codename": WITH_CODENAME,
    }
    room = count / 2 / (1 + COPIES) / sum(wanted.values())
    return {name: max(1, int(min(1, room) * size)) for name, size in wanted.items()}


def measure(
    installation: Installation,
    groups: Iterator[Group],
    sizes: Mapping[str, int],
    progress: Callable[[str], None],
) -> dict[str, list[Told]]:
    """All reports of each kind, one kind after the other."""
    told: dict[str, list[Told]] = {}
    for name, size in sizes.items():
        progress(f"{size} reports: {name.replace('_', ' ')}")
        told[name] = []
        for _ in range(size):
            if name != "in_a_row":
                installation.be_quiet()
            told[name].append(
                installation.report(
                    next(groups), wants_codename=name == "with_codename"
                )
            )
        installation.be_quiet()
    return told


def percentiles(told: list[Told]) -> dict[str, float]:
    """p50 and p99 in milliseconds."""
    p50, p99 = np.percentile([each.ms for each in told], [50, 99])
    return {"p50": round(float(p50), 1), "p99": round(float(p99), 1)}


def commit_ms(database: psycopg.Connection) -> float:
    """The median of a durable commit that writes a few bytes."""
    taken = []
    for _ in range(COMMITS):
        started = time.perf_counter()
        database.execute("SELECT pg_logical_emit_message(true, 'bench', 'commit')")
        taken.append(1e3 * (time.perf_counter() - started))
    return round(median(taken), 2)


def peak_bytes(parent: int) -> int:
    """The largest memory of any child of a process, the search's files included."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return max(
        1024 * int(line.split()[1])
        for child in children
        for line in Path(f"/proc/{child}/status").read_text().splitlines()
        if line.startswith("VmHWM:")
    )


def set_up(
    stack: ExitStack,
    folder: Path,
    pictures: Pictures,
    shown: Sequence[Group],
    progress: Callable[[str], None],
) -> tuple[dict[str, Any], Installation]:
    """Start everything, with all pictures registered and the search's files built.

    Of those in ``shown`` thumbnails are kept.
    """
    site = stack.enter_context(platform_site())
    progress("Starting PostgreSQL")
    database = stack.enter_context(
        EmbeddedPostgres(folder / "postgres", dies_with_owner=True)
    )
    supervisor = stack.enter_context(Supervisor(tell=lambda line: None))
    port = pick_free_port()
    environment = {
        **os.environ,
        "HOLDFAST_HOME": str(folder),
        "HOLDFAST_URL": f"http://{HOST}:{port}",
        "DATABASE_URL": database.url(),
        "HOLDFAST_LOG_LEVEL": "ERROR",
    }
    founded = _found(environment, site)
    started = time.perf_counter()
    platform_id = UUID(founded["platform_id"])
    register(database.url(), platform_id, pictures, f"{site}/media", progress)
    register_s = time.perf_counter() - started
    if available():
        progress("Keeping thumbnails")
        given = {"groups": [_in_order(group) for group in shown]}
        run_inside("holdfast_bench.thumbnails", given, environment)
    progress("Building the search's files")
    built = _build(environment)
    # Started anew, so that it does not write in the background what was loaded.
    database.stop()
    database.start()
    progress("Starting Holdfast")
    for program in start.programs(folder, environment, HOST, port, 1):
        supervisor.start(program)
    client = stack.enter_context(
        httpx.Client(
            base_url=f"http://{HOST}:{port}",
            headers={"Authorization": f"Bearer {founded['key']}"},
            trust_env=False,
            timeout=60,
        )
    )
    connection = stack.enter_context(psycopg.connect(database.url(), autocommit=True))
    facts = {
        "register_s": round(register_s, 1),
        "segments_s": round(built["s"], 1),
        "segments_peak_bytes": built["peak_bytes"],
        "bytes_per_picture": {
            "postgresql": round(_stored(connection) / pictures.count),
            "search": round(_files(folder / "search") / pictures.count),
        },
    }
    category = client.get("/api/v1/categories").raise_for_status().json()[0]["code"]
    return facts, Installation(category, client, connection, supervisor.pids()["web"])


def _in_order(group: Group) -> list[str]:
    return [registered.name_of(each) for each in (group.original, *group.copies)]


def _found(environment: Mapping[str, str], site: str) -> dict[str, Any]:
    """Create the database, and a platform with a key."""
    subprocess.run(
        [*start.holdfast(), "prepare"],
        env=dict(environment),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    netloc = site.removeprefix("http://")
    given = {
        "slug": "bench",
        "name": "Bench",
        "url": site,
        "hosts": [registered.HOST],
        "media_hosts": [netloc],
        "webhook_url": f"{site}/webhook",
        "webhook_secret": Secrets().webhook,
    }
    return run_inside(
        "holdfast.demo.founding", {"platform": given, "people": []}, environment
    )


def _build(environment: Mapping[str, str]) -> dict[str, Any]:
    """What a running Holdfast does in the background while pictures come in."""
    done = subprocess.run(
        [sys.executable, "-c", KEEP_UP],
        env=dict(environment),
        check=True,
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
    )
    built: dict[str, Any] = json.loads(done.stdout)
    return built


def _stored(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None
    return int(row[0])


def _files(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
