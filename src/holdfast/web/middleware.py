"""Headers that hold on every page, and no page of HTML under the API.

A strict content security policy: no inline script or style, nothing from elsewhere.
Nothing is cached, so that the back button of a shared computer asks again and finds
nothing. Only answers that say otherwise themselves are exempt.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from holdfast.web.api import problems

API_PREFIX = "/api/"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "media-src 'self'; connect-src 'self'; worker-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class HeadersMiddleware:
    """Sets the headers of every answer that comes from a view or an error handler."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, then set what is not set."""
        answer = self.get_response(request)
        if request.path.startswith(API_PREFIX):
            answer = _as_problem(request, answer)
        answer.setdefault("Content-Security-Policy", POLICY)
        answer.setdefault("Permissions-Policy", PERMISSIONS)
        answer.setdefault("Cache-Control", "no-store")
        return answer


def _as_problem(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    # Ninja answers a method that an address does not take by itself, as plain text.
    kind = answer.get("Content-Type", "")
    if answer.status_code < 400 or kind == problems.MEDIA_TYPE:
        return answer
    said = problems.response(problems.problem(request.path, answer.status_code))
    if "Allow" in answer:
        said["Allow"] = answer["Allow"]
    return said
