"""The reporter can always come back, and sees one report only (promise 9)."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.core import serializers
from django.db import IntegrityError, transaction
from django.utils import translation

from holdfast.base import clock
from holdfast.base.by import By, Permission, anyone
from holdfast.base.errors import InvalidInput, NotAllowed, Refused
from holdfast.base.events import Kind
from holdfast.base.models import Event
from holdfast.intake.contacts import keep, of_report
from holdfast.intake.models import Addition, Codename, Contact, Report
from holdfast.intake.operations import locate_late
from holdfast.items.models import Item, ItemState
from holdfast.notifications.asking import ask_reporter, questions_left
from holdfast.notifications.models import Notification
from holdfast.notifications.queries import status_of
from holdfast.notifications.words import QUESTIONS
from holdfast.review.case_page import case_page
from holdfast.triage.models import Case
from holdfast.web.portal import standing
from holdfast.web.portal.page import BY
from tests.stages.portal import walk
from tests.stages.portal.walk import Browser as Client
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db
STAFF = By("staff", "test", frozenset(Permission))


@pytest.fixture
def client(world: World) -> Client:
    """Somebody who has reported, written the words down, and come back with them."""
    world.post("1", encoded(photograph()))
    first = Client()
    walk.report(first)
    words = walk.codename(first)
    client = Client()
    answer = client.post("/follow", {"codename": f"  {words.upper()}. "})
    assert answer["Location"] == "/follow/words"
    assert words in page(client, "/follow/words")
    assert client.post("/follow/words")["Location"] == "/follow/status"
    return client


def page(client: Client, path: str = "/follow/status") -> str:
    return client.get(path).content.decode()


@pytest.mark.parametrize(
    ("about", "offered"),
    [("", True), ("shown", True), ("parent", False),
     ("professional", False), ("witness", False)],
)  # fmt: skip
def test_nobody_but_who_may_be_shown_is_led_to_use_the_picture(
    client: Client, about: str, offered: bool
) -> None:
    """Teachers and parents are told never to handle it."""
    if about:
        client.post("/follow/add/about", {"answer": about})
        assert Report.objects.get().answers.latest("answered_at").value == about
    assert ('href="/report/picture"' in page(client)) == offered


def test_wrong_words_say_the_same_whatever_they_are_and_lock_nobody_out(
    world: World,
) -> None:
    walk.report(Client())
    client = Client()
    said = set()
    for words in ("a b c d e", "plank otter mango drum stir", "1", "ø" * 200) * 3:
        answer = client.post("/follow", {"codename": words})
        assert answer.status_code == 422
        said.add(str(answer.context["form"].errors["codename"][0]))
    assert len(said) == 1
    reporter = Client()
    walk.report(reporter)
    right = walk.codename(reporter)
    assert client.post("/follow", {"codename": right}).status_code == 302


def test_the_page_shows_this_report_and_nothing_of_any_other(client: Client) -> None:
    mine = Report.objects.get()
    other = Client()
    walk.report(other, words="What the other one wrote")
    theirs = Report.objects.exclude(id=mine.id).get()
    other.post("/follow/add/words", {"answer": "Said by the other one."})
    shown = page(client)
    assert mine.number in shown
    assert theirs.number not in shown
    assert "the other one" not in shown
    # Nothing that can be sent says which report is meant, so nothing can be guessed.
    for path in (f"/follow/{theirs.id}", f"/follow/status/{theirs.number}"):
        assert client.get(path).status_code == 404
    asked = client.get("/follow/status", {"report": str(theirs.id)})
    assert theirs.number not in asked.content.decode()


def test_nothing_of_a_report_opens_without_its_words(client: Client) -> None:
    stranger = Client()
    for path in ("/follow/status", "/report/received", "/follow/add/words"):
        assert stranger.get(path)["Location"] == "/follow"
    for path in ("/follow/challenge", "/follow/contact/forget"):
        assert stranger.post(path)["Location"] == "/follow"
    assert stranger.post("/follow/add/words", {"answer": "x"}).status_code == 403
    assert not Report.objects.get().additions.exists()


def test_what_was_reported_is_never_shown(client: Client) -> None:
    for path in ("/follow/status", "/report/received"):
        shown = page(client, path)
        assert "<img" not in shown
        assert "<video" not in shown
        assert walk.POST not in shown


def test_words_and_links_stand_in_the_thread_and_answers_on_their_own_page(
    client: Client, world: World
) -> None:
    world.post("9", encoded(photograph("coffee")))
    added = {
        "words": "He wrote <again>.",
        "link": "https://plaza.example/p/9",
        "police": "2020-881",
        "about": "shown",
        "danger": "no",
    }
    for name, answer in added.items():
        assert client.post(f"/follow/add/{name}", {"answer": answer}).status_code == 302
        assert "now part of your report" in page(client)
        assert "now part of your report" not in page(client), "Said once."
    thread, answers = page(client), page(client, "/report/review")
    for words in ("He wrote &lt;again&gt;.", "https://plaza.example/p/9"):
        assert words in thread
        assert words in answers
    for words in ("2020-881", "<p>Me</p>", "<p>No</p>"):
        assert words in answers
    assert Item.objects.get(external_id="9").state == ItemState.FROZEN
    assert client.get("/follow/add/nonsense").status_code == 404
    assert client.get("/report/more/category").status_code == 404


def test_who_writes_for_longer_than_a_visit_lasts_keeps_every_word(
    client: Client,
) -> None:
    with clock.shifted(timedelta(minutes=20)):
        answer = client.post("/follow/add/words", {"answer": "A long story."})
    shown = answer.content.decode()
    assert "A long story." in shown
    assert "not sent yet" in shown
    assert Report.objects.get().number not in shown
    assert not Report.objects.get().additions.exists()


def test_a_decision_is_challenged_with_one_tap(client: Client) -> None:
    assert "look again" not in page(client), "There is nothing to challenge yet."
    Case.objects.update(state="decided", outcome="no_violation", decided_at=clock.now())
    assert "This is wrong: look again" in page(client)
    client.get("/follow/challenge")
    assert Case.objects.get().state == "decided", "An address alone does nothing."
    client.post("/follow/challenge")
    case = Case.objects.get()
    assert (case.state, case.round) == ("open", 2)
    shown = page(client)
    assert "has not worked on this before" in shown
    assert "I think that the decision is wrong." in shown


def test_a_challenge_is_one_line_however_often_it_is_tapped(client: Client) -> None:
    early = client.post("/follow/challenge")
    assert early.status_code == 409
    assert "Nothing is decided yet" in early.content.decode()
    assert "has not worked on this before" not in page(client)
    mine = Report.objects.get().additions
    challenged = Event.objects.filter(kind=Kind.REPORT_CHALLENGED)
    assert not mine.exists()
    assert not challenged.exists()
    for rounds in (1, 2):
        decided = {"state": "decided", "outcome": "no_violation"}
        Case.objects.update(**decided, decided_at=clock.now())
        for _tap in range(3):
            assert client.post("/follow/challenge")["Location"] == "/follow/status"
            assert "has not worked on this before" in page(client)
        assert mine.filter(kind="challenge").count() == rounds
        assert challenged.count() == rounds
        assert Case.objects.get().round == rounds + 1


def test_the_same_press_of_a_trembling_hand_is_one_message(client: Client) -> None:
    path = "/follow/add/words"
    mine = Report.objects.get().additions
    tokens = [
        re.findall(r'name="once" value="([^"]+)"', page(client, path)) for _ in "ab"
    ]
    [first], [second] = tokens
    assert first != second
    written = {"answer": "He is here.", "once": first}
    for _press in range(2):
        assert client.post(path, written)["Location"] == "/follow/status"
    assert mine.count() == 1
    # What was changed before it was sent again, or written anew, is not lost.
    client.post(path, {"answer": "He is here again.", "once": first})
    client.post(path, {"answer": "He is here.", "once": second})
    assert mine.count() == 3
    wrote = Event.objects.filter(kind=Kind.REPORTER_WROTE)
    assert wrote.count() == 3
    gone = mine.order_by("added_at").first()
    assert gone
    client.post(f"/follow/erase/{gone.id}")
    client.post(path, written)
    assert mine.exclude(words="").count() == 2, "What was erased stays erased."


def test_our_messages_are_marked_as_read_when_they_are_shown(client: Client) -> None:
    Notification.objects.create(
        report=Report.objects.get(),
        case=Case.objects.get(),
        kind="delivery.confirmed",
        template="hidden",
        facts={},
        language="en",
        words="Plaza has confirmed it.",
        asserts_review=False,
        made_at=clock.now(),
    )
    assert "Plaza has confirmed it." in page(client)
    assert Notification.objects.get().read_at is not None


def test_contact_is_withdrawn_and_the_report_stands(client: Client) -> None:
    report = Report.objects.get()
    keep(report.id, "me@example.org", "every_step", by=BY)
    client.get("/follow/contact/forget")
    assert of_report(report.id) is not None, "An address alone does nothing."
    client.post("/follow/contact/forget")
    assert of_report(report.id) is None
    assert "me@example.org" not in str(list(Contact.objects.values()))
    assert "no e-mail address or phone number" in page(client)


def test_hidden_is_said_only_when_the_site_has_confirmed(client: Client) -> None:
    assert "We have told Plaza to hide the post" in page(client)
    assert "no longer shown" not in page(client)
    Item.objects.update(confirmed_state=ItemState.FROZEN)
    assert "Plaza has confirmed it: the post is no longer shown" in page(client)


def test_the_words_are_shown_once_more_until_somebody_has_come_back_with_them(
    world: World,
) -> None:
    first = Client()
    walk.report(first)
    words = walk.codename(first)
    first.post("/report/received")
    for _ in range(2):
        # Whoever closes the page before saying so is asked again the next time.
        again = Client()
        assert again.post("/follow", {"codename": words})["Location"] == "/follow/words"
        assert words in page(again, "/follow/words")
        assert "not saved your words" in page(again)
    again.post("/follow/words")
    assert again.get("/follow/words")["Location"] == "/follow/status"
    later = Client()
    assert later.post("/follow", {"codename": words})["Location"] == "/follow/status"
    assert walk.memory(later).codename == ""
    kept = serializers.serialize("json", Codename.objects.all())
    assert not any(word in kept for word in words.split() if len(word) > 4)


def message_of(client: Client, words: str) -> str:
    """The address at which a message of the thread is erased."""
    for each in client.get("/follow/status").context["messages"]:
        if words in each.text:
            return str(each.erase_url)
    return ""


def test_what_the_reporter_wrote_is_erased_for_good_and_staff_see_that_it_was(
    client: Client, world: World
) -> None:
    client.post("/follow/add/words", {"answer": "My name is Kim."})
    address = message_of(client, "My name is Kim.")
    assert "My name is Kim." in page(client, address)
    assert Addition.objects.get().words, "Looking at the page erases nothing."
    assert client.post(address)["Location"] == "/follow/status"
    shown = page(client)
    assert "My name is Kim." not in shown
    assert "erased from your page" in shown
    added = Addition.objects.get()
    assert (added.words, added.kind) == ("", "words")
    assert added.erased_at is not None
    for model in apps.get_models():
        if model._meta.managed:
            rows = serializers.serialize("json", model._base_manager.all())
            # A name alone could stand in what is packed by chance.
            assert "name is Kim" not in rows, model
    case = Case.objects.get()
    (line,) = case_page(case.number, STAFF).reports[0].additions
    assert (line.words, line.erased_at) == ("", added.erased_at)
    event = Event.objects.get(kind=Kind.REPORTER_ERASED)
    assert event.facts == {"what": "words"}
    assert client.post(address).status_code == 404


def test_the_first_words_and_a_signature_are_erased_as_messages_are(
    world: World,
) -> None:
    client = Client()
    report = walk.report(client, "intimate_image", words="My name is Kim, in room 4.")
    client.post("/follow/add/signature", {"answer": "Kimberley Sample"})
    case = Case.objects.get()
    (told,) = case_page(case.number, STAFF).reports
    assert (told.words, told.signed_as) == (report.words, "Kimberley Sample")
    for said in ("My name is Kim, in room 4.", "Kimberley Sample"):
        address = message_of(client, said)
        assert said in page(client, address)
        assert said in page(client), "Looking at the page erases nothing."
        assert client.post(address)["Location"] == "/follow/status"
        assert client.post(address).status_code == 404
        for path in ("/follow/status", "/report/review", "/report/law"):
            assert said not in page(client, path)
        for model in apps.get_models():
            if model._meta.managed:
                rows = serializers.serialize("json", model._base_manager.all())
                assert said not in rows, model
    report.refresh_from_db()
    (told,) = case_page(case.number, STAFF).reports
    assert (told.words, told.words_erased_at) == ("", report.words_erased_at)
    assert told.signed_as == ""
    assert told.signature_erased_at is not None
    erased = Event.objects.filter(kind=Kind.REPORTER_ERASED).order_by("id")
    assert [each.facts["what"] for each in erased] == ["first_words", "signature"]
    # It was signed, and it was reported: neither the law's forms nor the case forget.
    signed = report.signatures.get()
    assert signed.forms
    assert signed.statement
    locate_late()
    assert Case.objects.get().state == "open"


def test_a_place_is_not_taken_back(client: Client, world: World) -> None:
    world.post("9", encoded(photograph("coffee")))
    client.post("/follow/add/link", {"answer": "https://plaza.example/p/9"})
    assert message_of(client, "p/9") == ""
    added = Addition.objects.get(kind="link")
    assert client.post(f"/follow/erase/{added.id}").status_code == 404
    assert Item.objects.get(external_id="9").state == ItemState.FROZEN


def test_our_message_leaves_the_page_and_stays_on_record(client: Client) -> None:
    ask_reporter(Case.objects.get().id, Report.objects.get().id, "more", by=STAFF)
    address = message_of(client, "anything more")
    client.post(address)
    assert message_of(client, "anything more") == ""
    said = Notification.objects.get(template="asked_more")
    assert "anything more" in said.words
    assert said.put_away_at is not None


def test_nobody_erases_what_is_anothers(client: Client, world: World) -> None:
    other = Client()
    theirs = walk.report(other)
    other.post("/follow/add/words", {"answer": "Said by the other one."})
    ask_reporter(Case.objects.get().id, theirs.id, "more", by=STAFF)
    for row in (theirs.additions.get(), theirs.notifications.get()):
        assert client.get(f"/follow/erase/{row.id}").status_code == 404
        assert client.post(f"/follow/erase/{row.id}").status_code == 404
    assert theirs.additions.get().words == "Said by the other one."
    stranger = Client()
    address = message_of(other, "Said by the other one.")
    assert stranger.post(address)["Location"] == "/follow"
    assert theirs.additions.get().erased_at is None


def test_staff_ask_set_questions_once_in_the_reporters_language(world: World) -> None:
    norwegian = Client(HTTP_ACCEPT_LANGUAGE="nb")
    report = walk.report(norwegian)
    case = Case.objects.get()
    ask_reporter(case.id, report.id, "safe_now", by=STAFF)
    said = Notification.objects.get(template="asked_safe_now")
    with translation.override("nb"):
        assert said.words == str(QUESTIONS["safe_now"])
    assert said.words in html.unescape(page(norwegian))
    with pytest.raises(Refused):
        ask_reporter(case.id, report.id, "safe_now", by=STAFF)
    with pytest.raises(InvalidInput):
        ask_reporter(case.id, report.id, "Send us the picture", by=STAFF)
    with pytest.raises(NotAllowed):
        ask_reporter(case.id, report.id, "more", by=anyone("portal"))
    left = dict(questions_left(case.id, [report.id])[report.id])
    assert set(left) == set(QUESTIONS) - {"safe_now"}


def test_a_clock_says_how_long_there_still_is(client: Client) -> None:
    assert re.search(r"23 hours \d+ minutes? left", page(client))
    with clock.shifted(timedelta(hours=25)):
        steps = standing.clocks(status_of(Report.objects.get().id))
    assert all(each.left == "" for each in steps)


def test_the_database_refuses_erased_words_that_are_still_there(
    client: Client,
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Addition.objects.create(
            report=Report.objects.get(),
            kind="words",
            words="Still here.",
            added_at=clock.now(),
            erased_at=clock.now(),
        )
