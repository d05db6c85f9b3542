"""When something goes wrong: the pages that Django shows, made to appear for real."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from holdfast.web.length import MAX_FORM_BYTES
from tests.browser.browser import (
    NARROW,
    WIDE,
    Visitor,
    assert_accessible,
    assert_fits,
    follow,
)
from tests.browser.test_console import enter
from tests.stages.console.desk import colleague
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)

WAYS = ["Go to the start", "Come back with your words"]
"""From a page of the portal that could not be shown somebody can go on."""
TOO_MANY = 1001  # fields; Django takes 1,000 (DATA_UPLOAD_MAX_NUMBER_FIELDS).
LOOKS: tuple[tuple[int, Literal["light", "dark"]], ...] = (
    (WIDE, "light"),
    (NARROW, "dark"),
)


def check(page: Page, title: str, *, console: bool) -> None:
    """The right page, in the look of its place, for everybody."""
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    leaves = page.get_by_role("navigation", name="Leave")
    expect(leaves).to_have_count(0 if console else 1)
    back = page.get_by_role("link", name="Back to the start")
    expect(back).to_have_count(1 if console else 0)
    ways = page.locator("main").get_by_role("link")
    names = ["Back to the start"] if console else WAYS
    assert ways.all_inner_texts() == names
    for width, colours in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=colours)
        assert_fits(page)
        assert_accessible(page)


def break_it(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("broken for a test")


def test_a_fault_in_the_portal(
    world: World, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Opened before it breaks: the first visit imports the views, and a name that is
    # imported while it is patched stays broken for good.
    page = visitor.open("/")
    monkeypatch.setattr("holdfast.policy.queries.current", break_it)
    page.reload()
    check(page, "Something went wrong", console=False)
    assert "broken for a test" not in page.content()


def test_a_fault_in_the_console(
    world: World, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = enter(visitor, colleague("Ada Sample", "reviewer", signed_in=False))
    with monkeypatch.context() as patch:
        patch.setattr("holdfast.web.console.views.queue.queue", break_it)
        page.goto("/console/")
        check(page, "Something went wrong", console=True)
    assert "broken for a test" not in page.content()
    follow(page.get_by_role("link", name="Back to the start"))
    expect(page.get_by_text("Nothing is waiting here.")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "console"), [("/", False), ("/console/sign-in", True)]
)
def test_a_form_that_cannot_be_read(
    world: World, visitor: Visitor, path: str, console: bool
) -> None:
    page = visitor.open(path)
    page.evaluate(
        """many => {
            const form = document.querySelector("main form");
            for (let number = 0; number < many; number++) {
                const field = document.createElement("input");
                field.type = "hidden";
                field.name = `more${number}`;
                form.append(field);
            }
            form.noValidate = true;
            form.submit();
        }""",
        TOO_MANY,
    )
    check(page, "This could not be read", console=console)


@pytest.mark.parametrize(
    ("path", "console"), [("/", False), ("/console/sign-in", True)]
)
def test_a_form_that_is_too_long(
    world: World, visitor: Visitor, path: str, console: bool
) -> None:
    page = visitor.open(path)
    page.evaluate(
        """bytes => {
            const form = document.querySelector("main form");
            const field = document.createElement("input");
            field.type = "hidden";
            field.name = "more";
            field.value = "x".repeat(bytes);
            form.append(field);
            form.noValidate = true;
            form.submit();
        }""",
        3 * MAX_FORM_BYTES,
    )
    check(page, "This is too much at once", console=console)


def test_a_form_of_the_console_whose_mark_is_gone(
    world: World, visitor: Visitor
) -> None:
    page = visitor.open("/console/sign-in")
    page.get_by_label("E-mail").fill("somebody@example.org")
    page.get_by_label("Password").fill("a password")
    page.context.clear_cookies(name="csrf")
    follow(page.get_by_role("button", name="Sign in"))
    check(page, "This page was open for too long", console=True)


@pytest.mark.parametrize(
    ("path", "console"), [("/no/such/page", False), ("/console/nowhere", True)]
)
def test_no_such_page(visitor: Visitor, path: str, console: bool) -> None:
    check(visitor.open(path), "There is no such page", console=console)
