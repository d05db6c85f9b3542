"""The platform API, version 1: what platforms tell Holdfast and ask of it.

Mounted at ``/api/v1`` by ``web/urls.py``. Views read the request, call one operation
and shape its answer; every rule is in the stages. The contract is the OpenAPI
document at ``/api/v1/openapi.json``, to be read at ``/api/v1/docs``.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from holdfast.web.api import (
    batches,
    changes,
    flags,
    guide,
    items,
    problems,
    reports,
)
from holdfast.web.api.docs import Docs
from holdfast.web.api.document import Document, complete
from holdfast.web.api.schemas import HealthOut
from holdfast.web.health import check

BASE = "/api/v1"
TAGS = (
    (
        "Actors and items",
        "Tell of accounts and of what they post, and ask what to do with it.",
    ),
    ("Batches", "The same for many at once, and what was passed on, seen and earned."),
    ("Reports", "Hand on what somebody reports, and ask where it stands."),
    ("Changes", "Freeze, thaw and remove what Holdfast says, and say that it is done."),
    (
        "Trusted flaggers",
        "For organisations with an account of their own: reports by the file.",
    ),
    ("Health", "For whatever watches this installation."),
)
"""The groups of operations, in the order in which a platform comes to use them."""


class PlatformApi(NinjaAPI):
    """Ninja's API with a complete document and one handler of errors."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: Any = None
    ) -> OpenAPISchema:
        """The document, with what Ninja does not know of."""
        prefix = path_prefix or self.get_root_path(path_params or {})
        document = Document(self, prefix)
        complete(document, BASE)
        return document


api = PlatformApi(
    title="Holdfast platform API",
    version="1",
    description=guide.markdown(),
    urls_namespace="api-v1",
    servers=[{"url": settings.HOLDFAST_URL}],
    docs=Docs(),
    openapi_extra={
        "info": {
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": name, "description": about} for name, about in TAGS],
    },
)
for _error in (Exception, HttpError, ValidationError, AuthenticationError):
    api.add_exception_handler(_error, problems.handle)
# Batches first: an id may hold anything, and "items:batch" is no item.
for _router in (
    batches.router,
    flags.router,
    items.router,
    reports.router,
    changes.router,
):
    api.add_router("", _router)


@api.get(
    "/health",
    auth=None,
    response=HealthOut,
    tags=["Health"],
    summary="Whether Holdfast can do its work",
)
def health(request: HttpRequest) -> dict[str, str]:
    """Asks the database. 503 when it does not answer."""
    check()
    return {"status": "ok"}
