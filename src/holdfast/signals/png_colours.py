"""How a PNG says what its colours are: by a profile, a name, or a gamma.

Of several the first in that order counts. The rules are those of the PNG specification
(W3C, third edition), sections 4.3 and 11.3.2, as far as Chromium follows them: its
answers are in the tests. It never decodes pixels.
"""

from __future__ import annotations

import struct
import zlib

from holdfast.signals import icc, png
from holdfast.signals.colour import MAX_PROFILE_BYTES, is_too_large

MAX_NAME_BYTES = 79
"""Of a profile; a longer name breaks the chunk."""
_SAID = frozenset({b"iCCP", b"sRGB", b"gAMA", b"cHRM"})
_UNIT = 100_000
"""Gamma and chromaticities are counted in these."""


def profile(data: bytes) -> bytes | None:
    """The profile that a PNG has, or one that says the same; None where it is sRGB."""
    said: dict[bytes, bytes] = {}
    for name, body in png.chunks_of(data):
        if name == b"IDAT":
            break
        if name in _SAID:
            said.setdefault(name, bytes(body))
    found = _unpacked(said.get(b"iCCP", b""))
    if found is not None and (is_too_large(found) or icc.believed(found) is not None):
        return found
    if b"sRGB" in said:
        return None
    return _of_gamma(said.get(b"gAMA", b""), said.get(b"cHRM"))


def _unpacked(body: bytes) -> bytes | None:
    """A whole profile, or the beginning of one that is too large."""
    name, behind, packed = body.partition(b"\0")
    if not behind or not 1 <= len(name) <= MAX_NAME_BYTES or packed[:1] != b"\0":
        return None
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(packed[1:], MAX_PROFILE_BYTES + 1)
    except zlib.error:
        return None
    is_whole = unpacker.eof or len(unpacked) > MAX_PROFILE_BYTES
    return unpacked if is_whole else None


def _of_gamma(gamma: bytes, primaries: bytes | None) -> bytes | None:
    """Primaries count only beside a gamma, and are those of sRGB without any."""
    if len(gamma) != 4 or not any(gamma):
        return None
    curve = (_UNIT / int.from_bytes(gamma),)
    if primaries is None or len(primaries) != 32:
        return icc.of_primaries(curve=curve)
    white, red, green, blue = struct.iter_unpack(">2I", primaries)
    colours = [(x / _UNIT, y / _UNIT) for x, y in (red, green, blue, white)]
    return icc.of_primaries(tuple(colours[:3]), curve, colours[3])
