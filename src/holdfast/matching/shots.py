"""The pixels' word on what PDQ takes for a copy: is it, or another shot of the scene?

Within PDQ's 31 bits lies the next photograph of a series, too. Where the features of
both are kept, their thumbnails are laid over each other before anything is frozen, and
what is surely another shot becomes a possible copy, for people. What cannot be looked
at so (a frame of a film, a hash from a bank, an installation without OpenCV) is as
certain as PDQ makes it. See :mod:`holdfast.signals.scenes`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from holdfast.fingerprints.features import opened
from holdfast.fingerprints.models import PictureFeatures
from holdfast.matching.rules import TURNS, Basis, Likeness, Variant
from holdfast.signals.features import Pixels, available
from holdfast.signals.scenes import DOUBTED_FROM_BITS, is_another_shot

logger = logging.getLogger(__name__)

MOST_LOOKS = 24
"""Pairs that one search looks at, the farthest first: each takes 1 to 10 ms of the time
of a report. What is nearer than all these freezes until people decide."""
THREADS = 2
REMEMBERED = 1024
"""Pictures of which a process remembers what it saw: a report is looked for twice, and
its decision once more."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pieces of media, and how the copy is like the original, of which there is no
    media where a bank has nothing but its hash."""

    original: UUID | None
    copy: UUID
    like: Likeness


def looked_at(pairs: Sequence[Pair]) -> list[Likeness]:
    """The likeness of each pair, only possible where it is another shot."""
    doubtful = sorted(
        (each for each in pairs if _is_doubtful(each.like)),
        key=lambda each: each.like.distance_bits or 0,
        reverse=True,
    )
    others = _other_shots(doubtful[:MOST_LOOKS])
    return [_less_certain(each.like) if each in others else each.like for each in pairs]


def looked_at_beside(
    original: Pixels, copies: Sequence[tuple[UUID, Likeness]]
) -> list[Likeness]:
    """The same for a thumbnail of nobody's and all media that may be its copies."""
    rows = _kept(media for media, like in copies if _is_doubtful(like))
    thumbnails = _thumbnails(rows.values())
    return [
        _less_certain(like)
        if _is_doubtful(like)
        and (row := rows.get(media)) in thumbnails
        and _is_other(like, original, thumbnails[row])
        else like
        for media, like in copies
    ]


def _is_doubtful(like: Likeness) -> bool:
    """Whether PDQ alone speaks, of two stills, and not from very near."""
    return (
        available()
        and like.basis == Basis.PDQ
        and like.at_ms is None
        and (like.distance_bits or 0) >= DOUBTED_FROM_BITS
    )


def _less_certain(like: Likeness) -> Likeness:
    return replace(like, certain=False)


def _other_shots(pairs: Sequence[Pair]) -> set[Pair]:
    """Which of some pairs are; each is looked at once by a process."""
    kept = _kept(media for each in pairs for media in (each.original, each.copy))
    looks = [
        _Look(each, kept[each.original], kept[each.copy])
        for each in pairs
        if each.original in kept and each.copy in kept
    ]
    new = [each for each in looks if each.key not in _seen(each.original)]
    thumbnails = _thumbnails(row for each in new for row in (each.original, each.copy))

    def see(look: _Look) -> None:
        if look.original in thumbnails and look.copy in thumbnails:
            both = thumbnails[look.original], thumbnails[look.copy]
            _seen(look.original)[look.key] = _is_other(look.pair.like, *both)

    if new:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(see, new))
    return {each.pair for each in looks if _seen(each.original).get(each.key)}


class _Look(NamedTuple):
    """A pair, and the rows of features of both."""

    pair: Pair
    original: int
    copy: int

    @property
    def key(self) -> tuple[int, Variant, bool]:
        return self.copy, self.pair.like.variant, self.pair.like.trimmed


@lru_cache(REMEMBERED)
def _seen(original: int) -> dict[tuple[int, Variant, bool], bool]:
    """What this process saw of one picture's pairs. Features never change."""
    return {}


def _kept(media: Iterable[UUID | None]) -> dict[UUID | None, int]:
    """The row of features of each piece of media that has any."""
    wanted = set(media) - {None}
    if not wanted:
        return {}
    rows = PictureFeatures.objects.filter(media__in=wanted)
    return dict(rows.values_list("media", "id"))


def _thumbnails(rows: Iterable[int]) -> dict[int | None, Pixels]:
    """Of rows that are still there and can be opened."""
    wanted = set(rows)
    if not wanted:
        return {}
    found: dict[int | None, Pixels] = {}
    sealed = PictureFeatures.objects.filter(id__in=wanted)
    for row, fingerprint, data in sealed.values_list("id", "fingerprint", "sealed"):
        try:
            found[row] = opened(fingerprint, bytes(data)).thumbnail
        except Exception as error:
            # A report is received whatever a row looks like: PDQ's word stands.
            logger.error("features %d: %s", row, type(error).__name__)
    return found


def _is_other(like: Likeness, original: Pixels, copy: Pixels) -> bool:
    quarters, mirrored = TURNS[like.variant]
    try:
        return is_another_shot(
            original, copy, quarters=quarters, mirrored=mirrored, trimmed=like.trimmed
        )
    except Exception as error:
        # The same: what OpenCV cannot lay over each other is as certain as it was.
        logger.error("laying two pictures: %s", type(error).__name__)
        return False
