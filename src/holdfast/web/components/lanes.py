"""Who spread something and when: a lane of marks for each way, below the views.

For what: the part of the spread chart that shows uploads, reposts and shares. Never
does: choose colours, know of the database, or tell anything by its place alone: the
sentence and the table beside the chart say the same. Rule: design section 7.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

LANE_PX: Final = 36
"""Pixels of one lane: its words, its marks, and a little air."""
WORDS_PX: Final = 14
MARK_PX: Final = (6, 16)
"""Pixels of the lowest and the highest mark; between them it grows with the count."""
PLACES: Final = 240
"""Places of a lane: marks that are nearer to each other than this are one mark."""

UPLOAD: Final = "upload"
REPOST: Final = "repost"
SHARE: Final = "share"
KINDS: Final = (UPLOAD, REPOST, SHARE)


@dataclass(frozen=True, slots=True)
class SpreadStep:
    """Something by which it spread: an upload, a repost or a share."""

    at: datetime
    kind: str
    """One of ``KINDS``."""
    what: str
    who: str
    """The account as people read it; blank when nobody is known."""
    account: str = ""
    """The account's id on its platform, by which accounts are counted."""
    views: int | None = None
    """How often this was seen; None when nobody told, as for every share."""


def kinds_drawn(steps: Sequence[SpreadStep]) -> list[str]:
    """The kinds that have a lane: those that anything belongs to."""
    there = {step.kind for step in steps}
    return [kind for kind in KINDS if kind in there]


def lanes(
    steps: Sequence[SpreadStep], share_of: Callable[[datetime], float], top_px: int
) -> SafeString:
    """The lanes as SVG; ``share_of`` places a moment (0 to 1), ``top_px`` the first."""
    return format_html_join(
        "",
        "{}",
        (
            (_lane(kind, steps, share_of, top_px + LANE_PX * line),)
            for line, kind in enumerate(kinds_drawn(steps))
        ),
    )


def steps_in_words(steps: Sequence[SpreadStep]) -> str:
    """How many of each kind, by how many accounts; blank when there is nothing."""
    counts = Counter(step.kind for step in steps)
    if not counts:
        return ""
    kinds = ", ".join(_counted(kind, counts[kind]) for kind in KINDS if counts[kind])
    accounts = len({step.account for step in steps if step.account})
    if not accounts:
        return gettext("%(kinds)s by accounts that nobody named.") % {"kinds": kinds}
    return ngettext(
        "%(kinds)s by %(shown)s account.",
        "%(kinds)s by %(shown)s accounts.",
        accounts,
    ) % {"kinds": kinds, "shown": _grouped(accounts)}


def _lane(
    kind: str,
    steps: Sequence[SpreadStep],
    share_of: Callable[[datetime], float],
    top_px: int,
) -> SafeString:
    at = [round(share_of(step.at) * PLACES) for step in steps if step.kind == kind]
    places = Counter(at)
    most = max(places.values())
    low, high = MARK_PX
    foot = top_px + LANE_PX - 2
    return format_html(
        '<g class="lane"><text x="0" y="{}">{}</text>'
        '<line class="axis" x1="0" x2="100%" y1="{}" y2="{}"/>{}</g>',
        top_px + WORDS_PX,
        _named(kind, len(at)),
        foot,
        foot,
        format_html_join(
            "",
            '<line class="step" x1="{0}%" x2="{0}%" y1="{1}" y2="{2}"/>',
            (
                (
                    f"{100 * place / PLACES:.2f}",
                    foot - round(low + (high - low) * count / most),
                    foot,
                )
                for place, count in sorted(places.items())
            ),
        ),
    )


def _named(kind: str, count: int) -> str:
    names = {
        UPLOAD: gettext("Uploads: %(count)s"),
        REPOST: gettext("Reposts: %(count)s"),
        SHARE: gettext("Shares: %(count)s"),
    }
    return names[kind] % {"count": _grouped(count)}


def _counted(kind: str, count: int) -> str:
    said = {
        UPLOAD: ngettext("%(count)s upload", "%(count)s uploads", count),
        REPOST: ngettext("%(count)s repost", "%(count)s reposts", count),
        SHARE: ngettext("%(count)s share", "%(count)s shares", count),
    }
    return said[kind] % {"count": _grouped(count)}


def _grouped(count: int) -> str:
    return number_format(count, force_grouping=True)
