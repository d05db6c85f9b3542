"""An address freezes by whatever door it comes, and whatever stands around it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from holdfast.intake.models import Report
from holdfast.items.models import Item, ItemState
from tests.stages.console.desk import colleague, words_of
from tests.stages.console.test_entering import call
from tests.stages.flaggers.analysts import analyst
from tests.stages.flaggers.test_page import given as flag
from tests.stages.portal import walk
from tests.stages.portal.test_police import filled
from tests.world import World

pytestmark = pytest.mark.django_db

AROUND = [
    "Look at this https://plaza.example/p/1!",
    "«https://plaza.example/p/2»",
    "[https://plaza.example/p/3]",
    "https://plaza.example/p/4: help",
    "https://plaza.example/p/5…",
    "https://plaza.example/p/6😭",
    "https://plaza.example/p/7\u200b",
    "plaza.example/p/8!",
    "see plaza.example/p/9 please",
    "https://eu.safelinks.example/?url=https%3A%2F%2Fplaza.example%2Fp%2F10&data=05",
    "<https://plaza.example/\np/11>",
]
"""One post in each."""


def by_portal(world: World, said: str) -> None:
    walk.report(Client(), address=said)


def by_account_box(world: World, said: str) -> None:
    walk.report(Client(), "sextortion", account=said)


def by_other_places(world: World, said: str) -> None:
    client = Client()
    walk.report(client, words="Somebody frightens me.")
    assert client.post("/follow/add/link", {"answer": said}).status_code == 302


def by_police(world: World, said: str) -> None:
    answer = Client().post("/police", filled(category=walk.CHILD, address=said))
    assert answer.status_code == 302, walk.errors(answer)


def by_staff(world: World, said: str) -> None:
    ada = colleague("Ada", "reviewer")
    answer = ada.post("/console/enter", **call(world, addresses=said))
    assert answer.status_code == 200, words_of(answer)


def by_flagger(world: World, said: str) -> None:
    page = analyst(world)
    answer = page.post("report", **flag(addresses=said))
    assert answer.status_code in (200, 302), words_of(answer)


@pytest.mark.parametrize(
    "door",
    [by_portal, by_account_box, by_other_places, by_police, by_staff, by_flagger],
)
def test_what_stands_around_an_address_keeps_it_from_nothing(
    world: World, door: Callable[[World, str], None]
) -> None:
    posts = [world.post(str(n + 1), text="x") for n in range(len(AROUND))]
    door(world, "\n".join(AROUND))
    located = Report.objects.get().targets.exclude(item=None).order_by("position")
    assert [each.item_id for each in located] == [each.id for each in posts]
    assert set(Item.objects.values_list("state", flat=True)) == {ItemState.FROZEN}
