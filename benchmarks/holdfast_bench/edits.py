"""Which edits of a photograph are still found: by PDQ alone, and by Holdfast.

Every photograph is reported in turn; its edited copies stand among thousands of other
pictures: cuts of the other photographs, and those of the folder that are not reported,
whole and cut. PDQ alone is Meta's rule: one fingerprint of each file, 31 bits, quality
50. Holdfast is that with turned, mirrored and trimmed views, a look at the pixels of
what is near by these, and local features; a copy counts as found where it would be
frozen, and apart from that where it would be shown to people. The peer (PDQ as
everybody uses it) sees the same files in the same run.

Smooth photographs are counted and not reported: where fewer than MIN_VISIBLE_POINTS can
be followed, or all lie on one line, there is nothing to hold on to, and Holdfast never
freezes by features alone. The work is spread over processes, one for each core, so that
what a step takes is told in processor time.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from holdfast.base.errors import InvalidInput, Unavailable
from holdfast.signals.alignment import Alignment, Verdict, align
from holdfast.signals.features import (
    Features,
    Query,
    available,
)
from holdfast.signals.opencv import cv2
from holdfast.signals.resemblance import resemblances
from holdfast.signals.votes import Candidate, FeatureIndex
from holdfast_bench.edited import EDITS, PDQ_FAMILIES
from holdfast_bench.edits_made import (
    Edited,
    Item,
    Photograph,
    by_pdq_alone,
    described,
    edited_copies,
    frozen_by_pdq,
    nearest,
    unrelated,
)
from holdfast_bench.gallery import Source, is_unrelated, sources
from holdfast_bench.machine import processor

DEFAULT_PHOTOGRAPHS = 40
CUTS = 60
"""Of each reported photograph."""
ALIKE_CANDIDATES = 12
"""Pictures aligned with each photograph, to see which of them show one scene."""

Task = TypeVar("Task")
Made = TypeVar("Made")
Do = Callable[[Callable[[Task], Made], Sequence[Task]], Iterator[Made]]


def run(
    *,
    n: int | None = None,
    media: Path | None = None,
    progress: Callable[[str], None] = lambda line: None,
    cuts: int = CUTS,
    workers: int | None = None,
) -> dict[str, Any]:
    """Measure ``n`` photographs (of ``media``, a folder, where given).

    Raises :class:`~holdfast.base.errors.HoldfastError` without OpenCV, or where there
    are not two photographs with anything to hold on to.
    """
    if not available():
        raise Unavailable("This needs OpenCV: install holdfast[features].")
    workers = workers or os.cpu_count() or 1
    began = time.monotonic()
    with _spread(workers) as do:
        chosen, smooth, rest = _chosen(do, *sources(media), n or DEFAULT_PHOTOGRAPHS)
        if len(chosen) < 2:
            raise InvalidInput("This needs two photographs that are not smooth.")
        progress(f"{len(chosen)} photographs, {len(smooth)} smooth ones not reported")
        others = [each.source for each in (*chosen[1:], chosen[0])]
        tasks = [(a.source, b, cuts) for a, b in zip(chosen, others, strict=True)]
        edited = list(_told(do(edited_copies, tasks), len(tasks), "edited", progress))
        beside = list(_told(do(unrelated, rest), len(rest), "unrelated", progress))
    items = [item for each in edited for item in each.items]
    items += [item for each in beside for item in each]
    with _spread(workers, partial(_begin, items, chosen)) as do:
        places = range(len(chosen))
        reports = list(_told(do(_report, places), len(chosen), "reported", progress))
    return {
        **_families(reports),
        **_unrelated_found(items, reports),
        "near_duplicates": _near_duplicates(edited),
        "photographs": len(chosen),
        "smooth": smooth,
        "bytes_a_picture": _bytes(items),
        "ms": {
            "look": _look_ms(edited),
            "extract": round(1000 * median(s for e in edited for s in e.extract_s)),
            "search": round(1000 * median(each.search_s for each in reports)),
        },
        "took_s": round(time.monotonic() - began),
        "machine": {"processor": processor(), "cores": os.cpu_count()},
    }


# Work for many processes ----------------------------------------------------------


@contextmanager
def _spread(workers: int, begin: Callable[[], None] | None = None) -> Iterator[Any]:
    """A map over some processes, or in this one where there is but one worker."""
    if workers == 1:
        if begin:
            begin()
        yield map
        return
    # A fork would take over OpenCV's threads, which do not survive it.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, partial(_alone, begin)) as pool:
        yield pool.map


def _alone(begin: Callable[[], None] | None) -> None:
    # One process for each core, so one thread for each process.
    cv2.setNumThreads(1)
    if begin:
        begin()


def _told(
    made: Iterable[Made], count: int, what: str, progress: Callable[[str], None]
) -> Iterator[Made]:
    for number, each in enumerate(made, 1):
        progress(f"{number} of {count} {what}")
        yield each


# Choosing -------------------------------------------------------------------------


def _chosen(
    do: Any, photographs: Sequence[Source], strangers: Sequence[Source], most: int
) -> tuple[list[Photograph], list[str], list[Source]]:
    """What is reported, what is too smooth, and what is only compared with."""
    chosen: list[Photograph] = []
    smooth: list[Source] = []
    for first in range(0, len(photographs), most):
        some = photographs[first : first + most]
        for source, found in zip(some, do(described, some), strict=True):
            if isinstance(found, Photograph):
                chosen.append(found)
            elif found:
                smooth.append(source)
        if len(chosen) >= most:
            break
    reported = {each.source for each in chosen[:most]}
    rest = [each for each in (*photographs, *strangers) if each not in reported]
    return chosen[:most], [each.name for each in smooth], rest


# Reporting ------------------------------------------------------------------------


@dataclass(slots=True)
class _Reported:
    families: dict[str, dict[str, int]] = field(
        default_factory=lambda: {
            name: {"pdq": 0, "holdfast": 0, "for_people": 0} for name in EDITS
        }
    )
    alike: list[tuple[str, str, str]] = field(default_factory=list)
    """Other pictures of the folder that are of the same scene, and what is made of
    them: they are not unrelated."""
    compared: int = 0
    wrongly_frozen: list[str] = field(default_factory=list)
    wrongly_for_people: list[str] = field(default_factory=list)
    search_s: float = 0.0


class _Others(FeatureIndex):
    """An index without the cuts of one photograph: these are copies, but no edit."""

    def __init__(self, index: FeatureIndex, without: set[int]) -> None:
        super().__init__()
        self.blocks = index.blocks
        self._without = without

    def candidates(self, query: Query, most: int) -> list[Candidate]:
        found = super().candidates(query, most)
        return [each for each in found if each.picture_id not in self._without]


class _Desk:
    """The registered pictures and their index, as one process has them."""

    def __init__(self, items: list[Item], photographs: list[Photograph]) -> None:
        self.items = items
        self.photographs = photographs
        self.features = [Features.from_bytes(each.features) for each in items]
        self.index = FeatureIndex()
        self.index.add(list(enumerate(self.features)))
        self.wholes = FeatureIndex()
        wholes = [(each.source.name, each.stored) for each in photographs]
        wholes += [
            (each.name, features)
            for each, features in zip(items, self.features, strict=True)
            if each.whole and not is_unrelated(each.name)
        ]
        self.names = [name for name, _ in wholes]
        self.stored = [features for _, features in wholes]
        self.wholes.add(list(enumerate(self.stored)))

    def report(self, photograph: Photograph) -> _Reported:
        """Look for everything that is a copy of this one, and count it."""
        name, seen = photograph.source.name, _Reported()
        seen.alike = self._alike(photograph)
        cuts = {
            row
            for row, each in enumerate(self.items)
            if each.name == name and not each.family
        }
        began = time.thread_time()
        some = _Others(self.index, cuts)
        aligned = dict(
            resemblances(photograph.query, some, lambda row: self.features[row])
        )
        seen.search_s = time.thread_time() - began
        related = {name, *(each for _, each, _ in seen.alike)}
        for row, item in enumerate(self.items):
            if item.name == name and item.family:
                _count_copy(seen, photograph, item, aligned.get(row))
            elif item.name not in related and not item.family:
                _count_unrelated(seen, photograph, item, aligned.get(row))
        return seen

    def _alike(self, photograph: Photograph) -> list[tuple[str, str, str]]:
        name, query = photograph.source.name, photograph.query
        found = []
        for near in self.wholes.candidates(query, ALIKE_CANDIDATES):
            other = self.names[near.picture_id]
            aligned = align(query, self.stored[near.picture_id])
            if aligned is not None and other != name:
                found.append((name, other, aligned.verdict.value))
        return found


_desk: _Desk | None = None


def _begin(items: list[Item], photographs: list[Photograph]) -> None:
    global _desk
    _desk = _Desk(items, photographs)


def _report(place: int) -> _Reported:
    assert _desk is not None
    return _desk.report(_desk.photographs[place])


def _count_copy(
    seen: _Reported, photograph: Photograph, item: Item, found: Alignment | None
) -> None:
    counts = seen.families[item.family]
    frozen = _is_frozen(photograph, item, found)
    counts["pdq"] += by_pdq_alone(photograph.signals, item.signals)
    counts["holdfast"] += frozen
    shown = found or nearest(photograph.signals, item.signals)
    counts["for_people"] += shown is not None and not frozen


def _count_unrelated(
    seen: _Reported, photograph: Photograph, item: Item, found: Alignment | None
) -> None:
    seen.compared += 1
    names = f"{photograph.source.name}: {'all' if item.whole else 'cut'} of {item.name}"
    if _is_frozen(photograph, item, found):
        seen.wrongly_frozen.append(names)
    elif found is not None:
        seen.wrongly_for_people.append(names)


def _is_frozen(photograph: Photograph, item: Item, found: Alignment | None) -> bool:
    if found is not None and found.verdict is Verdict.SAME:
        return True
    near = nearest(photograph.signals, item.signals)
    # Opened only where it has to be looked at: most are nowhere near.
    return near is not None and frozen_by_pdq(
        near, photograph.stored, Features.from_bytes(item.features)
    )


# Summing up -----------------------------------------------------------------------


def _families(reports: Sequence[_Reported]) -> dict[str, Any]:
    shares = {
        family: {
            how: round(sum(r.families[family][how] for r in reports) / len(reports), 3)
            for how in ("pdq", "holdfast", "for_people")
        }
        for family in EDITS
    }
    least = min(shares, key=lambda family: shares[family]["holdfast"])
    return {
        "families": shares,
        "least_found": {"family": least, "holdfast": shares[least]["holdfast"]},
        "pdq_families_found": min(shares[name]["holdfast"] for name in PDQ_FAMILIES),
    }


def _unrelated_found(
    items: Sequence[Item], reports: Sequence[_Reported]
) -> dict[str, Any]:
    frozen = [names for each in reports for names in each.wrongly_frozen]
    for_people = [names for each in reports for names in each.wrongly_for_people]
    return {
        "wrongly_frozen": len(frozen),
        "wrongly_for_people": len(for_people),
        "unrelated": sum(not each.family for each in items),
        "unrelated_whole": sum(each.whole for each in items),
        "compared_with_unrelated": sum(each.compared for each in reports),
        "wrongly_frozen_names": frozen,
        "wrongly_for_people_names": for_people,
        "alike": sorted(pair for each in reports for pair in each.alike),
    }


def _near_duplicates(edited: Sequence[Edited]) -> dict[str, Any]:
    """What becomes of two pictures of one scene: for people, and not frozen.

    ``by_pdq``: those that PDQ alone takes for copies.
    """
    made = [scene for each in edited for scene in each.scenes]
    frozen = [
        each.name for each in made if each.verdict is Verdict.SAME or each.frozen_by_pdq
    ]
    seen = sum(each.verdict is not None or each.by_pdq for each in made)
    return {
        "made": len(made),
        "frozen": len(frozen),
        "for_people": seen - len(frozen),
        "by_pdq": sum(each.by_pdq for each in made),
        "frozen_names": frozen,
    }


def _look_ms(edited: Sequence[Edited]) -> float | None:
    """How long a look at what PDQ takes for a copy takes; None where there was none."""
    looks = [s.look_s for each in edited for s in each.scenes if s.by_pdq]
    return round(1000 * median(looks), 1) if looks else None


def _bytes(items: Sequence[Item]) -> dict[str, int]:
    index = FeatureIndex()
    index.add([(n, Features.from_bytes(e.features)) for n, e in enumerate(items)])
    return {
        "index": round(index.size_bytes / len(index)),
        "stored": round(median(len(each.features) for each in items)),
    }
