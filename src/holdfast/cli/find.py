"""``holdfast find``: where copies of a picture, a video or a hash stand.

The file is read and fingerprinted here, and nothing of it is kept. No registered
picture is opened. The log keeps that somebody looked, and how much was found.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from holdfast.base.errors import InvalidInput, NotFound
from holdfast.cli.operator import OPERATOR
from holdfast.matching.find import Found, FoundCopy, Sought, find_signals
from holdfast.matching.rules import Likeness
from holdfast.signals.digest import digest_stream
from holdfast.signals.media import MAX_FILE_BYTES
from holdfast.signals.refusal import MediaRefused, RefusalReason
from holdfast.signals.sign import Signals, sign_picture
from holdfast.signals.video import sign_video
from holdfast.signals.video_kind import PREFIX_BYTES, is_video
from holdfast.triage.queries import case_numbers

# Rich would break the lines of the help where the source does.
app = typer.Typer(rich_markup_mode=None)
console = Console()

_DIGITS = {"pdq": 64, "sha256": 64, "md5": 32}
"""Hexadecimal digits of each kind of hash that can be looked for."""
_HEX = re.compile(r"[0-9a-fA-F]*")


@app.callback()
def _several() -> None:
    """Keeps the command's name when it is the only one."""


@app.command()
def find(
    sought: str = typer.Argument(metavar="PICTURE|VIDEO|HASH"),
    as_json: bool = typer.Option(False, "--json", help="One JSON object instead."),
) -> None:
    """Where copies of a picture, a video or a hash stand.

    A hash is hexadecimal: an MD5 has 32 digits; one of 64 is looked for both as a
    SHA-256 and as a PDQ. To say which, write sha256:, md5: or pdq: before it. From a
    PDQ alone, mirrored and turned copies are not found: give the picture for those.
    """
    asked = read_sought(sought)
    found = find_signals(asked, by=OPERATOR)
    cases = {
        str(item): number
        for item, number in case_numbers(each.item for each in found.copies).items()
    }
    if as_json:
        typer.echo(json.dumps(_object(asked, found, cases), indent=2))
        return
    if asked.views and not any(view.is_comparable for view in asked.views):
        console.print("It is too plain to be compared: only the very same bytes count.")
    _show(found, cases)


def read_sought(text: str) -> Sought:
    """What an argument means: a file if there is one of this name, else a hash.

    Raises ``InvalidInput``, ``NotFound`` and ``MediaRefused``.
    """
    kind, _, digits = text.partition(":")
    if kind in _DIGITS:
        if len(digits) != _DIGITS[kind] or not _HEX.fullmatch(digits):
            raise InvalidInput(
                f"After {kind}: come {_DIGITS[kind]} hexadecimal digits.",
                given=len(digits),
            )
        return _hash(kind, bytes.fromhex(digits))
    path = Path(text)
    if path.is_file():
        return Sought.of(sign(path))
    if _HEX.fullmatch(text) and len(text) == _DIGITS["md5"]:
        return _hash("md5", bytes.fromhex(text))
    if _HEX.fullmatch(text) and len(text) == _DIGITS["pdq"]:
        signal = bytes.fromhex(text)
        return Sought(sha256=signal, views=Sought.of_pdq(signal).views)
    if path.is_dir():
        raise InvalidInput("This is a folder. Name one picture or video in it.")
    raise NotFound(
        "There is no such file, and it is no hash: those have 32 (MD5) or 64 "
        "(SHA-256, PDQ) hexadecimal digits."
    )


