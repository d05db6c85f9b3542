"""What the connectors that speak to a service share."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator

from holdfast.base.addresses import checked_address
from holdfast.base.errors import Unavailable
from holdfast.matching.connectors.exchange import Cursor, Malformed, Update
from holdfast.matching.connectors.one_host import guarded

AHEAD_S = 24 * 60 * 60
"""An exchange's clock may be ahead of ours by less than this. Milliseconds where
seconds are meant are far more."""


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


class Pages:
    """The pages of one pull, each of which comes once.

    A service that leads to a page it has given already would be read for ever.
    """

    def __init__(self) -> None:
        self._read: set[str] = set()

    def turn(self, name: str) -> None:
        """Go on to this page. Raises ``Unavailable`` if it has been read."""
        if name in self._read:
            raise Unavailable("The exchange leads to a page that has been read.")
        self._read.add(name)


def is_ahead(timestamp_s: int) -> bool:
    """Whether an exchange names a time that has not come.

    Whoever went on from there would never ask for what comes until then.
    """
    return timestamp_s > time.time() + AHEAD_S


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
