"""Plaza's pages in a real browser: usable by keyboard, narrow, and clean for axe."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.browser import arguments, find_chromium, follow
from tests.client.conftest import until
from tests.plaza.conftest import Network, picture


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=find_chromium(), args=arguments()
        )
        yield chromium
        chromium.close()


@pytest.fixture(params=[1280, 320], ids=["wide", "narrow"])
def page(
    browser: Browser, network: Network, request: pytest.FixtureRequest
) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": request.param, "height": 900}, base_url=network.url
    )
    yield context.new_page()
    context.close()


def look(page: Page, name: str) -> None:
    """Axe finds nothing, nothing is cut off, and a picture is kept when asked for."""
    shots = os.environ.get("HOLDFAST_SCREENSHOTS")
    width = page.evaluate("document.documentElement.clientWidth")
    if shots:
        path = Path(shots) / f"plaza-{name}-{width}.png"
        page.screenshot(path=path, full_page=True)
    result = Axe().run(page)
    assert result.violations_count == 0, result.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_page_is_clean_wide_and_narrow(page: Page, network: Network) -> None:
    page.goto("/")
    look(page, "empty")
    page.goto("/join")
    look(page, "join")
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill("a long password")
    follow(page.get_by_role("button", name="Join"))
    page.get_by_label("What is new?").fill("A walk by the lake " + "w" * 60)
    follow(page.get_by_role("button", name="Post", exact=True))
    expect(page.get_by_role("heading", name="A post by ann")).to_be_attached()
    first = page.url.rsplit("/", 1)[1]

    post = network.post("ben", "The roof of the market", picture("steelblue", 640))
    network.ask("POST", f"/api/posts/{post['id']}/repost", "cy")
    for _ in range(4):
        network.ask("GET", f"/p/{post['id']}")
    page.goto("/")
    expect(page.get_by_text("Advertisement").first).to_be_visible()
    look(page, "feed")
    page.goto(f"/p/{post['id']}")
    page.get_by_text("Report the post by ben").click()
    look(page, "post")
    page.goto(f"/p/{first}/edit")
    look(page, "edit")
    page.goto("/u/ben")
    look(page, "profile")
    network.ask("POST", "/api/messages/ann", "ben", data={"text": "Hello ann"})
    page.goto("/messages")
    look(page, "messages")
    page.goto("/messages/ben")
    look(page, "conversation")
    network.freeze(first)
    network.order(
        "statement", f"item:{first}", kind="freeze", words="Your post is looked at."
    )
    page.goto("/account")
    expect(page.get_by_text("Your post is looked at.")).to_be_visible()
    look(page, "account")
    page.goto(f"/p/{first}")
    look(page, "frozen")
    page.goto("/")
    follow(page.get_by_role("button", name="Sign out"))
    page.goto("/sign-in")
    look(page, "sign-in")
    actor = network.contract.items[first]["actor"]
    network.order("suspend", f"actor:{actor}")
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill("a long password")
    follow(page.get_by_role("button", name="Sign in"))
    expect(page.get_by_role("heading", name="suspended")).to_be_visible()
    look(page, "suspended")


def test_anybody_reports_by_keyboard_in_as_many_steps_as_for_copyright(
    page: Page, network: Network
) -> None:
    post = network.post("ben", "Look", picture())
    page.goto(f"/p/{post['id']}")
    links = page.locator("details.report a")
    assert "child" in links.nth(0).get_attribute("href").rsplit("/", 1)[1]  # type: ignore[union-attr]  # Every link has an address.
    steps = {}
    # Part of the label: Plaza's own menu stands until it has read Holdfast's.
    for label in ("harms a child", "Copyright"):
        page.goto(f"/p/{post['id']}")
        page.locator("details.report summary").focus()
        page.keyboard.press("Enter")
        page.get_by_role("link", name=label).focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Report")).to_be_visible()
        look(page, f"report-{label.split()[0].lower()}")
        page.get_by_role("button", name="Send the report").focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="We have your report")).to_be_visible()
        steps[label] = page.evaluate("history.length")
    look(page, "receipt")
    first, second = steps.values()
    assert second - first == first - 1, "The same number of steps for both."
    assert [each["category"] for each in network.contract.reports] == [
        "child_other",
        "copyright",
    ]
    expect(page.get_by_text("amber river seven")).to_be_visible()


def test_a_report_while_holdfast_is_down_says_so_and_shows_the_receipt_later(
    page: Page, network: Network
) -> None:
    post = network.post("ben", "Look")
    network.contract.down()
    page.goto(f"/report/item/{post['id']}/child_other")
    follow(page.get_by_role("button", name="Send the report"))
    expect(page.get_by_role("heading", name="Your report is safe")).to_be_visible()
    look(page, "waiting")
    network.contract.up()

    def has_come() -> bool:
        follow(page.get_by_role("link", name="Look again"))
        return page.get_by_role("heading", name="We have your report").is_visible()

    until(has_come)
    expect(page.get_by_text("amber river seven")).to_be_visible()
