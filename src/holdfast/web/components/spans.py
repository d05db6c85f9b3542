"""Spans of time in few words: "2 h 05 min", "3 d 4 h".

For what: the numbers beside clocks, in the reader's language. Never does: read the
clock; whoever asks hands in the seconds. Rule: design section 7 (numbers aligned).
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext, ngettext

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


def span_in_words(span_s: float) -> str:
    """The same for people who read slowly or listen: "2 hours 5 minutes".

    A voice says "h" and "d" as letters.
    """
    minutes = int(abs(span_s)) // MINUTE_S
    days, hours = divmod(minutes // 60, 24)
    minutes %= 60
    counted = (
        (days, ngettext("%(count)d day", "%(count)d days", days)),
        (hours, ngettext("%(count)d hour", "%(count)d hours", hours)),
        (minutes, ngettext("%(count)d minute", "%(count)d minutes", minutes)),
    )
    first = 0 if days else 1 if hours else 2
    two = counted[first : first + 2]
    said = [words % {"count": count} for count, words in two if count]
    return " ".join(said) or counted[2][1] % {"count": 0}
