"""The front door under abuse: marked and slowed, never refused, and no address kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from holdfast.base import clock
from holdfast.intake.models import Arrival, Report
from holdfast.web.portal import door
from tests.world import World

pytestmark = pytest.mark.django_db
WHERE = "/report/where"
GIVEN = {"category": "hate", "address": "https://plaza.example/p/1"}


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


def test_a_program_is_marked_and_heard_all_the_same(client: Client) -> None:
    opened(client).post(WHERE, {**GIVEN, door.HONEYPOT: "https://spam.example"})
    assert Arrival.objects.get().marks == ["honeypot", "too_fast"]
    assert Report.objects.count() == 1


def test_a_flood_is_slowed_and_nobody_is_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("holdfast.web.portal.door.time.sleep", slept.append)
    monkeypatch.setattr(door, "BURST", 2.0)
    monkeypatch.setattr(door, "PER_S", 0.01)
    for _ in range(4):
        assert opened(client).post(WHERE, GIVEN).status_code == 302
    child = {**GIVEN, "category": "child_sexual_abuse_material"}
    assert opened(client).post(WHERE, child).status_code == 302
    assert Report.objects.count() == 5
    assert slept == [door.LONGEST_WAIT_S] * 2 + [door.LONGEST_WAIT_CHILD_S]


def test_the_hidden_box_is_hidden_from_everybody(client: Client) -> None:
    page = opened(client).get(WHERE).content.decode()
    assert f'name="{door.HONEYPOT}" tabindex="-1" autocomplete="off"' in page
