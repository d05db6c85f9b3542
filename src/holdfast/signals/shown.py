"""Which frames of an animation stand for all that people see of it.

Frames are chosen by how long they are looked at, never by their number: whoever hides a
picture among others decides in which order they come. A frame stands for all that are
near it, so a picture that flickers or moves a little is one scene, however many frames
it takes, and the scene that is seen for the longest comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOVED_BITS = 16
"""Frames farther apart show something else. What is near a frame that was kept is then
hardly farther than that from it, which leaves compression its few bits."""
PDQ_BITS = 256


class Shown(NamedTuple):
    """``prints``: of the whole frame and of what is inside its border, then the same as
    it is seen otherwise; None, or none, for what cannot be compared. ``lasts_ms``: how
    long it is looked at, more than 0."""

    prints: tuple[bytes | None, ...]
    lasts_ms: int


class Chosen(NamedTuple):
    """Places of frames: ``kept`` in order, ``longest`` of the scene that is seen for
    the longest; ``is_all``: whether each that can be compared is near one of them."""

    kept: list[int]
    longest: int
    is_all: bool


def choose(frames: Sequence[Shown], most: int) -> Chosen:
    """At most ``most`` of them, at least two, the first always among them.

    The last one is kept too where nothing near it is: an animation that is played once
    stays there. What cannot be compared only ever comes first, or where nothing can.
    """
    lasts = np.array([each.lasts_ms for each in frames], np.int64)
    stands = _stands_for(frames)
    nears = stands & stands.T
    left = np.ones(len(frames), np.bool_)
    kept: list[int] = []
    apart = np.full(len(frames), PDQ_BITS + 1, np.int64)
    bits = _distances(frames)
    while left.any() and len(kept) < most - 2:
        seen_ms = np.where(left, stands @ np.where(left, lasts, 0), -1)
        # Of frames seen for as long, as in a film, those that differ most are kept.
        centre = _first_of(seen_ms, lasts, apart)
        near = nears[centre] & left
        place = _first_of(np.where(near, lasts, -1), seen_ms)
        kept.append(place)
        left &= ~stands[place]
        apart = np.minimum(apart, bits[place])
    for place in (len(frames) - 1, 0):
        if left[place] or (place == 0 and place not in kept):
            kept.append(place)
            left &= ~stands[place]
    return Chosen(sorted(kept), kept[0], not left.any())


def _first_of(*orders: NDArray[np.int64]) -> int:
    """Where the first of these is largest, among those the second, and so on."""
    best = np.ones(len(orders[0]), np.bool_)
    for order in orders:
        best &= order == order[best].max()
    return int(np.argmax(best))


def _stands_for(frames: Sequence[Shown]) -> NDArray[np.bool_]:
    """(n, n): whether a frame has all that can be compared of another, or nearly."""
    stands = np.ones((len(frames), len(frames)), np.bool_)
    for prints in zip_longest(*(each.prints for each in frames)):
        there, apart = _apart(prints)
        stands &= ~there[None, :] | (there[:, None] & (apart <= MOVED_BITS))
    return stands


def _distances(frames: Sequence[Shown]) -> NDArray[np.int64]:
    return _apart([each.prints[0] for each in frames])[1]


def _apart(
    prints: Sequence[bytes | None],
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which of them are there, and how many bits each two are apart."""
    there = np.array([each is not None for each in prints])
    joined = b"".join(each or bytes(PDQ_BITS // 8) for each in prints)
    bits = np.unpackbits(np.frombuffer(joined, np.uint8)).reshape(-1, PDQ_BITS)
    signs = bits.astype(np.float32) * 2 - 1
    return there, ((PDQ_BITS - signs @ signs.T) / 2).astype(np.int64)
