"""From media to signals, once, when it arrives: a report then only searches.

Media that cannot be decoded are refused with a named reason; their digest is kept, the
item stands, and a report of it is a report like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.base.events import Event, Kind, emit
from holdfast.fingerprints.models import Fingerprint
from holdfast.items import keys
from holdfast.items.connectors.host.client import fetch_media
from holdfast.items.models import Media, MediaState
from holdfast.signals.digest import digest_bytes
from holdfast.signals.refusal import MediaRefused
from holdfast.signals.sign import sign_picture
from holdfast.vault.queries import open_blob


@dataclass(frozen=True)
class _Signals:
    sha256: bytes
    pdq: bytes | None = None
    quality: int = 0
    width: int = 0
    height: int = 0
    media_type: str = ""
    refusal: str = ""


def fingerprint_item(event: Event) -> None:
    """Fingerprint what is waiting of an item. Fetching and decoding hold no lock."""
    waiting = Media.objects.filter(
        item=event.about["item"], state=MediaState.WAITING
    ).select_related("item__platform")
    for media in waiting.order_by("position", "added_at"):
        _keep(media.id, _sign(media_bytes(media)))


def media_bytes(media: Media) -> bytes:
    """The bytes of a piece of media: as uploaded, or fetched from the platform."""
    if media.upload is not None:
        return open_blob(media.upload)
    return fetch_media(keys.host(media.item.platform), media.fetch_url).data


def _sign(data: bytes) -> _Signals:
    try:
        signed = sign_picture(data)
    except MediaRefused as refused:
        return _Signals(digest_bytes(data).sha256, refusal=refused.reason.value)
    return _Signals(
        sha256=signed.sha256,
        pdq=signed.pdq.bits if signed.is_comparable else None,
        quality=signed.pdq.quality,
        width=signed.width,
        height=signed.height,
        media_type=signed.media_type,
    )


def _keep(media_id: UUID, signals: _Signals) -> None:
    with transaction.atomic():
        media = Media.objects.select_for_update(no_key=True).get(id=media_id)
        if media.state != MediaState.WAITING:
            return
        Fingerprint.objects.create(
            media=media,
            item_id=media.item_id,
            platform_id=media.item.platform_id,
            sha256=signals.sha256,
            pdq=signals.pdq,
            quality=signals.quality,
            width=signals.width,
            height=signals.height,
            made_at=clock.now(),
        )
        media.state = MediaState.REFUSED if signals.refusal else MediaState.SIGNED
        media.refusal = signals.refusal
        # The bytes decide what a file is, not what its sender called it.
        media.media_type = signals.media_type or media.media_type
        media.save(update_fields=["state", "refusal", "media_type"])
        about = {
            "platform": media.item.platform_id,
            "item": media.item_id,
            "media": media.id,
        }
        if signals.refusal:
            reason = {"reason": signals.refusal}
            emit(Kind.MEDIA_REFUSED, about=about, facts=reason, by=SYSTEM)
        emit(Kind.ITEM_FINGERPRINTED, about=about, by=SYSTEM)
