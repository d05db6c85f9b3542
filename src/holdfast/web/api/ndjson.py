"""Newline-delimited JSON, line by line, never whole in memory.

The body is written to a temporary file first (in memory while it is small): few
clients can read an answer while they still write, and the idempotency key needs the
hash of the whole. Then each line is read, done and answered before the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from tempfile import SpooledTemporaryFile
from typing import IO, ClassVar

from django.http import HttpRequest

from holdfast.web.api.limits import MAX_BODY_BYTES, MAX_LINE_BYTES, MAX_LINES
from holdfast.web.api.problems import ApiError, LengthRequired, TooLarge, WrongMediaType

MEDIA_TYPE = "application/x-ndjson"
ALSO = ("application/ndjson", "application/jsonl")
IN_MEMORY_BYTES = 256 * 1024
READ_BYTES = 64 * 1024


class Batch:
    """A body of lines, on disk when it is large. Use it in a ``with`` block."""

    media_types: ClassVar[tuple[str, ...]] = (MEDIA_TYPE, *ALSO)

    def __init__(self, request: HttpRequest) -> None:
        media_type = (request.content_type or "").lower()
        if media_type not in self.media_types:
            raise WrongMediaType(f"A batch is {MEDIA_TYPE}, one JSON object a line.")
        self._file = SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115  # Closed by close().
        self._hash = hashlib.sha256()
        self.line_count = 0
        self.at = 0
        """The line of the body that was read last, from 1."""
        try:
            self._take_in(_stream(request))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    @property
    def digest(self) -> str:
        """The hash of the body as it came."""
        return self._hash.hexdigest()

    def lines(self) -> Iterator[bytes | ApiError]:
        """Each line that is not blank; what is wrong with one that cannot be read."""
        self._file.seek(0)
        self.at = 0
        while line := self._file.readline(MAX_LINE_BYTES + 1):
            self.at += 1
            if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
                self._pass_over_rest()
                yield TooLarge(f"A line has up to {MAX_LINE_BYTES} bytes.")
            elif line.strip():
                yield line

    def _take_in(self, stream: IO[bytes]) -> None:
        size = breaks = 0
        last = b"\n"
        while chunk := _read(stream):
            size += len(chunk)
            breaks += chunk.count(b"\n")
            last = chunk[-1:]
            if size > MAX_BODY_BYTES or breaks > MAX_LINES:
                raise TooLarge(
                    f"A batch has up to {MAX_LINES} lines and {MAX_BODY_BYTES} bytes. "
                    "Send it as several, each with an Idempotency-Key of its own."
                )
            self._hash.update(chunk)
            self._file.write(chunk)
        self.line_count = breaks + (last != b"\n")

    def _pass_over_rest(self) -> None:
        while part := self._file.readline(MAX_LINE_BYTES):
            if part.endswith(b"\n"):
                return


def _stream(request: HttpRequest) -> IO[bytes]:
    # Django reads no further than Content-Length, which a chunked body does not have;
    # the server ends the stream itself then, and says so (PEP 3333 has no word for it).
    if request.headers.get("Transfer-Encoding"):
        if not request.META.get("wsgi.input_terminated"):
            raise LengthRequired("Say how long the body is (Content-Length).")
        stream: IO[bytes] = request.META["wsgi.input"]
        return stream
    return request  # type: ignore[return-value]  # A request is read like a file.


def _read(stream: IO[bytes]) -> bytes:
    with suppress(OSError):
        return stream.read(READ_BYTES)
    raise ApiError("The body broke off. Send it again.")
