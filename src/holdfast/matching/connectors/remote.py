"""What the connectors that speak to a service share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from holdfast.base.addresses import checked_address
from holdfast.matching.connectors.exchange import Cursor, Malformed, Update
from holdfast.matching.connectors.one_host import guarded


class Remote(ABC):
    """A connection to the exchange at one address; one update comes with a page."""

    def __init__(self, url: str) -> None:
        self.url = checked_address(url, "The exchange's")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The one address."""
        return (self.url,)

    def pull(self, cursor: Cursor | None) -> Iterator[Update]:
        """See ``Exchange``; whatever goes wrong is an error of ours."""
        return guarded(self._pull(cursor))

    @abstractmethod
    def _pull(self, cursor: Cursor | None) -> Iterator[Update]:
        """The same, with whatever the library raises."""


class LeftOut:
    """What a client left out because it cannot be read, until somebody asks."""

    def __init__(self) -> None:
        self._malformed: list[Malformed] = []

    def add(self, one: Malformed) -> None:
        """Leave this out."""
        self._malformed.append(one)

    def take(self) -> list[Malformed]:
        """What was left out since this was asked last."""
        taken, self._malformed = self._malformed, []
        return taken
