"""How every door is slowed under load: one way of waiting, and nobody refused by it.

Whoever comes when very many come takes a turn behind those before them. What they sent
is kept first, and then its answer is held up: who waits, or will not wait, has reported
already. The turns are kept in PostgreSQL, so that they hold across processes.
"""

from __future__ import annotations

import threading
import time
from typing import Final

from holdfast.items.answers import take_a_turn

WAITING_AT_ONCE: Final = 2
"""Of one process: who comes on top of these is not held up, so that a flood of reports
does not keep everybody else from being answered."""

_waiting = threading.BoundedSemaphore(WAITING_AT_ONCE)


def turn(
    bucket: str, *, per_s: float, burst: float, longest_s: float, cost: float = 1.0
) -> float:
    """Take a turn of a bucket; for how many seconds its answer is to be held up."""
    return take_a_turn(bucket, cost, per_s=per_s, burst=burst, longest_s=longest_s)


def hold_up(wait_s: float) -> None:
    """Wait for one's turn. To be called when what was sent has been kept."""
    if not wait_s or not _waiting.acquire(blocking=False):
        return
    try:
        time.sleep(wait_s)
    finally:
        _waiting.release()
