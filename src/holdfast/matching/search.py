"""From views to what is near them: the two indexes, and what a hit means.

A query searches all eight turned and mirrored forms of the whole picture and of the
picture without its border; the indexes hold each as it is. A hit is looked up in its
table before it counts, so a row that was rolled back, deleted or revoked is never
found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from holdfast.fingerprints.models import View
from holdfast.fingerprints.queries import forms_of
from holdfast.matching.index import Hit, PdqIndex
from holdfast.matching.models import BankEntry
from holdfast.matching.rules import (
    VARIANTS,
    Basis,
    Likeness,
    Variant,
    strength,
    turned_back,
)
from holdfast.signals.sign import MATCH_DISTANCE_BITS, Part

registered = PdqIndex("hf_view")
"""Every view of everything that a platform registered."""
banked = PdqIndex("hf_bank_entry")
"""Every perceptual signal of every bank."""


@dataclass(frozen=True, slots=True)
class Near:
    """``view``, turned like ``variant``, is near the row with this number."""

    view: View
    variant: Variant
    row_id: int
    distance_bits: int


def near(index: PdqIndex, views: Iterable[View]) -> list[Near]:
    """The rows near any form of some views. Views that cannot be compared have none."""
    asked = [
        (view, VARIANTS[number], pdq)
        for view in views
        for number, pdq in enumerate(forms_of(view))
    ]
    return [
        Near(*asked[hit.query][:2], hit.row_id, hit.distance_bits)
        for hit in hits(index, [pdq for *_, pdq in asked])
    ]


def hits(index: PdqIndex, pdqs: Sequence[bytes]) -> list[Hit]:
    """All that is near each of some fingerprints."""
    return index.near(pdqs, MATCH_DISTANCE_BITS)


def still_likeness(
    pairs: Iterable[tuple[Near, View | BankEntry]], *, query_is_copy: bool
) -> Likeness:
    """What the hits between two stills say, or between a still and a video's frames.

    ``query_is_copy``: the query is what was turned, and the rows are the original's.
    """
    found = [_one_hit(hit, row, query_is_copy=query_is_copy) for hit, row in pairs]
    # The one that says most; of equals, the plainest.
    return min(
        found,
        key=lambda each: (
            *strength(each),
            each.trimmed,
            VARIANTS.index(each.variant),
            each.at_ms or 0,
        ),
    )


def _one_hit(hit: Near, row: View | BankEntry, *, query_is_copy: bool) -> Likeness:
    return Likeness(
        Basis.PDQ,
        variant=turned_back(hit.variant) if query_is_copy else hit.variant,
        trimmed=Part.TRIMMED in (hit.view.part, row.part),
        distance_bits=hit.distance_bits,
        at_ms=row.at_ms if hit.view.at_ms is None else hit.view.at_ms,
    )
