"""The other doors in a real browser, on a desk and on a phone.

Set ``HOLDFAST_PAGES`` to a folder and pictures of the pages are left there to look at.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from holdfast.base import clock
from holdfast.intake.models import Report
from holdfast.items.models import Actor
from holdfast.web.console.views import entering
from holdfast.web.portal import door
from tests.browser.browser import NARROW, Visitor, follow
from tests.browser.test_console import EVERYBODY, check, enter
from tests.stages.console.desk import colleague
from tests.stages.door.test_waves_and_misuse import (
    INTENTION,
    REASON,
    unfounded,
    warn,
)

pytestmark = pytest.mark.django_db(transaction=True)


def slowly(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    """What a page calls by ``name`` takes a second, as under load."""
    real = getattr(module, name)

    def slow(*given: Any, **named: Any) -> Any:
        time.sleep(1)
        return real(*given, **named)

    monkeypatch.setattr(module, name, slow)


def press_twice(page: Page, button: str) -> None:
    """As somebody does who does not know whether the first press counted.

    By the keyboard, which does not wait for the page that the first press asks for. Two
    presses at once would be one: the browser gives the first up before it is sent.
    """
    page.get_by_role("button", name=button).focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(400)
    page.keyboard.press("Enter")


def test_a_call_is_entered_and_its_words_changed(
    visitor: Visitor, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = colleague("Ada Sample", *EVERYBODY, signed_in=False)
    page = enter(visitor, ada, "/console/enter")
    check(page, "enter-report")
    follow(page.get_by_role("button", name="File the report"))
    expect(page.get_by_role("alert")).to_contain_text("Choose how it came.")
    check(page, "enter-report-errors")
    page.get_by_label("By telephone").check()
    page.get_by_label("What is it about?").select_option(index=1)
    page.get_by_label("Where is it?").fill("https://plaza.example/p/1")
    slowly(monkeypatch, entering, "receipt_of")
    press_twice(page, "File the report")
    expect(page.get_by_text("The button was pressed twice.")).to_be_visible()
    expect(page.get_by_role("heading", name="Report entered")).to_be_visible()
    assert Report.objects.count() == 1
    check(page, "report-entered")
    told = page.locator(".once code").inner_text()
    phone = visitor.open("/follow", width=NARROW, scripts=False)
    phone.get_by_label("What are your words?").fill(told)
    follow(phone.get_by_role("button", name="Open my report"))
    follow(phone.get_by_role("button", name="Yes, I have them"))
    follow(phone.get_by_role("link", name="Get new words"))
    page = visitor.open("/follow", width=NARROW)
    page.get_by_label("What are your words?").fill(told)
    follow(page.get_by_role("button", name="Open my report"))
    follow(page.get_by_role("link", name="Get new words"))
    check(page, "new-words")
    follow(page.get_by_role("button", name="Give me new words"))
    expect(page.get_by_role("heading", name="Your new words")).to_be_visible()
    check(page, "new-words-given")
    follow(page.get_by_role("button", name="I have saved my words"))
    expect(page.get_by_role("heading", name="Your report", exact=True)).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_whoever_presses_twice_on_a_phone_has_reported_once(
    visitor: Visitor, world: Any, scripts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowly(monkeypatch, door, "hold_up")
    page = visitor.open("/", width=NARROW, scripts=scripts)
    page.get_by_label("Something else", exact=True).check()
    follow(page.get_by_role("button", name="Continue"))
    page.get_by_label("I don't know where it is").check()
    if scripts:
        check(page, "where")
    press_twice(page, "Send my report")
    expect(page.get_by_role("heading", name="We have your report")).to_be_visible()
    assert Report.objects.count() == 1
    told = page.locator(".codename").inner_text()
    follow(page.get_by_role("button", name="I have saved my words"))
    expect(page.get_by_text("Question 1. At most")).to_be_visible()
    if scripts:
        check(page, "first-question")
    other = visitor.open("/follow", width=NARROW)
    other.get_by_label("What are your words?").fill(told)
    follow(other.get_by_role("button", name="Open my report"))
    expect(other.get_by_role("button", name="Yes, I have them")).to_be_visible()


def test_flaggers(visitor: Visitor, world: Any) -> None:
    ada = colleague("Ada Sample", *EVERYBODY, signed_in=False)
    page = enter(visitor, ada, "/console/flaggers")
    check(page, "flaggers-empty")
    page.get_by_label("Name of the organisation").fill("Hotline Nord")
    page.get_by_label("How to reach it").fill("desk@hotline.example")
    page.get_by_label("Copyright", exact=True).check()
    follow(page.get_by_role("button", name="Open it and show the key once"))
    expect(page.get_by_role("alert")).to_contain_text("Priority takes both")
    check(page, "flaggers-errors")
    page.get_by_label("Where a public list names it").fill("https://lists.example/17")
    soon = clock.now() + timedelta(days=90)
    page.get_by_label("To be looked up again by").fill(f"{soon:%Y-%m-%d}")
    follow(page.get_by_role("button", name="Open it and show the key once"))
    check(page, "flagger-key")
    follow(page.get_by_role("link", name="It is stored"))
    expect(page.get_by_role("heading", name="Hotline Nord")).to_be_visible()
    check(page, "flaggers")
    follow(page.get_by_role("link", name="Suspend the priority of Hotline Nord"))
    check(page, "flagger-suspend")


def test_the_police(visitor: Visitor, world: Any) -> None:
    page = visitor.open("/", width=NARROW)
    follow(page.get_by_role("link", name="For the police"))
    check(page, "police")
    follow(page.get_by_role("button", name="Send the report"))
    expect(page.get_by_role("alert")).to_contain_text("Write the name of your agency.")
    check(page, "police-errors")
    page.get_by_label("Your agency and unit").fill("Unit 4")
    page.get_by_label("Your telephone number at work").fill("02800")
    page.get_by_label("What is it about?").select_option(index=1)
    page.get_by_label("Where is it?").fill("https://plaza.example/p/1")
    follow(page.get_by_role("button", name="Send the report"))
    expect(page.get_by_text("Your words", exact=True)).to_be_visible()


def test_a_wave_and_who_misuses_reporting(visitor: Visitor, world: Any) -> None:
    actor, before = unfounded(world, 3)
    warn(actor, before)
    unfounded(world, 3, start=10)
    ada = colleague("Ada Sample", *EVERYBODY, signed_in=False)
    about = Actor.objects.get(external_id="harmless")
    page = enter(visitor, ada, f"/console/waves/{about.id}")
    check(page, "wave")
    page.goto(f"/console/waves/from/{before[0]}")
    check(page, "wave-from-place")
    page.goto(f"/console/waves/{about.id}")
    follow(page.get_by_role("link", name="zealot"))
    expect(page.get_by_text("Warned:")).to_be_visible()
    check(page, "reporter")
    follow(page.get_by_role("button", name="Suspend for these days"))
    expect(page.get_by_role("alert")).to_be_visible()
    check(page, "reporter-errors")
    boxes = page.get_by_role("checkbox")
    # What was reported before the warning cannot be chosen.
    expect(boxes).to_have_count(3)
    for place in range(3):
        boxes.nth(place).check()
    page.get_by_label("What shows the intention?").fill(INTENTION)
    page.get_by_label("Why is this misuse").fill(REASON)
    page.get_by_label("For how many days?").fill("30")
    follow(page.get_by_role("button", name="Suspend for these days"))
    expect(page.get_by_role("button", name="Lift it now")).to_be_visible()
    # Nothing is left that could count once more.
    expect(page.get_by_role("checkbox")).to_have_count(0)
    check(page, "reporter-suspended")
