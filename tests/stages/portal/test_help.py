"""Help near by: the nearest country's, only while it is verified."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

import pytest
from django.conf import LazySettings
from django.test import Client

from holdfast.base import clock
from holdfast.base.errors import InvalidInput
from holdfast.base.events import Kind
from holdfast.base.models import Event
from holdfast.intake import helplines
from holdfast.notifications.alarm_codes import alarm_words
from tests.world import World

pytestmark = pytest.mark.django_db

ENTRY = """
countries:
  SE:
    languages: [sv]
    lines:
      - {{name: Testlinjen, phone: "555", url: "", hours: Day and night, who: For all,
         source: "https://example.org/", source_of: "2026",
         verified_on: 2026-01-01, expires_on: {expires_on}}}
"""


@pytest.fixture
def own(settings: LazySettings, tmp_path_factory: pytest.TempPathFactory) -> date:
    """An installation whose own Swedish line expires in 20 days."""
    home = tmp_path_factory.mktemp("home")
    expires_on = clock.now().date() + timedelta(days=20)
    text = ENTRY.format(expires_on=expires_on)
    (home / helplines.OWN_NAME).write_text(text, encoding="utf-8")
    settings.HOLDFAST_HOME = home
    helplines.book.cache_clear()
    return expires_on


@pytest.fixture(autouse=True)
def afresh() -> object:
    helplines.book.cache_clear()
    yield
    helplines.book.cache_clear()


@pytest.mark.parametrize(
    ("languages", "code"),
    [
        (["nb-no", "nb"], "NO"),
        (["en-gb", "en"], "GB"),
        (["en-us"], "US"),
        (["en", "sv"], "SE"),
        (["en-SE"], "SE"),
        (["fi"], "FI"),
        (["de-CH", "de"], "DE"),
        (["en"], None),
        (["", "xx-YY", "*"], None),
        ([], None),
    ],
)
def test_the_nearest_country_is_told_by_the_languages_alone(
    languages: list[str], code: str | None
) -> None:
    found = helplines.book().nearest(languages)
    assert (found.code if found else None) == code


def test_every_page_has_the_nearest_lines_and_a_way_to_all(world: World) -> None:
    at = helplines.book().countries[0].lines[0].verified_on + timedelta(days=1)
    now = clock.now()
    with clock.shifted(datetime.combine(at, now.timetz()) - now):
        norwegian = Client(HTTP_ACCEPT_LANGUAGE="nb-NO").get("/follow")
        page = norwegian.content.decode()
        assert 'href="tel:116111"' in page
        assert 'href="tel:112"' in page
        english = Client(HTTP_ACCEPT_LANGUAGE="en").get("/follow").content.decode()
        assert "tel:" not in english, (
            "Where they are is not known, so nothing is guessed."
        )
        assert 'href="/help"' in english
        every = Client(HTTP_ACCEPT_LANGUAGE="en").get("/help").content.decode()
    for words in ("Norway", "Childline", "tel:911", "Child Helpline International"):
        assert words in every
    assert 'rel="noreferrer"' in every


@pytest.mark.parametrize(
    ("browser", "chosen", "country"),
    [
        ("en-US,en", "nb", "Norge"),
        ("en", "nb", "Norge"),
        ("en-US,en", "en", "United States"),
        # Somebody has set these: what they say counts.
        ("en-SE,en", "nb", "Sverige"),
        ("da-DK,en-US", "nb", "Danmark"),
    ],
)
def test_a_language_that_was_chosen_says_more_than_a_telephone_as_it_was_sold(
    world: World, browser: str, chosen: str, country: str
) -> None:
    at = helplines.book().countries[0].lines[0].verified_on + timedelta(days=1)
    now = clock.now()
    client = Client(HTTP_ACCEPT_LANGUAGE=browser)
    with clock.shifted(datetime.combine(at, now.timetz()) - now):
        client.post("/language", {"language": chosen, "next": "/help"})
        near = client.get("/help").context["near"]
    assert near.country == country


def test_an_expired_entry_is_hidden_and_staff_are_told_before(
    world: World, own: date
) -> None:
    def swedish() -> str:
        return Client(HTTP_ACCEPT_LANGUAGE="sv").get("/help").content.decode()

    def told() -> list[int]:
        alarms = Event.objects.filter(
            kind=Kind.ALARM_RAISED, about__entry="SE Testlinjen"
        )
        return [each.facts["days_left"] for each in alarms.order_by("id")]

    assert "Testlinjen" in swedish()
    assert "Bris" not in swedish(), "Their own country replaces ours."
    helplines.watch_helplines()
    assert told() == []
    with clock.shifted(timedelta(days=8)):
        helplines.watch_helplines()
        helplines.watch_helplines()
        assert "Testlinjen" in swedish()
    assert told() == [12]
    assert "helpline" in alarm_words(helplines.ALARM)
    with clock.shifted(timedelta(days=20)):
        assert "Testlinjen" not in swedish()
        assert "tel:555" not in swedish()


def test_every_entry_raises_one_alarm_when_all_have_expired(world: World) -> None:
    with clock.shifted(timedelta(days=1000)):
        page = Client(HTTP_ACCEPT_LANGUAGE="nb").get("/help").content.decode()
        helplines.watch_helplines()
    assert "tel:" not in page
    raised = Event.objects.filter(kind=Kind.ALARM_RAISED, facts__code=helplines.ALARM)
    assert raised.count() == len(list(helplines.book().entries()))


@pytest.mark.parametrize(
    "broken",
    [
        ENTRY.format(expires_on="soon"),
        "countries: {SE: {lines: [{name: X}]}}",
        "countries: {SE: {}}",
        "everywhere: [{name: X, who: Y}]",
    ],
)
def test_an_entry_without_source_and_dates_is_refused(broken: str) -> None:
    with pytest.raises(InvalidInput):
        helplines.read_book(broken)


def numbers_on(page: str) -> list[str]:
    """The numbers before the question of a page: what is read first."""
    main = page.index("<main")
    top = page[main : page.index("<form", main)]
    return re.findall(r'href="tel:([^"]+)"', top)


@pytest.mark.parametrize(
    ("language", "first", "also"),
    [("nb-NO", "112", "116123"), ("en-GB", "999", "116123"), ("en", "112", "911")],
)
def test_self_harm_shows_numbers_before_anything_more_is_asked(
    world: World, language: str, first: str, also: str
) -> None:
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    client.post("/", {"category": "self_harm"})
    page = client.get("/report/where").content.decode()
    assert numbers_on(page)[0] == first
    assert also in numbers_on(page)
    # At the top, and not once more at the foot of a page that is long already.
    every = re.findall(r'href="tel:([^"]+)"', page)
    assert len(every) == len(set(every))
    wrong = client.post("/report/where", {"category": "self_harm"}).content.decode()
    assert numbers_on(wrong) == numbers_on(page)
    client.post("/report/where", {"category": "self_harm", "words": "A friend."})
    assert numbers_on(client.get("/report/received").content.decode())[0] == first
    assert numbers_on(client.get("/report/more/danger").content.decode())[0] == first
    client.post("/", {"category": "copyright"})
    assert not numbers_on(client.get("/report/where").content.decode())


def test_an_expired_emergency_number_is_hidden_and_never_leaves_none(
    world: World, own: date
) -> None:
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.post("/", {"category": "self_harm"})
    assert len(numbers_on(client.get("/report/where").content.decode())) == 3
    last = max(each.expires_on for each in helplines.book().emergency)
    now = clock.now()
    after = datetime.combine(last, now.timetz()) - now
    with clock.shifted(after - timedelta(days=1)):
        helplines.watch_helplines()
    told = Event.objects.filter(kind=Kind.ALARM_RAISED, facts__code=helplines.ALARM)
    assert "emergency In Europe" in told.values_list("about__entry", flat=True)
    with clock.shifted(after):
        late = Client(HTTP_ACCEPT_LANGUAGE="en")
        late.post("/", {"category": "self_harm"})
        page = late.get("/report/where").content.decode()
    assert numbers_on(page) == ["112"]
    assert "From most mobile phones" in page
