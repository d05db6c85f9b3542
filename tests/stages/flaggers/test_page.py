"""The page that flaggers sign in to: who gets in, what they see, what they can do."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import NotAllowed, NotFound, Refused
from holdfast.base.models import Event
from holdfast.intake import flagger_people
from holdfast.intake import flaggers as accounts
from holdfast.intake.models import Addition, Flag, Flagger, Report
from holdfast.items.answers import take
from holdfast.items.keys import authenticate
from holdfast.items.models import ItemState
from holdfast.notifications.models import Alarm
from holdfast.staff import operations as staff
from holdfast.staff.models import Person
from holdfast.staff.queries import by_of, people, person_of
from holdfast.triage.flaggers import flaggers
from holdfast.triage.models import Case
from holdfast.web.api import limits
from holdfast.web.flaggers.urls import urlpatterns
from holdfast.web.signed_in import IDLE_S
from tests.stages.console.desk import (
    CSAM,
    PASSWORD,
    Colleague,
    colleague,
    look,
    read,
    words_of,
)
from tests.stages.flaggers.analysts import (
    ADMIN,
    Analyst,
    account,
    analyst,
    another,
    post,
    report_of,
)
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db


def given(reference: str = "A-1", posts: str = "1", **more: Any) -> dict[str, Any]:
    """What the form takes."""
    places = "\n".join(f"https://plaza.example/p/{each}" for each in posts.split())
    return {
        "reference": reference,
        "category": CSAM,
        "addresses": places,
        "words": "",
        "language": "en",
        **more,
    }


def addresses(number: str) -> list[str]:
    """Every address of these pages that needs a session."""
    found = [str(each.pattern) for each in urlpatterns if isinstance(each, URLPattern)]
    filled = [each.replace("<str:number>", number) for each in found]
    return [each for each in filled if each not in ("sign-in", "sign-out")]


def test_the_first_sign_in_sets_up_two_factors(world: World) -> None:
    kari = analyst(world, CSAM, signed_in=False)
    assert kari.by.permissions == frozenset()
    answer = kari.post("sign-in", email=kari.email, password=kari.one_time_password)
    assert answer.headers["Location"] == "/flaggers/"
    assert kari.get("").headers["Location"] == "/flaggers/enrol"
    assert kari.post("report", **given()).headers["Location"] == "/flaggers/enrol"
    page = kari.get("enrol")
    assert b"<svg" in page.content
    wrong = kari.post("enrol", token="x", code="000000", new_password=PASSWORD)
    assert wrong.status_code == 422
    assert not Report.objects.exists()
    kari.enrol()
    # The new password ended the session of the old one.
    assert kari.get("").headers["Location"] == "/flaggers/sign-in"
    assert kari.sign_in().status_code == 302
    assert kari.get("").status_code == 200


def test_every_refused_sign_in_reads_the_same(world: World) -> None:
    kari = analyst(world, CSAM, signed_in=False)
    kari.enrol()
    ada = colleague("Ada", "administrator", "lead", signed_in=False)
    code = kari.recovery_codes[0]
    tries = (
        {"email": kari.email, "password": "wrong wrong wrong", "code": code},
        {"email": kari.email, "password": PASSWORD, "code": "000000"},
        {"email": "nobody@hotline.example", "password": PASSWORD, "code": code},
        # Somebody of staff, with all that opens the console.
        {"email": ada.email, "password": PASSWORD, "code": ada.recovery_codes[0]},
    )
    told = {
        words_of(kari.post("sign-in", **each)).replace(each["email"], "")
        for each in tries
    }
    assert len(told) == 1
    assert staff.sign_in(email=ada.email, password=PASSWORD, code=ada.recovery_codes[0])


def test_nobody_of_a_flagger_opens_the_console_nor_staff_their_page(
    world: World,
) -> None:
    kari = analyst(world, CSAM)
    for path in ("", "me", "people", "flaggers", "enter", "alarms"):
        answer = kari.client.get(f"/console/{path}")
        assert answer.headers["Location"].startswith("/console/sign-in"), path
    kari.sign_in()
    ada = colleague("Ada", "administrator", "specialist", "lead")
    for path in addresses("R-1"):
        assert ada.get(f"/flaggers/{path}").headers["Location"].endswith("/sign-in")
    code = kari.recovery_codes.pop()
    told = post(
        Client(enforce_csrf_checks=True),
        "/console/sign-in",
        email=kari.email,
        password=PASSWORD,
        code=code,
    )
    assert told.status_code == 422


def test_a_guest_is_nobody_of_staff(world: World) -> None:
    kari = analyst(world, CSAM)
    ada = colleague("Ada", "administrator", signed_in=False)
    assert kari.by == By(
        "guest", str(kari.person_id), frozenset({Permission.REPORTS_FLAG})
    )
    with pytest.raises(NotAllowed):
        by_of(kari.person_id)
    with pytest.raises(NotAllowed):
        person_of(kari.by)
    assert [each.name for each in people(ada.by)] == ["Ada"]
    # Their device is no colleague's who stands beside somebody.
    with pytest.raises(NotAllowed):
        staff.confirm_presence(email=kari.email, code="000000", by=ada.by)
    for change in (
        lambda: staff.give_roles(
            person_id=kari.person_id, roles=["administrator"], by=ada.by
        ),
        lambda: staff.reset_sign_in(person_id=kari.person_id, by=ada.by),
        lambda: staff.deactivate(person_id=kari.person_id, by=ada.by),
    ):
        with pytest.raises(NotFound):
            change()
    with pytest.raises(Refused):
        staff.add_person(email=kari.email, name="K", roles=["lead"], by=ada.by)


def test_the_database_keeps_guests_without_a_role(world: World) -> None:
    kari = analyst(world, signed_in=False)
    row = Person.guests.filter(id=kari.person_id)
    with pytest.raises(Exception, match="guest_has_no_role"):
        row.update(roles=["administrator"])


def test_a_report_of_several_items_in_the_scope_goes_first(world: World) -> None:
    items = [
        world.post(name, encoded(photograph(photo)))
        for name, photo in (("1", "astronaut"), ("2", "cat"))
    ]
    kari = analyst(world, CSAM)
    answer = kari.post("report", **given("A-1", "1 2", words="Seen by two analysts."))
    report = Report.objects.get(number=report_of(answer))
    assert (report.channel, report.claims) == ("flagger", ["trusted_flagger"])
    assert report.received_by == f"flagger:{kari.flagger_id}"
    assert Flag.objects.get().sent_by == f"guest:{kari.person_id}"
    for item in items:
        item.refresh_from_db()
        assert item.state == ItemState.FROZEN
    page = words_of(kari.get(f"reports/{report.number}"))
    assert "It is in your scope, so it goes first." in page
    assert "to hide 2 posts" in page
    again = kari.post("report", **given("A-1", "1 2", words="Seen by two analysts."))
    assert report_of(again) == report.number
    assert "Nothing was reported twice" in words_of(
        kari.get(f"reports/{report.number}")
    )
    other = kari.post("report", **given("A-1", "3"))
    assert other.status_code == 422
    assert "This reference was used" in words_of(other)
    assert "https://plaza.example/p/3" in other.content.decode()
    assert Report.objects.count() == 1


def test_what_is_outside_the_scope_is_taken_without_priority_and_said_so(
    world: World,
) -> None:
    kari = analyst(world, "copyright")
    page = words_of(kari.get("report"))
    assert "What is outside is taken, and handled like everybody's." in page
    form = kari.get("report").content.decode()
    inside, outside = form.split("Outside your scope")
    assert 'value="copyright"' in inside
    assert f'value="{CSAM}"' in outside
    number = report_of(kari.post("report", **given()))
    report = Report.objects.get(number=number)
    assert report.claims == ["professional"]
    page = words_of(kari.get(f"reports/{number}"))
    assert "handled like everybody's" in page
    assert "in your scope" not in page
    kari.post("report", **given("A-2", "2", category="copyright"))
    assert dict(Case.objects.values_list("category", "urgency"))["copyright"] == (
        "urgent"
    )


def test_what_makes_no_report_is_asked_again_with_the_answers_kept(
    world: World,
) -> None:
    kari = analyst(world, CSAM)
    answer = kari.post("report", **given(addresses="", words="", reference="Mine-7"))
    assert answer.status_code == 422
    assert "Mine-7" in answer.content.decode()
    assert "either is enough" in words_of(answer)
    many = "\n".join(f"https://plaza.example/p/{each}" for each in range(51))
    answer = kari.post("report", **given(addresses=many))
    assert "up to 50 things" in words_of(answer)
    assert not Report.objects.exists()


def test_a_file_is_taken_in_line_by_line_and_never_twice(world: World) -> None:
    kari = analyst(world, CSAM)
    text = (
        "reference;category;urls;words\r\n"
        f"B-1;{CSAM};https://plaza.example/p/1;\r\n"
        "B-2;nonsense;https://plaza.example/p/3;\r\n"
        f"B-3;{CSAM};;\r\n"
        ";copyright;https://plaza.example/p/4;\r\n"
        "B-4;copyright;https://plaza.example/p/5;Æ\r\n"
    )
    page = words_of(send(kari, "reports.csv", text))
    assert "2 new reports" in page
    assert "3 lines were not taken in" in page
    assert "There is no category nonsense" in page
    assert "reference is missing." in page
    assert "either is enough" in page
    flags = Flag.objects.order_by("reference")
    assert list(flags.values_list("reference", "had_priority", "sent_by")) == [
        ("B-1", True, f"guest:{kari.person_id}"),
        ("B-4", False, f"guest:{kari.person_id}"),
    ]
    page = words_of(send(kari, "reports.csv", text))
    assert "0 new reports" in page
    assert "2 lines were known" in page
    text = "reference,category,urls\nB-9,copyright,https://plaza.example/p/9 a b\n"
    page = words_of(send(kari, "reports.csv", text))
    assert "1 line was not taken in" in page
    text = text.replace("9 a b", "9 https://plaza.example/p/a b")
    page = words_of(send(kari, "reports.csv", text))
    assert "1 new report" in page
    assert "Of 1 line some addresses were not taken" in page
    assert "Not taken: https://plaza.example/p/a b An address has a space" in page
    page = words_of(send(kari, "reports.csv", text.replace("a b", "a%20b")))
    assert "1 corrected line was added to its report" in page
    assert "corrected" in page
    assert "0 lines were known" not in page
    lines = [{"reference": "C-1", "category": CSAM, "urls": ["https://plaza.example"]}]
    text = "\n".join([*map(json.dumps, lines), "{broken"])
    page = words_of(send(kari, "reports.ndjson", text))
    assert "1 new report" in page
    assert "The line is no JSON object." in page
    assert Report.objects.count() == 4


def test_a_file_that_is_none_is_refused_whole(world: World) -> None:
    kari = analyst(world, CSAM)
    lines = "".join(f"B-{each},{CSAM},x,\n" for each in range(201))
    for text, told in (
        ("", "The file is empty."),
        ("reference,category,urls,words\n", "There is no report in this file."),
        ("A-1,other\n", "The first line names the columns"),
        (f"reference,category,urls,words\n{lines}", "up to 200 reports"),
        ("x" * (1024 * 1024 + 1), "larger than 1 MiB"),
    ):
        answer = send(kari, "reports.csv", text)
        assert answer.status_code == 422
        assert told in words_of(answer)
    assert not Report.objects.exists()


def test_above_the_rate_a_report_is_slowed_and_never_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("holdfast.web.waiting.time.sleep", slept.append)
    monkeypatch.setattr(limits, "PER_S", 0.001)
    monkeypatch.setattr(limits, "REPORTS_PER_S", 0.001)
    kari = analyst(world, CSAM)
    bucket = f"reports:flagger:{kari.flagger_id}"
    take(bucket, 200.0, per_s=limits.REPORTS_PER_S, burst=limits.REPORTS_BURST)
    assert report_of(kari.post("report", **given()))
    assert slept == [limits.SLOWDOWN_S]
    assert Alarm.objects.get().code == "rate.child_safety_slowed"
    # And so is a file that comes by the key.
    token = account(world, CSAM, name="Other")
    key = f"requests:{authenticate(token).key_id}"
    take(key, limits.BURST, per_s=limits.PER_S, burst=limits.BURST)
    slept.clear()
    body = json.dumps({"reference": "A-1", "category": CSAM, "words": "x"})
    answer = Client().post(
        "/api/v1/flags:batch",
        body,
        content_type="application/x-ndjson",
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "k"},
    )
    told = b"".join(answer.streaming_content)  # type: ignore[attr-defined]  # A stream.
    assert json.loads(told)["status"] == 201
    assert slept == [limits.SLOWDOWN_S]


def test_each_sees_its_own_alone(world: World) -> None:
    kari, olav = analyst(world, CSAM), analyst(world, CSAM, name="Other")
    number = report_of(kari.post("report", **given("SECRET-7")))
    assert kari.get(f"reports/{number}").status_code == 200
    missing = words_of(olav.get("reports/R-00000-00000"))
    for path in (f"reports/{number}", *(f"reports/{number}/{each}" for each in ACTS)):
        answer = olav.get(path)
        assert answer.status_code == 404
        assert words_of(answer) == missing
    for act in ACTS:
        answer = olav.post(f"reports/{number}/{act}", words="A long reason.", kind="x")
        assert "SECRET-7" not in words_of(answer)
    olav.post(f"reports/{number}/add", kind="words", words="Hello")
    assert not Addition.objects.exists()
    assert "SECRET-7" not in words_of(olav.get(""))
    # What a reporter told at another door is nobody's here.
    theirs = world.report("https://plaza.example/p/9")
    assert kari.get(f"reports/{theirs.number}").status_code == 404
    # A colleague of the same organisation sees what it sent.
    mari = another(kari.flagger_id, "Mari")
    assert "SECRET-7" in words_of(mari.get(""))


ACTS = ("add", "challenge", "withdraw")


def test_the_list_says_where_each_stands_and_what_was_decided(world: World) -> None:
    items = [
        world.post(name, encoded(photograph(photo)))
        for name, photo in (("1", "astronaut"), ("2", "cat"), ("3", "coffee"))
    ]
    kari = analyst(world, CSAM)
    numbers = [
        report_of(kari.post("report", **given(f"A-{each}", str(each))))
        for each in (1, 2, 3)
    ]
    ada, bo = both()
    decide(items[0], ada)
    decide(items[1], ada, bo, outcome="no_violation")
    page = words_of(kari.get(""))
    assert "It breaks the rules or the law" in page
    assert "No violation found" in page
    assert "People decide: " in page
    decided = words_of(kari.get("", only="decided"))
    assert "A-1" in decided
    # A report's own number can have these letters inside it.
    assert not re.search(r"\bA-3\b", decided)
    opened = words_of(kari.get("", only="open"))
    assert "A-3" in opened
    assert not re.search(r"\bA-1\b", opened)
    # The reasons are those that the table of tellings has for a flagger.
    one = words_of(kari.get(f"reports/{numbers[0]}"))
    told = Report.objects.get(number=numbers[0]).notifications.get(template="violation")
    assert " ".join(told.words.split()) in one
    # How right they were, and how that is counted.
    assert "With priority 3 0 2 1 50%" in page
    assert "share of violations among your reports that people have decided" in page


def test_precision_is_the_one_that_the_console_shows(world: World) -> None:
    item = world.post("1", encoded(photograph()))
    kari = analyst(world, CSAM)
    kari.post("report", **given())
    decide(item, both()[0])
    [line] = flaggers(by=ADMIN)
    assert (line.within.decided, line.within.precision) == (1, 1.0)
    assert "With priority 1 0 1 1 100%" in words_of(kari.get(""))


def test_taking_back_thaws_nothing_and_counts_all_the_same(world: World) -> None:
    item = world.post("1", encoded(photograph()))
    kari = analyst(world, CSAM)
    number = report_of(kari.post("report", **given()))
    short = kari.post(f"reports/{number}/withdraw", words="Oops")
    assert short.status_code == 422
    for _ in range(2):
        answer = kari.post(
            f"reports/{number}/withdraw", words="We mixed up two addresses."
        )
        assert answer.status_code == 302
    item.refresh_from_db()
    assert item.state == ItemState.FROZEN
    assert Case.objects.get().state == "open"
    assert Addition.objects.get().kind == "withdrawal"
    page = words_of(kari.get(f"reports/{number}"))
    assert "You took the report back" in page
    assert "Take the report back" not in page
    # Who decides reads it.
    ada = both()[0]
    ada.sign_in()
    case = Case.objects.get()
    assert "We mixed up two addresses." in words_of(
        ada.get(f"/console/case/{case.number}")
    )
    decide(item, ada)
    [line] = flaggers(by=ADMIN)
    assert (line.within.withdrawn, line.within.decided) == (1, 1)


def test_adding_and_challenging(world: World) -> None:
    items = [
        world.post(name, encoded(photograph(photo)))
        for name, photo in (("1", "astronaut"), ("2", "cat"))
    ]
    kari = analyst(world, CSAM)
    number = report_of(kari.post("report", **given()))
    kari.post(f"reports/{number}/add", kind="link", words="https://plaza.example/p/2")
    items[1].refresh_from_db()
    assert items[1].state == ItemState.FROZEN
    for _press in range(2):
        again = {"kind": "words", "words": "Seen again today.", "once": "a-token"}
        kari.post(f"reports/{number}/add", **again)
    assert Addition.objects.filter(kind="words").count() == 1
    assert "Seen again today." in words_of(kari.get(f"reports/{number}"))
    ada, bo = both()
    for item in items:
        decide(item, ada, bo, outcome="no_violation")
    assert "The decision is wrong" in words_of(kari.get(f"reports/{number}"))
    for _press in range(2):
        kari.post(f"reports/{number}/challenge", words="It is in our database of 2019.")
    assert Addition.objects.filter(kind="challenge").count() == 1
    assert set(Case.objects.values_list("state", flat=True)) == {"open"}


def test_a_listing_that_nobody_looked_up_ends_the_priority_and_not_the_voice(
    world: World,
) -> None:
    kari = analyst(world, CSAM)
    with clock.shifted(timedelta(days=301)):
        accounts.watch_listings()
        accounts.watch_listings()
        assert list(Alarm.objects.values_list("code", flat=True)) == [
            "flagger.listing_expired"
        ]
        kari.sign_in()
        page = words_of(kari.get(""))
        assert "Your reports have no priority at the moment" in page
        number = report_of(kari.post("report", **given()))
        assert Report.objects.get(number=number).claims == ["professional"]
        accounts.renew(
            kari.flagger_id,
            [CSAM],
            "https://lists.example/18",
            clock.now() + timedelta(days=200),
            by=ADMIN,
        )
        number = report_of(kari.post("report", **given("A-2", "2")))
        assert Report.objects.get(number=number).claims == ["trusted_flagger"]


def test_an_account_that_ended_opens_nothing(world: World) -> None:
    token = account(world, CSAM)
    flagger = Flagger.objects.get()
    kari = another(flagger.id, "Kari")
    number = report_of(kari.post("report", **given()))
    accounts.end(flagger.id, "The organisation has been dissolved.", by=ADMIN)
    accounts.end(flagger.id, "Said twice, changes nothing.", by=ADMIN)
    assert kari.get("").headers["Location"].endswith("/sign-in")
    assert kari.sign_in().status_code == 422
    with pytest.raises(NotAllowed):
        authenticate(token)
    flagger.refresh_from_db()
    assert flagger.ended_why == "The organisation has been dissolved."
    # What it reported goes on.
    assert Case.objects.get(targets__target__report__number=number).state == "open"
    with pytest.raises(Refused):
        flagger_people.add_person(
            flagger.id, email="n@hotline.example", name="N", by=ADMIN
        )


def test_a_session_ends_when_nothing_happens_or_access_ends(world: World) -> None:
    kari = analyst(world, CSAM)
    with clock.shifted(timedelta(seconds=IDLE_S + 1)):
        assert kari.get("").headers["Location"] == "/flaggers/sign-in"
        assert "nothing happened for a while" in words_of(kari.get("sign-in"))
    kari.sign_in()
    flagger_people.end_person(kari.flagger_id, kari.person_id, by=ADMIN)
    assert kari.get("").headers["Location"] == "/flaggers/sign-in"
    assert kari.sign_in().status_code == 422


def test_the_console_adds_resets_and_ends_people(world: World) -> None:
    account(world, CSAM)
    flagger = Flagger.objects.get()
    ada = colleague("Ada", "administrator")
    path = f"/console/flaggers/{flagger.id}/people"
    answer = ada.post(path, name="Kari Sample", email="Kari@Hotline.example")
    first = answer.content.decode().split('<p class="once"><code>')[1].split("<")[0]
    person = Person.guests.get()
    kari = Analyst(person.id, flagger.id, person.email, person.name, first)
    assert kari.post("sign-in", email=person.email, password=first).status_code == 302
    assert "Kari Sample" in words_of(ada.get(path))
    answer = ada.post(f"{path}/{person.id}/reset")
    second = answer.content.decode().split('<p class="once"><code>')[1].split("<")[0]
    assert kari.post("sign-in", email=person.email, password=first).status_code == 422
    assert kari.post("sign-in", email=person.email, password=second).status_code == 302
    other = account(world, name="Other")
    assert other
    wrong = Flagger.objects.get(name="Other").id
    answer = ada.post(f"/console/flaggers/{wrong}/people/{person.id}/end")
    assert answer.status_code == 404
    ada.post(f"{path}/{person.id}/end")
    assert kari.post("sign-in", email=person.email, password=second).status_code == 422
    lead = colleague("Bo", "lead")
    assert lead.get(path).status_code == 403
    assert lead.post(path, name="X", email="x@y.example").status_code == 403
    assert Person.guests.count() == 1


def test_the_console_renews_and_ends_accounts(world: World) -> None:
    account(world, CSAM)
    flagger = Flagger.objects.get()
    ada = colleague("Ada", "administrator")
    path = f"/console/flaggers/{flagger.id}"
    until = (clock.now() + timedelta(days=100)).date()
    ada.post(
        f"{path}/renew",
        listed_as="https://lists.example/18",
        listed_until=until.isoformat(),
        scope=["copyright"],
    )
    flagger.refresh_from_db()
    assert flagger.scope == ["copyright"]
    assert flagger.listed_until is not None
    assert flagger.listed_until.date() == until
    assert ada.post(f"{path}/end", why="short").status_code == 422
    ada.post(f"{path}/end", why="The organisation has been dissolved.")
    page = words_of(ada.get("/console/flaggers"))
    assert "The organisation has been dissolved." in page
    assert "Renew scope" not in page


def test_signing_in_and_out_leaves_its_mark_and_no_address(world: World) -> None:
    kari = analyst(world, CSAM)
    kari.post("sign-out")
    assert kari.get("").headers["Location"] == "/flaggers/sign-in"
    kari.post("sign-in", email=kari.email, password="wrong wrong", code="1")
    kinds = set(Event.objects.values_list("kind", flat=True))
    assert {"guest.signed_in", "guest.changed", "staff.sign_in_refused"} <= kinds
    for event in Event.objects.all():
        assert kari.email not in f"{event.about}{event.facts}{event.by}"


def test_one_changes_ones_own_password(world: World) -> None:
    kari = analyst(world, CSAM)
    wrong = kari.post("account", old_password="x", new_password="three brown owls 9")
    assert wrong.status_code == 422
    kari.post("account", old_password=PASSWORD, new_password="three brown owls 9")
    assert kari.get("account").status_code == 200
    kari.post("sign-out")
    assert kari.sign_in().status_code == 422
    assert kari.sign_in(password="three brown owls 9").status_code == 302


def test_the_page_speaks_norwegian(world: World) -> None:
    kari = analyst(world, CSAM)
    norwegian = {"Accept-Language": "nb"}
    number = report_of(kari.post("report", **given()))
    for path in ("", "report", "file", f"reports/{number}", "account", "sign-in"):
        page = kari.client.get(f"/flaggers/{path}", headers=norwegian)
        assert 'lang="nb"' in page.content.decode(), path
        for english in ("Your reports", "Sign out", "Send a file", "Reference"):
            assert english not in words_of(page), (path, english)


def test_no_page_is_stored_by_a_browser(world: World) -> None:
    kari = analyst(world, CSAM)
    number = report_of(kari.post("report", **given()))
    for path in addresses(number):
        assert "no-store" in kari.get(path).headers["Cache-Control"], path


def send(kari: Analyst, name: str, text: str) -> Any:
    """A file by the page."""
    file = SimpleUploadedFile(name, text.encode(), content_type="text/csv")
    return kari.post("file", file=file)


def both() -> tuple[Colleague, Colleague]:
    """Two specialists."""
    return (
        colleague("Ada", "reviewer", "specialist", signed_in=False),
        colleague("Bo", "specialist", signed_in=False),
    )


def decide(item: Any, *who: Colleague, outcome: str = "violation") -> None:
    """Look and read until it is decided."""
    case = Case.objects.get(items__item=item)
    for each in who:
        look(case, item, each)
        read(case, each, outcome)
