"""Never again: what people took back of a bank stays so until a person lifts it.

An exchange can bring again what it took back itself, and then that is looked for again.
So people can block it: an entry that they take back, one that its source took back
before them, or all that a bank might bring yet. A block and its lift are rows that
never change, each with who and why, and events like every act.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.deadlock import again_after_deadlock
from holdfast.base.errors import InvalidInput, NotFound, Refused
from holdfast.base.events import Kind, Telling, emit, emit_many
from holdfast.matching import bank as banks
from holdfast.matching.models import (
    Bank,
    BankBlock,
    BankEntry,
    BankKind,
    BankLift,
    BankState,
    ExchangeRecord,
)

FROM_ELSEWHERE = (BankKind.IMPORTED, BankKind.EXCHANGE)
"""The kinds of banks that bring things by themselves, or by the same file again."""
LISTED = 200
"""Blocks that one list shows, the newest of them."""


@dataclass(frozen=True)
class BlockLine:
    """A block: of one entry, or of all that a bank may bring when ``signal`` is blank.

    ``held`` says that the source has it still, so that lifting brings it back at once.
    """

    id: UUID
    bank: str
    """The bank's slug."""
    bank_name: str
    kind: str
    signal: str
    """In hexadecimal digits."""
    held: bool
    reason: str
    blocked_at: datetime
    blocked_by: str


@again_after_deadlock
def block(entry_ids: Collection[int], reason: str, *, by: By) -> int:
    """Take entries back, and never look for them again; returns how many changed.

    Those that are taken back already, by their source too, are blocked as well. What
    is of this installation itself is revoked, and brought by nobody. Twice changes
    nothing.
    """
    by.require(Permission.BANK_MANAGE)
    with transaction.atomic():
        entries = list(
            BankEntry.objects.select_for_update(no_key=True, of=("self",))
            .filter(id__in=entry_ids)
            .select_related("bank")
            .order_by("id")
        )
        revoked = [each.id for each in entries if each.state != BankState.REVOKED]
        banks.revoke(revoked, reason, by=by)
        known = BankBlock.objects.filter(entry__in=entries, lift=None)
        blocked = set(known.values_list("entry", flat=True))
        new = [
            each
            for each in entries
            if each.bank.kind in FROM_ELSEWHERE and each.id not in blocked
        ]
        rows = _write_down([(each.bank_id, each.id) for each in new], reason, by)
        emit_many(
            Kind.BANK_BLOCKED,
            [
                Telling({"bank": row.bank_id, "entry": row.entry_id, "block": row.id})
                for row in rows
            ],
            by=by,
        )
    return len({*revoked, *(each.id for each in new)})


@again_after_deadlock
def stop(slug: str, reason: str, *, by: By) -> None:
    """Let nothing more come into a bank. What it has stays until it is taken back.

    Twice changes nothing. Raises ``NotFound``, and ``InvalidInput`` for a bank of this
    installation itself.
    """
    by.require(Permission.BANK_MANAGE)
    with transaction.atomic():
        bank = Bank.objects.select_for_update(no_key=True).filter(slug=slug).first()
        if bank is None:
            raise NotFound("There is no bank of this name. See: holdfast bank list")
        if bank.kind not in FROM_ELSEWHERE:
            raise InvalidInput("What is in this bank was reported or decided here.")
        if banks.is_stopped(bank.id):
            return
        [row] = _write_down([(bank.id, None)], reason, by)
        emit(Kind.BANK_BLOCKED, about={"bank": bank.id, "block": row.id}, by=by)


