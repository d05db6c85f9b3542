"""Hash exchanges: setting one up, and keeping its bank as it is there.

A pull is taken page by page. In one transaction stand what a page brought, what it took
back and the cursor after it, so a sync that is killed anywhere goes on where it was. No
network inside a transaction. What an exchange takes back is revoked here, and what it
brings again is looked for again, unless people said that it never is (see ``blocks``);
what it merely failed to say is kept. When everything is pulled anew, what that round
did not bring has gone.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.deadlock import again_after_deadlock
from holdfast.base.errors import HoldfastError, InvalidInput, NotFound, Refused
from holdfast.base.events import Kind, alarm, emit
from holdfast.matching import bank as banks
from holdfast.matching.connectors import connect as connectors
from holdfast.matching.connectors.exchange import (
    CredentialsRefused,
    Cursor,
    Exchange,
    Malformed,
    Update,
)
from holdfast.matching.formats import Kind as SignalKind
from holdfast.matching.formats import Signal
from holdfast.matching.models import (
    BankBlock,
    BankEntry,
    BankKind,
    BankState,
    ExchangeRecord,
    HashExchange,
)
from holdfast.policy import queries as policies
from holdfast.vault.installation import keys

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=10)
"""How long after one sync the next begins: HMA, the field's own desk, promises that new
hashes match within ten minutes."""
LONGEST_PAUSE = timedelta(hours=6)
"""One that keeps failing is tried again after ever longer pauses, up to this."""
MOST_LOST = 0.5
MANY = 100
"""A round that did not bring back more than this share of at least so many records says
that something is wrong there, and not that the hashes are."""
TOLD = 20
"""Malformed records that the result names; all are counted."""
TAKEN_BACK = "The exchange has taken it back."


@dataclass
class Synced:
    """What a sync came to. ``malformed`` names the first of ``malformed_count``."""

    entered: int = 0
    revoked: int = 0
    pages: int = 0
    malformed_count: int = 0
    malformed: list[Malformed] = field(default_factory=list)
    lost: int = 0
    """Records that a whole round did not bring, kept until somebody accepts it."""


def add_exchange(
    slug: str,
    kind: str,
    *,
    name: str,
    url: str = "",
    credentials: str = "",
    settings: Mapping[str, Any] | None = None,
    category: str,
    by: By,
) -> UUID:
    """Set up an exchange and its bank, or change how it is reached; returns its id.

    Nothing is sent. Pulls begin anew where the address or the settings change. Raises
    ``InvalidInput`` for what the exchange cannot be set up with.
    """
    by.require(Permission.BANK_MANAGE)
    policies.category_of(category)
    settings = dict(settings or {})
    connectors.connect(kind, url, credentials, settings)
    with transaction.atomic():
        bank = banks.open_bank(
            slug,
            name,
            BankKind.EXCHANGE,
            source=url or str(settings.get("path", "")),
            category=category,
            by=by,
        )
        old = HashExchange.objects.select_for_update().filter(bank=bank).first()
        if old is not None and old.kind != kind:
            raise InvalidInput("This name belongs to an exchange of another kind.")
        exchange = old or HashExchange(
            bank_id=bank, kind=kind, added_at=clock.now(), added_by=str(by)
        )
        if (exchange.url, exchange.settings) != (url, settings):
            exchange.cursor = None
        exchange.url, exchange.settings = url, settings
        exchange.credentials = keys().encrypt_secret(
            credentials, bound_to=_bound_to(exchange.id)
        )
        exchange.tried_at, exchange.failures = None, 0
        exchange.save()
        about = {"exchange": exchange.id, "bank": bank}
        emit(Kind.EXCHANGE_ADDED, about=about, facts={"kind": kind}, by=by)
    return exchange.id


def sync(
    slug: str, *, accept_loss: bool = False, patience: object = None, by: By
) -> Synced:
    """Pull what is new from an exchange into its bank.

    ``accept_loss``: pull everything anew and take back whatever does not come, however
    much it is. A failure is alarmed and raised; what came before it is kept, and the
    next sync goes on there. Raises ``Refused`` if another sync is at it, or people let
    nothing more come from there.
    """
    by.require(Permission.BANK_MANAGE)
    exchange = _of(slug)
    _refuse_stopped(exchange)
    try:
        connection = connectors.connect(
            exchange.kind,
            exchange.url,
            keys().decrypt_secret(
                exchange.credentials, bound_to=_bound_to(exchange.id)
            ),
            exchange.settings,
            patience,
        )
        return _Sync(exchange.id, slug, by).run(connection, accept_loss)
    except Refused:
        raise
    except Exception as error:
        _failed(exchange.id, error)
        raise


def sync_due() -> None:
    """Tick: sync every exchange whose time has come; each failure is alarmed."""
    now = clock.now()
    stopped = BankBlock.objects.filter(entry=None, lift=None).values("bank")
    wanted = HashExchange.objects.exclude(bank__in=stopped).select_related("bank")
    for exchange in wanted.order_by("added_at"):
        pause = min(EVERY * 2 ** min(exchange.failures, 10), LONGEST_PAUSE)
        if exchange.tried_at is None or exchange.tried_at + pause <= now:
            try:
                sync(exchange.bank.slug, by=SYSTEM)
            except HoldfastError as error:
                log.error("sync failed exchange=%s why=%s", exchange.id, error.code)


class _Sync:
    """One sync under way; it notices when another has gone on before it."""

    def __init__(self, exchange_id: UUID, slug: str, by: By) -> None:
        self.id = exchange_id
        self.by = by
        self.told = Synced()
        # What it enters and revokes is by this name, so that what people revoked is
        # told from what the exchange itself took back.
        self.itself = By("exchange", slug, frozenset({Permission.BANK_MANAGE}))
        self._cursor: Cursor | None = None
        self._round = 0

    def run(self, connection: Exchange, accept_loss: bool) -> Synced:
        """Pull until nothing is left."""
        self._begin(connection, accept_loss)
        for update in connection.pull(self._cursor):
            self._take(update)
            self._cursor = dict(update.cursor)
        self._end(accept_loss)
        return self.told

    def _begin(self, connection: Exchange, anew: bool) -> None:
        with transaction.atomic():
            exchange = HashExchange.objects.select_for_update().get(id=self.id)
            cursor = exchange.cursor
            if anew or cursor is None or connection.is_stale(cursor):
                exchange.cursor, exchange.is_full = None, True
                exchange.round += 1
            exchange.tried_at = clock.now()
            exchange.save()
        self._cursor, self._round = exchange.cursor, exchange.round

    @again_after_deadlock
    def _take(self, update: Update) -> None:
        told = Synced()
        with transaction.atomic():
            exchange = self._mine()
            self._restore(exchange, update)
            told.entered = self._enter(exchange, update)
            told.revoked = self._take_back(exchange, update)
            exchange.cursor = dict(update.cursor)
            exchange.save(update_fields=["cursor"])
        # After the commit, so that what is done again after a deadlock counts once.
        self.told.entered += told.entered
        self.told.revoked += told.revoked
        self.told.pages += 1
        self.told.malformed_count += len(update.malformed)
        room = TOLD - len(self.told.malformed)
        self.told.malformed += update.malformed[:room]

    @again_after_deadlock
    def _end(self, accept_loss: bool) -> None:
        revoked = 0
        with transaction.atomic():
            exchange = self._mine()
            if exchange.is_full:
                old = exchange.records.filter(round__lt=self._round)
                lost, all_ = old.count(), exchange.records.count()
                if all_ >= MANY and lost > MOST_LOST * all_ and not accept_loss:
                    alarm("exchange.shrank", about={"exchange": self.id})
                    self.told.lost = lost
                else:
                    revoked = self._drop(old.values_list("id", flat=True))
            exchange.is_full = False
            exchange.synced_at, exchange.failures = clock.now(), 0
            exchange.save(update_fields=["is_full", "synced_at", "failures"])
            emit(
                Kind.EXCHANGE_SYNCED,
                about={"exchange": self.id, "bank": exchange.bank_id},
                facts={
                    "entered": self.told.entered,
                    "revoked": self.told.revoked + revoked,
                    "malformed": self.told.malformed_count,
                    "lost": self.told.lost,
                },
                by=self.by,
            )
        self.told.revoked += revoked

    def _mine(self) -> HashExchange:
        """The exchange's row, locked, if it still stands where this sync left it."""
        exchange = HashExchange.objects.select_for_update().get(id=self.id)
        if (exchange.round, exchange.cursor) != (self._round, self._cursor):
            raise Refused("Another sync of this exchange is at it.", exchange=self.id)
        _refuse_stopped(exchange)
        return exchange

    def _restore(self, exchange: HashExchange, update: Update) -> None:
        """What the exchange took back, and brings again, is looked for again."""
        signals = {signal for each in update.changed for signal in each.signals}
        back = [
            entry.id
            for entry in _entries(exchange, signals)
            if entry.state == BankState.REVOKED
            and (entry.revoked_by == str(self.itself) or _is_lifted(entry))
        ]
        if back:
            banks.renew(exchange.bank_id, back, by=self.itself)

    def _enter(self, exchange: HashExchange, update: Update) -> int:
        """Enter the signals, and write down which record has which; how many are new.

        The signals that a record had and has no more are revoked in ``_take_back``.
        """
        signals = {signal for each in update.changed for signal in each.signals}
        given = (banks.SignalGiven(each.kind, each.value) for each in signals)
        entered = banks.enter(exchange.bank_id, given, by=self.itself)
        ids = {_signal(entry): entry.id for entry in _entries(exchange, signals)}
        ExchangeRecord.objects.bulk_create(
            [
                ExchangeRecord(
                    exchange=exchange,
                    key=each.key,
                    entry_id=ids[signal],
                    labels=" · ".join(each.labels)[:400],
                    round=self._round,
                )
                for each in {record.key: record for record in update.changed}.values()
                for signal in set(each.signals)
            ],
            update_conflicts=True,
            unique_fields=["exchange", "key", "entry"],
            update_fields=["labels", "round"],
        )
        return entered

    def _take_back(self, exchange: HashExchange, update: Update) -> int:
        """Revoke what no record has any more; returns how many."""
        kept = {each.key for each in update.malformed if each.key}
        exchange.records.filter(key__in=kept).update(round=self._round)
        now = {each.key: each.signals for each in update.changed}
        whole = [key for key in now if key not in kept]
        gone = [
            record.id
            for record in exchange.records.filter(key__in=whole).select_related("entry")
            if _signal(record.entry) not in now[record.key]
        ]
        removed = exchange.records.filter(key__in=set(update.removed) - kept)
        return self._drop([*gone, *removed.values_list("id", flat=True)])

    def _drop(self, record_ids: Iterable[int]) -> int:
        revoked = 0
        rest = iter(list(record_ids))
        while some := list(islice(rest, banks.AT_ONCE)):
            records = ExchangeRecord.objects.filter(id__in=some)
            entries = set(records.values_list("entry", flat=True))
            records.delete()
            held = ExchangeRecord.objects.filter(entry__in=entries)
            entries -= set(held.values_list("entry", flat=True))
            if entries:
                revoked += banks.revoke(entries, TAKEN_BACK, by=self.itself)
        return revoked


