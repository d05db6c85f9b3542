"""Which edits of a photograph are still found: by PDQ alone, and by Holdfast.

Every photograph is reported in turn; its edited copies stand among thousands of cuts of
the others. PDQ alone is Meta's rule: one fingerprint of each file, 31 bits, quality 50.
Holdfast is that with turned, mirrored and trimmed views, and local features; a copy
counts as found where it would be frozen, and apart from that where it would be shown
to people. The peer (PDQ as everybody uses it) sees the same files in the same run.

Smooth photographs are counted and left out: where fewer than MIN_VISIBLE_POINTS can be
followed, or all lie on one line, there is nothing to hold on to, and Holdfast never
freezes by features alone.
"""

from __future__ import annotations

import io
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import numpy as np
import skimage.data
from PIL import Image, ImageOps, UnidentifiedImageError

from holdfast.base.errors import InvalidInput, Unavailable
from holdfast.signals.alignment import Verdict, align
from holdfast.signals.features import (
    Features,
    Query,
    available,
    extract,
    extract_query,
)
from holdfast.signals.media import decode_luma
from holdfast.signals.pdq import hamming
from holdfast.signals.resemblance import resemblances
from holdfast.signals.sign import MATCH_DISTANCE_BITS, Signals, sign_picture
from holdfast.signals.votes import FeatureIndex
from holdfast_bench.edited import EDITS, PDQ_FAMILIES, SCENES, as_jpeg

SKIMAGE = (
    "astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel",
    "hubble_deep_field", "immunohistochemistry", "moon", "page", "retina", "rocket",
    "text",
)  # fmt: skip
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
LONGEST_PIXELS = 1600
"""Photographs are made smaller than this first, as most sites do."""
DEFAULT_PHOTOGRAPHS = 24
CUTS_PER_PHOTOGRAPH = 60
CUT_SHARES = (0.25, 0.6)
ALIKE_CANDIDATES = 12
"""Photographs aligned with each, to see which of the folder show one scene."""
MIN_VISIBLE_POINTS = 40
"""Points that can be followed from a photograph's thumbnail to itself."""
SEED = 20261122


@dataclass(frozen=True, slots=True)
class _Photograph:
    name: str
    picture: Image.Image
    signals: Signals
    query: Query
    stored: Features


def run(
    *,
    n: int | None = None,
    media: Path | None = None,
    progress: Callable[[str], None] = lambda line: None,
    cuts: int = CUTS_PER_PHOTOGRAPH,
) -> dict[str, Any]:
    """Measure ``n`` photographs (of ``media``, a folder, where given).

    Raises :class:`~holdfast.base.errors.HoldfastError` without OpenCV, or where there
    are not two photographs with anything to hold on to.
    """
    if not available():
        raise Unavailable("This needs OpenCV: install holdfast[features].")
    photographs, smooth = _photographs(media, n or DEFAULT_PHOTOGRAPHS)
    if len(photographs) < 2:
        raise InvalidInput("This needs two photographs that are not smooth.")
    progress(f"{len(photographs)} photographs, {len(smooth)} smooth ones left out")
    bench = _Bench(photographs, cuts)
    families = {name: {"pdq": 0, "holdfast": 0, "for_people": 0} for name in EDITS}
    for place, each in enumerate(photographs):
        bench.report(each, families)
        progress(f"{place + 1} of {len(photographs)}: {each.name}")
    count = len(photographs)
    shares = {
        family: {how: round(found / count, 3) for how, found in counts.items()}
        for family, counts in families.items()
    }
    return {
        "families": shares,
        "pdq_families_found": min(shares[name]["holdfast"] for name in PDQ_FAMILIES),
        "wrongly_frozen": len(bench.wrongly_frozen),
        "unrelated": bench.unrelated,
        "compared_with_unrelated": bench.compared,
        "wrongly_frozen_names": bench.wrongly_frozen,
        "near_duplicates": _near_duplicates(photographs),
        "alike": sorted(pair for pair in bench.alike if pair[0] != pair[1]),
        "photographs": count,
        "smooth": smooth,
        "bytes_a_picture": {
            "index": round(bench.index.size_bytes / len(bench.index)),
            "stored": round(median(len(p.stored.to_bytes()) for p in photographs)),
        },
        "ms": {name: round(1000 * median(all_)) for name, all_ in bench.times.items()},
        "machine": platform.processor() or platform.machine(),
    }


