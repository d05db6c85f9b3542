"""How many of something came in each stretch of time, as bars drawn on the server.

For what: the picture of a wave of reports. Never does: read the database or the clock,
or tell anything by colour alone: marked reports are hatched by shape (a narrower bar
inside the other), and the sentence beside the chart says the same. Rule: design
section 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext

HEIGHT: Final = 100
BAR: Final = 10
"""Drawing units of one bar's place; it is stretched to the width of the page."""
GAP: Final = 2


@dataclass(frozen=True, slots=True)
class Stretch:
    """What came in one stretch of time, and how many of it are marked."""

    at: datetime
    count: int
    marked: int


def wave_chart(stretches: Sequence[Stretch]) -> SafeString:
    """Draw one bar a stretch, oldest first; the narrow bar inside is what is marked.

    Nothing at all is said in words instead.
    """
    top = max((each.count for each in stretches), default=0)
    if not top:
        return format_html(
            '<p class="empty-line">{}</p>', gettext("No report in the last day.")
        )
    return format_html(
        '<svg class="wave-chart" role="img" viewBox="0 0 {} {}" '
        'preserveAspectRatio="none" direction="ltr"><title>{}</title>{}'
        '<line class="axis" x1="0" x2="{}" y1="{}" y2="{}"/></svg>'
        '<p class="wave-times"><span>{}</span><span>{}</span></p>',
        len(stretches) * BAR,
        HEIGHT,
        wave_in_words(stretches),
        format_html_join(
            "",
            '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>',
            (
                bar
                for place, each in enumerate(stretches)
                for bar in _bars(place, each, top)
            ),
        ),
        len(stretches) * BAR,
        HEIGHT,
        HEIGHT,
        _moment(stretches[0].at),
        _moment(stretches[-1].at),
    )


def wave_in_words(stretches: Sequence[Stretch]) -> str:
    """Say what :func:`wave_chart` shows: how many, how many marked, when most."""
    most = max(stretches, key=lambda each: each.count)
    return gettext(
        "%(count)d reports in the last day, %(marked)d of them marked. Most at once: "
        "%(most)d, from %(at)s on."
    ) % {
        "count": sum(each.count for each in stretches),
        "marked": sum(each.marked for each in stretches),
        "most": most.count,
        "at": _moment(most.at),
    }


def _bars(
    place: int, each: Stretch, top: int
) -> list[tuple[str, int | float, float, float, float]]:
    drawn = [("bar", each.count, GAP / 2)]
    if each.marked:
        drawn.append(("bar-marked", each.marked, BAR / 3))
    return [
        (
            name,
            place * BAR + inset,
            round(HEIGHT * (1 - count / top), 2),
            round(BAR - 2 * inset, 2),
            round(HEIGHT * count / top, 2),
        )
        for name, count, inset in drawn
    ]


def _moment(at: datetime) -> str:
    # Nobody takes the month for the day, as in the short format of every country.
    return str(date_format(localtime(at), "j M Y, H:i"))
