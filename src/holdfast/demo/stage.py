"""The stage: Holdfast, the sample network and the authority's test double, running.

Every one is a program of its own under one supervisor, in one folder. The installation
is set up by ``founding.py`` in a process inside it. How Holdfast itself is started is
given by the caller, so that it is done as ``holdfast up`` does it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.base.errors import InvalidInput
from holdfast.demo.inside import run_inside
from holdfast.demo.network import (
    Double,
    Plaza,
    Secrets,
    authority_given,
    double_program,
    platform_given,
    plaza_program,
)
from holdfast.demo.people import Staff
from holdfast.run.postgres import EmbeddedPostgres
from holdfast.run.processes import Program, Supervisor, pick_free_port

Prepare = Callable[[dict[str, str]], None]
Programs = Callable[[Path, dict[str, str], str, int, int], list[Program]]
HOST = "127.0.0.1"

PEOPLE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("first", "First reader", ("reviewer",)),
    ("second", "Second reader", ("specialist",)),
    ("third", "Third reader", ("lead", "specialist")),
    ("you", "You", ("lead", "specialist", "administrator")),
)
"""Who works at the desk: (short name, name, roles). The last is for the visitor."""


@contextmanager
def new_folder(home: Path | None = None) -> Iterator[Path]:
    """An empty folder for an installation; deleted at the end unless it was named.

    Raises ``InvalidInput`` for a named one that is not empty.
    """
    if home is not None and home.exists() and any(home.iterdir()):
        raise InvalidInput(f"{home} is not empty. Name an empty or a new folder.")
    folder = Path(tempfile.mkdtemp(prefix="holdfast-demo-")) if home is None else home
    folder.mkdir(parents=True, exist_ok=True)
    # As root the database runs as another system user, who has to pass through.
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    try:
        yield folder.resolve()
    finally:
        if home is None:
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Stage:
    """Everything that runs, and how to reach it."""

    folder: Path
    holdfast_url: str
    environment: Mapping[str, str]
    plaza: Plaza
    double: Double
    key: str
    platform_id: str
    staff: Mapping[str, Staff]
    supervisor: Supervisor
    programs: Mapping[str, Program]

    def inside(self, module: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Run a module inside the installation."""
        return run_inside(module, given, self.environment)


def set_stage(
    folder: Path,
    database: EmbeddedPostgres,
    supervisor: Supervisor,
    *,
    prepare: Prepare,
    programs: Programs,
    settings: Mapping[str, str] | None = None,
    fail: Sequence[str] = (),
) -> Stage:
    """Start everything in ``folder``; ``database`` runs already.

    ``settings`` go into Holdfast's environment; ``fail`` is what the double shall get
    wrong, as its own options take it.
    """
    ports = [pick_free_port() for _ in range(3)]
    shared = Secrets()
    url, plaza_url = (f"http://{HOST}:{port}" for port in ports[:2])
    environment = {
        **os.environ,
        "HOLDFAST_HOME": str(folder),
        "HOLDFAST_URL": url,
        "DATABASE_URL": database.url(),
        "HOLDFAST_LOG_LEVEL": "WARNING",
        **(settings or {}),
    }
    supervisor.keep("database", database.is_running, database.start)
    # Each is started as soon as what it needs is there.
    prepare(environment)
    double = Double(ports[2], shared)
    founded = run_inside(
        "holdfast.demo.founding",
        {
            "platform": platform_given(plaza_url, shared),
            "authority": authority_given(double.url, shared),
            "people": [_person(*each) for each in PEOPLE],
        },
        environment,
    )
    started = [
        *programs(folder, environment, HOST, ports[0], 1),
        double_program(folder, ports[2], shared, fail),
        plaza_program(folder, ports[1], url, founded["key"], shared),
    ]
    for program in started:
        supervisor.start(program)
    names = [short for short, _, _ in PEOPLE]
    people = [Staff.of(each) for each in founded["people"]]
    return Stage(
        folder=folder,
        holdfast_url=url,
        environment=environment,
        plaza=Plaza(plaza_url, shared),
        double=double,
        key=founded["key"],
        platform_id=founded["platform_id"],
        staff=dict(zip(names, people, strict=True)),
        supervisor=supervisor,
        programs={each.name: each for each in started},
    )


def _person(short: str, name: str, roles: Sequence[str]) -> dict[str, Any]:
    return {
        "email": f"{short}@plaza.example",
        "name": name,
        "roles": list(roles),
        "password": secrets.token_urlsafe(15),
    }
