"""requirements.lock: exact, hashed, complete, and free of any index's address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()


def plain(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned() -> set[str]:
    return {plain(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", LOCK, re.M)}


def test_every_package_has_one_version_and_its_hashes() -> None:
    for entry in re.split(r"\n(?=[A-Za-z0-9])", LOCK):
        if entry.startswith("#"):
            continue
        assert re.match(r"[A-Za-z0-9._-]+==\S+", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry


def test_no_host_is_named() -> None:
    assert "://" not in LOCK
    assert not re.search(
        r"^\s*--?(i|index-url|extra-index-url|find-links|f)\b", LOCK, re.M
    )


def test_everything_that_is_asked_for_is_in_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["demo"],
        *project["dependency-groups"]["dev"],
    ]
    names = {plain(re.split(r"[\s\[<>=!~;]", one)[0]) for one in wanted}
    assert names
    assert names - pinned() == set()
