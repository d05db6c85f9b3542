"""Freezing and thawing: reversible to the byte, and it costs the account nothing.

A freeze is put on in the transaction that stores the report. Nobody is asked first.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Q

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.errors import InvalidInput, NotFound, Refused
from holdfast.base.events import Event, Kind, alarm, emit
from holdfast.freeze.models import Freeze
from holdfast.intake.models import Report
from holdfast.intake.queries import told_by
from holdfast.items.models import Item, ItemState
from holdfast.items.queries import lock_items
from holdfast.matching.queries import is_cleared
from holdfast.policy import queries as policies
from holdfast.triage.models import Case, CaseItem, ItemRole
from holdfast.triage.rules import may_freeze, speaks_with_weight

MIN_THAW_REASON = 10  # characters


def freeze_what_it_shows(event: Event) -> None:
    """Freeze what stands in the case of a report or a match and is still visible."""
    report_id = event.about.get("report")
    report = Report.objects.get(id=report_id) if report_id else None
    if report is not None:
        concerned = Q(targets__target__report=report)
    else:
        concerned = Q(items__item=event.about["item"])
    for case in Case.objects.filter(concerned).distinct().order_by("id"):
        _freeze_case(case, report, arrived=bool(event.facts.get("arrived")))


def thaw_what_was_cleared(event: Event) -> None:
    """People found no violation: everything of the case is shown again."""
    if event.facts["outcome"] != "no_violation":
        return
    case = Case.objects.get(id=event.about["case"])
    for freeze in _in_force(case):
        _thaw(freeze, "People found no violation.", by=SYSTEM)


def thaw(item_id: UUID, reason: str, *, by: By) -> None:
    """Show a frozen item again before a decision, with a written reason.

    Raises ``Refused`` on a child-safety case: there, showing it again is a decision
    that takes two people (promise 3). Thawing twice changes nothing.
    """
    by.require(Permission.ITEM_THAW)
    if len(reason.strip()) < MIN_THAW_REASON:
        raise InvalidInput("Write why it may be shown again, in a sentence.")
    with transaction.atomic():
        lock_items([item_id])
        freeze = (
            Freeze.objects.filter(item=item_id, thawed_at=None)
            .select_related("case")
            .first()
        )
        if freeze is None:
            if not Item.objects.filter(id=item_id).exists():
                raise NotFound("There is no such item.")
            return
        if freeze.case.child_safety:
            raise Refused(
                "This case is about a child's safety. Showing it again takes a "
                "decision by two people; record your reading instead.",
                case=freeze.case_id,
            )
        _thaw(freeze, reason.strip(), by=by)


def move_to_merged_case(event: Event) -> None:
    """A case was merged into another: its freezes go with it."""
    Freeze.objects.filter(case=event.about["case"]).update(case=event.about["into"])


def _freeze_case(case: Case, report: Report | None, *, arrived: bool) -> None:
    category = policies.current().category(case.category)
    places = case.items.filter(item__state=ItemState.VISIBLE).order_by("item")
    rows = {place.item_id: place for place in places}
    for item in lock_items(rows):
        if item.state != ItemState.VISIBLE:
            continue
        place = rows[item.id]
        cleared = _cleared(case, place)
        if may_freeze(
            category_freezes=category.freeze,
            cleared=cleared,
            weight=report is not None and _has_weight(report),
            frozen_since_clearance=cleared and _frozen_since(case, item),
        ):
            _freeze(case, item, _because(place, arrived=arrived))
        elif cleared and report is not None and category.freeze:
            _page_about_clearance(case, item, report)


def _cleared(case: Case, place: CaseItem) -> bool:
    """Whether people said of this item that nothing is wrong with it."""
    decided = case.outcome == "no_violation" and case.decided_at is not None
    return (decided and place.placed_at <= case.decided_at) or (  # type: ignore[operator]  # Not None where decided.
        is_cleared(place.item_id)
    )


def _frozen_since(case: Case, item: Item) -> bool:
    freezes = Freeze.objects.filter(item=item)
    if case.decided_at is not None:
        freezes = freezes.filter(frozen_at__gt=case.decided_at)
    return freezes.exists()


def _page_about_clearance(case: Case, item: Item, report: Report) -> None:
    if _has_weight(report):
        alarm(
            "report.clearance_challenged",
            about={"case": case.id, "item": item.id, "platform": case.platform_id},
        )


def _has_weight(report: Report) -> bool:
    told = told_by(report)
    return speaks_with_weight(told.claims, told.police_number)


def _because(place: CaseItem, *, arrived: bool) -> str:
    if place.role == ItemRole.REPORTED:
        return "report"
    if place.role == ItemRole.REPOST:
        return "repost"
    return "upload" if arrived else "copy"


def _freeze(case: Case, item: Item, because: str) -> None:
    Freeze.objects.create(
        item=item,
        case=case,
        because=because,
        frozen_at=clock.now(),
        frozen_by=str(SYSTEM),
    )
    item.state = ItemState.FROZEN
    item.save(update_fields=["state"])
    emit(
        Kind.ITEM_FROZEN,
        about={
            "platform": case.platform_id,
            "case": case.id,
            "item": item.id,
            "actor": item.actor_id,
        },
        facts={"because": because, "category": case.category},
        by=SYSTEM,
    )


def _in_force(case: Case) -> list[Freeze]:
    freezes = Freeze.objects.filter(case=case, thawed_at=None)
    lock_items(freezes.values_list("item", flat=True))
    return list(freezes.order_by("item"))


def _thaw(freeze: Freeze, reason: str, *, by: By) -> None:
    freeze.thawed_at, freeze.thawed_by = clock.now(), str(by)
    freeze.thaw_reason = reason
    freeze.save(update_fields=["thawed_at", "thawed_by", "thaw_reason"])
    # What has been removed by a decision does not come back by a thaw.
    Item.objects.filter(id=freeze.item_id, state=ItemState.FROZEN).update(
        state=ItemState.VISIBLE
    )
    emit(
        Kind.ITEM_THAWED,
        about={
            "platform": freeze.case.platform_id,
            "case": freeze.case_id,
            "item": freeze.item_id,
        },
        by=by,
    )
