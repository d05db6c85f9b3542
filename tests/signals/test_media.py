"""What people see is what is decoded: kinds, depths, transparency, orientation."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.ExifTags import Base

from holdfast.signals.media import decode_luma


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
        ((1203, 2001), 1, 4, (2001, 1203)),
        ((4096, 1024), 1, 4, (1024, 4096)),
        ((4096, 1024), 6, 4, (4096, 1024)),
        # Sides that are no multiple of 8 are decoded whole when turned.
        ((1203, 2001), 6, 8, (1203, 2001)),
        ((500, 3000), 1, 8, (3000, 500)),
    ],
)
def test_a_large_jpeg_is_decoded_small(
    stored: tuple[int, int], orientation: int, eighths: int, size: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    data = encode(Image.fromarray(scene(*stored)), "JPEG", exif=exif)
    luma = decode_luma(data)
    assert luma.eighths == eighths
    assert (luma.width, luma.height) == size
    if eighths < 8:
        assert min(luma.pixels.shape) >= 512


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


def test_what_follows_a_jpeg_does_not_matter() -> None:
    data = encode(Image.fromarray(scene(100, 100)), "JPEG")
    tail = decode_luma(data + b"PK\x03\x04" * 100)
    assert (tail.pixels == decode_luma(data).pixels).all()


def test_damage_inside_a_complete_jpeg_is_no_way_round_the_fingerprint() -> None:
    data = encode(Image.fromarray(scene(400, 400)), "JPEG")
    middle = len(data) - 200
    damaged = data[:middle] + b"\xff\x13\x00\x02" + data[middle:]
    assert decode_luma(damaged).pixels.shape == (400, 400)
