"""What every page may use of this installation: name, languages, the way out."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from holdfast.web import brand
from holdfast.web.language import in_english
from holdfast.web.portal import session
from holdfast.web.portal.help import near

LEAVE = "/leave"
"""Where leaving begins. The visit is forgotten there, and only then the browser is sent
on: the page that it ends on may be another site's."""


def installation(request: HttpRequest) -> dict[str, Any]:
    """The context that each template gets."""
    return {
        "site_name": settings.HOLDFAST_SITE_NAME,
        "leave_url": LEAVE,
        "brand_css_url": reverse("brand") if brand.path().exists() else "",
        "languages": settings.LANGUAGES,
        "idle_s": session.IDLE_S if session.read(request).report else 0,
        "help_near": None if in_english(request) else near(request),
    }
