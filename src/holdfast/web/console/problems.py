"""A refusal as a page: what it was, and what to do now.

Never shows what went wrong inside; the code is for the operator, who finds the rest in
the log.
"""

from __future__ import annotations

from http import HTTPStatus

from django.urls import reverse

from holdfast.base.errors import (
    HoldfastError,
    InvalidInput,
    NotAllowed,
    NotFound,
    Refused,
    Unavailable,
)
from holdfast.web.components.shapes import NavItem, Problem

_KINDS: tuple[tuple[type[HoldfastError], HTTPStatus, str], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND, "There is no such thing here"),
    (NotAllowed, HTTPStatus.FORBIDDEN, "This is not open to you"),
    (InvalidInput, HTTPStatus.UNPROCESSABLE_ENTITY, "This cannot be used as it is"),
    (Refused, HTTPStatus.CONFLICT, "This cannot be done now"),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE, "Something did not answer"),
    (HoldfastError, HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong"),
)


def of(refusal: HoldfastError) -> tuple[Problem, HTTPStatus]:
    """The page for a refusal, and its status."""
    status, title = next(
        (status, title) for kind, status, title in _KINDS if isinstance(refusal, kind)
    )
    start = NavItem("Back to the start", reverse("console:start"))
    problem = Problem(title, refusal.message, reference=refusal.code, actions=(start,))
    return problem, status
