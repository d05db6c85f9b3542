"""What is read of a JPEG by stepping over the rest is what the rule says it is."""

from __future__ import annotations

import io

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from holdfast.signals import jpeg
from holdfast.signals.jpeg_baseline import read_baseline
from holdfast.signals.jpeg_header import read_jpeg_header
from holdfast.signals.jpeg_scan import read_lowest, read_lowest_reference
from holdfast.signals.jpeg_stream import next_marker, unstuff
from holdfast.signals.media import decode_luma
from holdfast.signals.refusal import MediaRefused
from tests.signals.photographs import encode, photograph

SAMPLINGS = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}


def generated(seed: int, height: int, width: int) -> Image.Image:
    """Noise over a slope: many numbers in each block, or few where it is plain."""
    random = np.random.default_rng(seed)
    down, along = np.mgrid[0:height, 0:width]
    slope = 255 * (down + along) / (height + width)
    noise = random.normal(0, 60, (height, width, 3)) * (along < width // 2)[..., None]
    pixels = (slope[..., None] + noise).clip(0, 255).astype(np.uint8)
    return Image.fromarray(pixels)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    quality=st.integers(1, 100),
    sampling=st.sampled_from([*SAMPLINGS, "grey"]),
    optimize=st.booleans(),
    eighths=st.integers(1, 8),
    seed=st.integers(0, 99),
)
def test_it_reads_what_the_rule_says(
    height: int,
    width: int,
    quality: int,
    sampling: str,
    optimize: bool,
    eighths: int,
    seed: int,
) -> None:
    picture = generated(seed, height, width)
    if sampling == "grey":
        data = encode(picture.convert("L"), "JPEG", quality=quality, optimize=optimize)
    else:
        data = encode(
            picture, "JPEG", quality=quality, optimize=optimize,
            subsampling=SAMPLINGS[sampling],
        )  # fmt: skip
    known = read_baseline(data)
    assert known is not None
    fast = read_lowest(data, known, eighths)
    plain = read_lowest_reference(data, known, eighths)
    assert fast is not None
    assert fast.shape == plain.shape
    # Single precision may fall on the other side of a half.
    assert np.abs(fast.astype(int) - plain).max() <= 1


@pytest.mark.parametrize(("eighths", "levels"), [(1, 0), (3, 1), (5, 1), (6, 1)])
@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket"])
def test_it_reads_what_libjpeg_reads(name: str, eighths: int, levels: int) -> None:
    """At 2/8 and 4/8 libjpeg-turbo takes means instead of the lowest frequencies."""
    data = encode(photograph(name), "JPEG", quality=88)
    known = read_baseline(data)
    assert known is not None
    fast = read_lowest(data, known, eighths)
    assert fast is not None
    height, width = fast.shape
    libjpeg = simplejpeg.decode_jpeg(data, "GRAY", min_height=height, min_width=width)
    assert libjpeg.shape == (height, width, 1)
    assert np.abs(fast.astype(int) - libjpeg[:, :, 0]).max() <= levels


PHOTOGRAPH = encode(photograph("astronaut").resize((2400, 1800)), "JPEG", quality=75)
LARGE = photograph("coffee").resize((1400, 1100))


