"""What a worker process does: read an item's files, see whether they open, send them.

Holdfast makes the fingerprints itself, from the bytes, and takes nobody's word for
them: its API knows no other way. What is decoded here is decoded only to say which
files are damaged and how; damaged ones are sent all the same, since the very same
bytes can be found again. FFmpeg is C code fed by strangers, so a worker may die; who
gave it the work finds out over which item.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing import parent_process
from typing import BinaryIO
from urllib.parse import quote

from holdfast.cli.importing.collection import Collection
from holdfast.cli.importing.journal import Listed, Outcome, State, Unit, shown
from holdfast.client import (
    File,
    Holdfast,
    Item,
    ItemState,
    MediaUrl,
    Refused,
    Spooled,
    Unreachable,
)
from holdfast.signals.media import MAX_FILE_BYTES, MEDIA_TYPES, sniff
from holdfast.signals.refusal import MediaRefused, RefusalReason
from holdfast.signals.sign import sign_picture
from holdfast.signals.video import sign_video
from holdfast.signals.video_kind import PREFIX_BYTES, sniff_video

MAX_UPLOAD_BYTES = 60 * 1024 * 1024
"""Files of one item that are sent together: the API takes bodies of 64 MiB
(settings.DATA_UPLOAD_MAX_MEMORY_SIZE), and something stands around them."""
ANSWER_S = 120.0
"""How long an answer may take: Holdfast fingerprints and compares before it answers."""
_PASSING = (401, 403, 408, 409, 425, 429)
"""Statuses of a line that are about the key or the moment, as 5xx are about us."""


@dataclass(frozen=True)
class Orders:
    """What every worker has to know. ``url`` blank: nothing is sent.

    ``base_url``: where Holdfast fetches the files instead; blank: they are uploaded.
    """

    collection: Collection
    url: str
    key: str
    base_url: str = ""
    check: bool = True


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a file is, and why it cannot be compared; blank where it can."""

    media_type: str
    reason: str = ""

    @property
    def is_media(self) -> bool:
        return self.reason != RefusalReason.NOT_A_PICTURE


class _Worker:
    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.holdfast = (
            Holdfast(orders.url, orders.key, timeout_s=ANSWER_S) if orders.url else None
        )


_here: list[_Worker] = []
"""This process's worker, once it has begun."""


def begin(orders: Orders) -> None:
    """Get a worker process ready. It ends with its parent, however that ends."""
    # Ctrl-C reaches every process of the terminal: the parent stops in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _here[:] = [_Worker(orders)]


def do(units: tuple[Unit, ...]) -> list[Outcome]:
    """Register some items; what cannot be sent just now comes back as waiting."""
    [worker] = _here
    if worker.orders.base_url:
        return _by_address(worker, units)
    return [_upload(worker, unit) for unit in units]


def _upload(worker: _Worker, unit: Unit) -> Outcome:
    size_bytes = sum(file.size_bytes for file in unit.files)
    if size_bytes > MAX_UPLOAD_BYTES:
        return Outcome(unit.item, State.REFUSED, why="too_large_to_upload")
    looked, parts = [], []
    for file in unit.files:
        try:
            with worker.orders.collection.open(file.path) as opened:
                data: bytes = opened.read()
        except Exception as error:
            return _unreadable(unit, error)
        looked.append(_look(io.BytesIO(data), _checks(worker, unit)))
        name = shown(os.fsdecode(os.path.basename(file.path)))
        parts.append(File(data, looked[-1].media_type, name))
    if not _belongs(unit, looked):
        return _left_out(unit, looked)
    item = _item(unit, looked)
    if worker.holdfast is None:
        return _registered(unit, looked)
    try:
        answer = worker.holdfast.put_item(item, parts, key=_key(item, parts))
    except Refused as error:
        return Outcome(unit.item, State.REFUSED, why=str(error))
    except Unreachable as error:
        return Outcome(unit.item, State.WAITING, why=str(error))
    return _registered(unit, looked, answer)


def _by_address(worker: _Worker, units: tuple[Unit, ...]) -> list[Outcome]:
    outcomes: dict[str, Outcome] = {}
    ready: list[tuple[Unit, list[_Looked], Item]] = []
    for unit in units:
        looked = []
        try:
            for file in unit.files:
                with worker.orders.collection.open(file.path) as opened:
                    looked.append(_look(opened, _checks(worker, unit)))
        except Exception as error:
            outcomes[unit.item] = _unreadable(unit, error)
            continue
        if _belongs(unit, looked):
            media = tuple(
                _address(worker.orders.base_url, file, each)
                for file, each in zip(unit.files, looked, strict=True)
            )
            ready.append((unit, looked, _item(unit, looked, media)))
        else:
            outcomes[unit.item] = _left_out(unit, looked)
    for (unit, looked, _), answer in zip(ready, _send(worker, ready), strict=True):
        outcomes[unit.item] = _judge(unit, looked, answer)
    return [outcomes[unit.item] for unit in units]


