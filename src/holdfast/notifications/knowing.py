"""What a reporter may know of what their report brought about.

Whoever shows where something stands is told how many copies of it everybody could see,
and of none that stand in private: anybody can post a picture themself and report that.
Whoever has only a picture's fingerprint could be looking for a person with it, so that
what it found is told without a place, a number, or anything that stands in private;
and not at all once too many have asked.
"""

from __future__ import annotations

from uuid import UUID

from holdfast.base.rows import read
from holdfast.intake.models import Report
from holdfast.intake.queries import by_fingerprint_alone
from holdfast.items.models import Item, ItemKind, ItemState
from holdfast.matching.watches import public
from holdfast.triage.models import Case, CaseItem, CaseTarget, ItemRole


def counted(report: Report) -> set[UUID]:
    """The items that stand in a report's cases and may be counted to its reporter.

    They are what it names itself, and copies that are, or were, where everybody could
    see them. What only somebody's fingerprint led to is not, before it is reported
    itself.
    """
    found = read(
        "SELECT place.item_id FROM hf_case_item place"
        " JOIN hf_item item ON item.id = place.item_id"
        " LEFT JOIN hf_bank_entry entry ON entry.id = place.entry_id"
        " WHERE place.certain AND (entry.target_id IS NULL OR place.role = %s)"
        " AND place.case_id IN (SELECT shown.case_id FROM hf_case_target shown"
        " JOIN hf_target target ON target.id = shown.target_id"
        " WHERE target.report_id = %s AND target.pdq IS NULL)"
        # As ``watches.public``; in one statement, since who reports waits for it.
        " AND (item.id IN (SELECT item_id FROM hf_target WHERE report_id = %s)"
        " OR item.conversation_id IS NULL AND item.kind <> %s"
        " AND item.deleted_at IS NULL)",
        ItemRole.REPORTED,
        report.id,
        report.id,
        ItemKind.MESSAGE,
    )
    return {item for (item,) in found}


def hidden(report: Report) -> tuple[int, int]:
    """How many items were to be hidden because of a report, and how many are.

    Of a fingerprint alone both are 0 or 1, and about what everybody could see.
    """
    if not by_fingerprint_alone(report):
        items = Item.objects.filter(id__in=counted(report))
        return (
            items.exclude(state=ItemState.VISIBLE).count(),
            items.exclude(confirmed_state=ItemState.VISIBLE).count(),
        )
    shown = CaseTarget.objects.filter(target__report=report, target__tells=True)
    cases = shown.values("case")
    places = CaseItem.objects.filter(case__in=cases, certain=True)
    told = public(places.values_list("item", flat=True)).exclude(
        state=ItemState.VISIBLE
    )
    is_waiting = told.filter(confirmed_state=ItemState.VISIBLE).exists()
    return int(told.exists()), int(told.exists() and not is_waiting)


def may_know(report: Report, case: Case) -> bool:
    """Whether a reporter may know that there is anything in a case."""
    shown = case.targets.filter(target__report=report)
    if shown.filter(target__pdq=None).exists():
        return True
    if not shown.filter(target__tells=True).exists():
        return False
    certain = case.items.filter(certain=True).values_list("item", flat=True)
    return public(certain).exists()
