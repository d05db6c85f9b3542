"""Pictures that came before the extra ``holdfast[features]`` was installed, or while it
was not: they are described afterwards, from their files.

One at a time, and each is committed before the next is opened, so that whoever is
interrupted goes on where he was. What has features is left alone. What is described now
is compared as if it had just arrived. What has none (tiny, flat) and what cannot be had
any more is looked at again the next time: nothing is noted of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from django.db import transaction
from django.db.models import QuerySet

from holdfast.base.by import By, Permission
from holdfast.base.errors import Refused, Unavailable
from holdfast.base.events import Kind, emit
from holdfast.fingerprints.features import keep_features, of_picture
from holdfast.fingerprints.models import Fingerprint
from holdfast.fingerprints.sources import media_bytes
from holdfast.items.models import MediaState
from holdfast.signals.digest import digest_bytes
from holdfast.signals.features import MIN_SIDE_PIXELS, available
from holdfast.signals.refusal import MediaRefused

BATCH_ROWS = 200
"""Rows read from the database at once; their files are opened one by one."""


class Described(StrEnum):
    """What came of one picture."""

    NOW = "described"
    NOTHING_TO_SEE = "too plain"
    NOT_TO_BE_HAD = "not to be had"


def count_undescribed() -> int:
    """How many pictures have no features yet."""
    return _undescribed().count()


def describe_what_is_left(*, most: int | None = None, by: By) -> Iterator[Described]:
    """Describe pictures without features, oldest first, at most ``most``.

    Raises ``Unavailable`` where OpenCV is not installed.
    """
    by.require(Permission.PLATFORM_MANAGE)
    if not available():
        raise Unavailable("This needs OpenCV: pip install holdfast[features].")
    seen, count = 0, 0
    while batch := list(_undescribed().filter(id__gt=seen).order_by("id")[:BATCH_ROWS]):
        for print_ in batch:
            if count == most:
                return
            count, seen = count + 1, print_.id
            yield _describe(print_, by)


def _undescribed() -> QuerySet[Fingerprint]:
    pictures = Fingerprint.objects.filter(
        features=None,
        width__gte=MIN_SIDE_PIXELS,
        height__gte=MIN_SIDE_PIXELS,
        media__state=MediaState.SIGNED,
    ).exclude(media__media_type__startswith="video/")
    return pictures.select_related("media__item__platform")


def _describe(print_: Fingerprint, by: By) -> Described:
    try:
        data = media_bytes(print_.media)
        if digest_bytes(data).sha256 != bytes(print_.sha256):
            # Its platform serves something else there now: that is no longer this one.
            return Described.NOT_TO_BE_HAD
        features = of_picture(data, moves=print_.duration_ms is not None)
    except (Refused, Unavailable, MediaRefused):
        return Described.NOT_TO_BE_HAD
    if features is None:
        return Described.NOTHING_TO_SEE
    with transaction.atomic():
        keep_features(print_, features)
        about = {
            "platform": print_.platform_id,
            "item": print_.item_id,
            "media": print_.media_id,
        }
        emit(Kind.ITEM_DESCRIBED, about=about, by=by)
    return Described.NOW
