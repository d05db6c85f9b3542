"""Local features: what stays of a picture when it is cut, framed, turned or pasted.

PDQ sees a picture as a whole and is defeated by a crop. Here the picture is described
by its corners: a few hundred points, each with 256 bits that say how the pixels round
it lie (ORB: Rublee and others, "ORB: an efficient alternative to SIFT or SURF", 2011),
and by a small grey thumbnail on which a claimed resemblance is checked. Nothing is
decided here: see :mod:`holdfast.signals.votes` and :mod:`holdfast.signals.alignment`.

OpenCV is an extra (``holdfast[features]``). Without it :func:`available` is false,
what was stored can still be read, and nothing new can be extracted.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from holdfast.signals.media import decode_frames
from holdfast.signals.opencv import cv2

Pixels = NDArray[np.uint8]
Points = NDArray[np.float32]
Descriptors = NDArray[np.uint8]

DESCRIPTOR_BYTES = 32
THUMBNAIL_AREA_PIXELS = 256 * 256
"""Area of the thumbnail, about 9 kB as JPEG. Points are given in its pixels."""
THUMBNAIL_LONGEST_PIXELS = 1024
"""Narrow pictures are made smaller than that area rather than longer than this."""
THUMBNAIL_QUALITY = 80
DETAIL = 1.75
"""Corners are looked for at this many pixels for one of the thumbnail's: about 150
thousand, where ORB takes 5 to 10 ms. Chosen by measurement (448 x 336 pixels)."""
QUERY_DETAILS = (0.8, 1.2, DETAIL, 3.0)
"""A query is also looked through at this scale, for pictures that stand large in it
and small in what is stored (screenshots, picture in picture)."""
THUMBNAIL_DETAILS = (0.8, 1.2, DETAIL)
"""The same for a query of which only the thumbnail is at hand."""
DECODED_SIDE_PIXELS = 360
"""A JPEG is decoded at reduced scale only while both sides stay this long."""
MOST_ENLARGED = 2.0
"""Small pictures are enlarged at most so many times: there is nothing more to see."""
STORED_POINTS = 256
"""Points kept of a stored picture: 10 kB. The first INDEXED_POINTS are searched."""
INDEXED_POINTS = 128
QUERY_POINTS = 2000
"""Points of a query. Searching with more costs time only, and finds more."""
THUMBNAIL_POINTS = 1200
"""Points of a thumbnail, at most."""
CELLS = 6
"""Points are taken in turn from CELLS x CELLS parts of the picture, so that one
lively corner does not take them all and a cut leaves some wherever it falls."""
MIN_SIDE_PIXELS = 32
"""Shorter pictures have no features: ORB's patch is 31 pixels wide."""

ORB_LEVELS = 12
ORB_FACTOR = 1.2
"""Eleven steps by 1.2 are a factor of 7.4 in size."""
ORB_PATCH_PIXELS = 31
ORB_CONTRAST = 7
"""Grey levels by which a corner differs from what is round it: low, for smooth and
dark pictures. The strongest are taken first, so others lose nothing."""
ORB_CANDIDATES = 2500

_VERSION = 1
_HEAD = struct.Struct("<4sBHHHI")
_MAGIC = b"hfLF"
_POSITION_STEPS = 32
"""Stored positions are in 1/32 pixel of the thumbnail."""
_SIZE_STEPS = 16
"""Stored sizes are in 1/16 of a power of two, above a quarter pixel."""
_SMALLEST_SIZE = 0.25


class BrokenFeatures(ValueError):
    """Stored bytes that :meth:`Features.to_bytes` did not write."""


