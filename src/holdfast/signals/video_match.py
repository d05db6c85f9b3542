"""Whether two videos are copies, by the share of their frames that are alike.

The rule is vPDQ's (Meta; github.com/facebook/ThreatExchange, folder ``vpdq``): of the
frames that say enough to be compared, how large a share of one video's has a frame
within 31 bits in the other, and the other way round; the order of frames does not
count. A copy was cut shorter where its own share is high, and holds the original inside
it where the original's is. It never says what a video shows, nor what follows.

A *moment* is one second of a video, with all the views kept in it; it is matched when
any of its comparable views is. So a lively second counts no more than a calm one, of
which fewer frames are kept. Shares count moments of at least
MIN_QUALITY only. Three things make unrelated videos share frames; each has its guard:

- black and blurred frames: their quality is too low, so they count in no share; and a
  video that has little else is no copy (MIN_COMPARABLE_SHARE);
- a title card that many videos begin with: it is a small share of each of them;
- a clip that is little more than a title card: found inside a longer one, it must be
  matched at MIN_CONTAINED_FRAMES moments, and unless these show MIN_SCENES scenes, at
  MIN_STANDING_FRAMES, since a camera that stands still gives one scene for long.

Where a share is reached and a guard is not, :attr:`Overlap.is_doubtful` is true: people
decide. Two videos whose shares are both reached are the same throughout, however short,
and are judged as two stills would be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.hamming import search, to_words
from holdfast.signals.pdq import hamming
from holdfast.signals.sign import MATCH_DISTANCE_BITS, Part, Signals, View

MOMENT_MS = 1000
"""Length of a moment: vPDQ's one frame a second."""
MIN_SHARE = 0.8
"""Share of a video's moments that must be matched: python-threatexchange's
VPDQ_QUERY_MATCH_THRESHOLD_PERCENT, for either direction."""
MIN_COMPARABLE_SHARE = 0.5
"""Share of a video's moments that must say enough to be compared at all."""
MIN_CONTAINED_FRAMES = 5
"""Matched moments of a video found inside a longer one: five seconds, as title cards
mostly are shorter."""
MIN_SCENES = 2
"""Matched moments that are no copies of each other."""
MIN_STANDING_FRAMES = 10
"""Matched moments that stand for a second scene: ten seconds of one, in frames that
are not bit for bit the same, since :mod:`.video` keeps one of those."""
SCENES_COUNTED = 10
"""Further scenes are not counted; nothing depends on them."""
BLOCK_PAIRS = 1_000_000
"""Pairs of frames compared before what was found is reduced: two long films of one
standing scene match everywhere, and all their pairs would fill the memory."""


class Relation(StrEnum):
    """How two videos that share frames lie to each other; the values are stored."""

    SAME = "same"
    QUERY_INSIDE = "query_inside"
    """The stored video holds the query, and more."""
    STORED_INSIDE = "stored_inside"
    """The query holds the stored video, and more."""
    NEITHER = "neither"


class FramePair(NamedTuple):
    """A moment of the query and the nearest frame of the stored video.

    ``variant`` is how the query was turned, in Meta's order, 0 as it is. Ordered by
    nearness, then by the rest, so that the nearest is always the same one.
    """

    distance_bits: int
    query_at_ms: int
    variant: int
    query_part: Part
    stored_at_ms: int
    stored_part: Part


class Extent(NamedTuple):
    """How many moments a video has, and how many of them are comparable."""

    moments: int
    comparable: int


