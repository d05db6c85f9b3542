"""What the portal remembers of a visit: little, sealed, and not for long."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.contrib.sessions.models import Session

from holdfast.base import clock
from holdfast.base.models import Event
from holdfast.intake.models import Addition, Answer, Codename, Report, Target
from holdfast.web.portal import session
from tests.stages.portal import walk
from tests.stages.portal.test_picture import fingerprint
from tests.stages.portal.walk import Browser as Client
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


def test_a_closed_report_is_closed_for_who_copied_the_visit_too(world: World) -> None:
    client, copied, other = Client(), Client(), Client()
    walk.report(client)
    words = walk.codename(client)
    assert other.post("/follow", {"codename": words})["Location"] == "/follow/words"
    sealed = client.cookies[session.COOKIE].value
    copied.cookies[session.COOKIE] = sealed
    assert copied.get("/follow/status").status_code == 200
    client.post("/follow/finished")
    for path in ("/follow/status", "/report/review", "/report/received"):
        copied.cookies[session.COOKIE] = sealed
        assert copied.get(path)["Location"] == "/follow"
    copied.cookies[session.COOKIE] = sealed
    written = {"answer": "I read it."}
    assert copied.post("/follow/add/words", written).status_code == 403
    assert other.get("/follow/status")["Location"] == "/follow", "Another screen."
    # The words open it again, and what they opened stays open.
    assert client.post("/follow", {"codename": words})["Location"] == "/follow/words"
    assert client.get("/follow/status").status_code == 200
    copied.cookies[session.COOKIE] = sealed
    assert copied.get("/follow/status")["Location"] == "/follow"
    # Who has no report open has nothing to close.
    assert Client().post("/follow/finished")["Location"] == "/follow/finished"


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


OF_A_REPORT = (
    ("/follow/add/words", {"answer": "It is my father."}),
    ("/report/more/words", {"answer": "It is my father."}),
    ("/report/change/police", {"answer": "2026-17"}),
    ("/report/more/about", {"answer": "shown"}),
    ("/report/change", {"category": "grooming"}),
    ("/follow/hold", {"mine": "@mia", "theirs": "@sunny"}),
    ("/follow/contact", {"address": "me@example.org", "frequency": "never"}),
)
BUTTONS = (
    "/follow/challenge",
    "/follow/contact/forget",
    "/follow/new-words",
    "/follow/words",
    "/follow/watch",
    "/follow/release",
    "/report/received",
)
FORM = re.compile(r'<form\b[^>]*method="post".*?</form>', re.DOTALL)
WHOSE = re.compile(r'name="whose" value="([0-9a-f]{64})"')


def whose(page: str) -> str:
    """Of which report the question of a page says that it is."""
    [form] = [each for each in FORM.findall(page) if 'id="question"' in each]
    found = WHOSE.search(form)
    return found[1] if found else ""


@pytest.fixture
def mail(settings: LazySettings) -> None:
    """Mails can be sent from here."""
    settings.EMAIL_HOST = "127.0.0.1"


@pytest.mark.parametrize(("path", "written"), OF_A_REPORT)
def test_what_one_person_writes_never_reaches_the_report_of_another_in_this_browser(
    world: World, mail: None, path: str, written: dict[str, str]
) -> None:
    world.actor("mia")
    world.actor("sunny")
    browser = Client()
    childs = walk.report(browser)
    words = walk.codename(browser)
    of_child = whose(browser.get(path).content.decode())
    parents = walk.report(browser, address="https://plaza.example/p/2")
    of_parent = whose(browser.get(path).content.decode())
    assert of_child
    assert of_parent not in ("", of_child)
    events = Event.objects.count()
    answer = browser.post(path, {**written, "whose": of_child})
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "it stands below" in page
    for value in written.values():
        kept = (
            rf'<input type="radio"[^>]* value="{value}"[^>]* checked'
            rf'|<input type="(text|email)"[^>]* value="{value}"'
            rf"|>\n{value}</textarea>"
        )
        assert re.search(kept, page), page
    assert parents.number not in page
    assert Event.objects.count() == events, "Nothing was done."
    assert not Answer.objects.exists()
    assert whose(page) == ""
    # With the words it goes where it was written for, whatever is open by now.
    browser.post("/follow", {"codename": "not the words of anybody"})
    walk.report(browser, address="https://plaza.example/p/3")
    sent = browser.post(path, {**written, "codename": words, "whose": ""})
    assert sent.status_code == 302
    assert walk.memory(browser).report == str(childs.id)
    about = Event.objects.order_by("-id").values_list("about", flat=True)
    assert about[0].get("report") in (str(childs.id), None)


@pytest.mark.parametrize("path", BUTTONS)
def test_a_button_of_one_report_does_nothing_to_another_and_that_is_said(
    world: World, path: str
) -> None:
    browser = Client()
    walk.report(browser)
    of_child = walk.memory(browser).whose
    parents = walk.report(browser, address="https://plaza.example/p/2")
    before = Codename.objects.get(report=parents).lookup
    events = Event.objects.count()
    assert browser.post(path, {"whose": of_child})["Location"] == "/follow"
    assert Event.objects.count() == events
    assert Codename.objects.get(report=parents).lookup == before
    assert not Codename.objects.exclude(confirmed_at=None).exists()
    said = "so nothing was done yet"
    assert said in browser.get("/follow").content.decode()
    assert said not in browser.get("/follow").content.decode(), "Said once."


def test_every_form_about_a_report_says_about_which(world: World, mail: None) -> None:
    browser = Client()
    walk.report(browser)
    kept = {"address": "me@example.org", "frequency": "never"}
    browser.post("/follow/contact", kept)
    browser.post("/follow/add/words", {"answer": "More."})
    browser.post("/report/change/police", {"answer": "2026-17"})
    message = Addition.objects.get(kind="words").id
    pages = [path for path, _written in OF_A_REPORT]
    pages += ["/follow/status", "/report/received", "/follow/words", "/report/picture"]
    pages += ["/follow/new-words", f"/follow/erase/{message}"]
    elsewhere = ('action="/language"', 'action="/follow/finished"')
    for path in pages:
        forms = FORM.findall(browser.get(path, follow=True).content.decode())
        ours = [each for each in forms if not any(at in each for at in elsewhere)]
        assert ours or path == "/follow/status"
        for form in ours:
            found = WHOSE.search(form)
            assert found, (path, form)
            assert found[1] == walk.memory(browser).whose


def test_a_visit_that_somebody_planted_takes_no_words_of_its_victim(
    world: World,
) -> None:
    attacker, victim = Client(), Client()
    walk.report(attacker)
    of_victim = walk.report(victim)
    whose_victim = walk.memory(victim).whose
    victim.cookies[session.COOKIE] = attacker.cookies[session.COOKIE].value
    for mark in ("", whose_victim):
        written = {"answer": "What only I know.", "whose": mark}
        assert victim.post("/report/more/words", written).status_code == 403
        victim.cookies[session.COOKIE] = attacker.cookies[session.COOKIE].value
    assert not Addition.objects.exists()
    assert Report.objects.filter(id=of_victim.id).exists()


def test_a_picture_is_not_added_to_a_report_that_was_opened_since(
    world: World,
) -> None:
    browser = Client()
    alone = whose(browser.get("/report/picture").content.decode())
    walk.report(browser)
    adding = whose(browser.get("/report/picture").content.decode())
    other = walk.report(browser, address="https://plaza.example/p/2")
    for mark in (alone, adding):
        looked = browser.post("/report/picture", {**fingerprint(), "whose": mark})
        assert 'name="category"' in looked.content.decode(), "A report of its own."
        assert other.number not in looked.content.decode()
    sent = {**fingerprint(), "category": walk.CHILD, "whose": ""}
    browser.post("/follow", {"codename": "not the words of anybody"})
    parents = walk.report(browser, address="https://plaza.example/p/3")
    assert browser.post("/report/picture/send", sent)["Location"] == "/report/received"
    assert walk.memory(browser).report != str(parents.id)
    assert not Target.objects.filter(report=parents, pdq__isnull=False).exists()


def test_over_https_no_neighbour_in_the_domain_can_plant_a_visit(
    world: World, settings: LazySettings
) -> None:
    settings.SESSION_COOKIE_SECURE = True
    browser = Client()
    walk.report(browser)
    kept = browser.cookies["__Host-portal"]
    assert (kept["secure"], kept["path"], kept["domain"]) == (True, "/", "")
    assert session.COOKIE not in browser.cookies
    planted = Client()
    planted.cookies[session.COOKIE] = kept.value
    assert planted.get("/follow/status")["Location"] == "/follow"
    left = browser.get("/leave").cookies["__Host-portal"]
    assert (left.value, left["secure"], left["path"]) == ("", True, "/")
