"""Where a picture, a video or a hash stands that nobody registered: ``holdfast find``.

The same search as a report's, asked from outside: over every platform, with signals
that are kept nowhere. It changes nothing and opens no picture. Whoever may ask learns
whether given bytes are known here, so that somebody asked is written down, with how
much was found and never with what was asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.events import Kind, emit
from holdfast.fingerprints.models import Fingerprint, View
from holdfast.items.models import Item
from holdfast.items.queries import families_of
from holdfast.matching import search
from holdfast.matching.closer import made_of
from holdfast.matching.index import Hit
from holdfast.matching.models import BankEntry, SignalKind
from holdfast.matching.rules import (
    SAME_BYTES,
    SAME_MD5,
    VARIANTS,
    Likeness,
    strength,
)
from holdfast.matching.search import Near, hits, still_likeness
from holdfast.matching.shots import looked_at_beside
from holdfast.matching.videos import extents_of, film_likeness
from holdfast.signals.features import Query
from holdfast.signals.pdq import MAX_QUALITY, PDQ
from holdfast.signals.sign import Part, Signals
from holdfast.signals.sign import View as SignedView
from holdfast.signals.video_match import FrameHit, Question


@dataclass(frozen=True)
class Sought:
    """What is looked for; what is not known of it is None, or no view at all."""

    sha256: bytes | None = None
    md5: bytes | None = None
    views: tuple[SignedView, ...] = ()
    features: Query | None = None
    """To find crops, captions and screenshots by; of a picture only."""

    @classmethod
    def of(cls, signals: Signals, features: Query | None = None) -> Sought:
        """Everything that is known of a picture or a video."""
        return cls(signals.sha256, signals.md5, signals.views, features)

    @classmethod
    def of_forms(cls, forms: Sequence[bytes]) -> Sought:
        """A fingerprint of 32 bytes, or that and its seven turns in Meta's order."""
        variants = tuple(PDQ(bits, MAX_QUALITY) for bits in forms)
        return cls(views=(SignedView(Part.WHOLE, variants),))

    @classmethod
    def of_pdq(cls, bits: bytes) -> Sought:
        """A fingerprint of 32 bytes alone.

        How it would look turned or mirrored is nearly known, so that turned copies of
        it are found, and what banks know of it as it stands. What says too little to be
        compared cannot be told without the picture.
        """
        return cls.of_forms([bits])


@dataclass(frozen=True)
class FoundCopy:
    """An item that shows the same: how, and where it stands."""

    item: UUID
    platform: str
    """The platform's slug."""
    external_id: str
    kind: str
    state: str
    deleted_at: datetime | None
    like: Likeness


@dataclass(frozen=True)
class FoundEntries:
    """Entries of one bank, of one category and state: the nearest, and how many."""

    bank: str
    """The bank's slug."""
    category: str
    state: str
    expired: bool
    entries: int
    like: Likeness


@dataclass(frozen=True)
class Found:
    """Copies on all platforms, and what banks know; the strongest likeness first."""

    copies: tuple[FoundCopy, ...]
    known: tuple[FoundEntries, ...]


def find_signals(sought: Sought, *, by: By) -> Found:
    """Where copies of something stand, and which banks know it.

    Crops, captions and screenshots are looked for where ``sought`` has features, which
    takes seconds and more. Reposts of the copies are among them. An item is named once,
    by its strongest likeness: ``variant`` is how the copy was turned, ``at_ms`` when it
    is seen in a video of ours, or in the one asked about where the copy is a still.
    """
    by.require(Permission.COPIES_FIND)
    copies, known = _copies(sought), _known(sought)
    with transaction.atomic():
        facts = {"copies": len(copies), "known": len(known)}
        emit(Kind.COPIES_SOUGHT, about={}, facts=facts, by=by)
    return Found(copies, known)


def banked(sought: Sought) -> Iterator[tuple[BankEntry, Likeness]]:
    """The entries of banks that something is like, whatever their state."""
    yield from _banked_bytes(sought)
    yield from _banked_pictures(sought)


class _Asked:
    """The views that are asked for, each turned in every way that is known."""

    def __init__(self, views: Sequence[SignedView]) -> None:
        self._turned = [
            (view, number)
            for view in views
            if view.is_comparable
            for number in range(len(view.variants))
        ]
        self.pdqs = [view.variants[number].bits for view, number in self._turned]

    def is_moment(self, query: int) -> bool:
        """Whether this one is seen in a video at some time."""
        return self._turned[query][0].at_ms is not None

    def near(self, hit: Hit) -> Near:
        """A hit as the rules of stills take it."""
        view, number = self._turned[hit.query]
        row = View(part=view.part, at_ms=view.at_ms)
        return Near(row, VARIANTS[number], hit.row_id, hit.distance_bits)


def _copies(sought: Sought) -> tuple[FoundCopy, ...]:
    found: dict[UUID, Likeness] = {}
    for item, like in (*_same_bytes(sought), *_looked_at(sought)):
        _keep(found, item, like)
    if sought.features is not None:
        sure = [item for item, like in found.items() if like.certain]
        for item, like in made_of(sought.features, leave=sure):
            _keep(found, item, like)
    for item, reposts in families_of(list(found)).items():
        for repost in reposts - {item}:
            _keep(found, repost, found[item].of_repost())
    items = Item.objects.filter(id__in=found).select_related("platform")
    copies = [
        FoundCopy(
            item=item.id,
            platform=item.platform.slug,
            external_id=item.external_id,
            kind=item.kind,
            state=item.state,
            deleted_at=item.deleted_at,
            like=found[item.id],
        )
        for item in items.order_by("platform__slug", "registered_at", "id")
    ]
    return tuple(sorted(copies, key=lambda copy: strength(copy.like)))


