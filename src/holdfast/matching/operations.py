"""Finding copies as things arrive, and banking what was reported and decided.

Two ways cross: a report looks for copies while an upload looks for what was reported.
Each looks after its own commit, the report once more than its first look inside its
transaction, so that whichever commits last sees the other. The same holds for a new
entry of a bank, which is searched back over everything registered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By
from holdfast.base.deadlock import again_after_deadlock
from holdfast.base.events import Event, Kind, emit, in_bulk
from holdfast.base.rows import read
from holdfast.intake.models import Target
from holdfast.items.models import Item, ItemState
from holdfast.matching.models import (
    Bank,
    BankEntry,
    BankKind,
    BankState,
    Match,
    likeness_columns,
)
from holdfast.matching.queries import Copy, find_copies, find_known
from holdfast.matching.rules import REPOST_OF_IT, Likeness

HERE = {
    BankKind.REPORTED: ("reported-here", "Reported here"),
    BankKind.DECIDED: ("decided-here", "Decided here"),
}
"""Slug and name of the banks of this installation itself."""
WATCHED = "watched-"
"""What the slug of a bank of reporters' fingerprints begins with; the platform's
follows."""


def compare_with_known(event: Event) -> None:
    """Compare an item that has just arrived with what was reported, decided, banked."""
    # An event keeps ids as text, and as text an item is not known for itself again.
    item_id = UUID(str(event.about["item"]))
    known = find_known(item_id)
    for copy in known:
        write_down(event.about["platform"], copy, arrived=True)
    if any(copy.entry is not None for copy in known):
        look_around(event.about["platform"], item_id)


def follow_repost(event: Event) -> None:
    """A repost of what is kept from view is found on arrival, without any picture."""
    item = Item.objects.select_related("repost_of").get(id=event.about["item"])
    above = item.repost_of
    if above is not None and above.state != ItemState.VISIBLE:
        copy = Copy(item.id, above.id, REPOST_OF_IT)
        write_down(event.about["platform"], copy, arrived=True)


def look_again(event: Event) -> None:
    """Look for copies once more, after the report is committed."""
    targets = Target.objects.filter(report=event.about["report"], item__isnull=False)
    for item_id in targets.values_list("item", flat=True):
        look_for_copies(event.about["platform"], item_id)


def look_for_copies(platform_id: UUID, item_id: UUID) -> None:
    """Find the copies of a reported item and say of each new one that it was found.

    A closer look follows, which sees more and takes longer.
    """
    for copy in find_copies(item_id):
        write_down(platform_id, copy, arrived=False)
    with transaction.atomic():
        about = {"platform": platform_id, "item": item_id}
        emit(Kind.ITEM_COMPARED, about=about, by=SYSTEM)


def look_around(platform_id: UUID, item_id: UUID) -> None:
    """Look for the copies of what a bank knew by its bytes, once it stands in a case.

    A bank that has only bytes finds no other copy: the first item that has them stands
    for them here, and is banked with what it shows until people decide.
    """
    if BankEntry.objects.filter(item=item_id, state=BankState.QUARANTINED).exists():
        look_for_copies(platform_id, item_id)


@in_bulk
def bank_reported(*events: Event) -> None:
    """What was reported freezes later copies, in quarantine until people decide."""
    for event in events:
        if event.facts.get("because") == "report":
            quarantine(
                event.about["item"],
                category=event.facts["category"],
                case_id=event.about["case"],
            )


def quarantine(item_id: UUID, *, category: str, case_id: UUID) -> None:
    """Bank a reported item's media until people decide; known entries stay."""
    _bank(
        [item_id],
        BankKind.REPORTED,
        state=BankState.QUARANTINED,
        category=category,
        case_id=case_id,
        by=SYSTEM,
    )


def bank_decided(
    item_ids: Iterable[UUID],
    *,
    violates: bool,
    category: str,
    case_id: UUID,
    decision_id: UUID,
    by: By,
) -> None:
    """Bank the media of items that people decided on. What was revoked stays so."""
    items = list(item_ids)
    state = BankState.ACTIVE if violates else BankState.CLEARED
    _bank(
        items,
        BankKind.DECIDED,
        state=state,
        category=category,
        case_id=case_id,
        decision_id=decision_id,
        by=by,
    )
    BankEntry.objects.filter(item__in=items).exclude(state=BankState.REVOKED).update(
        bank=bank_here(BankKind.DECIDED),
        state=state,
        category=category,
        decision_id=decision_id,
    )


