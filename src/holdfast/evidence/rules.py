"""How long evidence is kept: pure, and never shorter than it was before.

The year after a referral is that of 18 U.S.C. 2258A(h)(1); the spans themselves are the
policy's. Nothing here disposes of anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

UNREACHABLE_AFTER_S = 120
"""Media that could not be fetched for two minutes are an alarm; fetching goes on."""


def span_of(outcome: str, *, referred: bool) -> str:
    """Which of the policy's spans holds: ``referred``, or what the decision found."""
    return "referred" if referred else outcome


def keep_until(
    before: datetime | None, start: datetime, span: str, keep_days: Mapping[str, int]
) -> datetime:
    """The later of what was promised before and what now follows. Never earlier."""
    follows = start + timedelta(days=keep_days[span])
    return follows if before is None else max(before, follows)
