"""Banks from files and to files (the forms are in :mod:`holdfast.matching.formats`).

An import streams: any size, in the memory of one batch. Entering the same file again
changes nothing. Who took signals out is written down, because a list of hashes that
somebody fabricates with can be misused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import BinaryIO, TextIO

from django.db import transaction
from django.db.models import Q

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import InvalidInput, NotFound
from holdfast.base.events import Kind, emit
from holdfast.matching import bank as banks
from holdfast.matching import formats
from holdfast.matching.formats import Form, Problem, Signal
from holdfast.matching.models import Bank, BankEntry, BankKind, BankState
from holdfast.policy import queries as policies

TOLD = 20
"""Bad lines that the result holds; ``on_problem`` is told of every one."""
PROGRESS_EVERY = 1_000  # signals


@dataclass
class ImportResult:
    """What an import came to; ``problems`` are the first of ``problem_count``.

    ``read`` is how many good lines there were, ``entered`` how many signals were new to
    the bank; the others stood in it already, or twice in the file.
    """

    read: int = 0
    entered: int = 0
    problem_count: int = 0
    problems: list[Problem] = field(default_factory=list)


def import_bank(
    path: Path,
    *,
    slug: str,
    category: str = "",
    name: str = "",
    source: str = "",
    kind: formats.Kind | None = None,
    expires_at: datetime | None = None,
    on_problem: Callable[[Problem], None] = lambda _: None,
    progress: Callable[[int], None] = lambda _: None,
    by: By,
) -> ImportResult:
    """Enter a file's signals into the imported bank ``slug``, made if there is none.

    ``category`` may be blank for a known bank; ``kind`` says what lines are that do not
    say it. ``progress`` is told how many bytes have been read. Every good line is
    taken, whatever the others are. Raises ``InvalidInput`` where the file cannot be
    read or has no good line, the category is missing or none of the policy's, or the
    end is in the past; then no bank is made.
    """
    by.require(Permission.BANK_MANAGE)
    if expires_at is not None and expires_at <= clock.now():
        raise InvalidInput("This is to expire in the past.")
    _check_category(slug, category)
    try:
        file = path.open("rb")
    except OSError as error:
        raise InvalidInput(f"The file cannot be read: {error.strerror}.") from error
    with file:
        told = ImportResult()
        signals = _signals(file, kind, told, on_problem, progress)
        first = next(signals, None)
        if first is None:
            raise _no_signal(told)
        bank_id = banks.open_bank(
            slug,
            name or slug,
            BankKind.IMPORTED,
            source=source or path.name,
            category=category,
            by=by,
        )
        given = (
            banks.SignalGiven(each.kind, each.value, each.quality, category, expires_at)
            for each in chain([first], signals)
        )
        told.entered = banks.enter(bank_id, given, by=by)
    facts = {
        "read": told.read,
        "entered": told.entered,
        "problems": told.problem_count,
    }
    with transaction.atomic():
        emit(Kind.BANK_IMPORTED, about={"bank": bank_id}, facts=facts, by=by)
    return told


def export_bank(
    slug: str,
    target: TextIO,
    form: Form,
    *,
    kind: formats.Kind | None = None,
    by: By,
) -> int:
    """Write a bank's signals that are in force; returns how many.

    A bank of what was decided here has the signals of what violates. Raises
    ``InvalidInput`` for signals of several kinds in a form that cannot tell them apart.
    """
    by.require(Permission.BANK_MANAGE)
    bank = Bank.objects.filter(slug=slug).first()
    if bank is None:
        raise NotFound("There is no bank of this name. See: holdfast bank list")
    try:
        count = formats.write(
            target, _in_force(bank, kind), form, bank=slug, tags=bank.category
        )
    except formats.Malformed as error:
        raise InvalidInput(f"This cannot be written: {error}.") from error
    with transaction.atomic():
        facts = {"entries": count}
        emit(Kind.BANK_EXPORTED, about={"bank": bank.id}, facts=facts, by=by)
    return count


def _check_category(slug: str, category: str) -> None:
    if category:
        policies.category_of(category)
    elif not Bank.objects.filter(slug=slug).exists():
        codes = ", ".join(each.code for each in policies.current().categories)
        raise InvalidInput(
            f"The bank {slug} would be a new one: say with --category what its hashes"
            f" are. By the policy in force that is one of: {codes}."
        )


def _no_signal(told: ImportResult) -> InvalidInput:
    if not told.problems:
        return InvalidInput("The file is empty. Nothing was entered.")
    first = told.problems[0]
    return InvalidInput(
        f"The file has no hash that can be read; its first bad line is {first.line}:"
        f" {first.why}. Nothing was entered."
    )


def _signals(
    file: BinaryIO,
    kind: formats.Kind | None,
    told: ImportResult,
    on_problem: Callable[[Problem], None],
    progress: Callable[[int], None],
) -> Iterator[Signal]:
    for each in formats.read(file, kind):
        if isinstance(each, Problem):
            told.problem_count += 1
            if len(told.problems) < TOLD:
                told.problems.append(each)
            on_problem(each)
            continue
        told.read += 1
        if told.read % PROGRESS_EVERY == 0:
            progress(file.tell())
        yield each
    progress(file.tell())


def _in_force(bank: Bank, kind: formats.Kind | None) -> Iterator[Signal]:
    """Each signal once: copies of one picture are banked with the same."""
    entries = BankEntry.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=clock.now()),
        bank=bank,
        state=BankState.ACTIVE,
    )
    if kind is not None:
        entries = entries.filter(kind=kind)
    last: Signal | None = None
    rows = entries.order_by("kind", "pdq", "digest").values_list(
        "kind", "pdq", "digest"
    )
    for name, pdq, digest in rows.iterator():
        signal = Signal(formats.Kind(name), bytes(pdq or digest or b""))
        if signal != last:
            yield signal
        last = signal
