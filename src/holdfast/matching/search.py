"""From views to what is near them: the two indexes, and what a hit means.

A query searches all eight turned and mirrored forms of the whole picture and of the
picture without its border; the indexes hold each as it is. A hit is looked up in its
table before it counts, so a row that was rolled back, deleted or revoked is never
found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
from holdfast.signals.pdq import hamming, nearly_dihedral
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


def keep_up() -> None:
    """Have the files looked after where nobody searches, too; in the background.

    Without it the bytes of what was deleted would stay in them until somebody does.
    """
    for index in (registered, banked):
        index.start_upkeep()


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


@dataclass(frozen=True, slots=True)
class TurnedHit:
    """A registered picture that is like the fingerprint ``query``, turned or not."""

    query: int
    view: View
    variant: Variant
    """How it was turned."""
    distance_bits: int


def turned(pdqs: Sequence[bytes]) -> Iterator[TurnedHit]:
    """What is registered near fingerprints whose pictures nobody has here.

    Their turned forms are only nearly known, so these find candidates. How far each is
    away is then measured by the candidate's own turned forms, which are exact: nothing
    is found by a guess. Of a video's frames no turned forms are kept.
    """
    asked = [
        (query, variant, form)
        for query, pdq in enumerate(pdqs)
        for variant, form in zip(VARIANTS, nearly_dihedral(pdq), strict=True)
    ]
    found = hits(registered, [form for *_, form in asked])
    rows = View.objects.in_bulk({hit.row_id for hit in found})
    for hit in found:
        query, variant, _ = asked[hit.query]
        if (row := rows.get(hit.row_id)) is None:
            continue
        forms = forms_of(row)
        place = VARIANTS.index(turned_back(variant))
        if place >= len(forms):
            continue
        distance_bits = hamming(pdqs[query], forms[place])
        if distance_bits <= MATCH_DISTANCE_BITS:
            yield TurnedHit(query, row, variant, distance_bits)


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
