"""The reporter can always come back, and sees one report only (promise 9)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from holdfast.base import clock
from holdfast.intake.contacts import keep, of_report
from holdfast.intake.models import Contact, Report
from holdfast.items.models import Item, ItemState
from holdfast.notifications.models import Notification
from holdfast.triage.models import Case
from holdfast.web.portal.page import BY
from tests.stages.portal import walk
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(world: World) -> Client:
    """Somebody who has reported, written the words down, and come back with them."""
    world.post("1", encoded(photograph()))
    first = Client()
    walk.report(first)
    words = walk.codename(first)
    client = Client()
    answer = client.post("/follow", {"codename": f"  {words.upper()}. "})
    assert answer["Location"] == "/follow/status"
    return client


def page(client: Client, path: str = "/follow/status") -> str:
    return client.get(path).content.decode()


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


def test_words_links_and_numbers_are_added_and_stand_in_the_thread(
    client: Client, world: World
) -> None:
    world.post("9", encoded(photograph("coffee")))
    added = {
        "words": "He wrote <again>.",
        "link": "https://plaza.example/p/9",
        "police": "2020-881",
        "about": "shown",
        "danger": "yes",
    }
    for name, answer in added.items():
        assert client.post(f"/follow/add/{name}", {"answer": answer}).status_code == 302
        assert "now part of your report" in page(client)
        assert "now part of your report" not in page(client), "Said once."
    shown = page(client)
    for words in (
        "He wrote &lt;again&gt;.",
        "Number from the police: 2020-881",
        "It is about me.",
        "Somebody is in danger right now.",
    ):
        assert words in shown
    assert Item.objects.get(external_id="9").state == ItemState.FROZEN
    assert client.get("/follow/add/nonsense").status_code == 404
    assert client.get("/report/more/link").status_code == 404


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
