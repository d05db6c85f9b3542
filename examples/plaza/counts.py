"""Plaza's own count of what was seen, passed on and earned, and when.

It reads the append-only events alone: what Holdfast believes plays no part, so that
"nothing after the freeze" is measured by the network on which it would have happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plaza.store import Row, Store

PHASES = ("before_report", "report_to_freeze", "after_freeze", "after_thaw")


def exposure(store: Store, items: Sequence[str], reported_at: float) -> dict[str, Any]:
    """Views, reposts and earnings (micros) of ``items`` and their reposts, by phase.

    ``reported_at`` is in Unix seconds. For each item the freeze is the moment at which
    Plaza itself hid it, or what it reposts. ``never_frozen`` names those that it never
    hid; all they did since the report counts as ``report_to_freeze``.
    """
    marks = ",".join("?" * len(items))
    rows = store.all(
        f"select id, repost_of, posted_at, state from item"
        f" where id in ({marks}) or repost_of in ({marks})",
        *items,
        *items,
    )
    totals = {
        kind: dict.fromkeys(PHASES, 0)
        for kind in ("views", "reposts", "advert_earnings_micros")
    }
    each, never = [], []
    for row in rows:
        hidden_at, shown_at = _hidden(store, row)
        if hidden_at is None:
            never.append(row["id"])
        each.append({**dict(row), "frozen_at": hidden_at, "thawed_at": shown_at})
        for event in store.all("select * from event where item = ?", row["id"]):
            at = event["at"]
            if hidden_at is None or at < hidden_at:
                phase = "before_report" if at < reported_at else "report_to_freeze"
            else:
                thawed = shown_at is not None and at >= shown_at
                phase = "after_thaw" if thawed else "after_freeze"
            if event["kind"] == "view":
                totals["views"][phase] += 1
            elif event["kind"] == "repost":
                totals["reposts"][phase] += 1
            elif event["kind"] == "advert":
                totals["advert_earnings_micros"][phase] += event["micros"]
    return {**totals, "items": each, "never_frozen": never}


def everything(store: Store) -> dict[str, Any]:
    """Every item with its state and totals, and the totals of all events."""
    items = store.all(
        "select i.id, i.kind, i.account, i.repost_of, i.state, i.posted_at,"
        " i.deleted_at, i.views,"
        " (select count(*) from event e where e.item = i.id and e.kind = 'repost')"
        "   as reposts,"
        " (select coalesce(sum(micros), 0) from event e where e.item = i.id)"
        "   as earned_micros,"
        " (select min(at) from event e where e.item = i.id"
        "   and e.kind in ('frozen', 'removed')) as frozen_at"
        " from item i order by i.seq"
    )
    totals = store.all(
        "select kind, count(*) as count, sum(micros) as micros from event group by kind"
    )
    return {
        "items": [dict(row) for row in items],
        "events": {row["kind"]: row["count"] for row in totals},
        "earned_micros": sum(row["micros"] for row in totals),
    }


def events(store: Store, item: str) -> list[dict[str, Any]]:
    """The raw events of one item, in the order in which they were written."""
    found = store.all("select * from event where item = ? order by seq", item)
    return [dict(row) for row in found]


def _hidden(store: Store, item: Row) -> tuple[float | None, float | None]:
    """When an item was first hidden, itself or by its original; when shown again."""
    hidden = store.one(
        "select min(at) from event where item in (?, ?)"
        " and kind in ('frozen', 'removed')",
        item["id"],
        item["repost_of"],
    )[0]
    if hidden is None:
        return None, None
    shown = store.one(
        "select min(at) from event where item in (?, ?) and kind = 'visible'"
        " and at >= ?",
        item["id"],
        item["repost_of"],
        hidden,
    )[0]
    return hidden, shown
