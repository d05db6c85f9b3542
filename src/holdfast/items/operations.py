"""What the platform tells us: actors, items, reach, money.

Everything may be told twice; the later word counts. Nothing that a case may need is
lost by a later word: what an item said before is kept as a version, and media that the
poster replaced stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import InvalidInput, NotFound
from holdfast.base.events import Event, Kind, emit
from holdfast.base.ids import uuid7
from holdfast.items.models import (
    Actor,
    Conversation,
    Item,
    ItemKind,
    ItemUrl,
    ItemVersion,
    Media,
    Placement,
    Platform,
    Share,
    ViewCount,
)
from holdfast.items.rules import host_allowed, normal_url
from holdfast.vault.operations import seal

MAX_MEDIA = 32
"""Pieces of media that one item may have."""


@dataclass(frozen=True)
class ActorGiven:
    """An account as the platform tells of it. None leaves what is known."""

    screen_name: str | None = None
    display_name: str | None = None
    profile_url: str | None = None
    email: str | None = None
    age_years: int | None = None
    created_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True)
class MediaGiven:
    """One piece of media: an address to fetch it from, or its bytes."""

    url: str = ""
    media_type: str = ""
    name: str = ""
    data: bytes | None = None


@dataclass(frozen=True)
class ItemGiven:
    """An item as the platform tells of it; ids are the platform's own."""

    kind: str
    posted_at: datetime
    actor: str = ""
    conversation: str = ""
    parent: str = ""
    repost_of: str = ""
    url: str = ""
    text: str = ""
    language: str = ""
    deleted_at: datetime | None = None
    media: Sequence[MediaGiven] | None = field(default=None)
    """None leaves the media as they are; an empty list takes them away."""


@dataclass(frozen=True)
class Registered:
    """What became of an item: its id here, whether it is new, and its event."""

    id: UUID
    created: bool
    event: Event | None


def put_actor(
    platform_id: UUID, external_id: str, given: ActorGiven, *, by: By
) -> tuple[UUID, bool]:
    """Register or change an account. Returns its id and whether it is new."""
    by.require(Permission.ITEMS_WRITE)
    facts = {name: value for name, value in vars(given).items() if value is not None}
    if given.profile_url is not None:
        aliases = Platform.objects.values_list("aliases", flat=True)
        facts["normal_profile_url"] = normal_url(
            given.profile_url, aliases.get(id=platform_id)
        )
    with transaction.atomic():
        actor, created = Actor.objects.update_or_create(
            platform_id=platform_id,
            external_id=external_id,
            defaults=facts,
            create_defaults={**facts, "registered_at": clock.now()},
        )
        if created:
            emit(
                Kind.ACTOR_REGISTERED,
                about={"platform": platform_id, "actor": actor.id},
                by=by,
            )
    return actor.id, created


def put_item(
    platform_id: UUID,
    external_id: str,
    given: ItemGiven,
    *,
    later_s: int = 0,
    by: By,
) -> Registered:
    """Register or change an item. Uploaded media are sealed before anything is stored.

    ``later_s``: see :func:`holdfast.base.events.emit`. Raises ``InvalidInput`` for a
    kind that is not known, too many media, a repost of itself, or media from a host
    that is not allowed.
    """
    by.require(Permission.ITEMS_WRITE)
    platform = Platform.objects.get(id=platform_id)
    _check_item(platform, external_id, given)
    new_id = uuid7()
    media = [(each, _seal_upload(new_id, each)) for each in given.media or ()]
    with transaction.atomic():
        item, created = Item.objects.get_or_create(
            platform_id=platform_id,
            external_id=external_id,
            defaults={
                "id": new_id,
                "kind": given.kind,
                "posted_at": given.posted_at,
                "registered_at": clock.now(),
            },
        )
        item = Item.objects.select_for_update(no_key=True).get(id=item.id)
        before = (item.text, item.url)
        was_deleted = item.deleted_at
        _fill(platform, item, given)
        changed = not created and (item.text, item.url) != before
        if changed:
            ItemVersion.objects.create(
                item=item, text=before[0], url=before[1], replaced_at=clock.now()
            )
        item.save()
        new_media = given.media is not None and _replace_media(item, media)
        _remember_url(platform, item)
        about = {"platform": platform_id, "item": item.id, "actor": item.actor_id}
        event = None
        if created or new_media or changed:
            kind = Kind.ITEM_REGISTERED if created else Kind.ITEM_CHANGED
            event = emit(kind, about=about, by=by, later_s=later_s)
        if item.deleted_at and not was_deleted:
            emit(Kind.ITEM_DELETED, about=about, by=by)
    return Registered(item.id, created, event)


