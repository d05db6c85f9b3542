"""Whether two pictures are the same one, by their local features.

Points whose descriptors are alike propose a turn, a size and a shift; RANSAC finds
what most of them share (Fischler and Bolles, 1981; OpenCV's is seeded alike at every
call, so the answer is always the same); and the two thumbnails, laid over each other,
have the last word. Only what is SAME may be frozen. What is SIMILAR (another edition,
the next frame, the same scene from a step aside, or too little to tell) is for people.

It never says what a picture shows, and it prefers SIMILAR wherever it doubts: every
doubt is named. The limits were chosen on photographs set apart for it, and are
measured on others by ``holdfast bench edits``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import atan2, degrees, sqrt

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.features import (
    Descriptors,
    Features,
    Points,
    Query,
    from_thumbnail,
)
from holdfast.signals.hamming import distance, read_only
from holdfast.signals.kernels import kernel
from holdfast.signals.laying import Affine
from holdfast.signals.opencv import cv2
from holdfast.signals.overlap import Overlap, compare

Plane = NDArray[np.complex128]
"""Points as complex numbers."""

MATCH_BITS = 72
"""Descriptors further apart are not taken for the same point. Loose: geometry
decides. Points of copies are 4 to 30 bits apart in the middle, 70 at worst."""
LEVER = 0.35
"""One match foretells turn, size and place of the others, off by this share at most:
ORB's angles are good to about 10 degrees (0.17), its sizes to a step of 1.2."""
PROPOSALS = 3
"""So many ways to lay one on the other are tried: what stands round a picture that was
laid into another may resemble the query as well."""
REACH_PIXELS = 2.5
"""How near RANSAC wants a point to where it should be, on either thumbnail."""
RANSAC_TRIES = 2000
APART_PIXELS = 4
"""Points nearer to each other than this count once."""
MIN_POINTS = 6
"""Fewer shared points and the pixels are not even looked at; more prove nothing."""
MOST_SCALE = 7.0
"""What stands smaller than a seventh is not looked for."""


class Verdict(StrEnum):
    """What may follow; the values are stored."""

    SAME = "same"
    """The same picture, edited. May be frozen."""
    SIMILAR = "similar"
    """Resembles. For people to decide, never frozen by itself."""


class Doubt(StrEnum):
    """Why an alignment is not SAME; the values are stored."""

    LITTLE_SHOWN = "little_shown"
    SMALL_PART = "small_part"
    TONES_DIFFER = "tones_differ"
    DETAIL_DIFFERS = "detail_differs"
    CHANGED = "changed"
    MOVED = "moved"
    MUCH_COVERED = "much_covered"


MIN_AGREEING_BLOCKS = 40
"""About seven blocks' worth of texture, as they overlap."""
MIN_SPREAD = 4
"""Sixteenths of the shared part in which something agrees."""
MIN_PART = 0.4
"""Share of one of the two pictures that must be shared."""
MIN_TONE, MAX_TONE_LEVELS = 0.96, 3.5
"""Either one tone curve explains so much, or what it leaves is JPEG's noise."""
MIN_SHARP, MIN_WORST_TENTH = 0.85, 0.8
MAX_CHANGED = 0.004
MAX_SCATTERED = 0.03
MAX_MOVED = 0.004
MAX_LAID_OVER = 0.25
MIN_STILL_POINTS = 10
"""With fewer points to follow, a moved camera or subject could not be seen."""
MIN_STILL_WIDTH = 0.055
"""All on one line (a shore, a horizon), they say nothing of what is beside it."""
MAX_DRIFTED, MAX_DRIFTED_SHARE = 2, 0.03
MAX_DRIFTED_TOGETHER = 0.5
"""Pixels. Of copies 98 of 100 stay below 0.3."""
MAX_OUTSIDE, MAX_OUTSIDE_AGREEING = 20, 0.2
"""So many blocks beside the shared part, and so many of them agreeing: then it was
not a frame that was left out, of which hardly a block agrees, but something changed."""
MIN_SIMILAR_SHARE = 0.3
"""Below this share of agreeing textured blocks it does not even resemble."""
MIN_SIMILAR_BLOCKS = 25


