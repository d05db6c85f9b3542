"""A picture reported by its fingerprint: what it hides, and all that is not told."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.errors import NotAllowed
from holdfast.base.events import Event, Kind
from holdfast.intake.arrival import Mark
from holdfast.intake.models import Arrival, Report
from holdfast.items.models import Item, ItemState
from holdfast.matching.models import Bank, BankEntry, Match
from holdfast.matching.watches import (
    look_again_by_fingerprint,
    stop_watching,
    watched,
)
from holdfast.notifications.models import Alarm
from holdfast.notifications.operations import tell_hidden
from holdfast.notifications.queries import receipt_of, status_of
from holdfast.policy.operations import adopt_policy
from holdfast.review.models import Reveal
from holdfast.signals.pdq import PDQ
from holdfast.signals.sign import sign_picture
from holdfast.triage.models import Case, CaseItem
from holdfast.web.portal import door
from holdfast.web.portal.views import on_device
from tests.stages.api.calls import Api, json_of
from tests.stages.portal import walk
from tests.stages.portal.walk import Browser as Client
from tests.stages.report.test_whole_way import clear, violate
from tests.world import POLICY, World, encoded, photograph

pytestmark = pytest.mark.django_db

PATH, SEND = "/report/picture", "/report/picture/send"


@pytest.fixture
def client() -> Client:
    return Client()


def fingerprint(name: str = "astronaut") -> dict[str, str]:
    """What a browser sends of a picture."""
    forms: tuple[PDQ, ...] = (
        sign_picture(encoded(photograph(name), "PNG")).views[0].variants
    )
    digits = "".join(each.bits.hex() for each in forms)
    return {"pdq": digits, "quality": str(forms[0].quality), "platform": "plaza"}


def send(client: Client, name: str = "astronaut", **more: str) -> Report:
    """Report a picture; the report that it made."""
    before = set(Report.objects.values_list("id", flat=True))
    given = {**fingerprint(name), "category": walk.CHILD, **more}
    answer = client.post(SEND, given)
    assert answer.status_code == 302, walk.errors(answer)
    assert answer["Location"] == "/report/received"
    return Report.objects.exclude(id__in=before).get()


def looked(client: Client, name: str = "astronaut") -> str:
    """What the page answers when a picture is looked for."""
    answer = client.post(PATH, fingerprint(name))
    assert answer.status_code == 200
    return str(answer.context["answer"])


def allow(most: int) -> None:
    """A policy that lets one picture hide so many items."""
    text = POLICY.read_text()
    changed = text.replace(
        "fingerprint_freezes_at_most: 20", f"fingerprint_freezes_at_most: {most}"
    ).replace('version: "', f'version: "most-{most}-')
    assert changed != text
    adopt_policy(changed, by=SYSTEM)


def states(*names: str) -> list[str]:
    rows = dict(Item.objects.values_list("external_id", "state"))
    return [rows[name] for name in names]


def test_a_fingerprint_alone_hides_the_picture_and_its_copies(
    world: World, client: Client
) -> None:
    picture = photograph()
    world.post("1", encoded(picture))
    world.post("turned", encoded(picture.rotate(90)))
    world.post("repost", repost_of="1")
    world.post("other", encoded(photograph("coffee")))
    report = send(client)
    assert states("1", "turned", "repost") == [ItemState.FROZEN] * 3
    assert states("other") == [ItemState.VISIBLE]
    case = Case.objects.get()
    assert case.targets.get().target.report == report
    assert case.deadlines.filter(code="decision").exists()
    assert {place.certain for place in case.items.all()} == {True}
    words = receipt_of(report.id)["words"]
    assert "We know this picture. We have told Plaza to hide it." in words
    assert "3" not in words
    told = status_of(report.id)
    assert (told.told_to_hide, told.confirmed_hidden) == (1, 0)
    page = client.get("/report/received").content.decode()
    assert "plaza.example" not in page
    assert walk.codename(client)


def test_no_more_than_policy_says_and_then_a_person_is_paged(
    world: World, client: Client
) -> None:
    allow(2)
    for number in range(5):
        world.post(str(number), encoded(photograph(), quality=60 + number))
    send(client)
    frozen = Item.objects.filter(state=ItemState.FROZEN)
    assert frozen.count() == 2
    assert CaseItem.objects.filter(certain=False).count() == 3
    assert Alarm.objects.get().code == "report.fingerprint_limit"
    # However many report it, it hides no more: counts are not evidence.
    for _ in range(3):
        send(Client(), watch="on")
    world.post("late", encoded(photograph(), quality=40))
    assert frozen.count() == 2
    assert Case.objects.get().targets.count() == 4
    assert CaseItem.objects.get(item__external_id="late").certain is False


def test_what_somebody_locates_is_hidden_beyond_the_limit(
    world: World, client: Client
) -> None:
    allow(1)
    for number in range(4):
        world.post(str(number), encoded(photograph(), quality=60 + number))
    send(client)
    assert Item.objects.filter(state=ItemState.FROZEN).count() == 1
    world.report("https://plaza.example/p/3")
    assert Item.objects.filter(state=ItemState.FROZEN).count() == 4
    assert Case.objects.filter(state="open").count() == 1


def test_a_picture_that_is_watched_for_is_hidden_when_it_comes(
    world: World, client: Client
) -> None:
    report = send(client, watch="on")
    assert "did not find this picture" in receipt_of(report.id)["words"]
    world.post("1", encoded(photograph(), quality=70), actor="stranger")
    assert states("1") == [ItemState.FROZEN]
    place = CaseItem.objects.get()
    assert place.case.targets.get().target.report == report
    # A fingerprint is no ground against an account, and freezes by its own case only.
    assert not Event.objects.filter(kind=Kind.ENFORCEMENT_PLANNED).exists()
    assert BankEntry.objects.get().state == "quarantined"


def test_what_is_reported_and_watched_for_may_be_sent_again(
    world: World, client: Client
) -> None:
    """Its own platform sends it once more, or with another text: it is no copy."""
    world.post("1", encoded(photograph()))
    world.report("https://plaza.example/p/1")
    send(client, watch="on")
    world.post("2", encoded(photograph(), quality=70), actor="stranger")
    for quality in (90, 60):
        world.post("1", encoded(photograph(), quality=quality), text="Again")
    assert states("1", "2") == [ItemState.FROZEN] * 2
    assert not Match.objects.filter(item=F("against")).exists()


def test_without_being_asked_nothing_is_watched_for(
    world: World, client: Client
) -> None:
    report = send(client)
    assert watched(report.id) is None
    world.post("1", encoded(photograph()))
    assert states("1") == [ItemState.VISIBLE]


def test_an_upload_that_crosses_the_report_is_found_after_the_commit(
    world: World, client: Client
) -> None:
    report = send(client)
    world.post("1", encoded(photograph()))
    assert states("1") == [ItemState.VISIBLE]
    received = Event.objects.get(kind=Kind.REPORT_RECEIVED)
    for _ in range(2):
        look_again_by_fingerprint(received)
    assert states("1") == [ItemState.FROZEN]
    assert CaseItem.objects.get().case.targets.get().target.report == report


def test_a_watch_ends_when_its_reporter_says_so(world: World, client: Client) -> None:
    report = send(client, watch="on")
    client.post("/report/received")
    assert (
        "Stop looking out for my picture"
        in client.get("/follow/status").content.decode()
    )
    assert client.post("/follow/watch")["Location"] == "/follow/status"
    page = client.get("/follow/status").content.decode()
    assert "We do not look out for your picture any more." in page
    assert "Stop looking out for my picture" not in page
    assert watched(report.id) is None
    assert Event.objects.filter(kind=Kind.WATCH_ENDED).count() == 1
    client.post("/follow/watch")
    assert Event.objects.filter(kind=Kind.WATCH_ENDED).count() == 1
    world.post("1", encoded(photograph()))
    assert states("1") == [ItemState.VISIBLE]


def test_a_watch_ends_by_policy_and_by_staff(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = send(client, watch="on"), send(Client(), "coffee", watch="on")
    reviewer = By("staff", "1", frozenset({Permission.CASE_DECIDE}))
    stop_watching(second.id, by=reviewer)
    world.post("2", encoded(photograph("coffee")))
    watch = watched(first.id)
    assert watch is not None
    assert watch.hides
    with pytest.raises(NotAllowed):
        stop_watching(first.id, by=By("staff", "2"))
    now = clock.now
    later = watch.until - now() + timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: now() + later)
    world.post("1", encoded(photograph()))
    assert states("1", "2") == [ItemState.VISIBLE] * 2


def test_a_watch_holds_for_the_platform_of_its_reporter_only(
    world: World, client: Client
) -> None:
    from tests.world import _platform  # noqa: PLC0415

    elsewhere = World(_platform("agora"))
    send(client, watch="on")
    elsewhere.post("1", encoded(photograph()))
    assert states("1") == [ItemState.VISIBLE]
    assert Bank.objects.get().slug == "watched-plaza"


def test_the_answer_says_only_what_everybody_can_see(
    world: World, client: Client
) -> None:
    world.post("1", encoded(photograph("coffee")), kind="message")
    world.post("2", encoded(photograph("rocket")))
    assert looked(client, "coffee") == "unknown"
    assert looked(client, "rocket") == "known"
    # Hidden by a report: whoever asks learns nothing of that.
    send(Client(), "rocket")
    assert looked(Client(), "rocket") == "unknown"
    # Known to a bank: whoever asks learns nothing of that, either.
    send(Client(), "chelsea", watch="on")
    assert looked(Client(), "chelsea") == "unknown"
    asked = Event.objects.filter(kind=Kind.COPIES_SOUGHT)
    assert {str(each.facts) for each in asked} == {
        "{'known': True}",
        "{'known': False}",
    }


def test_the_answer_is_the_same_page_for_one_post_and_for_many(
    world: World, client: Client
) -> None:
    def page(name: str) -> str:
        answer = Client().post(PATH, fingerprint(name))
        given = fingerprint(name)
        return (
            answer.content.decode()
            .replace(given["pdq"], "")
            .replace(f'value="{given["quality"]}"', "")
        )

    world.post("1", encoded(photograph("coffee")))
    one = page("coffee")
    for number in range(3):
        world.post(f"again{number}", encoded(photograph("coffee"), quality=50 + number))
    assert _plain(page("coffee")) == _plain(one)
    assert "plaza.example" not in one


def _plain(page: str) -> str:
    return "\n".join(
        line for line in page.splitlines() if not re.search("csrf|once", line)
    )


def test_what_stands_in_private_is_hidden_and_never_told(
    world: World, client: Client
) -> None:
    world.post("1", encoded(photograph()), kind="message")
    report = send(client)
    assert states("1") == [ItemState.FROZEN]
    assert "did not find this picture" in receipt_of(report.id)["words"]
    Item.objects.update(confirmed_state=ItemState.FROZEN)
    told = status_of(report.id)
    assert (told.told_to_hide, told.confirmed_hidden) == (0, 0)


def test_a_report_of_something_else_is_no_way_round(
    world: World, client: Client
) -> None:
    """Who shows one post, and adds somebody's picture, learns of the post alone."""
    world.post("1", encoded(photograph("coffee")))
    for number in range(3):
        picture = encoded(photograph(), quality=60 + number)
        world.post(f"private{number}", picture, kind="message")
    report = walk.report(client)
    client.post(SEND, fingerprint())
    assert Item.objects.filter(state=ItemState.FROZEN).count() == 4
    assert status_of(report.id).told_to_hide == 1
    Item.objects.update(confirmed_state=ItemState.FROZEN)
    assert status_of(report.id).confirmed_hidden == 1
    both = {"fingerprint": {"pdq": fingerprint()["pdq"][:64], "quality": 90}}
    said = {"targets": [{"item": "1"}, both], "category": walk.CHILD}
    words = json_of(Api(world).post("/reports", said))["words"]
    assert words.startswith("1 post is already kept from view.")


