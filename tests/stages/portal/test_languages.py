"""The portal speaks the language of whoever is there, and they can change it."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.urls import URLPattern, reverse
from django.utils import translation

from holdfast.base.by import By, Permission
from holdfast.base.errors import InvalidInput
from holdfast.intake.models import Report
from holdfast.intake.operations import MAX_TARGETS, TargetGiven, add_targets
from holdfast.languages.catalogues import compile_all
from holdfast.languages.choice import nearest, of_browser
from holdfast.languages.extraction import PACKAGE
from holdfast.web.portal import urls
from tests.languages.test_catalogues import written
from tests.stages.portal import walk
from tests.stages.portal.test_picture import fingerprint
from tests.stages.portal.walk import Browser as Client
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def arabic(settings: LazySettings, tmp_path: Path) -> None:
    """An installation with a language of its own, and a text of its own."""
    own = tmp_path / "own"
    written(own, "ar.po", ("Tell us what is wrong", "أخبرنا ما المشكلة"))
    written(own, "en.po", ("Tell us what is wrong", "Tell Plaza what is wrong"))
    found = compile_all((PACKAGE / "languages", own), tmp_path / "cache")
    settings.LANGUAGES = list(found.named)
    settings.LOCALE_PATHS = [found.folder]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("nb-NO,nb;q=0.9,en-US;q=0.6", "nb"),
        ("no", "nb"),
        ("nn-NO,nn;q=0.9", "nb"),
        ("en-GB,nb;q=0.5", "en"),
        ("xx,de;q=0.9,nb;q=0.1", "nb"),
        ("xx", "en"),
        ("*", "en"),
        ("../../etc,nb", "en"),
    ],
)
def test_the_language_is_what_the_browser_asks_for(
    world: World, accepted: str, language: str
) -> None:
    assert of_browser(accepted) == language
    answer = Client(HTTP_ACCEPT_LANGUAGE=accepted).get("/")
    assert answer["Content-Language"] == language
    assert f'<html lang="{language}" dir="ltr">' in answer.content.decode()
    assert "Accept-Language" in answer["Vary"]


def test_nothing_that_we_do_not_have_is_nearest() -> None:
    assert nearest("nb-NO") == "nb"
    assert nearest("no") == "nb"
    assert nearest("zh") == nearest("") == nearest("a" * 600) == ""


def test_a_choice_holds_for_the_visit_and_goes_into_the_report(world: World) -> None:
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    chosen = client.post("/language", {"language": "nb", "next": "/follow"})
    assert chosen["Location"] == "/follow"
    assert client.get("/follow")["Content-Language"] == "nb"
    assert walk.report(client).language == "nb"
    assert client.get("/follow/status")["Content-Language"] == "nb"
    client.post("/follow/finished")
    assert client.get("/follow/finished")["Content-Language"] == "nb"
    assert client.get("/nowhere")["Content-Language"] == "nb"


def test_changing_it_on_a_question_keeps_what_was_written(world: World) -> None:
    client = Client()
    client.post("/", {"category": walk.CHILD})
    given = {"category": walk.CHILD, "words": "He said <hello>", "language": "nb"}
    answer = client.post("/report/where", given)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "He said &lt;hello&gt;" in page
    assert '<html lang="nb"' in page
    assert 'role="alert"' not in page
    assert answer["Content-Language"] == "nb"
    assert not Report.objects.exists(), "Changing the language sends nothing."
    # An empty question is not scolded for being empty, either.
    empty = client.post("/", {"language": "en"})
    assert 'role="alert"' not in empty.content.decode()


IN_ADDRESS: Final = {
    "name": ("words", "link"),
    "message": (str(UUID(int=0)),),
    "link": ("x",),
}
"""What an address may hold."""
SENT: Final[tuple[dict[str, str] | None, ...]] = (
    None,
    {},
    {"language": "nb"},
    fingerprint(),
)
"""A page asked for, one with an empty answer, one in another language, a picture."""
FAR: Final = ("nothing", "category", "report", "saved")
"""How far a visit has come."""
NO_PAGE: Final = {
    "saved",
    "leave",
    "language",
    "link",
    "challenge",
    "forget_contact",
    "stop_watching",
    "release_contact",
}
"""The addresses that lead on, or are a file."""


def test_the_switch_of_every_page_works_on_that_page(
    world: World, settings: LazySettings
) -> None:
    settings.EMAIL_HOST = "127.0.0.1"
    met = set()
    visits = {far: _visit(far).cookies for far in FAR}
    for pattern, given, far in product(urls.urlpatterns, SENT, visits):
        name = str(pattern.name)
        for path in _addresses(pattern):
            client = Client()
            client.cookies.load(visits[far].output(header="", attrs=[]))
            answer = client.get(path) if given is None else client.post(path, given)
            if "text/html" not in answer["Content-Type"] or answer.status_code == 302:
                continue
            page = answer.content.decode()
            buttons = re.findall(r'<button[^>]* name="language"[^>]*>', page)
            if not buttons:
                continue
            met.add(name)
            for form in re.findall(r' form="([^"]*)"', "".join(buttons)):
                assert page.count(f'<form id="{form}" method="post"') == 1, path
    assert met == {str(each.name) for each in urls.urlpatterns} - NO_PAGE


def _addresses(pattern: URLPattern) -> list[str]:
    held = list(pattern.pattern.converters)
    every = product(*(IN_ADDRESS[each] for each in held))
    return [
        reverse(f"portal:{pattern.name}", kwargs=dict(zip(held, each, strict=True)))
        for each in every
    ]


def _visit(far: str) -> Client:
    client = Client()
    if far == "category":
        client.post("/", {"category": walk.CHILD})
    if far in ("report", "saved"):
        walk.report(client)
    if far == "saved":
        client.post("/report/received")
    return client


@pytest.mark.parametrize(
    ("path", "given", "says"),
    [
        ("/follow/hold", {"mine": "nobody"}, "Vi finner ikke kontoen din"),
        (
            "/report/picture",
            {**fingerprint(), "quality": "1"},
            "Bildet har for få detaljer",
        ),
        ("/m/x", {}, "Denne lenken fører ikke lenger noe sted"),
    ],
)
def test_a_refusal_is_in_the_language_of_whoever_is_refused(
    world: World, path: str, given: dict[str, str], says: str
) -> None:
    client = Client(HTTP_ACCEPT_LANGUAGE="nb")
    walk.report(client)
    assert says in client.post(path, given).content.decode()


def test_what_is_refused_below_the_pages_is_english_without_a_reader(
    world: World,
) -> None:
    report = walk.report(Client(HTTP_ACCEPT_LANGUAGE="nb"))
    by = By("public", "portal", frozenset({Permission.REPORT_FOLLOW}))
    too_many = [
        TargetGiven(description=f"number {each}") for each in range(MAX_TARGETS)
    ]
    with pytest.raises(InvalidInput, match="One report holds up to 50 things"):
        add_targets(report.id, too_many, by=by)
    with translation.override("nb"), pytest.raises(InvalidInput, match="opptil 50"):
        add_targets(report.id, too_many, by=by)


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "javascript:1", ""]
)
def test_the_switch_leads_to_no_other_site(world: World, elsewhere: str) -> None:
    answer = Client().post("/language", {"language": "nb", "next": elsewhere})
    assert answer["Location"] == "/"


def test_a_language_that_we_do_not_have_changes_nothing(world: World) -> None:
    client = Client()
    client.post("/language", {"language": "xx", "next": "/"})
    assert client.get("/")["Content-Language"] == "en"


def test_the_console_and_the_api_stay_in_english(world: World) -> None:
    client = Client(HTTP_ACCEPT_LANGUAGE="nb")
    for path in ("/console/sign-in", "/api/v1/items/x"):
        assert client.get(path)["Content-Language"] == "en"


def test_a_platforms_own_language_and_own_words_are_used(
    world: World, arabic: None
) -> None:
    page = Client(HTTP_ACCEPT_LANGUAGE="ar-EG").get("/").content.decode()
    assert '<html lang="ar" dir="rtl">' in page
    assert "أخبرنا ما المشكلة" in page
    english = Client().get("/").content.decode()
    assert "Tell Plaza what is wrong" in english
    assert 'value="ar" lang="ar"' in english
