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
from holdfast.cli.importing.journal import shown
from holdfast.cli.operator import OPERATOR
from holdfast.matching.find import Found, FoundCopy, Sought, find_signals
from holdfast.matching.rules import SAME_MD5, Basis, Likeness, Variant
from holdfast.signals.digest import digest_stream
from holdfast.signals.features import available, decoded, extract_query
from holdfast.signals.media import MAX_FILE_BYTES
from holdfast.signals.refusal import MediaRefused, RefusalReason
from holdfast.signals.sign import Signals, sign_picture
from holdfast.signals.video import ALL_CORES, sign_video
from holdfast.signals.video_kind import PREFIX_BYTES, is_video
from holdfast.triage.queries import case_numbers

# Rich would break the lines of the help where the source does.
app = typer.Typer(rich_markup_mode=None)
console = Console()

_DIGITS = {"pdq": 64, "sha256": 64, "md5": 32}
"""Hexadecimal digits of each kind of hash that can be looked for."""
_WITHOUT = " Crops, captions and screenshots were not looked for."
_HEX = re.compile(r"[0-9a-fA-F]*")


@app.callback()
def _several() -> None:
    """Keeps the command's name when it is the only one."""


@app.command()
def find(
    sought: str = typer.Argument(metavar="PICTURE|VIDEO|HASH"),
    as_json: bool = typer.Option(False, "--json", help="One JSON object instead."),
    closely: bool = typer.Option(
        True, help="Look for crops, captions and screenshots of a picture, too."
    ),
) -> None:
    """Where copies of a picture, a video or a hash stand.

    Crops, captions and screenshots of a picture are found with the extra "features".
    What every registered picture looks like is read for it first, which takes about
    half a second for a thousand; --no-closely leaves it out.

    A hash is hexadecimal: an MD5 has 32 digits; one of 64 is looked for both as a
    SHA-256 and as a PDQ. To say which, write sha256:, md5: or pdq: before it. From a
    PDQ alone mirrored and turned copies are found, too; mirrored films are not, and
    crops need the picture.
    """
    asked = read_sought(sought, closely=closely)
    if asked.features is not None:
        typer.echo("Looking for crops, captions and screenshots, too.", err=True)
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
    _show(asked, found, cases)


def read_sought(text: str, *, closely: bool = False) -> Sought:
    """What an argument means: a file if there is one of this name, else a hash.

    ``closely``: with what crops of a picture are found by, where OpenCV is there.

    Raises ``InvalidInput``, ``NotFound`` and ``MediaRefused``.
    """
    if not text:
        raise InvalidInput("Name a picture, a video or a hash to look for.")
    kind, _, digits = text.partition(":")
    kind = kind.lower()
    if kind in _DIGITS:
        if len(digits) != _DIGITS[kind] or not _HEX.fullmatch(digits):
            raise InvalidInput(
                f"After {kind}: come {_DIGITS[kind]} hexadecimal digits.",
                given=len(digits),
            )
        return _hash(kind, bytes.fromhex(digits))
    path = Path(text)
    # What cannot be the name of a file (too long, in a closed folder) is no error yet.
    if os.path.isfile(path):
        signals = sign(path)
        if closely and available() and not signals.media_type.startswith("video/"):
            pixels = decoded(path.read_bytes(), signals.longest_at_ms)
            query = extract_query(pixels)
            return Sought.of(signals, query)
        return Sought.of(signals)
    if _HEX.fullmatch(text) and len(text) == _DIGITS["md5"]:
        return _hash("md5", bytes.fromhex(text))
    if _HEX.fullmatch(text) and len(text) == _DIGITS["pdq"]:
        signal = bytes.fromhex(text)
        return Sought(sha256=signal, views=Sought.of_pdq(signal).views)
    if os.path.isdir(path):
        raise InvalidInput("This is a folder. Name one picture or video in it.")
    raise NotFound(
        f"There is no file {text!r}, and it is no hash: those have 32 (MD5) or 64 "
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
                    return sign_video(path, turns=True, threads=ALL_CORES)
                size_bytes = path.stat().st_size
                if size_bytes > MAX_FILE_BYTES:
                    reason = RefusalReason.TOO_LARGE_FILE
                    raise MediaRefused(reason, size_bytes=size_bytes)
                return sign_picture(path.read_bytes())
            except MediaRefused:
                file.seek(0)
                digest = digest_stream(file).sha256.hex()
                typer.echo(
                    f"{shown(path.name)} cannot be read as a picture or a video, so "
                    "nothing that resembles it can be found. The very same bytes can:\n"
                    f"  holdfast find sha256:{digest}",
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


def _show(asked: Sought, found: Found, cases: dict[str, str]) -> None:
    if found.copies:
        console.print(_copies_table(found.copies, cases))
    count = len(found.copies)
    without = "" if asked.features is not None or not asked.views else _WITHOUT
    console.print(
        f"{count} {'copy' if count == 1 else 'copies'} registered.{without}",
        highlight=False,
    )
    if not found.known:
        console.print("No bank knows it.")
        return
    table = _table("bank", "says", "how it is alike")
    for each in found.known:
        state = f"{each.state}, expired" if each.expired else each.state
        entries = "1 entry" if each.entries == 1 else f"{each.entries} entries"
        says = f"{escape(each.category)}\n{state}, {entries}"
        table.add_row(each.bank, says, _likeness(each.like))
    console.print(table)


def _copies_table(copies: tuple[FoundCopy, ...], cases: dict[str, str]) -> Table:
    table = _table("item", "stands", "how it is alike")
    for copy in copies:
        state = f"{copy.state}, deleted" if copy.deleted_at else copy.state
        case = cases.get(str(copy.item))
        table.add_row(
            f"{escape(copy.external_id)}\n{copy.kind} on {copy.platform}",
            f"{state}\ncase {case}" if case else state,
            _likeness(copy.like),
        )
    return table


def _table(*columns: str) -> Table:
    """Three columns of two lines each: that fits 80 characters."""
    table = Table(show_lines=True)
    for name in columns:
        # An id that is cut off is of no use to anybody.
        table.add_column(name, overflow="fold")
    return table


_KINDS = {
    Basis.DIGEST: "the same bytes",
    Basis.PDQ: "the same picture",
    Basis.VIDEO: "the same film",
    Basis.FEATURES: "made of the same picture",
    Basis.REPOST: "a repost",
}


def _likeness(like: Likeness) -> str:
    """What kind of copy it is, in two lines; ``possibly`` where people must look."""
    kind = "the same MD5" if like == SAME_MD5 else _KINDS[like.basis]
    more = []
    if like.share_percent is not None:
        more.append(f"{like.share_percent} % of it")
    if like.basis != Basis.DIGEST and like.variant != Variant.AS_IS:
        more.append(like.variant.replace("_", " "))
    if like.trimmed:
        more.append("without its border")
    if like.distance_bits is not None:
        more.append(f"{like.distance_bits} bits apart")
    if like.at_ms is not None:
        more.append(f"at {clock_time(like.at_ms)}")
    first = kind if like.certain else f"possibly {kind}"
    return "\n".join([first, *([", ".join(more)] if more else [])])


def clock_time(at_ms: int) -> str:
    """Milliseconds as hours, minutes and seconds: ``0:01:07.5``."""
    minutes, ms = divmod(at_ms, 60_000)
    return f"{minutes // 60}:{minutes % 60:02}:{ms // 1000:02}.{ms % 1000 // 100}"
