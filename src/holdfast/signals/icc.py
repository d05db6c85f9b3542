"""A colour profile, read as browsers read it and written anew.

A file may hold any profile, and a library that reads all of it can be made to see what
a browser does not. So only the tags that Skia's skcms believes (github.com/google/skia,
``modules/skcms``, ``skcms_Parse``), which Chromium shows pictures by, are kept, each
curve as the 256 levels that a pixel can have. The layout is that of ICC.1:2010,
sections 7 and 10. It never converts a picture.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

MODES = {b"GRAY": "L", b"RGB ": "RGB", b"CMYK": "CMYK"}
"""Pillow's mode of the pixels that a profile is for, by its colour space."""
TABLE = b"A2B0"
"""From colours to colours by a table, which stands before curves and primaries."""
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
"""IEC 61966-2-1: exponent, slope and offset, and the straight beginning."""
D65 = (0.3127, 0.3290)
"""Daylight, x and y: the white of a screen."""
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
"""Its red, green and blue, x and y."""

_HEADER_BYTES, _TAG_BYTES = 132, 12
_SPACE, _PCS, _LIGHT = slice(16, 20), slice(20, 24), slice(68, 80)
_TABLES = (TABLE, b"A2B1")
_TABLE_TYPES = frozenset({b"mft1", b"mft2", b"mAB "})
_CHANNELS = {b"GRAY": 1, b"RGB ": 3, b"CMYK": 4}
_PRIMARIES = (b"rXYZ", b"gXYZ", b"bXYZ")
_CURVES = {b"GRAY": (b"kTRC",), b"RGB ": (b"rTRC", b"gTRC", b"bTRC")}
_WANTED = frozenset({*_TABLES, *_PRIMARIES, *_CURVES[b"GRAY"], *_CURVES[b"RGB "]})
_PARAMETERS = (1, 3, 4, 5, 7)
"""How many numbers a curve of each type is given by."""
_LEVELS = np.linspace(0, 1, 256)
_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def believed(profile: bytes) -> bytes | None:
    """The same profile with what counts of it alone; None where a browser passes over
    it, and shows the picture as it is stored."""
    tags, space = _tags(profile), profile[_SPACE]
    if tags is None or space not in MODES:
        return None
    kept: dict[bytes, bytes] = {}
    for name in _CURVES.get(space, ()):
        if name in tags:
            curve = _curve(tags[name])
            if curve is None:
                return None
            kept[name] = _written_curve(curve)
    if space == b"RGB ":
        kept |= {name: tags[name][:20] for name in _PRIMARIES if name in tags}
        if any(not _is_xyz(kept[name]) for name in _PRIMARIES if name in kept):
            return None
    for name in _TABLES:
        if name in tags:
            table = tags[name]
            sides = _CHANNELS[space], 3
            is_known = table[:4] in _TABLE_TYPES and tuple(table[8:10]) == sides
            return written(space, profile[_PCS], {TABLE: table}) if is_known else None
    needed = {*_CURVES.get(space, ()), *(_PRIMARIES if space == b"RGB " else ())}
    if not needed or kept.keys() != needed or profile[_PCS] != b"XYZ ":
        return None
    return written(space, profile[_PCS], kept)


def has_table(profile: bytes) -> bool:
    """Whether a profile that :func:`believed` gave goes by a table."""
    return profile[_HEADER_BYTES + _TAG_BYTES :].startswith(TABLE)


def of_primaries(
    primaries: tuple[tuple[float, float], ...] = SRGB,
    curve: tuple[float, ...] = SRGB_CURVE,
    white: tuple[float, float] = D65,
) -> bytes | None:
    """A profile of three colours by their chromaticities x and y, and the numbers of
    their curve (ICC.1:2010, section 10.16); None where these are no colours."""
    if any(y <= 0 for _, y in (*primaries, white)):
        return None
    lamp = _xyz(*white)
    adapted = np.linalg.inv(_BRADFORD) @ np.diag(
        (_BRADFORD @ _D50) / (_BRADFORD @ lamp)
    )
    columns = np.array([_xyz(*each) for each in primaries]).T
    try:
        columns = adapted @ _BRADFORD @ (columns * np.linalg.solve(columns, lamp))
        tags = {
            name: b"XYZ \0\0\0\0" + _fixed(*column)
            for name, column in zip(_PRIMARIES, columns.T, strict=True)
        }
    except (np.linalg.LinAlgError, struct.error, ValueError, OverflowError):
        return None
    levels = _parametric(_PARAMETERS.index(len(curve)), curve)
    if levels is None:
        return None
    tags |= {name: _written_curve(levels) for name in _CURVES[b"RGB "]}
    return written(b"RGB ", b"XYZ ", tags)


