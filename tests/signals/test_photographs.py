"""Real photographs keep their fingerprint through what sites do to them."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import combinations

import pytest
from PIL import Image, ImageFilter

from holdfast.signals.pdq import hamming
from holdfast.signals.sign import MATCH_DISTANCE_BITS, sign_picture
from tests.signals.photographs import PHOTOGRAPHS, encode, photograph, resize

FORMATS = ("PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF")

EDITS: dict[str, Callable[[Image.Image], bytes]] = {
    "jpeg 80": lambda p: encode(p, "JPEG", quality=80),
    "jpeg 20": lambda p: encode(p, "JPEG", quality=20),
    "progressive": lambda p: encode(p, "JPEG", quality=80, progressive=True),
    "half": lambda p: encode(resize(p, 0.5), "JPEG"),
    "four times": lambda p: encode(resize(p, 4), "JPEG"),
    "another shape": lambda p: encode(p.resize((500, 300)), "PNG"),
    "grey": lambda p: encode(p.convert("L"), "JPEG"),
    "blur": lambda p: encode(p.filter(ImageFilter.GaussianBlur(1.5)), "JPEG"),
    "cmyk": lambda p: encode(p.convert("CMYK"), "JPEG"),
    "palette": lambda p: encode(p.convert("P"), "PNG"),
    "thumbnail": lambda p: encode(resize(p, 200 / p.width), "WEBP", quality=60),
}


@pytest.mark.parametrize("name", PHOTOGRAPHS)
@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_stays_within_the_match_distance(name: str, edit: str) -> None:
    before = sign_picture(encode(photograph(name)))
    after = sign_picture(EDITS[edit](photograph(name)))
    assert before.is_comparable
    assert after.is_comparable
    assert (
        hamming(before.views[0].pdq.bits, after.views[0].pdq.bits)
        <= MATCH_DISTANCE_BITS
    )
    assert before.sha256 != after.sha256


def test_different_photographs_do_not_match() -> None:
    signed = [sign_picture(encode(photograph(name))) for name in PHOTOGRAPHS]
    for one, other in combinations(signed, 2):
        assert (
            hamming(one.views[0].pdq.bits, other.views[0].pdq.bits)
            > 2 * MATCH_DISTANCE_BITS
        )


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_the_same_picture(kind: str) -> None:
    original = sign_picture(encode(photograph("chelsea")))
    other = sign_picture(encode(photograph("chelsea"), kind))
    assert hamming(original.views[0].pdq.bits, other.views[0].pdq.bits) <= 10
    assert (other.width, other.height) == (451, 300)
    assert other.media_type == f"image/{kind.lower()}"


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_reduced_decoding_drifts_less_than_metas_rule_allows(name: str) -> None:
    """Meta's conformance: within 10 bits where quality is at least 80."""
    large = resize(photograph(name), 1601 / 300)
    reduced = encode(large, "JPEG", quality=90)
    whole = encode(Image.open(io.BytesIO(reduced)), "PNG")
    one, other = sign_picture(reduced), sign_picture(whole)
    assert other.views[0].quality >= 80
    assert hamming(one.views[0].pdq.bits, other.views[0].pdq.bits) <= 10
    assert (one.width, one.height) == (other.width, other.height)