@dataclass(frozen=True, slots=True)
class Features:
    """``points``: (n, 4) float32, each x, y, size in the thumbnail's pixels and angle
    in degrees 0..360; ``descriptors``: (n, 32) uint8, 256 bits each, the most useful
    first; ``thumbnail``: (h, w) uint8 grey.
    """

    points: Points
    descriptors: Descriptors
    thumbnail: Pixels

    def __len__(self) -> int:
        return len(self.points)

    @property
    def indexed(self) -> Features:
        """The part that is searched: the first INDEXED_POINTS points."""
        few = slice(INDEXED_POINTS)
        return Features(self.points[few], self.descriptors[few], self.thumbnail)

    def to_bytes(self) -> bytes:
        """At most 256 points x 38 bytes and a JPEG: about 19 kB.

        Positions are rounded to 1/32 pixel, angles to 1.4 degrees.
        """
        points = self.points[:STORED_POINTS]
        jpeg = simplejpeg.encode_jpeg(
            np.ascontiguousarray(self.thumbnail[:, :, None]),
            quality=THUMBNAIL_QUALITY,
            colorspace="GRAY",
        )
        height, width = self.thumbnail.shape
        head = _HEAD.pack(_MAGIC, _VERSION, len(points), width, height, len(jpeg))
        positions = np.rint(points[:, :2] * _POSITION_STEPS).clip(0, 65535)
        sizes = np.log2(np.maximum(points[:, 2], _SMALLEST_SIZE) / _SMALLEST_SIZE)
        shape = np.stack(
            (
                np.rint(sizes * _SIZE_STEPS).clip(0, 255),
                np.rint(points[:, 3] * (256 / 360)) % 256,
            ),
            axis=1,
        )
        return b"".join(
            (
                head,
                positions.astype("<u2").tobytes(),
                shape.astype(np.uint8).tobytes(),
                self.descriptors[:STORED_POINTS].tobytes(),
                jpeg,
            )
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Features:
        """What :meth:`to_bytes` wrote. Raises :class:`BrokenFeatures` if it is not.

        Every length is checked before anything is made of it.
        """
        if len(data) < _HEAD.size:
            raise BrokenFeatures("too short")
        magic, version, n, width, height, jpeg_bytes = _HEAD.unpack_from(data)
        if magic != _MAGIC or version != _VERSION:
            raise BrokenFeatures("not features of this version")
        longest = max(width, height)
        if n > STORED_POINTS or longest > THUMBNAIL_LONGEST_PIXELS or not width:
            raise BrokenFeatures("impossible sizes")
        parts = np.cumsum([_HEAD.size, n * 4, n * 2, n * DESCRIPTOR_BYTES, jpeg_bytes])
        if parts[-1] != len(data):
            raise BrokenFeatures("wrong length")
        positions, shape, bits, jpeg = (data[a:b] for a, b in pairwise(parts))
        points = np.empty((n, 4), dtype=np.float32)
        places = np.frombuffer(positions, "<u2").reshape(n, 2)
        points[:, :2] = places / _POSITION_STEPS
        turned = np.frombuffer(shape, np.uint8).reshape(n, 2)
        points[:, 2] = _SMALLEST_SIZE * 2.0 ** (turned[:, 0] / _SIZE_STEPS)
        points[:, 3] = turned[:, 1] * (360 / 256)
        descriptors = np.frombuffer(bits, np.uint8).reshape(n, DESCRIPTOR_BYTES)
        return cls(points, descriptors, _thumbnail(jpeg, width, height))


@dataclass(frozen=True, slots=True)
class Query:
    """A picture to look for, as it is and mirrored: ORB does not see through mirrors.

    Turns need nothing: the descriptors turn with the picture.
    """

    plain: Features
    mirrored: Features


def available() -> bool:
    """Whether OpenCV is installed, so that features can be extracted and aligned."""
    return cv2 is not None


def decoded(data: bytes, at_ms: int | None = None) -> Pixels:
    """(H, W) luma of a picture's file, as large as features want it.

    Of an animation the frame that is shown ``at_ms``, mostly the one that is seen for
    the longest (``Signals.longest_at_ms``); the first without it, or where it is gone.
    Raises ``MediaRefused``.
    """
    frames = decode_frames(data, DECODED_SIDE_PIXELS)
    first = next(frames)
    if first.at_ms == at_ms or at_ms is None:
        return first.pixels
    for frame in frames:
        if frame.at_ms == at_ms:
            return frame.pixels
    return first.pixels


def extract(luma: Pixels) -> Features:
    """Features to store, of an (H, W) uint8 luma as people see it, at any scale.

    At most STORED_POINTS points; none for a picture that is tiny or flat. Raises
    ImportError without OpenCV.
    """
    return _extract(luma, (DETAIL,), STORED_POINTS)


def extract_query(luma: Pixels) -> Query:
    """Features to look with: more points, at two scales, and those of the mirror."""
    scales = QUERY_DETAILS
    mirror = np.ascontiguousarray(luma[:, ::-1])
    return Query(
        _extract(luma, scales, QUERY_POINTS), _extract(mirror, scales, QUERY_POINTS)
    )


def query_from_stored(stored: Features) -> Query:
    """A query where only the stored features are to be had, and not the picture.

    It looks with what the thumbnail gives, so a little less is found.
    """
    mirror = np.ascontiguousarray(stored.thumbnail[:, ::-1])
    return Query(from_thumbnail(stored.thumbnail), from_thumbnail(mirror))


def from_thumbnail(thumbnail: Pixels) -> Features:
    """As many features as the thumbnail alone gives."""
    return _extract(thumbnail, THUMBNAIL_DETAILS, THUMBNAIL_POINTS)


def _extract(luma: Pixels, scales: tuple[float, ...], most: int) -> Features:
    if cv2 is None:
        raise ImportError("local features need OpenCV: install holdfast[features]")
    thumbnail = _resized(luma, _thumbnail_factor(luma))
    found = [_corners(luma, thumbnail, detail) for detail in scales]
    points = np.concatenate([each[0] for each in found])
    strengths = np.concatenate([each[1] for each in found])
    descriptors = np.concatenate([each[2] for each in found])
    chosen = _spread(points, strengths, thumbnail.shape, most)
    return Features(points[chosen], descriptors[chosen], thumbnail)


def _thumbnail_factor(luma: Pixels) -> float:
    height, width = luma.shape
    by_area = sqrt(THUMBNAIL_AREA_PIXELS / (height * width))
    by_length = THUMBNAIL_LONGEST_PIXELS / int(max(height, width))
    return min(by_area, by_length, MOST_ENLARGED)


def _resized(luma: Pixels, factor: float) -> Pixels:
    height, width = luma.shape
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(luma, size, interpolation=how), dtype=np.uint8)


