"""Spans of time in few words: "2 h 05 min", "3 d 4 h".

For what: the numbers beside clocks, in the reader's language. Never does: read the
clock; whoever asks hands in the seconds. Rule: design section 7 (numbers aligned).
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext

MINUTE_S: Final = 60
HOUR_S: Final = 60 * MINUTE_S
DAY_S: Final = 24 * HOUR_S


def short_span(span_s: float) -> str:
    """Say ``span_s`` (seconds, sign ignored) in its two largest units."""
    whole_s = int(abs(span_s))
    if whole_s < MINUTE_S:
        return gettext("%(seconds)d s") % {"seconds": whole_s}
    if whole_s < HOUR_S:
        return gettext("%(minutes)d min") % {"minutes": whole_s // MINUTE_S}
    hours, rest_s = divmod(whole_s, HOUR_S)
    if whole_s < DAY_S:
        minutes = f"{rest_s // MINUTE_S:02d}"
        return gettext("%(hours)d h %(minutes)s min") % {
            "hours": hours,
            "minutes": minutes,
        }
    days, hours = divmod(hours, 24)
    return gettext("%(days)d d %(hours)d h") % {"days": days, "hours": hours}
