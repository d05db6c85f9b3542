"""``holdfast import media`` as people start it, upon the tests' database."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from django.db import connection
from psycopg.conninfo import make_conninfo

READY_S = 60.0
IMPORT_S = 180.0
"""How long an import of a few pictures may take on a machine with other work."""


@contextmanager
def served_at(port: int) -> Iterator[str]:
    """The address of a server, while it runs."""
    bind = f"127.0.0.1:{port}"
    program = f"from holdfast.web.server import serve; serve({bind!r}, 1, 4)"
    server = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "DATABASE_URL": database()},
        start_new_session=True,
    )
    try:
        _wait_for(f"http://{bind}/healthz", server)
        yield f"http://{bind}"
    finally:
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


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        assert server.poll() is None, "the server ended"
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise AssertionError("the server did not become ready")


@dataclass
class Said:
    """What an import said: its exit code, its counts, and its words."""

    code: int
    counts: dict[str, Any]
    words: str


@dataclass
class Importer:
    """``holdfast import media``, with a home of its own."""

    home: Path
    url: str
    key: str
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, source: object, *options: str) -> subprocess.Popen[str]:
        """Begin an import."""
        program = "from holdfast.cli import main; main()"
        command = [sys.executable, "-c", program, "import", "media", str(source)]
        return subprocess.Popen(
            [*command, "--json", "--workers", "2", *options],
            env={
                **os.environ,
                "DATABASE_URL": database(),
                "HOLDFAST_HOME": str(self.home),
                **self.environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __call__(self, source: object, *options: str) -> Said:
        """Import by address and key, to the end."""
        return self.finish(self.start(source, *self.target, *options))

    @property
    def target(self) -> tuple[str, ...]:
        return ("--url", self.url, "--key", self.key)

    def finish(self, started: subprocess.Popen[str]) -> Said:
        """Wait for its end."""
        out, words = started.communicate(timeout=IMPORT_S)
        return Said(started.returncode, json.loads(out or "{}"), words)
