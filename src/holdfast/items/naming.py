"""What people mean: an item, an account or a conversation, by whatever they have of it.

A reporter gives the address of a post, a profile or a chat, or the name of an account
as they see it. Only what the platform has registered, or says that it has, is found;
a name that two accounts have finds neither, so that nobody is taken for another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models.functions import Left, Lower

from holdfast.base import clock
from holdfast.base.errors import Unavailable
from holdfast.items import keys
from holdfast.items.connectors.host.client import Meant, look_up
from holdfast.items.models import PROFILE_INDEXED, Actor, Conversation, Item, Platform
from holdfast.items.queries import items_at
from holdfast.items.rules import handle, normal_url


@dataclass(frozen=True)
class Found:
    """What was meant; at most one of these."""

    item: UUID | None = None
    actor: UUID | None = None
    conversation: UUID | None = None

    def __bool__(self) -> bool:
        return bool(self.item or self.actor or self.conversation)


def find_named(platform_id: UUID, named: str) -> Found:
    """What an address or a name means. ``@sunny`` and a profile's address are accounts.

    The platform may be asked about an address that is not known here, which takes
    network time: the caller holds no transaction. When it does not answer, nothing is
    found now, and it is asked again later.
    """
    platform = Platform.objects.get(id=platform_id)
    item_id = items_at(platform, [named]).get(named)
    if item_id is not None:
        return Found(item=item_id)
    actor_id = actors_named(platform, [named]).get(named)
    if actor_id is not None:
        return Found(actor=actor_id)
    if handle(named) or not normal_url(named):
        return Found()
    try:
        return _meant(platform, look_up(keys.host(platform), named))
    except Unavailable:
        return Found()


def actors_named(platform: Platform, names: Iterable[str]) -> dict[str, UUID]:
    """The accounts that some profile addresses or handles mean, by how they are named.

    The platform is not asked.
    """
    handles = {name: handle(name) for name in names}
    profiles = {
        name: normal_url(name, platform.aliases)
        for name, plain in handles.items()
        if not plain
    }
    found = _by_handle(platform, {each for each in handles.values() if each})
    found_at = _by_profile(platform, {each for each in profiles.values() if each})
    return {
        **{name: found[plain] for name, plain in handles.items() if plain in found},
        **{name: found_at[form] for name, form in profiles.items() if form in found_at},
    }


def _by_handle(platform: Platform, handles: set[str]) -> dict[str, UUID]:
    rows = Actor.objects.filter(platform=platform)
    shown = rows.annotate(shown=Lower("screen_name")).filter(shown__in=handles)
    many: dict[str, set[UUID]] = {}
    for name, actor_id in shown.values_list("shown", "id"):
        many.setdefault(name, set()).add(actor_id)
    return {name: ids.pop() for name, ids in many.items() if len(ids) == 1}


def _by_profile(platform: Platform, forms: set[str]) -> dict[str, UUID]:
    start = Left("normal_profile_url", PROFILE_INDEXED)
    rows = Actor.objects.filter(platform=platform).annotate(start=start)
    near = rows.filter(
        start__in={form[:PROFILE_INDEXED] for form in forms},
        normal_profile_url__in=forms,
    )
    return dict(near.values_list("normal_profile_url", "id"))


def _meant(platform: Platform, meant: Meant) -> Found:
    """Rows for the platform's own ids; an account that it names is there from now on.

    An item is registered with its words and media, so its id alone is nothing yet.
    """
    if meant.item:
        rows = Item.objects.filter(platform=platform, external_id=meant.item)
        return Found(item=rows.values_list("id", flat=True).first())
    now = {"registered_at": clock.now()}
    if meant.actor:
        actor, _new = Actor.objects.get_or_create(
            platform=platform, external_id=meant.actor, defaults=now
        )
        return Found(actor=actor.id)
    if meant.conversation:
        talk, _new = Conversation.objects.get_or_create(
            platform=platform, external_id=meant.conversation, defaults=now
        )
        return Found(conversation=talk.id)
    return Found()