def _corners(
    luma: Pixels, thumbnail: Pixels, detail: float
) -> tuple[Points, NDArray[np.float32], Descriptors]:
    """Points in the thumbnail's pixels, their strengths and descriptors."""
    factor = min(_thumbnail_factor(luma) * detail, MOST_ENLARGED)
    working = _resized(luma, factor)
    keypoints, descriptors = _orb(working)
    points = np.array(
        [(each.pt[0], each.pt[1], each.size, each.angle % 360) for each in keypoints],
        dtype=np.float32,
    ).reshape(-1, 4)
    points[:, :3] *= thumbnail.shape[1] / working.shape[1]
    strengths = np.array([each.response for each in keypoints], dtype=np.float32)
    return points, strengths, descriptors


def _orb(working: Pixels) -> tuple[Sequence[Any], Descriptors]:
    """OpenCV's keypoints and their descriptors; none where there is no corner."""
    nothing = np.empty((0, DESCRIPTOR_BYTES), np.uint8)
    if min(working.shape) < MIN_SIDE_PIXELS:
        return (), nothing
    orb = cv2.ORB_create(
        nfeatures=ORB_CANDIDATES,
        scaleFactor=ORB_FACTOR,
        nlevels=ORB_LEVELS,
        edgeThreshold=ORB_PATCH_PIXELS // 2,
        patchSize=ORB_PATCH_PIXELS,
        fastThreshold=ORB_CONTRAST,
    )
    keypoints, descriptors = orb.detectAndCompute(working, None)
    return (keypoints, descriptors) if descriptors is not None else ((), nothing)


def _spread(
    points: Points, strengths: NDArray[np.float32], shape: tuple[int, ...], most: int
) -> NDArray[np.int64]:
    """Indices of the chosen points: the strongest of each cell, then the second..."""
    strongest = np.argsort(-strengths, kind="stable")
    height, width = shape
    column = (points[strongest, 0] * CELLS / width).astype(np.int64).clip(0, CELLS - 1)
    row = (points[strongest, 1] * CELLS / height).astype(np.int64).clip(0, CELLS - 1)
    cell = row * CELLS + column
    rank = np.zeros(len(cell), dtype=np.int64)
    for each in range(CELLS * CELLS):
        here = cell == each
        rank[here] = np.arange(np.count_nonzero(here))
    return np.asarray(strongest[np.argsort(rank, kind="stable")[:most]])


def _thumbnail(jpeg: bytes, width: int, height: int) -> Pixels:
    try:
        found_height, found_width, _, _ = simplejpeg.decode_jpeg_header(jpeg)
        if (found_height, found_width) != (height, width):
            raise BrokenFeatures("the thumbnail has another size")
        grey = simplejpeg.decode_jpeg(jpeg, "GRAY")
    # The decoder lets several kinds of error out of broken bytes.
    except Exception as error:
        raise BrokenFeatures("the thumbnail cannot be decoded") from error
    return np.asarray(grey[:, :, 0], dtype=np.uint8)
