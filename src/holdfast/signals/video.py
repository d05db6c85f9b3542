"""A video's signals: the fingerprints of its frames, each with its time.

PDQ of a frame every second, as vPDQ has it (Meta; github.com/facebook/ThreatExchange,
folder ``vpdq``), by :mod:`.video_frames`; where bars stay over a stretch of frames, or
a frame has some of its own, also of what is inside them. It never decides whether two
videos are the same: that is :mod:`.video_match`.

A copy that begins half a second later is seen half a second off, and where things move
no frame of it is near. So five times a second is looked, and a frame is kept too when
it is over MOVED_BITS from the last one kept; and while it moves by twice that from one
look to the next, as in a fast pan, every decoded frame is looked at. Then whatever
moment a copy shows, a frame near it is kept, wherever it was cut. Films in which little
moves stay at one a second, and MAX_CLOSE_VIEWS bounds what a film made of motion costs.

A frame whose fingerprints are those of the frame before it, bit for bit, is left out.
No match is lost by that, since a match asks only whether some frame is near; and a
scene that stands still counts once in the shares, not once a second. Meta's index does
the same (``dedupe`` in python-threatexchange's vpdq extension).

What people can be shown is fingerprinted: a video that breaks off, or is longer than is
read, gives the frames it has, and :attr:`VideoSignals.incomplete` says what happened.
Only where nothing decodes is it refused.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.digest import Digests, digest_stream
from holdfast.signals.pdq import NO_PDQ, PDQ, dihedral, hamming, pdq
from holdfast.signals.refusal import MediaRefused
from holdfast.signals.shown import MOVED_BITS
from holdfast.signals.sign import Part, Signals, View
from holdfast.signals.video_bars import Inside, find_inside_bars, insides_of
from holdfast.signals.video_frames import MAX_READ_S, Depth, VideoReader

EVERY_S = 1.0
"""One frame a second: vPDQ's default (``seconds_per_hash``)."""
MIN_EVERY_S, MAX_EVERY_S = 0.2, 60.0
"""Every frame of a 25 Hz film is looked at; one a minute is always kept."""
ALL_CORES = 0
"""As many threads as this process may use cores."""
LOOKS = 5
"""Times in ``every_s`` that a frame is looked at where it does not move fast."""
MAX_CLOSE_VIEWS = 20_000
"""Frames kept of one video, after which it is looked at no closer than LOOKS times in
``every_s``: eleven minutes of nothing but the fastest motion."""
STRETCH_FRAMES = 8
MIN_STRETCH_FRAMES = 4
"""Bars are looked for in so many frames at a time; fewer say too little about what
stays, and take the bars of the stretch before."""
STRETCH_BYTES = 64 * 1024**2
"""Frames of a stretch held in memory, unless MIN_STRETCH_FRAMES need more (133 MB at
8K)."""


@dataclass(frozen=True, slots=True)
class VideoSignals(Signals):
    """Signals of a video, and how much of it they cover.

    ``views``: for each moment the whole frame, then what is inside its bars where it
    has any: those of the frames around it, then its own where they are others.
    ``signed_ms``: up to when it was read.
    """

    signed_ms: int = 0


def sign_video(
    source: Path | BinaryIO,
    *,
    every_s: float = EVERY_S,
    keyframes_only: bool = False,
    turns: bool = False,
    threads: int = 1,
    digests: Digests | None = None,
) -> VideoSignals:
    """Digests and views of a video file, or of a seekable file object from its start.

    ``every_s``: seconds of presentation time between frames, 0.2 to 60.
    ``keyframes_only``: a fast first pass over the frames the encoder made to stand
    alone, at most one every ``every_s``; it may find a copy and never says there is
    none. ``turns``: keep all eight variants of each frame, to ask for mirrored copies
    with. ``threads``: 1 where other processes fill the cores; ALL_CORES where this is
    the one film that is read. The views are the same. ``digests``: of the file, where
    they are known already; making them takes as long as a pass over keyframes.

    Raises :class:`~holdfast.signals.refusal.MediaRefused`: not_a_video,
    too_large_file, too_many_pixels, too_long, unsupported_format, truncated, broken.
    ValueError for ``every_s`` out of range.
    """
    if not MIN_EVERY_S <= every_s <= MAX_EVERY_S:
        raise ValueError(f"every_s is from {MIN_EVERY_S} to {MAX_EVERY_S} seconds")
    if isinstance(source, Path):
        with source.open("rb") as stream:
            return sign_video(
                stream,
                every_s=every_s,
                keyframes_only=keyframes_only,
                turns=turns,
                threads=threads,
                digests=digests,
            )
    deadline = time.monotonic() + MAX_READ_S
    threads = threads or len(os.sched_getaffinity(0))
    depth = Depth.KEYFRAMES if keyframes_only else Depth.REFERENCES
    look_s = every_s if keyframes_only else every_s / LOOKS
    readings = [(depth, threads)] if threads > 1 else []
    readings += [(depth, 1), (Depth.EVERYTHING, 1)]
    for each, its_threads in readings:
        reader = VideoReader(
            source, every_s=look_s, depth=each, threads=its_threads, deadline=deadline
        )
        with reader:
            views = _read(reader, every_s, turns)
            if views and reader.is_sound():
                break
    return _signals(reader, views, digests or _digests(source))


