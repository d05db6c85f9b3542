"""The web server: gunicorn, set up in code, so that there is one way to run it.

Several worker processes with threads; each loads the program itself, so that no
connection or lock is shared across a fork. It keeps no access log: who asked for
which page is nobody's business.
"""

from __future__ import annotations

import gc
import re
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.util import import_app

from holdfast.signals.warm import warm

GRACEFUL_S = 10
"""How long running requests may take when the server is told to stop; as long as the
supervisor waits before it kills."""
SILENT_S = 60
"""A worker that gave no sign of life for so long is replaced."""
KEEP_ALIVE_S = 15
"""How long an idle connection stays open; platforms call often."""
REQUEST_LINE_BYTES = 8190
"""The longest request line: an id of 200 characters, each encoded, and an address."""


_ADDRESS = re.compile(r"ip=\S*:")
"""How gunicorn begins its word on a request that it could not read."""


class NamelessLogger(Logger):  # type: ignore[misc]  # gunicorn has no types.
    """Gunicorn's own logger, but for the address of whoever sent something broken."""

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """A warning without a network address."""
        super().warning(_ADDRESS.sub("ip not kept:", msg), *args, **kwargs)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types.
    """Gunicorn with these settings and nothing from files, arguments or environment."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Take the settings in."""
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application, loaded in each worker."""
        # By name: a worker loads Django after the fork, never the master before.
        application = import_app("holdfast.web.wsgi:application")
        warm()
        # What is loaded stays: a search for garbage in the midst of a report need not
        # go through all of it each time.
        gc.collect()
        gc.freeze()
        return application


def serve(bind: str, workers: int = 2, threads: int = 8) -> None:
    """Serve until told to stop (SIGTERM, SIGINT); running requests are finished first.

    ``bind`` is ``host:port`` or ``unix:path``. Each thread keeps one connection to the
    database.
    """
    Server(
        {
            "bind": bind,
            "workers": workers,
            "threads": threads,
            "worker_class": "gthread",
            "preload_app": False,
            "graceful_timeout": GRACEFUL_S,
            "timeout": SILENT_S,
            "keepalive": KEEP_ALIVE_S,
            "limit_request_line": REQUEST_LINE_BYTES,
            "accesslog": None,
            "logger_class": NamelessLogger,
            "loglevel": "warning",
            "proc_name": "holdfast-web",
            # Its control socket would stand in the home folder of whoever runs it.
            "control_socket_disable": True,
        }
    ).run()
