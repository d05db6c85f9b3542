"""Hearing from us, and what we tell whom, in a real Chromium.

Set ``HOLDFAST_PAGES`` to a folder and pictures of the pages are left there to look at.
"""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from holdfast.intake.models import Contact
from tests.browser.browser import (
    NARROW,
    WIDE,
    Visitor,
    assert_accessible,
    assert_fits,
    follow,
)
from tests.browser.test_console import DESK, check, enter
from tests.browser.test_portal import press, send_report
from tests.stages.console.desk import colleague, look, read, reported
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db(transaction=True)
PICTURES = os.environ.get("HOLDFAST_PAGES", "")
COLOURS = ("light", "dark")


def inspect(page: Page, name: str) -> None:
    """On a phone and on a desk, light and dark; pictures when somebody wants them."""
    for width, colours in product((NARROW, WIDE), COLOURS):
        height = 640 if width == NARROW else 800
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
        if PICTURES:
            folder = Path(PICTURES)
            folder.mkdir(parents=True, exist_ok=True)
            picture = folder / f"{name}-{width}-{colours}.png"
            page.screenshot(path=picture, full_page=True)
        assert_fits(page)
        if (width, colours) in ((NARROW, "dark"), (WIDE, "light")):
            assert_accessible(page)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_leaving_an_address_and_taking_it_back(
    world: World, visitor: Visitor, settings: Settings, scripts: bool
) -> None:
    settings.EMAIL_HOST = "127.0.0.1"
    settings.HOLDFAST_TEXT_WEBHOOK = "http://127.0.0.1:1/"
    world.post("1", encoded(photograph()))
    page = visitor.open("/", scripts=scripts)
    send_report(page)
    page.goto("/follow/status")
    follow(page.get_by_role("link", name="Messages to my e-mail or phone"))
    if scripts:
        inspect(page, "hearing")
    press(page, "Send me messages like this")
    expect(page.get_by_role("alert")).to_be_visible()
    if scripts:
        inspect(page, "hearing-mistake")
    page.get_by_role("textbox").fill("me@example.org")
    press(page, "Send me messages like this")
    expect(page.locator("main")).to_contain_text("one short message goes there")
    page.goto("/follow/contact")
    expect(page.locator("main")).to_contain_text("m…@example.org")
    if scripts:
        inspect(page, "hearing-kept")
    letter(page, visitor, scripts=scripts)
    page.goto("/follow/contact")
    press(page, "Forget how to reach me")
    expect(page.locator("main")).to_contain_text("We keep no e-mail address")
    assert not Contact.objects.filter(withdrawn_at=None).exists()


def letter(page: Page, visitor: Visitor, *, scripts: bool) -> None:
    """Whoever opens the link of a letter, with a browser of their own."""
    link = Contact.objects.get().link
    reader = visitor.open(f"/m/{link}", scripts=scripts)
    if scripts:
        inspect(reader, "letter")
    press(reader, "Yes, you may write to me here")
    expect(reader.get_by_role("status").last).to_contain_text("can come here now")
    if scripts:
        inspect(reader, "letter-confirmed")
    follow(reader.get_by_role("link", name="Go on"))
    expect(reader.get_by_role("heading", level=1)).to_contain_text("your words")


def test_what_we_tell_whom(visitor: Visitor, world: Any) -> None:
    ada = colleague("Ada Sample", "reviewer", "specialist", signed_in=False)
    page = enter(visitor, ada, "/console/messages")
    check(page, "messages-empty")
    item, case = reported(world)
    look(case, item, ada)
    read(case, ada)
    page.goto("/console/messages")
    expect(page.get_by_label("Case")).to_have_value(case.number)
    check(page, "messages")
    page.get_by_label("Case").fill("nonsense")
    follow(page.get_by_role("button", name="Show with this case"))
    expect(page.locator("main")).to_contain_text("no open or decided case")
    check(page, "messages-unknown")
    assert page.viewport_size == {"width": DESK, "height": 900}