@again_after_deadlock
def lift(block_id: UUID, reason: str, *, by: By) -> None:
    """End a block. What its source has still is looked for again at once.

    Raises ``NotFound``, and ``Refused`` for one that was lifted before.
    """
    by.require(Permission.BANK_MANAGE)
    why = _reason(reason)
    with transaction.atomic():
        row = BankBlock.objects.select_related("bank").filter(id=block_id).first()
        if row is None:
            raise NotFound("There is no such block. See: holdfast bank blocks")
        # Two people at the same moment are one after the other.
        Bank.objects.select_for_update(no_key=True).get(id=row.bank_id)
        if BankLift.objects.filter(block=row).exists():
            raise Refused("This block has been lifted already.", block=block_id)
        BankLift.objects.create(
            block=row, reason=why, lifted_at=clock.now(), lifted_by=str(by)
        )
        emit(
            Kind.BANK_UNBLOCKED,
            about={"bank": row.bank_id, "entry": row.entry_id, "block": row.id},
            by=by,
        )
        if row.entry_id is not None and _is_held(row):
            banks.renew(row.bank_id, [row.entry_id], by=by)


def blocks(*, by: By) -> list[BlockLine]:
    """What is blocked now, the newest first, up to :data:`LISTED`."""
    by.require(Permission.BANK_MANAGE)
    rows = BankBlock.objects.filter(lift=None).select_related("bank", "entry")
    return [_line(row) for row in rows.order_by("-blocked_at", "id")[:LISTED]]


def entries_of_signal(slug: str, digits: str, *, by: By) -> list[int]:
    """The entries of one bank that stand for a signal written in hexadecimal digits.

    In whatever state; those that are blocked already are not among them. Raises
    ``InvalidInput`` for what is no signal, and ``NotFound`` where there is none.
    """
    by.require(Permission.BANK_MANAGE)
    try:
        signal = bytes.fromhex(digits.strip())
    except ValueError:
        signal = b""
    if len(signal) not in set(banks.SIGNAL_BYTES.values()):
        raise InvalidInput(
            "A hash has 32 hexadecimal digits (MD5) or 64 (SHA-256, PDQ)."
        )
    of_it = BankEntry.objects.filter(Q(digest=signal) | Q(pdq=signal), bank__slug=slug)
    ids = open_to_blocking(of_it.filter(item=None, target=None).select_related("bank"))
    if not ids:
        raise NotFound("This bank has nothing of it that is not blocked already.")
    return ids


def open_to_blocking(entries: Iterable[BankEntry]) -> list[int]:
    """Those of some entries, with their banks, that :func:`block` would change."""
    some = list(entries)
    held = BankBlock.objects.filter(entry__in=some, lift=None)
    blocked = set(held.values_list("entry", flat=True))
    return [
        each.id
        for each in some
        if each.id not in blocked
        and (each.state != BankState.REVOKED or each.bank.kind in FROM_ELSEWHERE)
    ]


def _write_down(
    what: Collection[tuple[UUID, int | None]], reason: str, by: By
) -> list[BankBlock]:
    why, now = _reason(reason), clock.now()
    return BankBlock.objects.bulk_create(
        BankBlock(
            bank_id=bank, entry_id=entry, reason=why, blocked_at=now, blocked_by=str(by)
        )
        for bank, entry in what
    )


def _reason(reason: str) -> str:
    if len(reason.strip()) < banks.MIN_REVOKE_REASON:
        raise InvalidInput("Write why, in a sentence.")
    return reason.strip()


def _is_held(row: BankBlock) -> bool:
    """Whether its source has it now; of a file, what the file brought."""
    if row.bank.kind == BankKind.IMPORTED:
        return True
    return ExchangeRecord.objects.filter(entry=row.entry_id).exists()


def _line(row: BankBlock) -> BlockLine:
    entry = row.entry
    signal = b"" if entry is None else bytes(entry.pdq or entry.digest or b"")
    return BlockLine(
        id=row.id,
        bank=row.bank.slug,
        bank_name=row.bank.name,
        kind="" if entry is None else entry.kind,
        signal=signal.hex(),
        held=entry is not None and _is_held(row),
        reason=row.reason,
        blocked_at=row.blocked_at,
        blocked_by=row.blocked_by,
    )