class FrameHit(NamedTuple):
    """What an index found: a fingerprint asked for, and a stored view near it.

    ``query``: place in :attr:`Question.fingerprints`. The stored view is comparable.
    """

    query: int
    stored_at_ms: int
    stored_part: Part
    distance_bits: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """How far two videos are alike: moments in all, comparable, and matched.

    ``scenes``: how many of the query's matched moments are no copies of each other, up
    to SCENES_COUNTED. ``pairs``: for each matched moment of the query the nearest
    frame of the stored video, in order of the query's time.
    """

    query: Extent
    stored: Extent
    query_matched: int
    stored_matched: int
    scenes: int
    pairs: tuple[FramePair, ...]

    @property
    def query_share(self) -> float:
        """0 to 1: of the query's comparable moments, how many the stored one has."""
        return self.query_matched / max(1, self.query.comparable)

    @property
    def stored_share(self) -> float:
        """0 to 1: of the stored video's comparable moments, how many the query has."""
        return self.stored_matched / max(1, self.stored.comparable)

    @property
    def relation(self) -> Relation:
        """By the shares alone."""
        query, stored = self.query_share >= MIN_SHARE, self.stored_share >= MIN_SHARE
        if query and stored:
            return Relation.SAME
        if query:
            return Relation.QUERY_INSIDE
        return Relation.STORED_INSIDE if stored else Relation.NEITHER

    @property
    def is_copy(self) -> bool:
        """A share is reached, and enough stands behind it; see the module's text."""
        match self.relation:
            case Relation.SAME:
                return _says_enough(self.query) and _says_enough(self.stored)
            case Relation.QUERY_INSIDE:
                return _says_enough(self.query) and self._is_rich(self.query_matched)
            case Relation.STORED_INSIDE:
                return _says_enough(self.stored) and self._is_rich(self.stored_matched)
            case _:
                return False

    @property
    def is_doubtful(self) -> bool:
        """A share is reached and too little stands behind it: people decide."""
        return self.relation is not Relation.NEITHER and not self.is_copy

    def _is_rich(self, matched: int) -> bool:
        is_varied = self.scenes >= MIN_SCENES or matched >= MIN_STANDING_FRAMES
        return matched >= MIN_CONTAINED_FRAMES and is_varied


def _says_enough(extent: Extent) -> bool:
    return extent.comparable >= extent.moments * MIN_COMPARABLE_SHARE


def extent(video: Signals) -> Extent:
    """What of a stored video must be known beside the hits in it; two counts."""
    comparable = {_moment(view) for view in video.views if view.is_comparable}
    return Extent(len({_moment(view) for view in video.views}), len(comparable))


