"""The portal in a real Chromium: with scripts and without, by keyboard, on a phone."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from holdfast.items.models import Item, ItemState
from tests.browser.browser import Visitor, assert_accessible, follow
from tests.world import World, encoded, photograph

CHILD = "A child is shown naked or in a sexual way"
POST = "https://plaza.example/p/1"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plaza(world: World) -> World:
    """A platform with one post and one copy of it."""
    picture = encoded(photograph())
    world.post("1", picture)
    world.post("2", picture, actor="other")
    return world


def press(page: Page, name: str) -> None:
    follow(page.get_by_role("button", name=name))


def choose(page: Page, answer: str) -> None:
    """Press the words, as people do, and not the small circle beside them."""
    page.locator("label", has_text=re.compile(rf"^{answer}")).click()


def send_report(page: Page, address: str = POST) -> str:
    """From the first page to the receipt; the words on it."""
    page.goto("/")
    choose(page, CHILD)
    press(page, "Continue")
    page.get_by_label("Address").fill(address)
    press(page, "Send my report")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Thank you for telling us"
    )
    return page.locator(".codename").inner_text()


def test_times_are_told_in_the_readers_own_zone(plaza: World, visitor: Visitor) -> None:
    page = visitor.open("/", zone="Asia/Tokyo")
    send_report(page)
    when = page.locator("main .deadlines time").first
    due_at = datetime.fromisoformat(str(when.get_attribute("datetime")))
    there = due_at.astimezone(ZoneInfo("Asia/Tokyo"))
    expect(when).to_contain_text(re.compile(f"{there:%I:%M}|{there:%H:%M}"))
    expect(when).to_contain_text(str(there.day))
    expect(when).not_to_contain_text("UTC")
    # Without scripts nobody knows where somebody is, and the zone is named.
    page = visitor.open("/", zone="Asia/Tokyo", scripts=False)
    send_report(page)
    expect(page.locator("main .deadlines time").first).to_contain_text("UTC")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_the_whole_way_there_and_back(
    plaza: World, visitor: Visitor, scripts: bool
) -> None:
    page = visitor.open("/", scripts=scripts)
    words = send_report(page)
    assert set(Item.objects.values_list("state", flat=True)) == {ItemState.FROZEN}
    expect(page.locator("main")).to_contain_text("We have told Plaza to hide this")
    printing = page.get_by_role("button", name="Print this page")
    expect(printing).to_have_count(1 if scripts else 0)
    press(page, "I have saved my words")
    choose(page, "Yes, somebody is being hurt")
    press(page, "Save and go on")
    expect(page.locator("main a[href='tel:112']")).to_be_visible()
    follow(page.get_by_role("link", name="Go on"))
    choose(page, "Me")
    press(page, "Save and go on")
    for _time in range(4):
        follow(page.get_by_role("link", name="Skip this question"))
    page.get_by_role("textbox").fill("They keep writing to me.")
    press(page, "Save and go on")
    expect(page.get_by_role("status").last).to_contain_text("part of your report")
    expect(page.locator(".answers")).to_contain_text("They keep writing to me.")
    follow(page.get_by_role("link", name=re.compile("Change.*Who it is about")))
    choose(page, "My child")
    press(page, "Add this")
    expect(page.locator(".answers")).to_contain_text("My child")
    follow(page.get_by_role("link", name="See what is happening"))
    press(page, "Close my report")
    page.goto("/follow/status")
    expect(page).to_have_url(re.compile("/follow$"))

    again = visitor.open("/follow", scripts=scripts)
    again.get_by_role("textbox").fill(words)
    press(again, "Open my report")
    expect(again.locator(".codename")).to_have_text(words)
    press(again, "Yes, I have them")
    expect(again.locator("main")).to_contain_text("They keep writing to me.")
    assert again.locator("main img, main video").count() == 0


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_what_a_child_writes_is_not_kept_in_the_report_of_a_parent_at_its_side(
    plaza: World, visitor: Visitor, scripts: bool
) -> None:
    child = visitor.open("/", scripts=scripts)
    childs = send_report(child)
    child.goto("/follow/add/words")
    written = "I am afraid of my father."
    child.get_by_role("textbox").fill(written)
    parent = child.context.new_page()
    parents = send_report(parent, "https://plaza.example/p/2")
    press(child, "Add this")
    expect(child.locator("main")).to_contain_text(
        "nothing you wrote is lost", ignore_case=True
    )
    expect(child.locator("[name=answer]")).to_have_value(written)
    if scripts:
        assert_accessible(child)
    child.locator("[name=codename]").fill(childs)
    press(child, "Add this")
    expect(child.locator("main")).to_contain_text(written)

    again = visitor.open("/follow", scripts=scripts)
    again.get_by_role("textbox").fill(parents)
    press(again, "Open my report")
    press(again, "Yes, I have them")
    expect(again.get_by_role("heading", level=1)).to_have_text("Your report")
    expect(again.locator("main")).not_to_contain_text(written)


def test_the_whole_way_with_the_keyboard_alone(plaza: World, visitor: Visitor) -> None:
    page = visitor.open("/")
    tab_to(page, "input[name=category]")
    page.keyboard.press("Space")
    tab_to(page, "main button")
    enter(page)
    tab_to(page, "textarea[name=address]")
    page.keyboard.type(POST)
    tab_to(page, "main form button")
    enter(page)
    expect(page.locator(".codename")).to_be_visible()
    tab_to(page, "main form button")
    enter(page)
    tab_to(page, "main a.button-quiet")
    enter(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Who is it about?")


def enter(page: Page) -> None:
    """Press Enter and wait for the page it leads to.

    A Tab pressed before that page is there would move through the old one.
    """
    with page.expect_navigation():
        page.keyboard.press("Enter")


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is there; it must be seen where it is."""
    for _ in range(40):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and focused.evaluate("(e, s) => e.matches(s)", selector):
            ring = focused.evaluate(
                "e => [e, e.nextElementSibling].some(each => each &&"
                " getComputedStyle(each).outlineStyle !== 'none')"
            )
            assert ring, f"The focus on {selector} cannot be seen."
            return
    raise AssertionError(f"Tab does not reach {selector} on {page.url}")


