"""A test double of the CyberTipline service: a real HTTP server on this machine.

It files nothing with anybody, and says so on its root page and in a header of every
answer. It speaks the protocol as documented (reports, files, details, finish, retract,
the deletion of unfinished reports), holds documents to a schema, and fails on demand.
Run it with ``python -m holdfast.authorities.connectors.cybertipline.fake``; README.md
says where it goes beyond the documentation.
"""

from __future__ import annotations

import argparse
import base64
import hmac
import json
import os
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from urllib.parse import parse_qs

from lxml import etree

from holdfast.authorities.connectors.cybertipline.answers import MAX_ANSWER_BYTES
from holdfast.authorities.connectors.cybertipline.fake_state import (
    Failure,
    Refusal,
    State,
)
from holdfast.authorities.connectors.cybertipline.schema import own_schema

BASE_PATH = "/ispws"
# Read from the environment: a password among the arguments is everybody's to list.
PASSWORD_VARIABLE = "CYBERTIPLINE_DOUBLE_PASSWORD"
NOTICE_HEADER = "X-Test-Double"
NOTICE = "Holdfast's CyberTipline test double: nothing is filed with anybody"
# Largest request that the double takes, in bytes: it holds one in memory.
MAX_REQUEST_BYTES = 256 * 1024 * 1024
# How long a connection that shall hang is held, in seconds; above our client's.
HANG_S = 300.0

_ROOT_PAGE = f"""<!doctype html>
<html lang="en"><title>Test double</title>
<h1>This is a test double</h1>
<p>{NOTICE}. It is not NCMEC and does not reach NCMEC.</p>
</html>
"""
_HOSTILE = b"""<?xml version="1.0"?>
<!DOCTYPE reportResponse [<!ENTITY a "0"><!ENTITY b SYSTEM "file:///etc/hostname">]>
<reportResponse><responseCode>&a;</responseCode>
<responseDescription>&b;</responseDescription><reportId>1</reportId></reportResponse>
"""
_DONE_NOTHING = (
    Failure.HTTP_500,
    Failure.BUSY,
    Failure.UNAUTHORIZED,
    Failure.DROP_BEFORE,
)


