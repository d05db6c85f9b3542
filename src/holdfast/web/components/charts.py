"""Charts, drawn on the server as SVG by pure functions.

For what: clocks as bars, views and uploads over time with the report and the freeze
marked, queues as trends. Never does: read the database or the clock, name a colour
(classes do, in ``charts.css``), use an inline style (the content security policy
forbids it) or show a number that the text beside it does not also say. Each chart is
one image with a title and a description. Rule: design section 7.

Time runs from left to right in every language, as in printed charts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.formats import date_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext

from holdfast.web.components.lanes import (
    LANE_PX,
    SpreadStep,
    kinds_drawn,
    lanes,
    steps_in_words,
)
from holdfast.web.components.spans import short_span

# A clock turns red in its last quarter (share of the whole, 0 to 1). Before that it
# is quiet, because red is kept for clocks that are running out (design section 7).
NEAR_SHARE: Final = 0.75
# The drawing space of a plot. It is stretched to the space the page gives it.
PLOT_WIDTH: Final = 1000
PLOT_HEIGHT: Final = 100
# Pixels: words above the plot, the plot, and the dates below it.
HEAD_PX: Final = 60
BODY_PX: Final = 132
FOOT_PX: Final = 22
# A label beyond this share of the width is written towards the left of its mark.
TURN_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class SpreadPoint:
    """How often the item and its copies had been seen, in all, at one moment."""

    at: datetime
    views_total: int


def clock_bar(
    elapsed_s: float, total_s: float, breached: bool, *, label: str = ""
) -> SafeString:
    """Draw how much of a deadline is used up.

    ``elapsed_s`` and ``total_s`` are seconds (``total_s`` above 0, or ``ValueError``);
    ``label`` names the clock. A breached clock is a full bar with notches, so that it
    differs by shape as well as by colour.
    """
    if total_s <= 0:
        raise ValueError("A clock needs a total above 0 seconds.")
    share = 1.0 if breached else min(max(elapsed_s / total_s, 0.0), 1.0)
    if breached:
        state = "breached"
        title = gettext("Overdue by %(span)s") % {
            "span": short_span(max(elapsed_s - total_s, 0))
        }
    else:
        state = "near" if share >= NEAR_SHARE else "calm"
        title = gettext("%(left)s left of %(total)s") % {
            "left": short_span(max(total_s - elapsed_s, 0)),
            "total": short_span(total_s),
        }
    notches = (
        format_html_join(
            "", '<rect class="notch" x="{}" y="0" width="2" height="8"/>', _notches()
        )
        if breached
        else ""
    )
    return format_html(
        '<svg class="clock-bar clock-{}" role="img" viewBox="0 0 100 8" '
        'preserveAspectRatio="none" direction="ltr"><title>{}</title>'
        '<rect class="track" x="0" y="0" width="100" height="8"/>'
        '<rect class="fill" x="0" y="0" width="{}" height="8"/>{}</svg>',
        state,
        f"{label}: {title}" if label else title,
        _number(share * 100),
        notches,
    )


def spread_chart(
    points: Sequence[SpreadPoint],
    *,
    steps: Sequence[SpreadStep] = (),
    reported_at: datetime | None = None,
    found_at: datetime | None = None,
    frozen_at: datetime | None = None,
) -> SafeString:
    """Draw views over time and what spread it, with the report and the freeze marked.

    ``found_at``: when a bank's match found it, where nobody has reported anything.
    ``points`` are cumulative, in any order, aware datetimes. Fewer than two draw no
    line; where there are no ``steps`` either, words say that there is nothing. The
    description gives the views before the report, from report to freeze, and after,
    read from the same points, and counts the steps.
    """
    ordered = sorted(points, key=lambda point: point.at)
    if len(ordered) < 2:
        ordered = []
    if not ordered and not steps:
        return format_html(
            '<p class="empty-line">{}</p>', gettext("No views have been counted yet.")
        )
    marks = _marks_set(reported_at, found_at, frozen_at)
    moments = [at for at, _, _ in marks]
    moments += [point.at for point in ordered] + [step.at for step in steps]
    scale = _TimeScale(min(moments), max(moments))
    top = max((point.views_total for point in ordered), default=0)
    lanes_px = HEAD_PX + (BODY_PX if ordered else 0)
    base_px = lanes_px + LANE_PX * len(kinds_drawn(steps))
    views_said = spread_in_words(
        ordered, reported_at=reported_at, found_at=found_at, frozen_at=frozen_at
    )
    return format_html(
        '<svg class="spread-chart" role="img" width="100%" height="{}" '
        'direction="ltr"><title>{}</title><desc>{}</desc>{}{}{}{}</svg>',
        base_px + FOOT_PX,
        gettext("Spread over time"),
        f"{views_said} {steps_in_words(steps)}".strip(),
        _spread_plot(ordered, scale, top) if ordered else "",
        format_html_join(
            "",
            "{}",
            ((_mark(scale, line, base_px, *mark),) for line, mark in enumerate(marks)),
        ),
        lanes(steps, scale.share, lanes_px),
        _spread_axis(scale, base_px),
    )


def spread_in_words(
    points: Sequence[SpreadPoint],
    *,
    reported_at: datetime | None = None,
    found_at: datetime | None = None,
    frozen_at: datetime | None = None,
) -> str:
    """Say what :func:`spread_chart` shows: the views in each of its stretches."""
    if not points:
        return gettext("No views have been counted yet.")
    total = max((point.views_total for point in points), default=0)
    since = reported_at or found_at
    if since is None:
        return gettext("%(total)s views in all.") % {"total": _count(total)}
    before = _views_at(points, since)
    if frozen_at is None:
        said = (
            gettext("%(before)s views before the report, %(after)s since.")
            if reported_at
            else gettext("%(before)s views before it was found, %(after)s since.")
        )
        return said % {"before": _count(before), "after": _count(total - before)}
    until = _views_at(points, frozen_at)
    said = (
        gettext(
            "%(before)s views before the report, %(between)s from the report until it "
            "was hidden, %(after)s after that."
        )
        if reported_at
        else gettext(
            "%(before)s views before it was found, %(between)s from then until it "
            "was hidden, %(after)s after that."
        )
    )
    return said % {
        "before": _count(before),
        "between": _count(until - before),
        "after": _count(total - until),
    }


def sparkline(values: Sequence[float], *, label: str) -> SafeString:
    """Draw the trend of ``values`` (oldest first) as one small line.

    ``label`` names what is counted. The title also says the first and last value.
    """
    if not values:
        return format_html('<span class="empty-line">{}</span>', gettext("No data"))
    shown = list(values) if len(values) > 1 else [values[0], values[0]]
    low, high = min(shown), max(shown)
    height = high - low or 1
    step = 100 / (len(shown) - 1)
    # One unit of air above and below keeps the stroke inside the box.
    path = _path(
        (position * step, 23 - 22 * (value - low) / height)
        for position, value in enumerate(shown)
    )
    title = gettext("%(label)s: from %(first)s to %(last)s") % {
        "label": label,
        "first": _count(values[0]),
        "last": _count(values[-1]),
    }
    return format_html(
        '<svg class="sparkline" role="img" viewBox="0 0 100 24" '
        'preserveAspectRatio="none" direction="ltr"><title>{}</title>'
        '<path class="line" vector-effect="non-scaling-stroke" d="{}"/></svg>',
        title,
        path,
    )


@dataclass(frozen=True, slots=True)
class _TimeScale:
    """Moments as shares (0 to 1) of the stretch from ``first`` to ``last``."""

    first: datetime
    last: datetime

    def share(self, at: datetime) -> float:
        whole_s = (self.last - self.first).total_seconds()
        return (at - self.first).total_seconds() / whole_s if whole_s else 0.0


def _spread_plot(
    points: Sequence[SpreadPoint], scale: _TimeScale, top: int
) -> SafeString:
    """Draw the area, its edge and its height, in a box that stretches with the page."""
    edge = [
        (
            scale.share(point.at) * PLOT_WIDTH,
            PLOT_HEIGHT * (1 - point.views_total / (top or 1)),
        )
        for point in points
    ]
    base = [(edge[-1][0], float(PLOT_HEIGHT)), (edge[0][0], float(PLOT_HEIGHT))]
    return format_html(
        '<svg x="0" y="{}" width="100%" height="{}" viewBox="0 0 {} {}" '
        'preserveAspectRatio="none"><path class="area" d="{}z"/>'
        '<path class="line" vector-effect="non-scaling-stroke" d="{}"/></svg>'
        '<line class="axis" x1="0" x2="100%" y1="{}" y2="{}"/>'
        '<text class="axis-text" x="0" y="{}" dy="-6">{}</text>',
        HEAD_PX,
        BODY_PX,
        PLOT_WIDTH,
        PLOT_HEIGHT,
        _path([*edge, *base]),
        _path(edge),
        HEAD_PX + BODY_PX,
        HEAD_PX + BODY_PX,
        HEAD_PX,
        gettext("%(total)s views") % {"total": _count(top)},
    )


def _marks_set(
    reported_at: datetime | None,
    found_at: datetime | None,
    frozen_at: datetime | None,
) -> list[tuple[datetime, str, str]]:
    """Return moment, word and class of each mark that has a moment."""
    marks = (
        (reported_at, gettext("Reported"), "report"),
        (found_at, gettext("Found"), "report"),
        (frozen_at, gettext("Hidden"), "freeze"),
    )
    return [(at, name, kind) for at, name, kind in marks if at is not None]


def _mark(
    scale: _TimeScale, line: int, base_px: int, at: datetime, name: str, kind: str
) -> SafeString:
    """Draw one moment; ``line`` keeps the words of near moments apart."""
    share = scale.share(at)
    x = f"{_number(share * 100)}%"
    turned = share > TURN_SHARE
    return format_html(
        '<g class="mark mark-{}"><line x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<text x="{}" y="{}" dx="{}" text-anchor="{}">{}</text></g>',
        kind,
        x,
        x,
        4 + 20 * line,
        base_px,
        x,
        15 + 20 * line,
        -6 if turned else 6,
        "end" if turned else "start",
        f"{name} {_moment(at)}",
    )


def _spread_axis(scale: _TimeScale, base_px: int) -> SafeString:
    return format_html(
        '<text class="axis-text" x="0" y="{0}">{1}</text>'
        '<text class="axis-text" x="100%" y="{0}" text-anchor="end">{2}</text>',
        base_px + 17,
        _moment(scale.first),
        _moment(scale.last),
    )


def _views_at(points: Sequence[SpreadPoint], at: datetime) -> int:
    """Return the cumulative views counted up to and including ``at``."""
    return max((point.views_total for point in points if point.at <= at), default=0)


def _notches() -> Iterable[tuple[int]]:
    return ((x,) for x in range(14, 100, 14))


def _path(corners: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in corners)


def _count(value: float) -> str:
    return number_format(value, force_grouping=True)


def _number(value: float) -> str:
    """Write a coordinate with at most two decimals, always with a point."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _moment(at: datetime) -> str:
    return date_format(localtime(at), "j M H:i")
