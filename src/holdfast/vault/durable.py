"""Writing a file that is whole or absent, survives a power cut, and is never replaced.

Used for what must not be half there: keys and sealed originals. It never overwrites
and never leaves a readable name on bytes that are not yet on the disk.

The order is the one POSIX needs: write under another name, fsync the file, give it
its name by ``link`` (which, unlike ``rename``, fails when the name is taken), fsync
the folder so that the name itself is on the disk.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.base.errors import Unavailable

TORN_SUFFIX = ".part"
"""Ends the name of a file still being written, or left so by a crash."""

FOLDER_MODE = 0o700
"""Only the account Holdfast runs as may list or enter."""

FILE_MODE = 0o600
"""Only the account Holdfast runs as may read or write."""


class CannotStore(Unavailable):
    """The disk refused; do not count on what was asked."""

    code = "cannot-store"


def write_once(path: Path, data: bytes) -> bool:
    """Store ``data`` under ``path`` durably; False when the name is already taken.

    The folder must exist. The name is taken by a complete file or not at all, also
    when two processes write at once or the power fails. Raises ``CannotStore``.
    """
    torn = path.with_name(f"{path.name}.{secrets.token_hex(8)}{TORN_SUFFIX}")
    with _refusals():
        try:
            _write_and_sync(torn, data)
            os.link(torn, path)
            return True
        except FileExistsError:
            return False
        finally:
            torn.unlink(missing_ok=True)
            # Also when the name was taken: whoever took it may not have got this
            # far, and we are about to rely on it.
            sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Put the names in ``folder`` on the disk. Raises ``CannotStore``."""
    with _refusals():
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def make_private_folder(folder: Path) -> None:
    """Create ``folder`` durably with mode 0700; an existing one is left as it is.

    Missing parents get the usual mode: others may have business beside us in them.
    Raises ``CannotStore``.
    """
    with _refusals():
        if folder.is_dir():
            return
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        sync_folder(folder.parent)


def remove_with_torn(path: Path) -> bool:
    """Remove ``path`` and its torn remains durably; False when it did not exist.

    A torn file may hold all the bytes of its whole: it must go with it. Raises
    ``CannotStore``.
    """
    with _refusals():
        if not path.parent.is_dir():
            return False
        existed = path.is_file()
        for each in (path, *path.parent.glob(f"{path.name}.*{TORN_SUFFIX}")):
            each.unlink(missing_ok=True)
        sync_folder(path.parent)
        return existed


def _write_and_sync(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE)
    with open(descriptor, "wb", buffering=0) as file:
        remaining = memoryview(data)
        # One write may take less than all of it, and at most 2 GiB on Linux.
        while remaining:
            remaining = remaining[file.write(remaining) :]
        os.fsync(descriptor)


@contextmanager
def _refusals() -> Iterator[None]:
    """What the operating system refuses, as one of our errors."""
    try:
        yield
    except OSError as error:
        raise CannotStore(
            "The disk refused. Is it full, read-only, without hard links, "
            "or owned by another account?",
            errno=error.errno,
        ) from error
