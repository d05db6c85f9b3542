"""What the test doubles of the exchanges share: a real HTTP server on this machine.

It gives out made-up signals, says in a header of every answer that it is a double, and
fails on demand. Each double adds the protocol of its exchange, as documented or as
Meta's library expects it; README.md says from where.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import parse_qsl, urlsplit

NOTICE_HEADER = "X-Test-Double"
NOTICE = "A test double of a hash exchange, whose signals are made up"
HANG_S = 300.0
"""How long a connection that shall hang is held; above any client's patience."""


class Failure(StrEnum):
    """How one request fails."""

    HTTP_500 = "http-500"
    BUSY = "busy-429"
    DROP = "connection dropped"
    CUT = "answer cut short"
    HANG = "no answer"
    GARBAGE = "something else than the protocol"
    ELSEWHERE = "redirected to another host"
    AGAIN = "the page before once more"


@dataclass(frozen=True)
class Request:
    """One request: its path, its query and its headers (names in lower case)."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    body: bytes
    content_type: str
    status: int = 200


class Double(ABC):
    """The state and the protocol of one double; ``url`` is set when it is served."""

    page_size: int
    base_path: str

    def __init__(self) -> None:
        self.url = ""
        self.elsewhere = ""
        self.failures: deque[Failure] = deque()
        self.requests: list[Request] = []
        self.said: Answer | None = None
        self.hang_s = HANG_S

    @abstractmethod
    def answer(self, request: Request) -> Answer:
        """The answer by the exchange's protocol, refusals included."""


@contextmanager
def running(double: Double) -> Iterator[Double]:
    """Serve a double on the loopback address until the block ends."""
    server = _Server(double)
    double.url = f"http://127.0.0.1:{server.server_address[1]}{double.base_path}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield double
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, double: Double) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.double = double
        self.stopping = Event()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        double = self.server.double
        parts = urlsplit(self.path)
        request = Request(
            parts.path,
            dict(parse_qsl(parts.query)),
            {name.lower(): value for name, value in self.headers.items()},
        )
        double.requests.append(request)
        failure = double.failures.popleft() if double.failures else None
        if failure in (Failure.DROP, Failure.HANG):
            if failure is Failure.HANG:
                self.server.stopping.wait(double.hang_s)
            self.close_connection = True
        elif failure is Failure.ELSEWHERE:
            self._send(Answer(b"", "text/plain", 302), double.elsewhere)
        elif failure is Failure.GARBAGE:
            self._send(Answer(b"<html>Welcome", "text/html"))
        elif failure in (Failure.HTTP_500, Failure.BUSY):
            status = 500 if failure is Failure.HTTP_500 else 429
            self._send(Answer(b"not now", "text/plain", status))
        elif failure is Failure.AGAIN and double.said is not None:
            self._send(double.said)
        else:
            double.said = double.answer(request)
            self._send(double.said, is_cut=failure is Failure.CUT)

    def _send(self, answer: Answer, location: str = "", is_cut: bool = False) -> None:
        self.send_response(answer.status)
        self.send_header(NOTICE_HEADER, NOTICE)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(
            answer.body[: len(answer.body) // 2] if is_cut else answer.body
        )
        self.close_connection = is_cut
