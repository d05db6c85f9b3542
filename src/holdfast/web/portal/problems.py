"""When a page of the portal cannot be shown: said calmly, with what to do next.

What Django itself answers (400, 404, 500) is in ``holdfast.web.errors``. Never repeats
what somebody wrote.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from holdfast.base.errors import (
    HoldfastError,
    InvalidInput,
    NotAllowed,
    NotFound,
    Refused,
    Unavailable,
)
from holdfast.web.components.shapes import NavItem, Problem

log = logging.getLogger(__name__)

_STATUSES: tuple[tuple[type[HoldfastError], HTTPStatus], ...] = (
    (InvalidInput, HTTPStatus.UNPROCESSABLE_ENTITY),
    (NotFound, HTTPStatus.NOT_FOUND),
    (NotAllowed, HTTPStatus.FORBIDDEN),
    (Refused, HTTPStatus.CONFLICT),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)


def refused(request: HttpRequest, refusal: HoldfastError) -> HttpResponse:
    """A refusal of the product, in its own words."""
    log.warning("A public page was refused: %s", refusal.diagnostics())
    status = next(
        (status for kind, status in _STATUSES if isinstance(refusal, kind)),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    return _page(request, status, _("This did not work"), refusal.message)


def unmarked(request: HttpRequest) -> HttpResponse:
    """A button was pressed on a page that was too old; there is no answer to lose."""
    return _page(
        request,
        HTTPStatus.FORBIDDEN,
        _("Please press the button once more"),
        _(
            "The page was open for a long time, so nothing was done yet. Go back, "
            "load the page again, and press the button."
        ),
    )


def ways_on() -> tuple[NavItem, ...]:
    """Where somebody can go from a page that could not be shown."""
    return (
        NavItem(_("Go to the start"), reverse("portal:start")),
        NavItem(_("Come back with your words"), reverse("portal:follow")),
    )


def _page(
    request: HttpRequest, status: HTTPStatus, title: str, detail: str
) -> HttpResponse:
    problem = Problem(title, detail, actions=ways_on())
    shown = {"problem": problem}
    return render(request, "portal/problem.html", shown, status=status)