@dataclass(frozen=True, slots=True)
class Alignment:
    """How the stored picture lies on the query.

    ``mirrored``: one is the other's mirror image. ``turned_degrees``: by how much the
    stored one must be turned clockwise, -180 to 180. ``scale``: how many times larger
    the shared part is on the query's thumbnail. ``of_query`` and ``of_stored``: which
    share of each is shared, 0 to 1. ``points``: shared points. ``doubts``: why it is
    not SAME; empty when it is.
    """

    verdict: Verdict
    mirrored: bool
    turned_degrees: float
    scale: float
    of_query: float
    of_stored: float
    points: int
    doubts: tuple[Doubt, ...]
    overlap: Overlap

    @property
    def is_whole(self) -> bool:
        """Most of either is shared."""
        return min(self.of_query, self.of_stored) > 0.75

    @property
    def query_is_part(self) -> bool:
        """The stored picture shows more round it: cut out of it, or laid into it."""
        return self.of_query > 0.75 > self.of_stored

    @property
    def stored_is_part(self) -> bool:
        """The query shows more round it."""
        return self.of_stored > 0.75 > self.of_query


def align(query: Query, stored: Features) -> Alignment | None:
    """The best alignment of ``stored`` with the query or its mirror image, if any.

    More points are taken from the stored thumbnail than were stored of the picture.

    Raises ImportError without OpenCV.
    """
    best = _best(query, stored, stored)
    if best is None or (best.doubts and not best.is_whole):
        # A picture that stands small in the stored one has few of its points: all that
        # the thumbnail gives are taken where those that were stored do not do.
        rich = _best(query, stored, from_thumbnail(stored.thumbnail))
        best = max((each for each in (best, rich) if each), key=_rank, default=None)
    return best


def _best(query: Query, stored: Features, points: Features) -> Alignment | None:
    """The best way in which these ``points`` lay ``stored`` on the query."""
    found = None
    for mirrored, asked in ((False, query.plain), (True, query.mirrored)):
        for to_query, shared in locate(asked, points):
            seen = _align(asked, stored, mirrored, to_query, shared)
            if seen is None or (found is not None and _rank(seen) <= _rank(found)):
                continue
            found = seen
            if not found.doubts:
                return found
    return found


def _rank(each: Alignment) -> tuple[bool, int]:
    return not each.doubts, each.overlap.agreeing


def _align(
    query: Features, stored: Features, mirrored: bool, to_query: Affine, points: int
) -> Alignment | None:
    scale = sqrt(abs(float(np.linalg.det(to_query[:, :2]))))
    if points < MIN_POINTS or not 1 / MOST_SCALE < scale < MOST_SCALE:
        return None
    overlap = compare(query.thumbnail, stored.thumbnail, to_query)
    if overlap is None or overlap.agreeing < MIN_SIMILAR_BLOCKS:
        return None
    doubts = tuple(_doubts(overlap))
    if doubts and overlap.agreeing_share < MIN_SIMILAR_SHARE:
        return None
    return Alignment(
        verdict=Verdict.SIMILAR if doubts else Verdict.SAME,
        mirrored=mirrored,
        turned_degrees=degrees(atan2(to_query[1, 0], to_query[0, 0])),
        scale=scale,
        of_query=overlap.of_query,
        of_stored=overlap.of_stored,
        points=points,
        doubts=doubts,
        overlap=overlap,
    )


def _doubts(seen: Overlap) -> list[Doubt]:
    """Everything that speaks against the same picture."""
    drift_allowed = max(MAX_DRIFTED, MAX_DRIFTED_SHARE * seen.still_points)
    frame = seen.outside < MAX_OUTSIDE or seen.outside_agreeing <= MAX_OUTSIDE_AGREEING
    against = {
        Doubt.LITTLE_SHOWN: seen.agreeing < MIN_AGREEING_BLOCKS
        or seen.spread < MIN_SPREAD
        or seen.still_points < MIN_STILL_POINTS
        or seen.still_width < MIN_STILL_WIDTH,
        Doubt.SMALL_PART: max(seen.of_query, seen.of_stored) < MIN_PART,
        Doubt.TONES_DIFFER: seen.tone < MIN_TONE and seen.tone_levels > MAX_TONE_LEVELS,
        Doubt.DETAIL_DIFFERS: seen.sharp < MIN_SHARP
        or seen.worst_tenth < MIN_WORST_TENTH,
        Doubt.CHANGED: seen.changed > MAX_CHANGED
        or seen.scattered > MAX_SCATTERED
        or not frame,
        Doubt.MOVED: seen.moved > MAX_MOVED
        or seen.drifted_points > drift_allowed
        or seen.drifted_together > MAX_DRIFTED_TOGETHER,
        Doubt.MUCH_COVERED: seen.laid_over > MAX_LAID_OVER,
    }
    return [doubt for doubt, holds in against.items() if holds]