def _entries(
    exchange: HashExchange, signals: Collection[Signal]
) -> Iterable[BankEntry]:
    """The entries of the exchange's bank that stand for these signals."""
    for kind in SignalKind:
        column = "pdq" if kind is SignalKind.PDQ else "digest"
        values = [each.value for each in signals if each.kind is kind]
        if values:
            yield from BankEntry.objects.filter(
                bank=exchange.bank_id, item=None, kind=kind, **{f"{column}__in": values}
            )


def _is_lifted(entry: BankEntry) -> bool:
    """Whether people took it back, and said since that it may come again."""
    since = BankBlock.objects.filter(entry=entry, lift__lifted_at__gt=entry.revoked_at)
    return since.exists()


def _refuse_stopped(exchange: HashExchange) -> None:
    if banks.is_stopped(exchange.bank_id):
        raise Refused(
            "People have blocked this exchange: nothing is pulled from it until one of"
            " them lifts that. See: holdfast bank blocks",
            exchange=exchange.id,
        )


def _signal(entry: BankEntry) -> Signal:
    value = entry.pdq if entry.pdq is not None else entry.digest
    assert value is not None  # The table's constraint.
    return Signal(SignalKind(entry.kind), bytes(value))


def _failed(exchange_id: UUID, error: Exception) -> None:
    with transaction.atomic():
        exchange = HashExchange.objects.select_for_update().get(id=exchange_id)
        exchange.failures += 1
        exchange.tried_at = clock.now()
        exchange.save(update_fields=["failures", "tried_at"])
        about = {"exchange": exchange_id}
        if isinstance(error, CredentialsRefused):
            alarm("exchange.refuses_us", about=about)
        else:
            alarm("exchange.failing", about=about)


def _of(slug: str) -> HashExchange:
    exchange = HashExchange.objects.filter(bank__slug=slug).first()
    if exchange is None:
        raise NotFound("There is no exchange of this name. See: holdfast exchange list")
    return exchange


def _bound_to(exchange_id: UUID) -> str:
    return f"hash-exchange:{exchange_id}"
