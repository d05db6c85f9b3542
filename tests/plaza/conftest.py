"""Plaza as a process of its own, in front of a server that keeps to the contract."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.client.conftest import until
from tests.client.contract import ANSWERS_S, KEY, SECRET, Contract, deliver

ADMIN = "admin-token-of-the-tests"


def picture(colour: str = "teal", size: int = 96) -> bytes:
    """A picture of one colour; a PNG."""
    out = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(out, "PNG")
    return out.getvalue()


@dataclass
class Network:
    """A running Plaza and the Holdfast that it speaks to."""

    data: Path
    contract: Contract
    port: int = 0
    process: subprocess.Popen[str] | None = None
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        if not self.port:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        secrets = {
            "PLAZA_KEY": KEY,
            "PLAZA_WEBHOOK_SECRET": SECRET,
            "PLAZA_ADMIN_TOKEN": ADMIN,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "plaza", "--port", str(self.port),
             "--data", str(self.data), "--holdfast", self.contract.url],
            env={**os.environ, **secrets}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.url in self.process.stdout.readline()

    def stop(self, *, kill: bool = False) -> None:
        if self.process is not None:
            (self.process.kill if kill else self.process.terminate)()
            self.process.wait(10)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def ask(
        self, method: str, path: str, name: str = "", **given: Any
    ) -> httpx.Response:
        """A request, as the account of this name (which joins when it is new)."""
        headers = dict(given.pop("headers", {}))
        if name:
            if name not in self.tokens:
                said = {"name": name, "password": f"password of {name}"}
                made = self._send("POST", "/api/accounts", json=said)
                self.tokens[name] = made.raise_for_status().json()["token"]
            headers["Authorization"] = f"Bearer {self.tokens[name]}"
        return self._send(method, path, headers=headers, **given)

    def _send(self, method: str, path: str, **given: Any) -> httpx.Response:
        return httpx.request(method, self.url + path, timeout=ANSWERS_S, **given)

    def post(self, name: str, text: str, *pictures: bytes) -> dict[str, Any]:
        files = [("picture", ("p.png", data, "image/png")) for data in pictures]
        made = self.ask(
            "POST", "/api/posts", name, data={"text": text}, files=files or None
        )
        return dict(made.raise_for_status().json())

    def report(self, **said: Any) -> dict[str, Any]:
        said = {"category": "child_other", **said}
        name = said.pop("by", "")
        return dict(self.ask("POST", "/api/reports", name, json=said).json())

    def deliver(self, change: dict[str, Any]) -> None:
        """Send a webhook and see that exactly it is confirmed."""
        answer = deliver(self.url, change).raise_for_status()
        assert answer.json() == {"confirmed": [change["id"]]}

    def freeze(self, item: str) -> None:
        self.deliver(self.contract.freeze(item))

    def order(self, verb: str, subject: str, **body: Any) -> None:
        self.deliver(self.contract.order(verb, subject, **body))

    def exposure(self, *items: str, reported_at: float) -> dict[str, Any]:
        said = {"items": list(items), "reported_at": reported_at}
        answer = self.ask("POST", "/_counts/exposure", json=said, headers=admin())
        return dict(answer.raise_for_status().json())

    def known(self, item: str) -> None:
        """Wait until Holdfast has heard of an item."""
        until(lambda: item in self.contract.items)


def admin() -> dict[str, str]:
    return {"Authorization": f"Bearer {ADMIN}"}


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    contract = Contract()
    made = Network(tmp_path / "plaza", contract)
    made.start()
    yield made
    made.stop()
    contract.close()
