"""Reading what stands on the platform."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Max, Q, Sum

from holdfast.base.by import By, Permission
from holdfast.base.errors import NotFound, Unavailable
from holdfast.base.rows import read
from holdfast.items import keys
from holdfast.items.addresses import addresses_in, is_on, names_a_place
from holdfast.items.connectors.host.client import look_up
from holdfast.items.models import (
    Actor,
    ActorState,
    ApiKey,
    Item,
    ItemState,
    ItemUrl,
    MediaState,
    Placement,
    Platform,
    Share,
    ViewCount,
)
from holdfast.items.rules import normal_url, normal_urls


@dataclass(frozen=True)
class PlatformLine:
    """A platform, as a list shows it."""

    id: UUID
    slug: str
    name: str
    url: str
    hosts: tuple[str, ...]
    outbound: tuple[str, ...]
    """Every address of this platform that Holdfast may call."""


@dataclass(frozen=True)
class ItemFacts:
    """What a platform may know of one of its items."""

    id: UUID
    external_id: str
    state: ItemState
    confirmed_state: ItemState
    advertising_hold: bool
    may_delete: bool
    pending: bool
    """Whether some of its media are not fingerprinted yet."""


@dataclass(frozen=True)
class Reach:
    """How far some items have spread in a span of time."""

    views: int
    reposts: int
    earned_micros: int


def platforms() -> list[PlatformLine]:
    """All platforms, the first registered first."""
    return [
        PlatformLine(
            id=each.id,
            slug=each.slug,
            name=each.name,
            url=each.url,
            hosts=tuple(each.hosts),
            outbound=tuple(
                address
                for address in (each.webhook_url, each.lookup_url, *each.media_hosts)
                if address
            ),
        )
        for each in Platform.objects.order_by("registered_at")
    ]


def platform_of_url(url: str) -> PlatformLine | None:
    """The platform on whose hosts an address is."""
    return platform_among(platforms(), url)


def platform_among(lines: Iterable[PlatformLine], url: str) -> PlatformLine | None:
    """The same, for whoever asks about many addresses."""
    for line in lines:
        if is_on(url, _folded_hosts(line)):
            return line
    return None


def known_hosts() -> tuple[str, ...]:
    """The hosts of all platforms, in their normal form."""
    return tuple(host for line in platforms() for host in _folded_hosts(line))


def addresses_on(platform_id: UUID, text: str) -> list[str]:
    """What a text names on one platform, each thing once, as it is written there.

    The platform's own front page is nothing that could be meant.
    """
    every = platforms()
    hosts = tuple(host for line in every for host in _folded_hosts(line))
    found: dict[str, str] = {}
    for address in addresses_in(text, hosts):
        line = platform_among(every, address)
        if line and line.id == platform_id and names_a_place(address):
            found.setdefault(normal_url(address, keep_sharing=True), address)
    return list(found.values())


def item_facts(platform_id: UUID, external_id: str, *, by: By) -> ItemFacts:
    """One item's state. Raises ``NotFound``."""
    by.require(Permission.ITEMS_READ)
    item = Item.objects.filter(platform_id=platform_id, external_id=external_id).first()
    if item is None:
        raise NotFound("The platform has not registered this item.", item=external_id)
    held = item.state != ItemState.VISIBLE
    return ItemFacts(
        id=item.id,
        external_id=item.external_id,
        state=ItemState(item.state),
        confirmed_state=ItemState(item.confirmed_state),
        advertising_hold=held,
        may_delete=item.state != ItemState.FROZEN,
        pending=item.media.filter(replaced_at=None, state=MediaState.WAITING).exists(),
    )


def actor_state(platform_id: UUID, external_id: str, *, by: By) -> ActorState:
    """One account's state. Raises ``NotFound``."""
    by.require(Permission.ITEMS_READ)
    actor = Actor.objects.filter(
        platform_id=platform_id, external_id=external_id
    ).first()
    if actor is None:
        raise NotFound("The platform has not registered this account.")
    return ActorState(actor.state)


