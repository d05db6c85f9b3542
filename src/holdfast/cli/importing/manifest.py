"""The manifest: which file is which item of the platform, whose, and since when.

CSV with a header, or one JSON object a line; ``path`` and ``id`` are needed, ``actor``,
``url``, ``posted_at`` and ``kind`` are welcome. Several files with one id are one item
with several media, in the order of the manifest. It is read line by line.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from holdfast.base.errors import InvalidInput, NotFound
from holdfast.cli.importing.journal import shown

_NEEDED = ("path", "id")
_WELCOME = ("actor", "url", "posted_at", "kind")
_KINDS = ("post", "image", "video", "message", "profile", "comment")
_MAX_ID = 200  # characters


def read_manifest(path: Path) -> Iterator[tuple[bytes, str, dict[str, str]]]:
    """(path, item's id, facts) line by line. Raises ``InvalidInput``, ``NotFound``."""
    if not path.is_file():
        raise NotFound("There is no such manifest.")
    readers = {".csv": _csv, ".ndjson": _ndjson, ".jsonl": _ndjson}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InvalidInput("A manifest is a file .csv, .ndjson or .jsonl.")
    try:
        for number, line in reader(path):
            yield _line(number, line)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput("The manifest is not text in UTF-8.") from error


def _csv(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        for line in reader:
            yield reader.line_num, line


def _ndjson(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8") as file:
        for number, text in enumerate(file, start=1):
            if not text.strip():
                continue
            try:
                line = json.loads(text)
            except ValueError:
                line = None
            if not isinstance(line, dict):
                raise InvalidInput(f"Line {number} of the manifest is no JSON object.")
            yield number, line


def _line(number: int, line: Mapping[str, Any]) -> tuple[bytes, str, dict[str, str]]:
    where = f"Line {number} of the manifest"
    unknown = [str(name) for name in line if name not in (*_NEEDED, *_WELCOME)]
    if unknown:
        raise InvalidInput(f"{where} has something unknown: {', '.join(unknown)}.")
    said = {name: value for name, value in line.items() if value not in (None, "")}
    for name, value in said.items():
        if not isinstance(value, str):
            raise InvalidInput(f"{where}: {name} is not text.")
    if any(name not in said for name in _NEEDED):
        raise InvalidInput(f"{where} needs a path and an id.")
    if any(len(said.get(name, "")) > _MAX_ID for name in ("id", "actor")):
        raise InvalidInput(f"{where}: an id has up to {_MAX_ID} characters.")
    if any(shown(said.get(name, "")) != said.get(name, "") for name in ("id", "actor")):
        raise InvalidInput(f"{where}: an id has no control characters.")
    if said.get("kind", _KINDS[0]) not in _KINDS:
        raise InvalidInput(f"{where}: a kind is one of {', '.join(_KINDS)}.")
    if "posted_at" in said:
        said["posted_at"] = _moment(where, said["posted_at"])
    relative = said.pop("path").removeprefix("./")
    return os.fsencode(relative), said.pop("id"), said


def _moment(where: str, text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidInput(
            f"{where}: posted_at is like 2026-11-22T07:12:00Z, with its zone."
        )
    return moment.isoformat()
