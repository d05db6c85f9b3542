"""Which processes belong to one database folder, proved and never guessed.

A process id in a file says nothing once its number has been given to another
process: a supervisor that trusted such a file killed a stranger. Here a process is
taken for a database server of ours only if the kernel says that it runs the program
``postgres`` and that its working folder *is* that data folder (the same device and
inode, whatever the path is called). Signals go through a handle of the process
(pidfd_open(2)) taken before the proof, so that the number cannot change hands in
between. Linux only.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Linux appends this to the program's path once its file was replaced or deleted, as
# an upgrade of the virtual environment does under a running server.
_DELETED = " (deleted)"


def serves(pid: int, data: Path) -> bool:
    """True if process ``pid`` is alive, is postgres and works in ``data``.

    Processes of other users cannot be looked into and count as not ours; so do dead
    ones that wait for their parent.
    """
    try:
        program = os.readlink(f"/proc/{pid}/exe").removesuffix(_DELETED)
        here, there = os.stat(f"/proc/{pid}/cwd"), os.stat(data)
    except OSError:
        return False
    return Path(program).name == "postgres" and os.path.samestat(here, there)


def postmaster_of(data: Path) -> int | None:
    """The process id of the server running on ``data``, or None."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    # PostgreSQL writes a negative number while somebody works in single-user mode.
    return pid if pid > 0 and serves(pid, data) else None


def all_of(data: Path) -> list[int]:
    """Every server process on ``data``: the postmaster and what it has forked."""
    numbers = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return [pid for pid in numbers if serves(pid, data)]


@contextmanager
def _handle(pid: int, data: Path) -> Iterator[int | None]:
    """A handle of ``pid`` if it serves ``data``, else None; closed at the end."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield handle if serves(pid, data) else None
    finally:
        os.close(handle)


def end(pid: int, data: Path, steps: tuple[tuple[signal.Signals, float], ...]) -> bool:
    """Send each signal in turn until ``pid`` has ended; True if it has.

    ``steps`` are pairs of a signal and the seconds to wait after it. A process that
    does not serve ``data`` is never signalled and counts as ended.
    """
    with _handle(pid, data) as handle:
        if handle is None:
            return True
        ended = select.poll()
        ended.register(handle, select.POLLIN)
        for number, wait_s in steps:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, number)
            if ended.poll(wait_s * 1000):
                return True
    return False