class _Bench:
    """The registered pictures, their index, and what was counted."""

    def __init__(self, photographs: Sequence[_Photograph], cuts: int) -> None:
        self.times: dict[str, list[float]] = {"extract": [], "search": []}
        self.items: list[tuple[str, str, Signals, Features]] = []
        chance = Random(SEED)
        for place, each in enumerate(photographs):
            other = photographs[(place + 1) % len(photographs)].picture
            for family, edit in EDITS.items():
                made = edit(each.picture, Random(each.name + family), other)
                self._register(each.name, family, as_jpeg(made, chance.randint(60, 90)))
            for _ in range(cuts):
                self._register(each.name, "", as_jpeg(_cut(each.picture, chance), 85))
        self.index = FeatureIndex()
        self.index.add([(row, item[3]) for row, item in enumerate(self.items)])
        self.unrelated = len(photographs) * cuts
        self.compared = 0
        self.wrongly_frozen: list[str] = []
        # Photographs of one scene may lie in the folder: their cuts are not unrelated.
        whole = FeatureIndex()
        whole.add([(row, each.stored) for row, each in enumerate(photographs)])
        self.alike = {
            (one.name, photographs[near.picture_id].name)
            for one in photographs
            for near in whole.candidates(one.query, ALIKE_CANDIDATES)
            if align(one.query, photographs[near.picture_id].stored) is not None
        }

    def _register(self, name: str, family: str, data: bytes) -> None:
        luma = decode_luma(data).pixels
        start = time.perf_counter()
        features = extract(luma)
        self.times["extract"].append(time.perf_counter() - start)
        stored = Features.from_bytes(features.to_bytes())
        self.items.append((name, family, sign_picture(data), stored))

    def report(
        self, photograph: _Photograph, families: dict[str, dict[str, int]]
    ) -> None:
        """Look for everything that is a copy of this one, and count it."""
        start = time.perf_counter()
        aligned = dict(
            resemblances(photograph.query, self.index, lambda row: self.items[row][3])
        )
        self.times["search"].append(time.perf_counter() - start)
        for row, (name, family, signals, _) in enumerate(self.items):
            found = aligned.get(row)
            frozen = found is not None and found.verdict is Verdict.SAME
            if name == photograph.name:
                if not family:
                    continue
                counts = families[family]
                by_views = _by_views(photograph.signals, signals)
                counts["pdq"] += _by_pdq(photograph.signals, signals)
                counts["holdfast"] += by_views or frozen
                counts["for_people"] += found is not None and not (by_views or frozen)
            elif not family and (photograph.name, name) not in self.alike:
                self.compared += 1
                if frozen or _by_views(photograph.signals, signals):
                    self.wrongly_frozen.append(f"{photograph.name}: cut of {name}")


def _by_pdq(one: Signals, other: Signals) -> bool:
    """Meta's rule: one fingerprint of each."""
    a, b = one.views[0], other.views[0]
    near = hamming(a.pdq.bits, b.pdq.bits) <= MATCH_DISTANCE_BITS
    return near and a.is_comparable and b.is_comparable


def _by_views(one: Signals, other: Signals) -> bool:
    """The same with every turned, mirrored and trimmed view of the query."""
    return any(
        hamming(variant.bits, known.pdq.bits) <= MATCH_DISTANCE_BITS
        for view in one.views
        if view.is_comparable
        for variant in view.variants
        for known in other.views
        if known.is_comparable
    )


def _near_duplicates(photographs: Sequence[_Photograph]) -> dict[str, Any]:
    """What features make of two pictures of one scene: for people, never frozen.

    ``by_pdq``: those that PDQ takes for copies all the same.
    """
    made, frozen, for_people, by_pdq, names = 0, 0, 0, 0, []
    for place, each in enumerate(photographs):
        other = photographs[(place + 1) % len(photographs)].picture
        for scene, show in SCENES.items():
            one, two = show(each.picture, Random(each.name + scene), other)
            files = as_jpeg(one, 85), as_jpeg(two, 80)
            first, second = (decode_luma(data).pixels for data in files)
            found = align(extract_query(first), extract(second))
            by_pdq += _by_pdq(*(sign_picture(data) for data in files))
            made += 1
            if found is not None and found.verdict is Verdict.SAME:
                frozen += 1
                names.append(f"{each.name}: {scene}")
            elif found is not None:
                for_people += 1
    return {
        "made": made,
        "frozen": frozen,
        "for_people": for_people,
        "by_pdq": by_pdq,
        "frozen_names": names,
    }


def _cut(picture: Image.Image, chance: Random) -> Image.Image:
    width = int(picture.width * chance.uniform(*CUT_SHARES))
    height = int(picture.height * chance.uniform(*CUT_SHARES))
    x = chance.randint(0, picture.width - width)
    y = chance.randint(0, picture.height - height)
    return picture.crop((x, y, x + width, y + height))


def _photographs(media: Path | None, most: int) -> tuple[list[_Photograph], list[str]]:
    """Those with something to hold on to, and the names of the smooth ones."""
    kept: list[_Photograph] = []
    smooth: list[str] = []
    for name, picture in _pictures(media):
        if len(kept) == most:
            break
        data = as_jpeg(picture, 92)
        luma = decode_luma(data).pixels
        query, stored = extract_query(luma), extract(luma)
        itself = align(query, stored)
        if (
            itself is None
            or itself.doubts
            or itself.overlap.still_points < MIN_VISIBLE_POINTS
        ):
            smooth.append(name)
            continue
        kept.append(_Photograph(name, picture, sign_picture(data), query, stored))
    return kept, smooth


def _pictures(media: Path | None) -> Iterator[tuple[str, Image.Image]]:
    if media is None:
        for name in SKIMAGE:
            yield name, _fit(Image.fromarray(getattr(skimage.data, name)()))
        return
    for path in sorted(media.rglob("*")):
        if path.suffix.lower() not in SUFFIXES:
            continue
        try:
            with Image.open(io.BytesIO(path.read_bytes())) as picture:
                yield path.name, _fit(picture)
        except (UnidentifiedImageError, OSError):
            continue


def _fit(picture: Image.Image) -> Image.Image:
    upright = ImageOps.exif_transpose(picture).convert("RGB")
    upright.thumbnail((LONGEST_PIXELS, LONGEST_PIXELS), Image.Resampling.LANCZOS)
    # The pixels, and nothing lazily read from the file.
    return Image.fromarray(np.asarray(upright))
