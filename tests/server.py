"""A real server upon the tests' database: started, waited for, killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import httpx
from django.db import connection
from psycopg.conninfo import make_conninfo

READY_S = 60.0


def start(bind: str) -> subprocess.Popen[bytes]:
    """Begin a server that listens on ``bind``, in a process group of its own."""
    program = f"from holdfast.web.server import serve; serve({bind!r}, 1, 4)"
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "DATABASE_URL": database()},
        start_new_session=True,
    )


def wait_for(bind: str, server: subprocess.Popen[bytes]) -> None:
    """Until it answers."""
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        assert server.poll() is None, "the server ended"
        try:
            if httpx.get(f"http://{bind}/healthz").status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise AssertionError("the server did not become ready")


def kill(server: subprocess.Popen[bytes]) -> None:
    """End the server and its workers at once, as if the power went."""
    if server.poll() is None:
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def database() -> str:
    """The tests' database, for another process."""
    facts = connection.settings_dict
    return make_conninfo(
        "",
        dbname=facts["NAME"],
        user=facts["USER"],
        password=facts["PASSWORD"],
        host=facts["HOST"],
        port=facts["PORT"],
    )
