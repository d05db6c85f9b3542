"""What every hash exchange is to Holdfast, whatever it speaks.

An exchange has *records*, each with a name of its own and some signals. A record comes,
changes and goes; a signal is looked for as long as one record has it. What is pulled is
a row of updates, each with the cursor from which to go on after it, so that whoever is
stopped anywhere loses nothing and takes nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from holdfast.base.errors import HoldfastError
from holdfast.matching.formats import Signal

Cursor = Mapping[str, Any]
"""Where a pull goes on. JSON; without any credential."""

MAX_KEY = 200
"""Characters that a record's name may have."""


@dataclass(frozen=True, slots=True)
class Record:
    """What an exchange now says under one name: all of its signals, and its labels."""

    key: str
    signals: tuple[Signal, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Malformed:
    """A record, or a part of one, that cannot be used; ``key`` is empty if unknown.

    The record keeps what it had before, whether or not it stands among the changed as
    well: nothing stops being looked for by an accident.
    """

    key: str
    why: str


@dataclass(frozen=True, slots=True)
class Update:
    """What came with one request. A record that is ``removed`` has gone for good."""

    changed: tuple[Record, ...]
    removed: tuple[str, ...]
    malformed: tuple[Malformed, ...]
    cursor: Cursor


class Exchange(Protocol):
    """A connection to one hash exchange."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every address that it may call, for ``holdfast check``."""

    def is_stale(self, cursor: Cursor) -> bool:
        """Whether too much time has passed to go on there, so all is pulled anew."""

    def pull(self, cursor: Cursor | None) -> Iterator[Update]:
        """Everything since ``cursor``, or all there is. It ends when nothing is left.

        Raises :class:`CredentialsRefused` and ``Unavailable``, both after the updates
        that came before.
        """


class CredentialsRefused(HoldfastError):
    """The exchange does not let us in; only a person can put that right."""

    code = "exchange-refused-us"
