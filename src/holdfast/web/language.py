"""In which language an answer is: what the visit chose, or what the browser asks for.

The portal speaks every language there is a file for; the console and the API are in
English. Django's own middleware is not used: it would keep the choice in a cookie of
its own, apart from the sealed one.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from holdfast.languages.choice import of_browser
from holdfast.web.portal import session

IN_ENGLISH = ("/api/", "/console/", "/gallery", "/static/", "/healthz")


class LanguageMiddleware:
    """Answers in the language of whoever asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Choose, answer, and say which language it is."""
        language = language_of(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            answer = self.get_response(request)
            # A page may have changed it.
            answer.setdefault("Content-Language", translation.get_language() or "")
        patch_vary_headers(answer, ("Accept-Language",))
        return answer


def in_english(request: HttpRequest) -> bool:
    """Whether this is a page for staff or developers."""
    return request.path_info.startswith(IN_ENGLISH)


def language_of(request: HttpRequest) -> str:
    """The language of a request."""
    if in_english(request):
        return settings.LANGUAGE_CODE
    chosen = session.read(request).language
    if chosen in dict(settings.LANGUAGES):
        return chosen
    return of_browser(request.headers.get("Accept-Language", ""))
