"""How like each other two things are, in words that people and tables share. Pure.

A :class:`Likeness` is what a match rests on. It never says that something violates, and
it never costs an account anything: it says what stands in front of whom. What is only
possible (``certain`` false) freezes nothing and waits for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class Basis(StrEnum):
    """On what a match rests; the values are stored, so they never change."""

    DIGEST = "digest"
    """The same SHA-256, or the same MD5 where a bank knows nothing better."""
    PDQ = "pdq"
    """A small PDQ distance of two pictures, or of a picture and a frame."""
    VIDEO = "video"
    """A share of the frames of two videos."""
    FEATURES = "features"
    """Local features that align: crops, captions, screenshots."""
    REPOST = "repost"
    """The platform says that it is a repost."""


class Variant(StrEnum):
    """How a picture was turned. Turns are counter-clockwise, and come after mirroring;
    mirrored means that left and right changed places."""

    AS_IS = "as_is"
    TURNED_90 = "turned_90"
    TURNED_180 = "turned_180"
    TURNED_270 = "turned_270"
    MIRRORED_180 = "mirrored_180"
    MIRRORED = "mirrored"
    MIRRORED_90 = "mirrored_90"
    MIRRORED_270 = "mirrored_270"


VARIANTS = tuple(Variant)
"""In Meta's order, which is that of ``signals.sign.View.variants``."""

TURNS = {
    variant: (quarters, number >= len(VARIANTS) // 2)
    for number, (variant, quarters) in enumerate(
        zip(VARIANTS, (0, 1, 2, 3, 2, 0, 1, 3), strict=True)
    )
}
"""By how many quarters each is turned, and whether it was mirrored before that."""

_BACK = {
    Variant.TURNED_90: Variant.TURNED_270,
    Variant.TURNED_270: Variant.TURNED_90,
}


def turned_back(variant: Variant) -> Variant:
    """The turn that undoes this one; every mirroring undoes itself."""
    return _BACK.get(variant, variant)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How one item is like another, or like an entry of a bank.

    ``exact``: it is the same bytes, or reposts them. ``certain``: it may be frozen
    before people have looked. ``variant`` and ``trimmed``: how it was turned, and
    whether bars or a border of either side were left out. ``distance_bits``: 0 to 256.
    ``share_percent``: how much of the one video is in the other, or of the original
    picture in what was made of it, 1 to 100. ``at_ms``: where in the video it begins;
    in the copy, if both are videos. What does not apply is None. A repost has the
    likeness of what it reposts, on the basis of being one.
    """

    basis: Basis
    exact: bool = False
    certain: bool = True
    variant: Variant = Variant.AS_IS
    trimmed: bool = False
    distance_bits: int | None = None
    share_percent: int | None = None
    at_ms: int | None = None

    def of_repost(self) -> Likeness:
        """The likeness of a repost of something that is like this."""
        return replace(self, basis=Basis.REPOST)


SAME_BYTES = Likeness(Basis.DIGEST, exact=True)
SAME_MD5 = Likeness(Basis.DIGEST)
"""Not exact: two files with one MD5 can be made, so people look at each."""
REPOST_OF_IT = Likeness(Basis.REPOST, exact=True)

_STRENGTH = {
    Basis.DIGEST: 0,
    Basis.PDQ: 1,
    Basis.VIDEO: 1,
    Basis.FEATURES: 2,
    Basis.REPOST: 3,
}


def strength(found: Likeness) -> tuple[bool, int, int, int]:
    """Sorts the strongest likeness first."""
    return (
        not found.certain,
        _STRENGTH[found.basis],
        found.distance_bits or 0,
        -(found.share_percent or 0),
    )


def cleared(states: Iterable[str]) -> bool:
    """Whether people cleared just these bytes, and never decided otherwise.

    ``states`` are those of the entries that people's decisions made for the bytes.
    """
    kinds = set(states)
    return "cleared" in kinds and "active" not in kinds


def precision(decided: Mapping[str, int]) -> float | None:
    """The share of what was decided that was a violation; None while nothing was.

    ``decided`` counts items by the outcome of their case.
    """
    total = sum(decided.values())
    return decided.get("violation", 0) / total if total else None
