"""The front door under abuse: marked and slowed, never refused, and no address kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from holdfast.base import clock
from holdfast.base.proxies import Proxies
from holdfast.intake.models import Arrival, Report
from holdfast.intake.once import TOLD_AGAIN_FOR
from holdfast.items.answers import take_a_turn
from holdfast.items.models import ItemState
from holdfast.web.portal import door
from tests.stages.portal import walk
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db
WHERE = "/report/where"
GIVEN = {"category": "hate", "address": "https://plaza.example/p/1"}
OFFICER = {"agency": "Police district of the North", "email": "berg@police.example"}


@pytest.fixture
def client(world: World) -> Client:
    world.post("1", text="words", actor="harmless")
    return Client(REMOTE_ADDR="81.2.69.160")


def opened(client: Client) -> Client:
    client.post("/", {"category": "hate"})
    client.get(WHERE)
    return client


def test_a_person_is_not_marked(client: Client) -> None:
    opened(client)
    with clock.shifted(timedelta(seconds=30)):
        client.post(WHERE, {**GIVEN, door.HONEYPOT: ""})
    assert Arrival.objects.get().marks == []
    assert Arrival.objects.get().address_token
    assert "81.2.69" not in str([*Arrival.objects.values(), *Report.objects.values()])


def test_behind_a_proxy_that_is_named_people_are_told_apart(
    client: Client, settings: Any
) -> None:
    """Of what the proxy says a token is kept, and of what people say nothing."""

    def token_of(*forwarded: str) -> str:
        before = set(Arrival.objects.values_list("id", flat=True))
        asked = Client(
            REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=", ".join(forwarded)
        )
        asked.post(WHERE, GIVEN)
        return Arrival.objects.exclude(id__in=before).get().address_token

    assert token_of("81.2.69.160") == ""
    settings.HOLDFAST_TRUSTED_PROXIES = Proxies.of(["10.0.0.0/8"])
    client.post(WHERE, GIVEN)
    here = Arrival.objects.order_by("arrived_at").last()
    assert here
    assert here.address_token == token_of("81.2.69.160") != ""
    assert token_of("198.51.100.4", "81.2.69.160") == here.address_token
    assert token_of("81.2.69.161") not in ("", here.address_token)
    assert token_of("81.2.69.160", "unknown") == ""
    assert "81.2.69" not in str([*Arrival.objects.values(), *Report.objects.values()])


def test_a_program_is_marked_and_heard_all_the_same(client: Client) -> None:
    opened(client).post(WHERE, {**GIVEN, door.HONEYPOT: "https://spam.example"})
    assert Arrival.objects.get().marks == ["honeypot", "too_fast"]
    assert Report.objects.count() == 1


@pytest.mark.parametrize("path", [WHERE, "/police"])
def test_who_was_never_shown_the_page_has_made_no_effort(
    client: Client, path: str
) -> None:
    assert client.post(path, {**GIVEN, **OFFICER}).status_code == 302
    assert Arrival.objects.get().marks == ["too_fast"]


def test_what_the_page_before_was_shown_is_no_effort_for_the_next_report(
    client: Client,
) -> None:
    opened(client)
    with clock.shifted(timedelta(seconds=30)):
        client.post(WHERE, GIVEN)
        client.post(WHERE, {**GIVEN, "words": "Another."})
    newest = Arrival.objects.order_by("-arrived_at").first()
    assert newest
    assert newest.marks == ["too_fast"]


def test_who_wrote_for_longer_than_a_visit_lives_is_not_marked(client: Client) -> None:
    opened(client)
    with clock.shifted(timedelta(hours=3)):
        client.post(WHERE, GIVEN)
    assert Arrival.objects.get().marks == []


def test_a_form_that_came_back_with_what_is_wrong_was_shown(client: Client) -> None:
    client.post(WHERE, {"category": "hate"})
    with clock.shifted(timedelta(seconds=5)):
        client.post(WHERE, GIVEN)
    assert Arrival.objects.get().marks == []


def test_the_police_have_the_same_door(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[tuple[float, int]] = []
    monkeypatch.setattr(
        "holdfast.web.waiting.time.sleep",
        lambda wait_s: waits.append((wait_s, Report.objects.count())),
    )
    monkeypatch.setattr(door, "BURST", 1.0)
    monkeypatch.setattr(door, "PER_S", 0.01)
    page = client.get("/police").content.decode()
    assert f'name="{door.HONEYPOT}" tabindex="-1"' in page
    with clock.shifted(timedelta(seconds=30)):
        client.post("/police", {**GIVEN, **OFFICER, door.HONEYPOT: "x"})
        client.get("/police")
    assert Arrival.objects.get().marks == ["honeypot"]
    assert Arrival.objects.get().address_token
    with clock.shifted(timedelta(seconds=60)):
        client.post("/police", {**GIVEN, **OFFICER, "number": "4711/26"})
    assert Report.objects.filter(channel="police", arrival__marks=[]).count() == 1
    assert waits == [(door.LONGEST_WAIT_S, 2)]


def test_a_flood_is_slowed_and_nobody_is_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("holdfast.web.waiting.time.sleep", slept.append)
    monkeypatch.setattr(door, "BURST", 2.0)
    monkeypatch.setattr(door, "PER_S", 0.01)
    for _ in range(4):
        assert opened(client).post(WHERE, GIVEN).status_code == 302
    child = {**GIVEN, "category": "child_sexual_abuse_material"}
    assert opened(client).post(WHERE, child).status_code == 302
    assert Report.objects.count() == 5
    assert slept == [door.LONGEST_WAIT_S] * 2 + [door.LONGEST_WAIT_CHILD_S]


def test_whoever_waits_has_reported_and_frozen_already(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = world.post("2", encoded(photograph()))
    told: list[tuple[int, str]] = []

    def sleep(_time: float) -> None:
        item.refresh_from_db()
        told.append((Report.objects.count(), item.state))

    monkeypatch.setattr("holdfast.web.waiting.time.sleep", sleep)
    monkeypatch.setattr(door, "BURST", 1.0)
    monkeypatch.setattr(door, "PER_S", 0.01)
    opened(client).post(WHERE, GIVEN)
    child = {
        "category": "child_sexual_abuse_material",
        "address": "https://plaza.example/p/2",
        "once": "a-token",
    }
    first = opened(client).post(WHERE, child)
    assert told == [(2, ItemState.FROZEN)]
    words = walk.codename(client)
    # Who presses again while they wait is held up no more, and gets the same receipt.
    again = client.post(WHERE, child)
    assert first["Location"] == again["Location"] == "/report/received"
    assert len(told) == 1
    assert Report.objects.count() == 2
    assert words
    assert walk.codename(client) == words


def test_an_old_page_opens_no_report(client: Client) -> None:
    given = {**GIVEN, "once": "a-token"}
    opened(client).post(WHERE, given)
    with clock.shifted(TOLD_AGAIN_FOR + timedelta(minutes=1)):
        other = Client()
        assert other.post(WHERE, given)["Location"] == "/follow"
        assert other.get("/report/received")["Location"] == "/follow"
    assert Report.objects.count() == 1


def test_each_waits_behind_those_before_and_nobody_longer_than_the_longest() -> None:
    def turn() -> float:
        return take_a_turn("t", per_s=2.0, burst=2.0, longest_s=1.5)

    with clock.shifted(timedelta()):
        waits = [turn() for _ in range(7)]
    assert waits[:2] == [0.0, 0.0]
    assert waits[2:] == pytest.approx([0.5, 1.0, 1.5, 1.5, 1.5], abs=0.4)
    assert waits == sorted(waits)
    with clock.shifted(timedelta(minutes=1)):
        assert turn() == 0.0


def test_the_hidden_box_is_hidden_from_everybody(client: Client) -> None:
    page = opened(client).get(WHERE).content.decode()
    assert f'name="{door.HONEYPOT}" tabindex="-1" autocomplete="off"' in page
