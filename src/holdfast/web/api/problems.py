"""Problem documents: every refusal of the API, in the form of RFC 9457.

Each says what is wrong and what to do, and none holds what the caller sent, a trace,
or a name. What went wrong inside Holdfast gets a reference, which the log has too.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from ninja.errors import AuthenticationError, HttpError, ValidationError

from holdfast.base.errors import (
    HoldfastError,
    InvalidFields,
    InvalidInput,
    NotAllowed,
    NotFound,
    Refused,
    Unavailable,
)
from holdfast.items.answers import StillRunning

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:holdfast:problem:"
"""Before the code: a name that stays the same wherever Holdfast runs."""
AGAIN_S = 1
"""When to ask again while the first request with a key is being carried out."""
BACK_S = 5
"""When to ask again while the database or a platform is away."""

STATUSES: tuple[tuple[type[HoldfastError], int], ...] = (
    (InvalidInput, 422),
    (NotFound, 404),
    (NotAllowed, 403),
    (Refused, 409),
    (Unavailable, 503),
)
"""The family of errors, and what each is in HTTP."""

WORDS = {
    400: "This could not be read. Check the request against the API's document.",
    401: "Send a key of this installation: Authorization: Bearer hf_… An administrator "
    "makes keys.",
    404: "There is nothing at this address. The addresses are listed at /api/v1/docs.",
    405: "This address does not take that method. Allow names those that it takes.",
    413: "The request is larger than Holdfast takes in. Send less at once.",
    500: "Something went wrong inside Holdfast. Send it again; if it stays so, give "
    "the reference to whoever runs this installation.",
    503: "Holdfast cannot reach its database at the moment. Send it again soon.",
}
"""What is said where nothing more is known than the status."""


class ApiError(HoldfastError):
    """A refusal that only HTTP knows of."""

    status = 400
    code = "malformed"

    def __init__(self, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BadLine(ApiError):
    """A line of a batch that cannot be read; ``named`` is what it called itself."""

    def __init__(self, message: str, named: str | None = None) -> None:
        super().__init__(message)
        self.named = named


class LengthRequired(ApiError):
    """The body's length was not said."""

    status = 411
    code = "length-required"


class TooLarge(ApiError):
    """The body is larger than is taken in."""

    status = 413
    code = "too-large"


class WrongMediaType(ApiError):
    """The body is of a kind that this address does not read."""

    status = 415
    code = "wrong-media-type"


class TooMany(ApiError):
    """The key asks more often than it may."""

    status = 429
    code = "too-many-requests"


def problem(
    path: str,
    status: int,
    detail: str = "",
    *,
    code: str = "",
    errors: Sequence[Mapping[str, str]] = (),
    **more: Any,
) -> dict[str, Any]:
    """One problem document, as a mapping. ``path`` says where it happened."""
    title = HTTPStatus(status).phrase
    said: dict[str, Any] = {
        "type": TYPE + (code or title.lower().replace(" ", "-")),
        "title": title,
        "status": status,
        "detail": detail or WORDS.get(status, WORDS[400]),
        "instance": path,
        **more,
    }
    if errors:
        said["errors"] = list(errors)
    return said


def response(said: Mapping[str, Any], retry_after_s: int | None = None) -> HttpResponse:
    """A problem document as an answer."""
    answer = HttpResponse(
        json.dumps(said), status=said["status"], content_type=MEDIA_TYPE
    )
    if said["status"] == HTTPStatus.UNAUTHORIZED:
        answer["WWW-Authenticate"] = "Bearer"
    if retry_after_s is not None:
        answer["Retry-After"] = str(retry_after_s)
    return answer


def of_error(path: str, error: BaseException) -> tuple[dict[str, Any], int | None]:
    """What an error is to the caller: a problem, and when to ask again (seconds)."""
    match error:
        case ApiError():
            said = problem(path, error.status, error.message, code=error.code)
            return said, error.retry_after_s
        case HoldfastError():
            return _of_family(path, error)
        case ValidationError():
            return invalid(path, error.errors), None
        case AuthenticationError():
            return problem(path, 401), None
        case HttpError():
            return problem(
                path, error.status_code, _READ.get(error.status_code, "")
            ), None
        case Http404():
            return problem(path, 404), None
        case RequestDataTooBig():
            return problem(path, 413, code=TooLarge.code), None
        case SuspiciousOperation() | MultiPartParserError() | UnreadablePostError():
            return problem(path, 400, code=ApiError.code), None
        case OperationalError() | InterfaceError():
            log.error("database away path=%s", path, exc_info=error)
            return problem(path, 503, code=Unavailable.code), BACK_S
    return _of_fault(path, error), None


def invalid(path: str, faults: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A problem that names each field that is wrong, by a pointer into the body."""
    return problem(
        path,
        422,
        "Some fields cannot be used as they are: see errors. Correct them and send "
        "the request again.",
        code=InvalidInput.code,
        errors=[_fault(each) for each in faults],
    )


def handle(request: HttpRequest, error: Any) -> HttpResponse:
    """The API's one handler of errors, whatever they are."""
    said, retry_after_s = of_error(request.path, error)
    return response(said, retry_after_s)


def pointer(place: Iterable[str]) -> str:
    """A way into a body, as its keys, in the form of RFC 6901 within a fragment."""
    inside = [part.replace("~", "~0").replace("/", "~1") for part in place]
    return "/".join(["#", *inside])


def plain_words(fault: str) -> str:
    """What is wrong of a field, without what only Python says."""
    return fault.removeprefix("Value error, ")


_READ = {400: "The body is not JSON in UTF-8. Correct it and send it again."}


def _of_family(path: str, error: HoldfastError) -> tuple[dict[str, Any], int | None]:
    if isinstance(error, StillRunning):
        return problem(path, 409, error.message, code=error.code), AGAIN_S
    if isinstance(error, InvalidFields):
        faults = [
            {"loc": ("body", "said", *place), "msg": words}
            for place, words in error.faults.items()
        ]
        return invalid(path, faults), None
    for family, status in STATUSES:
        if isinstance(error, family):
            again_s = BACK_S if status == HTTPStatus.SERVICE_UNAVAILABLE else None
            return problem(path, status, error.message, code=error.code), again_s
    return _of_fault(path, error), None


def _of_fault(path: str, error: BaseException) -> dict[str, Any]:
    reference = uuid4().hex
    log.error("request failed reference=%s", reference, exc_info=error)
    return problem(path, 500, code="fault", reference=reference)


def _fault(fault: Mapping[str, Any]) -> dict[str, str]:
    # A place is ("body", name of the argument, keys…) for a body, else (where, name).
    place = [str(part) for part in fault["loc"]]
    detail = plain_words(str(fault["msg"]))
    if place[0] == "body":
        return {"pointer": pointer(place[2:]), "detail": detail}
    return {"parameter": place[-1], "detail": detail}
