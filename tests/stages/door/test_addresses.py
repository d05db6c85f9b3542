"""An address freezes by whatever door it comes, and whatever stands around it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection

from holdfast.intake.models import Report
from holdfast.intake.operations import MAX_TARGETS, locate_late
from holdfast.items import naming
from holdfast.items.models import Item, ItemState
from tests.stages.api.calls import Api
from tests.stages.console.desk import colleague, words_of
from tests.stages.console.test_entering import call
from tests.stages.flaggers.analysts import analyst, report_of
from tests.stages.flaggers.test_page import given as flag
from tests.stages.portal import walk
from tests.stages.portal.test_police import filled
from tests.world import World, _platform

pytestmark = pytest.mark.django_db

BARE = "plaza.example/p/1"
URL = f"https://{BARE}"
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
    walk.report(walk.Browser(), address=said)


def by_account_box(world: World, said: str) -> None:
    walk.report(walk.Browser(), "sextortion", account=said)


def by_other_places(world: World, said: str) -> None:
    client = walk.Browser()
    walk.report(client, words="Somebody frightens me.")
    assert client.post("/follow/add/link", {"answer": said}).status_code == 302


def by_police(world: World, said: str) -> None:
    answer = walk.Browser().post("/police", filled(category=walk.CHILD, address=said))
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


def words_by_portal(world: World, said: str) -> None:
    walk.report(walk.Browser(), words=said)


def words_after_no_address(world: World, said: str) -> None:
    walk.report(walk.Browser(), unknown="on", words=said)


def words_later(world: World, said: str) -> None:
    client = walk.Browser()
    walk.report(client, words="Somebody frightens me.")
    assert client.post("/follow/add/words", {"answer": said}).status_code == 302


def words_in_a_row(world: World, said: str) -> None:
    client = walk.Browser()
    walk.report(client, words="Somebody frightens me.")
    assert client.post("/report/more/words", {"answer": said}).status_code == 302


def words_by_police(world: World, said: str) -> None:
    form = filled(category=walk.CHILD, address="", words=said)
    assert walk.Browser().post("/police", form).status_code == 302


def words_by_staff(world: World, said: str) -> None:
    ada = colleague("Ada", "reviewer")
    answer = ada.post("/console/enter", **call(world, addresses="", words=said))
    assert answer.status_code == 200, words_of(answer)


def words_by_flagger(world: World, said: str) -> None:
    answer = analyst(world).post("report", **flag(addresses="", words=said))
    assert answer.status_code in (200, 302), words_of(answer)


def words_later_by_flagger(world: World, said: str) -> None:
    kari = analyst(world)
    number = report_of(kari.post("report", **flag(addresses="", words="A word.")))
    more = kari.post(f"reports/{number}/add", kind="words", words=said)
    assert more.status_code in (200, 302), words_of(more)


def words_by_api(world: World, said: str) -> None:
    answer = Api(world).post("/reports", {"category": walk.CHILD, "words": said})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "door",
    [
        words_by_portal,
        words_after_no_address,
        words_later,
        words_in_a_row,
        words_by_police,
        words_by_staff,
        words_by_flagger,
        words_later_by_flagger,
        words_by_api,
    ],
)
def test_an_address_in_somebodys_words_freezes_as_one_in_the_box_does(
    world: World, door: Callable[[World, str], None]
) -> None:
    posts = [world.post(str(n + 1), text="x") for n in range(len(AROUND))]
    door(world, f"It is here {' and '.join(AROUND)} please help me")
    located = Report.objects.get().targets.exclude(item=None).order_by("position")
    assert [each.item_id for each in located] == [each.id for each in posts]
    assert set(Item.objects.values_list("state", flat=True)) == {ItemState.FROZEN}


def test_what_is_named_twice_is_reported_once(world: World) -> None:
    world.post("1", text="x")
    client = walk.Browser()
    same = f"http://www.{BARE}/?utm_source=a and https://plaza.example/s/1"
    report = walk.report(client, address=URL, words=f"I mean {URL} or {same}")
    client.post("/follow/add/words", {"answer": f"As I said: {same}!"})
    assert report.targets.get().named_as == URL
    client.post("/follow/add/words", {"answer": f"And {URL}2"})
    assert [each.named_as for each in report.targets.order_by("position")] == [
        URL,
        f"{URL}2",
    ]


def test_words_that_name_no_place_here_are_kept_as_words(world: World) -> None:
    said = "On https://plaza.example/ and plaza.example, or https://else.example/p/1"
    assert walk.report(walk.Browser(), words=said).targets.get().named_as == said


def test_words_add_no_more_than_a_report_holds(world: World) -> None:
    many = " ".join(f"{URL}{n}" for n in range(MAX_TARGETS + 5))
    client = walk.Browser()
    report = walk.report(client, address=f"{URL}x\n{URL}y", words=many)
    assert report.targets.count() == MAX_TARGETS
    assert client.post("/follow/add/words", {"answer": many}).status_code == 302
    assert report.targets.count() == MAX_TARGETS


def test_the_site_is_taken_from_the_words_where_they_name_one(world: World) -> None:
    other = _platform("other")
    report = walk.report(walk.Browser(), words="See https://other.example/p/1, please")
    assert report.platform_id == other
    # What stands elsewhere is nothing of this platform's.
    mixed = "See https://other.example/p/2 and https://plaza.example/p/1"
    here = walk.report(walk.Browser(), address=URL, words=mixed)
    assert here.platform_id == world.platform_id
    assert here.targets.get().named_as == URL
    client = walk.Browser()
    client.post("/", {"category": walk.CHILD})
    asked = client.post("/report/where", {"category": walk.CHILD, "words": mixed})
    assert "platform" in walk.errors(asked)
    form = filled(address="", words="It is on https://other.example/p/1.")
    assert walk.Browser().post("/police", form).status_code == 302
    assert Report.objects.get(channel="police").platform_id == other


def test_what_is_registered_after_the_words_is_found_then(world: World) -> None:
    report = walk.report(walk.Browser(), words=f"He put it on {BARE}!")
    assert not report.targets.get().located
    item = world.post("1", text="x")
    locate_late()
    assert report.targets.get().item_id == item.id
    item.refresh_from_db()
    assert item.state == ItemState.FROZEN


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "door", [words_by_portal, words_later, words_by_flagger, words_by_api]
)
def test_no_lock_is_held_while_a_platform_is_asked(
    world: World,
    door: Callable[[World, str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, bool]] = []

    def watched(_platform_id: object, named: str) -> naming.Found:
        asked.append((named, connection.in_atomic_block))
        return naming.Found()

    monkeypatch.setattr("holdfast.intake.targets.find_named", watched)
    door(world, f"It is {URL}.")
    assert asked == [(URL, False)]
