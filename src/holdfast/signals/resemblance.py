"""From a picture to those that resemble it, among all that are indexed.

The votes' order is followed and each candidate aligned, until so many in a row resemble
in nothing that the rest will not either. A picture with thousands of copies is followed
to the last; one with none costs PATIENCE alignments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from holdfast.signals.alignment import Alignment, align
from holdfast.signals.features import Features, Query
from holdfast.signals.votes import FeatureIndex

PATIENCE = 40
"""Candidates in a row that align with nothing before the search ends. An alignment
takes 10 to 40 ms."""
MOST_CANDIDATES = 10_000
"""Never more than this: the rest has to be looked for from what is found."""


def resemblances(
    query: Query,
    index: FeatureIndex,
    stored: Callable[[int], Features | None],
    patience: int = PATIENCE,
) -> Iterator[tuple[int, Alignment]]:
    """(picture, alignment) of all that is SAME or SIMILAR, best votes first.

    ``stored`` gives the features of a picture, or None when it is gone meanwhile.
    Raises ImportError without OpenCV.
    """
    in_vain = 0
    for candidate in index.candidates(query, MOST_CANDIDATES):
        features = stored(candidate.picture_id)
        found = align(query, features) if features is not None else None
        if found is not None:
            in_vain = 0
            yield candidate.picture_id, found
            continue
        in_vain += 1
        if in_vain == patience:
            return
