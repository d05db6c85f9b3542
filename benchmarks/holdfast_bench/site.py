"""The platform of a benchmark: serves its pictures, and does what it is told at once.

It answers the webhooks and the requests for media of a Holdfast on this machine, so
that what follows a report (telling the platform, sealing originals) is done as in real
use. It keeps nothing, and no person looks at it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from holdfast_bench.registered import bytes_of


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Two small writes would wait for each other otherwise (Nagle's algorithm).
    wbufsize = -1

    def do_GET(self) -> None:
        """The file of a picture, by the name at the end of the path."""
        self._answer("image/jpeg", bytes_of(self.path.rpartition("/")[2]))

    def do_POST(self) -> None:
        """A delivery: it is done."""
        self.rfile.read(int(self.headers["Content-Length"]))
        done = {"confirmed": [self.headers["webhook-id"]]}
        self._answer("application/json", json.dumps(done).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""

    def _answer(self, media_type: str, body: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def platform_site() -> Iterator[str]:
    """Run it on a free port of this machine; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="site", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
