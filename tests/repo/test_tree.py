"""What must not be in the tree, and what must be true of it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
INDEX = re.compile(
    r"--(extra-)?index-url|--find-links|https?://[^\s\"']*(pypi|pythonhosted)"
)
SECONDS = 60


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=SECONDS,
    )
    return [ROOT / name.decode() for name in listed.stdout.split(b"\0") if name]


def test_the_lock_names_no_index_and_hashes_everything() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert not INDEX.search(lock)
    pinned = re.findall(r"^[A-Za-z0-9._-]+(?:\[[^]]*\])?==", lock, re.MULTILINE)
    assert pinned
    assert lock.count("--hash=sha256:") >= len(pinned)


def test_no_module_is_a_drawer() -> None:
    drawers = {"utils", "helpers", "common", "manager", "misc"}
    for path in (ROOT / "src").rglob("*.py"):
        assert path.stem not in drawers, path


def test_links_in_the_documents_lead_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_no_reported_media_and_no_database_is_in_the_tree() -> None:
    for path in tracked():
        assert path.suffix not in {".sqlite3", ".age", ".mp4", ".db"}, path
