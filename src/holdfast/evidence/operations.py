"""Preservation: the original of what is frozen goes into the vault and stays there.

``seal_original`` fetches and seals; ``set_retention`` says how long it must be kept.
Nothing here disposes of anything, shortens a term, or holds a transaction open while
the network is asked. Promise 5: preserved before removed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from holdfast.authorities.models import Referral, ReferralState
from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.base.errors import HoldfastError, Unavailable
from holdfast.base.events import Kind, alarm, emit
from holdfast.base.models import Event
from holdfast.decisions.models import Decision
from holdfast.evidence.models import Preservation
from holdfast.evidence.rules import UNREACHABLE_AFTER_S, keep_until, span_of
from holdfast.fingerprints.models import Fingerprint
from holdfast.fingerprints.sources import media_bytes
from holdfast.items.models import Item, Media
from holdfast.policy import queries as policies
from holdfast.triage.models import Case, CaseItem
from holdfast.vault.models import SealedBlob
from holdfast.vault.operations import seal

SNAPSHOT_TYPE = "application/json"


@dataclass
class _Sealed:
    """What one run has put into the vault, not yet written down."""

    blobs: list[tuple[Media | None, SealedBlob]] = field(default_factory=list)
    differs: list[Media] = field(default_factory=list)
    missing: list[Media] = field(default_factory=list)


def seal_original(event: Event) -> None:
    """Step: seal the media of an item, replaced ones too, and its words and facts.

    A step that follows an event about an item of a case. Raises ``Unavailable`` when
    some media could not be fetched: then what could be is sealed, and the job comes
    back for the rest, for ever.
    """
    place = (
        CaseItem.objects.filter(item=event.about["item"])
        .select_related("item__platform", "case")
        .first()
    )
    if place is None:
        return
    sealed = _Sealed()
    _seal_words(place.item, event.at, sealed)
    for media in _unsealed(place.item):
        _seal_media(media, sealed)
    _write_down(place, sealed)
    if sealed.missing:
        _alarm_unreachable(place, sealed.missing, event.at)
        raise Unavailable(
            "Media of this item could not be fetched, so they are not sealed yet.",
            item=place.item_id,
            missing=len(sealed.missing),
        )


def set_retention(event: Event) -> None:
    """Step: after a decision, or a referral that was finished, keep for longer."""
    with transaction.atomic():
        case = _lock(event.about["case"])
        term = _term(case)
        if term is None:
            return
        start, span, policy_version = term
        days = policies.version(policy_version).keep_days
        # An item may have come from a case that was merged into this one.
        ours = Q(case=case) | Q(item__place__case=case)
        rows = Preservation.objects.select_for_update(of=("self",), no_key=True).filter(
            ours
        )
        for row in rows.order_by("id"):
            until = keep_until(row.keep_until, start, span, days)
            if until != row.keep_until:
                row.keep_until = until
                row.save(update_fields=["keep_until"])


def _lock(case_id: UUID | str) -> Case:
    """A case under its row's lock, which lets others add rows that name it."""
    return Case.objects.select_for_update(no_key=True).get(id=case_id)


def _term(case: Case) -> tuple[datetime, str, str] | None:
    """From when, for which span, and by which policy a case's evidence is kept."""
    decision = Decision.objects.filter(case=case).order_by("-round").first()
    if decision is None:
        return None
    referrals = Referral.objects.filter(case=case).exclude(state=ReferralState.DECLINED)
    finished = referrals.exclude(finished_at=None).order_by("-finished_at").first()
    start = decision.decided_at
    if finished is not None and finished.finished_at is not None:
        # The authority's year begins with the receipt and not with our decision.
        start = max(start, finished.finished_at)
    span = span_of(decision.outcome, referred=referrals.exists())
    return start, span, decision.policy_version


def _unsealed(item: Item) -> list[Media]:
    preserved = Preservation.objects.filter(item=item, media__isnull=False)
    return list(
        Media.objects.filter(item=item)
        .exclude(id__in=preserved.values("media"))
        .select_related("item__platform")
        .order_by("position", "added_at")
    )


