"""What is only possibly a copy, and what a bank takes back: both go to people.

A likeness that is not certain freezes nothing. Somebody looks and says whether it shows
the same; then it is a copy like any other, or it leaves the case and is not brought
back. What stood in a case for an entry of a bank that has been revoked since is looked
at again; nothing is shown again by itself.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Q

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.deadlock import again_after_deadlock
from holdfast.base.errors import NotFound
from holdfast.base.events import Event, Kind, emit, in_bulk
from holdfast.matching.models import BankEntry, Match, likeness_columns
from holdfast.matching.operations import write_down
from holdfast.matching.queries import Copy, find_known
from holdfast.triage.models import Case, CaseItem, CaseState, ItemRole
from holdfast.triage.operations import open_again
from holdfast.triage.placing import living, lock_places


@again_after_deadlock
def confirm_copy(case_id: UUID, item_id: UUID, *, by: By) -> None:
    """Somebody says that it shows the same: from now on it is a copy like any other.

    Raises ``NotFound`` for what is no possible copy in this case.
    """
    by.require(Permission.CASE_DECIDE)
    with transaction.atomic():
        lock_places({item_id})
        case = living(case_id, lock=True)
        place = _possible(case, item_id)
        place.certain = True
        place.save(update_fields=["certain"])
        if case.state == CaseState.DECIDED:
            open_again(case, because="copy", by=by)
        emit(Kind.COPY_CONFIRMED, about=_about(case, item_id), by=by)


@again_after_deadlock
def reject_copy(case_id: UUID, item_id: UUID, *, by: By) -> None:
    """Somebody says that it shows something else: it leaves the case.

    Raises ``NotFound`` for what is no possible copy in this case.
    """
    by.require(Permission.CASE_DECIDE)
    with transaction.atomic():
        lock_places({item_id})
        case = living(case_id, lock=True)
        place = _possible(case, item_id)
        said = {"rejected_at": clock.now(), "rejected_by": str(by)}
        found = {**likeness_columns(place.likeness), "found_at": place.placed_at}
        Match.objects.update_or_create(
            item_id=item_id,
            against_id=place.against_id,
            entry_id=place.entry_id,
            basis=place.basis,
            defaults=said,
            create_defaults={**found, **said},
        )
        place.delete()
        emit(Kind.COPY_REJECTED, about=_about(case, item_id), by=by)


@in_bulk
def withdraw_matches(*events: Event) -> None:
    """Entries were revoked: what stands in a case for them alone is doubted."""
    entries = [event.about["entry"] for event in events]
    banked = BankEntry.objects.filter(id__in=entries, item__isnull=False)
    touched = (
        Match.objects.filter(
            Q(entry__in=entries) | Q(against__in=banked.values("item")),
            item__place__isnull=False,
        )
        .exclude(item__place__role=ItemRole.REPORTED)
        .select_related("item__place__case")
        .order_by("item__place__case", "item", "id")
    )
    for match in touched:
        others = _held_by(match.item_id, match.item.place.case_id)
        for copy in others:
            write_down(match.item.platform_id, copy, arrived=False)
        if not others:
            _withdraw(match)


def _held_by(item_id: UUID, case_id: UUID) -> list[Copy]:
    """What else an item is a copy of, for certain.

    What came into its case by a match as well holds nothing there: each would hold the
    other, and a decision on all of them would outlive the entry it came from.
    """
    came_along = CaseItem.objects.filter(case=case_id).exclude(role=ItemRole.REPORTED)
    with_it = set(came_along.values_list("item", flat=True))
    return [
        copy
        for copy in find_known(item_id)
        if copy.like.certain and copy.against not in with_it
    ]


def _withdraw(match: Match) -> None:
    case = living(match.item.place.case_id, lock=True)
    about = {**_about(case, match.item_id), "match": match.id}
    emit(Kind.MATCH_WITHDRAWN, about=about, by=SYSTEM)
    if case.state == CaseState.DECIDED and case.outcome == "violation":
        open_again(case, because="revoked", by=SYSTEM)


def _possible(case: Case, item_id: UUID) -> CaseItem:
    place = CaseItem.objects.filter(case=case, item=item_id, certain=False).first()
    if place is None:
        raise NotFound("There is no possible copy of this name in the case.")
    return place


def _about(case: Case, item_id: UUID) -> dict[str, UUID]:
    return {"platform": case.platform_id, "case": case.id, "item": item_id}
