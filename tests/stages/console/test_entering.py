"""A call or a letter, entered by staff: filed like any other, and told once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.ids import uuid7
from holdfast.base.models import Event
from holdfast.intake.models import Codename, Report
from holdfast.intake.once import TOLD_AGAIN_FOR, Filed, receive_once
from holdfast.intake.operations import Channel, ReportGiven
from holdfast.items.models import ItemState
from tests.stages.console.desk import CSAM, colleague, words_of
from tests.stages.portal.walk import Browser as Client
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db

POST = "https://plaza.example/p/p1"


def call(world: World, **instead: Any) -> dict[str, Any]:
    return {
        "channel": "phone",
        "received_at": (clock.now() - timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M"),
        "platform": str(world.platform_id),
        "category": CSAM,
        "addresses": POST,
        "words": "A mother: it is my son.",
        "claim": "parent",
        "language": "en",
        **instead,
    }


def words_shown(answer: Any) -> str:
    found = re.search(r'class="once"><code[^>]*>([^<]+)<', answer.content.decode())
    assert found, words_of(answer)
    return found[1]


def test_a_call_freezes_and_its_clock_runs_from_the_call(world: World) -> None:
    item = world.post("p1", encoded(photograph()))
    ada = colleague("Ada", "reviewer")
    answer = ada.post("/console/enter", **call(world, in_danger_now="on"))
    assert answer.status_code == 200, words_of(answer)
    report = Report.objects.get()
    assert (report.channel, report.claims) == ("phone", ["parent"])
    assert report.in_danger_now
    assert report.received_by == f"staff:{ada.person_id}"
    age = clock.now() - report.received_at
    assert timedelta(hours=3) <= age < timedelta(hours=3, minutes=2)
    case = report.targets.get().place.case
    assert case.deadlines.get(code="decision").runs_from == report.received_at
    item.refresh_from_db()
    assert item.state == ItemState.FROZEN
    assert report.number in words_of(answer)


@pytest.mark.parametrize("named", ["sunny", "@sunny"])
def test_an_account_that_a_caller_names_is_found_at_once(
    world: World, named: str
) -> None:
    world.actor("sunny")
    ada = colleague("Ada", "reviewer")
    answer = ada.post("/console/enter", **call(world, addresses=named))
    assert answer.status_code == 200, words_of(answer)
    target = Report.objects.get().targets.get()
    assert target.located
    assert target.actor is not None


def test_pressing_twice_files_one_report_and_shows_it_again(world: World) -> None:
    ada = colleague("Ada", "reviewer")
    shown = ada.get("/console/enter").context["form"]["once"].value()
    first = ada.post("/console/enter", **call(world, once=shown))
    again = ada.post("/console/enter", **call(world, once=shown))
    assert Report.objects.count() == 1
    assert again.status_code == 200
    assert Report.objects.get().number in words_of(again)
    assert words_shown(again) == words_shown(first)
    assert "pressed twice" in words_of(again)
    assert "pressed twice" not in words_of(first)
    assert Client().post("/follow", {"codename": words_shown(again)}).status_code == 302
    # What was corrected is another report, and so is the same by somebody else.
    ada.post("/console/enter", **call(world, once=shown, words="My daughter."))
    colleague("Bo", "reviewer").post("/console/enter", **call(world, once=shown))
    assert Report.objects.count() == 3
    assert ada.get("/console/enter").context["form"]["once"].value() != shown


def test_an_old_page_tells_the_words_to_nobody(world: World) -> None:
    ada = colleague("Ada", "reviewer")
    given = call(world, once="a-token")
    told = words_shown(ada.post("/console/enter", **given))
    codename = Codename.objects.all()
    codename.update(made_at=clock.now() - TOLD_AGAIN_FOR)
    later = ada.post("/console/enter", **given)
    assert Report.objects.count() == 1
    assert told not in later.content.decode()
    assert Report.objects.get().number in words_of(later)


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_the_same_moment_file_one_report(world: World) -> None:
    by = By("staff", str(uuid7()), frozenset({Permission.REPORT_FILE}))
    given = ReportGiven(
        platform_id=world.platform_id,
        channel=Channel.PHONE,
        category=CSAM,
        targets=(),
        words="A mother: it is my son.",
        wants_codename=True,
    )
    start = Barrier(4)

    def press(_number: int) -> Filed:
        start.wait()
        try:
            return receive_once(given, "a-token", by=by)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as hands:
        filed = list(hands.map(press, range(4)))
    assert Report.objects.count() == 1
    assert len({(each.report_id, each.codename) for each in filed}) == 1
    assert sum(each.is_new for each in filed) == 1


def test_the_words_open_it_and_the_person_can_change_them(world: World) -> None:
    ada = colleague("Ada", "reviewer")
    told = words_shown(ada.post("/console/enter", **call(world)))
    person = Client()
    # The first time they are shown once more: are they kept?
    assert person.post("/follow", {"codename": told})["Location"] == "/follow/words"
    assert person.post("/follow/words")["Location"] == "/follow/status"
    assert "Get new words" in person.get("/follow/status").content.decode()
    assert "stop working" in person.get("/follow/new-words").content.decode()
    assert person.post("/follow/new-words")["Location"] == "/follow/new-words"
    page = person.get("/follow/new-words").content.decode()
    found = re.search(r'class="codename"[^>]*>([^<]+)<', page)
    assert found
    fresh = found[1]
    assert person.post("/follow/new-words", {"saved": "yes"})["Location"] == (
        "/follow/status"
    )
    assert fresh not in person.get("/follow/new-words").content.decode()
    assert Client().post("/follow", {"codename": told}).status_code == 422
    assert Client().post("/follow", {"codename": fresh}).status_code == 302
    assert Codename.objects.count() == 1
    kept = Codename.objects.get()
    assert fresh not in f"{kept.lookup}{kept.verifier}"
    [event] = Event.objects.filter(kind="codename.changed")
    assert event.facts == {}


def test_without_a_visit_nobody_gets_words() -> None:
    assert Client().get("/follow/new-words")["Location"] == "/follow"
    assert Client().post("/follow/new-words")["Location"] == "/follow"


def test_what_is_missing_is_said_and_nothing_is_lost(world: World) -> None:
    ada = colleague("Ada", "reviewer")
    answer = ada.post(
        "/console/enter", **call(world, addresses="", words="", police_number="7/26")
    )
    assert answer.status_code == 422
    assert "Write where it is, or what they said." in words_of(answer)
    assert 'value="7/26"' in answer.content.decode()
    later = (clock.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    answer = ada.post("/console/enter", **call(world, received_at=later))
    assert "This is in the future." in words_of(answer)
    answer = ada.post("/console/enter", **call(world, channel="portal"))
    assert answer.status_code == 422
    assert not Report.objects.exists()


def test_an_account_is_enough(world: World) -> None:
    ada = colleague("Ada", "reviewer")
    ada.post("/console/enter", **call(world, addresses="@somebody", channel="letter"))
    report = Report.objects.get()
    assert report.channel == "letter"
    assert report.targets.get().named_as == "@somebody"


@pytest.mark.parametrize("role", ["administrator", "auditor", "legal"])
def test_who_works_on_no_case_takes_no_call(world: World, role: str) -> None:
    assert colleague("Bo", role).get("/console/enter").status_code == 403
