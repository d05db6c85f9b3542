"""Of a GIF's frames, however they are harmed, what is there is seen."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from holdfast.signals import gif, lzw
from holdfast.signals.lzw import FIRST_BITS, filled, reach, reach_reference
from holdfast.signals.media import decode_frames, decode_luma
from holdfast.signals.refusal import MediaRefused, RefusalReason
from tests.signals import damaged
from tests.signals.damaged import gif_ends, gif_harmed, gif_whole

BOUNDS = (10_000, 10, 1_000_000)
codes = st.binary(max_size=400)
first_bits = st.sampled_from(FIRST_BITS)


@given(codes, first_bits, st.integers(1, 5_000))
def test_how_far_codes_go_is_what_decoding_them_says(
    data: bytes, first: int, most: int
) -> None:
    assert reach(data, first, most) == reach_reference(data, first, most)


@given(codes, first_bits, st.integers(1, 60_000))
def test_codes_that_were_filled_go_as_far_as_was_asked(
    data: bytes, first: int, missing: int
) -> None:
    found = reach(data, first, 1_000_000)
    whole = filled(data, first, found, missing)
    again = reach_reference(whole, first, 2_000_000)
    assert again.pixels == found.pixels + missing
    assert len(whole) * 8 - again.end <= 8 + lzw.MOST_BITS


def test_filling_takes_little_room() -> None:
    none = reach(b"", 8, 1)
    assert len(filled(b"", 8, none, 50_000_000)) < 40_000


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("colours", [2, 4, 16, 256])
def test_where_a_real_gif_is_cut_its_pixels_are_those_before(
    colours: int, share: float
) -> None:
    """Pillow's own codes, of every length, with few clears."""
    picture = Image.fromarray(damaged.grey("cat")).quantize(colours)
    stream = io.BytesIO()
    picture.save(stream, "GIF", interlace=0)
    data = stream.getvalue()
    cut, [part] = gif.made_whole(data[: int(len(data) * share)], *BOUNDS)
    seen = np.asarray(Image.open(io.BytesIO(cut)).convert("L"))
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    assert 0 < part.rows < damaged.SIDE
    assert (seen[: part.rows] == expected[: part.rows]).all()


def test_a_whole_one_is_left_as_it_is() -> None:
    data = damaged.gif(gif_whole, gif_whole, gif_whole)
    whole, parts = gif.made_whole(data, *BOUNDS)
    assert whole is data
    assert {part.rows for part in parts} == {damaged.SIDE}


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("harm", [gif_harmed(30), gif_ends(30, b"\x55" * 600)])
def test_a_harmed_frame_hides_no_other(which: int, harm: damaged.Frame) -> None:
    frames: list[damaged.Frame] = [gif_whole] * 3
    frames[which] = harm
    seen = list(decode_frames(damaged.gif(*frames)))
    for number, name in enumerate(damaged.NAMES):
        assert seen[number].height == (30 if number == which else damaged.SIDE)
        rows = damaged.grey(name)[: seen[number].height]
        assert (seen[number].pixels == rows).all()


def test_a_frame_of_which_little_is_there_is_passed_over() -> None:
    seen = list(decode_frames(damaged.gif(gif_whole, gif_ends(5), gif_whole)))
    assert [luma.at_ms for luma in seen] == [0, 200]
    with pytest.raises(MediaRefused) as refused:
        decode_luma(damaged.gif(gif_ends(5), gif_ends(5)))
    assert refused.value.reason is RefusalReason.TRUNCATED


def test_of_a_small_frame_that_ends_the_rest_of_its_canvas_stays() -> None:
    """A sticker that lacks a few rows takes nothing away from what is under it."""
    data = damaged.gif(gif_whole, gif_whole)
    at = data.rindex(b"," + struct.pack("<HHHH", 0, 0, damaged.SIDE, damaged.SIDE))
    codes = damaged.packed([damaged.CLEAR, *[9] * 50, damaged.END])
    body = struct.pack("<HHHHBB", 20, 30, 10, 10, 0, 8)
    small = data[:at] + b"," + body + bytes([len(codes)]) + codes + b"\0;"
    first, second = decode_frames(small)
    assert second.height == damaged.SIDE
    changed = np.argwhere(first.pixels != second.pixels)
    assert changed.min(axis=0).tolist() == [30, 20]
    assert (changed.max(axis=0) < (40, 30)).all()
    assert (second.pixels[30:35, 20:30] == 9).all()


def test_frames_without_number_are_not_all_read() -> None:
    data = damaged.gif(gif_whole, gif_ends(40), gif_whole)
    whole, parts = gif.made_whole(data, 10_000, 2, 1_000_000)
    assert len(parts) == 2
    assert len(list(decode_frames(whole))) == 2
    _whole, parts = gif.made_whole(data, 10_000, 10, damaged.SIDE**2 * 2)
    assert len(parts) == 2
    with pytest.raises(MediaRefused) as refused:
        gif.made_whole(data, damaged.SIDE**2 - 1, 10, 1_000_000)
    assert refused.value.reason is RefusalReason.TOO_MANY_PIXELS


@pytest.mark.parametrize("most", [1, 5, 20, 30])
def test_blocks_without_end_are_refused(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gif, "MAX_BLOCKS", most)
    with pytest.raises(MediaRefused) as refused:
        gif.made_whole(damaged.gif(gif_whole, gif_whole), *BOUNDS)
    assert refused.value.reason is RefusalReason.BROKEN
