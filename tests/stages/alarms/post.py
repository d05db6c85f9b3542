"""A real mail server and a real pager, for whatever is sent to people.

A test module takes the fixtures by naming this one as a plugin.
"""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

SECRET = "whsec_" + base64.b64encode(b"the people on call").decode()
FIRST, SECOND = "first@on-call.test", "second@on-call.test"


@dataclass
class Mailbox:
    """A mail server that keeps what it takes and refuses some addresses."""

    refused: set[str] = field(default_factory=set)
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _: Any
    ) -> str:
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails += [(address, mail) for address in envelope.rcpt_tos]
        return "250 OK"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.HOLDFAST_ON_CALL = [FIRST, SECOND]
    yield box
    controller.stop()


@dataclass
class Pager:
    """A pager service behind a signed webhook."""

    port: int = 0
    status: int = 204
    pages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refused: int = 0


@pytest.fixture
def pager(settings: Settings) -> Iterator[Pager]:
    kept = Pager()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = kept.status
            try:
                message = Webhook(SECRET).verify(body, dict(self.headers))
                if status < 300:
                    kept.pages.append((self.headers["webhook-id"], message))
            except WebhookVerificationError:
                kept.refused += 1
                status = 401
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    settings.HOLDFAST_ON_CALL_WEBHOOK = f"http://127.0.0.1:{kept.port}/pages"
    settings.HOLDFAST_ON_CALL_WEBHOOK_SECRET = SECRET
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()
