"""The supervisor: what dies is started again, and what is stopped is gone."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.base.errors import Unavailable
from holdfast.run.processes import (
    RESTART_FIRST_S,
    STOP_TIMEOUT_S,
    Program,
    Supervisor,
    pick_free_port,
)

# Longest wait in these tests for something that takes a fraction of it, in seconds.
PATIENCE_S = 20.0


def eventually(question: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not question():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """True if the process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def python(name: str, code: str, folder: Path, **more: object) -> Program:
    argv = [sys.executable, "-c", textwrap.dedent(code)]
    return Program(name, argv, folder / f"{name}.log", **more)  # type: ignore[arg-type] # Tests pass on what Program takes.


SLEEP = "import time; time.sleep(600)"


def test_a_child_that_dies_is_started_again_and_told(tmp_path: Path) -> None:
    told: list[str] = []
    with Supervisor(told.append) as supervisor:
        supervisor.start(python("web", SLEEP, tmp_path))
        first = supervisor.pids()["web"]
        os.kill(first, signal.SIGKILL)
        # Asking must not swallow the death.
        eventually(lambda: supervisor.pids().get("web", first) != first)
        second = supervisor.pids()["web"]
        assert is_alive(second)
    assert not is_alive(second)
    assert told == [
        "web: running",
        f"web: ended by signal 9; starting it again in {RESTART_FIRST_S:g} s",
        "web: started again",
    ]


def test_each_death_doubles_the_pause(tmp_path: Path) -> None:
    told: list[str] = []
    with Supervisor(told.append) as supervisor:
        supervisor.start(python("worker", "raise SystemExit(3)", tmp_path))
        eventually(lambda: sum("starting it again" in line for line in told) >= 3)
    pauses = [line.split(" in ")[1] for line in told if "starting it again" in line]
    assert pauses[:3] == ["0.5 s", "1 s", "2 s"]
    assert "ended with 3" in told[1]