def find_by_url(platform_id: UUID, url: str, *, ask: bool = True) -> UUID | None:
    """The item that an address means: known, by an alias, or as the platform says.

    With ``ask``, the platform is asked about an address that is not known here; that
    takes network time, so the caller holds no transaction. When the platform does not
    answer, the address counts as not located and is asked again later.
    """
    platform = Platform.objects.get(id=platform_id)
    known = items_at(platform, [url]).get(url)
    if known is not None or not ask or not normal_url(url):
        return known
    try:
        meant = look_up(keys.host(platform), url)
    except Unavailable:
        return None
    found = Item.objects.filter(platform=platform, external_id=meant.item).first()
    return found.id if found else None


def item_meant(platform_id: UUID, external_id: str, url: str) -> UUID | None:
    """The item that a platform's own id or an address means.

    The id counts if such an item is registered, else the address, about which the
    platform may be asked; so the caller holds no transaction.
    """
    known = item_registered(platform_id, external_id) if external_id else None
    if known is not None:
        return known
    return find_by_url(platform_id, url) if url else None


def item_registered(platform_id: UUID, external_id: str) -> UUID | None:
    """The item that a platform registered by this id of its own, if it did."""
    found = read(
        "SELECT id FROM hf_item WHERE platform_id = %s AND external_id = %s",
        platform_id,
        external_id,
    )
    return found[0][0] if found else None


def actor_registered(platform_id: UUID, external_id: str) -> UUID | None:
    """The account that a platform registered by this id of its own, if it did."""
    found = read(
        "SELECT id FROM hf_actor WHERE platform_id = %s AND external_id = %s",
        platform_id,
        external_id,
    )
    return found[0][0] if found else None


def actor_named(platform_id: UUID, name: str) -> Actor | None:
    """The one open account that people know by this name or address, if there is one.

    ``name`` is a screen name, perhaps with an @ before it, or the address of a profile;
    the platform's own ids are not names that people know.
    """
    said = name.strip()
    folded = normal_url(said)
    addresses = [f"{scheme}://{folded}" for scheme in ("https", "http")]
    addresses += [said, *(f"{each}/" for each in addresses)]
    is_it = Q(screen_name__iexact=said.removeprefix("@")) | Q(profile_url__in=addresses)
    found = Actor.objects.filter(is_it, platform=platform_id, closed_at=None)
    known = list(found.exclude(screen_name="", profile_url="")[:2])
    return known[0] if len(known) == 1 else None


def family(item_id: UUID) -> set[UUID]:
    """An item, what it is a repost of, and all reposts of that, however deep."""
    return families_of([item_id])[item_id]


def items_at(platform: Platform, urls: Iterable[str]) -> dict[str, UUID]:
    """The items known under some addresses, by address; the platform is not asked."""
    forms = {url: normal_urls(url, platform.aliases) for url in urls}
    rows = ItemUrl.objects.filter(
        platform=platform,
        normal_url__in={form for each in forms.values() for form in each},
    )
    known = dict(rows.values_list("normal_url", "item"))
    return {
        url: next(known[form] for form in each if form in known)
        for url, each in forms.items()
        if any(form in known for form in each)
    }


