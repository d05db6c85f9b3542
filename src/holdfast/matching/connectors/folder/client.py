"""A folder of bank files: for lists that come by post, by e-mail or from a colleague.

Each pull reads every file whole (see ``formats``), so a signal that stands in none of
them any more is taken back. A file's kind of signal is in its name where its lines do
not say it: ``anything.md5``, ``list-sha256.txt``. Nothing is fetched from anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from holdfast.base.errors import InvalidInput, Unavailable
from holdfast.matching.connectors.exchange import Cursor, Malformed, Record, Update
from holdfast.matching.formats import Kind, Problem, read

AT_ONCE = 1_000
"""Lines of one update."""
_SUFFIXES = frozenset({".txt", ".csv", *(f".{kind}" for kind in Kind)})


class Folder:
    """A connection to ``settings["path"]``, an absolute path on this machine."""

    def __init__(
        self, url: str, credentials: str, settings: Mapping[str, Any], patience: object
    ) -> None:
        path = Path(str(settings.get("path", "")))
        if not path.is_absolute():
            raise InvalidInput("Say which folder, by its whole path.")
        self.path = path

    @property
    def hosts(self) -> tuple[str, ...]:
        """None: a folder is on this machine, or mounted by it."""
        return ()

    def is_stale(self, cursor: Cursor) -> bool:
        """Always: each pull reads everything."""
        return True

    def pull(self, cursor: Cursor | None) -> Iterator[Update]:
        """The files in the order of their names.

        Raises ``Unavailable`` where the folder is missing or holds no bank file: a
        folder that is not mounted is no reason to take everything back.
        """
        try:
            files = sorted(
                each for each in self.path.iterdir() if each.suffix in _SUFFIXES
            )
            if not files:
                raise Unavailable(
                    "The folder holds no .txt, .csv, .pdq, .md5, .sha256."
                )
            for file in files:
                yield from _updates(file)
        except OSError as error:
            raise Unavailable(
                "The folder cannot be read.", why=type(error).__name__
            ) from error


def _updates(file: Path) -> Iterator[Update]:
    with file.open("rb") as source:
        lines = read(source, kind_of(file.name))
        while some := list(islice(lines, AT_ONCE)):
            malformed = tuple(
                Malformed("", f"{file.name}, line {each.line}: {each.why}")
                for each in some
                if isinstance(each, Problem)
            )
            changed = {
                f"{each.kind} {each.value.hex()}": each
                for each in some
                if not isinstance(each, Problem)
            }
            records = tuple(Record(key, (each,)) for key, each in changed.items())
            yield Update(records, (), malformed, {"file": file.name})


def kind_of(name: str) -> Kind | None:
    """The kind of signal that a file's name says, or None."""
    named = {kind for kind in Kind if kind.value in name.lower()}
    return named.pop() if len(named) == 1 else None
