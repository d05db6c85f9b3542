"""What is a copy of what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from django.db.models import Q, QuerySet

from holdfast.base import clock
from holdfast.base.rows import read
from holdfast.fingerprints.models import Fingerprint, View
from holdfast.items.models import Media, MediaState
from holdfast.items.queries import families_of, family
from holdfast.matching import search
from holdfast.matching.models import BankEntry, BankState, Match, SignalKind
from holdfast.matching.rules import (
    REPOST_OF_IT,
    SAME_BYTES,
    SAME_MD5,
    Basis,
    Likeness,
    cleared,
    strength,
)
from holdfast.matching.search import Near, near, still_likeness
from holdfast.matching.shots import Pair, looked_at
from holdfast.matching.videos import Film, extents_of


@dataclass(frozen=True)
class Copy:
    """``item`` is like ``against``, or like the ``entry`` of a bank; one of the two."""

    item: UUID
    against: UUID | None
    like: Likeness
    entry: int | None = None


def find_copies(item_id: UUID) -> list[Copy]:
    """Every registered copy of an item on its platform, and the reposts of them all.

    Copies are measured against this item's own media and never against another copy.
    An item appears once, by its strongest likeness; the item itself does not appear,
    nor what people said is no copy of it.
    """
    found: dict[UUID, Likeness] = {}
    around = family(item_id)
    for other in around:
        _keep(found, other, REPOST_OF_IT)
    for other, like in _alike(around):
        _keep(found, other, like)
    shown = {other: like for other, like in found.items() if like.basis != Basis.REPOST}
    for other, reposts in families_of(shown).items():
        for repost in reposts - {other}:
            _keep(found, repost, shown[other].of_repost())
    found.pop(item_id, None)
    possible = [other for other, like in found.items() if not like.certain]
    for other in _rejected(item_id, possible):
        del found[other]
    return [Copy(other, item_id, like) for other, like in found.items()]


def find_known(item_id: UUID) -> list[Copy]:
    """What that was reported, decided or banked an item is a copy of, strongest first.

    Bytes that people cleared are left alone, unless the same bytes stand decided as
    violating elsewhere: then what was reported or decided does not count against them,
    and of what comes from other banks only the very same bytes do. A person looks.
    """
    items: dict[UUID, Likeness] = {}
    others: dict[UUID, tuple[Likeness, int]] = {}
    for print_ in Fingerprint.objects.filter(item=item_id):
        for entry, like in _known(print_):
            if entry.item_id is not None:
                _keep(items, entry.item_id, like)
            elif entry.bank_id not in others or strength(like) < strength(
                others[entry.bank_id][0]
            ):
                others[entry.bank_id] = (like, entry.id)
    copies = [Copy(item_id, against, like) for against, like in items.items()]
    copies += [Copy(item_id, None, like, entry) for like, entry in others.values()]
    return sorted(copies, key=lambda copy: strength(copy.like))


def cleared_among(item_ids: Iterable[UUID]) -> set[UUID]:
    """The items of which people cleared the very bytes of all their media.

    Media that are not fingerprinted yet could show anything: their item is not cleared.
    """
    items = list(item_ids)
    if not read(_DECIDED_BYTES, items, SignalKind.SHA256):
        return set()
    prints = Fingerprint.objects.filter(item__in=items, media__replaced_at=None)
    states: dict[bytes, set[str]] = {}
    banked = decided_here().filter(digest__in=prints.values("sha256"))
    for digest, state in banked.values_list("digest", "state"):
        states.setdefault(bytes(digest or b""), set()).add(state)
    digests: dict[UUID, set[bytes]] = {}
    for item_id, digest in prints.values_list("item", "sha256"):
        digests.setdefault(item_id, set()).add(bytes(digest))
    unknown = Media.objects.filter(
        item__in=digests, replaced_at=None, state=MediaState.WAITING
    ).values_list("item", flat=True)
    return {
        item_id
        for item_id, each in digests.items()
        if all(cleared(states.get(digest, ())) for digest in each)
    } - set(unknown)


_DECIDED_BYTES: LiteralString = """
SELECT 1 FROM hf_fingerprint print JOIN hf_bank_entry entry ON entry.digest = sha256
WHERE print.item_id = ANY(%s) AND entry.kind = %s AND decision_id IS NOT NULL LIMIT 1
"""
"""Whether people decided on any of the bytes at all: of most reports they have not."""


def decided_here() -> QuerySet[BankEntry]:
    """The entries that people's decisions on this installation made, bytes only.

    What a bank from elsewhere says is no decision: people have still to look.
    """
    return BankEntry.objects.filter(
        kind=SignalKind.SHA256, decision_id__isnull=False
    ).exclude(state=BankState.REVOKED)


def is_known_violation(item_id: UUID) -> bool:
    """Whether the very bytes of an item have been decided as violating before."""
    digests = Fingerprint.objects.filter(item=item_id).values("sha256")
    known = decided_here().filter(digest__in=digests, state=BankState.ACTIVE)
    return known.exclude(item=item_id).exists()


def may_be_shown(print_: Fingerprint) -> bool:
    """Whether people cleared the same bytes elsewhere on this platform."""
    decided = decided_here().filter(
        digest=print_.sha256, item__platform=print_.platform_id
    )
    states = decided.exclude(item=print_.item_id).values_list("state", flat=True)
    return cleared(states)


def looked_for() -> QuerySet[BankEntry]:
    """The entries that match at all: not cleared, not revoked, not expired."""
    return BankEntry.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=clock.now()),
        state__in=[BankState.QUARANTINED, BankState.ACTIVE],
    )


def _alike(item_ids: Iterable[UUID]) -> Iterator[tuple[UUID, Likeness]]:
    """Other media on the platform that are like those of some items of one platform."""
    prints = {
        each.id: each for each in Fingerprint.objects.filter(item__in=list(item_ids))
    }
    if not prints:
        return
    platform = next(iter(prints.values())).platform_id
    yield from _same_bytes(platform, prints.values())
    found = near(search.registered, View.objects.filter(fingerprint__in=prints))
    rows = View.objects.filter(platform=platform).in_bulk({hit.row_id for hit in found})
    pairs = [
        (hit, row)
        for hit in found
        if (row := rows.get(hit.row_id)) is not None
        and hit.view.fingerprint_id != row.fingerprint_id
    ]
    alike = list(_likenesses(pairs, query_is_copy=False))
    likes = looked_at([Pair(one.media_id, row.media_id, it) for one, row, it in alike])
    for (_, row, _), like in zip(alike, likes, strict=True):
        yield row.item_id, like


def _likenesses(
    pairs: Iterable[tuple[Near, View]], *, query_is_copy: bool
) -> Iterator[tuple[View, View, Likeness]]:
    """What the hits between views come to, for each two pieces of media: a view of
    either, the query's first."""
    by_media: dict[tuple[int, int], list[tuple[Near, View]]] = {}
    for hit, row in pairs:
        both = (hit.view.fingerprint_id, row.fingerprint_id)
        by_media.setdefault(both, []).append((hit, row))
    films = {
        both: found
        for both, found in by_media.items()
        if found[0][0].view.at_ms is not None and found[0][1].at_ms is not None
    }
    extents = extents_of({other for _, other in films})
    asked = {one: Film(one) for one in {one for one, _ in films}}
    for (one, other), found in by_media.items():
        like: Likeness | None
        if (one, other) in films:
            like = asked[one].likeness(
                extents[other], found, query_is_copy=query_is_copy
            )
        else:
            like = still_likeness(found, query_is_copy=query_is_copy)
        if like is not None:
            yield found[0][0].view, found[0][1], like


