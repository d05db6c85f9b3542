"""Start Plaza: ``python -m plaza --port … --data DIR --holdfast URL …``.

Secrets may come from the environment instead (``PLAZA_KEY``, ``PLAZA_WEBHOOK_SECRET``,
``PLAZA_ADMIN_TOKEN``), where the list of processes does not show them.
"""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import signal
import threading
from pathlib import Path

from werkzeug.serving import WSGIRequestHandler, make_server

from plaza.app import make_app
from plaza.store import Store
from plaza.trust import Trust


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    given = _arguments()
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    given.data.mkdir(parents=True, exist_ok=True)
    url = (given.url or f"http://{given.host}:{given.port}").rstrip("/")
    store = Store(given.data)
    trust = Trust(
        store,
        url,
        given.holdfast,
        given.key,
        given.webhook_secret,
        given.data / "holdfast.spool",
    )
    app = make_app(
        store, trust, admin_token=given.admin_token, secret=_cookie_secret(store)
    )
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    server = make_server(given.host, given.port, app, threaded=True)
    trust.start()
    for name in (signal.SIGINT, signal.SIGTERM):
        # shutdown() waits for the serving loop, which runs in this very thread.
        signal.signal(name, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"Plaza is at {url}", flush=True)
    server.serve_forever()
    server.server_close()
    trust.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="plaza", description="A small network.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--url", help="Plaza's own address, as people see it")
    parser.add_argument("--data", type=Path, required=True, help="a folder")
    parser.add_argument("--holdfast", required=True, help="Holdfast's address")
    for name in ("key", "webhook-secret", "admin-token"):
        variable = "PLAZA_" + name.upper().replace("-", "_")
        value = os.environ.get(variable)
        parser.add_argument(
            f"--{name}", default=value, required=value is None, help=f"or ${variable}"
        )
    return parser.parse_args()


def _cookie_secret(store: Store) -> str:
    kept = store.fact("cookie_secret")
    if kept is None:
        kept = secrets.token_hex(32)
        store.keep_fact("cookie_secret", kept)
    return kept


if __name__ == "__main__":
    main()
