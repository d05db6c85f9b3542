"""What a measurement of edits registers: copies, cuts, near-duplicates, strangers.

Each function takes what can be handed to another process and gives back the same.
Nothing is counted here: see :mod:`holdfast_bench.edits`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import Random

from PIL import Image

from holdfast.matching.rules import TURNS, VARIANTS
from holdfast.signals.alignment import Verdict, align
from holdfast.signals.features import (
    Features,
    Query,
    decoded,
    extract,
    extract_query,
)
from holdfast.signals.pdq import hamming
from holdfast.signals.scenes import DOUBTED_FROM_BITS, is_another_shot
from holdfast.signals.sign import MATCH_DISTANCE_BITS, Part, Signals, sign_picture
from holdfast_bench.edited import EDITS, SCENES, as_jpeg
from holdfast_bench.gallery import Source

CUTS_OF_UNRELATED = 2
CUT_SHARES = (0.25, 0.6)
MIN_VISIBLE_POINTS = 40
"""Points that can be followed from a photograph's thumbnail to itself."""
SEED = 20261122


@dataclass(frozen=True, slots=True)
class Photograph:
    source: Source
    signals: Signals
    query: Query
    stored: Features


@dataclass(frozen=True, slots=True)
class Item:
    """A registered picture: an edit of a photograph; without ``family`` a cut of it or,
    where ``whole``, all of it."""

    name: str
    family: str
    signals: Signals
    features: bytes
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """A near-duplicate: its name, what features make of it, whether any of its views is
    within PDQ's reach, whether it is frozen for that, and how long that took to see."""

    name: str
    verdict: Verdict | None
    by_pdq: bool
    frozen_by_pdq: bool
    look_s: float


@dataclass(slots=True)
class Edited:
    items: list[Item] = field(default_factory=list)
    extract_s: list[float] = field(default_factory=list)
    scenes: list[Scene] = field(default_factory=list)


def described(source: Source) -> Photograph | bool:
    """Else whether it is a picture at all: then it is a smooth one."""
    picture = source.picture()
    if picture is None:
        return False
    data = as_jpeg(picture, 92)
    luma = decoded(data)
    query, stored = extract_query(luma), extract(luma)
    itself = align(query, stored)
    visible = itself.overlap.still_points if itself and not itself.doubts else 0
    if visible < MIN_VISIBLE_POINTS:
        return True
    return Photograph(source, sign_picture(data), query, stored)


def edited_copies(task: tuple[Source, Source, int]) -> Edited:
    """All that is registered of a photograph, and its near-duplicates."""
    source, beside, cuts = task
    picture, other = source.picture(), beside.picture()
    assert picture is not None
    assert other is not None
    made, chance = Edited(), Random(SEED)
    for family, edit in EDITS.items():
        copy = edit(picture, Random(source.name + family), other)
        item, took_s = _item(source.name, family, as_jpeg(copy, chance.randint(60, 90)))
        made.items.append(item)
        made.extract_s.append(took_s)
    made.items += _cuts(source.name, picture, cuts)
    for scene, show in SCENES.items():
        one, two = show(picture, Random(source.name + scene), other)
        files = as_jpeg(one, 85), as_jpeg(two, 80)
        first, second = (decoded(data) for data in files)
        stored, beside_it = extract(first), extract(second)
        found = align(extract_query(first), beside_it)
        signals = [sign_picture(data) for data in files]
        near = nearest(*signals)
        began = time.thread_time()
        frozen = frozen_by_pdq(near, stored, beside_it)
        look_s = time.thread_time() - began
        made.scenes.append(
            Scene(
                name=f"{source.name}: {scene}",
                verdict=None if found is None else found.verdict,
                by_pdq=near is not None,
                frozen_by_pdq=frozen,
                look_s=look_s,
            )
        )
    return made


def unrelated(source: Source) -> list[Item]:
    """A picture that is only compared with, and some cuts of it."""
    picture = source.picture()
    if picture is None:
        return []
    item, _ = _item(source.name, "", as_jpeg(picture, 85), whole=True)
    return [item, *_cuts(source.name, picture, CUTS_OF_UNRELATED)]


def _cuts(name: str, picture: Image.Image, count: int) -> list[Item]:
    chance = Random(name)
    return [
        _item(name, "", as_jpeg(_cut(picture, chance), 85))[0] for _ in range(count)
    ]


def _item(
    name: str, family: str, data: bytes, *, whole: bool = False
) -> tuple[Item, float]:
    luma = decoded(data)
    began = time.thread_time()
    features = extract(luma)
    took_s = time.thread_time() - began
    item = Item(name, family, sign_picture(data), features.to_bytes(), whole)
    return item, took_s


def _cut(picture: Image.Image, chance: Random) -> Image.Image:
    width = int(picture.width * chance.uniform(*CUT_SHARES))
    height = int(picture.height * chance.uniform(*CUT_SHARES))
    x = chance.randint(0, picture.width - width)
    y = chance.randint(0, picture.height - height)
    return picture.crop((x, y, x + width, y + height))


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest views of two pictures: how the first is turned to be as the second,
    by its place among the variants, and whether a border was left out."""

    bits: int
    trimmed: bool
    variant: int


def nearest(one: Signals, other: Signals) -> Nearest | None:
    """With every turned, mirrored and trimmed view; None where none is in reach."""
    hits = [
        Nearest(bits, Part.TRIMMED in (view.part, known.part), number)
        for view in one.views
        if view.is_comparable
        for number, variant in enumerate(view.variants)
        for known in other.views
        if known.is_comparable
        if (bits := hamming(variant.bits, known.pdq.bits)) <= MATCH_DISTANCE_BITS
    ]
    return min(hits, key=lambda hit: (hit.bits, hit.trimmed, hit.variant), default=None)


def frozen_by_pdq(near: Nearest | None, one: Features, other: Features) -> bool:
    """Whether that freezes the second picture: in reach, and not another shot."""
    if near is None:
        return False
    if near.bits < DOUBTED_FROM_BITS or not len(one) or not len(other):
        return True
    quarters, mirrored = TURNS[VARIANTS[near.variant]]
    return not is_another_shot(
        one.thumbnail,
        other.thumbnail,
        quarters=quarters,
        mirrored=mirrored,
        trimmed=near.trimmed,
    )


def by_pdq_alone(one: Signals, other: Signals) -> bool:
    """Meta's rule: one fingerprint of each."""
    a, b = one.views[0], other.views[0]
    near = hamming(a.pdq.bits, b.pdq.bits) <= MATCH_DISTANCE_BITS
    return near and a.is_comparable and b.is_comparable