def test_looking_is_limited_for_a_visit_and_for_all(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(on_device.LOOKS_OF_A_VISIT):
        assert looked(client) == "unknown"
    assert looked(client) == "busy"
    assert looked(Client()) == "unknown"
    monkeypatch.setattr(on_device, "LOOKS_OF_ALL", 2)
    assert looked(Client()) == "unknown"
    monkeypatch.setattr(on_device, "LOOKS_OF_ALL_PER_S", 1e-9)
    answers = [looked(Client()) for _ in range(3)]
    assert answers[-1] == "busy"
    assert Alarm.objects.get().code == "rate.picture_looks"
    # The door stays open all the same.
    send(client)


def used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on nobody is told whether a picture is known."""
    monkeypatch.setattr(on_device, "LOOKS_OF_ALL", 1)
    monkeypatch.setattr(on_device, "LOOKS_OF_ALL_PER_S", 1e-9)
    assert looked(Client(), "rocket") == "unknown"
    assert looked(Client(), "rocket") == "busy"


def test_a_report_is_no_way_to_go_on_looking(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in and hides as ever, and tells what one of an unknown picture tells."""
    world.post("1", encoded(photograph()))
    used_up(monkeypatch)
    known, unknown = send(client), send(Client(), "coffee")
    assert states("1") == [ItemState.FROZEN]
    assert _told(known) == _told(unknown)
    words = receipt_of(known.id)["words"]
    assert words == receipt_of(unknown.id)["words"]
    assert "too many have asked. We look for it all the same." in words
    # Nor once the site has confirmed it: what is told then is told of nobody's.
    Item.objects.update(confirmed_state=ItemState.FROZEN)
    tell_hidden(
        Event(kind=Kind.DELIVERY_CONFIRMED, about={"item": str(Item.objects.get().id)},
              facts={"verb": "freeze"})
    )  # fmt: skip
    assert _told(known) == _told(unknown)
    # What people decide it is told, like everybody.
    violate(Case.objects.get(items__item__external_id="1"), Item.objects.get())
    told = status_of(known.id)
    assert told.status == "decided"
    assert [each.kind for each in told.messages] == ["violation_unseen"]


def test_what_was_decided_before_is_not_told_by_a_report_either(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = world.post("1", encoded(photograph()))
    world.report("https://plaza.example/p/1")
    violate(Case.objects.get(), item)
    used_up(monkeypatch)
    assert _told(send(client)) == _told(send(Client(), "coffee"))


def test_what_is_added_is_no_way_to_go_on_looking_either(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.post("1", encoded(photograph()))
    clients = {name: Client() for name in ("astronaut", "chelsea")}
    reports = {name: send(client, "coffee") for name, client in clients.items()}
    used_up(monkeypatch)
    for name, client in clients.items():
        assert client.post(SEND, fingerprint(name))["Location"] == "/follow/status"
        assert reports[name].targets.count() == 2
    assert states("1") == [ItemState.FROZEN]
    assert _told(reports["astronaut"]) == _told(reports["chelsea"])
    assert status_of(reports["astronaut"].id).told_to_hide == 0


def test_the_looks_of_a_visit_are_used_up_by_what_it_reports(
    world: World, client: Client
) -> None:
    report = send(client)
    for number in range(on_device.LOOKS_OF_A_VISIT):
        given = fingerprint("coffee")
        client.post(SEND, {**given, "pdq": f"{number:02x}" + given["pdq"][2:]})
    tells = list(report.targets.order_by("position").values_list("tells", flat=True))
    assert tells == [True] * on_device.LOOKS_OF_A_VISIT + [False]
    assert looked(client) == "busy"


def test_the_same_press_twice_is_one_report_and_a_program_is_marked(
    world: World, client: Client
) -> None:
    page = client.post(PATH, fingerprint())
    assert f'name="{door.HONEYPOT}"' in page.content.decode()
    given = {**fingerprint(), "category": walk.CHILD,
             "once": page.context["form"]["once"].value()}  # fmt: skip
    assert given["once"]
    words = set()
    for _ in range(2):
        client.post(SEND, {**given, door.HONEYPOT: "https://x.example"})
        words.add(walk.codename(client))
    assert len(words) == 1
    assert Report.objects.count() == 1
    assert Arrival.objects.get().marks == [Mark.HONEYPOT, Mark.TOO_FAST]


def test_the_second_press_is_the_first_report_when_no_looks_are_left(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = client.post(PATH, fingerprint()).context["form"]["once"].value()
    send(client, once=once)
    words = walk.codename(client)
    used_up(monkeypatch)
    client.post(SEND, {**fingerprint(), "category": walk.CHILD, "once": once})
    assert walk.codename(client) == words
    assert Report.objects.count() == 1


def test_who_reads_the_answer_is_not_marked_and_comes_from_somewhere(
    world: World,
) -> None:
    client = Client(REMOTE_ADDR="81.2.69.160")
    client.post(PATH, fingerprint())
    with clock.shifted(timedelta(seconds=5)):
        send(client)
    assert Arrival.objects.get().marks == []
    assert Arrival.objects.get().address_token


def test_a_flood_of_reported_pictures_is_slowed_and_each_is_in_before(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[tuple[float, int]] = []
    monkeypatch.setattr(
        "holdfast.web.waiting.time.sleep",
        lambda wait_s: waits.append((wait_s, Report.objects.count())),
    )
    monkeypatch.setattr(door, "BURST", 1.0)
    monkeypatch.setattr(door, "PER_S", 0.01)
    for _ in range(3):
        send(Client())
    assert waits == [(door.LONGEST_WAIT_CHILD_S, 2), (door.LONGEST_WAIT_CHILD_S, 3)]


def test_it_can_be_added_to_a_report_that_is_in(world: World, client: Client) -> None:
    world.post("1", encoded(photograph("coffee")))
    world.post("2", encoded(photograph()))
    report = walk.report(client)
    for _ in range(2):
        answer = client.post(SEND, {**fingerprint(), "watch": "on"})
        assert answer["Location"] == "/follow/status"
    assert report.targets.count() == 2
    assert states("1", "2") == [ItemState.FROZEN] * 2
    assert watched(report.id) is not None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"pdq": ""}, "Choose a picture first"),
        ({"pdq": "zz" * 32}, "hexadecimal"),
        ({"pdq": "ab" * 31}, "32 bytes"),
        ({"quality": "49"}, "too plain"),
        ({"quality": ""}, "too plain"),
        ({"quality": "101"}, "up to 100"),
    ],
)
def test_what_is_no_fingerprint_is_refused_on_both_pages(
    world: World, client: Client, given: dict[str, str], says: str
) -> None:
    for path in (PATH, SEND):
        more: dict[str, Any] = {"category": walk.CHILD}
        answer = client.post(path, {**fingerprint(), **more, **given})
        assert answer.status_code == 422
        assert says in answer.content.decode()
    assert not Report.objects.exists()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"pdq": "zz" * 32}, "heksadesimale"),
        ({"pdq": "ab" * 31}, "32 byte,"),
        ({"quality": "101"}, "opptil 100"),
        ({"quality": "49"}, "for få detaljer"),
    ],
)
def test_it_is_refused_in_the_language_of_whoever_is_refused(
    world: World, given: dict[str, str], says: str
) -> None:
    client = Client(headers={"Accept-Language": "nb"})
    page = client.post(PATH, {**fingerprint(), **given}).content.decode()
    assert says in page


