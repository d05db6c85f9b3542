"""How long a form may be: what is longer than any of ours is refused before it is read.

The whole body of a form is held in memory, and a page that asks again gives it back.
Nobody can fill our boxes with so much; only a program can, or a page that was changed
to send a file. The API has limits of its own, each door its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from holdfast.web import errors
from holdfast.web.flaggers.forms import MAX_FILE_BYTES
from holdfast.web.middleware import API_PREFIX

MAX_FORM_BYTES: Final = 1024 * 1024
"""A page of the portal has two boxes of 20,000 characters, which are 240 kB each when
every one is an emoji and percent-encoded; no page of the console has more than four."""
MAX_FLAGGER_BYTES: Final = 4 * MAX_FILE_BYTES
"""Below it a file that is too large is named beside its box, in the form's words."""


class LengthMiddleware:
    """Refuses by what a request says of its length; without that nothing is read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or say that it is too long. What the visit knows stays as it is."""
        if length_of(request) > longest(request.path_info):
            return errors.too_long(request)
        return self.get_response(request)


def length_of(request: HttpRequest) -> int:
    """How many bytes Django would read, by the rule by which it does."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def longest(path: str) -> float:
    """How many bytes a request to an address may have, before anybody reads it."""
    if path.startswith(API_PREFIX):
        return float("inf")
    return MAX_FLAGGER_BYTES if path.startswith("/flaggers/") else MAX_FORM_BYTES
