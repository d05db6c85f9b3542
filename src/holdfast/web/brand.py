"""A platform's own look: one stylesheet of its own, loaded after ours.

``HOLDFAST_HOME/brand.css`` sets the variables of ``tokens.css``. It can fetch nothing
from elsewhere: the content security policy of every page forbids that.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse

FRESH_S = 300
"""Seconds for which a browser keeps it; it says nothing of who reads which page."""


def path() -> Path:
    """Where the stylesheet lies, if there is one."""
    return Path(settings.HOLDFAST_HOME) / "brand.css"


def stylesheet(request: HttpRequest) -> HttpResponse:
    """The stylesheet; 404 when there is none."""
    try:
        css = path().read_bytes()
    except FileNotFoundError:
        raise Http404 from None
    return HttpResponse(
        css,
        content_type="text/css; charset=utf-8",
        headers={"Cache-Control": f"public, max-age={FRESH_S}"},
    )
