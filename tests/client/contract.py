"""A small server that keeps to the platform API's contract, for the client's tests.

It is a real HTTP server with a memory: keys are answered again, a picture equal to a
frozen one is born frozen, changes are numbered for each subject, webhooks are signed
and sent. It can be told to fail, and it can go away and come back on its port. It
compares pictures by their bytes alone; the journeys run the real thing.
"""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
from standardwebhooks import Webhook

KEY = "hf_test_0123456789"
SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQ="
ANSWERS_S = 60.0
"""How long an answer may take on a machine with other work."""

QUESTIONS = {"digest": "d" * 64, "questions": [{"code": "about", "kind": "choice"}]}
CATEGORIES = [
    {"code": "child_sexual_abuse_material", "label": "A child is shown in a sexual way",
     "child_safety": True},
    {"code": "child_other", "label": "Something else that harms a child",
     "child_safety": True},
    {"code": "copyright", "label": "Copyright", "child_safety": False},
    {"code": "other", "label": "Something else", "child_safety": False},
]  # fmt: skip


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str:
        return self.headers.get("idempotency-key", "")

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines() if line]


@dataclass
class Answer:
    status: int
    body: Any = None
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def problem(status: int, detail: str, **headers: str) -> Answer:
    body = {"type": "about:blank", "title": "No", "status": status, "detail": detail}
    return Answer(status, body, "application/problem+json", headers)


