"""What Django shows when nothing else does: a problem document, or a plain page.

The page is the portal's, or the console's for an address of the console: it says
nothing of what went wrong inside, and asks nothing. It needs no database.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from holdfast.web.api import problems
from holdfast.web.components.shapes import NavItem, Problem
from holdfast.web.middleware import API_PREFIX
from holdfast.web.portal.problems import ways_on

CONSOLE_PREFIX = "/console/"
WORDS = {
    400: (_("This could not be read"), _("Go back and try again.")),
    403: (
        _("This page was open for too long"),
        _("Nothing is lost yet. Go back, load the page again and send it once more."),
    ),
    404: (
        _("There is no such page"),
        _("Check the address, or start again from the front."),
    ),
    413: (
        _("This is too much at once"),
        _(
            "Nothing was sent, and nothing that you sent before is lost. Go back, and "
            "send less at once. You need not send any file."
        ),
    ),
    500: (
        _("Something went wrong"),
        _("It is our fault and not yours. Go back and try again in a minute."),
    ),
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a request that cannot be read."""
    return _answer(request, 400, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: not allowed here."""
    return _answer(request, 403, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: nothing at this address."""
    return _answer(request, 404, Http404())


def too_long(request: HttpRequest) -> HttpResponse:
    """413: longer than any form of ours. The way back is the page it was sent from."""
    return _answer(request, 413, None)


def fault(request: HttpRequest) -> HttpResponse:
    """500: a fault of ours. Django has logged it."""
    return _answer(request, 500, None)


def _answer(request: HttpRequest, status: int, error: Exception | None) -> HttpResponse:
    if request.path.startswith(API_PREFIX):
        if isinstance(error, SuspiciousOperation | Http404):
            return problems.handle(request, error)
        return problems.response(problems.problem(request.path, status))
    title, words = map(str, WORDS[status])
    if request.path.startswith(CONSOLE_PREFIX):
        start = NavItem("Back to the start", CONSOLE_PREFIX)
        problem = Problem(title=title, detail=words, actions=(start,))
        # Messages may be kept in the session, which is in the database.
        shown: dict[str, Any] = {"problem": problem, "messages": ()}
        return render(request, "console/fault.html", shown, status=status)
    shown = {"problem": Problem(title=title, detail=words, actions=ways_on())}
    if status == 413:
        shown["back_url"] = request.path
    return render(request, "portal/problem.html", shown, status=status)
