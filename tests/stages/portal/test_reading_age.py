"""A ten-year-old can read every page of a child's way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from holdfast.intake.queries import reported
from holdfast.notifications.asking import ask_reporter
from holdfast.notifications.words import QUESTIONS
from holdfast.policy.rules import read_policy
from holdfast.triage.models import Case
from holdfast.web.portal.views.adding import asked_of
from tests.languages.reading import age_english, age_norwegian, syllables
from tests.stages.portal import walk
from tests.stages.portal.test_coming_back import STAFF, message_of
from tests.stages.portal.walk import Browser as Client
from tests.world import POLICY, World, encoded, photograph

pytestmark = pytest.mark.django_db
MOST = 10.0  # years
AGES: dict[str, Callable[[str], float]] = {"en": age_english, "nb": age_norwegian}
HARD = {
    "en": "<p>Where the law gives you this right, you can also go to a certified "
    "out-of-court dispute settlement body, notwithstanding any previous decision.</p>",
    "nb": "<p>Der loven gir deg rett til det, kan du også bringe saken inn for et "
    "godkjent utenrettslig tvisteløsningsorgan, uavhengig av tidligere vedtak.</p>",
}


CHILDREN = [
    each.code
    for each in read_policy(POLICY.read_text()).categories
    if each.child_safety
]


def pages(client: Client, category: str) -> dict[str, str]:
    """Every page of a child's way there and back, by its address."""
    read = {}

    def look(path: str, name: str = "") -> None:
        read[name or path] = client.get(path).content.decode()

    def sent(path: str, name: str, **answers: str) -> None:
        read[name] = client.post(path, answers).content.decode()

    for path in ("/", "/open", "/safety", "/hidden", "/report/picture"):
        look(path)
    sent("/", "nothing chosen")
    client.post("/", {"category": category})
    look("/report/where")
    sent("/report/where", "mistake", category=category)
    report = walk.report(client, category)
    words = walk.codename(client)
    for question in QUESTIONS:
        ask_reporter(Case.objects.get().id, report.id, question, by=STAFF)
    look("/report/received")
    for about in ("", "shown", "parent"):
        if about:
            client.post("/report/more/about", {"answer": about})
        for name in [each.code for each in asked_of(reported(report.id))]:
            look(f"/report/more/{name}", f"{name} ({about})")
        sent("/report/more/danger", f"danger left empty ({about})")
        look("/report/review", f"review ({about})")
    for danger in ("hurt", "suicide"):
        client.post("/report/more/danger", {"answer": danger})
        look("/report/danger", danger)
    for path in ("/report/law", "/report/change", "/follow/hold"):
        look(path)
    look("/follow/status")
    for name in ("link", "words"):
        look(f"/follow/add/{name}")
    client.post("/follow/add/words", {"answer": "Hei hei"})
    read["erase"] = client.get(message_of(client, "Hei hei")).content.decode()
    look("/follow")
    client.post("/follow", {"codename": words})
    look("/follow/words")
    client.post("/follow/words")
    look("/follow/new-words")
    client.post("/follow/finished")
    look("/follow/finished")
    return read


@pytest.mark.parametrize("language", ["en", "nb"])
@pytest.mark.parametrize("category", CHILDREN)
def test_every_page_of_the_childs_way_is_read_at_ten(
    world: World, category: str, language: str
) -> None:
    world.post("1", encoded(photograph()))
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    read = pages(client, category)
    assert [path for path, page in read.items() if "<main" not in page] == []
    ages = {path: AGES[language](page) for path, page in read.items()}
    assert len(ages) > 40
    assert {path: age for path, age in ages.items() if age > MOST} == {}


@pytest.mark.parametrize("language", ["en", "nb"])
def test_what_is_hard_to_read_is_found(language: str) -> None:
    assert AGES[language](HARD[language]) > MOST + 4


def test_syllables_are_counted_as_people_say_them() -> None:
    said = {"report": 2, "people": 2, "page": 1, "named": 1, "wanted": 2, "picture": 2}
    assert {word: syllables(word) for word in said} == said