class _Server(ThreadingHTTPServer):
    """A server that can end the connections that it keeps, as a dying process does."""

    daemon_threads = True

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._open: list[socket.socket] = []

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.append(request)
        super().process_request(request, client_address)

    def hang_up(self) -> None:
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A handler that was hung up on says nothing."""


class Contract:
    """The server and its memory."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.items: dict[str, dict[str, Any]] = {}
        self.actors: dict[str, dict[str, Any]] = {}
        self.media: dict[str, list[str]] = {}
        self.reports: list[dict[str, Any]] = []
        self.signed: list[tuple[str, dict[str, str]]] = []
        self.frozen: set[str] = set()
        self.changes: list[dict[str, Any]] = []
        self.confirmed: set[str] = set()
        self.fail: Callable[[Request], Answer | None] = lambda request: None
        self._remembered: dict[str, Answer] = {}
        self._numbers: dict[str, int] = {}
        self._lock = threading.RLock()
        self._port = 0
        self._server: _Server | None = None
        self.up()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def up(self) -> None:
        contract = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(size)
                request = Request(self.command, self.path, headers, body)
                answer = contract.answer(request)
                text = answer.body
                if answer.kind != "application/x-ndjson":
                    text = json.dumps(answer.body)
                data = str(text).encode()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Type", answer.kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = handle_one

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()

    def down(self) -> None:
        """Go away: connections are refused from now on."""
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        self._server = None

    def close(self) -> None:
        if self._server is not None:
            self.down()

    def seen(self, path: str) -> list[Request]:
        """The requests to a path that were answered well, in order."""
        return [each for each in self.requests if each.path == f"/api/v1/{path}"]

    def order(self, verb: str, subject: str, **body: Any) -> dict[str, Any]:
        """Number a change for ``item:<id>`` or ``actor:<id>``; put it in the feed."""
        with self._lock:
            number = self._numbers[subject] = self._numbers.get(subject, 0) + 1
            kind, _, name = subject.partition(":")
            change = {
                "id": uuid.uuid4().hex, "number": number, "verb": verb, kind: name,
                "ordered_at": datetime.now(UTC).isoformat(), "body": body,
            }  # fmt: skip
            self.changes.append(change)
            return change

    def freeze(self, item: str) -> dict[str, Any]:
        self.frozen.add(item)
        return self.order(
            "freeze", f"item:{item}", advertising_hold=True, forbid_delete=True
        )

    def answer(self, request: Request) -> Answer:
        failed = self.fail(request)
        if failed is not None:
            return failed
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return problem(401, "This key is not known.")
        with self._lock:
            if request.method != "GET":
                if request.method == "POST" and not request.key:
                    return problem(400, "Give an Idempotency-Key.")
                if request.key in self._remembered:
                    return self._remembered[request.key]
            answer = self._answer(request)
            if answer.status < 500:
                self.requests.append(request)
                if request.key:
                    self._remembered[request.key] = answer
            return answer

    def _answer(self, request: Request) -> Answer:
        url = urlsplit(request.path)
        _, _, _, what, *rest = url.path.split("/")
        name = unquote(rest[0]) if rest else ""
        match request.method, what:
            case "PUT", "actors":
                self.actors[name] = json.loads(request.body)
                return Answer(201, {"id": name, "state": "active"})
            case "PUT", "items":
                return self._put(name, request)
            case "GET", "items":
                known = name in self.items
                return Answer(200, self.state(name)) if known else problem(404, "No.")
            case "POST", "items:batch":
                return self._lines(request, self._put_line)
            case "POST", ("shares:batch" | "views:batch" | "placements:batch"):
                return self._lines(request, self._count_line)
            case "POST", "reports" if rest:
                self.signed.append((name, json.loads(request.body)))
                return Answer(200, {"legal_forms": [], "to_sign": None, "new": 1})
            case "POST", "reports":
                return self._report(json.loads(request.body))
            case "POST", "changes:confirm":
                self.confirmed |= set(json.loads(request.body)["confirmed"])
                return Answer(200, {})
            case "GET", "changes":
                at = int(parse_qs(url.query).get("cursor", ["0"])[0])
                page = self.changes[at : at + 2]
                return Answer(200, {"data": page, "next_cursor": str(at + len(page))})
            case "GET", "categories":
                return Answer(200, CATEGORIES)
            case "GET", "questions":
                wanted = parse_qs(url.query)["language"][0]
                return Answer(200, {**QUESTIONS, "language": wanted})
        return problem(404, "There is nothing here.")

    def state(self, name: str) -> dict[str, Any]:
        state = "frozen" if name in self.frozen else "visible"
        return {"id": name, "state": state, "confirmed_state": "visible",
                "advertising_hold": name in self.frozen, "may_delete": True,
                "pending": False, "case_open": False, "new_field": 1}  # fmt: skip

    def _put(self, name: str, request: Request) -> Answer:
        kind = request.headers["content-type"]
        if kind.startswith("multipart/form-data"):
            head = f"Content-Type: {kind}\r\n\r\n".encode()
            whole = BytesParser(policy=HTTP).parsebytes(head + request.body)
            parts = [
                cast(bytes, part.get_payload(decode=True))
                for part in whole.iter_parts()
            ]
            said, files = json.loads(parts[0]), parts[1:]
        else:
            said, files = json.loads(request.body), []
        if said.get("text") == "refuse me":
            return problem(422, "This cannot be read.")
        self.items[name] = said
        digests = [hashlib.sha256(data).hexdigest() for data in files]
        if digests:
            self.media[name] = digests
        known = {each for item in self.frozen for each in self.media.get(item, [])}
        if name not in self.frozen and known & set(digests):
            self.freeze(name)
        return Answer(201, self.state(name))

    def _lines(
        self, request: Request, take: Callable[[dict[str, Any]], Answer]
    ) -> Answer:
        answers = []
        for line in request.lines:
            taken = take(line)
            said = {"id": line.get("id", line.get("item")), "status": taken.status}
            said["state" if taken.status < 400 else "problem"] = taken.body
            answers.append(json.dumps(said) + "\n")
        return Answer(200, "".join(answers), "application/x-ndjson")

    def _put_line(self, line: dict[str, Any]) -> Answer:
        if line.get("text") == "refuse me":
            return problem(422, "This cannot be read.")
        if line.get("text") == "stumble" and "stumbled" not in self.items:
            self.items["stumbled"] = {}
            return problem(503, "Not now.")
        self.items[line["id"]] = line
        return Answer(201, self.state(line["id"]))

    def _count_line(self, line: dict[str, Any]) -> Answer:
        if line["item"] not in self.items:
            return problem(404, "This item is not known.")
        return Answer(200, {})

    def _report(self, said: dict[str, Any]) -> Answer:
        self.reports.append(said)
        named = [each["item"] for each in said["targets"] if each.get("item")]
        fresh = [each for each in named if each not in self.frozen]
        safety = said["category"].startswith("child")
        for item in fresh if safety else []:
            self.freeze(item)
        return Answer(201, {
            "number": f"R-{len(self.reports)}",
            "received_at": datetime.now(UTC).isoformat(),
            "codename": "amber river seven" if said.get("wants_codename") else None,
            "targets": [], "words": "We have it.", "frozen": fresh if safety else [],
            "already_frozen": [each for each in named if each not in fresh],
            "deadlines": [{"code": "decision", "label": "People decide",
                           "due_at": datetime.now(UTC).isoformat()}],
            "not_taken": [{"pointer": f"#/answers/{code}", "detail": "No question."}
                          for code in said.get("answers", {}) if code != "about"],
            "legal_forms": [{"code": "dsa_notice", "missing": [{"code": "signature"}]}],
            "to_sign": "What I have told is true.",
        })  # fmt: skip


def signed(body: bytes, delivery: str, *, at: datetime | None = None) -> dict[str, str]:
    """Standard Webhooks headers over ``body``, as Holdfast sends them."""
    at = at or datetime.now(UTC)
    return {
        "webhook-id": delivery,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(delivery, at, body.decode()),
    }


def webhook(change: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """The body and headers of the webhook for a change."""
    kind = "item" if "item" in change else "actor"
    said = {"type": f"{kind}.{change['verb']}", "timestamp": change["ordered_at"],
            "data": change}  # fmt: skip
    body = json.dumps(said).encode()
    return body, signed(body, change["id"])


def deliver(url: str, change: dict[str, Any]) -> httpx.Response:
    """Send the webhook for a change to a platform."""
    body, headers = webhook(change)
    return httpx.post(
        f"{url}/_holdfast/webhook", content=body, headers=headers, timeout=ANSWERS_S
    )
