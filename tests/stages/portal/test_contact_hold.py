"""An account that extorts somebody cannot write to them: held, told, ended, bounded."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import InvalidInput, NotAllowed
from holdfast.base.events import Event, Kind
from holdfast.enforcement.confirming import confirm_delivery
from holdfast.enforcement.contact import holds_of
from holdfast.enforcement.models import Delivery
from holdfast.freeze import contact_holds
from holdfast.freeze.models import ContactHold
from holdfast.intake.models import Channel, Report
from holdfast.intake.operations import ReportGiven, TargetGiven, receive_report
from holdfast.items.models import Actor, Item
from holdfast.notifications.models import Alarm
from tests.stages.api.calls import Api, json_of
from tests.stages.portal import walk
from tests.stages.portal.walk import Browser as Client
from tests.world import PLATFORM_BY, World

pytestmark = pytest.mark.django_db

REPORTER = By("public", "portal", frozenset({Permission.REPORT_FOLLOW}))
STAFF = By("staff", "1", frozenset({Permission.CASE_DECIDE}))


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def report(world: World, client: Client) -> Report:
    """A report of a message by ``nightowl``; ``sam`` has written it."""
    world.actor("sam")
    world.actor("nightowl")
    world.post("1", actor="nightowl", kind="message", text="Pay, or I send it around.")
    return walk.report(client, category="sextortion")


def told() -> list[tuple[str, str, str]]:
    """What the platform was told: verb, about whom, towards whom."""
    rows = Delivery.objects.filter(verb__contains="contact").order_by("number")
    return [(each.verb, each.actor.external_id, each.body["toward"])
            for each in rows.select_related("actor")
            if each.actor is not None]  # fmt: skip


def test_the_platform_is_told_once_and_the_page_says_what_is_so(
    client: Client, report: Report
) -> None:
    for _ in range(2):
        answer = client.post("/follow/hold", {"mine": "@Sam"})
        assert answer["Location"] == "/follow/status", walk.errors(answer)
    assert told() == [("hold_contact", "nightowl", "sam")]
    page = client.get("/follow/status").content.decode()
    assert "We have told the site to stop the account from writing to you." in page
    assert "nightowl" not in page
    confirm_delivery(Delivery.objects.get(verb="hold_contact").id, by=STAFF)
    page = client.get("/follow/status").content.decode()
    assert "The site has confirmed it: the account cannot write to you." in page
    # It says nothing of guilt, and changes nothing else.
    assert Actor.objects.get(external_id="nightowl").state == "active"


def test_its_reporter_ends_it(client: Client, report: Report) -> None:
    client.post("/follow/hold", {"mine": "sam"})
    client.post("/follow/release")
    client.post("/follow/release")
    assert [each[0] for each in told()] == ["hold_contact", "release_contact"]
    assert ContactHold.objects.get().because == "asked"
    page = client.get("/follow/status").content.decode()
    assert "does not keep them from writing to you any more" in page
    assert "Writing to you" not in page
    client.post("/follow/hold", {"mine": "sam"})
    assert [each[0] for each in told()][2:] == ["hold_contact"]


def test_who_is_held_does_not_end_what_the_other_asked_for(
    client: Client, report: Report
) -> None:
    """Who extorts reports first, as if he were the victim, and owns a hold."""
    extorter = Client()
    walk.report(extorter, category="sextortion", words="They want money.")
    both = {"mine": "sam", "theirs": "nightowl"}
    assert extorter.post("/follow/hold", both)["Location"] == "/follow/status"
    assert client.post("/follow/hold", {"mine": "sam"})["Location"] == "/follow/status"
    extorter.post("/follow/release")
    assert ContactHold.objects.get(released_at=None).report_id == report.id
    assert "release_contact" not in [each[0] for each in told()]
    assert "writing to you" in client.get("/follow/status").content.decode()
    client.post("/follow/release")
    # Each that the platform was told of is released, by its own id.
    rows = Delivery.objects.filter(verb__contains="contact")
    ids = {
        verb: {each.body["hold"] for each in rows.filter(verb=verb)}
        for verb in ("hold_contact", "release_contact")
    }
    assert len(ids["hold_contact"]) == 2
    assert ids["hold_contact"] == ids["release_contact"]


def asks(world: World, name: str) -> Report:
    """A report by nobody known, who says that they are ``name``."""
    world.actor(name)
    report = walk.report(
        Client(), category="sextortion", words=f"They write to {name}."
    )
    contact_holds.hold_contact(report.id, name, "nightowl", by=REPORTER)
    return report


def test_who_extorts_cannot_use_up_the_holds_of_others(
    world: World, client: Client, report: Report
) -> None:
    """However many ask first, in whatever names: the child's own is held."""
    for number in range(7):
        asks(world, f"friend{number}")
    assert ContactHold.objects.count() == 7
    # Nor by saying that they are the child, and asking about others.
    second = walk.report(Client(), category="sextortion", words="They want money.")
    for number in range(7):
        named = (second.id, "sam", f"friend{number}")
        contact_holds.hold_contact(*named, by=REPORTER)
    assert client.post("/follow/hold", {"mine": "sam"})["Location"] == "/follow/status"
    page = client.get("/follow/status").content.decode()
    assert "We have told the site to stop the account from writing to you." in page
    assert ("hold_contact", "nightowl", "sam") in told()


def test_where_many_ask_about_one_account_people_are_told(
    world: World, report: Report
) -> None:
    for number in range(5):
        asks(world, f"someone{number}")
    # A second report of the same two is not one more.
    asks(world, "someone0")
    assert not Alarm.objects.exists()
    for number in range(5, 7):
        asks(world, f"someone{number}")
    alarm = Alarm.objects.get()
    assert (alarm.code, alarm.times) == ("contact.many_held", 2)
    assert alarm.about["actor"] == str(Actor.objects.get(external_id="nightowl").id)
    assert ContactHold.objects.count() == 8


