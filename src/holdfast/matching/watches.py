"""Pictures that a reporter has and we do not: found, and watched for, by fingerprint.

Nobody here has seen them, so a fingerprint is a bank entry in quarantine: what it finds
is hidden until people decide, as far as policy lets it, and it can do nothing to an
account. It holds for the reporter's own platform, and for later uploads only when they
asked for that, until it expires or they or staff say so. Whether a picture stands where
everybody can see it may be asked by anybody; nothing else is ever answered, so that it
helps nobody to look for a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.errors import NotAllowed
from holdfast.base.events import Event, Kind, Telling, emit, emit_many
from holdfast.intake.fingerprint import FingerprintGiven, each_form
from holdfast.intake.models import Target
from holdfast.intake.queries import report_of
from holdfast.items.models import Item, ItemKind, ItemState, Platform
from holdfast.items.queries import families_of
from holdfast.matching.find import Sought, alike, banked
from holdfast.matching.models import (
    Bank,
    BankEntry,
    BankKind,
    BankState,
    Match,
    SignalKind,
)
from holdfast.matching.operations import WATCHED, write_down
from holdfast.matching.queries import Copy
from holdfast.matching.rules import Likeness, strength
from holdfast.policy import queries as policies


@dataclass(frozen=True)
class Watched:
    """Later uploads are held against a reporter's fingerprint.

    ``hides``: a report of this category hides before people look; else they look only.
    """

    until: datetime
    hides: bool


def bank_fingerprints(event: Event) -> None:
    """Each fingerprint that a report brings is an entry, so that it can match."""
    report = report_of(event)
    if all(each.pdq is None for each in report.targets.all()):
        return
    for target in report.targets.filter(pdq__isnull=False, entry=None):
        now = clock.now()
        days = policies.current().watch_days if target.watched else 0
        BankEntry.objects.create(
            bank=_bank_of(report.platform),
            kind=SignalKind.PDQ,
            pdq=each_form(bytes(target.pdq or b""))[0],
            quality=target.quality,
            category=report.category,
            state=BankState.QUARANTINED,
            target=target,
            entered_at=now,
            entered_by=str(SYSTEM),
            # What is not watched for has ended already: no later upload meets it.
            expires_at=now + timedelta(days=days),
        )
        if target.watched:
            emit(
                Kind.WATCH_STARTED,
                about={"platform": report.platform_id, "report": report.id},
                facts={"days": days},
                by=SYSTEM,
            )


def look_again_by_fingerprint(event: Event) -> None:
    """Look once more after the commit: an upload may have crossed the report."""
    targets = Target.objects.filter(report=event.about["report"], pdq__isnull=False)
    for target in targets.select_related("report", "entry"):
        for copy in find_pictures(target):
            write_down(target.report.platform_id, copy, arrived=False)


def find_pictures(target: Target) -> list[Copy]:
    """Every item of its platform that a reporter's fingerprint is like, and its
    reposts, the strongest likeness first; without those of which people said that
    they show something else.
    """
    platform = target.report.platform_id
    found: dict[UUID, Likeness] = {}
    for row, like in alike(_sought(target)):
        _keep(found, row.item_id, like)
    there = Item.objects.filter(id__in=found, platform=platform)
    found = {item: found[item] for item in there.values_list("id", flat=True)}
    for item, reposts in families_of(list(found)).items():
        for repost in reposts - {item}:
            _keep(found, repost, found[item].of_repost())
    entry = target.entry.id
    no = Match.objects.filter(entry=entry, rejected_at__isnull=False)
    for item in no.values_list("item", flat=True):
        found.pop(item, None)
    copies = [Copy(item, None, like, entry) for item, like in found.items()]
    return sorted(copies, key=lambda copy: (strength(copy.like), copy.item))


def same_pictures(target: Target) -> set[UUID]:
    """The other reported fingerprints, on its platform, of what looks the same."""
    return {
        entry.target.id
        for entry, _like in banked(_sought(target))
        if entry.target is not None
        and entry.target.id != target.id
        and entry.state != BankState.REVOKED
        and entry.target.report.platform_id == target.report.platform_id
    }


def is_in_plain_sight(platform_id: UUID, given: FingerprintGiven, *, by: By) -> bool:
    """Whether a picture stands on a platform where everybody can see it.

    Never depends on a private message, on what is hidden already, or on a bank: whoever
    asks learns what they could have seen, and not where, whose or how often.
    """
    by.require(Permission.REPORT_FILE)
    found = [row.item_id for row, _ in alike(Sought.of_forms(each_form(given.forms)))]
    known = in_plain_sight(found).filter(platform=platform_id).exists()
    with transaction.atomic():
        about = {"platform": platform_id}
        emit(Kind.COPIES_SOUGHT, about=about, facts={"known": known}, by=by)
    return known


def in_plain_sight(item_ids: Iterable[UUID]) -> QuerySet[Item]:
    """Those of some items that everybody can see."""
    return public(item_ids).filter(state=ItemState.VISIBLE, deleted_at=None)


def public(item_ids: Iterable[UUID]) -> QuerySet[Item]:
    """Those of some items that are, or were, no part of a private conversation."""
    return Item.objects.filter(id__in=list(item_ids), conversation=None).exclude(
        kind=ItemKind.MESSAGE
    )


def watched(report_id: UUID) -> Watched | None:
    """How later uploads are held against what a report brought, if at all."""
    last = _watches(report_id).order_by("-expires_at").first()
    if last is None or last.expires_at is None:
        return None
    hides = policies.category_of(last.category).freeze
    return Watched(last.expires_at, hides)


def stop_watching(report_id: UUID, *, by: By) -> None:
    """No later upload is held against a report's fingerprints any more.

    Its reporter and staff may say so. What it has hidden stays hidden until people
    decide. Twice changes nothing.
    """
    may = {Permission.REPORT_FOLLOW, Permission.CASE_DECIDE}
    if not may & by.permissions:
        raise NotAllowed("You are not allowed to do this.", by=str(by))
    with transaction.atomic():
        _end(_watches(report_id), by=by, because="asked")


def end_watches(target_ids: Iterable[UUID]) -> None:
    """People found no violation in what these fingerprints brought: they end."""
    entries = BankEntry.objects.filter(target__in=list(target_ids))
    _end(entries.filter(expires_at__gt=clock.now()), by=SYSTEM, because="decision")


def _watches(report_id: UUID) -> QuerySet[BankEntry]:
    return BankEntry.objects.filter(
        target__report=report_id, expires_at__gt=clock.now()
    )


def _end(entries: QuerySet[BankEntry], *, by: By, because: str) -> None:
    ending = list(
        entries.select_for_update(of=("self",), no_key=True)
        .select_related("target__report")
        .order_by("id")
    )
    BankEntry.objects.filter(id__in=[each.id for each in ending]).update(
        expires_at=clock.now()
    )
    reports = {
        each.target.report.id: each.target.report
        for each in ending
        if each.target is not None
    }
    emit_many(
        Kind.WATCH_ENDED,
        [
            Telling(
                {"platform": report.platform_id, "report": report.id},
                {"because": because},
            )
            for report in reports.values()
        ],
        by=by,
    )


def _bank_of(platform: Platform) -> Bank:
    return Bank.objects.get_or_create(
        slug=f"{WATCHED}{platform.slug}",
        defaults={
            "name": f"Reported by fingerprint ({platform.name})",
            "kind": BankKind.WATCHED,
            "added_by": str(SYSTEM),
            "added_at": clock.now(),
        },
    )[0]


def _sought(target: Target) -> Sought:
    return Sought.of_forms(each_form(bytes(target.pdq or b"")))


def _keep(found: dict[UUID, Likeness], item: UUID, like: Likeness) -> None:
    if item not in found or strength(like) < strength(found[item]):
        found[item] = like