def bank_here(kind: BankKind) -> Bank:
    """The bank of what was reported, or of what was decided, on this installation."""
    slug, name = HERE[kind]
    return Bank.objects.get_or_create(
        slug=slug,
        defaults={
            "name": name,
            "kind": kind,
            "added_by": str(SYSTEM),
            "added_at": clock.now(),
        },
    )[0]


@again_after_deadlock
def write_down(platform_id: UUID, copy: Copy, *, arrived: bool) -> None:
    """Write a match down and say so; the same match again says nothing.

    Unless its entry was renewed since: that is a new claim, and said like any.
    """
    with transaction.atomic():
        key = (
            {"entry_id": copy.entry}
            if copy.against is None
            else {"against_id": copy.against, "basis": copy.like.basis}
        )
        match, new = Match.objects.get_or_create(
            item_id=copy.item,
            **key,
            defaults={**likeness_columns(copy.like), "found_at": clock.now()},
        )
        if not new and not _is_claimed_anew(match, copy.like):
            return
        emit(
            Kind.MATCH_FOUND,
            about={
                "platform": platform_id,
                "item": copy.item,
                "against": copy.against,
                "entry": copy.entry,
                "match": match.id,
            },
            facts={**likeness_columns(copy.like), "arrived": arrived},
            by=SYSTEM,
        )


def _is_claimed_anew(match: Match, like: Likeness) -> bool:
    """Whether a match was found before its entry was renewed; it is found now, then.

    What people said is no copy stays none, whoever claims it.
    """
    renewed_at = match.entry.renewed_at if match.entry is not None else None
    if renewed_at is None:
        return False
    # In one statement, so that of two workers at the same instant one says so.
    before = Match.objects.filter(id=match.id, found_at__lt=renewed_at)
    found = before.filter(rejected_at=None).update(
        **likeness_columns(like), found_at=clock.now()
    )
    return found == 1


def _bank(
    item_ids: Iterable[UUID],
    kind: BankKind,
    *,
    state: BankState,
    category: str,
    case_id: UUID,
    decision_id: UUID | None = None,
    by: By,
) -> None:
    """Enter every signal of some items; what is banked of an item already stays."""
    said: dict[str, Any] = {
        "items": list(item_ids),
        "bank": _bank_id(kind),
        "state": state,
        "category": category,
        "case": case_id,
        "decision": decision_id,
        "at": clock.now(),
        "by": str(by),
    }
    with connection.cursor() as cursor:
        cursor.execute(_ENTER, said)


def _bank_id(kind: BankKind) -> UUID:
    """The id of the bank of what was reported here, or of what was decided."""
    known = read("SELECT id FROM hf_bank WHERE slug = %s", HERE[kind][0])
    return UUID(str(known[0][0] if known else bank_here(kind).id))


_ENTER = """
INSERT INTO hf_bank_entry (kind, digest, pdq, quality, part, at_ms, item_id, media_id,
    bank_id, state, category, case_id, decision_id, entered_at, entered_by,
    revoked_by, revoke_reason)
SELECT signal.*, %(bank)s, %(state)s, %(category)s, %(case)s, %(decision)s::uuid,
    %(at)s, %(by)s, '', ''
FROM (
    SELECT 'sha256', sha256, NULL, NULL, 'whole', NULL::bigint, item_id, media_id
    FROM hf_fingerprint WHERE item_id = ANY(%(items)s)
    UNION ALL
    SELECT 'pdq', NULL, view.pdq, view.quality, view.part, view.at_ms, view.item_id,
        view.media_id
    FROM hf_fingerprint print JOIN hf_view view ON view.fingerprint_id = print.id
    WHERE print.item_id = ANY(%(items)s) AND view.pdq IS NOT NULL
) AS signal
ON CONFLICT DO NOTHING
"""
