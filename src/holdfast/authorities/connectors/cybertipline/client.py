"""The CyberTipline over HTTP: one method for each request of the protocol.

The address and the credentials are the operator's; none is written here. Every answer
is returned raw, as evidence, and every failure is raised as one of the errors of
``answers.py``, which also says how to react. The client keeps no state and decides
nothing: that a referral is filed surely and once is the work of its caller. It follows
no redirect, reads no proxy or password from the environment, and logs nothing.
"""

from __future__ import annotations

from time import monotonic
from types import TracebackType
from typing import BinaryIO

import httpx

from holdfast.authorities.connectors.cybertipline.answers import (
    MAX_ANSWER_BYTES,
    Answer,
    OutcomeUnknown,
    Retry,
    Step,
    check_finished,
    check_submitted,
    check_uploaded,
    read,
)
from holdfast.base.addresses import checked_address

# Seconds. NCMEC publishes none; these are ours. A connection comes about at once or
# not at all; an answer may wait for a slow database; an upload's pauses between two
# writes are short even when the whole takes hours.
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0
WRITE_TIMEOUT_S = 60.0
POOL_TIMEOUT_S = 10.0
# From the first to the last byte of an answer, so that a trickle cannot hold us.
ANSWER_TIMEOUT_S = 60.0
TIMEOUT = httpx.Timeout(
    connect=CONNECT_TIMEOUT_S,
    read=READ_TIMEOUT_S,
    write=WRITE_TIMEOUT_S,
    pool=POOL_TIMEOUT_S,
)

_XML = {"Content-Type": "text/xml; charset=utf-8"}


class CyberTipline:
    """A connection to one CyberTipline service; use it in a ``with`` block.

    ``base_url`` includes the path, such as ``https://HOST/ispws``. It is HTTPS, except
    on this machine's own loopback address, where the test double stands. Raises
    :class:`InvalidInput` for any other address.
    """

    def __init__(
        self,
        base_url: str,
        username: str,
        password: str,
        *,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        self.base_url = checked_address(base_url, "The CyberTipline's")
        self._http = httpx.Client(
            auth=httpx.BasicAuth(username, password),
            timeout=timeout,
            headers={"Accept-Encoding": "identity"},
            trust_env=False,
            follow_redirects=False,
        )

    def __enter__(self) -> CyberTipline:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def status(self) -> Answer:
        """Ask whether the service is there and knows us. Changes nothing."""
        return self._ask(self._request("GET", Step.STATUS))

    def schema(self) -> Answer:
        """The schema in force, in ``raw``, to validate with before filing."""
        request = self._request("GET", Step.SCHEMA)
        http_status, request_id, raw = self._send(request, Step.SCHEMA)
        if http_status == 200:
            return Answer(
                step=Step.SCHEMA, http_status=200, request_id=request_id, raw=raw
            )
        return read(Step.SCHEMA, http_status, request_id, raw)

    def submit(self, document: bytes) -> Answer:
        """Open a report with ``document``; ``report_id`` is its number.

        The report is deleted unless it is finished within 24 hours of this, or one
        hour of its last upload or file details, whichever is later.
        """
        request = self._request("POST", Step.SUBMIT, content=document, headers=_XML)
        return check_submitted(self._ask(request))

    def upload(self, report_id: int, name: str, file: BinaryIO, md5: str) -> Answer:
        """Add ``file`` to the report; ``file_id`` is its number there.

        ``md5`` is the hexadecimal digest of the file's bytes as we know it. Raises
        :class:`FileDamaged` when other bytes arrived.
        """
        request = self._request(
            "POST",
            Step.UPLOAD,
            data={"id": str(report_id)},
            files={"file": (name, file, "application/octet-stream")},
        )
        return check_uploaded(self._ask(request), report_id, md5)

    def file_info(self, document: bytes) -> Answer:
        """Give the details of one uploaded file. Once for each file."""
        return self._ask(
            self._request("POST", Step.FILE_INFO, content=document, headers=_XML)
        )

    def finish(self, report_id: int) -> Answer:
        """File the report. Cannot be undone; ``raw`` is the receipt to keep."""
        request = self._request("POST", Step.FINISH, data={"id": str(report_id)})
        return check_finished(self._ask(request), report_id)

    def retract(self, report_id: int) -> Answer:
        """Withdraw a report that is not finished."""
        return self._ask(
            self._request("POST", Step.RETRACT, data={"id": str(report_id)})
        )

    def _request(
        self,
        method: str,
        step: Step,
        *,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        data: dict[str, str] | None = None,
        files: dict[str, tuple[str, BinaryIO, str]] | None = None,
    ) -> httpx.Request:
        return self._http.build_request(
            method,
            f"{self.base_url}/{step.value}",
            content=content,
            headers=headers,
            data=data,
            files=files,
            extensions={"step": step},
        )

    def _ask(self, request: httpx.Request) -> Answer:
        step: Step = request.extensions["step"]
        return read(step, *self._send(request, step))

    def _send(self, request: httpx.Request, step: Step) -> tuple[int, str, bytes]:
        """HTTP status, Request-ID and body, at most ``MAX_ANSWER_BYTES`` of it."""
        try:
            response = self._http.send(request, stream=True)
            end = monotonic() + ANSWER_TIMEOUT_S
            try:
                raw = bytearray()
                # Raw, not decoded: a compressed answer could be a bomb, and we asked
                # for none.
                for chunk in response.iter_raw():
                    raw += chunk
                    if len(raw) > MAX_ANSWER_BYTES or monotonic() > end:
                        raise OutcomeUnknown(
                            "The CyberTipline's answer is too large or too slow.",
                            step=step,
                        )
            finally:
                response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Retry("The CyberTipline cannot be reached.", step=step) from error
        except httpx.HTTPError as error:
            raise OutcomeUnknown(
                "The connection ended before the answer.", step=step
            ) from error
        request_id = response.headers.get("Request-ID", "")
        return response.status_code, request_id, bytes(raw)