def test_a_form_whose_mark_is_gone_keeps_what_was_written(
    plaza: World, visitor: Visitor
) -> None:
    page = visitor.open("/")
    choose(page, CHILD)
    press(page, "Continue")
    page.get_by_label("Address").fill(POST)
    page.context.clear_cookies(name="csrf")
    press(page, "Send my report")
    expect(page.get_by_role("alert")).to_contain_text("nothing you wrote is lost")
    assert_accessible(page)
    expect(page.get_by_label("Address")).to_have_value(POST)
    press(page, "Send my report")
    expect(page.locator(".codename")).to_be_visible()


def test_leaving_blanks_the_page_and_back_does_not_bring_it_up(
    plaza: World, visitor: Visitor
) -> None:
    page = visitor.open("/")
    send_report(page)
    for _ in range(3):
        page.keyboard.press("Shift")
    page.wait_for_url(re.compile("/blank$"))
    page.go_back()
    page.wait_for_url(re.compile("/blank$"))
    assert "Thank you" not in page.content()


@pytest.mark.parametrize("scripts", [True, False])
def test_only_where_scripts_run_is_it_said_what_they_do(
    plaza: World, visitor: Visitor, scripts: bool
) -> None:
    """Who has no scripts must not press Shift in front of somebody, and wait."""
    page = visitor.open("/safety", scripts=scripts)
    said = page.locator("body").inner_text()
    assert "If you do nothing for 15 minutes, we close your report." in said
    assert "To leave quickly, use the button at the top." in said
    for promise in ("cover the page", "press the Shift key", "Pressing the Shift key"):
        assert (promise in said) is scripts


def test_leaving_without_scripts_forgets_the_visit(
    plaza: World, visitor: Visitor
) -> None:
    page = visitor.open("/", scripts=False)
    send_report(page)
    follow(page.locator(".button-leave"))
    page.wait_for_url(re.compile("/blank$"))
    names = {each.get("name") for each in page.context.cookies()}
    assert not names & {"portal", "csrf"}
    page.goto("/follow/status")
    expect(page).to_have_url(re.compile("/follow$"))


def test_an_unused_page_of_a_report_is_covered_and_what_was_written_stays(
    plaza: World, visitor: Visitor
) -> None:
    page = visitor.open("/")
    page.clock.install()
    send_report(page)
    page.goto("/follow/add/words")
    page.get_by_role("textbox").fill("They write every")
    page.clock.run_for(14 * 60 * 1000)
    expect(page.locator("dialog")).to_be_hidden()
    page.clock.run_for(2 * 60 * 1000)
    expect(page.locator("dialog")).to_be_visible()
    assert_accessible(page)
    assert_covered(page)
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("dialog")).to_be_hidden()
    expect(page.get_by_role("textbox")).to_have_value("They write every")


def assert_covered(page: Page) -> None:
    """Nothing but the cover is drawn anywhere on the screen."""
    seen = page.evaluate(
        """() => {
          const seen = new Set();
          for (let x = 1; x < innerWidth; x += 40)
            for (let y = 1; y < innerHeight; y += 40)
              seen.add(Boolean(document.elementFromPoint(x, y).closest("dialog")));
          return [...seen];
        }"""
    )
    assert seen == [True]


def test_the_language_is_changed_and_what_was_written_stays(
    plaza: World, visitor: Visitor
) -> None:
    page = visitor.open("/", scripts=False)
    choose(page, CHILD)
    press(page, "Continue")
    page.get_by_label("Address").fill(POST)
    press(page, "Norsk bokmål")
    expect(page.locator("html")).to_have_attribute("lang", "nb")
    expect(page.locator("[name=address]")).to_have_value(POST)
    page.goto("/safety")
    assert page.locator("html").get_attribute("lang") == "nb"
    press(page, "English")
    expect(page).to_have_url(re.compile("/safety$"))
    assert page.locator("html").get_attribute("lang") == "en"
