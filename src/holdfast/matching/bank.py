"""Banks: signals from elsewhere that Holdfast looks for, and taking them back.

What a source says is no decision of ours: an entry can hide an item until people have
looked, and it can do nothing to an account. An entry ends by its date, or is revoked
with a reason; what it touched then goes to people again, and nothing is shown again
by itself. What people decided here is banked in :mod:`holdfast.matching.operations`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from django.db import transaction

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.deadlock import again_after_deadlock
from holdfast.base.errors import InvalidInput, Refused
from holdfast.base.events import Event, Kind, Telling, emit, emit_many
from holdfast.base.ids import uuid7
from holdfast.fingerprints.models import Fingerprint
from holdfast.matching import search
from holdfast.matching.models import (
    Bank,
    BankBlock,
    BankEntry,
    BankKind,
    BankState,
    SignalKind,
)
from holdfast.matching.operations import HERE, WATCHED, look_around, write_down
from holdfast.matching.queries import Copy, cleared_among, looked_for
from holdfast.matching.rules import (
    SAME_BYTES,
    SAME_MD5,
    Basis,
    Likeness,
    strength,
)
from holdfast.signals.sign import MIN_QUALITY, Part

SIGNAL_BYTES = {SignalKind.SHA256: 32, SignalKind.MD5: 16, SignalKind.PDQ: 32}
AT_ONCE = 10_000
"""Signals that are entered in one transaction, and searched back by one job."""
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_SLUG = 80  # characters
MIN_REVOKE_REASON = 10  # characters


@dataclass(frozen=True, slots=True)
class SignalGiven:
    """One signal of a bank: ``kind`` is sha256 (32 bytes), md5 (16) or pdq (32).

    ``quality`` is PDQ's, 0 to 100, None where the source does not say. A blank
    ``category`` is the bank's. ``expires_at`` None lasts until it is revoked.
    """

    kind: str
    signal: bytes
    quality: int | None = None
    category: str = ""
    expires_at: datetime | None = None


def open_bank(
    slug: str,
    name: str,
    kind: BankKind,
    *,
    source: str = "",
    category: str = "",
    by: By,
) -> UUID:
    """The bank of this slug, made if there is none; a known one stays as it is.

    Raises ``InvalidInput`` for a bank of our own decisions or its name, a known one of
    another kind, or a new one whose slug is not lower-case words with dashes between.
    """
    by.require(Permission.BANK_MANAGE)
    if kind not in (BankKind.IMPORTED, BankKind.EXCHANGE):
        raise InvalidInput("What was decided here is banked by deciding it.")
    # Taken or not yet: else what people decide here would stand in somebody's list.
    if slug.startswith(WATCHED) or slug in {ours for ours, _ in HERE.values()}:
        raise InvalidInput("A bank of Holdfast itself has this name. Take another.")
    is_plain = len(slug) <= MAX_SLUG and SLUG.fullmatch(slug)
    if not is_plain and not Bank.objects.filter(slug=slug).exists():
        raise InvalidInput(
            "What a bank is called here is lower-case words with dashes between them,"
            f" such as partner-list, up to {MAX_SLUG} characters."
        )
    with transaction.atomic():
        bank, new = Bank.objects.get_or_create(
            slug=slug,
            defaults={
                "name": name,
                "kind": kind,
                "source": source,
                "category": category,
                "added_by": str(by),
                "added_at": clock.now(),
            },
        )
        if bank.kind != kind:
            raise InvalidInput("A bank of this name comes from somewhere else.")
        if new:
            emit(Kind.BANK_OPENED, about={"bank": bank.id}, facts={"kind": kind}, by=by)
    return bank.id


def enter(bank_id: UUID, signals: Iterable[SignalGiven], *, by: By) -> int:
    """Enter signals into a bank, any number of them; returns how many are new.

    In transactions of :data:`AT_ONCE`; entering the same again changes nothing but
    when they expire. What was revoked stays revoked. Pictures that say too little to be
    compared are left out. Raises ``InvalidInput`` for a signal of a wrong length, or
    one whose category neither it nor its bank says, and ``Refused`` for a bank into
    which people let nothing more come.
    """
    by.require(Permission.BANK_MANAGE)
    bank = Bank.objects.get(id=bank_id)
    if bank.kind not in (BankKind.IMPORTED, BankKind.EXCHANGE):
        raise InvalidInput("What was decided here is banked by deciding it.")
    if is_stopped(bank_id):
        raise Refused(
            "People have blocked this bank: nothing comes into it until one of them"
            " lifts that. See: holdfast bank blocks",
            bank=bank_id,
        )
    entered, rest = 0, iter(signals)
    while batch := list(islice(rest, AT_ONCE)):
        entered += _enter(bank, batch, by)
    return entered


def is_stopped(bank_id: UUID) -> bool:
    """Whether people let nothing more come into a bank; see ``blocks``."""
    return BankBlock.objects.filter(bank=bank_id, entry=None, lift=None).exists()


@again_after_deadlock
def revoke(entry_ids: Collection[int], reason: str, *, by: By) -> int:
    """Take entries back; returns how many. What they touched goes to people again."""
    by.require(Permission.BANK_MANAGE)
    if len(reason.strip()) < MIN_REVOKE_REASON:
        raise InvalidInput("Write why it is taken back, in a sentence.")
    with transaction.atomic():
        entries = list(
            BankEntry.objects.select_for_update(no_key=True)
            .filter(id__in=entry_ids)
            .exclude(state=BankState.REVOKED)
            .order_by("id")
        )
        BankEntry.objects.filter(id__in=[each.id for each in entries]).update(
            state=BankState.REVOKED,
            revoked_at=clock.now(),
            revoked_by=str(by),
            revoke_reason=reason.strip(),
        )
        emit_many(
            Kind.BANK_REVOKED,
            [Telling({"bank": each.bank_id, "entry": each.id}) for each in entries],
            by=by,
        )
    return len(entries)


@again_after_deadlock
def renew(bank_id: UUID, entry_ids: Collection[int], *, by: By) -> int:
    """Look again for what was revoked, as its source brings it again; how many.

    It is a new claim: what it found before comes before people again, as what a new
    entry finds does, and what they cleared meanwhile is not frozen by it. What people
    blocked stays as it is.
    """
    by.require(Permission.BANK_MANAGE)
    batch, now = uuid7(), clock.now()
    with transaction.atomic():
        revoked = BankEntry.objects.filter(id__in=entry_ids, state=BankState.REVOKED)
        mine = revoked.filter(bank=bank_id, item=None, target=None)
        # Locked first and asked then, so that a block of this moment is not missed.
        ids = [each.id for each in mine.select_for_update(no_key=True).order_by("id")]
        blocked = BankBlock.objects.filter(entry__in=ids, lift=None).values("entry")
        wanted = BankEntry.objects.filter(id__in=ids).exclude(id__in=blocked)
        renewed = wanted.update(
            state=BankState.ACTIVE,
            revoked_at=None,
            revoked_by="",
            revoke_reason="",
            renewed_at=now,
            batch=batch,
        )
        if renewed:
            _say_entered(bank_id, batch, renewed, by)
    return renewed


def search_back(event: Event) -> None:
    """Search what has just been entered back over everything that is registered."""
    entries = list(looked_for().filter(batch=event.about["batch"]))
    found: dict[UUID, tuple[UUID, Likeness, int]] = {}
    for item, platform, like, entry in (
        *_bytes_back(entries),
        *_pictures_back(entries),
    ):
        if item not in found or strength(like) < strength(found[item][1]):
            found[item] = (platform, like, entry)
    cleared = cleared_among(found)
    for item, (platform, like, entry) in sorted(found.items()):
        # People cleared these bytes: a picture that is like them says nothing new.
        if item not in cleared or like.basis == Basis.DIGEST:
            write_down(platform, Copy(item, None, like, entry), arrived=False)
    for item, (platform, _, _) in sorted(found.items()):
        look_around(platform, item)


def _enter(bank: Bank, signals: Sequence[SignalGiven], by: By) -> int:
    batch, now = uuid7(), clock.now()
    entries = [
        _entry(bank, batch, each, now, by)
        for each in signals
        if each.quality is None or each.quality >= MIN_QUALITY
    ]
    with transaction.atomic():
        BankEntry.objects.bulk_create(entries, ignore_conflicts=True)
        mine = BankEntry.objects.filter(batch=batch)
        new = mine.count()
        _prolong(bank, entries)
        if mine.exists():
            _say_entered(bank.id, batch, new, by)
    return new


def _say_entered(bank_id: UUID, batch: UUID, entries: int, by: By) -> None:
    emit(
        Kind.BANK_ENTERED,
        about={"bank": bank_id, "batch": batch},
        facts={"entries": entries},
        by=by,
    )


def _entry(
    bank: Bank, batch: UUID, given: SignalGiven, now: datetime, by: By
) -> BankEntry:
    kind = SignalKind(given.kind)
    if len(given.signal) != SIGNAL_BYTES[kind]:
        raise InvalidInput(
            f"A signal of the kind {kind} has {SIGNAL_BYTES[kind]} bytes.",
            bytes=len(given.signal),
        )
    category = given.category or bank.category
    if not category:
        raise InvalidInput("Say of which category the bank is, or each of its signals.")
    return BankEntry(
        bank=bank,
        kind=kind,
        digest=None if kind == SignalKind.PDQ else given.signal,
        pdq=given.signal if kind == SignalKind.PDQ else None,
        quality=given.quality,
        category=category,
        state=BankState.ACTIVE,
        batch=batch,
        entered_at=now,
        entered_by=str(by),
        expires_at=given.expires_at,
    )


def _prolong(bank: Bank, entries: Sequence[BankEntry]) -> None:
    """A known entry that is given again lasts as long as its source now says.

    It belongs to this batch then, so that what came while it had expired is searched,
    and what it found before that is found anew.
    """
    now = clock.now()
    by_end: dict[datetime | None, list[BankEntry]] = {}
    for each in entries:
        by_end.setdefault(each.expires_at, []).append(each)
    for ends, alike in by_end.items():
        for column in ("digest", "pdq"):
            signals = [s for s in (getattr(e, column) for e in alike) if s is not None]
            known = BankEntry.objects.filter(bank=bank, **{f"{column}__in": signals})
            known = known.exclude(state=BankState.REVOKED).exclude(expires_at=ends)
            known.filter(expires_at__lte=now).update(renewed_at=now)
            known.update(expires_at=ends, batch=alike[0].batch)


def _bytes_back(
    entries: Sequence[BankEntry],
) -> Iterator[tuple[UUID, UUID, Likeness, int]]:
    """(item, platform, likeness, entry) of the same bytes."""
    for column, like in (("sha256", SAME_BYTES), ("md5", SAME_MD5)):
        wanted = {
            bytes(each.digest): each.id
            for each in entries
            if each.kind == column and each.digest is not None
        }
        same = Fingerprint.objects.filter(**{f"{column}__in": list(wanted)})
        for item, platform, digest in same.values_list("item", "platform", column):
            yield item, platform, like, wanted[bytes(digest)]


def _pictures_back(
    entries: Sequence[BankEntry],
) -> Iterator[tuple[UUID, UUID, Likeness, int]]:
    """(item, platform, likeness, entry) of what looks the same, turned or not."""
    asked = [(each.id, bytes(each.pdq)) for each in entries if each.pdq is not None]
    for hit in search.turned([pdq for _, pdq in asked]):
        like = Likeness(
            Basis.PDQ,
            variant=hit.variant,
            trimmed=hit.view.part == Part.TRIMMED,
            distance_bits=hit.distance_bits,
            at_ms=hit.view.at_ms,
        )
        yield hit.view.item_id, hit.view.platform_id, like, asked[hit.query][0]
