"""What every page may use of this installation: its name and how to leave quickly."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

SITE_NAME = "Holdfast"


def installation(request: HttpRequest) -> dict[str, Any]:
    """The context that each template gets."""
    return {
        "site_name": SITE_NAME,
        "leave_url": settings.HOLDFAST_LEAVE_URL,
        "helplines": (),
    }
