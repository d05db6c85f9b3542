"""The same request twice is one piece of work and one answer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections

from holdfast.base import clock
from holdfast.intake import operations as intake
from holdfast.intake.models import Report
from holdfast.items import answers
from holdfast.items.models import ItemVersion, Media, RateBucket, RememberedAnswer
from tests.stages.api.calls import POSTED_AT, Api, body_of, form, json_of
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db

SAID = {"category": "child_sexual_abuse_material", "words": "x"}


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


def test_the_same_request_gets_the_same_answer(api: Api) -> None:
    first = api.post("/reports", SAID, key="k")
    again = api.post("/reports", SAID, key="k")
    assert "Idempotent-Replay" not in first.headers
    assert again.headers["Idempotent-Replay"] == "true"
    assert (again.status_code, body_of(again)) == (201, body_of(first))
    assert Report.objects.count() == 1


def test_another_request_with_the_key_is_refused(api: Api) -> None:
    api.post("/reports", SAID, key="k")
    other = api.post("/reports", {**SAID, "words": "y"}, key="k")
    assert other.status_code == 422
    assert json_of(other)["type"] == "urn:holdfast:problem:key-used-otherwise"
    elsewhere = api.post("/changes:confirm", {"confirmed": []}, key="k")
    assert elsewhere.status_code == 422
    assert Report.objects.count() == 1


def test_the_key_of_another_caller_is_another_key(api: Api, world: World) -> None:
    api.post("/reports", SAID, key="k")
    assert (
        Api(world).post("/reports", {**SAID, "words": "y"}, key="k").status_code == 201
    )


@pytest.mark.parametrize("key", ["", "x" * 201, "schlüssel"])
def test_a_post_needs_a_key_that_can_be_used(api: Api, key: str) -> None:
    answer = api.post("/reports", SAID, key=key)
    assert answer.status_code == 400
    assert "Idempotency-Key" in json_of(answer)["detail"]


def test_a_refusal_is_not_kept(api: Api) -> None:
    assert api.post("/reports", {"category": "none"}, key="k").status_code == 422
    assert api.post("/reports", SAID, key="k").status_code == 201


def test_a_put_may_go_without(api: Api) -> None:
    said = {"kind": "post", "posted_at": POSTED_AT}
    assert api.put("/items/1", said).status_code == 201
    assert not RememberedAnswer.objects.exists()
    assert api.put("/items/1", said, key="k").status_code == 200
    assert RememberedAnswer.objects.count() == 1


def test_a_late_repeat_does_not_undo_what_came_after(api: Api) -> None:
    def text(words: str) -> dict[str, str]:
        return {"kind": "post", "posted_at": POSTED_AT, "text": words}

    api.put("/items/1", text("first"), key="one")
    api.put("/items/1", text("second"), key="two")
    api.put("/items/1", text("first"), key="one")
    assert ItemVersion.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_form_is_the_same_whatever_its_boundary(api: Api) -> None:
    said = {"kind": "image", "posted_at": POSTED_AT}
    picture = encoded(photograph())
    for boundary, replay in (("one", None), ("two", "true")):
        body, media_type = form(said, picture, boundary=boundary)
        answer = api.call("PUT", "/items/1", body, media_type, key="k")
        assert answer.headers.get("Idempotent-Replay") == replay
    assert Media.objects.count() == 1
    other, media_type = form(said, picture + b"x")
    assert api.call("PUT", "/items/1", other, media_type, key="k").status_code == 422


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_instant_are_one(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, go_on = threading.Event(), threading.Event()
    receive = intake.receive_report

    def slow(*args: Any, **how: Any) -> Any:
        started.set()
        assert go_on.wait(20)
        return receive(*args, **how)

    monkeypatch.setattr(intake, "receive_report", slow)

    def send() -> Any:
        try:
            return api.post("/reports", SAID, key="k")
        finally:
            connections.close_all()

    with ThreadPoolExecutor() as pool:
        first = pool.submit(send)
        assert started.wait(20)
        second = pool.submit(send).result()
        go_on.set()
        assert first.result().status_code == 201
    assert second.status_code == 409
    assert second.headers["Retry-After"] == "1"
    assert json_of(second)["type"] == "urn:holdfast:problem:still-running"
    third = api.post("/reports", SAID, key="k")
    assert third.headers["Idempotent-Replay"] == "true"
    assert Report.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_killed_session_gives_its_key_back(api: Api) -> None:
    caller_key = RememberedAnswer._meta.pk.get_default()
    held, die = threading.Event(), threading.Event()
    pids: list[int] = []

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pids.append(cursor.fetchone()[0])
        try:
            with answers.one_at_a_time(caller_key, "k"):
                held.set()
                assert die.wait(20)
        finally:
            connections.close_all()

    with ThreadPoolExecutor() as pool:
        holder = pool.submit(hold)
        assert held.wait(20)
        with (
            pytest.raises(answers.StillRunning),
            answers.one_at_a_time(caller_key, "k"),
        ):
            pass
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", pids)
        with answers.one_at_a_time(caller_key, "k"):
            pass
        die.set()
        holder.result()


def test_answers_and_idle_buckets_are_forgotten_in_time(api: Api) -> None:
    api.post("/reports", SAID, key="k")
    answers.forget_old()
    assert RememberedAnswer.objects.count() == 1
    with clock.shifted(timedelta(days=answers.KEEP_DAYS, seconds=1)):
        assert api.post("/reports", {**SAID, "words": "y"}, key="k").status_code == 201
        RateBucket.objects.update(updated_at=clock.now() - timedelta(days=8))
        answers.forget_old()
        assert RememberedAnswer.objects.count() == 1
    assert not RateBucket.objects.exists()


def test_a_bucket_empties_fills_and_never_overflows(db: None) -> None:
    def take(cost: float = 1.0) -> float:
        return answers.take("b", cost, per_s=1.0, burst=3.0)

    assert [take() for _ in range(3)] == [0.0, 0.0, 0.0]
    assert 0.5 < take() <= 1.0
    with clock.shifted(timedelta(seconds=2)):
        assert [take(), take()] == [0.0, 0.0]
        assert take() > 0
    with clock.shifted(timedelta(hours=1)):
        assert take(100.0) == 0.0
        assert take() > 0
