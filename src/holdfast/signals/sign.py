"""A picture's signals: everything by which its copies are found.

One call from the bytes of a file to its digests and to its views: the picture as it
is, the same without bars or a plain border, and what is seen in an animation. It never
decides whether two pictures are the same: that is matching, by the two thresholds
here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain, zip_longest
from math import ceil

from holdfast.signals.digest import digest_bytes
from holdfast.signals.grid import EIGHTHS
from holdfast.signals.jpeg import MIN_SIDE_PIXELS
from holdfast.signals.luma import Luma
from holdfast.signals.media import decode_frames, decode_luma
from holdfast.signals.pdq import PDQ, dihedral, hamming
from holdfast.signals.refusal import MediaRefused, RefusalReason
from holdfast.signals.shown import Shown, choose
from holdfast.signals.trim import find_inside

MATCH_DISTANCE_BITS = 31
"""At most this many of 256 bits differ between copies. Meta's recommendation for PDQ
("PDQ & TMK + PDQF", and the default of python-threatexchange)."""
MIN_QUALITY = 50
"""A fingerprint below it says too little to compare: Meta discards quality <= 49.
Such a picture matches by digest alone."""
MIN_SIDE_PIXELS_COMPARED = 32
"""A picture with a shorter side is compared by its digest alone. PDQ enlarges it to a
grid of 64 by 64, and most of what would be compared is not in the picture."""
MAX_FRAMES = 64
"""At most this many frames of an animation are kept as views, each perhaps trimmed as
well: about as many as of a minute of film. Those shown for the longest are."""


class Part(StrEnum):
    """Which part of the picture a view shows; the values are stored."""

    WHOLE = "whole"
    TRIMMED = "trimmed"
    """Bars or a plain border cut off."""


@dataclass(frozen=True, slots=True)
class View:
    """One thing to compare by.

    ``variants``: the eight turned and mirrored fingerprints in Meta's order (see
    :func:`holdfast.signals.pdq.dihedral`), the first as it is; or that one alone,
    where turns are not kept. ``at_ms``: when in the video or animation it is seen, in
    milliseconds from the start; None for a still.
    """

    part: Part
    variants: tuple[PDQ, ...]
    at_ms: int | None = None

    def __post_init__(self) -> None:
        if len(self.variants) not in (1, 8):
            raise ValueError("a view has one variant or all eight")

    @property
    def pdq(self) -> PDQ:
        """The fingerprint as it is, not turned."""
        return self.variants[0]

    @property
    def quality(self) -> int:
        """0 to 100; turning a picture does not change it."""
        return self.pdq.quality

    @property
    def is_comparable(self) -> bool:
        """Whether this view may be compared; if not, only the digest may."""
        return self.quality >= MIN_QUALITY


@dataclass(frozen=True, slots=True)
class Signals:
    """What is kept of a picture or video.

    ``sha256`` (32 bytes) and ``md5`` (16 bytes) of the file as it came. ``views``: at
    least one, the first being the whole of the first frame. ``width`` and ``height``
    are in pixels as people see it. ``duration_ms`` is None for a still, and so is
    ``longest_at_ms``: when the frame is shown that people see for the longest.
    ``incomplete``: why some of what people see has no views; None if all of it has.
    """

    sha256: bytes
    md5: bytes
    views: tuple[View, ...]
    width: int
    height: int
    media_type: str
    duration_ms: int | None = None
    longest_at_ms: int | None = None
    incomplete: RefusalReason | None = None

    @property
    def is_comparable(self) -> bool:
        """Whether any view may be compared; if not, it matches by digest alone."""
        return any(view.is_comparable for view in self.views)


def sign_picture(data: bytes) -> Signals:
    """Digests and views of a picture file.

    Raises :class:`~holdfast.signals.refusal.MediaRefused` when it cannot be decoded;
    its digests can still be had from :func:`holdfast.signals.digest.digest_bytes`.
    """
    frames, incomplete = _decoded(data)
    chosen = choose([frame.shown for frame in frames], MAX_FRAMES)
    if not chosen.is_all:
        incomplete = incomplete or RefusalReason.TOO_LONG
    digests = digest_bytes(data)
    first, last = frames[0], frames[-1]
    return Signals(
        sha256=digests.sha256,
        md5=digests.md5,
        views=tuple(view for place in chosen.kept for view in frames[place].views),
        width=first.width,
        height=first.height,
        media_type=first.media_type,
        duration_ms=None if last.at_ms is None else last.at_ms + last.lasts_ms,
        longest_at_ms=frames[chosen.longest].at_ms,
        incomplete=incomplete,
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    views: tuple[View, ...]
    width: int
    height: int
    media_type: str
    at_ms: int | None
    lasts_ms: int

    @property
    def shown(self) -> Shown:
        """As most people see it first, then each other way to see it."""
        prints: dict[Part, list[bytes | None]] = {part: [] for part in Part}
        for view in self.views:
            prints[view.part] += [view.pdq.bits] if view.is_comparable else []
        together = chain(*zip_longest(*prints.values()))
        return Shown(tuple(together) or (None,), max(1, self.lasts_ms))


def _decoded(data: bytes) -> tuple[list[_Frame], RefusalReason | None]:
    """Every frame's views, and why there are not all frames among them."""
    frames: list[_Frame] = []
    try:
        for luma in decode_frames(data):
            views = tuple(_views(luma, data))
            size = luma.width, luma.height
            times = luma.at_ms, luma.lasts_ms
            frames.append(_Frame(views, *size, luma.media_type, *times))
    except MediaRefused as refused:
        if not frames:
            raise
        return frames, refused.reason
    return frames, None


def _views(luma: Luma, data: bytes) -> Iterator[View]:
    """As most people see it first; then each other way to see it, if it is another
    picture then."""
    views = list(_views_seen(luma, data))
    for other in luma.others:
        seen = replace(luma, pixels=other(), others=())
        views += [
            view
            for view in _views_seen(seen, data)
            if view.is_comparable and not any(_is_near(view, each) for each in views)
        ]
    yield from views


def _is_near(view: View, other: View) -> bool:
    distance = hamming(view.pdq.bits, other.pdq.bits)
    return other.is_comparable and distance <= MATCH_DISTANCE_BITS


def _views_seen(luma: Luma, data: bytes) -> Iterator[View]:
    whole = dihedral(luma.pixels, luma.axes)
    if min(luma.width, luma.height) < MIN_SIDE_PIXELS_COMPARED:
        yield View(Part.WHOLE, tuple(PDQ(each.bits, 0) for each in whole), luma.at_ms)
        return
    yield View(Part.WHOLE, whole, luma.at_ms)
    inside = find_inside(luma)
    if inside is None:
        return
    if luma.rows.eighths < EIGHTHS:
        # What is inside is decoded as large as a picture without a border would be.
        share = min(axis.inside / axis.length for axis in inside)
        luma = decode_luma(data, ceil(MIN_SIDE_PIXELS / share))
        inside = find_inside(luma)
    if inside is not None:
        trimmed = View(Part.TRIMMED, dihedral(luma.pixels, inside), luma.at_ms)
        if trimmed.is_comparable:
            yield trimmed
