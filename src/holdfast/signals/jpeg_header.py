"""What a JPEG says about itself, read marker by marker without decoding.

This stands before the decoder so that a bomb is refused while it is still small: it
gives the size in pixels, the number of scans, whether the end is there, and how the
picture is to be turned. It never decodes. The rule is ITU-T T.81, annex B.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image
from PIL.ExifTags import Base

from holdfast.signals.jpeg_stream import next_marker
from holdfast.signals.refusal import MediaRefused, RefusalReason

MAX_SEGMENTS = 1_000_000
"""Marker segments read before the file is called broken: more of them only burn time
(these take about a second). An ICC profile and extended metadata take a few hundred,
but browsers step over thousands of empty ones, so a few are no way round."""

SOI, EOI, SOS, APP14 = 0xD8, 0xD9, 0xDA, 0xEE
"""The picture's begin and end, a scan of it, and how its colours are meant."""
ADOBE_BYTES = 12
"""Of APP14; libjpeg passes over a shorter one."""
BESIDE = frozenset({*range(0xE0, 0xF0), 0xFE})
"""Applications' segments and comments."""

_TEM, _APP1, _APP2 = 0x01, 0xE1, 0xE2
_BARE = frozenset({SOI, EOI, _TEM})
"""Markers that nothing belongs to."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SUPPORTED_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive, all Huffman-coded: what browsers show."""
_EXIF = b"Exif\0\0"
_PROFILE = b"ICC_PROFILE\0"


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker, where it begins, what belongs to it, and where that ends."""

    marker: int
    begin: int
    body: bytes
    end: int


def segments(data: bytes) -> Iterator[Segment]:
    """One after the other, with whatever stands between them stepped over.

    Raises :class:`MediaRefused` (broken) when there are more than ``MAX_SEGMENTS``.
    """
    seen = np.frombuffer(data, np.uint8)
    position = 0
    for _ in range(MAX_SEGMENTS):
        begin = next_marker(seen, position)
        if begin == len(data):
            return
        marker, position = data[begin + 1], begin + 2
        body = b""
        if marker not in _BARE:
            length = int.from_bytes(data[position : position + 2])
            body = data[position + 2 : position + length]
            position += max(2, length)
        yield Segment(marker, begin, body, position)
    raise MediaRefused(RefusalReason.BROKEN, segments=MAX_SEGMENTS)


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """Sides in pixels as stored; ``scans`` is how often the decoder walks over them.

    ``orientation`` is the EXIF value 1 to 8; ``complete`` says that the end-of-image
    marker is there. ``profile`` is that of its colours (ICC.1:2010, annex B.4), of
    which one that misses a part is none to browsers.
    """

    width: int
    height: int
    components: int
    supported: bool
    scans: int
    orientation: int
    complete: bool
    profile: bytes | None

    @property
    def mode(self) -> str:
        """Pillow's, of the pixels."""
        return {1: "L", 4: "CMYK"}.get(self.components, "RGB")


def read_jpeg_header(data: bytes) -> JpegHeader:
    """Read the markers of ``data``, bytes that begin as a JPEG.

    Raises :class:`MediaRefused` (truncated or broken) when they do not give a frame.
    """
    frame = b""
    supported = complete = False
    scans = 0
    orientation = 1
    parts: dict[bytes, bytes] = {}
    for segment in segments(data):
        marker, body = segment.marker, segment.body
        if marker == EOI:
            complete = True
            break
        if marker in _FRAMES and not frame:
            frame, supported = body, marker in _SUPPORTED_FRAMES
        elif marker == SOS:
            scans += 1
        elif marker == _APP1 and body.startswith(_EXIF):
            orientation = read_orientation(body)
        elif marker == _APP2 and body.startswith(_PROFILE) and not scans:
            # Behind those letters: the number of the part, and of how many.
            parts.setdefault(body[12:14], body[14:])
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
        profile=_joined(parts),
    )


def _joined(parts: dict[bytes, bytes]) -> bytes | None:
    """A profile's parts as one, of as many as the first says; None where one misses."""
    count = next((name[1] for name in parts if len(name) == 2), 0)
    names = [bytes((number, count)) for number in range(1, count + 1)]
    if not names or any(name not in parts for name in names):
        return None
    return b"".join(parts[name] for name in names)


def picture_alone(data: bytes) -> bytes:
    """The same JPEG without what stands beside the picture, for a decoder that reads
    all of it and fails where a browser steps over: only the colours' and the turn's.
    """
    parts, rest = [data[:2]], 2
    for segment in segments(data):
        marker, body = segment.marker, segment.body
        if marker == SOS:
            break
        rest = segment.end
        if (
            marker not in BESIDE | _BARE
            or (marker == APP14 and len(body) >= ADOBE_BYTES)
            or (marker == _APP1 and body.startswith(_EXIF))
        ):
            parts.append(data[segment.begin : segment.end])
    return b"".join([*parts, data[rest:]])


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