def test_a_fingerprint_through_the_api_goes_the_same_way(world: World) -> None:
    world.post("1", encoded(photograph()))
    given = fingerprint()
    target = {"fingerprint": {"pdq": given["pdq"][:64], "quality": 90, "watch": True}}
    api = Api(world)
    answer = api.post("/reports", {"targets": [target], "category": walk.CHILD})
    assert answer.status_code == 201
    said = json_of(answer)
    assert said["frozen"] == ["1"]
    assert said["targets"][0]["named_as"] == f"pdq:{given['pdq'][:64]}"
    target["fingerprint"]["quality"] = 10
    answer = api.post("/reports", {"targets": [target], "category": walk.CHILD})
    assert answer.status_code == 422


def test_a_picture_that_people_decided_on_before_is_no_contradiction(
    world: World, client: Client
) -> None:
    item = world.post("1", encoded(photograph()))
    world.report("https://plaza.example/p/1")
    before = send(Client())
    case = Case.objects.get()
    # What is hidden is not told: the receipt says what a look would have said.
    nowhere = send(Client(), "coffee")
    assert receipt_of(before.id)["words"] == receipt_of(nowhere.id)["words"]
    assert "We did not find this picture" in receipt_of(before.id)["words"]
    violate(case, item)
    report = send(client)
    # The answer is there at once, so nothing is promised and nothing is under way.
    told = status_of(report.id)
    assert told.status == "decided"
    assert "People have decided on this before" in told.messages[0].words
    assert not told.clocks
    assert receipt_of(report.id)["deadlines"] == []


