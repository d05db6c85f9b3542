"""The closer look: what local features find and PDQ does not.

Crops, captions, frames, screenshots. It takes seconds where the first look takes
milliseconds, so it runs as jobs soon after: what it finds is a match like any other,
and joins the case, the freeze and the report's status. Only what is surely the same
picture is frozen; what resembles waits for people. It is never measured against another
match, and what people rejected or cleared is left alone.

No copy slips between an upload and a report. An upload can be found once its features
are committed, together with its fingerprint; what was reported, once its bank entry is:
with the freeze, with the decision where a category freezes nothing at a report, or with
the quarantine in ``catch_up`` where the report came before the fingerprint. The look of
each is a job that begins after that commit, and reads all that is committed when it
begins. So whichever was committed last sees the other.

OpenCV is an extra. Without it each step here ends at once and everything else goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator
from functools import lru_cache
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from holdfast.base.by import SYSTEM
from holdfast.base.events import Event, Kind, emit
from holdfast.fingerprints.features import opened, query_of
from holdfast.fingerprints.models import PictureFeatures
from holdfast.intake.models import Target
from holdfast.items.queries import families_of, family
from holdfast.matching.feature_rows import BANKED, REGISTERED, FreshFeatures
from holdfast.matching.models import Match
from holdfast.matching.operations import write_down
from holdfast.matching.queries import Copy, cleared_among, looked_for, may_be_shown
from holdfast.matching.rules import Basis, Likeness, Variant, turned_back
from holdfast.signals.alignment import Alignment, Verdict
from holdfast.signals.features import Features, Query, available
from holdfast.signals.resemblance import PATIENCE, resemblances
from holdfast.signals.votes import Candidate, FeatureIndex

LOOK_S = 30.0
"""A look for one picture ends after so long; while it finds something, another one
follows for the rest. A picture without copies takes one or two seconds."""
ARRIVAL_PATIENCE = 10
"""Candidates in a row that align with nothing before an arrival is let go: every upload
costs this much, and a copy has many more votes than a stranger."""

REMEMBERED_LOOKS = 256
"""Pictures of which a process remembers what resembled them in nothing. A picture is
looked for once more at each report and decision, and then only votes are counted."""

registered = FreshFeatures(REGISTERED)
banked = FreshFeatures(BANKED)


def look_closer(event: Event) -> None:
    """Look for copies of a reported item that the first look does not see."""
    item_id = UUID(str(event.about["item"]))
    if not available() or not _begin(item_id):
        return
    is_done = False
    try:
        is_done = _all_copies_found(item_id)
    finally:
        asked_again = _end(item_id)
    if asked_again or not is_done:
        # Out of time with something found, or asked meanwhile: another job's.
        with transaction.atomic():
            emit(Kind.ITEM_COMPARED, about=event.about, by=SYSTEM)


def compare_closer(event: Event) -> None:
    """Compare a picture that has arrived with what was reported and decided.

    One that was described late may have been reported before: then what resembles it
    is looked for, too.
    """
    row = (
        PictureFeatures.objects.filter(media=event.about["media"])
        .select_related("fingerprint__media__item__platform")
        .first()
    )
    if row is None or not available():
        return
    if looked_for().filter(_FOUND_FIRST, media=row.media_id).exists():
        look_closer(event)
    if may_be_shown(row.fingerprint) or cleared_among([row.item_id]):
        return
    if Match.objects.filter(item=row.item_id, certain=True).exists():
        # One sure likeness is enough to have it hidden.
        return
    index = banked.of(row.platform_id)
    if not len(index):
        return
    entries = looked_for().filter(_FOUND_FIRST, media__isnull=False)
    among = _others(row.item_id).filter(media__in=entries.values("media"))
    query = query_of(row, fetch=False)
    for other, found in _resembling(query, index, among, ARRIVAL_PATIENCE, set()):
        like = _likeness(found, query_is_copy=True)
        write_down(row.platform_id, Copy(row.item_id, other, like), arrived=True)
        if like.certain:
            return


def made_of(
    query: Query, *, leave: Collection[UUID]
) -> Iterator[tuple[UUID, Likeness]]:
    """The registered pictures of every platform that resemble one of nobody's.

    Those in ``leave`` are not measured. Nothing is written down.
    """
    among = PictureFeatures.objects.exclude(item__in=leave)
    for platform in among.values_list("platform", flat=True).distinct():
        index = registered.of(platform)
        for item, found in _resembling(query, index, among, PATIENCE, set()):
            yield item, _likeness(found, query_is_copy=False)


_FOUND_FIRST = Q(Exists(Target.objects.filter(item=OuterRef("item")))) | ~Q(
    Exists(Match.objects.filter(item=OuterRef("item"), against__isnull=False))
)
"""Entries of what was not found as a copy itself, or was reported since. A decision
banks copies, too: to measure against them would let resemblance chain."""

_looking: dict[UUID, bool] = {}
"""What is looked for in this process at this moment, and whether it was asked for once
more since that look began. Should it die, its job is done again, which looks later."""
_looking_lock = threading.Lock()


def _begin(item_id: UUID) -> bool:
    """Whether to look: three reports of one thing need not keep three threads busy."""
    with _looking_lock:
        if item_id in _looking:
            _looking[item_id] = True
            return False
        _looking[item_id] = False
        return True


def _end(item_id: UUID) -> bool:
    """Whether it was asked for once more meanwhile."""
    with _looking_lock:
        return _looking.pop(item_id)


def _all_copies_found(item_id: UUID) -> bool:
    """Whether no more of an item's copies are to be found; False where time ran out."""
    rows = PictureFeatures.objects.filter(item__in=family(item_id))
    return all(
        _copies_found(item_id, row)
        for row in rows.select_related("fingerprint__media__item__platform")
    )


