"""A ten-year-old can read every page of a child's way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from holdfast.notifications.asking import ask_reporter
from holdfast.notifications.words import QUESTIONS
from holdfast.triage.models import Case
from tests.languages.reading import age_english, age_norwegian, syllables
from tests.stages.portal import walk
from tests.stages.portal.test_coming_back import STAFF, message_of
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db
MOST = 10.0  # years
AGES: dict[str, Callable[[str], float]] = {"en": age_english, "nb": age_norwegian}
HARD = {
    "en": "<p>Where the law gives you this right, you can also go to a certified "
    "out-of-court dispute settlement body, notwithstanding any previous decision.</p>",
    "nb": "<p>Der loven gir deg rett til det, kan du også bringe saken inn for et "
    "godkjent utenrettslig tvisteløsningsorgan, uavhengig av tidligere vedtak.</p>",
}


def pages(client: Client) -> dict[str, str]:
    """Every page of a child's way there and back, by its address."""
    read = {}

    def look(path: str) -> None:
        read[path] = client.get(path).content.decode()

    for path in ("/", "/open", "/safety", "/hidden"):
        look(path)
    client.post("/", {"category": walk.CHILD})
    look("/report/where")
    read["mistake"] = client.post("/report/where", {"category": "x"}).content.decode()
    report = walk.report(client)
    words = walk.codename(client)
    for question in QUESTIONS:
        ask_reporter(Case.objects.get().id, report.id, question, by=STAFF)
    look("/report/received")
    for name in ("danger", "about", "police", "words"):
        look(f"/report/more/{name}")
    look("/follow/status")
    for name in ("link", "words"):
        look(f"/follow/add/{name}")
    client.post("/follow/add/words", {"answer": "Hei hei"})
    read["erase"] = client.get(message_of(client, "Hei hei")).content.decode()
    look("/follow")
    client.post("/follow", {"codename": words})
    look("/follow/words")
    client.post("/follow/finished")
    look("/follow/finished")
    return read


@pytest.mark.parametrize("language", ["en", "nb"])
def test_every_page_of_the_childs_way_is_read_at_ten(
    world: World, language: str
) -> None:
    world.post("1", encoded(photograph()))
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    ages = {path: AGES[language](page) for path, page in pages(client).items()}
    assert len(ages) > 15
    assert {path: age for path, age in ages.items() if age > MOST} == {}


@pytest.mark.parametrize("language", ["en", "nb"])
def test_what_is_hard_to_read_is_found(language: str) -> None:
    assert AGES[language](HARD[language]) > MOST + 4


def test_syllables_are_counted_as_people_say_them() -> None:
    said = {"report": 2, "people": 2, "page": 1, "named": 1, "wanted": 2, "picture": 2}
    assert {word: syllables(word) for word in said} == said
