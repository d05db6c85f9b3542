"""What keeps the door usable under load, and lets people see what stands before it.

Nobody is refused here, and nobody solves a puzzle. A report is marked when it looks
like a program's. When very many come at once each is kept and frozen first, and then
its receipt is held up for a moment; what is about a child for a shorter one. The
network address is looked at once, for the keyed token of ``intake.arrival``, and not
stored.
"""

from __future__ import annotations

import threading
import time
from typing import Final

from django.http import HttpRequest

from holdfast.base import clock
from holdfast.intake.arrival import Mark
from holdfast.items.answers import take_a_turn
from holdfast.web.portal.session import Memory

HONEYPOT: Final = "homepage"
"""The name of a box that people do not see; programs fill in what they find."""
LEAST_S: Final = 2.0
"""Nobody reads the second page and answers it in less."""
PER_S: Final = 5.0
BURST: Final = 50.0
"""Reports through the portal for long, and at once after a quiet time."""
LONGEST_WAIT_S: Final = 5.0
LONGEST_WAIT_CHILD_S: Final = 2.0
"""Within the patience of a person who presses a button; twice is no harm."""
WAITING_AT_ONCE: Final = 2
"""Of one process: who comes on top of these is not held up, so that a flood of reports
does not keep everybody else from being answered."""

_waiting = threading.BoundedSemaphore(WAITING_AT_ONCE)


def address_of(request: HttpRequest) -> str:
    """The network address of whoever asks, as this server sees it."""
    return str(request.META.get("REMOTE_ADDR", ""))


def marks_of(request: HttpRequest, memory: Memory) -> list[Mark]:
    """What a program does and a person does not."""
    marks = []
    if request.POST.get(HONEYPOT):
        marks.append(Mark.HONEYPOT)
    if memory.asked_at and clock.now().timestamp() - memory.asked_at < LEAST_S:
        marks.append(Mark.TOO_FAST)
    return marks


def hold_up(*, child_safety: bool) -> None:
    """Wait for a moment when very many reports came in; never refuse.

    Whoever waits has reported already: what is held up is the page after that.
    """
    wait_s = take_a_turn(
        "portal:reports", per_s=PER_S, burst=BURST, longest_s=LONGEST_WAIT_S
    )
    if not wait_s or not _waiting.acquire(blocking=False):
        return
    try:
        longest_s = LONGEST_WAIT_CHILD_S if child_safety else LONGEST_WAIT_S
        time.sleep(min(wait_s, longest_s))
    finally:
        _waiting.release()