@pytest.mark.parametrize(
    "data",
    [
        encode(LARGE, "JPEG", progressive=True),
        encode(LARGE.convert("CMYK"), "JPEG"),
        encode(LARGE, "JPEG", restart_marker_rows=1),
        encode(LARGE, "JPEG", keep_rgb=True),
        PHOTOGRAPH[:-2],
        PHOTOGRAPH[: len(PHOTOGRAPH) * 2 // 3],
    ],
    ids=["progressive", "CMYK", "restarts", "RGB", "no end", "cut"],
)
def test_what_is_not_common_is_left_to_others(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def result() -> tuple[int, int] | str:
        try:
            return decode_luma(data).pixels.shape
        except MediaRefused as refused:
            return refused.reason

    before = result()
    known = read_baseline(data)
    if known is not None and read_jpeg_header(data).complete:
        pytest.fail("it was taken for a common one")
    monkeypatch.setattr(jpeg, "STEPPING_EIGHTHS", 0)
    assert result() == before


def test_a_common_photograph_goes_the_quick_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jpeg, "_decode", None)
    assert decode_luma(PHOTOGRAPH).pixels.shape == (450, 600)


@settings(max_examples=300, deadline=None)
@given(
    at=st.floats(0, 1), bytes_=st.binary(min_size=1, max_size=40), all_=st.booleans()
)
def test_damage_is_never_read_as_something_else(
    at: float, bytes_: bytes, all_: bool
) -> None:
    """Whatever stands in the coded numbers: a picture of the right size, or none."""
    whole = bytearray(SMALL)
    known = read_baseline(SMALL)
    assert known is not None
    begin = 0 if all_ else known.begins
    place = begin + int(at * (len(whole) - begin))
    whole[place : place + len(bytes_)] = bytes_
    damaged = read_baseline(bytes(whole))
    if damaged is None or damaged.width * damaged.height > 1_000_000:
        return
    for eighths in (1, 4):
        pixels = read_lowest(bytes(whole), damaged, eighths)
        if pixels is not None:
            assert pixels.shape == (
                -(-damaged.height * eighths // 8),
                -(-damaged.width * eighths // 8),
            )


SMALL = encode(photograph("chelsea").resize((160, 120)), "JPEG", quality=60)


@pytest.mark.parametrize("frequency", [0, 1, 4])
def test_numbers_larger_than_any_picture_has_are_left_to_libjpeg(
    frequency: int,
) -> None:
    """Decoders wrap them round, so such a file may show what its numbers do not say."""
    picture = generated(3, 800, 800).convert("L")
    plain = encode(picture, "JPEG", quality=100)
    table = plain.index(b"\xff\xdb") + 5
    data = bytearray(plain)
    data[table + frequency] = 255
    known = read_baseline(bytes(data))
    assert known is not None
    assert read_lowest(bytes(data), known, 3) is None
    header = read_jpeg_header(bytes(data))
    libjpeg = jpeg._decode(bytes(data), header, 3)
    assert (decode_luma(bytes(data)).pixels == libjpeg).all()


def test_numbers_that_end_too_early_are_not_made_up() -> None:
    known = read_baseline(SMALL)
    assert known is not None
    for cut in range(known.begins, len(SMALL) - 8, 7):
        assert read_lowest(SMALL[:cut] + b"\xff\xd9", known, 1) is None


@given(st.lists(st.sampled_from([0, 1, 0xD0, 0xD7, 0xD8, 0xFE, 0xFF, 7]), max_size=40))
def test_markers_are_found_and_stuffing_is_taken_out(values: list[int]) -> None:
    data = bytes(values)
    seen = np.frombuffer(data, np.uint8)
    marker = next(
        (
            at
            for at in range(len(data) - 1)
            if data[at] == 0xFF and data[at + 1] not in {0, 0xFF, *range(0xD0, 0xD8)}
        ),
        len(data),
    )
    assert next_marker(seen, 0) == marker
    out = np.zeros(len(data) + 8, np.uint8)
    length = unstuff(seen, 0, out)
    plain, at = bytearray(), 0
    while at < len(data):
        if data[at] == 0xFF:
            if data[at + 1 : at + 2] != b"\0":
                break
            at += 1
            plain.append(0xFF)
        else:
            plain.append(data[at])
        at += 1
    assert out[:length].tobytes() == bytes(plain)


def test_what_is_written_beside_the_picture_changes_nothing() -> None:
    exif = Image.Exif()
    exif[0x010F] = "A maker whose name has \xff\xd8 in it" * 20
    out = io.BytesIO()
    photograph("coffee").resize((1200, 900)).save(
        out, "JPEG", quality=80, exif=exif, comment=b"\xff\xc2 no frame", dpi=(72, 72)
    )
    bare = encode(photograph("coffee").resize((1200, 900)), "JPEG", quality=80)
    assert read_baseline(out.getvalue()) is not None
    assert (decode_luma(out.getvalue()).pixels == decode_luma(bare).pixels).all()
