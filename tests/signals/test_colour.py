"""A colour profile is no way to show people what is not compared."""

from __future__ import annotations

import random

import numpy as np
import pytest
from PIL import Image, ImageOps

from holdfast.signals.colour import MAX_PROFILE_BYTES
from holdfast.signals.jpeg import decode_jpeg
from holdfast.signals.media import decode_frames, decode_luma
from holdfast.signals.pdq import hamming
from holdfast.signals.refusal import MediaRefused, RefusalReason
from holdfast.signals.sign import MATCH_DISTANCE_BITS, sign_picture
from tests.signals.colours import (
    BROKEN,
    GREY,
    GREY_NEGATIVE,
    LIGHT,
    NEGATIVE,
    ORDINARY,
    PICTURE,
    UNUSUAL,
    bmp,
    coloured,
    gamma,
    iccp,
    jpeg,
    linear,
    part,
    png,
    stored,
)
from tests.signals.photographs import encode, photograph

NEAR_BITS = 10
"""What the formats themselves cost, and rounding in a curve."""
KINDS = ("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "HEIC")
LARGE = photograph("coffee").resize((1800, 1200))


def apart(one: bytes, other: bytes) -> int:
    ours, theirs = (sign_picture(each).views[0].pdq for each in (one, other))
    return hamming(ours.bits, theirs.bits)


@pytest.mark.parametrize("kind", KINDS)
def test_a_negative_that_its_profile_turns_back_is_compared_as_seen(kind: str) -> None:
    original = photograph("coffee")
    hidden = stored(kind, NEGATIVE, ImageOps.invert(original))
    assert apart(hidden, encode(original)) <= NEAR_BITS
    grey = ImageOps.invert(original.convert("L"))
    if kind in ("PNG", "JPEG", "TIFF"):
        assert apart(stored(kind, GREY_NEGATIVE, grey), encode(original)) <= NEAR_BITS


def test_the_profile_that_a_bmp_embeds_is_seen() -> None:
    hidden = bmp(NEGATIVE, picture=ImageOps.invert(PICTURE))
    assert apart(hidden, encode(PICTURE)) == 0


def test_it_is_compared_as_it_is_stored_as_well() -> None:
    """Not every viewer believes every profile."""
    original = photograph("coffee")
    seen, plain = sign_picture(stored("PNG", NEGATIVE, original)).views
    assert (
        hamming(plain.pdq.bits, sign_picture(encode(original)).views[0].pdq.bits) == 0
    )
    assert hamming(seen.pdq.bits, plain.pdq.bits) > MATCH_DISTANCE_BITS
    assert seen.at_ms is plain.at_ms is None


@pytest.mark.parametrize("gamma_of", [4, 8])
def test_a_gamma_in_a_png_is_seen(gamma_of: int) -> None:
    original = np.asarray(photograph("coffee")) / 255
    raised = Image.fromarray(np.rint(255 * original ** (1 / gamma_of)).astype(np.uint8))
    data = png(gamma(round(100_000 / 2.2 / gamma_of)), picture=raised)
    assert apart(data, encode(photograph("coffee"))) <= NEAR_BITS


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_every_frame_of_an_animation_is_compared_as_seen(kind: str) -> None:
    frames = [photograph(name).resize((300, 200)) for name in ("coffee", "rocket")]
    first, second = (ImageOps.invert(each) for each in frames)
    data = encode(
        first, kind, save_all=True, append_images=[second], duration=80,
        icc_profile=NEGATIVE, lossless=True,
    )  # fmt: skip
    for luma, frame in zip(decode_frames(data), frames, strict=True):
        assert np.abs(luma.pixels - np.asarray(frame.convert("L"), int)).mean() < 2


@pytest.mark.parametrize("name", ORDINARY)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_with_an_ordinary_profile_the_numbers_are_as_stored(
    kind: str, name: str
) -> None:
    """So that peers that pass over profiles have the same fingerprint."""
    picture = GREY if "grey" in name and kind != "WEBP" else PICTURE
    plain = decode_luma(encode(picture, kind, quality=95)).pixels
    assert (decode_luma(stored(kind, ORDINARY[name], picture)).pixels == plain).all()


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_broken_profile_is_passed_over(kind: str, name: str) -> None:
    added = iccp(BROKEN[name]) if kind == "PNG" else part(BROKEN[name])
    data = png(added) if kind == "PNG" else jpeg(added)
    plain = png() if kind == "PNG" else jpeg()
    # One of nothing is left to Pillow, which rounds otherwise.
    other = decode_luma(plain).pixels.astype(int)
    assert np.abs(decode_luma(data).pixels - other).mean() < 1


@pytest.mark.parametrize("name", ["sRGB", "Display P3", "Adobe RGB"])
def test_a_jpeg_with_an_ordinary_profile_is_decoded_small(name: str) -> None:
    data = jpeg(part(ORDINARY[name]), picture=LARGE)
    assert decode_luma(data).rows.eighths == 2


@pytest.mark.parametrize("name", UNUSUAL)
def test_a_jpeg_with_an_unusual_one_is_not_read_the_short_way(name: str) -> None:
    data = stored("JPEG", UNUSUAL[name])
    assert decode_jpeg(data) is None
    plain = decode_luma(jpeg()).pixels.astype(int)
    assert np.abs(decode_luma(data).pixels - plain).mean() > 2


def test_a_profile_that_is_too_large_is_refused_by_name() -> None:
    large = coloured(linear(1 - np.linspace(0, 1, 1024)), data=bytes(MAX_PROFILE_BYTES))
    for data in (png(iccp(large)), stored("WEBP", large)):
        with pytest.raises(MediaRefused) as refused:
            decode_luma(data)
        assert refused.value.reason == RefusalReason.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("whole", [NEGATIVE, LIGHT, GREY_NEGATIVE, UNUSUAL["a table"]])
def test_a_profile_made_to_break_the_library_does_not(whole: bytes) -> None:
    """Each is one that is sound but for a few bytes."""
    chance = random.Random(7)
    for _ in range(150):
        profile = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            # Mostly in the header and the tables of what there is.
            at = chance.randrange(chance.choice((len(whole), 300)))
            profile[at] = chance.choice((0, 1, 255, chance.randrange(256)))
        reason = None
        try:
            luma = decode_luma(png(iccp(bytes(profile))))
        except MediaRefused as refused:
            reason = refused.reason
        assert reason in (None, RefusalReason.UNSUPPORTED_FORMAT)
        if reason is None:
            assert luma.pixels.shape == (80, 120)
