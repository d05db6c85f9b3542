"""The log on the database: every event becomes a leaf, and every tree head is signed.

``append_to_log`` takes in what has been committed, in an order that a late commit
cannot slip under; ``verify_log`` proves a database or an export. It never changes an
event or a leaf, never signs two heads that disagree (the last checkpoint is read under
the lock under which the next is written), and never waits for a transaction: one that
stays open holds the log back, and that is an alarm.

What a database can prove of itself ends with its newest checkpoint: somebody who takes
away the newest events with their leaves and checkpoints is found only by a checkpoint
that was kept elsewhere. Therefore ``export_log`` writes the checkpoints too, and
``verify_log`` takes those of an export. The hashing is in ``log``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path

from django.db import connection, transaction
from django.db.models import TextField, Value
from django.db.models.functions import Cast

from holdfast.base import clock
from holdfast.base.errors import NotFound
from holdfast.base.events import Kind, alarm
from holdfast.base.fields import HORIZON_SQL, XidField
from holdfast.base.models import Event
from holdfast.vault.installation import keys
from holdfast.vault.log import (
    Frontier,
    Problem,
    VerifierKey,
    canonical,
    export_line,
    leaf_hash,
    sign_checkpoint,
    verify_export,
)
from holdfast.vault.models import Checkpoint, LogLeaf

EVENTS_FILE = "events.jsonl"
"""One event a line, as ``log.export_line`` writes it."""
CHECKPOINTS_FILE = "checkpoints"
"""All signed notes, oldest first, with an empty line between two."""
KEY_FILE = "verifier-key"
"""The public key of the log. Whoever verifies keeps a copy from elsewhere."""

LOCK = "holdfast.log"
"""Name of the advisory lock under which the log grows."""
BATCH = 5000
"""Events taken in at a time, so that a backlog is no endless transaction."""
BEHIND_AFTER_S = 60
"""An event that is older than this and not in the log is an alarm."""
ALARM_AGAIN_S = 600
"""The same alarm of the log is not raised again for ten minutes: each alarm is an
event itself, and a tick that raised one every second would bury the log."""
ORIGIN_DIGITS = 16
"""Hexadecimal digits of the public key's SHA-256 in the log's name: 64 bits."""


@dataclass(frozen=True)
class LogProblem:
    """One thing wrong: ``index`` in the log and ``event_id``, where they are known."""

    index: int | None
    event_id: int | None
    code: str
    message: str


@dataclass(frozen=True)
class LogReport:
    """What a verification found. ``proved_size`` first events are vouched for."""

    ok: bool
    events: int
    proved_size: int
    problems: tuple[LogProblem, ...]


def origin() -> str:
    """The log's name: ``holdfast/`` and what tells this installation's key apart."""
    public_key = keys().log_signing_key.public_key().public_bytes_raw()
    return f"holdfast/{hashlib.sha256(public_key).hexdigest()[:ORIGIN_DIGITS]}"


def verifier_key() -> VerifierKey:
    """The public key that the log's checkpoints verify with."""
    return keys().verifier_key(origin())


def append_to_log() -> None:
    """Tick: log what was committed, sign the new head, and alarm if events wait."""
    while _append_batch():
        pass
    _alarm_if_behind()


def export_log(folder: Path) -> int:
    """Write the log into ``folder`` as files; returns the number of events.

    The folder is made if it is missing, and files of an earlier export are replaced.
    """
    notes = list(Checkpoint.objects.order_by("size").values_list("note", flat=True))
    newest = Checkpoint.objects.order_by("-size").first()
    size = newest.size if newest else 0
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / EVENTS_FILE).open("wb") as file:
        for leaf in _leaves(size):
            file.write(export_line(leaf.index, loggable(leaf.event)))
    (folder / CHECKPOINTS_FILE).write_text("\n".join(notes), encoding="utf-8")
    (folder / KEY_FILE).write_text(f"{verifier_key()}\n", encoding="utf-8")
    return size


def verify_log(folder: Path | None = None, key: str = "", kept: str = "") -> LogReport:
    """Verify an export, or with no folder this installation's own database.

    ``kept`` is the text of checkpoints that were kept elsewhere: a log that was cut
    short or written anew cannot match them. ``key`` is the verifier key in its text
    form, kept from earlier; without it an export is measured with the key that lies
    beside it, which proves only that it is of one piece. Raises ``NotFound`` when the
    folder is no export.
    """
    if folder is None:
        return verify_database(kept)
    return verify_folder(folder, key, kept)