def locate(query: Features, stored: Features) -> Iterator[tuple[Affine, int]]:
    """Similarities that take points of ``stored`` to the query's, and how many points
    share each; the most likely first, and none twice."""
    if not len(query) or not len(stored):
        return
    nearest, bits = _nearest(_words(query.descriptors), _words(stored.descriptors))
    alike = bits <= MATCH_BITS
    there, here = query.points[nearest[alike]], stored.points[alike]
    for _ in range(PROPOSALS):
        group, size = _of_one_mind(*_in_plane(here, there))
        if np.count_nonzero(group) < MIN_POINTS:
            return
        to_query, kept = cv2.estimateAffinePartial2D(
            here[group, :2].copy(),
            there[group, :2].copy(),
            ransacReprojThreshold=REACH_PIXELS * max(1.0, size),
            maxIters=RANSAC_TRIES,
        )
        if to_query is not None:
            group[group] = kept.ravel() > 0
            yield to_query, min(_distinct(here[group, :2]), _distinct(there[group, :2]))
        here, there = here[~group], there[~group]


def _in_plane(here: Points, there: Points) -> tuple[Plane, Plane, Plane]:
    """Both places of each match, and by what it turns and enlarges, as complex
    numbers."""
    one, other = here.astype(np.float64), there.astype(np.float64)
    turn = np.deg2rad(other[:, 3] - one[:, 3])
    by = (other[:, 2] / one[:, 2]) * (np.cos(turn) + 1j * np.sin(turn))
    return one[:, 0] + 1j * one[:, 1], other[:, 0] + 1j * other[:, 1], by


@kernel
def _square(number: complex) -> float:
    return number.real * number.real + number.imag * number.imag


@kernel
def _of_one_mind(
    here: Plane, there: Plane, by: Plane
) -> tuple[NDArray[np.bool_], float]:
    """Which matches the one that foretells most of them does, and by how much it
    enlarges."""
    best = np.zeros(len(by), np.bool_)
    most, size = 0, 1.0
    foretold = np.zeros(len(by), np.bool_)
    for one in range(len(by)):
        room = LEVER * LEVER * _square(by[one])
        reach = REACH_PIXELS * max(1.0, abs(by[one]))
        count = 0
        for other in range(len(by)):
            foretold[other] = False
            if _square(by[other] - by[one]) > room:
                continue
            apart = here[other] - here[one]
            off = there[other] - there[one] - by[one] * apart
            if abs(off) <= LEVER * abs(by[one]) * abs(apart) + reach:
                foretold[other] = True
                count += 1
        if count > most:
            most, size = count, abs(by[one])
            best[:] = foretold
    return best, size


def _distinct(points: NDArray[np.float32]) -> int:
    return len({(int(x), int(y)) for x, y in points / APART_PIXELS})


def _words(descriptors: Descriptors) -> NDArray[np.uint64]:
    return read_only(np.ascontiguousarray(descriptors).view(np.uint64))


@kernel
def _nearest(
    query: NDArray[np.uint64], stored: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each stored descriptor the nearest of the query's, and its distance."""
    nearest = np.zeros(len(stored), np.int64)
    bits = np.full(len(stored), 257, np.int64)
    for row in range(len(stored)):
        for other in range(len(query)):
            apart = distance(stored[row], query, other)
            if apart < bits[row]:
                bits[row] = apart
                nearest[row] = other
    return nearest, bits