def sign(path: Path) -> Signals:
    """The signals of a picture or a video on this disk.

    Raises ``MediaRefused`` and ``InvalidInput``.
    """
    try:
        with path.open("rb") as file:
            try:
                if is_video(file.read(PREFIX_BYTES)):
                    return sign_video(path, turns=True, threads=os.cpu_count() or 1)
                size_bytes = path.stat().st_size
                if size_bytes > MAX_FILE_BYTES:
                    reason = RefusalReason.TOO_LARGE_FILE
                    raise MediaRefused(reason, size_bytes=size_bytes)
                return sign_picture(path.read_bytes())
            except MediaRefused:
                file.seek(0)
                digest = digest_stream(file).sha256.hex()
                typer.echo(
                    "It cannot be compared. The very same bytes can be looked for: "
                    f"holdfast find sha256:{digest}",
                    err=True,
                )
                raise
    except OSError as error:
        raise InvalidInput(
            "This file cannot be read.", reason=error.strerror
        ) from error


def _hash(kind: str, signal: bytes) -> Sought:
    if kind == "pdq":
        return Sought.of_pdq(signal)
    return Sought(sha256=signal) if kind == "sha256" else Sought(md5=signal)


def _object(asked: Sought, found: Found, cases: dict[str, str]) -> dict[str, Any]:
    return {
        "sought": {
            "sha256": asked.sha256.hex() if asked.sha256 else None,
            "md5": asked.md5.hex() if asked.md5 else None,
            "views": len(asked.views),
            "comparable_views": sum(view.is_comparable for view in asked.views),
        },
        "copies": [
            {
                "platform": copy.platform,
                "item": copy.external_id,
                "kind": copy.kind,
                "state": copy.state,
                "deleted_at": copy.deleted_at and copy.deleted_at.isoformat(),
                "case": cases.get(str(copy.item)),
                **asdict(copy.like),
            }
            for copy in found.copies
        ],
        "known": [
            {
                "bank": each.bank,
                "category": each.category,
                "state": each.state,
                "expired": each.expired,
                "entries": each.entries,
                **asdict(each.like),
            }
            for each in found.known
        ],
    }


def _show(found: Found, cases: dict[str, str]) -> None:
    if found.copies:
        console.print(_copies_table(found.copies, cases))
    count = len(found.copies)
    console.print(
        f"{count} {'copy' if count == 1 else 'copies'} registered. Crops, captions and"
        " screenshots are looked for when something is reported, not here.",
        highlight=False,
    )
    if not found.known:
        console.print("No bank knows it.")
        return
    table = Table("bank", "category", "state", "entries", "how", "bits", "at")
    for each in found.known:
        state = f"{each.state}, expired" if each.expired else each.state
        how, bits, at = _likeness(each.like)
        table.add_row(
            each.bank, escape(each.category), state, str(each.entries), how, bits, at
        )
    console.print(table)


def _copies_table(copies: tuple[FoundCopy, ...], cases: dict[str, str]) -> Table:
    table = Table()
    for name in ("platform", "item", "kind", "state", "case", "how", "bits", "at"):
        # An id that is cut off is of no use to anybody.
        table.add_column(name, overflow="fold")
    for copy in copies:
        table.add_row(
            copy.platform,
            escape(copy.external_id),
            copy.kind,
            f"{copy.state}, deleted" if copy.deleted_at else copy.state,
            cases.get(str(copy.item), ""),
            *_likeness(copy.like),
        )
    return table


def _likeness(like: Likeness) -> tuple[str, str, str]:
    """How it is alike in words, the distance in bits, and when in a video."""
    words = [str(like.basis)]
    if not like.certain:
        words.insert(0, "possibly")
    if like.share_percent is not None:
        words.append(f"{like.share_percent} %")
    if like.basis != "digest" and not like.exact:
        words.append(like.variant.replace("_", " "))
    if like.trimmed:
        words.append("trimmed")
    bits = "" if like.distance_bits is None else str(like.distance_bits)
    return ", ".join(words), bits, "" if like.at_ms is None else clock_time(like.at_ms)


def clock_time(at_ms: int) -> str:
    """Milliseconds as hours, minutes and seconds: ``0:01:07.5``."""
    minutes, ms = divmod(at_ms, 60_000)
    return f"{minutes // 60}:{minutes % 60:02}:{ms // 1000:02}.{ms % 1000 // 100}"
