"""The page of the document: all that the document says, and anchors that lead there."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from holdfast.items.keys import OF_FLAGGERS, SCOPES
from holdfast.web.api import docs, reference
from holdfast.web.api.api import api
from holdfast.web.api.fields import Fields
from holdfast.web.components.prose import prose
from tests.stages.api.calls import BASE, Api, json_of
from tests.world import World


@pytest.fixture(scope="module")
def page() -> str:
    answer = Client().get("/api/v1/docs")
    assert answer.status_code == 200
    assert not answer.cookies
    return answer.content.decode()


@pytest.fixture(scope="module")
def read() -> reference.Reference:
    return reference.read(api.get_openapi_schema())


def test_every_operation_and_every_field_is_on_it(
    page: str, read: reference.Reference
) -> None:
    document = api.get_openapi_schema()
    told = {
        (each.method.lower(), each.path)
        for group in read.groups
        for each in group.operations
    }
    assert told == {
        (method, path) for path, all_ in document["paths"].items() for method in all_
    }
    for model in document["components"]["schemas"].values():
        for name in model.get("properties", {}):
            assert name in page
    assert read.groups[0].title == "Actors and items"


def test_every_anchor_is_there_once(page: str) -> None:
    places = re.findall(r' id="([^"]+)"', page)
    assert len(places) == len(set(places))
    wanted = set(re.findall(r'href="#([^"]+)"', page))
    assert len(wanted) > 30
    assert wanted <= set(places)
    assert "<script" not in page
    assert 'href="/api/v1/openapi.json"' in page


def test_what_a_field_may_hold_is_said(read: reference.Reference) -> None:
    file = next(
        each for group in read.groups for each in group.operations
        if each.anchor == "post-api-v1-reports"
    )  # fmt: skip
    rows = {row.name: row for row in file.bodies[0].fields}
    assert rows["category"].required
    assert rows["targets[].url"].nullable
    assert "Up to 4,000 characters." in rows["targets[].url"].about
    assert rows["claims"].type == "array of string"
    assert "`professional`" in rows["claims"].about
    assert file.scopes == ("reports.write",)
    assert file.answers[0].statuses == ("201",)
    assert {"422", "429"} <= set(file.refusals)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "multipleOf": 5},
        {"anyOf": [{"type": "integer"}, {"type": "string"}]},
    ],
)
def test_what_the_page_cannot_say_is_refused(schema: Any) -> None:
    with pytest.raises(ValueError, match="cannot say"):
        Fields({}).row("size", schema, required=True)


def test_words_are_no_markup() -> None:
    said = prose("A <b> & `<i>`\n\n* one\n* **two**\n  lines")
    assert said == (
        "<p>A &lt;b&gt; &amp; <code>&lt;i&gt;</code></p>\n"
        "<ul><li>one</li><li><strong>two</strong>\n  lines</li></ul>"
    )


def test_only_docs_of_ours_are_shown() -> None:
    assert isinstance(api.docs, docs.Docs)
    assert Client().get("/static/ninja/swagger-ui.css").status_code == 404


@pytest.mark.django_db
def test_a_key_needs_the_scopes_that_are_said(
    world: World, read: reference.Reference
) -> None:
    for operation in (each for group in read.groups for each in group.operations):
        path = re.sub(r"\{\w+\}", "1", operation.path).removeprefix(BASE)
        for scope in operation.scopes:
            others = Api(
                world, [each for each in (*SCOPES, *OF_FLAGGERS) if each.value != scope]
            )
            answer = others.call(operation.method, path)
            assert answer.status_code == 403
            assert scope in json_of(answer)["detail"]
            alone = Api(
                world, [each for each in (*SCOPES, *OF_FLAGGERS) if each.value == scope]
            )
            assert alone.call(operation.method, path).status_code != 403
