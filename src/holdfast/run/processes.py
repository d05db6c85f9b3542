"""The program's own processes: started, watched, restarted, and stopped in order.

``holdfast up`` and ``holdfast demo`` run web, worker and their neighbours as child
processes under one :class:`Supervisor`. A child that dies is started again, with a
growing pause; every start, death and stop is told. Children die with this process,
however it dies, and leave no zombie and no grandchild that holds a port.

Never done here: giving up on a child, or signalling a process group whose number
may have passed to somebody else.
"""

from __future__ import annotations

import http.client
import logging
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from holdfast.base.errors import Unavailable
from holdfast.run import child

logger = logging.getLogger(__name__)

# Pause before a restart, in seconds: doubled with each death, back to the first
# once a child has stayed up. Short at first, for a frozen item waits meanwhile.
RESTART_FIRST_S = 0.5
RESTART_LONGEST_S = 30.0
STAYED_UP_S = 60.0
# How long a child may take to become ready, and to end after SIGTERM, in seconds.
READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
# How often children are looked at and readiness is asked, in seconds.
_LOOK_EVERY_S = 0.1
# Longest wait for one answer to a readiness question, in seconds.
_ANSWER_TIMEOUT_S = 2.0
# How many last lines of its log a child that failed to start shows.
_LOG_TAIL_LINES = 15
# What ends the whole: Ctrl-C, a service manager, a closed terminal.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Program:
    """One child process to run.

    ``argv[0]`` is the program's path, such as ``sys.executable``.
    ``env`` is its whole environment (None: ours). ``log_file`` gets what it prints.
    ``ready`` is a question asked until it says True, or a URL asked until it answers
    with a status below 400; None means ready when started.
    """

    name: str
    argv: Sequence[str]
    log_file: Path
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    ready: Callable[[], bool] | str | None = None
    ready_timeout_s: float = READY_TIMEOUT_S
    stop_timeout_s: float = STOP_TIMEOUT_S


@dataclass
class _BackOff:
    """When something that has died may be started again."""

    pause_s: float = RESTART_FIRST_S
    started_at: float = field(default_factory=time.monotonic)
    next_try_at: float | None = None

    def died(self) -> float:
        """Note a death; returns the pause in seconds before the next try."""
        if time.monotonic() - self.started_at >= STAYED_UP_S:
            self.pause_s = RESTART_FIRST_S
        pause_s = self.pause_s
        self.next_try_at = time.monotonic() + pause_s
        self.pause_s = min(2 * pause_s, RESTART_LONGEST_S)
        return pause_s

    @property
    def is_due(self) -> bool:
        return self.next_try_at is not None and time.monotonic() >= self.next_try_at

    def started(self) -> None:
        self.started_at = time.monotonic()
        self.next_try_at = None


