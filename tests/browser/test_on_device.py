"""A picture stays on its device: every byte that leaves is recorded and looked at.

Set ``HOLDFAST_PAGES`` to a folder and pictures of the pages are left there to look at.
"""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, Route, expect

from holdfast.intake.models import Report, Target
from holdfast.items.models import Item, ItemState
from holdfast.signals.pdq import hamming
from holdfast.signals.sign import sign_picture
from tests.browser.browser import (
    NARROW,
    WIDE,
    Visitor,
    assert_accessible,
    assert_fits,
    follow,
)
from tests.signals.photographs import encode
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db(transaction=True)

PICTURES = os.environ.get("HOLDFAST_PAGES", "")
NAME = "my-private-name.jpg"
LOOKED_FOR_BYTES = 12
"""So many bytes of a file in a row would not be anywhere by chance."""


def choose(page: Page, data: bytes, name: str = NAME) -> None:
    """Choose a file, as the system's own window would."""
    page.get_by_label("Choose the picture").set_input_files(
        {"name": name, "mimeType": "image/jpeg", "buffer": data}
    )


def look_for(page: Page, data: bytes) -> None:
    """Choose a picture, and press the button."""
    choose(page, data)
    follow(page.get_by_role("button", name="Look for this picture"))


def shown(page: Page, name: str) -> None:
    """Look at a page on both screens, light and dark.

    Axe looks twice: both widths and both schemes are among what it sees.
    """
    colours: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for width, height in ((NARROW, 640), (WIDE, 800)):
        for scheme in colours:
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)
            if PICTURES:
                Path(PICTURES).mkdir(parents=True, exist_ok=True)
                page.screenshot(
                    path=Path(PICTURES) / f"{name}-{width}-{scheme}.png", full_page=True
                )
            assert_fits(page)
            if (width, scheme) in ((NARROW, "dark"), (WIDE, "light")):
                assert_accessible(page)


def test_only_the_fingerprint_leaves(world: World, visitor: Visitor) -> None:
    data = encoded(photograph("coffee", 900))
    world.post("1", encoded(photograph("coffee", 900), quality=50))
    page = visitor.open("/")
    sent: list[bytes] = []

    def record(route: Route) -> None:
        asked = route.request
        sent.append(
            b"\n".join(
                [
                    asked.url.encode(),
                    repr(asked.all_headers()).encode(),
                    asked.post_data_buffer or b"",
                ]
            )
        )
        route.continue_()

    page.context.route("**", record)
    page.goto("/report/picture")
    shown(page, "picture")
    look_for(page, data)
    expect(page.get_by_role("heading", level=1)).to_have_text("We know this picture")
    shown(page, "picture-known")
    page.locator("label", has_text=re.compile("^A child is shown naked")).click()
    follow(page.get_by_role("button", name="Send my report"))
    expect(page.locator(".codename")).to_be_visible()
    shown(page, "picture-received")
    assert Item.objects.get().state == ItemState.FROZEN

    everything = b"\n".join(sent)
    bits = bytes(Target.objects.get().pdq or b"")
    assert hamming(bits[:32], sign_picture(data).views[0].pdq.bits) <= 2
    assert bits.hex().encode() in everything, "The recording misses what is sent."
    assert NAME.encode() not in everything
    assert b"multipart/form-data" not in everything
    encodings = (data, base64.b64encode(data), data.hex().encode())
    for form in encodings:
        for start in range(0, len(form) - LOOKED_FOR_BYTES, LOOKED_FOR_BYTES):
            assert form[start : start + LOOKED_FOR_BYTES] not in everything
    # The picture has tens of thousands of bytes; all that was sent in bodies has few.
    assert max(len(each) for each in sent) < 4096 < len(data)


def test_the_file_is_let_go_of_when_its_fingerprint_is_made(
    world: World, visitor: Visitor
) -> None:
    page = visitor.open("/report/picture")
    choose(page, encoded(photograph()))
    expect(page.get_by_role("button", name="Look for this picture")).to_be_focused()
    assert page.get_by_label("Choose the picture").evaluate("e => e.files.length") == 0
    page.get_by_text("Show what is sent").click()
    digits = page.locator("[data-digits]").inner_text()
    assert re.fullmatch("[0-9a-f]{64}", digits)
    shown(page, "picture-made")