def _same_bytes(
    platform: UUID, prints: Iterable[Fingerprint]
) -> Iterator[tuple[UUID, Likeness]]:
    ours: dict[bytes, set[int]] = {}
    for print_ in prints:
        ours.setdefault(bytes(print_.sha256), set()).add(print_.id)
    same = Fingerprint.objects.filter(platform=platform, sha256__in=list(ours))
    for id_, item, digest in same.values_list("id", "item", "sha256"):
        if ours[bytes(digest)] - {id_}:
            yield item, SAME_BYTES


def _known(print_: Fingerprint) -> Iterator[tuple[BankEntry, Likeness]]:
    """The entries that one piece of media is like, each with how."""
    entries = (
        looked_for()
        .filter(
            Q(item__platform=print_.platform_id)
            | Q(item=None, target=None)
            | Q(target__report__platform=print_.platform_id)
        )
        .exclude(item=print_.item_id)
    )
    shown = may_be_shown(print_)
    if shown:
        entries = entries.filter(item=None, target=None)
    for entry in entries.filter(digest__in=[print_.sha256, print_.md5]):
        yield entry, SAME_BYTES if entry.kind == SignalKind.SHA256 else SAME_MD5
    if shown:
        return
    found = near(search.banked, View.objects.filter(fingerprint=print_))
    rows = entries.in_bulk({hit.row_id for hit in found})
    pairs = [(hit, rows[hit.row_id]) for hit in found if hit.row_id in rows]
    yield from _like_known_films(print_, [entry for _, entry in pairs])
    by_picture: dict[object, list[tuple[Near, BankEntry]]] = {}
    for hit, entry in pairs:
        if entry.at_ms is None or hit.view.at_ms is None:
            # What stands for no media here is one picture by itself.
            by_picture.setdefault(entry.media_id or entry.id, []).append((hit, entry))
    known = [
        (
            min(stills, key=lambda pair: pair[0].distance_bits)[1],
            still_likeness(stills, query_is_copy=True),
        )
        for stills in by_picture.values()
    ]
    likes = looked_at(
        [Pair(entry.media_id, print_.media_id, like) for entry, like in known]
    )
    for (entry, _), like in zip(known, likes, strict=True):
        yield entry, like


def _like_known_films(
    print_: Fingerprint, entries: Sequence[BankEntry]
) -> Iterator[tuple[BankEntry, Likeness]]:
    """The known videos that a video shares frames with, and how much of them.

    A bank holds each frame once; how long it is seen, only the video's own views say.
    """
    if print_.duration_ms is None:
        return
    known = {
        entry.media_id: entry
        for entry in entries
        if entry.media_id is not None and entry.at_ms is not None
    }
    if not known:
        return
    found = near(search.registered, View.objects.filter(fingerprint=print_))
    rows = View.objects.filter(media__in=known).in_bulk({hit.row_id for hit in found})
    pairs = [(hit, rows[hit.row_id]) for hit in found if hit.row_id in rows]
    for _, row, like in _likenesses(pairs, query_is_copy=True):
        yield known[row.media_id], like


def _rejected(against: UUID, items: Sequence[UUID]) -> set[UUID]:
    """Which of some possible copies people have said are none."""
    if not items:
        return set()
    said = Match.objects.filter(
        against=against, item__in=items, rejected_at__isnull=False
    )
    return set(said.values_list("item", flat=True))


def _keep(found: dict[UUID, Likeness], key: UUID, like: Likeness) -> None:
    known = found.get(key)
    if known is None or strength(like) < strength(known):
        found[key] = like
