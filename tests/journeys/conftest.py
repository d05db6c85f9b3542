"""One installation for all journeys, with the network and the double, and no crowd."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from holdfast.cli import start
from holdfast.demo.pictures import Album, make_album
from holdfast.demo.stage import Stage, new_folder, set_stage
from holdfast.run.postgres import EmbeddedPostgres
from holdfast.run.processes import Supervisor
from tests.journeys.town import Town

PICTURES = 240


@pytest.fixture(scope="session")
def album() -> Album:
    """Distinct pictures, each used by one journey alone."""
    return make_album(PICTURES)


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """Holdfast as ``holdfast up`` runs it, Plaza, and the CyberTipline double."""
    with ExitStack() as stack:
        folder = stack.enter_context(new_folder())
        database = stack.enter_context(
            EmbeddedPostgres(folder / "postgres", dies_with_owner=True)
        )
        supervisor = stack.enter_context(Supervisor())
        yield set_stage(
            folder,
            database,
            supervisor,
            prepare=start.prepare,
            programs=start.programs,
        )


@pytest.fixture(scope="session")
def settled_town(stage: Stage, album: Album) -> Town:
    """That installation with its reviewer, once."""
    return Town(stage, list(album.others))


@pytest.fixture
def town(settled_town: Town) -> Town:
    """That installation, all of it up again after whatever went before."""
    settled_town.until(settled_town.whole, "everything is up")
    return settled_town
