"""From media to signals, once, when it arrives: a report then only searches.

Media that cannot be decoded are refused with a named reason; their digests are kept,
the item stands, and a report of it is a report like any other. A video is looked at
twice: at first its keyframes alone, for a few seconds, so that a copy of something
frozen is hidden before its platform shows it; then all of it. Of a picture its local
features are kept as well, where the extra that extracts them is installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from os import SEEK_END
from typing import BinaryIO
from uuid import UUID

from django.db import transaction

from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.base.events import Event, Kind, emit
from holdfast.fingerprints.features import described, keep_features
from holdfast.fingerprints.models import Fingerprint, View
from holdfast.fingerprints.sources import open_media
from holdfast.items.models import Media, MediaState
from holdfast.signals.digest import Digests, digest_stream
from holdfast.signals.features import Features
from holdfast.signals.refusal import MediaRefused
from holdfast.signals.sign import Signals, sign_picture
from holdfast.signals.sign import View as SignedView
from holdfast.signals.video import ALL_CORES, sign_video
from holdfast.signals.video_kind import PREFIX_BYTES, is_video

AT_ONCE_BYTES = 32 * 1024 * 1024
"""An uploaded video up to this size has its keyframes compared before its platform is
answered: a minute as telephones film, a quarter of an hour as small sites show it. At
300 times real time, as measured, that takes a few seconds at most. A larger one is
looked at soon, like all that is fetched."""


@dataclass(frozen=True)
class _Signed:
    digests: Digests
    signals: Signals | None = None
    features: Features | None = None
    refusal: str = ""
    skimmed: bool = False


def fingerprint_item(event: Event) -> None:
    """Fingerprint what is waiting of an item. Fetching and decoding hold no lock."""
    waiting = Media.objects.filter(
        item=event.about["item"],
        state=MediaState.WAITING,
        fingerprint__isnull=True,
    ).select_related("item__platform")
    for media in waiting.order_by("position", "added_at"):
        with open_media(media) as file:
            if media.upload and _is_video(file) and _size(file) > AT_ONCE_BYTES:
                with transaction.atomic():
                    emit(Kind.VIDEO_POSTPONED, about=_about(media), by=SYSTEM)
            else:
                _keep(media.id, _sign(file, skim=True))


def fingerprint_whole_video(event: Event) -> None:
    """Look at all of a video, of which at most the keyframes have been looked at."""
    waiting = Media.objects.filter(id=event.about["media"], state=MediaState.WAITING)
    for media in waiting.select_related("item__platform"):
        with open_media(media) as file:
            _keep(media.id, _sign(file, skim=False))


def _sign(file: BinaryIO, *, skim: bool) -> _Signed:
    file.seek(0)
    digests = digest_stream(file)
    moving = _is_video(file)
    file.seek(0)
    try:
        if not moving:
            data = file.read()
            picture = sign_picture(data)
            return _Signed(digests, picture, described(data, picture))
        signals = sign_video(
            file, keyframes_only=skim, turns=True, threads=ALL_CORES, digests=digests
        )
    except MediaRefused as refused:
        return _Signed(digests, refusal=refused.reason.value)
    return _Signed(digests, signals, skimmed=skim)


def _is_video(file: BinaryIO) -> bool:
    file.seek(0)
    return is_video(file.read(PREFIX_BYTES))


def _size(file: BinaryIO) -> int:
    return file.seek(0, SEEK_END)


def _keep(media_id: UUID, signed: _Signed) -> None:
    with transaction.atomic():
        media = Media.objects.select_for_update(no_key=True).get(id=media_id)
        print_, new = _fingerprint(media, signed)
        if not new:
            if signed.skimmed or not print_.only_keyframes:
                return
            _look_at_all_of(print_, signed)
        _keep_views(print_, signed)
        if signed.features is not None:
            keep_features(print_, signed.features)
        if not signed.skimmed:
            # Until then it waits, so that nobody takes it for compared.
            media.state = MediaState.REFUSED if signed.refusal else MediaState.SIGNED
            media.refusal = signed.refusal
        if signed.signals:
            # The bytes decide what a file is, not what its sender called it.
            media.media_type = signed.signals.media_type
        media.save(update_fields=["state", "refusal", "media_type"])
        _tell(media, signed)


def _fingerprint(media: Media, signed: _Signed) -> tuple[Fingerprint, bool]:
    known = signed.signals
    return Fingerprint.objects.get_or_create(
        media=media,
        defaults={
            "item_id": media.item_id,
            "platform_id": media.item.platform_id,
            "sha256": signed.digests.sha256,
            "md5": signed.digests.md5,
            "width": known.width if known else 0,
            "height": known.height if known else 0,
            "duration_ms": known.duration_ms if known else None,
            "only_keyframes": signed.skimmed,
            "incomplete": _incomplete(known),
            "made_at": clock.now(),
        },
    )


def _look_at_all_of(print_: Fingerprint, signed: _Signed) -> None:
    """The second pass adds to the first what that did not see."""
    if signed.signals:
        print_.duration_ms = signed.signals.duration_ms
    print_.only_keyframes = False
    print_.incomplete = _incomplete(signed.signals)
    print_.save(update_fields=["duration_ms", "only_keyframes", "incomplete"])


def _incomplete(signals: Signals | None) -> str:
    return signals.incomplete.value if signals and signals.incomplete else ""


def _keep_views(print_: Fingerprint, signed: _Signed) -> None:
    views = signed.signals.views if signed.signals else ()
    known = set(print_.views.values_list("part", "at_ms"))
    View.objects.bulk_create(
        View(
            fingerprint=print_,
            media_id=print_.media_id,
            item_id=print_.item_id,
            platform_id=print_.platform_id,
            part=each.part,
            at_ms=each.at_ms,
            pdq=each.pdq.bits if each.is_comparable else None,
            variants=_turned(each) if each.is_comparable else None,
            quality=each.quality,
        )
        for each in views
        if (each.part, each.at_ms) not in known
    )


def _turned(view: SignedView) -> bytes | None:
    return b"".join(pdq.bits for pdq in view.variants[1:]) or None


def _tell(media: Media, signed: _Signed) -> None:
    about = _about(media)
    if signed.refusal:
        reason = {"reason": signed.refusal}
        emit(Kind.MEDIA_REFUSED, about=about, facts=reason, by=SYSTEM)
    emit(Kind.ITEM_FINGERPRINTED, about=about, by=SYSTEM)
    if signed.features is not None:
        emit(Kind.ITEM_DESCRIBED, about=about, by=SYSTEM)
    if signed.skimmed:
        emit(Kind.VIDEO_POSTPONED, about=about, by=SYSTEM)


def _about(media: Media) -> dict[str, UUID]:
    return {
        "platform": media.item.platform_id,
        "item": media.item_id,
        "media": media.id,
    }
