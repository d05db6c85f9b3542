"""The neighbours: the sample network and the authority's test double.

Both are programs of their own. Plaza is spoken to as any of its users would (accounts,
posts, the report menu) and, for the counts, as its operator; the double tells what
reached it. Nothing here knows Holdfast.
"""

from __future__ import annotations

import base64
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from holdfast.demo.pictures import Picture
from holdfast.run.processes import Program

TIMEOUT_S = 30.0
DOUBLE_USER = "holdfast-demo"
NO_PROXY = {"trust_env": False, "timeout": TIMEOUT_S}


@dataclass(frozen=True)
class Secrets:
    """What Plaza shares with Holdfast and with its operator; made anew each time."""

    webhook: str = field(
        default_factory=lambda: (
            "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        )
    )
    admin: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    double: str = field(default_factory=lambda: secrets.token_urlsafe(24))


def plaza_program(
    folder: Path, port: int, holdfast_url: str, key: str, shared: Secrets
) -> Program:
    """How to run the sample network."""
    return Program(
        "plaza",
        [
            *(sys.executable, "-m", "plaza", "--port", str(port)),
            *("--data", str(folder / "plaza"), "--holdfast", holdfast_url),
        ],
        folder / "logs" / "plaza.log",
        env={
            **os.environ,
            "PLAZA_KEY": key,
            "PLAZA_WEBHOOK_SECRET": shared.webhook,
            "PLAZA_ADMIN_TOKEN": shared.admin,
        },
        ready=f"http://127.0.0.1:{port}/",
    )


def double_program(
    folder: Path, port: int, shared: Secrets, fail: Sequence[str] = ()
) -> Program:
    """How to run the CyberTipline test double; ``fail`` as its own options take it."""
    module = "holdfast.authorities.connectors.cybertipline.fake"
    return Program(
        "cybertipline-double",
        [
            *(sys.executable, "-m", module, "--port", str(port)),
            *("--state", str(folder / "cybertipline-double.sqlite3")),
            *("--username", DOUBLE_USER),
            *(part for each in fail for part in ("--fail", each)),
        ],
        folder / "logs" / "cybertipline-double.log",
        env={**os.environ, "CYBERTIPLINE_DOUBLE_PASSWORD": shared.double},
        ready=f"http://127.0.0.1:{port}/",
    )


def platform_given(plaza_url: str, shared: Secrets) -> dict[str, Any]:
    """How Plaza is registered with Holdfast: the fields of ``PlatformGiven``."""
    netloc = plaza_url.removeprefix("http://")
    return {
        "slug": "plaza",
        "name": "Plaza",
        "url": plaza_url,
        "hosts": [netloc, f"m.{netloc}"],
        "media_hosts": [netloc],
        "lookup_url": f"{plaza_url}/_holdfast/lookup",
        "webhook_url": f"{plaza_url}/_holdfast/webhook",
        "webhook_secret": shared.webhook,
    }


def authority_given(double_url: str, shared: Secrets) -> dict[str, Any]:
    """How the double is set up with Holdfast: a TEST account."""
    return {
        "authority": "cybertipline",
        "environment": "test",
        "base_url": double_url,
        "username": DOUBLE_USER,
        "password": shared.double,
        "reporting_email": "safety@plaza.example",
        "reporting_person": "Plaza Safety",
    }


@dataclass(frozen=True)
class Account:
    """Somebody on Plaza."""

    id: str
    name: str
    token: str


class Plaza:
    """The sample network, as its users and its operator reach it."""

    def __init__(self, url: str, shared: Secrets) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, **NO_PROXY)  # type: ignore[arg-type]  # A mapping of mixed options.
        self._admin = {"Authorization": f"Bearer {shared.admin}"}

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def join(self, name: str, about: str = "") -> Account:
        """Make an account."""
        answer = self._http.post("/api/accounts", json={"name": name, "about": about})
        made = answer.raise_for_status().json()
        return Account(made["id"], made["name"], made["token"])

    def post(self, account: Account, picture: Picture, text: str = "") -> str:
        """Post a picture; returns the item's id, whatever state it is in."""
        return str(self.post_whole(account, picture, text)["id"])

    def post_whole(
        self, account: Account, picture: Picture, text: str = ""
    ) -> dict[str, Any]:
        """Post a picture; returns what Plaza answers about it, with its ``state``."""
        answer = self._http.post(
            "/api/posts",
            headers=_as(account),
            data={"text": text},
            files={"picture": (picture.name, picture.data, picture.media_type)},
        )
        made: dict[str, Any] = answer.raise_for_status().json()
        return made

    def look(self, item: str) -> int:
        """Look at a post as anybody; returns the status of the answer."""
        return self._http.get(f"/p/{item}").status_code

    def repost(self, account: Account, item: str) -> int:
        """Repost; returns the status of the answer."""
        path = f"/api/posts/{item}/repost"
        return self._http.post(path, headers=_as(account)).status_code

    def item(self, item: str) -> dict[str, Any]:
        """A post as its page data."""
        found: dict[str, Any] = self._http.get(f"/api/posts/{item}").json()
        return found

    def report(self, item: str, category: str, **said: Any) -> dict[str, Any]:
        """Report through Plaza's own menu; 201's receipt or 202's ``waiting``."""
        answer = self._http.post(
            "/api/reports", json={"item": item, "category": category, **said}
        )
        told: dict[str, Any] = answer.raise_for_status().json()
        return told

    def receipt(self, key: str) -> dict[str, Any]:
        """The receipt of a report that had to wait, or again ``waiting``."""
        answer = self._http.get(f"/api/receipts/{key}")
        told: dict[str, Any] = answer.raise_for_status().json()
        return told

    def counts(self) -> dict[str, Any]:
        """Plaza's own counts of everything."""
        return self._ask("GET", "/_counts")

    def exposure(self, items: Sequence[str], reported_at: float) -> dict[str, Any]:
        """Plaza's own count of what happened to items, by phase."""
        return self._ask(
            "POST",
            "/_counts/exposure",
            {"items": list(items), "reported_at": reported_at},
        )

    def events(self, item: str) -> dict[str, Any]:
        """The raw events of one item, as Plaza wrote them down."""
        return self._ask("GET", f"/_counts/events/{item}")

    def _ask(
        self, method: str, path: str, said: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        answer = self._http.request(method, path, headers=self._admin, json=said)
        told: dict[str, Any] = answer.raise_for_status().json()
        return told


class Double:
    """The authority's test double, asked what reached it."""

    def __init__(self, port: int, shared: Secrets) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self.url = f"{self.root}/ispws"
        self._auth = (DOUBLE_USER, shared.double)

    def reports(self) -> list[dict[str, Any]]:
        """Every report that was begun with it, and its state."""
        answer = httpx.get(f"{self.root}/_fake/reports", auth=self._auth, **NO_PROXY)  # type: ignore[arg-type]  # As above.
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found

    def fail(self, step: str, kind: str, times: int = 1) -> None:
        """Let the next requests of a step fail."""
        form = {"step": step, "kind": kind, "times": str(times)}
        httpx.post(
            f"{self.root}/_fake/fail",
            data=form,
            auth=self._auth,
            **NO_PROXY,  # type: ignore[arg-type]  # As above.
        ).raise_for_status()


def _as(account: Account) -> dict[str, str]:
    return {"Authorization": f"Bearer {account.token}"}
