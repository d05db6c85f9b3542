"""The OpenAPI document is whole, and says what the API does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from ninja import Schema

from holdfast.enforcement.queries import MOST_CHANGES
from holdfast.intake import operations as intake
from holdfast.items.keys import OF_FLAGGERS, SCOPES
from holdfast.items.models import Actor, Item
from holdfast.items.operations import MAX_MEDIA
from holdfast.web.api import api, field_types, guide, limits, report_schemas, schemas

METHODS = {"get", "put", "post"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    answer = Client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    said: dict[str, Any] = answer.json()
    return said


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_it_is_3_1_and_has_every_address_of_the_contract(
    document: dict[str, Any],
) -> None:
    assert document["openapi"].startswith("3.1")
    found = {f"{method} {path}" for path, method, _ in operations(document)}
    assert found == {
        f"{method} {api.BASE}{path}"
        for method, path in [
            ("put", "/actors/{id}"), ("get", "/actors/{id}"), ("put", "/items/{id}"),
            ("get", "/items/{id}"), ("post", "/actors:batch"), ("post", "/items:batch"),
            ("post", "/shares:batch"), ("post", "/views:batch"),
            ("post", "/placements:batch"), ("post", "/reports"),
            ("get", "/reports/{number}"), ("post", "/reports/{number}/signature"),
            ("get", "/changes"),
            ("post", "/changes:confirm"), ("post", "/flags:batch"),
            ("get", "/flags/{reference}"), ("get", "/categories"),
            ("get", "/questions"), ("get", "/health"),
        ]
    }  # fmt: skip


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            if "$ref" in part:
                yield part["$ref"]
            for inner in part.values():
                yield from references(inner)
        elif isinstance(part, list):
            for inner in part:
                yield from references(inner)

    found = set(references(document))
    assert found
    for reference in found:
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_every_operation_says_what_it_does_and_what_it_refuses(
    document: dict[str, Any],
) -> None:
    for path, method, operation in operations(document):
        assert operation["summary"], path
        assert operation["description"], path
        assert any(status.startswith("2") for status in operation["responses"])
        assert "500" in operation["responses"]
        if not path.endswith("/health"):
            scopes = operation["security"][0]["ApiKey"]
            assert len(scopes) == (not path.endswith(("/categories", "/questions"))), (
                path
            )
            assert set(scopes) <= {scope.value for scope in (*SCOPES, *OF_FLAGGERS)}
            assert "401" in operation["responses"]
        header = [
            each
            for each in operation["parameters"]
            if each["name"] == "Idempotency-Key"
        ]
        assert bool(header) == (method != "get"), path
        if header:
            assert header[0]["required"] == (method == "post")
            assert operation["requestBody"]["content"], path
    scheme = document["components"]["securitySchemes"]["ApiKey"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    put = document["paths"][f"{api.BASE}/items/{{id}}"]["put"]["requestBody"]["content"]
    assert set(put) == {"application/json", "multipart/form-data"}


def test_the_examples_are_examples() -> None:
    for shape in (
        schemas.ActorIn,
        schemas.ActorLine,
        schemas.ConfirmIn,
        schemas.ItemIn,
        schemas.ItemLine,
        schemas.PlacementLine,
        schemas.ProblemOut,
        report_schemas.ReportIn,
        schemas.ShareLine,
        schemas.ViewsLine,
    ):
        extra: Any = shape.model_config["json_schema_extra"]
        assert shape.model_validate(extra["example"])


@pytest.mark.parametrize(
    ("shape", "table", "names"),
    [
        (
            schemas.ActorIn,
            Actor,
            ["screen_name", "display_name", "profile_url", "email"],
        ),
        (schemas.ItemIn, Item, ["url", "language"]),
    ],
)
def test_lengths_are_those_of_the_columns(
    shape: type[Schema], table: Any, names: list[str]
) -> None:
    properties = shape.model_json_schema()["properties"]
    for name in names:
        said = properties[name]["anyOf"][0]["maxLength"]
        assert said == table._meta.get_field(name).max_length, name


def test_limits_are_those_of_the_operations() -> None:
    assert field_types.MAX_TARGETS == intake.MAX_TARGETS
    assert field_types.MOST_CHANGES == MOST_CHANGES
    report = report_schemas.ReportIn.model_json_schema()["properties"]
    assert report["words"]["anyOf"][0]["maxLength"] == intake.MAX_WORDS
    assert set(field_types.Claim.__args__) == set(intake.CLAIMS)  # type: ignore[attr-defined]  # A Literal's arguments.
    item = schemas.ItemIn.model_json_schema()["properties"]
    assert item["media"]["anyOf"][0]["maxItems"] == MAX_MEDIA


def test_sizes_are_said_as_they_are() -> None:
    assert limits.in_words(limits.MAX_BODY_BYTES) == "64 MiB"
    assert limits.in_words(limits.MAX_LINE_BYTES) == "256 KiB"
    assert "a line up to\n  256 KiB" in guide.markdown()
