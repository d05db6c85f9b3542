"""The console in a real browser: every page, wide and narrow, light and dark, by keys.

Set ``HOLDFAST_PAGES`` to a folder and pictures of the pages are left there to look at.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from holdfast.base.by import SYSTEM
from holdfast.base.events import alarm
from holdfast.items.models import Item
from holdfast.matching import bank as banks
from holdfast.matching.blocks import block
from holdfast.matching.models import BankEntry, BankKind
from holdfast.triage.doubts import reject_copy
from holdfast.web.console import cluster
from tests.browser.browser import (
    NARROW,
    Visitor,
    assert_accessible,
    assert_fits,
    follow,
)
from tests.stages.console.desk import (
    PASSWORD,
    REASON,
    Colleague,
    busy_desk,
    case_of,
    colleague,
    look,
    read,
    reported,
    scattered,
)
from tests.stages.console.test_known import found as found_by_a_bank
from tests.stages.console.test_known import taken_back as take_back

pytestmark = pytest.mark.django_db(transaction=True)

EVERYBODY = ("reviewer", "specialist", "lead", "administrator")
DESK = 1440  # pixels
AXE_LOOKS = ((DESK, "light"), (NARROW, "dark"))
LOOKS = ((DESK, "light"), (DESK, "dark"), (NARROW, "light"), (NARROW, "dark"))
PICTURES = os.environ.get("HOLDFAST_PAGES", "")


def enter(visitor: Visitor, who: Colleague, path: str = "/console/") -> Page:
    """Sign in through the page and arrive."""
    page = visitor.open(path, width=DESK)
    page.get_by_label("E-mail").fill(who.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code").fill(who.recovery_codes.pop())
    follow(page.get_by_role("button", name="Sign in"))
    expect(page).to_have_url(path)
    return page


def check(page: Page, name: str) -> None:
    """Look at a page as it is shown to people with different screens.

    Axe looks twice: both widths and both schemes are among what it sees.
    """
    for width, scheme in LOOKS:
        if PICTURES or (width, scheme) in AXE_LOOKS:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        if PICTURES:
            picture(page, Path(PICTURES) / f"{name}-{width}-{scheme}.png")
        if (width, scheme) in AXE_LOOKS:
            assert_fits(page)
            assert_accessible(page)
    page.set_viewport_size({"width": DESK, "height": 900})
    page.emulate_media(color_scheme="light")


def picture(page: Page, path: Path) -> None:
    """Keep what the page looks like."""
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, full_page=True)


def test_sign_in_and_enrolment(visitor: Visitor, world: Any) -> None:
    new = colleague("Ada Sample", "reviewer", signed_in=False)
    page = visitor.open("/console/", width=DESK)
    check(page, "sign-in")
    page.get_by_label("E-mail").fill(new.email)
    page.get_by_label("Password").fill("not the password")
    follow(page.get_by_role("button", name="Sign in"))
    expect(page.get_by_role("alert")).to_contain_text("This did not work")
    check(page, "sign-in-refused")


def test_first_sign_in(visitor: Visitor, world: Any) -> None:
    import pyotp  # noqa: PLC0415  # Only this test stands in for somebody's device.

    from holdfast.staff import operations as staff  # noqa: PLC0415
    from tests.stages.console.desk import ADMIN  # noqa: PLC0415

    added = staff.add_person(
        email="new@example.org", name="New", roles=["reviewer"], by=ADMIN
    )
    page = visitor.open("/console/sign-in", width=DESK)
    page.get_by_label("E-mail").fill("new@example.org")
    page.get_by_label("Password").fill(added.one_time_password)
    follow(page.get_by_role("button", name="Sign in"))
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    check(page, "enrol")
    secret = page.locator("code").inner_text()
    page.get_by_label("Code").fill("000000")
    page.get_by_label("Your own password").fill(PASSWORD)
    follow(page.get_by_role("button", name="Finish"))
    expect(page.get_by_role("alert")).to_contain_text("not the present code")
    # The same secret is shown again: the app that has it need not begin anew.
    assert page.locator("code").inner_text() == secret
    check(page, "enrol-refused")
    page.get_by_label("Code").fill(pyotp.TOTP(secret).now())
    page.get_by_label("Your own password").fill(PASSWORD)
    follow(page.get_by_role("button", name="Finish"))
    expect(page.locator(".codes li")).to_have_count(8)
    check(page, "recovery-codes")
    follow(page.get_by_role("link", name="I have written them down"))
    expect(page.get_by_text("Nothing is waiting here.")).to_be_visible()
    check(page, "queue-empty")


def test_queue_and_case(visitor: Visitor, world: Any) -> None:
    ben = colleague("Ben Sample", *EVERYBODY, signed_in=False)
    ada = colleague("Ada Sample", *EVERYBODY, signed_in=False)
    _, case = busy_desk(world, ben)
    alarm("freeze.unconfirmed", about={"platform": str(case.platform_id)})
    alarm("deadline.near", about={"case": str(case.id)})
    page = enter(visitor, ada)
    check(page, "queue")
    page.goto("/console/?urgency=urgent&needs=&claimed=mine")
    expect(page.get_by_text("No case fits this choice.")).to_be_visible()
    check(page, "queue-filtered")
    page.goto(f"/console/case/{case.number}")
    check(page, "case-unclaimed")
    with page.expect_navigation():
        page.keyboard.press("c")
    expect(page.get_by_text("Claimed by")).to_contain_text("Ada")
    check(page, "case-claimed")
    page.keyboard.press("d")
    follow(page.get_by_role("button", name="Record the decision"))
    expect(page.get_by_role("alert")).to_contain_text("Choose what you find.")
    check(page, "case-errors")
    page.goto("/console/alarms")
    check(page, "alarms")
    follow(page.get_by_role("button", name="I take it").first)
    expect(page.get_by_role("status")).to_contain_text("taken")


def test_copies_doubts_and_how_it_spread(
    visitor: Visitor, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = colleague("Ada Sample", *EVERYBODY, signed_in=False)
    ben = colleague("Ben Sample", "reviewer", signed_in=False)
    _, case = scattered(world)
    page = enter(visitor, ada)
    expect(page.locator(".doubts-count")).to_have_text("2 in doubt")
    check(page, "queue-doubts")
    page.goto(f"/console/case/{case.number}")
    expect(page.get_by_role("heading", name="Perhaps copies")).to_be_visible()
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("cell", name="share of post p1").first).to_be_visible()
    check(page, "case-cluster")
    # By keys: to the first doubt, and on to its other answer.
    page.keyboard.press("p")
    yes = page.get_by_role("button", name="It is a copy (Post doubt2,")
    expect(yes).to_be_focused()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("It is a copy")
    assert Item.objects.get(external_id="doubt2").state == "frozen"
    # Somebody else was faster: what they said stands.
    reject_copy(case.id, Item.objects.get(external_id="doubt").id, by=ben.by)
    follow(page.get_by_role("button", name="It is a copy (Post doubt,"))
    expect(page.get_by_text("Ben Sample has said already")).to_be_visible()
    expect(page.get_by_role("heading", name="Perhaps copies")).to_be_hidden()
    check(page, "case-settled-before")
    monkeypatch.setattr(cluster, "COPIES_SHOWN", 4)
    page.reload()
    follow(page.get_by_role("link", name="More copies"))
    expect(page.get_by_text("5 to 8 of 9")).to_be_visible()
    check(page, "case-cluster-page")
    follow(page.get_by_role("link", name="Turned, mirrored, or a border"))
    expect(page.locator("#copies-turned")).to_be_in_viewport()


def test_what_a_bank_found_is_one_block_and_its_copies(
    visitor: Visitor, world: Any
) -> None:
    ada = colleague("Ada Sample", *EVERYBODY, signed_in=False)
    bank, case = found_by_a_bank(world)
    page = enter(visitor, ada, f"/console/case/{case.number}")
    expect(page.get_by_role("heading", name="What a bank knows")).to_be_visible()
    expect(page.locator("figure.tile")).to_have_count(1)
    expect(page.locator("#copies .copy")).to_have_count(4)
    take_back(bank)
    page.reload()
    expect(page.get_by_text("Listed (taken back): looks alike")).to_be_visible()
    check(page, "case-known")


def test_paper_has_the_table_and_no_medium(visitor: Visitor, world: Any) -> None:
    ada = colleague("Ada Sample", "reviewer", signed_in=False)
    _, case = scattered(world)
    page = enter(visitor, ada, f"/console/case/{case.number}")
    shares = page.get_by_text("share of post p1").first
    expect(shares).to_be_hidden()
    page.emulate_media(media="print")
    expect(shares).to_be_visible()
    expect(page.locator(".tile-frame").first).to_be_hidden()
    assert page.locator(".settle").first.is_hidden()


def test_reveal_is_grey_and_small_until_ticked(visitor: Visitor, world: Any) -> None:
    ada = colleague("Ada Sample", "reviewer", signed_in=False)
    _, case = reported(world)
    page = enter(visitor, ada, f"/console/case/{case.number}")
    follow(page.get_by_role("link", name="Open with a colleague").first)
    check(page, "reveal-together")
    page.goto(f"/console/case/{case.number}")
    with page.expect_navigation():
        page.keyboard.press("c")
    expect(page.get_by_text("Claimed by")).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.press("ArrowDown")
    follow(page.get_by_role("button", name="Reveal"))
    shown = page.locator(".tile.is-revealed img")
    expect(shown).to_be_visible()
    expect(shown).to_have_js_property("naturalWidth", 400)
    assert shown.evaluate("image => getComputedStyle(image).filter") == "grayscale(1)"
    small = shown.bounding_box()
    assert small
    assert small["width"] <= 320
    check(page, "opened")
    page.get_by_label("Colours").check()
    assert shown.evaluate("image => getComputedStyle(image).filter") == "none"
    page.keyboard.press("h")
    expect(shown).to_be_hidden()


def test_no_violation_waits_for_a_specialist(visitor: Visitor, world: Any) -> None:
    ada = colleague("Ada Sample", "reviewer", signed_in=False)
    sam = colleague("Sam Special", "specialist", signed_in=False)
    item, case = reported(world)
    look(case, item, ada)
    page = enter(visitor, ada, f"/console/case/{case.number}")
    page.keyboard.press("d")
    page.get_by_label("No violation").check()
    page.get_by_label("No", exact=True).check()
    page.get_by_label("If not: why no authority is told").fill(
        "There is nothing to tell."
    )
    page.get_by_label("Reason, in writing").first.fill(REASON)
    follow(page.get_by_role("button", name="Record the decision"))
    expect(page.get_by_role("status")).to_contain_text("a specialist must read next")
    check(page, "case-second-mine")
    other = enter(visitor, sam, f"/console/case/{case.number}")
    check(other, "case-second")


def test_decided_and_disagreement(visitor: Visitor, world: Any) -> None:
    ada = colleague("Ada Sample", *EVERYBODY, signed_in=False)
    ben = colleague("Ben Sample", "reviewer", signed_in=False)
    sam = colleague("Sam Special", "specialist", signed_in=False)
    item, case = reported(world)
    look(case, item, ben)
    read(case, ben, "no_violation")
    look(case, item, sam)
    read(case, sam)
    page = enter(visitor, ada, f"/console/case/{case.number}")
    expect(page.get_by_text("The readers disagree")).to_be_visible()
    check(page, "case-disagree")
    look(case, item, ada)
    read(case, ada, parts={item.actor_id: "offender"})
    page.reload()
    expect(page.get_by_text("NOT FILED").first).to_be_visible()
    check(page, "case-decided")


def test_thaw_outside_child_safety(visitor: Visitor, world: Any) -> None:
    lead = colleague("Lea Lead", "lead", signed_in=False)
    item, case = reported(world, category="intimate_image")
    page = enter(visitor, lead, f"/console/case/{case.number}")
    page.get_by_text("Thaw before a decision").click()
    page.get_by_label("Why, in writing").fill(REASON)
    follow(page.get_by_role("button", name="Thaw it"))
    expect(page.get_by_role("status")).to_contain_text("to show it again")
    item.refresh_from_db()
    assert item.state == "visible"
    check(page, "case-thawed")


def test_administrators_pages(visitor: Visitor, world: Any) -> None:
    root = colleague("Root Admin", "administrator", signed_in=False)
    ada = colleague("Ada Sample", "reviewer", signed_in=False)
    page = enter(visitor, root, "/console/people")
    check(page, "people")
    follow(page.get_by_role("button", name="Add and show"))
    check(page, "people-errors")
    page.get_by_label("Name, as colleagues know them").fill("Cem New")
    page.get_by_label("E-mail").fill("cem@example.org")
    page.get_by_label("Legal").check()
    follow(page.get_by_role("button", name="Add and show"))
    check(page, "password-once")
    page.goto(f"/console/people/{ada.person_id}")
    check(page, "person")
    page.goto("/console/platforms")
    check(page, "platforms-no-key")
    page.get_by_label("What it is for").fill("production")
    follow(page.get_by_role("button", name="Make it"))
    check(page, "key-once")
    page.goto("/console/platforms")
    check(page, "platforms")
    page.goto("/console/banks")
    check(page, "banks-empty")
    _a_bank()
    page.goto("/console/banks")
    check(page, "banks")
    follow(page.get_by_role("button", name="Never again"))
    check(page, "banks-errors")
    follow(page.get_by_role("link", name="Lift"))
    check(page, "lift-block")
    page.goto("/console/banks")
    follow(page.get_by_role("link", name="yes: stop it"))
    check(page, "stop-bank")
    page.goto("/console/authorities")
    check(page, "authorities-empty")
    page.goto("/console/authorities/live")
    check(page, "go-live")
    page.goto("/console/me")
    check(page, "me")
    page.goto("/console/case/C-00000-00000")
    check(page, "refused")


def _a_bank() -> None:
    """A list from elsewhere, of which people blocked a hash."""
    bank = banks.open_bank(
        "hotline-nord",
        "Hotline Nord",
        BankKind.IMPORTED,
        category="intimate_image",
        by=SYSTEM,
    )
    banks.enter(bank, [banks.SignalGiven("md5", bytes(range(16)))], by=SYSTEM)
    entries = BankEntry.objects.filter(bank=bank).values_list("id", flat=True)
    block(list(entries), "It is our own logo, as everybody can see.", by=SYSTEM)


def test_a_day_by_keyboard_and_without_scripts(visitor: Visitor, world: Any) -> None:
    ada = colleague("Ada Sample", *EVERYBODY, signed_in=False)
    item, case = reported(world)
    page = enter(visitor, ada)
    page.keyboard.press("j")
    expect(page.get_by_role("link", name=case.number)).to_be_focused()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Case")).to_contain_text(case.number)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    check(page, "keys")
    plain = visitor.open("/console/", scripts=False)
    plain.get_by_label("E-mail").fill(ada.email)
    plain.get_by_label("Password").fill(PASSWORD)
    plain.get_by_label("Code").fill(ada.recovery_codes.pop())
    follow(plain.get_by_role("button", name="Sign in"))
    follow(plain.get_by_role("link", name=case.number))
    follow(plain.get_by_role("button", name="Claim"))
    plain.get_by_label("Why do you need to see it?").select_option(index=1)
    follow(plain.get_by_role("button", name="Reveal"))
    expect(plain.locator(".tile.is-revealed img")).to_be_visible()
    assert case_of(item).reveals.count() == 1