def _send(
    worker: _Worker, ready: list[tuple[Unit, list[_Looked], Item]]
) -> list[ItemState | Refused | Spooled | Unreachable | None]:
    if worker.holdfast is None or not ready:
        return [None] * len(ready)
    try:
        answers = worker.holdfast.put_items([item for *_, item in ready])
    except Unreachable as error:
        return [error] * len(ready)
    except Refused as error:
        return [error] * len(ready)
    if isinstance(answers, Spooled) or len(answers) != len(ready):
        return [Unreachable("Holdfast answered only in part.")] * len(ready)
    return list(answers)


def _judge(
    unit: Unit,
    looked: list[_Looked],
    answer: ItemState | Refused | Spooled | Unreachable | None,
) -> Outcome:
    if isinstance(answer, Refused):
        status = int(answer.problem.get("status", 500))
        if status >= 500 or status in _PASSING:
            return Outcome(unit.item, State.WAITING, why=str(answer))
        return Outcome(unit.item, State.REFUSED, why=str(answer))
    if isinstance(answer, Unreachable):
        return Outcome(unit.item, State.WAITING, why=str(answer))
    return _registered(unit, looked, answer)


def _registered(
    unit: Unit, looked: list[_Looked], answer: ItemState | Spooled | None = None
) -> Outcome:
    state = answer if isinstance(answer, ItemState) else None
    return Outcome(
        unit.item,
        State.REGISTERED,
        tuple(each.reason for each in looked),
        hold=state.state if state else "",
        pending=state is not None and state.pending,
    )


def _left_out(unit: Unit, looked: list[_Looked]) -> Outcome:
    reasons = tuple(each.reason for each in looked)
    return Outcome(unit.item, State.LEFT_OUT, reasons)


def _unreadable(unit: Unit, error: Exception) -> Outcome:
    why = error.strerror if isinstance(error, OSError) else None
    return Outcome(
        unit.item, State.REFUSED, why=f"unreadable: {why or type(error).__name__}"
    )


def _belongs(unit: Unit, looked: list[_Looked]) -> bool:
    """A file that is no media is left out, unless the manifest says that it counts."""
    return unit.is_named or any(each.is_media for each in looked)


def _checks(worker: _Worker, unit: Unit) -> bool:
    return worker.orders.check and unit.check


def _look(file: BinaryIO, check: bool) -> _Looked:
    """What a file is; with ``check`` it is decoded, a video by its keyframes."""
    prefix = file.read(PREFIX_BYTES)
    file.seek(0)
    media_type = "application/octet-stream"
    try:
        if video := sniff_video(prefix):
            media_type = video.media_type
            if check:
                incomplete = sign_video(file, keyframes_only=True).incomplete
                return _Looked(media_type, incomplete or "")
        else:
            media_type = MEDIA_TYPES[sniff(prefix)]
            if check:
                # One byte too many is enough to be refused by its size.
                incomplete = sign_picture(file.read(MAX_FILE_BYTES + 1)).incomplete
                return _Looked(media_type, incomplete or "")
    except MediaRefused as refused:
        return _Looked(media_type, refused.reason)
    return _Looked(media_type)


def _item(
    unit: Unit, looked: list[_Looked], media: tuple[MediaUrl, ...] | None = None
) -> Item:
    kinds = {each.media_type.startswith("video/") for each in looked}
    kind = unit.facts.get("kind") or (
        "post" if len(looked) > 1 else "video" if kinds == {True} else "image"
    )
    posted_at = (
        datetime.fromisoformat(unit.facts["posted_at"])
        if "posted_at" in unit.facts
        else datetime.fromtimestamp(min(f.modified_at for f in unit.files), UTC)
    )
    return Item(
        id=unit.item,
        kind=kind,  # type: ignore[arg-type]  # The manifest's reader lets no other pass.
        posted_at=posted_at,
        actor=unit.facts.get("actor"),
        url=unit.facts.get("url"),
        media=media,
    )


def _address(base_url: str, file: Listed, looked: _Looked) -> MediaUrl:
    name = quote(file.path)
    return MediaUrl(f"{base_url.rstrip('/')}/{name}", looked.media_type)


def _key(item: Item, files: list[File]) -> str:
    """The same item with the same bytes is the same write, whoever sends it again."""
    said = hashlib.sha256(json.dumps(asdict(item), default=str).encode())
    for file in files:
        said.update(hashlib.sha256(file.data).digest())
        said.update(f"{file.media_type}\n{file.name}\n".encode())
    return said.hexdigest()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
