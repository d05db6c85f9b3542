"""Template tags for the components: ``{% load hf %}``.

For what: small signs that appear on many pages (urgency, clocks, times, charts).
Never does: query or decide; each tag draws the plain data it is handed. Rule: design
section 7, colour is never the only sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from holdfast.base.clock import now as present
from holdfast.web.components import bars, charts, icons, lanes, prose
from holdfast.web.components.aloud import by_digits, by_letters
from holdfast.web.components.spans import short_span

register = template.Library()

# Urgency, highest first: its word and its shape. A code that is not listed is drawn
# with the last shape and its own name, so that a policy's new word is never hidden.
URGENCIES: Final[dict[str, tuple[str | Promise, str]]] = {
    "immediate": (_("Immediate"), "octagon"),
    "urgent": (_("Urgent"), "triangle"),
    "soon": (_("Soon"), "diamond"),
    "routine": (_("Routine"), "circle"),
}

register.simple_tag(icons.icon, name="icon")
register.simple_tag(charts.clock_bar, name="clock_bar")
register.simple_tag(charts.spread_chart, name="spread_chart")
register.simple_tag(charts.spread_in_words, name="spread_in_words")
register.simple_tag(bars.wave_chart, name="wave_chart")
register.simple_tag(lanes.steps_in_words, name="steps_in_words")
register.simple_tag(charts.sparkline, name="sparkline")
register.simple_tag(short_span, name="span")
register.filter("by_digits", by_digits)
register.filter("prose", prose.prose)
register.filter("inline", prose.inline)


@register.filter
def lookup(mapping: Mapping[Any, Any] | None, key: object) -> Any:
    """Return ``mapping[key]``, or nothing when either is absent."""
    return mapping.get(key, "") if mapping else ""


@register.filter
def grouped(count: int) -> str:
    """Write ``count`` with the thousands set apart as the language does."""
    return number_format(count, force_grouping=True)


@register.inclusion_tag("components/badge.html")
def badge(word: str, tone: str = "plain", shape: str = "") -> dict[str, str]:
    """A word in a frame. ``tone``: plain, info, good, warn or alarm."""
    return {"word": word, "tone": tone, "shape": shape}


@register.inclusion_tag("components/badge.html")
def urgency_badge(urgency: str) -> dict[str, str]:
    """How soon a case is wanted, as a word and a shape."""
    fallback = (urgency.replace("_", " ").capitalize(), "circle")
    word, shape = URGENCIES.get(urgency, fallback)
    return {"word": str(word), "tone": f"urgency-{shape}", "shape": shape}


@register.inclusion_tag("components/clock.html")
def clock(
    started_at: datetime,
    due_at: datetime,
    *,
    now: datetime | None = None,
    stopped_at: datetime | None = None,
    label: str = "",
) -> dict[str, object]:
    """A deadline as a bar and in words, running from receipt (promise 10).

    ``stopped_at`` is when the promise was kept; the clock then stands still.
    """
    until = stopped_at or now or present()
    elapsed_s = (until - started_at).total_seconds()
    total_s = max((due_at - started_at).total_seconds(), 1.0)
    breached = until > due_at
    near = not breached and elapsed_s / total_s >= charts.NEAR_SHARE
    return {
        "label": label,
        "due_at": due_at,
        "breached": breached,
        "near": near,
        "stopped": bool(stopped_at),
        "span": short_span(total_s - elapsed_s),
        "bar": charts.clock_bar(elapsed_s, total_s, breached, label=label),
    }


@register.simple_tag
def moment(when: datetime | None) -> SafeString | str:
    """A date and time in the reader's language, with its time zone."""
    if when is None:
        return ""
    return _time(when, _in_full(when))


@register.simple_tag
def numbered(number: str) -> SafeString:
    """A number of ours: seen and copied as it is, and said letter by letter."""
    return format_html(
        '<span aria-hidden="true" translate="no">{}</span>'
        '<span class="hidden-words" translate="no">{}</span>',
        number,
        by_letters(number),
    )


@register.simple_tag
def ago(when: datetime | None, now: datetime | None = None) -> SafeString | str:
    """How long ago, or in how long; the exact moment is its tooltip."""
    if when is None:
        return ""
    span_s = ((now or present()) - when).total_seconds()
    phrase = gettext("%(span)s ago") if span_s >= 0 else gettext("in %(span)s")
    return _time(when, phrase % {"span": short_span(span_s)})


def _in_full(when: datetime) -> str:
    local = timezone.localtime(when)
    # Translators: how a moment is written, in Django's letters for dates.
    form = gettext("j F Y, H:i")
    return f"{date_format(local, form)} {local.tzname()}"


def _time(when: datetime, words: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        when.isoformat(timespec="seconds"),
        _in_full(when),
        words,
    )