def test_stopping_is_in_reverse_order_and_leaves_nothing(tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = f"""
        import signal, sys, time
        def stop(number, frame):
            open({str(order)!r}, "a").write(sys.argv[1] + "\\n"); sys.exit()
        signal.signal(signal.SIGTERM, stop)
        print("ready", flush=True)
        time.sleep(600)
    """
    names = ["database", "web", "worker"]
    with Supervisor(lambda line: None) as supervisor:
        for name in names:
            program = python(name, code, tmp_path)
            log = program.log_file
            supervisor.start(
                Program(
                    name,
                    [*program.argv, name],
                    log,
                    ready=lambda log=log: "ready" in log.read_text(),  # type: ignore[misc] # A lambda's default has no annotation.
                )
            )
        pids = list(supervisor.pids().values())
    assert order.read_text().split() == names[::-1]
    # Not even a zombie: there is no such process at all.
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_child_that_will_not_stop_is_killed_in_the_stated_time(
    tmp_path: Path,
) -> None:
    code = """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("deaf", flush=True); time.sleep(600)
    """
    told: list[str] = []
    log = tmp_path / "deaf.log"
    program = python(
        "deaf",
        code,
        tmp_path,
        stop_timeout_s=0.3,
        ready=lambda: "deaf" in log.read_text(),
    )
    supervisor = Supervisor(told.append)
    with supervisor:
        supervisor.start(program)
        pid = supervisor.pids()["deaf"]
        began = time.monotonic()
    assert 0.3 <= time.monotonic() - began < STOP_TIMEOUT_S
    assert not Path(f"/proc/{pid}").exists()
    assert told[-1] == "deaf: did not stop in 0.3 seconds and was killed"


def test_a_killed_childs_children_do_not_keep_its_port(tmp_path: Path) -> None:
    """A web server killed hard leaves workers that hold the port it needs again."""
    port = pick_free_port()
    code = f"""
        import os, socket, time
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", {port})); listener.listen()
        os.set_inheritable(listener.fileno(), True)
        if os.fork() == 0:
            time.sleep(600)
        print("listening", flush=True); time.sleep(600)
    """
    log = tmp_path / "web.log"

    def starts() -> int:
        return log.read_text().count("listening") if log.exists() else 0

    with Supervisor(lambda line: None) as supervisor:
        supervisor.start(python("web", code, tmp_path, ready=lambda: starts() == 1))
        os.kill(supervisor.pids()["web"], signal.SIGKILL)
        eventually(lambda: starts() == 2)
        assert "Address already in use" not in log.read_text()

    def is_free() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED

    eventually(is_free)


def test_readiness_by_url(tmp_path: Path) -> None:
    port = pick_free_port()
    url = f"http://127.0.0.1:{port}/"
    argv = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    site = tmp_path / "site"
    site.mkdir()
    with Supervisor(lambda line: None) as supervisor:
        supervisor.start(Program("web", argv, tmp_path / "log", cwd=site, ready=url))
        # It answers now, without any waiting.
        assert urllib.request.urlopen(url, timeout=2).status == 200


def test_a_child_that_never_becomes_ready_is_said_with_its_last_words(
    tmp_path: Path,
) -> None:
    with Supervisor(lambda line: None) as supervisor:
        dies = "print('no key found', flush=True); raise SystemExit(2)"
        with pytest.raises(Unavailable, match=r"ended with 2 before(.|\n)*no key"):
            supervisor.start(python("web", dies, tmp_path, ready=lambda: False))
        late = python("late", SLEEP, tmp_path, ready=lambda: False, ready_timeout_s=0.2)
        with pytest.raises(Unavailable, match=r"late was not ready after 0\.2 seconds"):
            supervisor.start(late)
        assert supervisor.pids() == {}


def test_what_is_kept_is_started_again_and_a_failure_is_tried_again() -> None:
    told: list[str] = []
    tries: list[float] = []

    def start() -> None:
        tries.append(time.monotonic())
        if len(tries) == 1:
            raise Unavailable("The disk is full.")

    with Supervisor(told.append) as supervisor:
        supervisor.keep("database", lambda: len(tries) >= 2, start)
        eventually(lambda: told and told[-1] == "database: started again")
    assert "database: The disk is full. Trying again in 1 s" in told
    assert len(tries) == 2


OWNER = """
import signal, sys
from pathlib import Path
from holdfast.run.processes import Program, Supervisor
# Where the tests run in the background of a shell, or under nohup, these are ignored,
# which is inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
folder = Path(sys.argv[1])
try:
    with Supervisor(lambda line: print(line, flush=True)) as supervisor:
        for name in ("web", "worker"):
            argv = [sys.executable, "-c", "import time; time.sleep(600)"]
            supervisor.start(Program(name, argv, folder / name))
        print("pids", *supervisor.pids().values(), flush=True)
        supervisor.wait()
except KeyboardInterrupt:
    pass  # The signal came before it waited.
print("stopped", flush=True)
"""


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL]
)
def test_children_never_outlive_their_owner(
    tmp_path: Path, number: signal.Signals
) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert owner.stdout is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("pids"):
            lines.append(owner.stdout.readline())
        pids = [int(pid) for pid in lines[-1].split()[1:]]
        assert len(pids) == 2
        assert all(is_alive(pid) for pid in pids)
        owner.send_signal(number)
        rest = owner.stdout.read()
        assert owner.wait(PATIENCE_S) == (-9 if number == signal.SIGKILL else 0)
        assert ("stopped" in rest) == (number != signal.SIGKILL)
        eventually(lambda: not any(is_alive(pid) for pid in pids))
    finally:
        with contextlib.suppress(ProcessLookupError):
            owner.kill()
        owner.wait()
        if owner.stdout is not None:
            owner.stdout.close()


def test_ports_are_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", pick_free_port()))
