"""A picture in a border or between bars is found, and nothing else is cut off."""

from __future__ import annotations

import io

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import Base

from holdfast.signals.media import decode_luma
from holdfast.signals.pdq import hamming
from holdfast.signals.sign import MATCH_DISTANCE_BITS, Part, Signals, sign_picture
from holdfast.signals.trim import MIN_LEFT_SHARE, find_inside
from tests.signals.photographs import PHOTOGRAPHS, encode, photograph, resize

Colour = tuple[int, int, int]
COLOURS: dict[str, Colour] = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "blue": (40, 90, 160),
}
SHARES = (0.02, 0.05, 0.1, 0.2)
# Shares of the width and height that are added on the left, top, right and bottom.
BARS = {
    "letterbox": (0, 0.2, 0, 0.2),
    "bars of two heights": (0, 0.1, 0, 0.3),
    "pillarbox": (0.3, 0, 0.3, 0),
    "one bar": (0, 0, 0, 0.25),
} | {f"frame of {share}": (share,) * 4 for share in SHARES}


def bordered(
    picture: Image.Image, shares: tuple[float, float, float, float], colour: Colour
) -> Image.Image:
    left, right = (round(picture.width * shares[each]) for each in (0, 2))
    top, bottom = (round(picture.height * shares[each]) for each in (1, 3))
    size = (picture.width + left + right, picture.height + top + bottom)
    canvas = Image.new("RGB", size, colour)
    canvas.paste(picture, (left, top))
    return canvas


def nearest(one: Signals, other: Signals) -> int:
    return min(hamming(a.pdq.bits, b.pdq.bits) for a in one.views for b in other.views)


def parts(signed: Signals) -> list[Part]:
    return [view.part for view in signed.views]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("bars", BARS)
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_photograph_in_a_border_is_found(name: str, bars: str, colour: str) -> None:
    original = photograph(name)
    around = bordered(original, BARS[bars], COLOURS[colour])
    before = sign_picture(encode(original, "JPEG", quality=85))
    for factor, quality in ((1.0, 85), (0.7, 40)):
        data = encode(resize(around, factor), "JPEG", quality=quality)
        assert nearest(before, sign_picture(data)) <= MATCH_DISTANCE_BITS


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_large_photograph_in_a_border_is_found_at_reduced_scale(name: str) -> None:
    large = resize(photograph(name), 1999 / photograph(name).width)
    around = bordered(large, BARS["frame of 0.2"], COLOURS["black"])
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    turned = around.transpose(Image.Transpose.ROTATE_90)
    upright, stored = encode(around, "JPEG"), encode(turned, "JPEG", exif=exif)
    before = sign_picture(encode(large, "JPEG"))
    for data in (upright, stored):
        assert decode_luma(data).rows.eighths < 8
        assert nearest(before, sign_picture(data)) <= MATCH_DISTANCE_BITS


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_an_original_with_a_border_of_its_own_is_found_without_it(name: str) -> None:
    shares = BARS["frame of 0.1"]
    before = sign_picture(encode(bordered(photograph(name), shares, (30, 30, 30))))
    after = sign_picture(encode(photograph(name), "JPEG", quality=60))
    assert parts(before) == [Part.WHOLE, Part.TRIMMED]
    assert nearest(before, after) <= MATCH_DISTANCE_BITS


@pytest.mark.parametrize("name", ["astronaut", "brick", "chelsea", "coffee", "grass"])
def test_a_photograph_without_a_border_keeps_all_of_itself(name: str) -> None:
    for quality in (95, 30):
        data = encode(photograph(name), "JPEG", quality=quality)
        assert parts(sign_picture(data)) == [Part.WHOLE]


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    left=st.integers(0, 60),
    top=st.integers(0, 60),
    right=st.integers(0, 60),
    bottom=st.integers(0, 60),
    level=st.integers(0, 255),
)
def test_the_border_is_found_to_the_pixel(
    seed: int, left: int, top: int, right: int, bottom: int, level: int
) -> None:
    random = np.random.default_rng(seed)
    inside = random.integers(0, 256, (90, 110), np.uint8)
    canvas = np.full((90 + top + bottom, 110 + left + right), level, np.uint8)
    canvas[top : top + 90, left : left + 110] = inside
    found = find_inside(decode_luma(encode(Image.fromarray(canvas))))
    if not (left or top or right or bottom):
        assert found is None
        return
    assert found is not None
    rows, columns = found
    assert abs(rows.start - top) <= 1
    assert abs(rows.end - top - 90) <= 1 if rows.end is not None else not bottom
    assert abs(columns.start - left) <= 1
    assert abs(columns.end - left - 110) <= 1 if columns.end is not None else not right


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_plain_picture_is_not_cut(level: int) -> None:
    flat = Image.fromarray(np.full((300, 400), level, np.uint8))
    assert find_inside(decode_luma(encode(flat))) is None
    assert parts(sign_picture(encode(flat))) == [Part.WHOLE]


def test_a_small_thing_on_a_plain_ground_is_not_a_picture_in_a_border() -> None:
    canvas = Image.new("RGB", (1000, 1000), (255, 255, 255))
    side = int(1000 * MIN_LEFT_SHARE) - 20
    canvas.paste(photograph("chelsea").resize((side, side)), (400, 400))
    assert parts(sign_picture(encode(canvas))) == [Part.WHOLE]


def test_what_is_inside_a_border_but_too_smooth_is_no_view() -> None:
    slope = np.tile(np.linspace(60, 180, 640).astype(np.uint8), (480, 1))
    canvas = np.pad(slope, 50)
    assert find_inside(decode_luma(encode(Image.fromarray(canvas)))) is not None
    assert parts(sign_picture(encode(Image.fromarray(canvas)))) == [Part.WHOLE]


def test_a_mirrored_copy_in_a_border_is_found_by_a_variant() -> None:
    original = photograph("coffee")
    mirrored = original.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    after = sign_picture(encode(bordered(mirrored, (0.1,) * 4, (0, 0, 0)), "JPEG"))
    [trimmed] = [view for view in after.views if view.part is Part.TRIMMED]
    whole = sign_picture(encode(original)).views[0].pdq
    away = [hamming(whole.bits, variant.bits) for variant in trimmed.variants]
    assert min(away) == away[5] <= MATCH_DISTANCE_BITS < away[0]


def test_heic_in_a_border_too() -> None:
    stream = io.BytesIO()
    around = bordered(photograph("rocket"), (0.1,) * 4, (255, 255, 255))
    pillow_heif.from_pillow(around).save(stream, quality=70)
    after = sign_picture(stream.getvalue())
    before = sign_picture(encode(photograph("rocket")))
    assert nearest(before, after) <= MATCH_DISTANCE_BITS
