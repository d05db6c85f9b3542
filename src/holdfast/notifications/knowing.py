"""What a reporter may know of what their report brought about.

Whoever shows where something stands is told how many posts it and its copies are.
Whoever has only a picture's fingerprint could be looking for a person with it, so that
what it found is told without a place, a number, or anything that stands in private.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

from holdfast.intake.models import Report
from holdfast.intake.queries import by_fingerprint_alone
from holdfast.items.models import Item, ItemState
from holdfast.matching.watches import public
from holdfast.triage.models import Case, CaseItem, CaseTarget, ItemRole


def counted(report: Report) -> QuerySet[CaseItem]:
    """What stands in a report's cases and may be counted to its reporter."""
    shown = CaseTarget.objects.filter(target__report=report, target__pdq=None)
    by_fingerprint = Q(entry__target__isnull=False) & ~Q(role=ItemRole.REPORTED)
    items = CaseItem.objects.filter(case__in=shown.values("case"), certain=True)
    return items.exclude(by_fingerprint)


def hidden(report: Report) -> tuple[int, int]:
    """How many items were to be hidden because of a report, and how many are.

    Of a fingerprint alone both are 0 or 1, and about what everybody could see.
    """
    if not by_fingerprint_alone(report):
        items = Item.objects.filter(id__in=counted(report).values("item"))
        return (
            items.exclude(state=ItemState.VISIBLE).count(),
            items.exclude(confirmed_state=ItemState.VISIBLE).count(),
        )
    cases = CaseTarget.objects.filter(target__report=report).values("case")
    places = CaseItem.objects.filter(case__in=cases, certain=True)
    told = public(places.values_list("item", flat=True)).exclude(
        state=ItemState.VISIBLE
    )
    is_waiting = told.filter(confirmed_state=ItemState.VISIBLE).exists()
    return int(told.exists()), int(told.exists() and not is_waiting)


def may_know(report: Report, case: Case) -> bool:
    """Whether a reporter may know that there is anything in a case."""
    if case.targets.filter(target__report=report, target__pdq=None).exists():
        return True
    certain = case.items.filter(certain=True).values_list("item", flat=True)
    return public(certain).exists()