def _same_bytes(sought: Sought) -> Iterator[tuple[UUID, Likeness]]:
    for column, like in (("sha256", SAME_BYTES), ("md5", SAME_MD5)):
        digest = getattr(sought, column)
        if digest is not None:
            same = Fingerprint.objects.filter(**{column: digest})
            for item in same.values_list("item", flat=True):
                yield item, like


def _looked_at(sought: Sought) -> Iterator[tuple[UUID, Likeness]]:
    """What is alike, and where the picture is at hand, what its pixels say of that."""
    found = list(alike(sought))
    likes = [like for _, like in found]
    if sought.features is not None:
        copies = [(row.media_id, like) for row, like in found]
        likes = looked_at_beside(sought.features.plain.thumbnail, copies)
    for (row, _), like in zip(found, likes, strict=True):
        yield row.item_id, like


def alike(sought: Sought) -> Iterator[tuple[View, Likeness]]:
    """What looks like it on every platform, by a view of each piece of media."""
    alone = [each.pdq.bits for each in sought.views if _is_alone(each)]
    yield from _alike_turned(alone)
    whole = tuple(each for each in sought.views if not _is_alone(each))
    asked = _Asked(whole)
    found = hits(search.registered, asked.pdqs)
    rows = View.objects.in_bulk({hit.row_id for hit in found})
    by_media: dict[int, list[tuple[Hit, View]]] = {}
    for hit in found:
        if (row := rows.get(hit.row_id)) is not None:
            by_media.setdefault(row.fingerprint_id, []).append((hit, row))
    films = {
        print_: pairs
        for print_, pairs in by_media.items()
        if asked.is_moment(pairs[0][0].query) and pairs[0][1].at_ms is not None
    }
    yield from _alike_films(whole, films)
    for print_, pairs in by_media.items():
        if print_ not in films:
            stills = [(asked.near(hit), row) for hit, row in pairs]
            yield pairs[0][1], still_likeness(stills, query_is_copy=False)


def _is_alone(view: SignedView) -> bool:
    """Whether it is a hash that came without its picture, and so without its turns."""
    return len(view.variants) == 1 and view.at_ms is None and view.is_comparable


def _alike_turned(pdqs: Sequence[bytes]) -> Iterator[tuple[View, Likeness]]:
    whole = View(part=Part.WHOLE)
    for hit in search.turned(pdqs):
        near = Near(whole, hit.variant, hit.view.id, hit.distance_bits)
        pair = (near, hit.view)
        yield hit.view, still_likeness([pair], query_is_copy=False)


def _alike_films(
    views: tuple[SignedView, ...], films: dict[int, list[tuple[Hit, View]]]
) -> Iterator[tuple[View, Likeness]]:
    """The registered videos that have enough of the frames of a video."""
    if not films:
        return
    # It asks for the same forms in the same order as :class:`_Asked`.
    question = Question(Signals(b"", b"", views, 0, 0, ""))
    extents = extents_of(films)
    for print_, pairs in films.items():
        frames = [
            FrameHit(
                query=hit.query,
                stored_at_ms=row.at_ms or 0,
                stored_part=Part(row.part),
                distance_bits=hit.distance_bits,
            )
            for hit, row in pairs
        ]
        overlap = question.overlap(extents[print_], frames)
        if overlap.is_copy or overlap.is_doubtful:
            yield pairs[0][1], film_likeness(overlap, query_is_copy=False)


def _known(sought: Sought) -> tuple[FoundEntries, ...]:
    """What banks have of it, whatever its state: people want to know that as well."""
    now = clock.now()
    by_state: dict[tuple[str, str, str, bool], list[Likeness]] = {}
    for entry, like in banked(sought):
        expired = entry.expires_at is not None and entry.expires_at <= now
        key = (entry.bank.slug, entry.category, entry.state, expired)
        by_state.setdefault(key, []).append(like)
    known = [
        FoundEntries(*key, len(likes), min(likes, key=strength))
        for key, likes in sorted(by_state.items())
    ]
    return tuple(sorted(known, key=lambda each: strength(each.like)))


def _banked_bytes(sought: Sought) -> Iterator[tuple[BankEntry, Likeness]]:
    digests = [each for each in (sought.sha256, sought.md5) if each is not None]
    if not digests:
        return
    entries = BankEntry.objects.filter(
        Q(kind=SignalKind.SHA256) | Q(kind=SignalKind.MD5), digest__in=digests
    )
    for entry in entries.select_related("bank"):
        yield entry, SAME_BYTES if entry.kind == SignalKind.SHA256 else SAME_MD5


def _banked_pictures(sought: Sought) -> Iterator[tuple[BankEntry, Likeness]]:
    asked = _Asked(sought.views)
    found = hits(search.banked, asked.pdqs)
    entries = _entries({hit.row_id for hit in found})
    by_entry: dict[int, list[tuple[Near, View | BankEntry]]] = {}
    for hit in found:
        if hit.row_id in entries:
            pair = (asked.near(hit), entries[hit.row_id])
            by_entry.setdefault(hit.row_id, []).append(pair)
    for entry_id, pairs in by_entry.items():
        yield entries[entry_id], still_likeness(pairs, query_is_copy=False)


def _entries(ids: Collection[int]) -> dict[int, BankEntry]:
    return BankEntry.objects.select_related("bank").in_bulk(ids)


def _keep(found: dict[UUID, Likeness], item: UUID, like: Likeness) -> None:
    if item not in found or strength(like) < strength(found[item]):
        found[item] = like
