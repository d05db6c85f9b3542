"""One embedded PostgreSQL for the whole test run, and Django upon it.

With ``pytest -n 2``, as ``make test`` runs it, there are two processes, and each has a
PostgreSQL and folders of its own.

Tests reach no network beyond this machine: a socket to any other address is refused
here, and ``tests/repo/test_no_network.py`` proves it. Property tests draw the same
examples each time, so that a run that passes passes again; ``HOLDFAST_EXPLORE=1``
draws others.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import hypothesis
import pytest
from django.db import connection
from xdist.scheduler import LoadFileScheduling

_HOME = tempfile.TemporaryDirectory(prefix="holdfast-tests-")
os.environ["HOLDFAST_HOME"] = _HOME.name
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "holdfast.settings")
os.environ.setdefault("HOLDFAST_LOG_LEVEL", "ERROR")
for _name in ("SMTP", "IMAP", "ON_CALL", "KEYS", "BLOBS"):
    os.environ.pop(f"HOLDFAST_{_name}", None)

from holdfast.run.postgres import EmbeddedPostgres  # noqa: E402

# How long an example takes says how busy the machine is, or that Hypothesis builds its
# table of Unicode first, where it never ran: neither is a finding.
hypothesis.settings.register_profile(
    "holdfast",
    derandomize="HOLDFAST_EXPLORE" not in os.environ,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("holdfast")

_postgres: EmbeddedPostgres | None = None
_quick = pytest.MonkeyPatch()
_JOURNEYS = "tests/journeys/"


class _ByFile(LoadFileScheduling):  # type: ignore[misc]  # It ships no types.
    """One process runs a file's tests, and one all journeys: they share a network."""

    def _split_scope(self, nodeid: str) -> str:
        return _JOURNEYS if nodeid.startswith(_JOURNEYS) else nodeid.split("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _ByFile:
    """Which process runs which tests, where ``-n`` says that there are several."""
    return _ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The journeys first, so that nobody waits for them at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(_JOURNEYS))


def pytest_configure(config: pytest.Config) -> None:
    """Start the database before Django reads its settings."""
    global _postgres
    if config.option.dist != "no" and not hasattr(config, "workerinput"):
        # With ``-n`` this process only hands out tests. The others inherit from it, and
        # would read the settings before they have a database.
        del os.environ["DJANGO_SETTINGS_MODULE"]
        return
    if "DATABASE_URL" not in os.environ and not config.option.collectonly:
        _postgres = EmbeddedPostgres(
            Path(_HOME.name) / "postgres", durable=False, dies_with_owner=True
        )
        os.environ["DATABASE_URL"] = _postgres.start()
    django.setup()
    from tests import hashes  # noqa: PLC0415  # Needs Django.

    hashes.quicken(_quick)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the database and leave nothing behind."""
    if _postgres is not None:
        _postgres.destroy()
    _HOME.cleanup()


_LOCAL = {"127.0.0.1", "::1", "localhost", "0.0.0.0", ""}
_connect = socket.socket.connect


def _refuse_outside(self: socket.socket, address: Any) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in _LOCAL:
        raise OSError(f"A test tried to reach {address[0]}: tests reach no network.")
    _connect(self, address)


@pytest.fixture(autouse=True)
def no_network(whole_flow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse any connection that leaves this machine.

    It asks for ``whole_flow`` first, so that this looks after ``monkeypatch`` is done.
    """
    monkeypatch.setattr(socket.socket, "connect", _refuse_outside)


@pytest.fixture(autouse=True)
def whole_flow() -> Iterator[None]:
    """Refuse a test that leaves another flow behind than it found."""
    from holdfast.base import events  # noqa: PLC0415  # Needs Django, which starts later.

    before = dict(events._flow)
    yield
    assert events._flow == before, "This test left the flow changed."


@pytest.fixture(autouse=True)
def no_job_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that commits leaves no job behind: the next one would run them all.

    Django empties only the tables of its own models after such a test.
    """
    marker = request.node.get_closest_marker("django_db")
    marked = marker is not None and marker.kwargs.get("transaction", False)
    asked = {"transactional_db", "live_server"} & set(request.fixturenames)
    if not marked and not asked:
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")


@pytest.fixture
def real_hashes() -> Iterator[None]:
    """Passwords and codenames cost what they cost where Holdfast is used."""
    from tests import hashes  # noqa: PLC0415  # Needs Django, which starts later.

    _quick.undo()
    hashes.forget()
    yield
    hashes.quicken(_quick)


@pytest.fixture
def world(db: None) -> Any:
    """A policy in force and one platform; see ``tests/world.py``."""
    from tests.world import new_world  # noqa: PLC0415  # Needs Django, which starts later.

    return new_world()
