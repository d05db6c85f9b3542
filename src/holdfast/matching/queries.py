"""What is a copy of what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from holdfast.fingerprints.models import Fingerprint
from holdfast.items.models import Item, Media, MediaState
from holdfast.items.queries import families_of, family
from holdfast.matching.index import PdqIndex
from holdfast.matching.models import BankEntry, BankState, Basis
from holdfast.signals.sign import MATCH_DISTANCE_BITS

_registered: PdqIndex[int] = PdqIndex("hf_fingerprint")
_bank: PdqIndex[UUID] = PdqIndex("hf_bank_entry")


@dataclass(frozen=True)
class Copy:
    """``item`` shows the same as ``against``, on this basis and at this distance."""

    item: UUID
    against: UUID
    basis: Basis
    distance_bits: int


def find_copies(item_id: UUID) -> list[Copy]:
    """Every registered copy of an item on its platform, and the reposts of them all.

    Copies are measured against this item's own media and never against another copy.
    An item appears once, on its strongest basis; the item itself does not appear.
    """
    found: dict[UUID, Copy] = {}
    roots = [
        item
        for item in sorted(family(item_id), key=lambda each: each != item_id)
        if item != item_id
    ]
    for root in roots:
        _keep(found, Copy(root, item_id, Basis.REPOST, 0))
    for measured in (item_id, *roots):
        for copy in _same_picture(measured):
            if copy.item != item_id:
                _keep(found, Copy(copy.item, item_id, copy.basis, copy.distance_bits))
    pictures = [copy for copy in found.values() if copy.basis != Basis.REPOST]
    families = families_of(copy.item for copy in pictures)
    for copy in pictures:
        for repost in families[copy.item] - {item_id}:
            _keep(found, Copy(repost, item_id, Basis.REPOST, copy.distance_bits))
    return list(found.values())


def find_known(item_id: UUID) -> list[Copy]:
    """What that was reported or decided an item is a copy of, the nearest first.

    Bytes that people cleared are left alone unless the same bytes stand decided as
    violating elsewhere.
    """
    found: dict[UUID, Copy] = {}
    for print_ in Fingerprint.objects.filter(item=item_id).select_related("item"):
        entries = BankEntry.objects.filter(item__platform=print_.platform_id).exclude(
            item=item_id
        )
        same = list(entries.filter(sha256=print_.sha256))
        if _cleared([entry.state for entry in same]):
            continue
        for entry in same:
            if entry.state != BankState.CLEARED:
                _keep(
                    found, Copy(item_id, entry.item_id, Basis.DIGEST, 0), by_item=False
                )
        if print_.pdq is None:
            continue
        distances = {
            hit.row_id: hit.distance_bits
            for hit in _bank.near(bytes(print_.pdq), MATCH_DISTANCE_BITS)
        }
        for entry in entries.filter(id__in=distances).exclude(state=BankState.CLEARED):
            copy = Copy(item_id, entry.item_id, Basis.PDQ, distances[entry.id])
            _keep(found, copy, by_item=False)
    return sorted(found.values(), key=lambda copy: copy.distance_bits)


def cleared_among(item_ids: Iterable[UUID]) -> set[UUID]:
    """The items of which people cleared the very bytes of all their media.

    Media that are not fingerprinted yet could show anything: their item is not cleared.
    """
    digests: dict[UUID, set[bytes]] = {}
    prints = Fingerprint.objects.filter(
        item__in=list(item_ids), media__replaced_at=None
    ).values_list("item", "sha256")
    for item_id, digest in prints:
        digests.setdefault(item_id, set()).add(bytes(digest))
    states: dict[bytes, set[str]] = {}
    banked = BankEntry.objects.filter(
        sha256__in={digest for each in digests.values() for digest in each}
    ).values_list("sha256", "state")
    for digest, state in banked:
        states.setdefault(bytes(digest), set()).add(state)
    unknown = Media.objects.filter(
        item__in=digests, replaced_at=None, state=MediaState.WAITING
    ).values_list("item", flat=True)
    return {
        item_id
        for item_id, each in digests.items()
        if all(_cleared(states.get(digest, ())) for digest in each)
    } - set(unknown)


def is_known_violation(item_id: UUID) -> bool:
    """Whether the very bytes of an item have been decided as violating before."""
    digests = Fingerprint.objects.filter(item=item_id).values("sha256")
    return (
        BankEntry.objects.filter(sha256__in=digests, state=BankState.ACTIVE)
        .exclude(item=item_id)
        .exists()
    )


def _same_picture(item_id: UUID) -> list[Copy]:
    platform = Item.objects.values_list("platform", flat=True).get(id=item_id)
    copies: list[Copy] = []
    for print_ in Fingerprint.objects.filter(item=item_id):
        others = Fingerprint.objects.filter(platform=platform).exclude(item=item_id)
        for other in others.filter(sha256=print_.sha256).values_list("item", flat=True):
            copies.append(Copy(other, item_id, Basis.DIGEST, 0))
        if print_.pdq is None:
            continue
        distances = {
            hit.row_id: hit.distance_bits
            for hit in _registered.near(bytes(print_.pdq), MATCH_DISTANCE_BITS)
        }
        for row_id, other in others.filter(id__in=distances).values_list("id", "item"):
            copies.append(Copy(other, item_id, Basis.PDQ, distances[row_id]))
    return copies


def _cleared(states: Iterable[str]) -> bool:
    kinds = set(states)
    return BankState.CLEARED in kinds and BankState.ACTIVE not in kinds


_STRENGTH = {Basis.DIGEST: 0, Basis.PDQ: 1, Basis.REPOST: 2}


def _keep(found: dict[UUID, Copy], copy: Copy, *, by_item: bool = True) -> None:
    key = copy.item if by_item else copy.against
    known = found.get(key)
    rank = (_STRENGTH[copy.basis], copy.distance_bits)
    if known is None or rank < (_STRENGTH[known.basis], known.distance_bits):
        found[key] = copy
