"""PDQ as a browser computes it, held to the server's on real photographs.

The server decodes a JPEG at reduced scale and the browser whole, with decoders of their
own; what is left between them is measured here, bit by bit.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps
from playwright.sync_api import Page

from holdfast.signals.media import decode_luma
from holdfast.signals.pdq import dihedral, hamming, pdq_reference
from holdfast.signals.sign import MIN_QUALITY, sign_picture
from tests.browser.browser import Visitor
from tests.signals.colours import NEGATIVE, ORDINARY, stored
from tests.signals.photographs import PHOTOGRAPHS, encode, photograph

pytestmark = pytest.mark.django_db(transaction=True)

MOST_BITS = 2
"""By how many of 256 bits the browser may differ from the server."""
ORDINARY_BITS = 12
"""What an ordinary profile moves at most; see ``signals.colour.ORDINARY``."""
ORIENTATION = 0x0112  # EXIF 2.3
WHOLE_PHOTOGRAPH = (4000, 3000)
"""Pixels of a telephone's photograph."""
TOO_MANY = (6400, 4800)
"""More pixels than a telephone decodes whole."""
DECODED_SMALLER_BITS = 8
"""What the server's own decoding at reduced scale drifts by at most; see
``signals.jpeg.MIN_SIDE_PIXELS``."""

ASK = """([url, text]) => new Promise((done) => {
  const worker = new Worker(url);
  const shares = [];
  worker.onmessage = (event) => {
    if (event.data.share !== undefined) { shares.push(event.data.share); return; }
    worker.terminate();
    done({ ...event.data, shares });
  };
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  worker.postMessage(new File([bytes], "picture"));
})"""


@pytest.fixture
def page(visitor: Visitor, world: Any) -> Page:
    """A page of ours: workers come from the same place as it."""
    return visitor.open("/blank")


def ask(page: Page, data: bytes) -> dict[str, Any]:
    """What the worker says of a file."""
    text = base64.b64encode(data).decode()
    answer = page.evaluate(ASK, ["/static/holdfast/device/worker.js", text])
    assert isinstance(answer, dict)
    return answer


def forms(page: Page, data: bytes) -> list[bytes]:
    """The eight fingerprints of a picture."""
    return [bytes.fromhex(each) for each in ask(page, data)["found"]["forms"]]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF"])
def test_a_photograph_has_the_same_fingerprint_as_on_the_server(
    page: Page, kind: str
) -> None:
    for name in PHOTOGRAPHS:
        data = encode(photograph(name), kind)
        answer = ask(page, data)["found"]
        mine = bytes.fromhex(answer["forms"][0])
        server = sign_picture(data).views[0].pdq
        assert hamming(mine, server.bits) <= MOST_BITS, name
        assert abs(answer["quality"] - server.quality) <= 1


def test_all_eight_turns_are_in_the_order_of_the_server(page: Page) -> None:
    data = encode(photograph("coffee"), "PNG")
    server = dihedral(decode_luma(data).pixels)
    for mine, theirs in zip(forms(page, data), server, strict=True):
        assert hamming(mine, theirs.bits) <= MOST_BITS
    assert len({each.bits for each in server}) == 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_upright_as_its_camera_says(
    page: Page, orientation: int
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = encode(photograph("rocket"), "JPEG", quality=92, exif=exif.tobytes())
    server = sign_picture(data).views[0].pdq
    assert hamming(forms(page, data)[0], server.bits) <= MOST_BITS


@pytest.mark.parametrize("name", ["coins", "coffee", "moon"])
def test_a_photograph_as_large_as_a_telephone_takes(page: Page, name: str) -> None:
    """Against the plain rule at full size, and the server, which decodes it smaller."""
    data = encode(photograph(name).resize(WHOLE_PHOTOGRAPH), "JPEG", quality=90)
    answer = ask(page, data)
    mine = bytes.fromhex(answer["found"]["forms"][0])
    whole = decode_luma(data, min_side_pixels=max(WHOLE_PHOTOGRAPH)).pixels
    assert whole.shape == WHOLE_PHOTOGRAPH[::-1]
    assert hamming(mine, pdq_reference(whole).bits) <= MOST_BITS
    assert hamming(mine, sign_picture(data).views[0].pdq.bits) <= DECODED_SMALLER_BITS
    assert answer["shares"] == sorted(answer["shares"])
    assert len(answer["shares"]) > 2
    assert answer["shares"][-1] == 1


def test_more_pixels_than_a_telephone_holds_are_decoded_smaller(page: Page) -> None:
    data = encode(photograph("astronaut").resize(TOO_MANY), "JPEG", quality=85)
    server = sign_picture(data).views[0].pdq
    assert hamming(forms(page, data)[0], server.bits) <= DECODED_SMALLER_BITS


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_what_its_profile_makes_of_a_picture_is_compared(page: Page, kind: str) -> None:
    data = stored(kind, NEGATIVE, ImageOps.invert(photograph("coffee")))
    server = sign_picture(data).views[0].pdq
    assert hamming(forms(page, data)[0], server.bits) <= MOST_BITS


@pytest.mark.parametrize("name", ["sRGB", "Display P3", "Adobe RGB"])
def test_with_an_ordinary_profile_it_is_nearly_as_stored(page: Page, name: str) -> None:
    """The browser converts these, too, and the server does not."""
    data = stored("JPEG", ORDINARY[name], photograph("coffee"))
    server = sign_picture(data).views[0].pdq
    assert hamming(forms(page, data)[0], server.bits) <= ORDINARY_BITS


def test_what_is_transparent_lies_over_white_as_on_the_server(page: Page) -> None:
    picture = photograph("chelsea")
    ramp = np.linspace(0, 255, picture.width).astype(np.uint8)
    picture.putalpha(Image.fromarray(np.tile(ramp, (picture.height, 1))))
    data = encode(picture, "PNG")
    server = sign_picture(data).views[0].pdq
    assert hamming(forms(page, data)[0], server.bits) <= MOST_BITS


@pytest.mark.parametrize(
    "size", [(4, 300), (5, 5), (31, 200), (33, 40), (64, 64), (65, 127), (1, 1)]
)
def test_small_and_odd_sizes_follow_the_same_rule(
    page: Page, size: tuple[int, int]
) -> None:
    data = encode(photograph("coins").resize(size), "PNG")
    found = ask(page, data)["found"]
    server = sign_picture(data).views[0]
    assert hamming(bytes.fromhex(found["forms"][0]), server.pdq.bits) <= MOST_BITS
    assert abs(found["quality"] - server.quality) <= 1
    if min(size) < 32:
        assert found["quality"] == 0


def test_a_plain_field_has_too_little_to_compare(page: Page) -> None:
    found = ask(page, encode(Image.new("RGB", (400, 300), "#777")))["found"]
    assert found["quality"] < MIN_QUALITY


@pytest.mark.parametrize(
    "data", [b"", b"these are words", encode(photograph("moon"))[:900]]
)
def test_what_is_no_picture_is_said_to_be_none(page: Page, data: bytes) -> None:
    assert ask(page, data)["problem"] == "unreadable"
