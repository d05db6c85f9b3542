"""What people see is what is decoded: kinds, depths, transparency, orientation."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.ExifTags import Base

from holdfast.signals.jpeg import MIN_SIDE_PIXELS
from holdfast.signals.media import decode_frames, decode_luma


def encode(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def scene(height: int, width: int) -> NDArray[np.uint8]:
    """A slope with one bright corner, so that every turn of it looks different."""
    down, along = np.mgrid[0:height, 0:width]
    slope = 80 * down / height + 60 * along / width
    picture: NDArray[np.uint8] = slope.astype(np.uint8)
    picture[: height // 4, : width // 3] = 250
    return picture


def distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


# How upright pixels are stored so that the EXIF value turns them back.
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].T,
    8: lambda a: np.rot90(a, 3),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_is_applied(kind: str, orientation: int) -> None:
    upright = scene(120, 203)
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](upright)))
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    luma = decode_luma(encode(stored.convert("RGB"), kind, exif=exif))
    assert (luma.height, luma.width) == upright.shape
    assert luma.pixels.shape == upright.shape
    assert distance(luma.pixels, upright) < 3


@pytest.mark.parametrize(
    ("stored", "orientation", "eighths", "size"),
    [
        ((1203, 2001), 1, 2, (2001, 1203)),
        ((1203, 2001), 6, 2, (1203, 2001)),
        ((4096, 1024), 1, 2, (1024, 4096)),
        ((3001, 4003), 8, 1, (3001, 4003)),
        ((400, 3000), 1, 6, (3000, 400)),
        # libjpeg has no fast way to 7/8.
        ((320, 3000), 1, 8, (3000, 320)),
    ],
)
def test_a_large_jpeg_is_decoded_small(
    stored: tuple[int, int], orientation: int, eighths: int, size: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    data = encode(Image.fromarray(scene(*stored)), "JPEG", exif=exif)
    luma = decode_luma(data)
    assert luma.rows.eighths == luma.columns.eighths == eighths
    assert (luma.width, luma.height) == size
    if eighths < 8:
        assert min(luma.pixels.shape) >= MIN_SIDE_PIXELS


def test_transparency_lies_over_white_and_hides_nothing() -> None:
    """A picture drawn only in the alpha channel is seen, so it is decoded."""
    shape = scene(100, 100)
    rgba = np.zeros((100, 100, 4), dtype=np.uint8)
    rgba[:, :, 3] = 255 - shape
    assert distance(decode_luma(encode(Image.fromarray(rgba))).pixels, shape) < 1


def test_what_lies_beneath_full_transparency_is_not_seen() -> None:
    rgba = np.zeros((100, 100, 4), dtype=np.uint8)
    rgba[:, :, 0] = scene(100, 100)
    assert (decode_luma(encode(Image.fromarray(rgba))).pixels == 255).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_png_mode(mode: str) -> None:
    picture = Image.fromarray(np.where(scene(64, 64) > 200, 255, 0).astype(np.uint8))
    data = encode(picture.convert("RGB").convert(mode))
    assert (decode_luma(data).pixels == np.asarray(picture)).all()


def test_sixteen_bits_keep_their_high_byte() -> None:
    deep = scene(90, 70).astype(np.uint16) * 257
    assert (decode_luma(encode(Image.fromarray(deep))).pixels == scene(90, 70)).all()


def test_luma_weights() -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], dtype=np.uint8)
    pixels = decode_luma(encode(Image.fromarray(colours))).pixels
    assert pixels.tolist() == [[76, 150, 29]]


def test_only_the_first_frame_is_decoded() -> None:
    frames = [Image.fromarray(np.roll(scene(60, 60), 7 * n)) for n in range(30)]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    alone = encode(frames[0], "GIF")
    damaged = data[: len(alone) + 40] + b"\xaa" * (len(data) - len(alone) - 40)
    for animation in (data, damaged):
        luma = decode_luma(animation)
        assert (luma.pixels == decode_luma(alone).pixels).all()


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_every_frame_is_decoded_in_time(kind: str) -> None:
    frames = [Image.fromarray(np.roll(scene(60, 60), 7 * n)) for n in range(4)]
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=80)
    decoded = list(decode_frames(data))
    assert [(luma.at_ms, luma.lasts_ms) for luma in decoded] == [
        (80 * n, 80) for n in range(4)
    ]
    for luma, frame in zip(decoded, frames, strict=True):
        assert distance(luma.pixels, np.asarray(frame)) < 6


def test_heic_is_decoded_and_turned_as_its_boxes_say() -> None:
    upright = scene(120, 204)
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    stored = Image.fromarray(np.ascontiguousarray(STORED[6](upright))).convert("RGB")
    for picture, options in (
        (Image.fromarray(upright).convert("RGB"), {}),
        (stored, {"exif": exif.tobytes()}),
    ):
        stream = io.BytesIO()
        pillow_heif.from_pillow(picture).save(stream, quality=90, **options)
        luma = decode_luma(stream.getvalue())
        assert (luma.media_type, luma.pixels.shape) == ("image/heic", upright.shape)
        assert distance(luma.pixels, upright) < 3


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_kind_of_jpeg(mode: str, progressive: bool) -> None:
    picture = Image.fromarray(scene(203, 301)).convert("RGB").convert(mode)
    data = encode(picture, "JPEG", quality=90, progressive=progressive)
    assert distance(decode_luma(data).pixels, scene(203, 301)) < 3


def test_sixteen_bits_of_colour() -> None:
    """Pillow writes none, so the file is made by hand (PNG, colour type 2)."""
    deep = np.repeat(scene(60, 50)[:, :, None], 3, axis=2).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 50, 60, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body
        + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )  # fmt: skip
    assert (decode_luma(data).pixels == scene(60, 50)).all()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("cut_bytes", [1, 2, 60])
def test_a_jpeg_cut_at_its_end_is_seen_as_browsers_show_it(
    progressive: bool, cut_bytes: int
) -> None:
    picture = Image.fromarray(scene(400, 400))
    data = encode(picture, "JPEG", progressive=progressive)
    cut = decode_luma(data[:-cut_bytes])
    assert distance(cut.pixels, decode_luma(data).pixels) < 6


@pytest.mark.parametrize("share", [0.3, 0.55, 0.8])
def test_an_end_written_behind_a_cut_jpeg_changes_nothing(share: float) -> None:
    data = encode(Image.fromarray(scene(400, 400)), "JPEG")
    cut = data[: int(len(data) * share)]
    repaired = decode_luma(cut + b"\xff\xd9")
    assert repaired.height < 400
    assert (repaired.pixels == decode_luma(cut).pixels).all()


def test_a_grey_border_below_a_whole_jpeg_is_part_of_it() -> None:
    pixels = scene(400, 400)
    pixels[300:] = 128
    for progressive in (False, True):
        data = encode(Image.fromarray(pixels), "JPEG", progressive=progressive)
        assert decode_luma(data).height == 400


CUT: dict[str, tuple[str, dict[str, object]]] = {
    "jpeg": ("JPEG", {}),
    "jpeg in ink": ("JPEG", {"mode": "CMYK"}),
    "gif": ("GIF", {"mode": "P", "interlace": 0}),
    "bmp": ("BMP", {}),
    "bmp of 256 colours": ("BMP", {"mode": "P"}),
}


@pytest.mark.parametrize("kind", CUT)
@pytest.mark.parametrize("share", [0.3, 0.55, 0.8])
def test_of_a_picture_cut_in_its_middle_what_browsers_show_is_seen(
    kind: str, share: float
) -> None:
    """The rows that are there: else a poster would cut a file to have it pass."""
    form, options = CUT[kind]
    picture = Image.fromarray(scene(400, 400)).convert("RGB")
    options = dict(options)
    picture = picture.convert(str(options.pop("mode", "RGB")))
    data = encode(picture, form, **options)
    whole = decode_luma(data).pixels
    cut = decode_luma(data[: int(len(data) * share)])
    assert 0.1 * 400 < cut.height < 0.9 * 400
    assert cut.width == 400
    # The last row of blocks of a JPEG may be there in part.
    kept = len(cut.pixels) - 17
    there = whole[len(whole) - kept :] if form == "BMP" else whole[:kept]
    seen = cut.pixels[-kept:] if form == "BMP" else cut.pixels[:kept]
    assert distance(seen, there) < 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_cut_jpeg_is_turned_as_a_whole_one(orientation: int) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    picture = Image.fromarray(scene(800, 800))
    data = encode(picture, "JPEG", exif=exif)
    cut = decode_luma(data[: len(data) // 2])
    assert cut.pixels.shape == (cut.rows.pixels, cut.columns.pixels)
    assert sorted((cut.height, cut.width))[1] == 800
    assert (cut.height < cut.width) == (orientation < 5)


@pytest.mark.parametrize("share", [0.3, 0.55, 0.8])
def test_of_a_cut_interlaced_gif_the_whole_passes_are_seen(share: float) -> None:
    picture = Image.fromarray(scene(400, 400)).convert("P")
    data = encode(picture, "GIF", interlace=1)
    cut = decode_luma(data[: int(len(data) * share)])
    assert cut.pixels.shape == (400, 400)
    assert distance(cut.pixels, decode_luma(data).pixels) < 25
    # No row is an empty one.
    assert cut.pixels.std(axis=1).min() > 1


def test_a_gif_that_says_it_ends_before_its_pixels_do_is_no_way_round() -> None:
    data = encode(Image.fromarray(scene(400, 400)).convert("P"), "GIF", interlace=0)
    # Two thirds of its blocks, which follow the descriptor and the colours' length.
    at, blocks = data.index(b"\x2c\0\0\0\0") + 11, []
    while data[at]:
        at += 1 + data[at]
        blocks.append(at)
    end = blocks[len(blocks) * 2 // 3]
    cut = decode_luma(data[:end] + b"\0;")
    assert 100 < cut.height < 360
    kept = cut.height - 2
    assert (cut.pixels[:kept] == decode_luma(data).pixels[:kept]).all()


def test_what_follows_a_jpeg_does_not_matter() -> None:
    data = encode(Image.fromarray(scene(100, 100)), "JPEG")
    tail = decode_luma(data + b"PK\x03\x04" * 100)
    assert (tail.pixels == decode_luma(data).pixels).all()


def test_damage_inside_a_complete_jpeg_is_no_way_round_the_fingerprint() -> None:
    data = encode(Image.fromarray(scene(600, 600)), "JPEG")
    middle = len(data) - 200
    damaged = data[:middle] + b"\xff\x13\x00\x02" + data[middle:]
    assert decode_luma(damaged).pixels.shape == (300, 300)


def segments(data: bytes) -> tuple[dict[int, list[bytes]], bytes]:
    """A JPEG's segments by their marker, and what is coded after the last of them."""
    found: dict[int, list[bytes]] = {}
    at = 2
    while True:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        found.setdefault(marker, []).append(data[at + 4 : at + 2 + length])
        at += 2 + length
        if marker == 0xDA:
            return found, data[at:-2]


