"""The police's own page: a report with weight, and nothing handed out."""

from __future__ import annotations

import re
from typing import Any

import pytest

from holdfast.base.by import SYSTEM
from holdfast.intake.models import Report
from holdfast.intake.operations import (
    Channel,
    ReportGiven,
    TargetGiven,
    receive_report,
)
from holdfast.items.models import ItemState
from holdfast.triage.models import Case
from tests.stages.console.desk import colleague, words_of
from tests.stages.portal.walk import CHILD, POST, codename, errors
from tests.stages.portal.walk import Browser as Client
from tests.world import World, _platform, encoded, photograph

pytestmark = pytest.mark.django_db


def filled(**instead: Any) -> dict[str, Any]:
    return {
        "agency": "Police district of the North, unit 4",
        "country": "Norway",
        "number": "4711/26",
        "name": "Constable Berg",
        "email": "berg@police.example",
        "category": "scam",
        "address": POST,
        **instead,
    }


def test_it_is_a_report_with_agency_number_and_contact(world: World) -> None:
    item = world.post("1", encoded(photograph()))
    client = Client()
    category = "child_sexual_abuse_material"
    answer = client.post("/police", filled(category=category, danger="on"))
    assert answer["Location"] == "/report/received"
    report = Report.objects.get()
    assert report.channel == "police"
    assert report.police_number == "4711/26"
    assert report.police_agency == "Police district of the North, unit 4, Norway"
    assert report.police_contact == "Constable Berg · berg@police.example"
    assert report.in_danger_now
    assert codename(client)
    item.refresh_from_db()
    assert item.state == ItemState.FROZEN
    ada = colleague("Ada", "reviewer")
    page = words_of(ada.get(f"/console/case/{Case.objects.get().number}"))
    assert "police, not verified yet" in page
    assert "4711/26 · Police district" in page


def test_what_the_police_said_on_their_page_is_shown_as_their_answers(
    world: World,
) -> None:
    world.post("1", encoded(photograph()))
    client = Client()
    client.post("/police", filled(category=CHILD, danger="on"))
    page = words_of(client.get("/report/review"))
    assert "Danger Yes, somebody is being hurt, or could be soon" in page
    assert "Number from the police 4711/26" in page
    status = words_of(client.get("/follow/status"))
    assert "Your report" in status
    assert "I have the picture on this device" not in status
    number = client.get("/follow/add/police").content.decode()
    assert 'value="4711/26"' in number
    assert "take_back" not in number
    client.post("/follow/add/danger", {"answer": "no"})
    page = words_of(client.get("/report/review"))
    assert "Danger No " in page
    client.post("/follow/add/danger", {"take_back": "1"})
    page = words_of(client.get("/report/review"))
    assert "Danger Yes, somebody is being hurt, or could be soon" in page


@pytest.mark.parametrize(
    ("claim", "said", "offered"),
    [("shown", "Me", True), ("professional", "Somebody I know through my work", False)],
)
def test_so_is_what_a_caller_said_on_the_telephone(
    world: World, claim: str, said: str, offered: bool
) -> None:
    world.post("1", encoded(photograph()))
    given = ReportGiven(
        platform_id=world.platform_id,
        channel=Channel.PHONE,
        category=CHILD,
        targets=[TargetGiven(url=POST)],
        claims=[claim],
        police_number="12/34",
        in_danger_now=True,
        wants_codename=True,
    )
    words = receive_report(given, by=SYSTEM).codename
    client = Client()
    client.post("/follow", {"codename": words})
    page = words_of(client.get("/report/review"))
    assert f"Who it is about {said}" in page
    assert "Number from the police 12/34" in page
    assert "Danger Yes" in page
    status = words_of(client.get("/follow/status"))
    assert ("I have the picture on this device" in status) is offered


def test_pressing_twice_is_one_report(world: World) -> None:
    client = Client()
    found = re.search(
        r'name="once" value="([^"]+)"', client.get("/police").content.decode()
    )
    assert found
    shown = found[1]
    words = set()
    for _time in range(2):
        client.post("/police", filled(once=shown))
        words.add(codename(client))
    assert Report.objects.count() == 1
    assert len(words) == 1


def test_of_several_addresses_one_promise_is_made_once(world: World) -> None:
    client = Client()
    client.post("/police", filled(address=f"{POST}\n{POST}2\n{POST}3"))
    assert words_of(client.get("/report/received")).count("People decide") == 1


def test_a_case_number_makes_it_immediate(world: World) -> None:
    Client().post("/police", filled())
    assert Case.objects.get().urgency == "immediate"


def test_without_a_case_number_yet_it_is_taken_all_the_same(world: World) -> None:
    assert Client().post("/police", filled(number="")).status_code == 302


@pytest.mark.parametrize(
    ("instead", "field"),
    [
        ({"agency": ""}, "agency"),
        ({"email": "", "phone": ""}, "email"),
        ({"email": "berg at police"}, "email"),
        ({"category": ""}, "category"),
        ({"address": "", "words": ""}, "address"),
    ],
)
def test_what_is_missing_is_said_and_the_answers_stay(
    world: World, instead: dict[str, str], field: str
) -> None:
    answer = Client().post("/police", filled(**instead))
    assert answer.status_code == 422
    assert list(errors(answer)) == [field]
    assert 'value="4711/26"' in answer.content.decode()
    assert not Report.objects.exists()


def test_a_telephone_number_is_enough(world: World) -> None:
    Client().post("/police", filled(email="", phone="+47 22 00 00 00", name=""))
    assert Report.objects.get().police_contact == "+47 22 00 00 00"


def test_the_address_says_on_which_site_it_is(world: World) -> None:
    harbour = _platform("harbour")
    client = Client()
    client.post("/police", filled(address="https://harbour.example/p/1"))
    assert Report.objects.get().platform_id == harbour
    client.post("/police", filled(address="", words="A person.", platform="harbour"))
    assert Report.objects.filter(platform=harbour).count() == 2
    both = f"{POST}\nhttps://harbour.example/p/1"
    answer = client.post("/police", filled(address=both))
    assert "different sites" in answer.content.decode()


def test_the_page_says_that_it_hands_nothing_out(world: World) -> None:
    page = Client().get("/police").content.decode()
    assert "It hands nothing out" in page
    assert 'type="file"' not in page
    assert "<title>Questions</title>" in page


def test_an_answer_with_every_box_full_fits_its_columns(world: World) -> None:
    form = Client().get("/police").context["form"]
    long = {
        name: "x" * field.max_length
        for name, field in form.fields.items()
        if getattr(field, "max_length", None) and name not in ("email", "address")
    }
    long["email"] = "x" * 50 + "@" + "y" * 50 + ".example"
    assert Client().post("/police", filled(**long)).status_code == 302