class FakeServer(ThreadingHTTPServer):
    """The double, listening on the loopback address alone; port 0 takes a free one."""

    daemon_threads = True

    def __init__(
        self,
        state: State,
        username: str,
        password: str,
        *,
        port: int = 0,
        hang_s: float = HANG_S,
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.state = state
        self.username = username
        self.hang_s = hang_s
        self.stopping = Event()
        self.authorization = b"Basic " + base64.b64encode(
            f"{username}:{password}".encode()
        )

    @property
    def url(self) -> str:
        """The base URL to configure a client with."""
        return f"http://127.0.0.1:{self.server_address[1]}{BASE_PATH}"


@contextmanager
def running(server: FakeServer) -> Iterator[FakeServer]:
    """Serve in a thread of this process until the block ends."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Dropped(Exception):
    """The connection is to be cut without an answer."""


class _Handler(BaseHTTPRequestHandler):
    """One request. The protocol's steps under ``/ispws``, controls under ``/_fake``."""

    protocol_version = "HTTP/1.1"
    server: FakeServer

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged: requests hold content."""

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        # Without a length, or with too large a one, the rest cannot be told from the
        # next request, so the connection ends with the answer.
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            self.close_connection = True
            self._answer(411, b"", "text/plain")
        elif int(length) > MAX_REQUEST_BYTES:
            self.close_connection = True
            self._answer(413, b"", "text/plain")
        else:
            self._serve(self.rfile.read(int(length)))

    def _serve(self, body: bytes) -> None:
        try:
            self._route(body)
        except _Dropped:
            self.close_connection = True
        except Refusal as refusal:
            status = 500 if refusal.code < 2000 else 400
            self._xml(status, _response(refusal.code, refusal.description))

    def _route(self, body: bytes) -> None:
        if self.path == "/":
            self._answer(200, _ROOT_PAGE.encode(), "text/html; charset=utf-8")
            return
        given = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, self.server.authorization):
            self._answer(401, b"", "text/plain")
        elif self.path.startswith("/_fake/"):
            self._control(self.path.removeprefix("/_fake/"), body)
        elif self.path.startswith(f"{BASE_PATH}/"):
            self._step(self.path.removeprefix(f"{BASE_PATH}/"), body)
        else:
            self._answer(404, b"", "text/plain")

    def _step(self, step: str, body: bytes) -> None:
        failure = self.server.state.take_failure(step)
        if failure in _DONE_NOTHING:
            self._fail_before(failure)
            return
        damage = b"!" if failure is Failure.DAMAGED else b""
        answer = self._perform(f"{self.command} {step}", body, damage)
        if failure is Failure.HANG_AFTER:
            self.server.stopping.wait(self.server.hang_s)
        if failure in (Failure.HANG_AFTER, Failure.DROP_AFTER):
            raise _Dropped
        if failure is Failure.DOCTYPE:
            answer = _HOSTILE
        if failure is Failure.OVERSIZED:
            answer += b" " * MAX_ANSWER_BYTES
        self._xml(200, answer)

    def _fail_before(self, failure: Failure | None) -> None:
        if failure is Failure.BUSY:
            raise Refusal(1000, "Server error")
        if failure is Failure.DROP_BEFORE:
            raise _Dropped
        if failure is Failure.UNAUTHORIZED:
            self._answer(401, b"", "text/plain")
        else:
            self._answer(500, b"<html>Internal error", "text/html")

    def _perform(self, request: str, body: bytes, damage: bytes) -> bytes:
        state = self.server.state
        match request:
            case "GET status":
                who = f"Remote User : {self.server.username}"
                return _response(0, f"{who}, Remote Ip : {self.client_address[0]}")
            case "GET xsd":
                return state.xsd
            case "POST submit":
                return _response(0, "Success", reportId=state.submit(body))
            case "POST upload":
                form = self._form(body)
                report_id = _report_id(form)
                name, content = form.get("file", ("", b""))
                if "file" not in form:
                    raise Refusal(4000, "Invalid request: no file")
                file_id, md5 = state.upload(report_id, name, content + damage)
                return _response(
                    0, "Success", reportId=report_id, fileId=file_id, hash=md5
                )
            case "POST fileinfo":
                return _response(0, "Success", reportId=state.file_info(body))
            case "POST finish":
                report_id = _report_id(self._form(body))
                return _done(report_id, state.finish(report_id))
            case "POST retract":
                report_id = _report_id(self._form(body))
                state.retract(report_id)
                return _response(0, "Success", reportId=report_id)
        raise Refusal(1210, "Resource not found")

    def _control(self, name: str, body: bytes) -> None:
        """What tests and the demo ask of the double itself; no part of the protocol."""
        state = self.server.state
        form = {key: value[0] for key, value in parse_qs(body.decode()).items()}
        try:
            if name == "fail":
                times = int(form.get("times", "1"))
                state.fail_next(form["step"], Failure(form["kind"]), times)
            elif name == "clock":
                state.advance(float(form["advance_s"]))
            elif name != "reports":
                self._answer(404, b"", "text/plain")
                return
        except (KeyError, ValueError) as error:
            self._answer(400, f"{error!r}".encode(), "text/plain")
            return
        listing = json.dumps(state.reports(), indent=1).encode()
        self._answer(200, listing, "application/json")

    def _form(self, body: bytes) -> dict[str, tuple[str, bytes]]:
        """The fields of a form: name to (file name, bytes)."""
        kind = Message()
        kind["Content-Type"] = self.headers.get("Content-Type", "")
        if kind.get_content_type() == "multipart/form-data":
            boundary = str(kind.get_param("boundary", "")).encode()
            return dict(_parts(body, boundary))
        text = body.decode("ascii", "replace")
        return {name: ("", one[0].encode()) for name, one in parse_qs(text).items()}

    def _xml(self, status: int, body: bytes) -> None:
        self._answer(status, body, "text/xml; charset=utf-8")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Request-ID", str(uuid.uuid4()))
        self.send_header(NOTICE_HEADER, NOTICE)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            # A client may refuse an endless answer by hanging up.
            self.close_connection = True


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[str, tuple[str, bytes]]]:
    """The parts of a multipart body (RFC 7578), byte for byte."""
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]:
        head, separator, content = part.partition(b"\r\n\r\n")
        if not separator:
            continue
        disposition = Message()
        for line in head.split(b"\r\n"):
            name, _, value = line.decode("utf-8", "replace").partition(":")
            if name.strip().lower() == "content-disposition":
                disposition["Content-Disposition"] = value.strip()
        params = dict(disposition.get_params([], header="Content-Disposition"))
        yield params.get("name", ""), (params.get("filename", ""), content)


def _report_id(form: dict[str, tuple[str, bytes]]) -> int:
    value = form.get("id", ("", b""))[1]
    if not value.isdigit() or len(value) > 18:
        raise Refusal(4000, "Invalid request: no report number")
    return int(value)


def _response(code: int, description: str, **values: object) -> bytes:
    root = etree.Element("reportResponse")
    etree.SubElement(root, "responseCode").text = str(code)
    etree.SubElement(root, "responseDescription").text = description
    for name, value in values.items():
        etree.SubElement(root, name).text = str(value)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _done(report_id: int, file_ids: Sequence[str]) -> bytes:
    root = etree.Element("reportDoneResponse")
    etree.SubElement(root, "responseCode").text = "0"
    etree.SubElement(root, "reportId").text = str(report_id)
    files = etree.SubElement(root, "files")
    for file_id in file_ids:
        etree.SubElement(files, "fileId").text = file_id
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted; the first line of output is the base URL."""
    parser = argparse.ArgumentParser(description=NOTICE)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--state", type=Path, required=True, help="SQLite file")
    parser.add_argument("--username", required=True)
    parser.add_argument("--xsd", type=Path, help="another schema than Holdfast's own")
    parser.add_argument(
        "--fail",
        action="append",
        default=[],
        metavar="STEP:KIND",
        help="let the next request of STEP fail; KIND: " + ", ".join(Failure),
    )
    given = parser.parse_args(arguments)
    password = os.environ.get(PASSWORD_VARIABLE)
    if not password:
        parser.error(f"set {PASSWORD_VARIABLE} to the password of {given.username}")
    state = State(given.state, given.xsd.read_bytes() if given.xsd else own_schema())
    for failure in given.fail:
        step, _, kind = failure.partition(":")
        state.fail_next(step, Failure(kind))
    server = FakeServer(state, given.username, password, port=given.port)
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