def test_a_browser_whose_workers_cannot_draw_does_it_on_the_page(
    world: World, visitor: Visitor
) -> None:
    world.post("1", encoded(photograph()))
    page = visitor.open("/")
    page.add_init_script("delete window.OffscreenCanvas")
    page.goto("/report/picture")
    look_for(page, encoded(photograph()))
    expect(page.get_by_role("heading", level=1)).to_have_text("We know this picture")
    assert not [each for each in visitor.requests if each.url.endswith("worker.js")]


def test_it_can_be_cancelled_and_begun_again(world: World, visitor: Visitor) -> None:
    page = visitor.open("/report/picture")
    # A worker that has just begun: it never answers in this test.
    page.context.route(
        "**/worker.js",
        lambda route: route.fulfill(
            body="self.onmessage = () => self.postMessage({share: 0.4})",
            content_type="text/javascript",
        ),
    )
    choose(page, encoded(photograph()))
    bar = page.get_by_label("Making the fingerprint on your device")
    expect(bar).to_have_js_property("value", 0.4)
    shown(page, "picture-working")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("status").last).to_have_text("Cancelled. Nothing was sent.")
    expect(bar).to_be_hidden()
    expect(page.get_by_label("Choose the picture")).to_be_focused()
    page.context.unroute("**/worker.js")
    choose(page, encoded(photograph()))
    expect(page.get_by_role("button", name="Look for this picture")).to_be_visible()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"these are words", "cannot read this file"),
        (encode(photograph().crop((0, 0, 20, 20)), "PNG"), "too plain"),
    ],
)
def test_what_cannot_be_read_is_said_plainly(
    world: World, visitor: Visitor, data: bytes, says: str
) -> None:
    page = visitor.open("/report/picture")
    choose(page, data)
    expect(page.get_by_role("alert")).to_contain_text(says)
    expect(page.get_by_role("button", name="Look for this picture")).to_be_hidden()
    shown(page, "picture-problem")


def test_without_scripts_it_says_so_and_leads_on(
    world: World, visitor: Visitor
) -> None:
    page = visitor.open("/report/picture", scripts=False)
    expect(page.get_by_text("scripts, and they are off or too old")).to_be_visible()
    assert not page.get_by_label("Choose the picture").is_visible()
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / "picture-no-scripts.png", full_page=True)
    follow(page.get_by_role("link", name="Report without the picture"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Tell us what is wrong")


def test_not_found_watched_for_and_ended(world: World, visitor: Visitor) -> None:
    page = visitor.open("/report/picture")
    look_for(page, encoded(photograph()))
    expect(page.get_by_role("heading", level=1)).to_contain_text("We did not find it")
    shown(page, "picture-unknown")
    follow(page.get_by_role("button", name="Send my report"))
    expect(page.get_by_role("alert")).to_contain_text("Choose what it is about")
    shown(page, "picture-error")
    page.locator("label", has_text=re.compile("^Somebody threatens")).click()
    follow(page.get_by_role("button", name="Send my report"))
    expect(page.locator(".codename")).to_be_visible()
    world.post("late", encoded(photograph(), quality=60))
    assert Item.objects.get().state == ItemState.FROZEN
    page.goto("/follow/status")
    expect(page.get_by_role("heading", name="Your picture")).to_be_visible()
    shown(page, "picture-watched")
    follow(page.get_by_role("button", name="Stop looking out"))
    expect(page.get_by_role("status").last).to_contain_text("do not look out")
    assert Report.objects.count() == 1


def test_stopping_somebody_from_writing(world: World, visitor: Visitor) -> None:
    world.actor("sam")
    world.post("1", actor="nightowl", kind="message", text="Pay.")
    page = visitor.open("/")
    page.locator("label", has_text=re.compile("^Somebody threatens")).click()
    follow(page.get_by_role("button", name="Continue"))
    page.get_by_label("Address").fill("https://plaza.example/p/1")
    follow(page.get_by_role("button", name="Send my report"))
    page.goto("/follow/status")
    follow(page.get_by_role("link", name="Stop somebody from writing to me"))
    shown(page, "hold")
    follow(page.get_by_role("button", name="Tell the site"))
    expect(page.get_by_role("alert")).to_contain_text("what you are called")
    shown(page, "hold-error")
    page.get_by_label("What are you called on the site?").fill("sam")
    follow(page.get_by_role("button", name="Tell the site"))
    expect(page.get_by_role("heading", name="Writing to you")).to_be_visible()
    shown(page, "hold-standing")
    follow(page.get_by_role("button", name="Let them write to me again"))
    expect(page.get_by_role("status").last).to_contain_text(
        "does not keep them from writing to you any more"
    )
