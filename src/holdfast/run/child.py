"""The first moments of a child process, before it becomes the program asked for.

Started as a small program of its own (:func:`command` builds its argument list), it
gives up root if told to, asks the kernel to be signalled when its parent dies, and
then replaces itself with the real program, keeping its process id. It is a program
and not a ``preexec_fn`` because that one may deadlock in a process with threads. It
runs before any of Holdfast is importable, so it imports the standard library alone.
Source: prctl(2), PR_SET_PDEATHSIG.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

# The number of prctl's option, from <linux/prctl.h>.
PR_SET_PDEATHSIG = 1

# Exit status of a child whose parent had died before it could be bound to it. No
# program of ours uses it; it has no reader but a person with a log.
PARENT_ALREADY_GONE = 113


def command(
    argv: Sequence[str],
    *,
    on_parent_death: signal.Signals | None,
    user: tuple[int, int] | None = None,
) -> list[str]:
    """The argument list that runs ``argv`` as a bound child of *this* process.

    ``argv[0]`` is the program's path; it is looked for nowhere.
    ``on_parent_death`` is the signal the child gets when the thread that started it
    ends (the kernel counts threads here, not processes); None binds nothing.
    ``user`` is a (uid, gid) pair to become first; only root may ask for it.
    """
    if "/" not in argv[0]:
        raise ValueError(f"name the program by its path, not {argv[0]!r}")
    death = 0 if on_parent_death is None else int(on_parent_death)
    uid, gid = user if user is not None else (-1, -1)
    settings = [str(number) for number in (os.getpid(), death, uid, gid)]
    # -I and -S: no site-packages and no environment, which also makes it start fast.
    return [sys.executable, "-I", "-S", __file__, *settings, *argv]


def become(parent: int, death: int, uid: int, gid: int, argv: list[str]) -> None:
    """Turn this process into ``argv``; returns only by raising ``OSError``."""
    if uid >= 0:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    if death:
        # After the change of user, for the kernel forgets the wish on such a change.
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, death, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
        # A parent that died before the line above can no longer be noticed by it.
        if os.getppid() != parent:
            sys.exit(PARENT_ALREADY_GONE)
    # Nothing may be imported any more: the new user may not reach Python's library.
    os.execv(argv[0], argv)


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:5]]
    become(numbers[0], numbers[1], numbers[2], numbers[3], sys.argv[5:])
