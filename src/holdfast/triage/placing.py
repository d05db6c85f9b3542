"""Who stands where: the rows that say which item is in which case, and their locks.

All rows that a placing touches are locked first, items before cases and always in the
order of their ids, so that two reports of one item at the same instant wait for each
other and end in one case. What is only possibly a copy binds no cases together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import LiteralString
from uuid import UUID

from holdfast.base import clock
from holdfast.base.errors import NotFound
from holdfast.base.rows import insert, read
from holdfast.intake.models import Report
from holdfast.items.models import ItemState
from holdfast.items.queries import hold_items, reposts_below
from holdfast.matching.models import BankEntry, likeness_columns
from holdfast.matching.queries import Copy
from holdfast.matching.rules import Basis
from holdfast.triage.models import Case, CaseItem, CaseTarget, ItemRole


def lock_places(
    items: set[UUID], report: Report | None = None, entry: BankEntry | None = None
) -> None:
    """Lock every item that a placing can touch, before any case and in one statement.

    Those beside them in their cases, too: they may be frozen in the same transaction.
    An entry of a bank is locked after them, so that of two things it knows at the same
    instant the second finds the case of the first.
    """
    beside = read(
        _BESIDE,
        list(items),
        report.id if report is not None else None,
        entry.id if entry is not None else None,
        entry.target_id if entry is not None else None,
        ItemState.VISIBLE,
    )
    hold_items(items | {item for (item,) in beside})
    if entry is not None:
        BankEntry.objects.select_for_update(no_key=True).get(id=entry.id)


_BESIDE: LiteralString = """
SELECT place.item_id FROM (
    SELECT case_id FROM hf_case_item WHERE item_id = ANY(%s)
    UNION SELECT place.case_id FROM hf_target
        JOIN hf_case_target place ON place.target_id = hf_target.id
        WHERE hf_target.report_id = %s
    UNION SELECT case_id FROM hf_case_item WHERE entry_id = %s
    UNION SELECT case_id FROM hf_case_target WHERE target_id = %s
) AS touched
JOIN hf_case_item place ON place.case_id = touched.case_id
JOIN hf_item item ON item.id = place.item_id
WHERE item.state = %s
"""
"""Each way by an index of its own: one condition over all of them has none."""


def stands(item_id: UUID, case_id: UUID) -> bool:
    """Whether an item is in a case, and not only possibly."""
    places = CaseItem.objects.filter(item=item_id, case=case_id)
    return places.filter(certain=True).exists()


def placed_target(target_id: UUID) -> CaseTarget | None:
    """Where a reported thing stands, if it does; of a new report nothing does."""
    if not read("SELECT 1 FROM hf_case_target WHERE target_id = %s", target_id):
        return None
    return CaseTarget.objects.select_related("case").get(target=target_id)


def cases_of(item_ids: Iterable[UUID]) -> list[Case]:
    """The cases in which items stand, locked in the order of their ids.

    What is only possibly a copy of something binds no cases together.
    """
    places = read(
        "SELECT case_id FROM hf_case_item WHERE certain AND item_id = ANY(%s)",
        list(item_ids),
    )
    return _locked(case for (case,) in places)


def cases_of_entry(entry: BankEntry, platform_id: UUID) -> list[Case]:
    """The cases on a platform in which an entry of a bank put something.

    What a reporter named by a fingerprint stands in a case from the first.
    """
    if entry.target_id is not None:
        return cases_of_targets([entry.target_id])
    places = CaseItem.objects.filter(
        entry=entry, case__platform=platform_id, role=ItemRole.KNOWN
    )
    return _locked(places.values_list("case", flat=True))


def cases_of_targets(target_ids: Iterable[UUID]) -> list[Case]:
    """The cases in which reported things stand, locked in the order of their ids."""
    places = CaseTarget.objects.filter(target__in=list(target_ids))
    return _locked(places.values_list("case", flat=True))


def _locked(case_ids: Iterable[UUID]) -> list[Case]:
    ids = set(case_ids)
    if not ids:
        return []
    return list(
        Case.objects.select_for_update(no_key=True).filter(id__in=ids).order_by("id")
    )


def place_items(
    case: Case, copies: Sequence[Copy], *, reported: UUID | None = None
) -> list[CaseItem]:
    """Put items into a case; returns those that were not in any case before."""
    now = clock.now()
    rows: list[CaseItem] = []
    if reported is not None:
        rows.append(
            CaseItem(case=case, item_id=reported, role=ItemRole.REPORTED, placed_at=now)
        )
    rows += [
        CaseItem(
            case=case,
            item_id=copy.item,
            role=_role(copy),
            against_id=copy.against,
            entry_id=copy.entry,
            placed_at=now,
            **likeness_columns(copy.like),
        )
        for copy in copies
    ]
    standing = _standing(rows, reported)
    new = [row for row in rows if row.item_id not in standing]
    return insert(new)


def _standing(rows: Sequence[CaseItem], reported: UUID | None) -> set[UUID]:
    """The items of some new rows that stand in a case already; they stay there."""
    ids = [row.item_id for row in rows]
    if not read("SELECT 1 FROM hf_case_item WHERE item_id = ANY(%s) LIMIT 1", ids):
        return set()
    before = CaseItem.objects.filter(item__in=ids)
    standing = {row.item_id: row for row in before}
    # What was only possible until now stands here, for certain, from now on.
    sure = {row.item_id for row in rows if row.certain}
    doubtful = {item for item in standing.keys() & sure if not standing[item].certain}
    if doubtful:
        before.filter(item__in=doubtful, certain=False).delete()
    # A copy that somebody reports is a reported item from then on: what is registered
    # later is measured against it.
    again = standing.get(reported) if reported else None
    if again is not None and again.certain and again.role != ItemRole.REPORTED:
        before.filter(item=reported, certain=True).update(role=ItemRole.REPORTED)
    return standing.keys() - doubtful


def _role(copy: Copy) -> ItemRole:
    if copy.like.basis == Basis.REPOST:
        return ItemRole.REPOST
    return ItemRole.COPY if copy.against else ItemRole.KNOWN


def reposts_of(copy: Copy) -> list[Copy]:
    """The reposts of a copy, and theirs, however deep."""
    return [
        Copy(each, copy.against, copy.like.of_repost(), copy.entry)
        for each in reposts_below(copy.item) - {copy.against}
    ]


def living(case_id: UUID, *, lock: bool = False) -> Case:
    """The case itself, or the one it was merged into. Raises ``NotFound``."""
    rows = Case.objects.select_for_update(no_key=True) if lock else Case.objects
    case = rows.filter(id=case_id).first()
    if case is None:
        raise NotFound("There is no such case.")
    return living(case.merged_into_id, lock=lock) if case.merged_into_id else case
