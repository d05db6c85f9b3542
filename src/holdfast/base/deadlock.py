"""When two transactions wait for each other: PostgreSQL ends one, and it begins anew.

Locks are taken in one order (items, then cases, each by id), so this is rare; but what
a case holds can change while its locks are being taken, and no report and no decision
may be lost to that. Nothing is done twice, because the ended transaction left nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import psycopg.errors
from django.db import OperationalError, connection

ATTEMPTS = 5
LONGEST_PAUSE_S = 0.1
"""A random pause, so that the same two do not meet again at once."""

P = ParamSpec("P")
R = TypeVar("R")


def again_after_deadlock(work: Callable[P, R]) -> Callable[P, R]:
    """Carry out a whole transaction again when a deadlock ended it.

    Within somebody else's transaction it does nothing: that one has ended as a whole.
    """

    @wraps(work)
    def carry_out(*args: P.args, **kwargs: P.kwargs) -> R:
        for _attempt in range(ATTEMPTS - 1):
            try:
                return work(*args, **kwargs)
            except OperationalError as error:
                deadlock = isinstance(error.__cause__, psycopg.errors.DeadlockDetected)
                if not deadlock or connection.in_atomic_block:
                    raise
                time.sleep(random.uniform(0, LONGEST_PAUSE_S))
        return work(*args, **kwargs)

    return carry_out