def verify_folder(folder: Path, key: str = "", kept: str = "") -> LogReport:
    """Verify an export from its files alone. Raises as :func:`verify_log` does."""
    try:
        public_key = VerifierKey.parse(key or (folder / KEY_FILE).read_text("utf-8"))
        notes = _split_notes((folder / CHECKPOINTS_FILE).read_text("utf-8"))
        notes += _split_notes(kept)
        with (folder / EVENTS_FILE).open("rb") as lines:
            proved = verify_export(lines, notes, public_key)
    except (OSError, UnicodeDecodeError) as error:
        raise NotFound(
            f"This folder is no export of a log. It holds {EVENTS_FILE}, "
            f"{CHECKPOINTS_FILE} and {KEY_FILE}.",
        ) from error
    ids = _exported_ids(folder / EVENTS_FILE, proved.problems)
    return _report(proved.events, proved.proved_size, proved.problems, ids)


def verify_database(kept: str = "") -> LogReport:
    """Recompute every leaf from its event and every signed head from the leaves.

    The first problem names the first event that differs. Nothing is written.
    """
    rows = Checkpoint.objects.order_by("size")
    notes = [*rows.values_list("note", flat=True), *_split_notes(kept)]
    proved = verify_export(_stored_lines(), notes, verifier_key())
    problems = [*proved.problems]
    if not notes and not LogLeaf.objects.exists() and not Event.objects.exists():
        # An installation that has just been set up has nothing to prove yet.
        problems = []
    wanted = {each.index for each in problems if each.index is not None}
    ids = dict(LogLeaf.objects.filter(index__in=wanted).values_list("index", "event"))
    report = _report(proved.events, proved.proved_size, problems, ids)
    unlogged = _never_logged()
    if not unlogged:
        return report
    return LogReport(
        False, report.events, report.proved_size, (*report.problems, *unlogged)
    )


def loggable(event: Event) -> dict[str, object]:
    """An event as it is hashed: all of it but the number of its transaction."""
    return {
        "id": event.id,
        "kind": event.kind,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "by": event.by,
        "about": _exact(event.about),
        "facts": _exact(event.facts),
        "cause": event.cause_id,
    }


