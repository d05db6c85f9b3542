"""Actors and items: registered, asked, and settled before the answer."""

from __future__ import annotations

import pytest

from holdfast import flow
from holdfast.base.by import SYSTEM, Permission
from holdfast.base.jobs import drain
from holdfast.items.keys import PlatformGiven, put_platform
from holdfast.items.models import Actor, Item, ItemKind, Media
from holdfast.web.api import field_types
from tests.stages.api.calls import POSTED_AT, Api, json_of
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


def test_the_kinds_of_the_document_are_those_of_the_table() -> None:
    assert list(field_types.ItemKind.__args__) == ItemKind.values  # type: ignore[attr-defined]  # A Literal's arguments.


def test_an_actor_is_registered_then_changed(api: Api) -> None:
    first = api.put("/actors/ada", {"screen_name": "ada", "age_years": 30})
    assert first.status_code == 201
    assert json_of(first) == {"id": "ada", "state": "active"}
    second = api.put("/actors/ada", {"display_name": "Ada"})
    assert second.status_code == 200
    actor = Actor.objects.get(external_id="ada")
    assert (actor.screen_name, actor.display_name) == ("ada", "Ada")
    assert json_of(api.get("/actors/ada")) == json_of(second)


@pytest.mark.parametrize(
    ("encoded_id", "id_"),
    [
        ("a%2Fb", "a/b"),
        ("a%20b%3F", "a b?"),
        ("%C3%A9", "é"),
        ("items%3Abatch", "items:batch"),
    ],
)
def test_any_id_that_fits_is_an_id(api: Api, encoded_id: str, id_: str) -> None:
    said = api.put(f"/items/{encoded_id}", {"kind": "post", "posted_at": POSTED_AT})
    assert said.status_code == 201, said
    assert json_of(said)["id"] == id_
    assert json_of(api.get(f"/items/{encoded_id}"))["id"] == id_


def test_an_item_of_words_is_visible_at_once(api: Api) -> None:
    answer = api.put(
        "/items/1", {"kind": "comment", "posted_at": POSTED_AT, "text": "Hello"}
    )
    assert json_of(answer) == {
        "id": "1",
        "state": "visible",
        "confirmed_state": "visible",
        "advertising_hold": False,
        "may_delete": True,
        "pending": False,
        "case_open": False,
    }


def test_faults_are_named_by_pointer_and_nothing_is_echoed(api: Api) -> None:
    answer = api.put(
        "/items/1",
        {
            "kind": "secret-word",
            "posted_at": "2026-11-22T07:12:00",
            "media": [{"url": 3}],
        },
    )
    assert answer.status_code == 422
    pointers = {each["pointer"] for each in json_of(answer)["errors"]}
    assert pointers == {"#/kind", "#/posted_at", "#/media/0/url"}
    assert "secret-word" not in str(json_of(answer))


@pytest.mark.parametrize(
    "wrong",
    [{"text": "a\x00b"}, {"text": "\ud800"}, {"url": "https://plaza.example/%00"}],
)
def test_text_that_cannot_be_stored_is_refused(api: Api, wrong: dict[str, str]) -> None:
    answer = api.put("/items/1", {"kind": "post", "posted_at": POSTED_AT, **wrong})
    assert answer.status_code == 422


def test_a_host_that_is_not_allowed_is_refused(api: Api) -> None:
    answer = api.put(
        "/items/1",
        {
            "kind": "image",
            "posted_at": POSTED_AT,
            "media": [{"url": "https://elsewhere.example/1.jpg"}],
        },
    )
    assert answer.status_code == 422
    assert "hosts that the platform's settings name" in json_of(answer)["detail"]


def test_a_key_that_may_only_write_is_told_the_state(world: World) -> None:
    writer = Api(world, [Permission.ITEMS_WRITE])
    said = writer.put("/items/1", {"kind": "post", "posted_at": POSTED_AT})
    assert json_of(said)["state"] == "visible"
    assert writer.get("/items/1").status_code == 403


def test_the_items_of_another_platform_are_not_there(api: Api, world: World) -> None:
    there = PlatformGiven(slug="agora", name="Agora", url="https://agora.example")
    other = Api(World(put_platform(there, by=SYSTEM)))
    world.post("mine")
    assert api.get("/items/mine").status_code == 200
    assert other.get("/items/mine").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_copy_of_a_frozen_picture_is_born_frozen(api: Api) -> None:
    picture = photograph()
    first = api.upload("1", encoded(picture))
    assert first.status_code == 201
    assert json_of(first)["pending"] is False
    api.world.report("https://plaza.example/p/none", items=("1",))
    late = json_of(api.upload("2", encoded(picture, quality=40)))
    assert late["state"] == "frozen"
    assert (late["advertising_hold"], late["may_delete"]) == (True, False)
    assert (late["pending"], late["case_open"]) == (False, True)
    other = json_of(api.upload("3", encoded(photograph("coffee"))))
    assert (other["state"], other["case_open"]) == ("visible", False)
    # The safety net finds the work done and changes nothing.
    before = list(Item.objects.order_by("id").values_list("id", "state"))
    drain()
    assert list(Item.objects.order_by("id").values_list("id", "state")) == before


@pytest.mark.django_db(transaction=True)
def test_when_settling_fails_the_job_does_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = photograph()
    api.upload("1", encoded(picture))
    api.world.report(items=("1",))

    def break_down(event: object) -> None:
        raise RuntimeError("the kernel broke down")

    monkeypatch.setattr(flow, "settle_arrival", break_down)
    monkeypatch.setattr("holdfast.web.api.items.SAFETY_NET_S", 0)
    answer = api.upload("2", encoded(picture, quality=40))
    assert answer.status_code == 201
    assert json_of(answer)["pending"] is True
    assert json_of(answer)["state"] == "visible"
    drain()
    assert json_of(api.get("/items/2"))["state"] == "frozen"


@pytest.mark.django_db(transaction=True)
def test_a_broken_picture_is_no_reason_to_refuse_the_item(api: Api) -> None:
    answer = api.upload("1", b"not a picture at all")
    assert answer.status_code == 201
    assert json_of(answer)["pending"] is False
    assert Media.objects.get().state == "refused"


def test_files_and_addresses_together_are_refused(api: Api) -> None:
    answer = api.upload("1", b"x", media=[{"url": "https://plaza.example/1.jpg"}])
    assert answer.status_code == 422
