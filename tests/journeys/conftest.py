"""One installation for all journeys, with the network and the double, and no crowd."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest
from PIL import Image

from holdfast.cli import start
from holdfast.demo.pictures import Picture
from holdfast.demo.stage import Stage, new_folder, set_stage
from holdfast.run.postgres import EmbeddedPostgres
from holdfast.run.processes import Supervisor
from tests.journeys.town import Town

PICTURES = 240


@pytest.fixture(scope="session")
def strangers() -> list[Picture]:
    """Pictures that have nothing in common, each used by one journey alone.

    They are drawn: two cuts of one photograph that overlap are copies of each other.
    """
    return [
        Picture(f"drawn-{number:04}.jpg", _drawn(number), "image/jpeg", views=())
        for number in range(PICTURES)
    ]


def _drawn(number: int) -> bytes:
    patches = np.random.default_rng(number).integers(0, 256, (24, 24, 3), np.uint8)
    drawing = Image.fromarray(patches).resize((480, 480), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    drawing.save(file, "JPEG", quality=90)
    return file.getvalue()


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
def settled_town(stage: Stage, strangers: list[Picture]) -> Town:
    """That installation with its reviewer, once."""
    return Town(stage, list(strangers))


@pytest.fixture
def town(settled_town: Town) -> Town:
    """That installation, all of it up again after whatever went before."""
    settled_town.until(settled_town.whole, "everything is up")
    return settled_town
