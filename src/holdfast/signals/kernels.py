"""How kernels are compiled: machine code by Numba, kept between processes.

A kernel is a plain loop over arrays, compiled when it is first called. It never
allocates for long, takes no lock and lets the interpreter go (``nogil``), so threads
run it side by side. ``parallel=True`` is not used: it breaks under threads and fork.

Numba keeps what it compiled and knows it stale only when the kernel's own file has
changed, not when a function or a constant from another file has. So it is kept in a
folder named after all the sources of this package: any change makes a new one. The
folder is looked for in ``NUMBA_CACHE_DIR`` where that is set, beside the sources, and
in the user's cache. Where none of them can be written each process compiles for
itself, which takes seconds: give such an installation ``NUMBA_CACHE_DIR``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

SOURCES = Path(__file__).parent


def _places() -> Iterator[Path]:
    """Where compiled kernels may be kept, best first.

    Only the owner's own folders: what is kept there is run, so a folder that others
    may write, as the one for temporary files, would let them in.
    """
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(chosen)
    yield SOURCES / "__pycache__"
    if cache := os.environ.get("XDG_CACHE_HOME"):
        yield Path(cache) / "holdfast"
    elif home := os.environ.get("HOME"):
        yield Path(home) / ".cache" / "holdfast"


def _folder() -> Path | None:
    """The folder for kernels made from these sources, or None where there is none."""
    digest = hashlib.sha256()
    for source in sorted(SOURCES.glob("*.py")):
        digest.update(source.read_bytes())
    for place in _places():
        folder = place / f"kernels-{digest.hexdigest()[:16]}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return None


FOLDER = _folder()
"""Where compiled kernels are kept; None when each process compiles for itself."""

if FOLDER is not None:
    # Numba reads this when a function is decorated, so it stands before any kernel.
    # Its settings are made when it is imported, where types do not see them.
    vars(numba.config)["CACHE_DIR"] = str(FOLDER)


def kernel(function: F) -> F:
    """Compile ``function`` on its first call for each set of argument types."""
    compile_ = numba.njit(nogil=True, cache=FOLDER is not None, error_model="numpy")
    return cast(F, compile_(function))
