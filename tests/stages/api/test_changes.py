"""The change feed, for a platform that polls."""

from __future__ import annotations

import pytest
from django.db import transaction

from holdfast.base.by import SYSTEM, Permission
from holdfast.enforcement.models import Verb
from holdfast.enforcement.orders import order
from tests.stages.api.calls import Api, json_of
from tests.world import World, encoded, photograph


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


@pytest.mark.django_db(transaction=True)
def test_a_freeze_is_read_and_confirmed(api: Api) -> None:
    item = api.world.post("1", encoded(photograph()))
    with transaction.atomic():
        order(item, Verb.FREEZE, by=SYSTEM)
    page = json_of(api.get("/changes"))
    change = page["data"][0]
    assert (change["item"], change["verb"], change["number"]) == ("1", "freeze", 1)
    assert change["body"] == {"advertising_hold": True, "forbid_delete": True}
    assert "actor" not in change
    assert json_of(api.get(f"/changes?cursor={page['next_cursor']}"))["data"] == []
    said = json_of(api.post("/changes:confirm", {"confirmed": [change["id"], "x"]}))
    assert said == {"confirmed": [change["id"]], "unknown": ["x"]}
    assert json_of(api.get("/items/1"))["confirmed_state"] == "frozen"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query", ["cursor=nonsense", "limit=0", "limit=1001", "limit=x", "cursor=%00"]
)
def test_a_cursor_or_limit_that_is_none(api: Api, query: str) -> None:
    assert api.get(f"/changes?{query}").status_code == 422


@pytest.mark.django_db
def test_the_feed_needs_its_scope(world: World) -> None:
    assert Api(world, [Permission.ITEMS_WRITE]).get("/changes").status_code == 403
