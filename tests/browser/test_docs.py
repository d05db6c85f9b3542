"""The page of the API's document, as people with different screens read it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.browser.browser import (
    NARROW,
    WIDE,
    Visitor,
    Weighed,
    assert_accessible,
    assert_fits,
    follow,
)

pytestmark = pytest.mark.django_db(transaction=True)

DOCS = "/api/v1/docs"
MAX_PAGE = 150_000  # bytes, with everything that a first visit brings along.
PICTURES = os.environ.get("HOLDFAST_PAGES", "")


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_everybody_can_read_it(
    visitor: Visitor, width: int, colours: Literal["light", "dark"]
) -> None:
    page = visitor.open("/blank", width=width)
    page.emulate_media(color_scheme=colours)
    page.goto(DOCS)
    expect(page.get_by_role("heading", level=1)).to_have_text("Holdfast platform API")
    assert_fits(page)
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(PICTURES) / f"docs-{width}-{colours}.png")
        page.screenshot(
            path=Path(PICTURES) / f"docs-{width}-{colours}-whole.png", full_page=True
        )
    assert_accessible(page)


def test_its_contents_lead_there_by_keyboard(visitor: Visitor) -> None:
    page = visitor.open(DOCS, scripts=False)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Go to the main part")
    link = page.get_by_role("navigation").get_by_role("link", name="File a report")
    link.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#post-api-v1-reports$"))
    expect(page.get_by_role("heading", name="File a report")).to_be_in_viewport()
    report = page.get_by_role("article", name="File a report")
    follow(report.get_by_role("link", name="422"))
    expect(page.locator("#problem-422")).to_be_in_viewport()


def test_it_is_light(visitor: Visitor) -> None:
    page = visitor.open("/blank")
    brought = Weighed(page, DOCS).weight()
    assert 20_000 < brought <= MAX_PAGE, f"{DOCS} brings {brought} bytes"
