"""Freezing and thawing: reversible to the byte, and it costs the account nothing.

A freeze is put on in the transaction that stores the report. Nobody is asked first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.errors import InvalidInput, NotFound, Refused
from holdfast.base.events import Event, Kind, Telling, alarm, emit, emit_many
from holdfast.base.rows import insert, read, write
from holdfast.freeze.models import Freeze
from holdfast.intake.models import Report
from holdfast.intake.operations import TRUSTED
from holdfast.intake.queries import TELLING, told_by
from holdfast.items.models import Item, ItemState
from holdfast.items.queries import lock_items
from holdfast.matching.queries import cleared_among
from holdfast.policy import queries as policies
from holdfast.triage.models import Case, CaseState, ItemRole
from holdfast.triage.rules import may_freeze, speaks_with_weight

MIN_THAW_REASON = 10  # characters


def freeze_what_it_shows(event: Event) -> None:
    """Freeze what stands in the case of a report or a match and is still visible."""
    report_id = event.about.get("report")
    if report_id is not None:
        concerned = Q(targets__target__report=report_id)
    else:
        concerned = Q(items__item=event.about["item"])
    for case in Case.objects.filter(concerned).distinct().order_by("id"):
        _freeze_case(case, report_id, arrived=bool(event.facts.get("arrived")))


def freeze_what_violates(event: Event) -> None:
    """People found a violation: what is still visible of the case is hidden now.

    Where reports freeze nothing, the decision does: the platform hides it at once, and
    the original can be sealed before it is removed.
    """
    if event.facts["outcome"] != "violation":
        return
    case = Case.objects.get(id=event.about["case"])
    _freeze(case, [(place, "decision") for place in _visible(case)])


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


def _freeze_case(case: Case, report_id: str | None, *, arrived: bool) -> None:
    """Freeze what may be frozen of a case; thousands of items in a few statements."""
    category = policies.category_of(case.category)
    places = {place.item: place for place in _visible(case)}
    cleared = cleared_among(places) | _decided_clear(case, places.values())
    frozen_since = _frozen_since(case, cleared)
    weight = bool(cleared) and _has_weight(report_id)
    freezing: list[tuple[Visible, str]] = []
    for place in places.values():
        if may_freeze(
            # What people decided is kept down, whatever its category does at a report.
            category_freezes=category.freeze or _found_violation(case),
            cleared=place.item in cleared,
            weight=weight,
            frozen_since_clearance=place.item in frozen_since,
        ):
            freezing.append((place, _because(place, arrived=arrived)))
        elif place.item in cleared and weight and category.freeze:
            alarm(
                "report.clearance_challenged",
                about={
                    "case": case.id,
                    "item": place.item,
                    "platform": case.platform_id,
                },
            )
    _freeze(case, freezing)


class Visible(NamedTuple):
    """An item that stands in a case for certain and is shown; locked."""

    item: UUID
    actor: UUID | None
    role: str
    placed_at: datetime


def _visible(case: Case) -> list[Visible]:
    """What may be hidden of a case, locked in the order of its ids.

    What is only possibly a copy is not hidden before people say that it is one.
    """
    found = read(
        "SELECT item.id, item.actor_id, place.role, place.placed_at"
        " FROM hf_case_item place JOIN hf_item item ON item.id = place.item_id"
        " WHERE place.case_id = %s AND place.certain AND item.state = %s"
        " ORDER BY item.id FOR NO KEY UPDATE OF item",
        case.id,
        ItemState.VISIBLE,
    )
    return [Visible(*each) for each in found]


def _found_violation(case: Case) -> bool:
    return case.state == CaseState.DECIDED and case.outcome == "violation"


def _decided_clear(case: Case, places: Iterable[Visible]) -> set[UUID]:
    """The items that stood in the case when people found no violation, as they were.

    What its poster has changed since is not what people looked at: something harmless
    could be cleared first and replaced afterwards.
    """
    if case.outcome != "no_violation" or case.decided_at is None:
        return set()
    at = case.decided_at
    stood = {place.item for place in places if place.placed_at <= at}
    changed = Item.objects.filter(
        Q(media__added_at__gt=at) | Q(versions__replaced_at__gt=at), id__in=stood
    )
    return stood - set(changed.values_list("id", flat=True))


def _frozen_since(case: Case, items: set[UUID]) -> set[UUID]:
    """Which of some items were frozen again after people cleared them."""
    if not items:
        return set()
    freezes = Freeze.objects.filter(item__in=items)
    if case.decided_at is not None:
        freezes = freezes.filter(frozen_at__gt=case.decided_at)
    return set(freezes.values_list("item", flat=True))


def _has_weight(report_id: str | None) -> bool:
    """Whether what is cleared may be frozen by this report; a match has no weight.

    A trusted flagger's goes as far as its scope: by the category that it reported, and
    not by that of the case, which others made what it is.
    """
    if report_id is None:
        return False
    report = Report.objects.prefetch_related(*TELLING).get(id=report_id)
    told = told_by(report)
    claims = set(told.claims)
    if not policies.category_of(report.category).freeze:
        claims.discard(TRUSTED)
    return speaks_with_weight(claims, told.police_number)


def _because(place: Visible, *, arrived: bool) -> str:
    if place.role == ItemRole.REPORTED:
        return "report"
    if place.role == ItemRole.REPOST:
        return "repost"
    return "upload" if arrived else "copy"


def _freeze(case: Case, freezing: Sequence[tuple[Visible, str]]) -> None:
    now = clock.now()
    insert(
        Freeze(
            item_id=place.item,
            case=case,
            because=because,
            frozen_at=now,
            frozen_by=str(SYSTEM),
        )
        for place, because in freezing
    )
    frozen = [place.item for place, _because in freezing]
    write("UPDATE hf_item SET state = %s WHERE id = ANY(%s)", ItemState.FROZEN, frozen)
    emit_many(
        Kind.ITEM_FROZEN,
        [
            Telling(
                {
                    "platform": case.platform_id,
                    "case": case.id,
                    "item": place.item,
                    "actor": place.actor,
                },
                {"because": because, "category": case.category},
            )
            for place, because in freezing
        ],
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
