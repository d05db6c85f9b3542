"""What a case is about: what people reported, or what a bank knew before anybody did.

All else that stands in it for certain is a copy of that, and is drawn as a cluster.
"""

from __future__ import annotations

from typing import Any

from holdfast.matching.rules import strength
from holdfast.review.lines import CasePage, ItemLine


def lines(page: CasePage) -> list[ItemLine]:
    """What a case is about, one way or the other."""
    return [*reported(page), *known(page)]


def reported(page: CasePage) -> list[ItemLine]:
    """The items that people reported; copies are drawn as a cluster."""
    return [line for line in page.items if line.role == "reported"]


def known(page: CasePage) -> list[ItemLine]:
    """What stands for a case in which no item was reported: of all that a bank knows
    the nearest. The rest is drawn as its copies; nothing where something was reported.
    """
    if reported(page):
        return []
    found = [line for line in page.items if line.role == "known" and not line.possible]
    return sorted(found, key=nearness)[:1]


def nearness(line: ItemLine) -> tuple[Any, ...]:
    """Sorts the nearest first, and of those the first that was put there."""
    return (*strength(line.like), line.posted_at) if line.like else ()
