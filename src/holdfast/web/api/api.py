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
from ninja.openapi.docs import Swagger
from ninja.openapi.schema import OpenAPISchema

from holdfast.web.api import batches, changes, items, problems, reports
from holdfast.web.api.document import complete
from holdfast.web.api.schemas import HealthOut
from holdfast.web.health import check

BASE = "/api/v1"
ABOUT = """
A platform tells Holdfast of its accounts and items, hands on reports, and obeys the
changes that come back. Ids in addresses are the platform's own, URL-encoded.

* **Key**: `Authorization: Bearer hf_…`. A key belongs to one platform and has scopes:
  `items.write`, `items.read`, `reports.write`, `changes.read`.
* **Idempotency-Key** on every write; a POST without one is refused. The same key with
  the same request gets the same answer, with `Idempotent-Replay: true`.
* **Refusals** are problem documents (RFC 9457, `application/problem+json`).
* **Pages**: `?cursor=` and `?limit=`, answered with `next_cursor`.
* **Times** are RFC 3339 with their zone.
* **Rates** hold per key. A report about a child's safety is never refused for its rate.
* **Batches**: up to 5,000 lines and 64 MiB, a line up to 256 KiB. A JSON body has up
  to 2 MiB, an item with its files up to 64 MiB.
"""


class Docs(Swagger):
    """The page of the document: Swagger UI from Ninja's wheel, in a page of ours."""

    template = "api/docs.html"


class PlatformApi(NinjaAPI):
    """Ninja's API with a complete document and one handler of errors."""

    def get_openapi_schema(self, **how: Any) -> OpenAPISchema:
        """The document, with what Ninja does not know of."""
        document = super().get_openapi_schema(**how)
        complete(document, BASE)
        return document


api = PlatformApi(
    title="Holdfast platform API",
    version="1",
    description=ABOUT,
    urls_namespace="api-v1",
    servers=[{"url": settings.HOLDFAST_URL}],
    docs=Docs(settings={"validatorUrl": None, "defaultModelsExpandDepth": 0}),
    openapi_extra={
        "info": {
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
    },
)
for _error in (Exception, HttpError, ValidationError, AuthenticationError):
    api.add_exception_handler(_error, problems.handle)
# Batches first: an id may hold anything, and "items:batch" is no item.
for _router in (batches.router, items.router, reports.router, changes.router):
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
