"""What a JPEG says about itself, read marker by marker without decoding.

This stands before the decoder so that a bomb is refused while it is still small: it
gives the size in pixels, the number of scans, whether the end is there, and how the
picture is to be turned. It never decodes. The rule is ITU-T T.81, annex B.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from PIL import Image
from PIL.ExifTags import Base

from holdfast.signals.refusal import MediaRefused, RefusalReason

MAX_SEGMENTS = 1_000_000
"""Marker segments read before the file is called broken: more of them only burn time
(these take about a second). An ICC profile and extended metadata take a few hundred,
but browsers step over thousands of empty ones, so a few are no way round."""

_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
"""A marker: not a stuffed FF 00, not a restart marker, not fill."""
_TEM, _SOI, _EOI, _SOS, _APP1 = 0x01, 0xD8, 0xD9, 0xDA, 0xE1
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SUPPORTED_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive, all Huffman-coded: what browsers show."""
_EXIF = b"Exif\0\0"
_APP14, _ADOBE_BYTES = 0xEE, 12
"""Says how the colours are meant; libjpeg passes over a shorter one."""
_BESIDE = frozenset({*range(0xE0, 0xF0), 0xFE})
"""Applications' segments and comments."""


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """Sides in pixels as stored; ``scans`` is how often the decoder walks over them.

    ``orientation`` is the EXIF value 1 to 8; ``complete`` says that the end-of-image
    marker is there.
    """

    width: int
    height: int
    components: int
    supported: bool
    scans: int
    orientation: int
    complete: bool


def read_jpeg_header(data: bytes) -> JpegHeader:
    """Read the markers of ``data``, bytes that begin as a JPEG.

    Raises :class:`MediaRefused` (truncated or broken) when they do not give a frame.
    """
    frame = b""
    supported = complete = False
    scans = position = 0
    orientation = 1
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, position)
        if found is None:
            break
        marker, position = found[1][0], found.end()
        if marker == _EOI:
            complete = True
            break
        if marker in (_SOI, _TEM):
            continue
        length = int.from_bytes(data[position : position + 2])
        segment = data[position + 2 : position + length]
        position += max(2, length)
        if marker in _FRAMES and not frame:
            frame, supported = segment, marker in _SUPPORTED_FRAMES
        elif marker == _SOS:
            scans += 1
        elif marker == _APP1 and segment.startswith(_EXIF):
            orientation = read_orientation(segment)
    else:
        raise MediaRefused(RefusalReason.BROKEN, segments=MAX_SEGMENTS)
    if len(frame) < 6:
        reason = RefusalReason.BROKEN if complete else RefusalReason.TRUNCATED
        raise MediaRefused(reason, scans=scans)
    return JpegHeader(
        width=int.from_bytes(frame[3:5]),
        height=int.from_bytes(frame[1:3]),
        components=frame[5],
        # Twelve-bit samples are for medical pictures; no browser shows them.
        supported=supported and frame[0] == 8,
        scans=scans,
        orientation=orientation,
        complete=complete,
    )


def picture_alone(data: bytes) -> bytes:
    """The same JPEG without what stands beside the picture, for a decoder that reads
    all of it and fails where a browser steps over: only the colours' and the turn's.
    """
    parts, position = [data[:2]], 2
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, position)
        if found is None or found[1][0] == _SOS:
            break
        marker, position = found[1][0], found.end()
        if marker in (_SOI, _TEM):
            continue
        end = position + max(2, int.from_bytes(data[position : position + 2]))
        segment = data[position + 2 : end]
        if (
            marker not in _BESIDE
            or (marker == _APP14 and len(segment) >= _ADOBE_BYTES)
            or (marker == _APP1 and segment.startswith(_EXIF))
        ):
            parts.append(data[found.start() : end])
        position = end
    return b"".join([*parts, data[found.start() if found else position :]])


def read_orientation(exif: bytes) -> int:
    """The EXIF orientation, 1 to 8; 1 (as stored) when it cannot be read."""
    parsed = Image.Exif()
    try:
        parsed.load(exif)
        orientation = parsed.get(Base.Orientation)
    # Pillow lets many kinds of error out of a damaged block, and viewers show such a
    # picture as it is stored.
    except Exception:
        return 1
    if isinstance(orientation, int) and 1 <= orientation <= 8:
        return orientation
    return 1
