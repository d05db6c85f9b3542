"""The locks: exact, hashed, complete, and free of any index's address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAIN = (ROOT / "requirements.lock").read_text()
PEERS = (ROOT / "requirements-peers.lock").read_text()
both = pytest.mark.parametrize("lock", [MAIN, PEERS], ids=["main", "peers"])


def plain(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(lock: str) -> set[str]:
    return {plain(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.M)}


@both
def test_every_package_has_one_version_and_its_hashes(lock: str) -> None:
    for entry in re.split(r"\n(?=[A-Za-z0-9])", lock):
        if entry.startswith("#"):
            continue
        assert re.match(r"[A-Za-z0-9._-]+==\S+", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry


@both
def test_no_host_is_named(lock: str) -> None:
    assert "://" not in lock
    assert not re.search(
        r"^\s*--?(i|index-url|extra-index-url|find-links|f)\b", lock, re.M
    )


def named(wanted: list[str]) -> set[str]:
    return {plain(re.split(r"[\s\[<>=!~;]", one)[0]) for one in wanted}


def test_everything_that_is_asked_for_is_in_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    wanted = named(
        [
            *project["build-system"]["requires"],
            *project["project"]["dependencies"],
            *extras["demo"],
            *extras["features"],
            *project["dependency-groups"]["dev"],
        ]
    )
    peers = named([*extras["bench"], *extras["exchange"]])
    assert wanted
    assert wanted - pinned(MAIN) == set()
    assert peers
    assert peers - pinned(PEERS) == set()


def test_the_locks_agree_where_both_name_a_package() -> None:
    def versions(lock: str) -> set[str]:
        return set(re.findall(r"^([A-Za-z0-9._-]+==[^ \\]+[^\\\n]*)", lock, re.M))

    shared = pinned(MAIN) & pinned(PEERS)
    assert shared
    for line in versions(PEERS) ^ versions(MAIN):
        name = plain(line.split("==")[0])
        assert name not in shared, line
