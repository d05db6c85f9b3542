"""Pictures whose colours are said by something beside their pixels, made by hand.

The profiles are written here, and not by the code that reads them.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

from tests.signals.photographs import encode, photograph

Floats = NDArray[np.float64]
SRGB = ((0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7139))
SWAPPED = SRGB[::-1]
DISPLAY_P3 = (
    (0.5151, 0.2412, -0.0011),
    (0.2920, 0.6922, 0.0419),
    (0.1571, 0.0666, 0.7841),
)
ADOBE_RGB = (
    (0.6097, 0.3111, 0.0195),
    (0.2053, 0.6257, 0.0609),
    (0.1492, 0.0632, 0.7446),
)
PRO_PHOTO = ((0.7977, 0.2880, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249))
D50 = (0.9642, 1.0, 0.8249)
STEPS = np.linspace(0, 1, 1024)


def linear(values: Floats) -> Floats:
    """The curve of sRGB (IEC 61966-2-1)."""
    return np.where(
        values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4
    )


def fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(each * 65536)) for each in values)


def curve(values: Floats) -> bytes:
    entries = np.rint(values * 65535).astype(">u2")
    return b"curv" + bytes(4) + struct.pack(">I", len(entries)) + entries.tobytes()


def icc(space: bytes, tags: dict[bytes, bytes], pcs: bytes = b"XYZ ") -> bytes:
    body, table = b"", struct.pack(">I", len(tags))
    for name, value in tags.items():
        at = 132 + 12 * len(tags) + len(body)
        table += name + struct.pack(">II", at, len(value))
        body += value + bytes(-len(value) % 4)
    size = 128 + len(table) + len(body)
    head = struct.pack(">I", size) + bytes(4) + bytes((2, 16, 0, 0)) + b"mntr"
    head += space + pcs + struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp"
    head = head.ljust(68, b"\0") + fixed(*D50)
    return head.ljust(128, b"\0") + table + body


def coloured(
    values: Floats, primaries: tuple[tuple[float, ...], ...] = SRGB, **more: bytes
) -> bytes:
    tags = {
        name: b"XYZ " + bytes(4) + fixed(*each)
        for name, each in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)
    }
    tags |= {name: curve(values) for name in (b"rTRC", b"gTRC", b"bTRC")}
    return icc(b"RGB ", tags | {name.encode(): each for name, each in more.items()})


def table(entry: Callable[[float], float], space: bytes) -> bytes:
    """A profile that goes by a table alone (ICC.1:2010, section 10.9), of two points
    an axis; each grey stands for a Y, and no colour for anything."""
    inside = {b"RGB ": 3, b"CMYK": 4}[space]
    head = b"mft1" + bytes(4) + bytes((inside, 3, 2, 0)) + fixed(*np.eye(3).ravel())
    steps = bytes(range(256))
    points = b""
    for corner in np.ndindex((2,) * inside):
        lightness = round(255 * entry(float(np.mean(corner))))
        points += bytes((lightness, 128, 128))
    return icc(space, {b"A2B0": head + steps * inside + points + steps * 3}, b"Lab ")


NEGATIVE = coloured(linear(1 - STEPS))
GREY_NEGATIVE = icc(b"GRAY", {b"kTRC": curve(linear(1 - STEPS))})
LIGHT = coloured(STEPS)
ORDINARY = {
    "sRGB": coloured(linear(STEPS)),
    "sRGB with a gamma": coloured(STEPS**2.2),
    "Display P3": coloured(linear(STEPS), DISPLAY_P3),
    "Adobe RGB": coloured(STEPS**2.2, ADOBE_RGB),
    "grey with a gamma": icc(b"GRAY", {b"kTRC": curve(STEPS**2.2)}),
}
UNUSUAL = {
    "negative": NEGATIVE,
    "light": LIGHT,
    "dark": coloured(linear(STEPS**4)),
    "red for blue": coloured(linear(STEPS), SWAPPED),
    "ProPhoto": coloured(STEPS**1.8, PRO_PHOTO),
    "waves": coloured(linear(np.abs((STEPS * 4 + 1) % 2 - 1))),
    "more entries than libraries take": coloured(linear(1 - np.linspace(0, 1, 40_000))),
    "a table": table(lambda light: 1 - light, b"RGB "),
}
BROKEN = {
    "nothing": b"",
    "words": b"these are words" * 20,
    "half": NEGATIVE[: len(NEGATIVE) // 2],
    "of a fifth version": NEGATIVE[:8] + b"\5" + NEGATIVE[9:],
    "unlit": NEGATIVE[:68] + bytes(12) + NEGATIVE[80:],
    "without a curve": icc(b"RGB ", {b"rTRC": curve(STEPS)}),
    "with a curve of nothing": coloured(
        linear(1 - STEPS), gTRC=b"curv\0\0\0\0\0\0\1\0"
    ),
    "for grey": GREY_NEGATIVE,
}

PICTURE = photograph("coffee").resize((120, 80))
GREY = PICTURE.convert("L")


def chunk(name: bytes, body: bytes, wrong_bits: int = 0) -> bytes:
    checksum = zlib.crc32(name + body) ^ wrong_bits
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)


def png(*added: bytes, picture: Image.Image = PICTURE, at: bytes = b"IHDR") -> bytes:
    """With chunks behind another one."""
    data = encode(picture)
    begin = data.index(at) - 4
    end = begin + 12 + int.from_bytes(data[begin : begin + 4])
    return data[:end] + b"".join(added) + data[end:]


def iccp(profile: bytes, wrong_bits: int = 0, name: bytes = b"x") -> bytes:
    return chunk(b"iCCP", name + b"\0\0" + zlib.compress(profile), wrong_bits)


def gamma(value: int) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", value))


def primaries(*values: float) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(v * 100_000) for v in values)))


RED_FOR_BLUE = primaries(0.3127, 0.329, 0.15, 0.06, 0.3, 0.6, 0.64, 0.33)
NO_COLOURS = primaries(0.3127, 0.329, 0.3, 0.6, 0.3, 0.6, 0.3, 0.6)
SRGB_CHUNK = chunk(b"sRGB", b"\0")
BROKEN_ICCP = chunk(b"iCCP", b"x\0\0these are words")
PALETTE = PICTURE.convert("P", palette=Image.Palette.ADAPTIVE)

PNGS = {
    "profile": png(iccp(NEGATIVE)),
    "profile with a wrong checksum": png(iccp(NEGATIVE, 1)),
    "profile with no name": png(iccp(NEGATIVE, name=b"")),
    "profile with a long name": png(iccp(NEGATIVE, name=b"x" * 90)),
    "profile cut": png(chunk(b"iCCP", b"x\0\0" + zlib.compress(NEGATIVE)[:-6])),
    "profile packed otherwise": png(chunk(b"iCCP", b"x\0\1" + zlib.compress(NEGATIVE))),
    "profile with a tail": png(iccp(NEGATIVE + b"tail")),
    "profile, then sRGB": png(iccp(NEGATIVE), SRGB_CHUNK),
    "sRGB, then a profile": png(SRGB_CHUNK, iccp(NEGATIVE)),
    "two profiles": png(iccp(LIGHT), iccp(NEGATIVE)),
    "broken, then a profile": png(BROKEN_ICCP, iccp(NEGATIVE)),
    "broken, then gamma": png(BROKEN_ICCP, gamma(100_000)),
    "gamma": png(gamma(100_000)),
    "gamma of a root": png(gamma(5_681)),
    "gamma of sRGB": png(gamma(45_455)),
    "gamma and sRGB": png(gamma(100_000), SRGB_CHUNK),
    "gamma of nothing": png(gamma(0)),
    "two gammas": png(gamma(45_455), gamma(100_000)),
    "primaries": png(RED_FOR_BLUE),
    "primaries and gamma": png(RED_FOR_BLUE, gamma(45_455)),
    "no primaries and gamma": png(NO_COLOURS, gamma(100_000)),
    "grey": png(iccp(GREY_NEGATIVE), picture=GREY),
    "grey with three colours": png(iccp(NEGATIVE), picture=GREY),
    "grey with gamma": png(gamma(100_000), picture=GREY),
    "three colours with grey": png(iccp(GREY_NEGATIVE)),
    "palette": png(iccp(NEGATIVE), picture=PALETTE),
    "palette, then a profile": png(iccp(NEGATIVE), picture=PALETTE, at=b"PLTE"),
    "palette, then gamma": png(gamma(100_000), picture=PALETTE, at=b"PLTE"),
}


def jpeg(*added: bytes, picture: Image.Image = PICTURE, **options: object) -> bytes:
    data = encode(picture, "JPEG", quality=95, subsampling=0, **options)
    return data[:2] + b"".join(added) + data[2:]


def part(profile: bytes, number: int = 1, count: int = 1) -> bytes:
    body = b"ICC_PROFILE\0" + bytes((number, count)) + profile
    return b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body


HALF = len(NEGATIVE) // 2
INK = PICTURE.convert("CMYK")
INK_PROFILE = table(lambda ink: 1 - ink, b"CMYK")
JPEGS = {
    "one part": jpeg(part(NEGATIVE)),
    "two parts": jpeg(part(NEGATIVE[:HALF], 1, 2), part(NEGATIVE[HALF:], 2, 2)),
    "parts in no order": jpeg(part(NEGATIVE[HALF:], 2, 2), part(NEGATIVE[:HALF], 1, 2)),
    "a part missing": jpeg(part(NEGATIVE, 1, 2)),
    "counts that differ": jpeg(
        part(NEGATIVE[:HALF], 1, 2), part(NEGATIVE[HALF:], 2, 3)
    ),
    "a part too many": jpeg(part(NEGATIVE), part(b"more", 2, 2)),
    "the same part twice": jpeg(part(LIGHT), part(NEGATIVE)),
    "a part of number nought": jpeg(part(NEGATIVE, 0, 1)),
    "behind the picture": jpeg()[:-2] + part(NEGATIVE) + b"\xff\xd9",
    "progressive": jpeg(part(NEGATIVE), progressive=True),
    "grey": jpeg(part(GREY_NEGATIVE), picture=GREY),
    "grey with three colours": jpeg(part(NEGATIVE), picture=GREY),
    "three colours with grey": jpeg(part(GREY_NEGATIVE)),
    "ink": jpeg(part(INK_PROFILE), picture=INK),
    "ink that lightens": jpeg(part(table(lambda ink: ink, b"CMYK")), picture=INK),
}


def stored(kind: str, profile: bytes, picture: Image.Image = PICTURE) -> bytes:
    """A picture of some kind with a profile, as Pillow and libheif write it."""
    if kind != "HEIC":
        return encode(picture, kind, quality=95, icc_profile=profile)
    stream = io.BytesIO()
    file = pillow_heif.from_pillow(picture)
    file.info["icc_profile"] = profile
    file.save(stream, quality=95)
    return stream.getvalue()


def bmp(
    profile: bytes, space: bytes = b"DEBM", picture: Image.Image = PICTURE
) -> bytes:
    """A BMP of the fifth version, which Pillow does not write, behind its pixels the
    profile."""
    pixels = picture.tobytes("raw", "BGR")
    sizes = 124, picture.width, -picture.height, 1, 24, 0, len(pixels), 0, 0, 0, 0
    header = struct.pack("<IiiHHIIiiII", *sizes) + bytes(16) + space + bytes(48)
    header += struct.pack("<4I", 4, 124 + len(pixels), len(profile), 0)
    begin = struct.pack("<2sI4xI", b"BM", 138 + len(pixels) + len(profile), 138)
    return begin + header + pixels + profile