def test_staff_end_it_and_nobody_else(report: Report) -> None:
    contact_holds.hold_contact(report.id, "sam", by=REPORTER)
    [hold] = holds_of([report.id])
    with pytest.raises(NotAllowed):
        contact_holds.release_contact(hold.id, by=By("platform", "1"))
    contact_holds.release_contact(hold.id, by=STAFF)
    assert holds_of([report.id])[0].because == "staff"


def test_it_ends_by_policy(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    contact_holds.hold_contact(report.id, "sam", by=REPORTER)
    contact_holds.release_ended()
    assert ContactHold.objects.get().released_at is None
    now, ends = clock.now, ContactHold.objects.get().ends_at
    later = ends - now() + timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: now() + later)
    contact_holds.release_ended()
    assert ContactHold.objects.get().because == "expired"
    assert [each[0] for each in told()] == ["hold_contact", "release_contact"]


def test_a_decision_that_clears_ends_it(report: Report) -> None:
    contact_holds.hold_contact(report.id, "sam", by=REPORTER)
    case = str(report.targets.get().place.case_id)
    for outcome, standing in (("violation", True), ("no_violation", False)):
        event = Event(about={"case": case}, facts={"outcome": outcome})
        contact_holds.release_what_was_cleared(event)
        assert (ContactHold.objects.get().released_at is None) == standing


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"mine": ""}, "Write what you are called"),
        ({"mine": "nobody at all"}, "We do not find your account"),
        ({"mine": "sam", "theirs": "nobody at all"}, "We do not find their account"),
        ({"mine": "nightowl"}, "These are the same account"),
        ({"mine": "sam", "theirs": "SAM"}, "These are the same account"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_held(
    client: Client, report: Report, given: dict[str, str], says: str
) -> None:
    answer = client.post("/follow/hold", given)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not ContactHold.objects.exists()


def test_without_an_account_in_the_report_theirs_is_asked_for(
    world: World, client: Client
) -> None:
    world.actor("sam")
    world.actor("nightowl")
    report = walk.report(client, category="sextortion", words="They want money.")
    with pytest.raises(InvalidInput, match="name or the address"):
        contact_holds.hold_contact(report.id, "sam", by=REPORTER)
    client.post("/follow/hold", {"mine": "sam", "theirs": "NightOwl"})
    assert told() == [("hold_contact", "nightowl", "sam")]


def test_one_report_holds_few_contacts(
    world: World, client: Client, report: Report
) -> None:
    for number in range(8):
        world.actor(f"someone{number}")
        answer = client.post("/follow/hold", {"mine": f"someone{number}"})
        assert answer["Location"] == "/follow/status"
        page = client.get("/follow/status").content.decode()
        assert ("as often as one report can" in page) == (number >= 5)
    assert ContactHold.objects.count() == 5
    alarm = Alarm.objects.get()
    assert (alarm.code, alarm.about["report"]) == ("contact.not_held", str(report.id))
    # What is released makes room.
    client.post("/follow/release")
    assert contact_holds.hold_contact(report.id, "someone7", by=REPORTER) == 1
    # The platform knows who is signed in: that one is held all the same.
    api = Api(world)
    said = {"targets": [{"actor": "nightowl"}], "category": "sextortion",
            "reporter": "sam", "hold_contact": True}  # fmt: skip
    assert api.post("/reports", said).status_code == 201
    assert ContactHold.objects.get(vouched=True).toward.external_id == "sam"


@pytest.mark.django_db(transaction=True)
def test_the_change_feed_says_it_in_the_words_of_the_contract(world: World) -> None:
    api = Api(world)
    said = {"targets": [{"actor": "nightowl"}], "category": "sextortion",
            "reporter": "sam", "hold_contact": True}  # fmt: skip
    api.post("/reports", said)
    [change] = json_of(api.get("/changes"))["data"]
    assert (change["verb"], change["actor"]) == ("hold_contact", "nightowl")
    assert change["body"]["toward"] == "sam"
    assert change["body"]["until"]
    api.post("/reports", {**said, "reporter": None})
    assert ContactHold.objects.count() == 1


def test_a_conversation_names_who_writes_in_it(world: World) -> None:
    world.actor("sam")
    world.post("2", actor="nightowl", kind="message")
    received = receive_report(
        ReportGiven(
            platform_id=world.platform_id,
            channel=Channel.API,
            category="sextortion",
            targets=[TargetGiven(conversation="c1")],
            reporter_actor="sam",
        ),
        by=PLATFORM_BY,
    )
    Item.objects.update(conversation=Report.objects.get().targets.get().conversation)
    assert contact_holds.hold_contact(received.report_id, "sam", by=REPORTER) == 1
    assert told() == [("hold_contact", "nightowl", "sam")]


def test_the_database_refuses_two_holds_of_one_contact_and_one_of_nobody(
    report: Report,
) -> None:
    contact_holds.hold_contact(report.id, "sam", by=REPORTER)
    hold = ContactHold.objects.get()
    hold.pk = None
    with pytest.raises(IntegrityError):
        hold.save(force_insert=True)


def test_events_tell_of_it_with_ids_alone(client: Client, report: Report) -> None:
    client.post("/follow/hold", {"mine": "sam"})
    client.post("/follow/release")
    kinds = [Kind.CONTACT_HELD, Kind.CONTACT_RELEASED]
    told_of = Event.objects.filter(kind__in=kinds)
    assert {each.kind for each in told_of} == set(kinds)
    assert "nightowl" not in str([(each.about, each.facts) for each in told_of])