def _seal_media(media: Media, sealed: _Sealed) -> None:
    try:
        data = media_bytes(media)
    except HoldfastError:
        sealed.missing.append(media)
        return
    known = Fingerprint.objects.filter(media=media).first()
    if known is not None and bytes(known.sha256) != hashlib.sha256(data).digest():
        sealed.differs.append(media)
    # Once for the item, which may have the same picture twice, and once for the piece
    # of media, so that whoever refers it knows which bytes are its own.
    seal(media.item_id, "original", data, media.media_type)
    blob = seal(media.id, "original", data, media.media_type)
    sealed.blobs.append((media, blob))


def _seal_words(item: Item, since: datetime, sealed: _Sealed) -> None:
    """Seal the item's words and facts as they now are, once for each event."""
    done = Preservation.objects.filter(item=item, media=None, preserved_at__gte=since)
    if done.exists():
        return
    blob = seal(item.id, "snapshot", snapshot(item), SNAPSHOT_TYPE)
    sealed.blobs.append((None, blob))


def snapshot(item: Item) -> bytes:
    """An item's words and facts as JSON in UTF-8; times in RFC 3339, UTC."""
    views = item.view_counts.order_by("counted_at").values_list(
        "counted_at", "views_total"
    )
    told = {
        "platform": item.platform.slug,
        "item": item.external_id,
        "kind": item.kind,
        "actor": item.actor.external_id if item.actor else None,
        "conversation": item.conversation.external_id if item.conversation else None,
        "parent": item.parent.external_id if item.parent else None,
        "repost_of": item.repost_of.external_id if item.repost_of else None,
        "url": item.url,
        "text": item.text,
        "language": item.language,
        "posted_at": _time(item.posted_at),
        "deleted_at": _time(item.deleted_at),
        "registered_at": _time(item.registered_at),
        "versions": [
            {"text": each.text, "url": each.url, "until": _time(each.replaced_at)}
            for each in item.versions.order_by("replaced_at")
        ],
        "views": [{"at": _time(at), "total": total} for at, total in views],
        "shares": item.shares.count(),
        "media": [
            {
                "id": str(each.id),
                "name": each.original_name,
                "type": each.media_type,
                "url": each.fetch_url,
                "added_at": _time(each.added_at),
                "replaced_at": _time(each.replaced_at),
            }
            for each in item.media.order_by("position", "added_at")
        ],
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None


def _write_down(place: CaseItem, sealed: _Sealed) -> None:
    """One transaction: the rows, the event, and an alarm for what is not the same."""
    with transaction.atomic():
        # Of two runs at once the second finds the rows of the first, and is silent.
        case = _lock(CaseItem.objects.get(id=place.id).case_id)
        fresh = {
            media.id if media else None
            for media, blob in sealed.blobs
            if _preserve(case, place.item_id, media, blob)
        }
        if not fresh:
            return
        differs = [media for media in sealed.differs if media.id in fresh]
        about = {
            "item": place.item_id,
            "case": case.id,
            "platform": case.platform_id,
        }
        happened = emit(
            Kind.ORIGINAL_SEALED,
            about=about,
            facts={
                "media": len(fresh - {None}),
                "snapshot": None in fresh,
                "missing": len(sealed.missing),
                # The two digests stand in the fingerprint and in the sealed blob: an
                # event is kept for ever and does not carry what names a picture.
                "differs": len(differs),
            },
            by=SYSTEM,
        )
        for media in differs:
            alarm("original.differs", about={**about, "media": media.id})
        set_retention(happened)


def _preserve(case: Case, item_id: UUID, media: Media | None, blob: SealedBlob) -> bool:
    _, created = Preservation.objects.get_or_create(
        item_id=item_id,
        sealed_blob=blob,
        defaults={"case": case, "media": media, "preserved_at": clock.now()},
    )
    return created


def _alarm_unreachable(place: CaseItem, missing: list[Media], since: datetime) -> None:
    """Page somebody for media that stay away; once for each, the trying goes on."""
    if clock.now() - since < timedelta(seconds=UNREACHABLE_AFTER_S):
        return
    for media in missing:
        raised = Event.objects.filter(
            kind=Kind.ALARM_RAISED,
            about__contains={"media": str(media.id)},
            facts__code="media.unreachable",
        )
        if raised.exists():
            continue
        alarm(
            "media.unreachable",
            about={
                "platform": place.case.platform_id,
                "case": place.case_id,
                "item": place.item_id,
                "media": media.id,
            },
        )
