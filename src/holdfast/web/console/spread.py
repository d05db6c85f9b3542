"""How what a case is about spread, as its page draws it: when, by whom, how far seen.

Takes what stands in the case for certain; what is only possibly a copy spread nothing
as far as anybody knows. Never reads or decides anything by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from holdfast.items.shares import ShareLine
from holdfast.review.lines import CasePage, ItemLine
from holdfast.web.components.charts import SpreadPoint
from holdfast.web.components.lanes import REPOST, SHARE, UPLOAD, SpreadStep
from holdfast.web.console import words
from holdfast.web.console.case_view import item_name, poster, views_of

POINTS_DRAWN: Final = 400
"""Moments of the chart; more would be closer together than a pixel."""
STEPS_LISTED: Final = 200
"""Lines of the table beside the chart; it says how many more there are."""


def spreading(page: CasePage) -> list[ItemLine]:
    """The items by which it spread."""
    return [line for line in page.items if not line.possible]


def points(seen: Sequence[tuple[datetime, int]]) -> list[SpreadPoint]:
    """Views in total at each moment, as many as can be told apart."""
    step = max(1, len(seen) // POINTS_DRAWN)
    # The last moment is always drawn: it is the total that stands beside the chart.
    return [SpreadPoint(at, views) for at, views in (*seen[:-1:step], *seen[-1:])]


def steps(page: CasePage, shares: Iterable[ShareLine]) -> list[SpreadStep]:
    """Each upload, repost and share, the first first."""
    items = spreading(page)
    named = {line.item_id: item_name(line) for line in items}
    found = [_put_there(line) for line in items]
    found += [
        SpreadStep(
            at=share.shared_at,
            kind=SHARE,
            what=f"share of {named[share.item_id]}",
            who=words.account(share.screen_name, share.account_id),
            account=share.account_id,
        )
        for share in shares
    ]
    return sorted(found, key=lambda step: step.at)


def _put_there(line: ItemLine) -> SpreadStep:
    return SpreadStep(
        at=line.posted_at,
        kind=REPOST if line.role == "repost" else UPLOAD,
        what=f"{item_name(line)}, {words.ITEM_ROLES[line.role]}",
        who=poster(line),
        account=line.account_id,
        views=views_of(line) if line.view_counts else None,
    )