def test_what_was_decided_in_private_is_looked_at_again_and_never_told(
    world: World, client: Client
) -> None:
    """What is known here in private looks, from outside, like what nobody knows."""
    item = world.post("1", encoded(photograph()), kind="message")
    world.report(items=("1",))
    violate(Case.objects.get(), item)
    known, unknown = send(client), send(Client(), "coffee")
    pages = [_told(each) for each in (known, unknown)]
    assert pages[0] == pages[1]
    assert pages[0]["status"] == "received"
    assert Case.objects.filter(state="open").count() == 2


@pytest.mark.parametrize("outcome", ["violation", "no_violation"])
def test_what_stands_in_private_is_decided_and_told_as_if_nobody_had_seen_it(
    world: World, client: Client, outcome: str
) -> None:
    item = world.post("1", encoded(photograph()), kind="message")
    report = send(client)
    case = Case.objects.get()
    if outcome == "violation":
        violate(case, item)
    else:
        clear(case, item)
    assert Reveal.objects.filter(item=item, entire=True).exists()
    [message] = status_of(report.id).messages
    assert message.kind == f"{outcome}_unseen"
    assert "looked at" not in message.words
    assert "show it again" not in message.words


def _told(report: Report) -> dict[str, Any]:
    """All that the page of a report says, but for what differs from each to each."""
    told = asdict(status_of(report.id))
    for each in ("id", "number", "received_at"):
        del told[each]
    told["clocks"] = [(each["code"], each["met_at"]) for each in told["clocks"]]
    return told | {"receipt": len(receipt_of(report.id)["deadlines"])}
