"""The copies of a case as its page draws them: by what binds them, nearest first.

What is certain is one cluster and is decided together with what was reported, or with
what a bank knew first. What is only possibly a copy stands apart, because nothing is
hidden for it before somebody has looked. Never reads or decides anything by itself, and
has no original in it.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.urls import reverse

from holdfast.base.by import By, Permission
from holdfast.matching.rules import Basis
from holdfast.review.lines import CasePage, ItemLine, TimelineLine
from holdfast.web.components.shapes import Cluster, Copy, Doubt, Group
from holdfast.web.console import about, words
from holdfast.web.console.about import nearness
from holdfast.web.console.case_view import (
    item_name,
    item_title,
    poster,
    preview_url,
    reveal_url,
    views_of,
)

COPIES_SHOWN: Final = 60
"""Copies, and doubts, that one page draws; it says how many more there are."""
PAGE_DIGITS: Final = 6
"""A page number of so many digits is none: Python refuses to read thousands."""


def cluster(page: CasePage, by: By, asked: str = "") -> Cluster:
    """The copies in their groups; ``asked`` is the page of them, as it was typed."""
    grouped = _grouped(page)
    flat = [line for _, lines in grouped for line in lines]
    pages = max(1, -(-len(flat) // COPIES_SHOWN))
    typed = int(asked) if asked.isdecimal() and len(asked) < PAGE_DIGITS else 1
    at = min(max(typed, 1), pages)
    first = (at - 1) * COPIES_SHOWN
    named = {line.item_id: line for line in page.items}
    shown = {
        line.item_id: _copy(page, line, named, by)
        for line in flat[first : first + COPIES_SHOWN]
    }
    groups, before = [], 0
    for code, lines in grouped:
        title, hint = words.BINDS[code]
        found = tuple(shown[each.item_id] for each in lines if each.item_id in shown)
        url = f"{_page_url(page, before // COPIES_SHOWN + 1)}#copies-{code}"
        groups.append(Group(code, title, len(lines), url, found, hint))
        before += len(lines)
    return Cluster(
        total=len(flat),
        groups=tuple(groups),
        first=first + 1 if flat else 0,
        last=first + len(shown),
        previous_url=f"{_page_url(page, at - 1)}#copies" if at > 1 else "",
        next_url=f"{_page_url(page, at + 1)}#copies" if at < pages else "",
    )


def doubts(page: CasePage, by: By) -> list[Doubt]:
    """What waits for somebody's word, the likeliest first; all of it."""
    possible = [line for line in page.items if line.possible]
    named = {line.item_id: line for line in page.items}
    return [_doubt(page, line, named, by) for line in sorted(possible, key=nearness)]


def settled(page: CasePage, item: UUID) -> TimelineLine | None:
    """When and by whom a doubt was settled; None while nobody has said anything."""
    return next(
        (
            line
            for line in reversed(page.timeline)
            if line.kind in words.SETTLED and line.about.get("item") == str(item)
        ),
        None,
    )


def _grouped(page: CasePage) -> list[tuple[str, list[ItemLine]]]:
    """The certain copies by what binds them, the surest group first."""
    found: dict[str, list[ItemLine]] = {code: [] for code in words.BINDS}
    itself = {line.item_id for line in about.lines(page)}
    for line in page.items:
        if line.item_id not in itself and line.like is not None and line.like.certain:
            found[words.binds(line.like)].append(line)
    return [(code, sorted(each, key=nearness)) for code, each in found.items() if each]


def _copy(page: CasePage, line: ItemLine, named: dict[UUID, ItemLine], by: By) -> Copy:
    assert line.like is not None
    near, how = words.measures(line.like), words.changes(line.like)
    if line.role == "known":
        bank = words.bank(line.bank, taken_back=line.taken_back)
        how = [*how, f"known by {bank}"]
    above = named.get(line.repost_of) if line.repost_of else None
    if line.like.basis == Basis.REPOST and above is not None:
        near, how = [f"of {item_name(above)}"], [*near, *how]
    return Copy(
        id=str(line.item_id),
        # A repost has no picture of its own: it shows that of what it passes on.
        preview_url=_preview(line) or (_preview(above) if above else ""),
        where=poster(line) if line.account_id else item_title(line),
        what=item_name(line) if line.account_id else "",
        near=", ".join(near) or words.sameness(line.like),
        how=tuple(how),
        state=words.state(line.state, line.confirmed_state),
        views=views_of(line),
        url=_opened(page, line, by),
    )


def _doubt(
    page: CasePage, line: ItemLine, named: dict[UUID, ItemLine], by: By
) -> Doubt:
    assert line.like is not None
    against = named.get(line.against) if line.against else None
    of = item_name(against) if against else line.bank
    at = {"number": page.number, "item": line.item_id}
    may_settle = Permission.CASE_DECIDE in by.permissions
    return Doubt(
        id=str(line.item_id),
        preview_url=_preview(line),
        where=poster(line),
        what=f"{item_title(line)}, perhaps a copy of {of}",
        like=words.likeness(line.like),
        views=views_of(line),
        url=_opened(page, line, by),
        settle_url=reverse("console:settle", kwargs=at) if may_settle else "",
    )


def _preview(line: ItemLine) -> str:
    return preview_url(line.media[0]) if line.media else ""


def _opened(page: CasePage, line: ItemLine, by: By) -> str:
    """Where it is opened with a reason; blank for who may not, or without a picture."""
    opens = Permission.ITEM_REVEAL in by.permissions and line.media
    return reveal_url(page, line, line.media[0]) if opens else ""


def _page_url(page: CasePage, at: int) -> str:
    case = reverse("console:case", kwargs={"number": page.number})
    return f"{case}?copies={at}" if at > 1 else case
