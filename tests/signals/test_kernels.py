"""Compiled kernels are kept where this installation may write, and never go stale."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import holdfast

PROBE = """
import numpy as np
from holdfast.signals import kernels
from holdfast.signals.pdq import pdq
pdq(np.zeros((64, 64), np.uint8))
print(kernels.FOLDER)
"""


def probe(package: Path, **environment: str) -> Path | None:
    """Where a new process, importing ``package``, keeps what it compiles."""
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(package.parent)}
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.strip()
    return None if said == "None" else Path(said)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of what signals are made of, whose sources may be changed."""
    source, copy = Path(holdfast.__file__).parent, tmp_path / "site" / "holdfast"
    skip = shutil.ignore_patterns("__pycache__")
    for name in ("signals", "base"):
        shutil.copytree(source / name, copy / name, ignore=skip)
    shutil.copy(source / "__init__.py", copy)
    return copy


def unwritable(package: Path) -> None:
    # A file stands where the folder would be: nobody can write into it, not even root.
    (package / "signals" / "__pycache__").write_text("")


def compiled(folder: Path | None) -> list[Path]:
    assert folder is not None
    return list(folder.rglob("*.nbc"))


def test_beside_the_sources_where_they_may_be_written(package: Path) -> None:
    folder = probe(package)
    assert compiled(folder)
    assert folder is not None
    assert folder.is_relative_to(package)


def test_in_the_users_cache_where_they_may_not(package: Path, tmp_path: Path) -> None:
    unwritable(package)
    folder = probe(package, HOME=str(tmp_path / "home"))
    assert compiled(folder)
    assert folder is not None
    assert folder.is_relative_to(tmp_path / "home")


def test_where_the_operator_says(package: Path, tmp_path: Path) -> None:
    unwritable(package)
    folder = probe(package, NUMBA_CACHE_DIR=str(tmp_path / "chosen"))
    assert compiled(folder)
    assert folder is not None
    assert folder.is_relative_to(tmp_path / "chosen")


def test_nowhere_at_all_still_works(package: Path) -> None:
    unwritable(package)
    assert probe(package) is None


def test_a_change_in_any_source_compiles_anew(package: Path) -> None:
    """Numba by itself looks only at the file that the kernel stands in."""
    before = probe(package)
    constants = package / "signals" / "digest.py"
    constants.write_text(constants.read_text() + "\nADDED = 1\n")
    assert probe(package) != before
