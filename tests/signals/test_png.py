"""A PNG that browsers show is fingerprinted, whatever else stands in its file.

Each of these was shown whole by Chromium, and refused by Pillow.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from holdfast.signals import png
from holdfast.signals.luma import MAX_MISSING_SHARE
from holdfast.signals.media import decode_frames, decode_luma
from holdfast.signals.png import MAX_CHUNKS, made_whole, picture_alone
from holdfast.signals.refusal import MediaRefused, RefusalReason
from tests.signals import damaged
from tests.world import photograph

BEFORE_IHDR_ENDS = 33
BOMB = zlib.compress(bytes(80_000_000), 9)


def encode(picture: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG", **options)
    return stream.getvalue()


def chunk(name: bytes, body: bytes, wrong_bits: int = 0) -> bytes:
    checksum = zlib.crc32(name + body) ^ wrong_bits
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)


def with_chunk(data: bytes, added: bytes) -> bytes:
    return data[:BEFORE_IHDR_ENDS] + added + data[BEFORE_IHDR_ENDS:]


PICTURE = photograph(size=160)
DATA = encode(PICTURE)
HEADER = DATA[8:BEFORE_IHDR_ENDS]
LUMA = np.asarray(PICTURE.convert("L"))
ROWS = b"".join(b"\0" + row.tobytes() for row in np.asarray(PICTURE))


def of_pixels(packed: bytes) -> bytes:
    return DATA[:8] + HEADER + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "added",
    [
        chunk(b"tEXt", b"Comment\0hello", wrong_bits=1),
        chunk(b"zTXt", b"Comment\0\0" + BOMB),
        chunk(b"iCCP", b"profile\0\0" + BOMB),
        chunk(b"iCCP", b"profile\0\7"),
        chunk(b"gAMA", b"\0"),
        chunk(b"cHRM", bytes(7)),
        chunk(b"pHYs", b"\0"),
        chunk(b"sRGB", b""),
        chunk(b"tRNS", b"\0"),
        chunk(b"acTL", b"\0"),
        chunk(b"acTL", bytes(8)),
        chunk(b"eXIf", b"nothing of the kind"),
    ],
    ids=lambda added: f"{added[4:8].decode()}-{len(added)}",
)
@pytest.mark.filterwarnings("error")
def test_what_stands_beside_the_picture_cannot_hide_it(added: bytes) -> None:
    assert (decode_luma(with_chunk(DATA, added)).pixels == LUMA).all()


@pytest.mark.parametrize("name", [b"tEXt", b"IDAT", b"eXIf"])
def test_thousands_of_empty_chunks_are_stepped_over(name: bytes) -> None:
    data = with_chunk(DATA, chunk(name, b"") * 100_000)
    assert (decode_luma(data).pixels == LUMA).all()


def test_millions_of_chunks_are_not_read() -> None:
    data = with_chunk(DATA, chunk(b"IDAT", b"") * (MAX_CHUNKS + 1))
    with pytest.raises(MediaRefused) as refused:
        decode_luma(data)
    assert refused.value.reason is RefusalReason.BROKEN


def test_pixels_count_whatever_their_checksums_say() -> None:
    packed = bytearray(zlib.compress(ROWS))
    packed[-1] ^= 1
    assert (decode_luma(of_pixels(bytes(packed))).pixels == LUMA).all()


def test_what_follows_the_end_of_the_pixels_is_not_read() -> None:
    """Each piece of it would cost a copy of all that follows: minutes, for 60 MB."""

    class Counted(bytes):
        read = 0

        def __getitem__(self, at: Any) -> Any:
            Counted.read += 1
            return super().__getitem__(at)

    packed = zlib.compress(ROWS)
    junk = Counted(packed[:-4] + b"none" + b"\x55" * 1_000_000)
    assert b"".join(png._unpacked(junk)) == ROWS
    assert Counted.read <= 2 + len(packed) // png.STEP_BYTES


def test_a_depth_that_no_png_has_is_refused() -> None:
    damaged = bytearray(of_pixels(zlib.compress(ROWS[:-50])))
    damaged[24] = 255
    with pytest.raises(MediaRefused) as refused:
        decode_luma(bytes(damaged))
    assert refused.value.reason is RefusalReason.BROKEN


def test_a_chunk_between_the_pixels_does_not_end_them() -> None:
    packed = zlib.compress(ROWS)
    data = DATA[:8] + HEADER + chunk(b"IDAT", packed[:5000]) + chunk(b"tEXt", b"a\0b")
    data += chunk(b"IDAT", packed[5000:]) + chunk(b"IEND", b"")
    assert (decode_luma(data).pixels == LUMA).all()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_cut_near_its_end_it_is_seen_as_browsers_show_it(mode: str) -> None:
    whole = encode(PICTURE.convert(mode))
    cut = decode_luma(whole[: int(len(whole) * 0.97)])
    kept = int(160 * (1 - MAX_MISSING_SHARE))
    assert (cut.pixels[:kept] == decode_luma(whole).pixels[:kept]).all()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_cut_in_its_middle_the_rows_that_are_there_are_seen(
    mode: str, share: float
) -> None:
    whole = encode(PICTURE.convert(mode))
    cut = decode_luma(whole[: int(len(whole) * share)])
    assert cut.pixels.shape == (cut.height, 160)
    assert 0.1 * 160 < cut.height < 0.9 * 160
    assert (cut.pixels == decode_luma(whole).pixels[: cut.height]).all()


def test_of_which_little_is_there_it_is_refused_as_truncated() -> None:
    with pytest.raises(MediaRefused) as refused:
        decode_luma(DATA[: int(len(DATA) * 0.05)])
    assert refused.value.reason is RefusalReason.TRUNCATED


def interlaced(width: int, height: int, share: float = 1) -> bytes:
    """A grey picture in Adam7's seven passes, of which each has rows of its own, and
    of these as many as are this share of all bytes."""
    pixels = np.arange(width * height, dtype=np.uint8).reshape(height, width)
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2),
              (0, 1, 2, 2), (1, 0, 2, 1))  # fmt: skip
    some = [pixels[top::down, left::across] for top, left, down, across in passes]
    rows = b"".join(b"\0" + row.tobytes() for one in some if one.size for row in one)
    rows = rows[: int(len(rows) * share)]
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1)
    return (
        DATA[:8]
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows)[:-4])
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (5, 9), (16, 8), (37, 41)])
def test_an_interlaced_one_is_made_whole_to_its_last_pixel(
    size: tuple[int, int],
) -> None:
    width, height = size
    whole, [part] = made_whole(picture_alone(interlaced(width, height)), 10_000)
    assert part == (0, 0, width, height, height, (1, 1))
    with Image.open(io.BytesIO(whole)) as picture:
        seen = np.asarray(picture)
    expected = np.arange(width * height, dtype=np.uint8).reshape(height, width)
    assert (seen == expected).all()


@pytest.mark.parametrize(
    ("share", "rows", "columns"),
    [(0.02, 8, 8), (0.1, 4, 4), (0.3, 2, 2), (0.6, 2, 1), (0.97, 2, 1)],
)
def test_of_an_interlaced_one_that_is_cut_the_whole_passes_are_seen(
    share: float, rows: int, columns: int
) -> None:
    width, height = 40, 48
    cut = decode_luma(interlaced(width, height, share))
    expected = np.arange(width * height, dtype=np.uint8).reshape(height, width)
    coarse = expected[::rows, ::columns].repeat(rows, 0).repeat(columns, 1)
    assert (cut.pixels == coarse[:height, :width]).all()


def test_an_interlaced_one_without_a_whole_pass_is_refused() -> None:
    with pytest.raises(MediaRefused) as refused:
        decode_luma(interlaced(40, 48, 0.005))
    assert refused.value.reason is RefusalReason.TRUNCATED


def test_the_frames_of_an_animation_stay() -> None:
    frames = [photograph(name, 80) for name in ("astronaut", "coffee", "cat")]
    data = encode(frames[0], save_all=True, append_images=frames[1:], duration=50)
    moved = list(decode_frames(with_chunk(data, chunk(b"gAMA", b"\0"))))
    assert [luma.at_ms for luma in moved] == [0, 50, 100]
    for luma, frame in zip(moved, frames, strict=True):
        assert (luma.pixels == np.asarray(frame.convert("L"))).all()


@pytest.mark.parametrize("rows", [8, 48, 80, 152])
def test_one_that_says_itself_that_it_ends_is_compared_by_its_rows(rows: int) -> None:
    """Pillow takes such a file for whole, and the rest for black."""
    data = of_pixels(zlib.compress(ROWS[: len(ROWS) * rows // 160]))
    if rows < 16:
        with pytest.raises(MediaRefused) as refused:
            decode_luma(data)
        assert refused.value.reason is RefusalReason.TRUNCATED
        return
    seen = decode_luma(data)
    assert seen.height == (160 if rows >= 144 else rows)
    assert (seen.pixels[:rows] == LUMA[:rows]).all()


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_an_interlaced_one_that_says_so_is_as_one_that_is_cut(share: float) -> None:
    cut = interlaced(40, 48, share)
    at = cut.index(b"IDAT")
    rows = zlib.decompressobj(-zlib.MAX_WBITS).decompress(cut[at + 6 :])
    says_so = cut[: at - 4] + chunk(b"IDAT", zlib.compress(rows))
    says_so += chunk(b"IEND", b"")
    assert (decode_luma(says_so).pixels == decode_luma(cut).pixels).all()


def test_a_black_end_is_part_of_a_whole_one() -> None:
    black = ROWS[: len(ROWS) // 2] + bytes(len(ROWS) // 2)
    seen = decode_luma(of_pixels(zlib.compress(black)))
    assert seen.height == 160
    assert (seen.pixels[80:] == 0).all()


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize(
    "harm", [damaged.png_ends(40), damaged.png_harmed, damaged.png_cut]
)
def test_a_harmed_frame_hides_no_other(which: int, harm: damaged.Frame) -> None:
    frames: list[damaged.Frame] = [damaged.png_whole] * 3
    frames[which] = harm
    seen = list(decode_frames(damaged.png(*frames)))
    assert [luma.at_ms for luma in seen] == [0, 50, 100]
    for number, name in enumerate(damaged.NAMES):
        height = seen[number].height
        assert 20 < height < 60 if number == which else height == damaged.SIDE
        assert (seen[number].pixels == damaged.grey(name)[:height]).all()


def test_a_frame_that_stands_outside_ends_the_animation() -> None:
    data = damaged.png(damaged.png_whole, damaged.png_whole, damaged.png_whole)
    second = data.index(b"fcTL", data.index(b"fcTL") + 4)
    body = bytearray(data[second + 4 : second + 30])
    body[4:8] = struct.pack(">I", damaged.SIDE + 1)
    moved = data[: second - 4] + chunk(b"fcTL", bytes(body)) + data[second + 34 :]
    assert len(list(decode_frames(moved))) == 1
