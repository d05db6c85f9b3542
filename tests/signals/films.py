"""Short films for the tests, made once: (320, 180), 12 seconds at 30 a second."""

from __future__ import annotations

from atexit import register
from functools import lru_cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from holdfast_bench.films import EDITS, film, photographs, write

SIZE = (320, 180)
FPS = 30
SECONDS = 12
COUNT = FPS * SECONDS


@lru_cache
def folder() -> Path:
    name = mkdtemp(prefix="films-")
    register(rmtree, name, ignore_errors=True)
    return Path(name)


@lru_cache
def first() -> Path:
    return _film("first", 0, seed=1)


@lru_cache
def second() -> Path:
    """Of other photographs than the first."""
    return _film("second", 9, seed=2)


@lru_cache
def copy_of_first(edit: str) -> Path:
    return EDITS[edit](first(), second(), folder() / f"{edit}.mp4")


def frames(start: int = 0, seed: int = 1, **settings: Any) -> Any:
    """Frames of a film made of three photographs, from the ``start``-th on."""
    given: dict[str, Any] = {"size": SIZE, "fps": FPS, "seconds": SECONDS} | settings
    return film(photographs()[start : start + 3], seed=seed, **given)


def _film(name: str, start: int, seed: int) -> Path:
    return write(folder() / f"{name}.mp4", frames(start, seed), fps=FPS)
