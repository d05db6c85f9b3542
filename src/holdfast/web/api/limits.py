"""How much one key may ask, and how large a request may be.

Rates are kept in PostgreSQL as token buckets, one for each key, so that they hold
across processes and machines. A report about a child's safety is never refused: above
the rate it is slowed by at most :data:`SLOWDOWN_S`, and people are alarmed, because a
wave of such reports is either an attack or a catastrophe.
"""

from __future__ import annotations

import math
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest

from holdfast.base.events import alarm
from holdfast.items.answers import take
from holdfast.items.keys import Caller
from holdfast.policy import queries as policies
from holdfast.web.api.problems import ApiError, LengthRequired, TooLarge, TooMany
from holdfast.web.waiting import turn

PER_S = 100.0
"""Requests a second that one key may make for long."""
BURST = 1000.0
"""Requests that one key may make at once after a quiet time."""
REPORTS_PER_S = 10.0
"""Reports a second of one platform for long; above it something is wrong there."""
REPORTS_BURST = 200.0
"""Reports at once after a quiet time, as when a spool is emptied."""
SLOWDOWN_S = 2.0
"""The longest that a report about a child's safety is held up, in seconds: within
the patience of a person who presses a button once."""
ALARM_EVERY_S = 60.0
LINES_PER_TOKEN = 100
"""Lines of a batch that count as one request."""

MAX_JSON_BYTES = 2 * 1024 * 1024
"""A JSON body: the longest text of an item, each character escaped, and then some."""
MAX_BODY_BYTES: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
"""An item with its files, or a batch."""
MAX_LINES = 5000
"""Lines of one batch. Larger loads go in several batches."""
MAX_LINE_BYTES = 256 * 1024
"""One line of a batch."""


def in_words(size_bytes: int) -> str:
    """A size as one says it: ``64 MiB``, ``256 KiB``."""
    mebibytes, rest = divmod(size_bytes, 2**20)
    return f"{size_bytes // 2**10} KiB" if rest else f"{mebibytes} MiB"


def admit(caller: Caller, cost: float = 1.0) -> float:
    """Let a request pass, and at once (0.0), or raise :class:`TooMany`."""
    wait_s = take(f"requests:{caller.key_id}", cost, per_s=PER_S, burst=BURST)
    if wait_s:
        raise _too_many(wait_s)
    return wait_s


def admit_report(caller: Caller, category: str) -> float:
    """Let a report pass; for how many seconds its answer is to be held up.

    One about a child's safety is slowed and never refused; of another, raises
    :class:`TooMany`.
    """
    bucket = f"reports:{caller.key_id}"
    if policies.category_of(category).child_safety:
        return _turn(
            bucket, caller.platform_id, per_s=REPORTS_PER_S, burst=REPORTS_BURST
        )
    wait_s = take(bucket, 1.0, per_s=REPORTS_PER_S, burst=REPORTS_BURST)
    if wait_s:
        raise _too_many(wait_s)
    return 0.0


def admit_slowly(caller: Caller, cost: float) -> float:
    """Let a file of a flagger pass: slowed above the rate, and never refused.

    What its lines are about is not known before they are read.
    """
    bucket = f"requests:{caller.key_id}"
    return _turn(bucket, caller.platform_id, cost, per_s=PER_S, burst=BURST)


def admit_flagger(who: str, platform_id: UUID) -> float:
    """The same for the page that flaggers sign in to."""
    bucket = f"reports:{who}"
    return _turn(bucket, platform_id, per_s=REPORTS_PER_S, burst=REPORTS_BURST)


def _turn(
    bucket: str, platform_id: UUID, cost: float = 1.0, *, per_s: float, burst: float
) -> float:
    wait_s = turn(bucket, per_s=per_s, burst=burst, longest_s=SLOWDOWN_S, cost=cost)
    bell = f"bell:child-safety-slowed:{platform_id}"
    if wait_s and not take(bell, 1.0, per_s=1 / ALARM_EVERY_S, burst=1.0):
        alarm("rate.child_safety_slowed", about={"platform": platform_id})
    return wait_s


def check_length(request: HttpRequest, max_bytes: int, *, chunked: bool) -> None:
    """Refuse a body that is too large before any of it is read."""
    if request.headers.get("Transfer-Encoding"):
        if not chunked:
            raise LengthRequired(
                "Say how long the body is (Content-Length); only batches may come in "
                "chunks."
            )
        return
    try:
        length = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        raise ApiError("Content-Length is not a number.") from None
    if length > max_bytes:
        raise TooLarge(f"A body here has up to {max_bytes} bytes. Send less at once.")


def _too_many(wait_s: float) -> TooMany:
    again_s = max(1, math.ceil(wait_s))
    return TooMany(
        f"This key asks more often than it may. Ask again in {again_s} seconds.",
        retry_after_s=again_s,
    )
