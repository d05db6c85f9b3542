"""The flaggers' page in a real browser: on a desk, a phone, by keyboard, in Norwegian.

Set ``HOLDFAST_PAGES`` to a folder and pictures of the pages are left there to look at.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Page, expect

from holdfast.base import clock
from holdfast.intake.models import Flagger
from tests.browser.browser import NARROW, Visitor, follow
from tests.browser.test_console import EVERYBODY, check, enter
from tests.stages.console.desk import CSAM, PASSWORD, colleague
from tests.stages.flaggers.analysts import Analyst, account, analyst
from tests.stages.flaggers.test_page import both, decide
from tests.stages.review.test_languages import reported
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db(transaction=True)


def arrive(visitor: Visitor, kari: Analyst, **how: Any) -> Page:
    """Sign in through the page."""
    page = visitor.open("/flaggers/", **how)
    page.get_by_label("E-mail").fill(kari.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code").fill(kari.recovery_codes.pop())
    follow(page.get_by_role("button", name="Sign in"))
    expect(page).to_have_url("/flaggers/")
    return page


def test_the_first_sign_in(visitor: Visitor, world: World) -> None:
    kari = analyst(world, CSAM, signed_in=False)
    page = visitor.open("/flaggers/")
    check(page, "flagger-sign-in")
    follow(page.get_by_role("button", name="Sign in"))
    expect(page.get_by_role("alert")).to_be_visible()
    check(page, "flagger-sign-in-errors")
    page.get_by_label("E-mail").fill(kari.email)
    page.get_by_label("Password").fill(kari.one_time_password)
    follow(page.get_by_role("button", name="Sign in"))
    check(page, "flagger-enrol")
    secret = page.locator("p.hint code").inner_text()
    page.get_by_label("Code").fill("12")
    follow(page.get_by_role("button", name="Finish"))
    check(page, "flagger-enrol-errors")
    page.get_by_label("Code").fill(pyotp.TOTP(secret).at(clock.now()))
    page.get_by_label("Your own password").fill(PASSWORD)
    follow(page.get_by_role("button", name="Finish"))
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    check(page, "flagger-codes")
    follow(page.get_by_role("link", name="I have written them down"))
    expect(page.get_by_text("There is no report here.")).to_be_visible()
    check(page, "flagger-empty")


@pytest.mark.parametrize("scripts", [True, False])
def test_reporting_several_items(
    visitor: Visitor, world: World, *, scripts: bool
) -> None:
    for name, photo in (("1", "astronaut"), ("2", "cat")):
        world.post(name, encoded(photograph(photo)))
    kari = analyst(world, CSAM, signed_in=False)
    kari.enrol()
    page = arrive(visitor, kari, width=NARROW, scripts=scripts)
    follow(page.get_by_role("link", name="New report").first)
    follow(page.get_by_role("button", name="Send the report"))
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Write the reference that you gave it.")
    if scripts:
        check(page, "flagger-report-errors")
    page.get_by_label("Your own reference").fill("2026-00417")
    page.get_by_label("What is it about?").select_option(CSAM)
    page.get_by_label("Where is it?").fill(
        "https://plaza.example/p/1\nhttps://plaza.example/p/2"
    )
    if scripts:
        check(page, "flagger-report")
    follow(page.get_by_role("button", name="Send the report"))
    expect(page.get_by_role("status")).to_contain_text("It is in your scope")
    if scripts:
        check(page, "flagger-one")


def test_a_file(visitor: Visitor, world: World, tmp_path: Path) -> None:
    kari = analyst(world, CSAM, signed_in=False)
    kari.enrol()
    page = arrive(visitor, kari)
    follow(page.get_by_role("link", name="Send a file").first)
    follow(page.get_by_role("button", name="Send it"))
    expect(page.get_by_role("alert")).to_contain_text("Choose a file.")
    check(page, "flagger-file-errors")
    page.get_by_text("Codes for the category").click()
    check(page, "flagger-file")
    file = tmp_path / "reports.csv"
    file.write_text(
        "reference,category,urls,words,language\n"
        f"B-1,{CSAM},https://plaza.example/p/1,,en\n"
        "B-2,nonsense,https://plaza.example/p/2,,en\n"
        "B-3,copyright,https://plaza.example/p/3 https://plaza.example/p/a b,,en\n"
    )
    page.get_by_label("File").set_input_files(file)
    follow(page.get_by_role("button", name="Send it"))
    expect(page.get_by_text("2 new reports")).to_be_visible()
    expect(page.get_by_text("Of 1 line some addresses were not taken")).to_be_visible()
    check(page, "flagger-file-taken")


def test_the_list_and_one_report(visitor: Visitor, world: World) -> None:
    items = [
        world.post(name, encoded(photograph(photo)))
        for name, photo in (("1", "astronaut"), ("2", "cat"), ("3", "coffee"))
    ]
    kari = analyst(world, CSAM, signed_in=False)
    kari.enrol()
    kari.sign_in()
    for place, item in enumerate(items):
        kari.post(
            "report",
            reference=f"2026-0041{place}",
            category=CSAM,
            addresses=f"https://plaza.example/p/{item.external_id}",
            language="en",
        )
    ada, bo = both()
    decide(items[0], ada)
    decide(items[1], ada, bo, outcome="no_violation")
    page = arrive(visitor, kari)
    check(page, "flagger-list")
    follow(page.get_by_role("link", name="Decided"))
    expect(page.get_by_role("link", name="2026-00410")).to_be_visible()
    expect(page.get_by_role("link", name="2026-00412")).to_have_count(0)
    follow(page.get_by_role("link", name="2026-00411"))
    check(page, "flagger-decided")
    follow(page.get_by_role("link", name="The decision is wrong"))
    check(page, "flagger-challenge")
    page.get_by_label("Why?").fill("It is in our database since 2019.")
    follow(page.get_by_role("button", name="Have it looked at again"))
    expect(page.get_by_role("status")).to_contain_text("Somebody new")
    follow(page.get_by_role("link", name="Add a place or words"))
    follow(page.get_by_role("button", name="Add it"))
    check(page, "flagger-add-errors")
    page.go_back()
    page.go_back()
    follow(page.get_by_role("link", name="Take the report back"))
    check(page, "flagger-withdraw")
    follow(page.get_by_role("link", name="Kari"))
    check(page, "flagger-account")


def test_in_norwegian_and_by_keyboard(visitor: Visitor, world: World) -> None:
    kari = analyst(world, CSAM, signed_in=False)
    kari.enrol()
    page = visitor.open("/flaggers/")
    follow(page.get_by_role("button", name="Norsk bokmål"))
    expect(page.get_by_role("button", name="Logg inn")).to_be_visible()
    check(page, "flagger-sign-in-nb")
    page.get_by_label("E-post").focus()
    for words in (kari.email, PASSWORD, kari.recovery_codes.pop()):
        page.keyboard.type(words)
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Logg inn")).to_be_focused()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page).to_have_url("/flaggers/")
    check(page, "flagger-list-nb")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    follow(page.get_by_role("link", name="Ny melding").first)
    check(page, "flagger-report-nb")
    follow(page.get_by_role("link", name="Send en fil").first)
    check(page, "flagger-file-nb")


def test_the_console_opens_renews_and_ends(visitor: Visitor, world: World) -> None:
    account(world, CSAM, name="Hotline Nord")
    flagger = Flagger.objects.get()
    ada = colleague("Ada Sample", *EVERYBODY, signed_in=False)
    page = enter(visitor, ada, "/console/flaggers")
    check(page, "flaggers-listed")
    follow(page.get_by_role("link", name="People of Hotline Nord"))
    check(page, "flagger-people-empty")
    page.get_by_label("Name").fill("Kari Sample")
    page.get_by_label("E-mail").fill("kari@hotline.example")
    follow(page.get_by_role("button", name="Add and show the first password"))
    expect(page.get_by_text("First password for Kari Sample")).to_be_visible()
    follow(page.get_by_role("link", name="It is handed over"))
    expect(page).to_have_url(re.compile(f"/console/flaggers/{flagger.id}/people$"))
    check(page, "flagger-people")
    page.goto(f"/console/flaggers/{flagger.id}/renew")
    check(page, "flagger-renew")
    page.goto(f"/console/flaggers/{flagger.id}/end")
    follow(page.get_by_role("button", name="End the account"))
    check(page, "flagger-end-errors")


def test_the_queue_by_language(visitor: Visitor, world: World) -> None:
    for place, language in enumerate(("nb", "fi", "en-GB")):
        reported(world, str(place), language)
    ada = colleague("Ada Sample", *EVERYBODY, signed_in=False)
    page = enter(visitor, ada, "/console/me")
    check(page, "me-languages-unsaid")
    follow(page.get_by_role("link", name="Change the languages you read"))
    page.get_by_label("Languages that you read").fill("norsk bokmål")
    follow(page.get_by_role("button", name="Save"))
    expect(page.get_by_role("alert")).to_contain_text("Write languages as codes")
    check(page, "me-languages-errors")
    page.get_by_label("Languages that you read").fill("nb, en")
    follow(page.get_by_role("button", name="Save"))
    expect(page.get_by_text("English, Norwegian Bokmål")).to_be_visible()
    page.goto("/console/")
    expect(page.get_by_text("nobody here reads this language")).to_be_visible()
    check(page, "queue-languages")
    page.get_by_label("Language", exact=True).select_option("nb")
    follow(page.get_by_role("button", name="Show", exact=True))
    expect(page.locator("tbody tr")).to_have_count(1)
    check(page, "queue-languages-chosen")
