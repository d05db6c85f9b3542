"""Each refusal is provoked by a real hostile file, and none of them costs memory."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from holdfast.signals.media import MAX_FILE_BYTES, decode_luma
from holdfast.signals.refusal import MediaRefused, RefusalReason
from holdfast.signals.sign import sign_picture


def encode(kind: str, side: int = 80, **options: object) -> bytes:
    pixels = np.random.default_rng(1).integers(0, 256, (side, side, 3), np.uint8)
    picture = Image.fromarray(pixels)
    stream = io.BytesIO()
    if kind == "HEIF":
        pillow_heif.from_pillow(picture).save(stream, **options)
    else:
        picture.save(stream, kind, **options)
    return stream.getvalue()


def png_chunk(name: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)


def png_bomb(side: int) -> bytes:
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(10_000_000), 9)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", body)
        + png_chunk(b"IEND", b"")
    )


def webp_bomb() -> bytes:
    canvas = (16_382).to_bytes(3, "little") * 2
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + canvas
    body += b"ANIM" + struct.pack("<I", 6) + bytes(6)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif_bomb() -> bytes:
    data = bytearray(encode("GIF"))
    data[6:10] = struct.pack("<HH", 65_535, 65_535)
    return bytes(data)


def bmp_bomb() -> bytes:
    data = bytearray(encode("BMP"))
    data[18:26] = struct.pack("<ii", 60_000, 60_000)
    return bytes(data)


def bmp_bomb_of_no_kind() -> bytes:
    """A header alone, packed in a way that nobody knows."""
    sides = struct.pack("<IiiHHII", 40, 1, 1_000_000_000, 1, 32, 0x99, 0)
    return (b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + sides).ljust(54, b"\0")


def tiff_bomb() -> bytes:
    """A picture of 16 by 16 in one tile of 40,000 by 40,000."""
    tags = [
        (256, 16), (257, 16), (258, 8), (259, 5), (262, 1), (277, 1),
        (322, 40_000), (323, 40_000), (324, 200), (325, 10),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return (b"II*\0" + struct.pack("<I", 8) + directory).ljust(300, b"\0")


def heic_bomb() -> bytes:
    """A real HEIC that says in its box of sizes that it is 60,000 by 60,000."""
    data = encode("HEIF")
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", 60_000, 60_000) + data[at + 8 :]


def jpeg_frame(data: bytes) -> int:
    """Where height and width stand in a JPEG."""
    return max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2")) + 5


def jpeg_bomb(side: int = 65_500, *, progressive: bool = False) -> bytes:
    data = bytearray(encode("JPEG", progressive=progressive))
    at = jpeg_frame(bytes(data))
    data[at : at + 4] = struct.pack(">HH", side, side)
    return bytes(data)


def jpeg_scan_bomb() -> bytes:
    """A progressive JPEG of 100 megapixels that goes over itself 200 times more."""
    data = jpeg_bomb(10_000, progressive=True)
    scan = data[data.rfind(b"\xff\xda") : -2]
    return data[:-2] + scan * 200 + data[-2:]


BOMBS = {
    "png": lambda: png_bomb(60_000),
    "png above Pillow's own refusal": lambda: png_bomb(20_000),
    "png just above the limit": lambda: png_bomb(10_955),
    "webp": webp_bomb,
    "gif": gif_bomb,
    "bmp": bmp_bomb,
    "bmp of no kind": bmp_bomb_of_no_kind,
    "tiff tile": tiff_bomb,
    "heic": heic_bomb,
    "jpeg": jpeg_bomb,
    "jpeg scans": jpeg_scan_bomb,
}


def refusal_of(data: bytes) -> RefusalReason:
    with pytest.raises(MediaRefused) as refused:
        sign_picture(data)
    assert refused.value.reason in refused.value.diagnostics()
    return refused.value.reason


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_refused_for_their_pixels(bomb: str) -> None:
    assert refusal_of(BOMBS[bomb]()) is RefusalReason.TOO_MANY_PIXELS


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"This is a text file called holiday.jpg.\n",
        b"%PDF-1.7\n",
        b"\0\0\0\x20ftypisom\0\0\0\0isomiso2avc1mp41",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
def test_not_a_picture(data: bytes) -> None:
    assert refusal_of(data) is RefusalReason.NOT_A_PICTURE


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["TIFF", "HEIF", "AVIF", "WEBP"])
def test_truncated(kind: str, share: float) -> None:
    """Of these browsers show nothing once they are cut."""
    data = encode(kind)
    cut = data[: int(len(data) * share)]
    assert refusal_of(cut) is RefusalReason.TRUNCATED


def test_a_webp_whose_lengths_were_made_to_fit_is_refused_as_broken() -> None:
    """Chromium shows the first rows of it, and no decoder here does."""
    data = encode("WEBP")
    rest = data[20 : len(data) // 4 * 2]
    fitted = data[8:16] + struct.pack("<I", len(rest)) + rest
    fitted = b"RIFF" + struct.pack("<I", len(fitted)) + fitted
    assert refusal_of(fitted) is RefusalReason.BROKEN


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP"])
def test_almost_nothing_of_it_is_there(kind: str) -> None:
    data = encode(kind, side=400)
    begin = {"JPEG": b"\xff\xda", "PNG": b"IDAT", "GIF": b"\x2c\0\0", "BMP": b""}
    end = data.index(begin[kind]) + len(data) // 20
    assert refusal_of(data[:end]) is RefusalReason.TRUNCATED
    assert refusal_of(data[:40]) in {RefusalReason.TRUNCATED, RefusalReason.BROKEN}


@pytest.mark.parametrize("length", [3, 20, 200])
def test_truncated_in_the_header_of_a_jpeg(length: int) -> None:
    assert refusal_of(encode("JPEG")[:length]) is RefusalReason.TRUNCATED


def test_too_large_a_file() -> None:
    data = encode("JPEG").ljust(MAX_FILE_BYTES, b"\0")
    assert decode_luma(data).width == 80
    assert refusal_of(data + b"\0") is RefusalReason.TOO_LARGE_FILE


def jpeg_with(frame: int, precision: int = 8) -> bytes:
    data = bytearray(encode("JPEG"))
    at = jpeg_frame(bytes(data))
    data[at - 4], data[at - 1] = frame, precision
    return bytes(data)


def floating_tiff() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.ones((20, 20), np.float32)).save(stream, "TIFF")
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"8BPS\0\1" + bytes(50),
        b"\xff\x0a" + bytes(50),
        jpeg_with(frame=0xC9),
        jpeg_with(frame=0xC3),
        jpeg_with(frame=0xC1, precision=12),
        floating_tiff(),
    ],
    ids=["psd", "jxl", "arithmetic", "lossless", "12 bits", "floats"],
)
def test_unsupported_format(data: bytes) -> None:
    assert refusal_of(data) is RefusalReason.UNSUPPORTED_FORMAT


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(200),
        b"RIFF\x64\0\0\0WEBPVP8?" + bytes(100),
        jpeg_bomb(side=0),
        b"\xff\xd8" + b"\xff\xe0\0\2" * 30_000 + b"\xff\xd9",
        b"\xff\xd8\xff\xd9",
    ],
    ids=["png", "webp", "jpeg of no size", "jpeg of segments", "empty jpeg"],
)
def test_broken(data: bytes) -> None:
    assert refusal_of(data) is RefusalReason.BROKEN


def test_a_picture_of_one_pixel_matches_by_digest_alone() -> None:
    signed = sign_picture(encode("PNG", side=1))
    assert (signed.width, signed.height) == (1, 1)
    assert signed.views[0].quality == 0
    assert not signed.is_comparable


@settings(max_examples=150)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "HEIF"]),
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)),
        max_size=12,
    ),
    keep=st.floats(0, 1),
)
@pytest.mark.filterwarnings("ignore")
def test_no_damage_raises_anything_else(
    kind: str, changes: list[tuple[float, int]], keep: float
) -> None:
    data = bytearray(encode(kind, side=24))
    for where, value in changes:
        # Headers are where it hurts, so half of the changes fall into them.
        span = len(data) if value % 2 else min(len(data), 64)
        data[int(where * span)] = value
    try:
        luma = decode_luma(bytes(data[: int(len(data) * keep) + 1]))
    except MediaRefused:
        return
    assert luma.pixels.dtype == np.uint8
    assert luma.pixels.size


MEASURE = """
import pathlib, sys, warnings
from holdfast.signals.media import decode_luma
from holdfast.signals.refusal import MediaRefused, RefusalReason
from holdfast.signals.warm import warm
warnings.simplefilter("ignore")
def peak_kib():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])
warm()
decode_luma(pathlib.Path(sys.argv[1]).read_bytes())
data = [pathlib.Path(name).read_bytes() for name in sys.argv[2:]]
before = peak_kib()
for each in data:
    try:
        decode_luma(each)
    except MediaRefused as refused:
        assert refused.reason is RefusalReason.TOO_MANY_PIXELS
    else:
        raise SystemExit("a bomb was decoded")
print(peak_kib() - before)
"""


def test_refusing_every_bomb_takes_little_memory(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """In a process of its own, since decoders allocate outside Python's sight.

    The kernel's VmHWM begins anew with the process; getrusage's maximum does not.
    """
    folder = tmp_path_factory.mktemp("bombs")
    names = []
    first = encode("WEBP")
    for number, data in enumerate([first, *(make() for make in BOMBS.values())]):
        path = folder / str(number)
        path.write_bytes(data)
        names.append(str(path))
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *names],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 8 * 1024, "KiB of growth"