def _exact(value: object) -> object:
    """``value`` with each float written out: the log refuses floats, and an event
    that holds one must not keep all later ones out of the log."""
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, dict):
        return {name: _exact(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_exact(inner) for inner in value]
    return value


def _append_batch() -> bool:
    """Log one batch; True when there may be more."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Of two that append at once, the second waits, and then reads the head
            # that the first one signed: the log cannot fork.
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [LOCK])
        last = Checkpoint.objects.order_by("-size").first()
        events, horizon = _due(last.horizon if last else 0)
        if events:
            _append(events, last, horizon)
        return len(events) == BATCH


def _numbers() -> tuple[int, int]:
    """The oldest transaction that still runs, and the next one that will begin."""
    with connection.cursor() as cursor:
        cursor.execute(f"{HORIZON_SQL}, pg_snapshot_xmax(pg_current_snapshot())::text")
        oldest, newest = cursor.fetchone()
    return int(oldest), int(newest)


def _due(cursor: int) -> tuple[Sequence[Event], int]:
    """Committed events that are not in the log, in the order of their transactions,
    and the number below which every event is in the log once these are.
    """
    horizon, newest = _numbers()
    waiting = Event.objects.filter(leaf=None).order_by("xid", "id")
    if newest < cursor:
        # The database was restored into another cluster, whose transactions count
        # from lower down. What it brought along unlogged comes first; after that the
        # cursor follows the new count, or it would pass by everything that is new.
        brought = list(waiting.filter(xid__gte=_xid(cursor))[:BATCH])
        if brought:
            return brought, cursor
        cursor = 0
    events = list(waiting.filter(xid__gte=_xid(cursor), xid__lt=_xid(horizon))[:BATCH])
    return events, events[-1].xid if len(events) == BATCH else horizon


def _xid(number: int) -> Cast:
    """A transaction's number as PostgreSQL compares it: ``xid8`` takes no integer."""
    return Cast(Value(str(number), TextField()), XidField())


def _append(events: Sequence[Event], last: Checkpoint | None, horizon: int) -> None:
    frontier = Frontier.from_bytes(bytes(last.frontier)) if last else Frontier()
    leaves = []
    for event in events:
        leaf = leaf_hash(canonical(loggable(event)))
        index = frontier.append(leaf)
        leaves.append(LogLeaf(index=index, event=event, leaf_hash=leaf))
    LogLeaf.objects.bulk_create(leaves)
    root = frontier.root()
    Checkpoint.objects.create(
        size=frontier.size,
        root=root,
        note=sign_checkpoint(origin(), frontier.size, root, keys().log_signing_key),
        frontier=frontier.to_bytes(),
        horizon=horizon,
        at=clock.now(),
    )


def _alarm_if_behind() -> None:
    last = Checkpoint.objects.order_by("-size").first()
    cursor = last.horizon if last else 0
    waiting = Event.objects.filter(leaf=None, xid__gte=_xid(cursor))
    oldest = waiting.order_by("xid", "id").first()
    now = clock.now()
    if oldest is None or now - oldest.at < timedelta(seconds=BEHIND_AFTER_S):
        return
    raised = Event.objects.filter(
        kind=Kind.ALARM_RAISED,
        at__gte=now - timedelta(seconds=ALARM_AGAIN_S),
        facts__code="log.behind",
    )
    if not raised.exists():
        behind_s = int((now - oldest.at).total_seconds())
        alarm("log.behind", about={"event": oldest.id}, facts={"behind_s": behind_s})


def _leaves(size: int | None = None) -> Iterator[LogLeaf]:
    rows = LogLeaf.objects.select_related("event").order_by("index")
    if size is not None:
        rows = rows.filter(index__lt=size)
    return rows.iterator(chunk_size=BATCH)


def _stored_lines() -> Iterator[bytes]:
    """The log as lines of an export, but each with the leaf that is stored."""
    # A deleted event must show as a hole, so the join goes from the leaf outwards.
    rows = LogLeaf.objects.order_by("index").values_list("index", "event", "leaf_hash")
    chunk: list[tuple[int, int, bytes]] = []
    for index, event_id, leaf in rows.iterator(chunk_size=BATCH):
        chunk.append((index, event_id, bytes(leaf)))
        if len(chunk) == BATCH:
            yield from _lines_of(chunk)
            chunk = []
    yield from _lines_of(chunk)


def _lines_of(chunk: Sequence[tuple[int, int, bytes]]) -> Iterator[bytes]:
    events = Event.objects.in_bulk([event_id for _, event_id, _ in chunk])
    for index, event_id, stored in chunk:
        event = events.get(event_id)
        shown: dict[str, object] = loggable(event) if event else {"missing": event_id}
        line = export_line(index, shown)
        leaf = leaf_hash(canonical(shown))
        if leaf != stored:
            line = line.replace(leaf.hex().encode(), stored.hex().encode())
        yield line


def _never_logged() -> list[LogProblem]:
    """Settled events below the log's cursor that have no leaf: one was taken away."""
    last = Checkpoint.objects.order_by("-size").first()
    _, newest = _numbers()
    if last is None or newest < last.horizon:
        return []
    lost = Event.objects.filter(leaf=None, xid__lt=_xid(last.horizon)).order_by("id")
    return [
        LogProblem(
            None,
            each,
            "not-logged",
            f"Event {each} should be in the log and is not: its leaf was taken away.",
        )
        for each in lost.values_list("id", flat=True)[:BATCH]
    ]


def _split_notes(text: str) -> list[str]:
    """The notes of a checkpoints file; what is no note stays for the verifier."""
    blocks = text.rstrip("\n").split("\n\n") if text.strip() else []
    return [
        "\n\n".join(blocks[start : start + 2]) + "\n"
        for start in range(0, len(blocks), 2)
    ]


def _exported_ids(path: Path, problems: Iterable[Problem]) -> dict[int, int]:
    """The event ids that the lines with a problem name, as far as they can be read."""
    wanted = {each.index for each in problems if each.index is not None}
    found: dict[int, int] = {}
    if not wanted:
        return found
    with path.open("rb") as lines:
        for line in lines:
            try:
                entry = json.loads(line)
                index, event_id = int(entry["index"]), int(entry["event"]["id"])
            except (ValueError, TypeError, LookupError, RecursionError):
                continue
            if index in wanted:
                found[index] = event_id
    return found


def _report(
    events: int, proved_size: int, problems: Sequence[Problem], ids: dict[int, int]
) -> LogReport:
    told = tuple(
        LogProblem(
            each.index,
            None if each.index is None else ids.get(each.index),
            each.code,
            each.message,
        )
        for each in problems
    )
    return LogReport(not told, events, proved_size, told)