def record_share(
    platform_id: UUID,
    external_id: str,
    item: str,
    shared_at: datetime,
    actor: str = "",
    *,
    by: By,
) -> None:
    """Somebody passed an item on."""
    by.require(Permission.ITEMS_WRITE)
    Share.objects.update_or_create(
        item=_item(platform_id, item),
        external_id=external_id,
        defaults={
            "shared_at": shared_at,
            "actor": _actor(platform_id, actor) if actor else None,
        },
    )


def record_views(
    platform_id: UUID, item: str, views_total: int, counted_at: datetime, *, by: By
) -> None:
    """How often an item had been seen by then, in all."""
    by.require(Permission.ITEMS_WRITE)
    ViewCount.objects.update_or_create(
        item=_item(platform_id, item),
        counted_at=counted_at,
        defaults={"views_total": views_total},
    )


def record_placement(
    platform_id: UUID,
    external_id: str,
    item: str,
    shown_at: datetime,
    earned_micros: int,
    currency: str,
    *,
    by: By,
) -> None:
    """An advert stood beside an item and earned this."""
    by.require(Permission.ITEMS_WRITE)
    Placement.objects.update_or_create(
        item=_item(platform_id, item),
        external_id=external_id,
        defaults={
            "shown_at": shown_at,
            "earned_micros": earned_micros,
            "currency": currency.upper(),
        },
    )


def _check_item(platform: Platform, external_id: str, given: ItemGiven) -> None:
    if given.kind not in ItemKind.values:
        raise InvalidInput(f"An item's kind is one of: {', '.join(ItemKind.values)}.")
    if given.repost_of == external_id or given.parent == external_id:
        raise InvalidInput("An item cannot be a repost of itself, nor its own parent.")
    if len(given.media or ()) > MAX_MEDIA:
        raise InvalidInput(f"An item has at most {MAX_MEDIA} pieces of media.")
    for each in given.media or ():
        if each.data is None and not host_allowed(each.url, platform.media_hosts):
            raise InvalidInput(
                "Media are fetched only from hosts that the platform's settings name. "
                "Name this host there, or upload the file."
            )


def _seal_upload(subject_id: UUID, given: MediaGiven) -> UUID | None:
    if given.data is None:
        return None
    return seal(subject_id, "upload", given.data, given.media_type).id


def _fill(platform: Platform, item: Item, given: ItemGiven) -> None:
    item.kind = given.kind
    item.posted_at = given.posted_at
    item.text, item.url, item.language = given.text, given.url, given.language
    if given.actor:
        item.actor = _actor(platform.id, given.actor)
    if given.conversation:
        item.conversation = Conversation.objects.get_or_create(
            platform=platform,
            external_id=given.conversation,
            defaults={"registered_at": clock.now()},
        )[0]
    if given.parent:
        item.parent = _item(platform.id, given.parent)
    if given.repost_of:
        item.repost_of = _item(platform.id, given.repost_of)
    item.deleted_at = item.deleted_at or given.deleted_at


def _replace_media(item: Item, media: Sequence[tuple[MediaGiven, UUID | None]]) -> bool:
    """Make the item's media these; returns whether anything changed."""
    now = clock.now()
    standing = list(item.media.filter(replaced_at=None).order_by("position"))
    if [each.fetch_url for each in standing] == [given.url for given, _ in media] and (
        all(upload is None for _, upload in media)
    ):
        return False
    for each in standing:
        each.replaced_at = now
        each.save(update_fields=["replaced_at"])
    Media.objects.bulk_create(
        Media(
            item=item,
            position=position,
            fetch_url=given.url,
            upload=upload,
            media_type=given.media_type,
            original_name=given.name,
            added_at=now,
        )
        for position, (given, upload) in enumerate(media)
    )
    return bool(media)


def _remember_url(platform: Platform, item: Item) -> None:
    normal = normal_url(item.url, platform.aliases, keep_sharing=True)
    if normal:
        ItemUrl.objects.update_or_create(
            platform=platform, normal_url=normal, defaults={"item": item}
        )


def _actor(platform_id: UUID, external_id: str) -> Actor:
    # A platform may name an account before it tells of it; the name is kept.
    return Actor.objects.get_or_create(
        platform_id=platform_id,
        external_id=external_id,
        defaults={"registered_at": clock.now()},
    )[0]


def _item(platform_id: UUID, external_id: str) -> Item:
    found = Item.objects.filter(
        platform_id=platform_id, external_id=external_id
    ).first()
    if found is None:
        raise NotFound(
            "The platform has not registered this item. Register it first.",
            item=external_id,
        )
    return found
