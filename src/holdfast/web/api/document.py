"""The OpenAPI document: Ninja's, and what Ninja cannot know of what every address does.

Adds the problem documents, the ``Idempotency-Key`` header, the scopes, the sizes, and
the shapes that views read themselves. Changes nothing of what the API does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ninja import Schema
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from holdfast.items.answers import KEEP_DAYS
from holdfast.web.api import idempotency, limits, problems, report_schemas, schemas
from holdfast.web.api.auth import ApiKey

Json = dict[str, Any]

REF = "#/components/schemas/{model}"
READ_BY_VIEWS: tuple[type[Schema], ...] = (
    schemas.ItemIn,
    report_schemas.ReportIn,
    schemas.ActorLine,
    schemas.ItemLine,
    schemas.ShareLine,
    schemas.ViewsLine,
    schemas.PlacementLine,
    report_schemas.FlagLine,
    schemas.BatchAnswer,
    schemas.ProblemOut,
)
REFUSALS = {
    "400": "The request cannot be read.",
    "401": "No key, or one that is not known.",
    "403": "The key lacks the scope.",
    "404": "There is no such thing.",
    "409": "A rule forbids it now, or the same key is being carried out: Retry-After.",
    "411": "The length of the body was not said: Content-Length.",
    "413": "More than is taken in.",
    "415": "Another kind of body.",
    "422": "Some fields cannot be used: errors names them. Or the Idempotency-Key was "
    "used for another request.",
    "429": "Asked too often: Retry-After. Never for a report about a child's safety.",
    "500": "A fault of Holdfast, with a reference for whoever runs it.",
    "503": "The database is away: Retry-After.",
}
"""What each refusal means. Every one is a problem document."""

PUBLIC = ("/health",)
OF_WRITES = ("409", "411", "413", "415")
"""What only a request with a body is refused for."""


class Document(OpenAPISchema):
    """Ninja's document, with what the key of each operation says of it."""

    def operation_details(self, operation: Operation) -> Json:
        """One operation, with the scope it needs and the largest body it takes."""
        details: Json = super().operation_details(operation)
        for key in operation.auth_callbacks:
            if isinstance(key, ApiKey):
                scopes = [] if key.scope is None else [key.scope.value]
                # Roles that are needed, as OpenAPI 3.1 has them for any scheme.
                details["security"] = [{ApiKey.__name__: scopes}]
                if body := details.get("requestBody"):
                    about = [body.get("description", ""), _most(key.max_bytes)]
                    details["requestBody"] = body | {
                        "description": " ".join(about).strip()
                    }
        return details


def complete(document: Json, base: str) -> Json:
    """Finish the document in place and return it. ``base`` is ``/api/v1``."""
    components = document["components"]
    for shape in READ_BY_VIEWS:
        described = shape.model_json_schema(ref_template=REF)
        components["schemas"].update(described.pop("$defs", {}))
        components["schemas"][shape.__name__] = described
    components["responses"] = {
        f"Problem{status}": _refusal(words) for status, words in REFUSALS.items()
    }
    components["securitySchemes"]["ApiKey"]["bearerFormat"] = "hf_<prefix>_<secret>"
    for path, method, operation in _operations(document):
        _complete(operation, path.removeprefix(base), method)
    return document


def _complete(operation: Json, path: str, method: str) -> None:
    statuses = ["500", "503"] if path in PUBLIC else list(REFUSALS)
    if method == "get":
        statuses = [each for each in statuses if each not in OF_WRITES]
    responses = {str(key): said for key, said in operation["responses"].items()}
    operation["responses"] = responses | {
        status: {"$ref": f"#/components/responses/Problem{status}"}
        for status in statuses
    }
    if method in ("put", "post"):
        operation.setdefault("parameters", []).append(_key_header(method == "post"))
        for status, said in responses.items():
            if status.startswith("2"):
                said["headers"] = {
                    idempotency.REPLAY_HEADER: {
                        "description": "`true`: this answer was given before.",
                        "schema": {"type": "string", "enum": ["true"]},
                    }
                }


def _key_header(required: bool) -> Json:
    return {
        "in": "header",
        "name": idempotency.HEADER,
        "required": required,
        "description": "A new random value for each new request; the same one to "
        f"repeat it. The same request gets the same answer for {KEEP_DAYS} days."
        + ("" if required else " A PUT may go without."),
        "schema": {"type": "string", "minLength": 1, "maxLength": idempotency.MAX_KEY},
        "example": "5f0c6c1e3b8e4f0e9a4d1a7c2b9e8d10",
    }


def _most(size_bytes: int) -> str:
    return f"Up to {limits.in_words(size_bytes)}."


def _refusal(words: str) -> Json:
    said: Json = {
        "description": words,
        "content": {
            problems.MEDIA_TYPE: {"schema": {"$ref": REF.format(model="ProblemOut")}}
        },
    }
    if "Retry-After" in words:
        said["headers"] = {
            "Retry-After": {
                "description": "Seconds until it is worth asking again.",
                "schema": {"type": "integer"},
            }
        }
    return said


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation
