"""What the portal remembers of a visit: little, sealed, and not for long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from holdfast.base import clock
from holdfast.web.portal import session
from tests.stages.portal import walk
from tests.world import World

pytestmark = pytest.mark.django_db


def test_the_visit_is_sealed_and_dies_with_the_browser(world: World) -> None:
    client = Client()
    walk.report(client)
    words = walk.codename(client)
    kept = client.cookies[session.COOKIE]
    assert words
    assert not any(word in kept.value for word in words.split() if len(word) > 4)
    assert kept["httponly"]
    assert kept["samesite"] == "Lax"
    assert kept["max-age"] == kept["expires"] == ""
    assert len(kept.OutputString()) < 4096
    assert not Session.objects.exists(), "Nothing of a visit stays on the server."


def test_a_visit_that_somebody_changed_opens_nothing(world: World) -> None:
    client = Client()
    walk.report(client)
    sealed = client.cookies[session.COOKIE].value
    for forged in (sealed[:-4] + "AAAA", "v1.", "nonsense", ""):
        client.cookies[session.COOKIE] = forged
        assert client.get("/follow/status")["Location"] == "/follow"


def test_a_visit_ends_after_15_idle_minutes_and_says_so(world: World) -> None:
    client = Client()
    walk.report(client)
    with clock.shifted(timedelta(minutes=14)):
        assert client.get("/follow/status").status_code == 200
    with clock.shifted(timedelta(minutes=28)):
        assert client.get("/follow/status").status_code == 200, "14 minutes idle."
    with clock.shifted(timedelta(minutes=44)):
        page = client.get("/follow")
        assert "15 minutes" in page.content.decode()
        assert client.get("/follow/status").status_code == 302


def test_a_visit_ends_after_two_hours_however_much_it_is_used(world: World) -> None:
    client = Client()
    walk.report(client)
    for minutes in range(10, 120, 10):
        with clock.shifted(timedelta(minutes=minutes)):
            assert client.get("/follow/status").status_code == 200
    with clock.shifted(timedelta(minutes=121)):
        assert client.get("/follow/status")["Location"] == "/open"


def test_words_are_shown_until_they_are_saved_and_never_after(world: World) -> None:
    client = Client()
    walk.report(client)
    words = walk.codename(client)
    assert len(words.split()) == 5
    assert walk.codename(client) == words, "Reloading the page must not lose them."
    assert "not saved your words" in client.get("/follow/status").content.decode()
    assert client.post("/report/received")["Location"] == "/report/more/danger"
    assert walk.codename(client) == ""
    assert walk.memory(client).codename == ""


def test_closing_the_report_leaves_nothing_in_the_browser(world: World) -> None:
    client = Client()
    walk.report(client)
    answer = client.post("/follow/finished")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert client.cookies[session.COOKIE].value == ""
    assert client.get("/follow/status")["Location"] == "/follow"


def test_the_longest_address_of_a_link_still_fits_into_the_cookie(db: None) -> None:
    client = Client()
    client.get("/report", {"url": "https://plaza.example/p/" + "ø" * 3000})
    assert len(client.cookies[session.COOKIE].OutputString()) < 4096
    assert walk.memory(client).address.startswith("https://plaza.example/p/ø")


def test_who_wrote_for_too_long_goes_on_with_their_words_on_the_same_page(
    world: World,
) -> None:
    client = Client()
    report = walk.report(client)
    words = walk.codename(client)
    path, written = "/follow/add/words", {"answer": "What I wrote for a long time."}
    with clock.shifted(timedelta(minutes=16)):
        page = client.post(path, written)
        assert page.status_code == 403
        assert "What I wrote for a long time." in page.content.decode()
        wrong = client.post(path, {**written, "codename": "one two three four five"})
        assert wrong.status_code == 403
        assert "could not find a report" in wrong.content.decode()
        assert not walk.memory(client).report
        sent = client.post(path, {**written, "codename": words.upper()})
        assert sent["Location"] == "/follow/status"
        assert walk.memory(client).report == str(report.id)
        assert written["answer"] in client.get("/follow/status").content.decode()


def test_a_question_asks_for_the_words_only_where_the_report_is_closed(
    world: World,
) -> None:
    client = Client()
    walk.report(client)
    assert 'name="codename"' not in client.get("/follow/add/words").content.decode()
    with clock.shifted(timedelta(minutes=16)):
        assert client.get("/follow/add/words")["Location"] == "/open"
        for path in ("/follow/add/words", "/follow/hold"):
            assert 'name="codename"' in client.post(path).content.decode()


def test_new_words_close_every_visit_that_older_words_opened(world: World) -> None:
    child, other = Client(), Client()
    report = walk.report(child)
    words = walk.codename(child)
    child.post("/report/received")
    other.post("/follow", {"codename": words})
    assert other.get("/follow/status").status_code == 200
    child.post("/follow/new-words")
    newer = walk.memory(child).codename
    assert newer != words
    written = {"answer": "What only I may read."}
    assert child.post("/follow/add/words", written)["Location"] == "/follow/status"
    assert written["answer"] in child.get("/follow/status").content.decode()
    sealed = other.cookies[session.COOKIE].value
    for path in ("/follow/status", "/report/received", "/report/review", "/follow"):
        other.cookies[session.COOKIE] = sealed
        page = other.get(path).content.decode()
        assert written["answer"] not in page
        assert report.number not in page
        assert not walk.memory(other).report
    for path in ("/follow/new-words", "/follow/challenge", "/follow/contact/forget"):
        other.cookies[session.COOKIE] = sealed
        assert other.post(path)["Location"] == "/follow"
    other.cookies[session.COOKIE] = sealed
    assert other.post("/follow/add/words", {"answer": "I read it."}).status_code == 403
    assert not report.additions.filter(words="I read it.").exists()
    # The words of the child still open it: nobody has made others since.
    again = Client()
    assert again.post("/follow", {"codename": newer}).status_code == 302
    assert written["answer"] in again.get("/follow/status").content.decode()