class Question:
    """A video as an index is asked for it: every variant of every comparable view.

    ``fingerprints``: what to search for, 32 bytes each. Hits come back by their place
    in it; :meth:`overlap` needs nothing else of a stored video but its extent.
    """

    def __init__(self, video: Signals) -> None:
        self.extent = extent(video)
        asked = [
            (variant.bits, view, number)
            for view in video.views
            if view.is_comparable
            for number, variant in enumerate(view.variants)
        ]
        self.fingerprints: list[bytes] = [bits for bits, _, _ in asked]
        self._asked: list[tuple[View, int]] = [(view, n) for _, view, n in asked]

    def overlap(self, stored: Extent, hits: Iterable[FrameHit]) -> Overlap:
        """How far one stored video is alike, from all hits in it, in any order.

        A hit left out makes the shares smaller; one that is handed in twice changes
        nothing.
        """
        nearest: dict[int, FramePair] = {}
        seen: set[int] = set()
        for hit in hits:
            pair = self._pair(hit)
            seen.add(pair.stored_at_ms // MOMENT_MS)
            moment = pair.query_at_ms // MOMENT_MS
            nearest[moment] = min(nearest.get(moment, pair), pair)
        return self._conclude(stored, nearest, len(seen))

    def _pair(self, hit: FrameHit) -> FramePair:
        view, variant = self._asked[hit.query]
        return FramePair(
            distance_bits=hit.distance_bits,
            query_at_ms=_time(view),
            variant=variant,
            query_part=view.part,
            stored_at_ms=hit.stored_at_ms,
            stored_part=hit.stored_part,
        )

    def _conclude(
        self, stored: Extent, nearest: dict[int, FramePair], stored_matched: int
    ) -> Overlap:
        return Overlap(
            query=self.extent,
            stored=stored,
            query_matched=len(nearest),
            stored_matched=stored_matched,
            scenes=self._scenes(nearest),
            pairs=tuple(nearest[moment] for moment in sorted(nearest)),
        )

    def _scenes(self, moments: Iterable[int]) -> int:
        first: dict[int, bytes] = {}
        for view, _ in self._asked:
            first.setdefault(_moment(view), view.pdq.bits)
        return count_scenes([first[moment] for moment in sorted(moments)])


def count_scenes(fingerprints: Sequence[bytes]) -> int:
    """How many of them begin a scene: none before it that began one is within 31 bits.

    At most SCENES_COUNTED.
    """
    rest = to_words(fingerprints)
    scenes = 0
    while len(rest) and scenes < SCENES_COUNTED:
        scenes += 1
        near = search(rest[:1], rest, MATCH_DISTANCE_BITS).row_index
        rest = np.delete(rest, near, axis=0)
    return scenes


def compare(query: Signals, stored: Signals) -> Overlap:
    """How far two videos are alike; the same as :func:`compare_reference`.

    The query may keep all eight variants of its frames (``sign_video(turns=True)``);
    then turned and mirrored copies are found too. Of the stored video the first
    variant counts.
    """
    question = Question(query)
    comparable = (view for view in stored.views if view.is_comparable)
    views = sorted(comparable, key=lambda view: (_time(view), view.part))
    rows = to_words([view.pdq.bits for view in views])
    asked = to_words(question.fingerprints)
    step = max(1, BLOCK_PAIRS // max(1, len(rows)))
    nearest: list[FrameHit] = []
    matched = np.zeros(len(rows), dtype=bool)
    for start in range(0, len(asked), step):
        found = search(asked[start : start + step], rows, MATCH_DISTANCE_BITS)
        matched[found.row_index] = True
        for place in _nearest_of_each(found.query_index, found.distance_bits):
            view = views[found.row_index[place]]
            nearest.append(
                FrameHit(
                    query=int(found.query_index[place]) + start,
                    stored_at_ms=_time(view),
                    stored_part=view.part,
                    distance_bits=int(found.distance_bits[place]),
                )
            )
    overlap = question.overlap(extent(stored), nearest)
    seen = {
        _moment(view) for view, is_seen in zip(views, matched, strict=True) if is_seen
    }
    return replace(overlap, stored_matched=len(seen))


def _nearest_of_each(
    queries: NDArray[np.int64], distances: NDArray[np.int64]
) -> NDArray[np.int64]:
    """For each query in ordered matches, the place of its nearest row, the first one
    where several are equally near."""
    order = np.lexsort((np.arange(len(queries)), distances, queries))
    _, first = np.unique(queries[order], return_index=True)
    return np.asarray(order[first], dtype=np.int64)


def compare_reference(query: Signals, stored: Signals) -> Overlap:
    """The rule said plainly: every frame with every frame."""
    pairs = []
    for asked in query.views:
        for view in stored.views:
            if not (asked.is_comparable and view.is_comparable):
                continue
            for number, variant in enumerate(asked.variants):
                distance_bits = hamming(variant.bits, view.pdq.bits)
                if distance_bits <= MATCH_DISTANCE_BITS:
                    pairs.append(
                        FramePair(
                            distance_bits,
                            _time(asked),
                            number,
                            asked.part,
                            _time(view),
                            view.part,
                        )
                    )
    moments = sorted({pair.query_at_ms // MOMENT_MS for pair in pairs})
    return Overlap(
        query=extent(query),
        stored=extent(stored),
        query_matched=len(moments),
        stored_matched=len({pair.stored_at_ms // MOMENT_MS for pair in pairs}),
        scenes=_scenes_reference(query, moments),
        pairs=tuple(
            min(pair for pair in pairs if pair.query_at_ms // MOMENT_MS == moment)
            for moment in moments
        ),
    )


def _scenes_reference(query: Signals, moments: list[int]) -> int:
    scenes: list[bytes] = []
    for moment in moments:
        bits = next(
            view.pdq.bits
            for view in query.views
            if _moment(view) == moment and view.is_comparable
        )
        if all(hamming(bits, scene) > MATCH_DISTANCE_BITS for scene in scenes):
            scenes.append(bits)
    return min(len(scenes), SCENES_COUNTED)


def find_still(still: Signals, video: Signals) -> FramePair | None:
    """The frame of a video nearest to a still, at most 31 bits away, or None.

    Every variant of the still is asked for, and every part of both. It works the same
    whichever of the two was reported; the still is the query of the pair.
    """
    if not still.is_comparable:
        return None
    pairs = compare(still, video).pairs
    return min(pairs) if pairs else None


def _time(view: View) -> int:
    """A still is one moment of a video that has no other."""
    return view.at_ms or 0


def _moment(view: View) -> int:
    return _time(view) // MOMENT_MS
