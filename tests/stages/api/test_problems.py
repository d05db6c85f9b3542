"""Whatever is sent, the API answers with JSON, and never with a page or a trace."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.db import OperationalError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.base.by import SYSTEM
from holdfast.items import operations as items
from holdfast.items.keys import revoke_key
from holdfast.items.models import ApiKey
from holdfast.web.api import limits
from tests.stages.api.calls import BASE, POSTED_AT, PROBLEM, Api, body_of, json_of
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


def is_problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == PROBLEM
    said: dict[str, Any] = json_of(answer)
    assert {"type", "title", "status", "detail", "instance"} <= set(said)
    assert said["status"] == status
    return said


@pytest.mark.parametrize("path", ["/nothing", "/items", "/", "/items/", "/reports/a/b"])
def test_no_such_address(api: Api, path: str) -> None:
    is_problem(api.get(path), 404)


def test_an_address_of_no_version(api: Api) -> None:
    is_problem(api.client.get("/api/"), 404)
    is_problem(api.client.get("/api/v2/items/1"), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/items/1"), ("GET", "/reports"), ("POST", "/health")],
)
def test_a_method_that_is_not_taken(api: Api, method: str, path: str) -> None:
    answer = api.call(method, path)
    is_problem(answer, 405)
    assert answer.headers["Allow"]


def test_who_calls_must_be_known(api: Api, world: World) -> None:
    nobody = api.client.get(BASE + "/categories")
    is_problem(nobody, 401)
    assert nobody.headers["WWW-Authenticate"] == "Bearer"
    for token in ("", "hf_x_y", "Ünïcode", "\t"):
        api.token = token
        is_problem(api.get("/categories"), 401)
    other = Api(world)
    assert other.get("/categories").status_code == 200
    key = ApiKey.objects.order_by("-created_at").first()
    assert key is not None
    revoke_key(key.id, by=SYSTEM)
    is_problem(other.get("/categories"), 401)


def test_a_host_that_is_not_ours(api: Api) -> None:
    answer = api.client.get(BASE + "/health", headers={"Host": "elsewhere.example"})
    is_problem(answer, 400)


def test_a_fault_of_ours_has_a_reference_and_no_trace(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(items, "put_actor", break_down)
    with caplog.at_level(logging.ERROR):
        said = is_problem(api.put("/actors/1", {}), 500)
    assert "secret inside" not in json.dumps(said)
    assert said["reference"] in caplog.text


def test_the_database_away_is_said_to_pass(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("connection to server on socket failed")

    monkeypatch.setattr(items, "put_actor", away)
    answer = api.put("/actors/1", {})
    assert "socket" not in json.dumps(is_problem(answer, 503))
    assert answer.headers["Retry-After"]


def test_bodies_that_are_too_large_are_not_read(api: Api) -> None:
    said = json.dumps({"words": "x" * limits.MAX_JSON_BYTES}).encode()
    is_problem(api.call("POST", "/reports", said), 413)
    is_problem(api.call("PUT", "/actors/1", said), 413)
    is_problem(api.call("PUT", "/items/1", said), 413)


def test_a_body_of_another_kind(api: Api) -> None:
    is_problem(api.call("PUT", "/items/1", b"<x/>", "application/xml"), 415)
    is_problem(api.call("PUT", "/items/1", b"--", "multipart/form-data"), 400)
    is_problem(
        api.call("PUT", "/items/1", b"--x--\r\n", "multipart/form-data; boundary=x"),
        400,
    )


def test_a_deep_or_broken_json(api: Api) -> None:
    for body in (b"[" * 100_000, b"\xff", b"{", b"1" * 5000, b'{"a":NaN', b""):
        answer = api.call("PUT", "/actors/1", body)
        assert answer.status_code in (400, 422)
        is_problem(answer, answer.status_code)


def test_above_the_rate(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BURST", 2.0)
    monkeypatch.setattr(limits, "PER_S", 0.01)
    assert [api.get("/categories").status_code for _ in range(2)] == [200, 200]
    answer = api.get("/categories")
    is_problem(answer, 429)
    assert 99 <= int(answer.headers["Retry-After"]) <= 100


def test_health_asks_nobody_who_they_are(api: Api) -> None:
    api.token = ""
    assert json_of(api.get("/health")) == {"status": "ok"}


ADDRESSES = st.sampled_from(
    [
        ("PUT", "/items/1"),
        ("PUT", "/actors/1"),
        ("POST", "/reports"),
        ("POST", "/changes:confirm"),
        ("POST", "/items:batch"),
        ("POST", "/actors:batch"),
        ("POST", "/views:batch"),
        ("POST", "/shares:batch"),
        ("POST", "/placements:batch"),
        ("GET", "/changes"),
        ("GET", "/items/1"),
    ]
)
KINDS = st.sampled_from(
    [
        "application/json",
        "application/x-ndjson",
        "multipart/form-data; boundary=x",
        "multipart/form-data; boundary=",
        "text/html",
        "",
        "application/json; charset=x",
    ]
)
TEXT = st.text(max_size=12) | st.sampled_from(
    [
        "\x00",
        "\ud800",
        "https://plaza.example/%00",
        POSTED_AT,
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+14:00",
        "post",
        "other",
        "https://[",
        "https://plaza.example/p/1",
        "http://\u2100/x",
        "EUR",
        "1",
    ]
)
NAMES = st.sampled_from(
    [
        "id",
        "kind",
        "posted_at",
        "actor",
        "conversation",
        "parent",
        "repost_of",
        "url",
        "text",
        "language",
        "deleted_at",
        "media",
        "screen_name",
        "age_years",
        "created_at",
        "targets",
        "category",
        "words",
        "reporter",
        "claims",
        "police_number",
        "contact",
        "item",
        "views_total",
        "counted_at",
        "shown_at",
        "earned_micros",
        "currency",
        "shared_at",
        "confirmed",
        "description",
        "profile_url",
        "wants_codename",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6)
    ),
    max_leaves=12,
)
ALMOST = st.fixed_dictionaries(
    {},
    optional={
        "id": TEXT,
        "item": TEXT,
        "kind": st.just("post"),
        "posted_at": st.just(POSTED_AT),
        "counted_at": TEXT,
        "shared_at": TEXT,
        "shown_at": TEXT,
        "url": TEXT,
        "category": st.just("child_other"),
        "words": TEXT,
        "contact": TEXT,
        "language": TEXT,
        "actor": TEXT,
        "reporter": TEXT,
        "parent": TEXT,
        "targets": st.lists(
            st.dictionaries(
                st.sampled_from(["item", "url", "actor", "conversation"]), TEXT
            ),
            max_size=3,
        ),
        "views_total": st.integers(),
        "earned_micros": st.integers(),
        "currency": TEXT,
        "age_years": st.integers(),
        "screen_name": TEXT,
        "text": TEXT,
        "police_number": TEXT,
        "deleted_at": TEXT,
        "repost_of": TEXT,
    },
)
FORM = b'--x\r\nContent-Disposition: form-data; name="item"\r\n\r\n'
BODIES = (
    st.binary(max_size=200)
    | st.binary(max_size=60).map(lambda part: FORM + part + b"\r\n--x--\r\n")
    | (VALUES | ALMOST).map(lambda value: json.dumps(value).encode())
    | ALMOST.map(
        lambda value: json.dumps(value, ensure_ascii=False).encode(errors="replace")
    )
    | ALMOST.map(lambda value: FORM + json.dumps(value).encode() + b"\r\n--x--\r\n")
)


@settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(address=ADDRESSES, kind=KINDS, body=BODIES, tail=st.text(max_size=5))
def test_no_garbage_is_ever_a_fault_or_a_page(
    api: Api, address: tuple[str, str], kind: str, body: bytes, tail: str
) -> None:
    method, path = address
    answer = api.call(method, path, body, kind)
    assert answer.status_code < 500, body_of(answer)
    assert answer.headers["Content-Type"] in (
        "application/json",
        "application/json; charset=utf-8",
        PROBLEM,
        "application/x-ndjson",
    )
    for line in body_of(answer).splitlines():
        said = json.loads(line)
        if isinstance(said, dict) and isinstance(said.get("status"), int):
            assert said["status"] < 500, said
