"""Batches: a line is a transaction and an answer of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import OperationalError

from holdfast.items import operations as items
from holdfast.items.models import (
    Actor,
    Item,
    Placement,
    RateBucket,
    RememberedAnswer,
    Share,
    ViewCount,
)
from holdfast.web.api import limits, ndjson
from tests.stages.api.calls import POSTED_AT, Api, body_of, json_of, lines_of
from tests.world import World

pytestmark = pytest.mark.django_db

AT = "2026-11-22T08:00:00+01:00"


def post(name: str, **said: Any) -> dict[str, Any]:
    return {"id": name, "kind": "post", "posted_at": POSTED_AT, **said}


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


def test_a_bad_line_spoils_no_other(api: Api) -> None:
    said = lines_of(
        api.batch(
            "/items:batch",
            post("1"),
            b"{not json",
            b"[]",
            b"",
            {"id": "2", "kind": "opera", "posted_at": POSTED_AT},
            post("3", repost_of="nothing"),
            b"\xff\xfe",
            post("4", repost_of="1"),
            post("1", text="again"),
        )
    )
    assert [(each["id"], each["status"]) for each in said] == [
        ("1", 201), (None, 400), (None, 400), ("2", 422), ("3", 404), (None, 400),
        ("4", 201), ("1", 200),
    ]  # fmt: skip
    assert said[0]["state"]["state"] == "visible"
    assert said[3]["problem"]["errors"][0]["pointer"] == "#/kind"
    assert set(Item.objects.values_list("external_id", flat=True)) == {"1", "4"}


def test_every_kind_of_batch(api: Api) -> None:
    def statuses(path: str, *lines: Any) -> list[int]:
        return [each["status"] for each in lines_of(api.batch(path, *lines))]

    assert statuses("/actors:batch", {"id": "ada"}, {"id": "bob"}) == [201, 201]
    assert statuses("/items:batch", post("1", actor="ada")) == [201]
    share = {"id": "s", "item": "1", "actor": "bob", "shared_at": AT}
    views = {"item": "1", "views_total": 7, "counted_at": AT}
    advert = {
        "id": "p",
        "item": "1",
        "shown_at": AT,
        "earned_micros": 5,
        "currency": "eur",
    }
    for _ in range(2):
        assert statuses("/shares:batch", share, {**share, "item": "0"}) == [200, 404]
        assert statuses("/views:batch", views) == [200]
        assert statuses("/placements:batch", advert) == [200]
    assert Actor.objects.count() == 2
    assert Share.objects.get().actor == Actor.objects.get(external_id="bob")
    assert ViewCount.objects.get().views_total == 7
    assert Placement.objects.get().currency == "EUR"
    answer = lines_of(api.batch("/views:batch", views))
    assert answer == [{"id": "1", "status": 200}]


def test_the_answer_is_repeated_and_the_work_is_not(api: Api) -> None:
    first = api.batch("/items:batch", post("1", text="first"), key="k")
    told = body_of(first)
    api.put("/items/1", {"kind": "post", "posted_at": POSTED_AT, "text": "second"})
    again = api.batch("/items:batch", post("1", text="first"), key="k")
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.headers["Content-Type"] == "application/x-ndjson"
    assert body_of(again) == told
    assert Item.objects.get().text == "second"
    other = api.batch("/items:batch", post("2"), key="k")
    assert other.status_code == 422


@pytest.mark.django_db(transaction=True)
def test_lines_are_answered_one_by_one_and_a_broken_line_frees_the_key(
    api: Api,
) -> None:
    answer: Any = api.batch("/items:batch", *(post(str(n)) for n in range(5)), key="k")
    stream = iter(answer.streaming_content)
    while not (line := next(stream)):
        pass
    assert json.loads(line)["id"] == "0"
    assert set(Item.objects.values_list("external_id", flat=True)) == {"0"}
    answer.close()  # The caller hangs up.
    assert not RememberedAnswer.objects.exists()
    again = api.batch("/items:batch", *(post(str(n)) for n in range(5)), key="k")
    assert [each["status"] for each in lines_of(again)] == [200, 201, 201, 201, 201]


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_is_never_read_frees_the_key(api: Api) -> None:
    answer: Any = api.batch("/items:batch", post("1"), key="k")
    answer.close()
    assert lines_of(api.batch("/items:batch", post("1"), key="k"))[0]["status"] == 201


def test_a_line_that_met_a_passing_error_is_not_kept(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("the server went away")

    with monkeypatch.context() as broken:
        broken.setattr(items, "put_item", away)
        said = lines_of(api.batch("/items:batch", post("1"), key="k"))
    assert said[0]["status"] == 503
    assert "went away" not in str(said)
    assert lines_of(api.batch("/items:batch", post("1"), key="k"))[0]["status"] == 201


def test_limits_of_lines_and_bytes(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    long = json.dumps(post("1", text="x" * limits.MAX_LINE_BYTES)).encode()
    said = lines_of(api.batch("/items:batch", long, post("2")))
    assert [each["status"] for each in said] == [413, 201]
    monkeypatch.setattr(ndjson, "MAX_LINES", 3)
    refused = api.batch("/items:batch", *(post(str(n)) for n in range(4)))
    assert refused.status_code == 413
    assert json_of(refused)["type"] == "urn:holdfast:problem:too-large"


def test_a_batch_counts_by_its_lines(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BURST", 10.0)
    monkeypatch.setattr(limits, "PER_S", 1e-6)
    views = [{"item": "none", "views_total": 1, "counted_at": AT}] * 500
    body_of(api.batch("/views:batch", *views))
    left = RateBucket.objects.get(name__startswith="requests:").tokens
    assert left == pytest.approx(10 - 1 - 5, abs=0.01)
    assert api.batch("/views:batch", *views).status_code == 429


def test_a_batch_is_lines(api: Api) -> None:
    answer = api.post("/items:batch", [post("1")])
    assert answer.status_code == 415
    assert "x-ndjson" in json_of(answer)["detail"]