def _copies_found(item_id: UUID, row: PictureFeatures) -> bool:
    """Whether all copies of one picture were found, or as many as it is worth."""
    began, something = time.monotonic(), False
    index = registered.of(row.platform_id)
    query = query_of(row, fetch=True)
    found_to = _resembling(query, index, _others(item_id), PATIENCE, _in_vain(row.id))
    for other, found in found_to:
        if not cleared_among([other]):
            like = _likeness(found, query_is_copy=False)
            _write_down_with_reposts(row.platform_id, item_id, other, like)
            something = True
        if something and time.monotonic() - began > LOOK_S:
            return False
    return True


def _write_down_with_reposts(
    platform_id: UUID, item_id: UUID, other: UUID, like: Likeness
) -> None:
    write_down(platform_id, Copy(other, item_id, like), arrived=False)
    for repost in families_of([other])[other] - {other, item_id}:
        copy = Copy(repost, item_id, like.of_repost())
        write_down(platform_id, copy, arrived=False)


def _others(item_id: UUID) -> QuerySet[PictureFeatures]:
    """The pictures that may be found to be like an item's.

    Not its own, nor what is known to be like it already, nor what people have said is
    not: it does not matter which of the two was measured against the other.
    """
    known = Match.objects.filter(
        Q(certain=True) | Q(basis=Basis.FEATURES) | Q(rejected_at__isnull=False)
    )
    copies = known.filter(against=item_id).values_list("item", flat=True)
    originals = known.filter(item=item_id, against__isnull=False)
    leave = family(item_id) | set(copies)
    leave |= {each for each in originals.values_list("against", flat=True) if each}
    return PictureFeatures.objects.exclude(item__in=leave)


class _Among(FeatureIndex):
    """An index of which only some rows count: those that are still there, too."""

    def __init__(self, index: FeatureIndex, among: QuerySet[PictureFeatures]) -> None:
        super().__init__()
        self.blocks = index.blocks
        self._among = among
        self.items: dict[int, UUID] = {}

    def candidates(self, query: Query, most: int) -> list[Candidate]:
        found = super().candidates(query, most)
        rows = self._among.filter(id__in=[each.picture_id for each in found])
        self.items = dict(rows.values_list("id", "item"))
        return [each for each in found if each.picture_id in self.items]


def _resembling(
    query: Query,
    index: FeatureIndex,
    among: QuerySet[PictureFeatures],
    patience: int,
    in_vain: set[int],
) -> Iterator[tuple[UUID, Alignment]]:
    """(item, alignment) of each picture that is the same, or like it.

    ``in_vain`` are rows that are known to be like it in nothing; more are added.
    """
    some = _Among(index, among)

    def stored(row_id: int) -> Features | None:
        if row_id in in_vain:
            return None
        in_vain.add(row_id)
        row = PictureFeatures.objects.filter(id=row_id).first()
        return None if row is None else opened(row.fingerprint_id, bytes(row.sealed))

    for row_id, found in resemblances(query, some, stored, patience):
        in_vain.discard(row_id)
        yield some.items[row_id], found


@lru_cache(REMEMBERED_LOOKS)
def _in_vain(row_id: int) -> set[int]:
    """Which rows this process has compared with one for nothing; see REMEMBERED_LOOKS.

    Neither changes after it was written, so the answer does not.
    """
    return set()


def _likeness(found: Alignment, *, query_is_copy: bool) -> Likeness:
    """What an alignment says; the share is how much of the original is in the copy."""
    variant = _variant(found)
    share = found.of_stored if query_is_copy else found.of_query
    return Likeness(
        Basis.FEATURES,
        certain=found.verdict is Verdict.SAME,
        variant=turned_back(variant) if query_is_copy else variant,
        share_percent=min(100, max(1, round(100 * share))),
    )


_QUARTERS = ("", "90", "180", "270")


def _variant(found: Alignment) -> Variant:
    """How the stored one is turned, to the nearest quarter.

    Turned clockwise by so much it lies on the query (or on its mirror image): so it is
    the query, mirrored and turned as much counter-clockwise.
    """
    quarter = _QUARTERS[round(found.turned_degrees / 90) % 4]
    if found.mirrored:
        return Variant("mirrored" + (f"_{quarter}" if quarter else ""))
    return Variant(f"turned_{quarter}" if quarter else "as_is")
