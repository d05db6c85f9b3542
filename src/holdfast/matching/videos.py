"""Whether one video is a copy of another, from all hits between their frames.

The index finds the frames that are near; the rule of
:mod:`holdfast.signals.video_match` says what they come to. Animations count as videos.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count

from django.db.models import Count, F, Q

from holdfast.fingerprints.models import View
from holdfast.fingerprints.queries import signals_of
from holdfast.matching.rules import VARIANTS, Basis, Likeness, Variant, turned_back
from holdfast.matching.search import Near
from holdfast.signals.sign import Part
from holdfast.signals.video_match import (
    MOMENT_MS,
    Extent,
    FrameHit,
    Overlap,
    Question,
)


class Film:
    """A video that is asked about, by the id of its fingerprint."""

    def __init__(self, fingerprint: int) -> None:
        views, signals = signals_of(fingerprint)
        self._question = Question(signals)
        places = count()
        self._places: dict[tuple[int, Variant], int] = {
            (row.id, VARIANTS[number]): next(places)
            for row, view in zip(views, signals.views, strict=True)
            if view.is_comparable
            for number in range(len(view.variants))
        }

    def likeness(
        self, stored: Extent, hits: Sequence[tuple[Near, View]], *, query_is_copy: bool
    ) -> Likeness | None:
        """What all hits in one stored video say; None where that is too little."""
        overlap = self._question.overlap(
            stored,
            [
                FrameHit(
                    query=self._places[hit.view.id, hit.variant],
                    stored_at_ms=row.at_ms or 0,
                    stored_part=Part(row.part),
                    distance_bits=hit.distance_bits,
                )
                for hit, row in hits
            ],
        )
        if not (overlap.is_copy or overlap.is_doubtful):
            return None
        return film_likeness(overlap, query_is_copy=query_is_copy)


def extents_of(fingerprints: Iterable[int]) -> dict[int, Extent]:
    """How many moments some videos have, by the ids of their fingerprints."""
    ids = list(fingerprints)
    if not ids:
        # Among pictures there is nothing to ask, and putting it together takes longer
        # than all of a report's searches.
        return {}
    rows = (
        View.objects.filter(fingerprint__in=ids)
        .annotate(moment=F("at_ms") / MOMENT_MS)
        .values("fingerprint")
        .annotate(
            moments=Count("moment", distinct=True),
            comparable=Count("moment", distinct=True, filter=Q(pdq__isnull=False)),
        )
    )
    return {
        row["fingerprint"]: Extent(row["moments"], row["comparable"]) for row in rows
    }


def film_likeness(overlap: Overlap, *, query_is_copy: bool) -> Likeness:
    """What an overlap comes to, in the words of matches."""
    nearest = min(overlap.pairs)
    variant = VARIANTS[nearest.variant]
    share = max(overlap.query_share, overlap.stored_share)
    begins = [
        pair.query_at_ms if query_is_copy else pair.stored_at_ms
        for pair in overlap.pairs
    ]
    return Likeness(
        Basis.VIDEO,
        certain=overlap.is_copy,
        variant=turned_back(variant) if query_is_copy else variant,
        trimmed=Part.TRIMMED in (nearest.query_part, nearest.stored_part),
        distance_bits=nearest.distance_bits,
        share_percent=max(1, round(100 * share)),
        at_ms=min(begins),
    )