def sampled(picture: Image.Image, across: int, down: int) -> bytes:
    """A JPEG whose colours are sampled at a rate that Pillow does not write.

    Its brightness and its two (grey) colours follow each other in scans of their own,
    each as Pillow writes a grey picture of that size.
    """
    small = (-(-picture.width // across), -(-picture.height // down))
    colour = Image.new("L", small, 128)
    planes = [segments(encode(each, "JPEG")) for each in (picture, colour, colour)]
    rates = (across << 4 | down, 0x11, 0x11)
    frame = planes[0][0][0xC0][0][:5] + b"\3"
    frame += b"".join(bytes((n + 1, rate, 0)) for n, rate in enumerate(rates))
    parts = [(0xDB, each) for each in planes[0][0][0xDB]]
    parts += [(0xC0, frame)] + [(0xC4, each) for each in planes[0][0][0xC4]]
    data = b"\xff\xd8" + b"".join(segment(*part) for part in parts)
    for number, (_, coded) in enumerate(planes):
        data += segment(0xDA, bytes((1, number + 1, 0, 0, 63, 0))) + coded
    return data + b"\xff\xd9"


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


@pytest.mark.parametrize(("across", "down"), [(4, 2), (3, 1), (1, 3), (2, 4), (3, 2)])
def test_a_jpeg_with_colours_sampled_as_nobody_does_is_no_way_round(
    across: int, down: int
) -> None:
    data = sampled(Image.fromarray(scene(203, 301)), across, down)
    assert distance(decode_luma(data).pixels, scene(203, 301)) < 3


def test_a_cut_jpeg_with_such_colours_is_seen_as_far_as_it_goes() -> None:
    data = sampled(Image.fromarray(scene(203, 301)), 4, 2)
    assert distance(decode_luma(data[:-2]).pixels, scene(203, 301)) < 3
    half = decode_luma(data[: len(data) // 2])
    assert 60 < half.height < 150
    kept = half.height - 20
    assert distance(half.pixels[:kept], scene(203, 301)[:kept]) < 3


def test_stray_bytes_between_segments_of_a_jpeg_are_no_way_round() -> None:
    data = encode(Image.fromarray(scene(100, 100)), "JPEG")
    after_first = 4 + int.from_bytes(data[4:6])
    stray = data[:after_first] + b"stray" + data[after_first:]
    assert distance(decode_luma(stray).pixels, decode_luma(data).pixels) < 1


def test_thousands_of_empty_segments_of_a_jpeg_are_stepped_over() -> None:
    data = encode(Image.fromarray(scene(100, 100)), "JPEG")
    padded = data[:2] + segment(0xFE, b"") * 100_000 + data[2:]
    assert (decode_luma(padded).pixels == decode_luma(data).pixels).all()


@pytest.mark.parametrize(
    "beside",
    [(0xE0, b"JFIF\0"), (0xE2, b"ICC_PROFILE\0"), (0xEE, b"Adobe\0")],
    ids=["APP0", "ICC", "Adobe"],
)
@pytest.mark.parametrize("orientation", [1, 6])
def test_what_stands_beside_a_jpeg_in_ink_cannot_hide_it(
    beside: tuple[int, bytes], orientation: int
) -> None:
    upright = scene(203, 301)
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](upright)))
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    ink = stored.convert("RGB").convert("CMYK")
    data = encode(ink, "JPEG", quality=90, exif=exif)
    damaged = data[:2] + segment(*beside) + data[2:]
    assert distance(decode_luma(damaged).pixels, upright) < 3


@pytest.mark.parametrize("side", range(1, 9))
def test_a_jpeg_of_a_few_pixels_is_whole(side: int) -> None:
    data = encode(Image.fromarray(scene(side, 300)), "JPEG")
    assert decode_luma(data).pixels.shape == (side, 300)
