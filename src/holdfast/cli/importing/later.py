"""At the end of an import: what Holdfast has come to know of the items since.

An item is registered before it is compared, where Holdfast fetches its files or they
are long films. So whoever is told at the end how many are still to be compared is told
what is true then, and not what was when each was sent.
"""

from __future__ import annotations

import time
from contextlib import suppress

from holdfast.cli.importing.journal import Journal
from holdfast.client import Holdfast, Refused, Unreachable

LONGEST_S = 60.0
"""So long is asked at most. Of the rest the journal keeps what was said before."""


def ask_again(kept: Journal, address: str, key: str) -> None:
    """Ask once for each item that was not compared yet, and write down the answer."""
    waiting = kept.pending()
    if not waiting:
        return
    end = time.monotonic() + LONGEST_S
    # A key that may not read, or nobody there: what was said before stands.
    with Holdfast(address, key) as holdfast, suppress(Refused, Unreachable):
        for item in waiting:
            if time.monotonic() > end:
                return
            state = holdfast.item_state(item)
            kept.hear(item, hold=state.state, pending=state.pending)
