"""A ``requests`` session that calls one host and nothing else.

Meta's library speaks through ``requests``, and its clients let the session be chosen.
Ours has no adapter for any other address: a redirect or a page link that leads
elsewhere fails before a byte, or a credential, is sent. It reads no proxy or password
from the environment, waits and reads within bounds, and tries again what may pass.
Nothing is logged: addresses can hold a token, and answers hold signals.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from holdfast.base.errors import HoldfastError, Unavailable
from holdfast.matching.connectors.exchange import CredentialsRefused

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""A page of a thousand records is about a megabyte."""
REFUSED = frozenset({401, 403})
MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})
"""What python-threatexchange tries again, and 408 and 425."""
NOT_AS_IT_SHOULD_BE = "The exchange's answer is not what it should be."
CHUNK_BYTES = 64 * 1024
_PASSING = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)


@dataclass(frozen=True)
class Patience:
    """How long to wait: for the next bytes, for a whole answer, before each retry."""

    timeout_s: float = 60.0
    answer_s: float = 300.0
    pauses_s: tuple[float, ...] = (0.5, 2.0, 8.0)


class OneHost(requests.Session):
    """A session for the host of ``url``, which is https or this machine's own."""

    def __init__(self, url: str, patience: Patience) -> None:
        super().__init__()
        self.trust_env = False
        parts = urlsplit(url)
        self.adapters.clear()
        # With the slash, so that it is this host and none whose name begins like it.
        self.mount(f"{parts.scheme}://{parts.netloc}/".lower(), _Bounded(patience))


class _Bounded(HTTPAdapter):
    """Reads the whole of an answer, within bounds, and again if it may pass."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        super().__init__()

    def send(
        self, request: requests.PreparedRequest, *given: Any, **named: Any
    ) -> requests.Response:
        named |= {"stream": True, "timeout": self._patience.timeout_s}
        for pause_s in self._patience.pauses_s:
            try:
                answer = self._read(super().send(request, *given, **named))
            except _PASSING:
                pass
            else:
                if answer.status_code not in MAY_PASS:
                    return answer
            sleep(pause_s)
        return self._read(super().send(request, *given, **named))

    def _read(self, answer: requests.Response) -> requests.Response:
        end = monotonic() + self._patience.answer_s
        body = bytearray()
        with answer:
            for chunk in answer.iter_content(CHUNK_BYTES):
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise Unavailable("The exchange's answer is too large.")
                if monotonic() > end:
                    raise Unavailable("The exchange's answer is too slow.")
        # What ``content`` and ``json()`` answer with, as if requests had read it.
        answer._content = bytes(body)
        return answer


@contextmanager
def failures() -> Iterator[None]:
    """Turn what the library and ``requests`` raise into errors of ours.

    Their texts are dropped: they hold addresses with tokens, or whole answers.
    """
    try:
        yield
    except HoldfastError:
        raise
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in REFUSED:
            raise CredentialsRefused(
                "The exchange refuses our credentials.", status=status
            ) from None
        raise Unavailable("The exchange does not answer.", status=status) from None
    except requests.exceptions.InvalidSchema:
        raise Unavailable(
            "The exchange leads to another host, which nobody allowed."
        ) from None
    except requests.exceptions.ChunkedEncodingError:
        raise Unavailable("The exchange's answer broke off.") from None
    except requests.exceptions.InvalidJSONError as error:
        raise Unavailable(NOT_AS_IT_SHOULD_BE, why=type(error).__name__) from None
    except requests.RequestException as error:
        raise Unavailable(
            "The exchange cannot be reached.", why=type(error).__name__
        ) from None
    except Exception as error:
        raise Unavailable(NOT_AS_IT_SHOULD_BE, why=type(error).__name__) from None


def guarded(pull: Iterator[Any]) -> Iterator[Any]:
    """The same updates, with errors of ours (see :func:`failures`)."""
    while True:
        with failures():
            update = next(pull, None)
        if update is None:
            return
        yield update
