"""The portal in a language that is one file, and is written from the right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from holdfast.intake import questions
from holdfast.languages.catalogues import compile_all
from holdfast.languages.extraction import PACKAGE
from tests.browser.browser import (
    NARROW,
    WIDE,
    Visitor,
    assert_accessible,
    assert_fits,
    follow,
)
from tests.browser.mirrored import CODE, NAME, mirrored, write_language
from tests.world import World

POST = "https://plaza.example/p/1"


@pytest.fixture
def third(tmp_path: Path) -> Iterator[None]:
    """An installation whose folder of languages has one file more."""
    (tmp_path / "languages").mkdir()
    write_language(tmp_path / "languages")
    folders = (PACKAGE / "languages", tmp_path / "languages")
    found = compile_all(folders, cache=tmp_path / "cache")
    with override_settings(
        LANGUAGES=list(found.named),
        LOCALE_PATHS=[found.folder],
        HOLDFAST_LANGUAGES_ALSO=dict(found.also),
    ):
        yield


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_every_page_holds_a_language_from_the_right(
    third: None, world: World, visitor: Visitor, width: int
) -> None:
    assert CODE in settings.LANGUAGES_BIDI
    world.post("1", b"")
    page = visitor.open("/", width=width)
    follow(page.get_by_role("button", name=NAME))

    def look(path: str = "") -> None:
        if path:
            page.goto(path)
        html = page.locator("html")
        assert (html.get_attribute("lang"), html.get_attribute("dir")) == (CODE, "rtl")
        assert_accessible(page)
        assert_fits(page)

    def send(words: str = "") -> None:
        if words:
            page.get_by_role("textbox").first.fill(words)
        follow(page.locator("main form button").first)
        look()

    look("/")
    assert mirrored("Continue") in page.locator("main").inner_text()
    # What begins a line stands at the right.
    box = page.locator("h1").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] > width / 2
    send()
    page.locator(".choice label").first.click()
    send()
    send()
    send(POST)
    words = page.locator(".codename").inner_text()
    send()
    for question in questions.QUESTIONS:
        look(f"/report/more/{question.code}")
    for path in (
        "/report/review",
        "/report/law",
        "/follow/status",
        "/follow/add/words",
    ):
        look(path)
    send("They write to me.")
    for path in ("/safety", "/open", "/help", "/police", "/there-is-no-such-page"):
        look(path)
    look("/follow")
    send("a b c d e")
    send(words)