def _read(reader: VideoReader, every_s: float, turns: bool) -> tuple[View, ...]:
    """The views; none where skipping left nothing, which the next reading finds."""
    try:
        kept = _kept(reader, every_s * 1000)
        return tuple(_without_repeats(_views(kept, turns)))
    except MediaRefused:
        if reader.depth is Depth.EVERYTHING:
            raise
        return ()


def _digests(source: BinaryIO) -> Digests:
    source.seek(0)
    return digest_stream(source)


def _signals(
    reader: VideoReader, views: tuple[View, ...], digests: Digests
) -> VideoSignals:
    return VideoSignals(
        sha256=digests.sha256,
        md5=digests.md5,
        views=views,
        width=reader.width,
        height=reader.height,
        media_type=reader.kind.media_type,
        duration_ms=reader.duration_ms,
        incomplete=reader.incomplete,
        signed_ms=reader.read_ms,
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    luma: NDArray[np.uint8]
    at_ms: int
    pdq: PDQ


NO_LUMA = np.zeros((0, 0), np.uint8)


def _kept(reader: VideoReader, every_ms: float) -> Iterator[_Kept]:
    """The first frame of each ``every_ms``, and those that moved since the last one.

    What moves by twice MOVED_BITS in a look is looked at closely for another look.
    """
    look_ms = every_ms / LOOKS
    next_slot, count, last = 0, 0, _Kept(NO_LUMA, 0, NO_PDQ)
    for frame in reader.frames():
        now = pdq(frame.luma)
        slot = int((frame.at_ms + 1) // every_ms)
        moved_bits = hamming(now.bits, last.pdq.bits)
        looks = (frame.at_ms - last.at_ms) / look_ms
        is_fast = moved_bits > MOVED_BITS * max(1, 2 * looks)
        if is_fast and count < MAX_CLOSE_VIEWS:
            reader.close_until_ms = frame.at_ms + look_ms
        if slot >= next_slot or moved_bits > MOVED_BITS:
            next_slot, count = slot + 1, count + 1
            last = _Kept(frame.luma, frame.at_ms, now)
            yield last


def _views(frames: Iterable[_Kept], turns: bool) -> Iterator[list[View]]:
    """The one to three views of each frame."""
    shared: Inside | None = None
    size: tuple[int, ...] = ()
    for stretch in _stretches(frames):
        if len(stretch) >= MIN_STRETCH_FRAMES or size != stretch[0].luma.shape:
            shared = find_inside_bars([frame.luma for frame in stretch])
        size = stretch[0].luma.shape
        for frame in stretch:
            yield _views_of(frame, insides_of(frame.luma, shared), turns)


def _views_of(frame: _Kept, insides: list[Inside], turns: bool) -> list[View]:
    whole = dihedral(frame.luma) if turns else (frame.pdq,)
    views = [View(Part.WHOLE, whole, frame.at_ms)]
    for inside in insides:
        trimmed = dihedral(frame.luma, inside)[: 8 if turns else 1]
        views.append(View(Part.TRIMMED, trimmed, frame.at_ms))
    return views


def _stretches(frames: Iterable[_Kept]) -> Iterator[list[_Kept]]:
    """Neighbouring frames of one size, STRETCH_FRAMES at a time."""
    for _, same_size in groupby(frames, key=lambda frame: frame.luma.shape):
        stretch: list[_Kept] = []
        for frame in same_size:
            room = STRETCH_BYTES // frame.luma.nbytes
            stretch.append(frame)
            if len(stretch) >= min(STRETCH_FRAMES, max(room, MIN_STRETCH_FRAMES)):
                yield stretch
                stretch = []
        if stretch:
            yield stretch


def _without_repeats(moments: Iterable[list[View]]) -> Iterator[View]:
    before: list[tuple[Part, tuple[PDQ, ...]]] = []
    for views in moments:
        now = [(view.part, view.variants) for view in views]
        if now != before:
            yield from views
        before = now
