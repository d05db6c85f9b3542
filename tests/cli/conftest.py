"""What the imports are tried with."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests import server
from tests.cli.importer import Importer


@pytest.fixture(scope="module")
def served(django_db_setup: None) -> Iterator[str]:
    """The address of a server."""
    bind = f"127.0.0.1:{server.free_port()}"
    started = server.start(bind)
    try:
        server.wait_for(bind, started)
        yield f"http://{bind}"
    finally:
        server.kill(started)


@pytest.fixture
def importer(served: str, world: Any, tmp_path: Path) -> Importer:
    """An import into the world's platform."""
    # Django is not ready yet when this file is read.
    calls = import_module("tests.stages.api.calls")
    return Importer(tmp_path / "home", served, calls.Api(world).token)