class _Child:
    """A :class:`Program` with the process that runs it now."""

    def __init__(self, program: Program) -> None:
        self.program = program
        # False until it has been ready once: a child that never was is not restarted.
        self.is_watched = False
        self.back_off = _BackOff()
        # How it ended, until it is started again.
        self._end: str | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        program = self.program
        program.log_file.parent.mkdir(parents=True, exist_ok=True)
        log = os.open(program.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = subprocess.Popen(
                child.command(program.argv, on_parent_death=signal.SIGTERM),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=None if program.env is None else dict(program.env),
                cwd=program.cwd,
                # Its own session: Ctrl-C reaches us alone, and its process group
                # holds whatever it starts in turn.
                start_new_session=True,
            )
        finally:
            os.close(log)
        self._end = None
        self.back_off.started()

    def is_running(self) -> bool:
        self.collect()
        return self._process is not None

    def collect(self) -> str | None:
        """If it has ended: end what it left behind, and say how it ended."""
        process = self._process
        if process is None:
            return self._end
        # Looked at but not yet collected: until then no other process can have its
        # number, so that the group signalled here is surely the child's.
        how = os.WEXITED | os.WNOHANG | os.WNOWAIT
        if os.waitid(os.P_PID, process.pid, how) is None:
            return None  # It is running.
        self._signal(os.killpg, signal.SIGKILL)
        code = process.wait()
        self._process = None
        self._end = f"ended by signal {-code}" if code < 0 else f"ended with {code}"
        return self._end

    def stop(self) -> bool:
        """End it; False if it had to be killed after ``stop_timeout_s``."""
        if not self.is_running():
            return True
        deadline = time.monotonic() + self.program.stop_timeout_s
        self._signal(os.kill, signal.SIGTERM)
        while self.is_running():
            if time.monotonic() > deadline:
                self._signal(os.killpg, signal.SIGKILL)
                while self.is_running():
                    time.sleep(_LOOK_EVERY_S / 10)
                return False
            time.sleep(_LOOK_EVERY_S / 10)
        return True

    def _signal(self, send: Callable[[int, int], None], number: int) -> None:
        """Signal the process (os.kill) or its group (os.killpg), not yet collected."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                send(self._process.pid, number)


@dataclass
class _Kept:
    """Something that is no child of ours but shall be running: the database."""

    name: str
    is_running: Callable[[], bool]
    start: Callable[[], object]
    back_off: _BackOff = field(default_factory=_BackOff)


class Supervisor:
    """Runs child processes until told to stop; use it as a context manager.

    Inside it, SIGINT, SIGTERM and SIGHUP raise ``KeyboardInterrupt`` in the main
    thread, and leaving it stops every child, the last one started first. ``tell``
    gets one line for each thing that happens, from any thread; it must not raise.
    """

    def __init__(self, tell: Tell = logger.warning) -> None:
        self._tell = tell
        self._children: list[_Child] = []
        self._kept: list[_Kept] = []
        # Held while a child is started, looked at or stopped.
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._watcher = threading.Thread(
            target=self._watch, name="supervisor", daemon=True
        )
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in STOP_SIGNALS:
                # Whoever had a signal ignored (nohup) meant it.
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._handlers[number] = signal.signal(number, _interrupt)
        self._watcher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A second Ctrl-C must not leave the children half stopped.
        for number in self._handlers:
            signal.signal(number, signal.SIG_IGN)
        self.stop()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def start(self, program: Program) -> None:
        """Start one child and wait until it is ready.

        Call it from a thread that lives as long as the child shall. Raises
        :class:`Unavailable` with the end of the child's log if it ends before it is
        ready, or is not ready in ``ready_timeout_s``.
        """
        new = _Child(program)
        with self._lock:
            if self._stopping.is_set():
                raise Unavailable("The program is stopping.")
            # In the list at once, so that an interruption from here on stops it.
            self._children.append(new)
            new.start()
        deadline = time.monotonic() + program.ready_timeout_s
        while True:
            with self._lock:
                how = new.collect()
            if how is not None:
                self._forget(new)
                raise _not_ready(program, f"{how} before it was ready")
            # Asked only while the child lives: a stranger may answer on its port.
            if _is_ready(program.ready):
                break
            if time.monotonic() > deadline:
                self._forget(new)
                late = f"was not ready after {program.ready_timeout_s:g} seconds"
                raise _not_ready(program, late)
            time.sleep(_LOOK_EVERY_S / 2)
        new.is_watched = True
        self._tell(f"{program.name}: running")

    def keep(
        self, name: str, is_running: Callable[[], bool], start: Callable[[], object]
    ) -> None:
        """Watch what runs already but is no child of ours, such as the database.

        When ``is_running`` says False, ``start`` is called, both in the supervisor's
        own thread; what ``start`` raises is told, and it is tried again. It is
        not stopped at the end. ``is_running`` must not raise.
        """
        with self._lock:
            self._kept.append(_Kept(name, is_running, start))

    def pids(self) -> dict[str, int]:
        """The process id of every child that runs now, by its name."""
        with self._lock:
            return {
                one.program.name: one.pid
                for one in self._children
                if one.collect() is None and one.pid is not None
            }

    def end(self, name: str) -> None:
        """Stop one child for good; nothing happens if there is none of that name."""
        with self._lock:
            for one in [each for each in self._children if each.program.name == name]:
                self._forget(one)

    def wait(self) -> None:
        """Wait until SIGINT, SIGTERM or SIGHUP asks this program to stop."""
        with suppress(KeyboardInterrupt):
            self._stopping.wait()

    def stop(self) -> None:
        """Stop every child, the last one started first; safe to repeat.

        Takes at most the sum of their ``stop_timeout_s``.
        """
        self._stopping.set()
        with self._lock:
            while self._children:
                self._forget(self._children[-1])
        # Only now may the thread end: the kernel ends with it what it restarted.
        self._stopped.set()

    def _forget(self, one: _Child) -> None:
        with self._lock:
            in_time = one.stop()
            self._children.remove(one)
        if not in_time:
            self._tell(
                f"{one.program.name}: did not stop in "
                f"{one.program.stop_timeout_s:g} seconds and was killed"
            )

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            with self._lock:
                # Asked again under the lock: stop() may have emptied the house.
                if not self._stopping.is_set():
                    for one in self._children:
                        self._tend_child(one)
                kept = list(self._kept)
            for thing in kept:
                self._tend_kept(thing)
        self._stopped.wait()

    def _tend_child(self, one: _Child) -> None:
        ended = one.collect() if one.is_watched else None
        if ended is not None:
            self._tend(one.program.name, one.back_off, ended, one.start)

    def _tend_kept(self, thing: _Kept) -> None:
        ended = None if thing.is_running() else "not running"
        if ended is not None:
            self._tend(thing.name, thing.back_off, ended, thing.start)

    def _tend(
        self, name: str, back_off: _BackOff, ended: str, start: Callable[[], object]
    ) -> None:
        """Start something that has ended, when its time has come."""
        if back_off.next_try_at is None:
            pause_s = back_off.died()
            self._tell(f"{name}: {ended}; starting it again in {pause_s:g} s")
        elif back_off.is_due and not self._stopping.is_set():
            try:
                start()
            except Exception as error:
                # Whatever it was (a full disk, no more processes), it may pass, and
                # nobody would watch any child if this thread ended.
                pause_s = back_off.died()
                self._tell(f"{name}: {error} Trying again in {pause_s:g} s")
            else:
                back_off.started()
                self._tell(f"{name}: started again")


def pick_free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody used a moment ago.

    Another program may take it before it is used; whoever binds it must expect that.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _is_ready(ready: Callable[[], bool] | str | None) -> bool:
    if ready is None:
        return True
    if callable(ready):
        return ready()
    # The address is this machine's own; a proxy could only answer for somebody else.
    ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
    try:
        with ask(ready, timeout=_ANSWER_TIMEOUT_S):
            return True
    except (OSError, http.client.HTTPException):
        return False


def _not_ready(program: Program, what: str) -> Unavailable:
    try:
        lines = program.log_file.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        lines = []
    last = "\n".join(lines[-_LOG_TAIL_LINES:])
    return Unavailable(f"{program.name} {what}. Its last words:\n{last}")