def families_of(item_ids: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    """The family of each of some items, in as many statements as reposts are deep."""
    asked = set(item_ids)
    family = {item_id: {item_id} for item_id in asked}
    edge = asked
    while edge:
        # Up and down at once. A platform can tell of reposts that lead back to
        # themselves: nothing is gone to twice, so no report walks for ever.
        reposts = read(
            "SELECT id, repost_of_id FROM hf_item WHERE repost_of_id IS NOT NULL"
            " AND (id = ANY(%s) OR repost_of_id = ANY(%s))",
            list(edge),
            list(edge),
        )
        edge = set()
        for item_id, above in reposts:
            edge |= {item_id, above} - family.keys()
            one = family.setdefault(item_id, {item_id})
            other = family.setdefault(above, {above})
            if one is not other:
                one |= other
                family.update(dict.fromkeys(other, one))
    return {item_id: family[item_id] for item_id in asked}


def reposts_below(item_id: UUID) -> set[UUID]:
    """All reposts of an item and of those, however deep; without the item itself."""
    found, layer = {item_id}, {item_id}
    while layer:
        below = Item.objects.filter(repost_of__in=layer).values_list("id", flat=True)
        layer = set(below) - found
        found |= layer
    return found - {item_id}


def lock_items(item_ids: Iterable[UUID], *, only: Sequence[str] = ()) -> list[Item]:
    """Lock items and read them, or ``only`` some of their fields.

    Always in the order of their ids, so that no two ways deadlock.

    With ``no_key``, as everywhere: whoever writes a row that names an item holds its
    key already (FOR KEY SHARE), and two reports of one item at the same instant would
    each wait for the other's.
    """
    rows = Item.objects.select_for_update(no_key=True).filter(id__in=set(item_ids))
    return list(rows.only(*only).order_by("id") if only else rows.order_by("id"))


def hold_items(item_ids: Iterable[UUID]) -> None:
    """Lock items in the same way, where nobody asks what they are."""
    read(
        "SELECT id FROM hf_item WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
        list(item_ids),
    )


def reach(
    item_ids: Iterable[UUID], after: datetime | None, until: datetime | None
) -> Reach:
    """Views, reposts and earnings of items after one moment and up to another.

    None leaves that side open. Views are differences of the platform's totals.
    """
    ids = list(item_ids)
    earned = Placement.objects.filter(_span("shown_at", after, until), item__in=ids)
    shared = Share.objects.filter(_span("shared_at", after, until), item__in=ids)
    reposted = Item.objects.filter(_span("posted_at", after, until), repost_of__in=ids)
    views = _views_until(ids, until) - (_views_until(ids, after) if after else 0)
    return Reach(
        views=views,
        reposts=shared.count() + reposted.count(),
        earned_micros=earned.aggregate(sum=Sum("earned_micros"))["sum"] or 0,
    )


def views_over_time(item_ids: Iterable[UUID], *, by: By) -> list[tuple[datetime, int]]:
    """How often some items had been seen in all, at each moment that was counted.

    In the order of time. A total that falls back counts as the highest so far: what
    has been seen was seen.
    """
    by.require(Permission.CASE_READ)
    counts = ViewCount.objects.filter(item__in=list(item_ids)).order_by("counted_at")
    highest: dict[UUID, int] = {}
    points: dict[datetime, int] = {}
    total = 0
    for item, at, views in counts.values_list("item", "counted_at", "views_total"):
        total += max(views - highest.get(item, 0), 0)
        highest[item] = max(views, highest.get(item, 0))
        points[at] = total
    return list(points.items())


@dataclass(frozen=True)
class KeyLine:
    """An API key of a platform. The key itself is not kept."""

    id: UUID
    platform_id: UUID
    label: str
    prefix: str
    """The first letters after ``hf_``, by which its holder can tell it."""
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None


def api_keys(*, by: By) -> list[KeyLine]:
    """Every key of every platform, the newest first."""
    by.require(Permission.PLATFORM_MANAGE)
    return [
        KeyLine(
            id=each.id,
            platform_id=each.platform_id,
            label=each.label,
            prefix=each.prefix,
            scopes=tuple(each.scopes),
            created_at=each.created_at,
            revoked_at=each.revoked_at,
        )
        for each in ApiKey.objects.order_by("-created_at", "-id")
    ]


def _views_until(ids: list[UUID], until: datetime | None) -> int:
    counts = ViewCount.objects.filter(_span("counted_at", None, until), item__in=ids)
    highest = counts.values("item").annotate(views=Max("views_total"))
    return sum(row["views"] for row in highest)


def _span(column: str, after: datetime | None, until: datetime | None) -> Q:
    span = Q()
    if after is not None:
        span &= Q(**{f"{column}__gt": after})
    if until is not None:
        span &= Q(**{f"{column}__lte": until})
    return span


def _folded_hosts(line: PlatformLine) -> tuple[str, ...]:
    folded = (normal_url(f"https://{host}").rstrip("/") for host in line.hosts)
    return tuple(dict.fromkeys(filter(None, folded)))