def written(space: bytes, pcs: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A profile of a display, of version 2.1, with its white first of the tags."""
    tags = {b"wtpt": b"XYZ \0\0\0\0" + _fixed(*_D50), **tags}
    at = _HEADER_BYTES + _TAG_BYTES * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += struct.pack(">4sII", name, at + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = struct.pack(">I4xI4s4s4s", at + len(body), 0x02100000, b"mntr", space, pcs)
    head += struct.pack(">6H4s", 2000, 1, 1, 0, 0, 0, b"acsp")
    head = head.ljust(_LIGHT.start, b"\0") + _fixed(*_D50)
    return head.ljust(_HEADER_BYTES - 4, b"\0") + table + body


def _tags(profile: bytes) -> dict[bytes, bytes] | None:
    """The first of each name; None where the profile as a whole is broken."""
    if len(profile) < _HEADER_BYTES or profile[36:40] != b"acsp" or profile[8] > 4:
        return None
    size, count = int.from_bytes(profile[:4]), int.from_bytes(profile[128:132])
    light = [each / 65536 for each in struct.unpack(">3i", profile[_LIGHT])]
    is_lit = all(abs(a - b) <= 0.01 for a, b in zip(light, _D50, strict=True))
    if not is_lit or profile[_PCS] not in (b"XYZ ", b"Lab "):
        return None
    if not _HEADER_BYTES + _TAG_BYTES * count <= size <= len(profile):
        return None
    tags: dict[bytes, bytes] = {}
    for at in range(_HEADER_BYTES, _HEADER_BYTES + _TAG_BYTES * count, _TAG_BYTES):
        name, offset, length = struct.unpack(">4sII", profile[at : at + _TAG_BYTES])
        if length < 4 or offset + length > size:
            return None
        if name in _WANTED:
            tags.setdefault(name, profile[offset : offset + length])
    return tags


def _curve(tag: bytes) -> NDArray[np.float64] | None:
    """What each level of a colour stands for, 0 to 1; None where it cannot be read."""
    if len(tag) < 12:
        return None
    if tag[:4] == b"para":
        kind = int.from_bytes(tag[8:10])
        if kind >= len(_PARAMETERS) or len(tag) < 12 + 4 * _PARAMETERS[kind]:
            return None
        numbers = struct.unpack_from(f">{_PARAMETERS[kind]}i", tag, 12)
        return _parametric(kind, tuple(each / 65536 for each in numbers))
    count = int.from_bytes(tag[8:12])
    if tag[:4] != b"curv" or len(tag) < 12 + 2 * count:
        return None
    entries = np.frombuffer(tag, ">u2", count, 12)
    if count == 0:
        return _LEVELS
    if count == 1:
        return np.asarray(_LEVELS ** (int(entries[0]) / 256))
    return np.interp(_LEVELS, np.linspace(0, 1, count), entries / 65535)


def _parametric(kind: int, numbers: tuple[float, ...]) -> NDArray[np.float64] | None:
    g, a, b, c, d, e, f = (
        *numbers,
        *(1.0, 0.0, 0.0, 0.0, 0.0, 0.0)[len(numbers) - 1 :],
    )
    if kind in (1, 2):
        if a == 0:
            return None
        # These have their third number added, and begin where the power is zero.
        c, d, e, f = 0.0, -b / a, c if kind == 2 else 0.0, c if kind == 2 else 0.0
    if a < 0 or c < 0 or d < 0 or g < 0 or a * d + b < 0:
        return None
    power = np.maximum(0, a * _LEVELS + b) ** g + e
    levels = np.where(d <= _LEVELS, power, c * _LEVELS + f)
    return np.clip(levels, 0, 1) if np.isfinite(levels).all() else None


def _written_curve(levels: NDArray[np.float64]) -> bytes:
    entries = np.rint(levels * 65535).astype(">u2")
    return struct.pack(">4s4xI", b"curv", len(entries)) + entries.tobytes()


def _is_xyz(tag: bytes) -> bool:
    return tag[:4] == b"XYZ " and len(tag) == 20


def _xyz(x: float, y: float) -> NDArray[np.float64]:
    return np.array([x / y, 1, (1 - x - y) / y])


def _fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)
