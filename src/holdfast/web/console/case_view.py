"""A case as its page draws it: rows put into the words and shapes of the parts.

Takes what the queries hand out and gives what the templates look for. Never reads or
decides anything by itself, and has no original in it: a picture is an address of its
preview, and an item's words are a length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.urls import reverse
from django.utils.formats import number_format

from holdfast.base.by import By, Permission
from holdfast.enforcement.contact import HoldLine, holds_of
from holdfast.enforcement.queries import DeliveryLine
from holdfast.matching.watches import watched
from holdfast.notifications.asking import questions_left
from holdfast.policy.rules import Policy
from holdfast.review.lines import (
    ActorLine,
    CasePage,
    DeadlineLine,
    ItemLine,
    MediaLine,
    ReportLine,
    TimelineLine,
)
from holdfast.review.rules import views_split
from holdfast.web.components.shapes import Event, Fact, Media
from holdfast.web.console import about, words
from holdfast.web.console.forms import actor_words

REPORTS_SHOWN: Final = 50
ACTORS_SHOWN: Final = 12
DELIVERIES_SHOWN: Final = 60
EVENTS_SHOWN: Final = 80
"""Lines of each list that a page draws; it says how many more there are."""
BURST: Final = timedelta(minutes=1)
"""What happens in the same way to many items, each so soon after the other, is one."""


@dataclass(frozen=True)
class ItemBlock:
    """What a case is about: its facts, its pictures, its words behind a reveal."""

    id: UUID
    title: str
    facts: tuple[Fact, ...]
    media: tuple[Media, ...]
    words_url: str
    """Where its words are opened; blank when it has none, or for who may not."""


@dataclass(frozen=True)
class ClockRow:
    """One clock of the head."""

    label: str
    started_at: datetime
    due_at: datetime
    stopped_at: datetime | None


def clocks(page: CasePage, policy: Policy) -> list[ClockRow]:
    """Each clock once: the one of its kind that matters, however many reports run it.

    Of those still running the earliest due, else the one that stopped last.
    """
    labels = {each.code: each.label for each in policy.clocks}
    found: dict[str, DeadlineLine] = {}
    for line in page.deadlines:
        known = found.get(line.code)
        if known is None or _matters_more(line, known):
            found[line.code] = line
    return [
        ClockRow(words.clock(code, labels), line.runs_from, line.due_at, line.met_at)
        for code, line in found.items()
    ]


def _matters_more(one: DeadlineLine, other: DeadlineLine) -> bool:
    if (one.met_at is None) != (other.met_at is None):
        return one.met_at is None
    return one.due_at < other.due_at if one.met_at is None else False


def facts(page: CasePage, category: str) -> tuple[Fact, ...]:
    """What one must know of a case at a glance."""
    breached = sum(line.breached_at is not None for line in page.deadlines)
    said: list[tuple[str, Any]] = [
        ("Platform", page.platform_name),
        ("Category", category),
        ("Reports", len(page.reports)),
        ("Items", sum(not line.possible for line in page.items)),
        ("Clock runs from", page.clock_from),
        ("Waits for", words.NEEDS.get(page.needs, page.needs) or "nobody"),
        ("Round", page.round),
        ("Policy", page.policy_version),
    ]
    if page.merged_numbers:
        said.append(("Merged from", ", ".join(page.merged_numbers)))
    if breached:
        said.append(("Clocks that ran out", breached))
    return _facts(said)


def _facts(said: Iterable[tuple[str, Any]]) -> tuple[Fact, ...]:
    """Pairs as they are drawn; the thousands of a count are set apart."""
    return tuple(
        Fact(term, number_format(value, force_grouping=True))
        if isinstance(value, int)
        else Fact(term, value)
        for term, value in said
    )


def reports(page: CasePage, by: By) -> list[dict[str, Any]]:
    """The reports, the first first, as people said them."""
    lines = page.reports[:REPORTS_SHOWN]
    holds = holds_of(line.report_id for line in lines)
    asked = [each.report_id for each in lines if each.can_be_answered]
    if Permission.REPORTER_ANSWER not in by.permissions:
        asked = []
    left = questions_left(page.case_id, asked)
    return [
        {**_report(line, holds), "questions": left.get(line.report_id, [])}
        for line in lines
    ]


def _report(line: ReportLine, holds: Sequence[HoldLine]) -> dict[str, Any]:
    return {
        "line": line,
        "watched": watched(line.report_id),
        "holds": [
            each
            for each in holds
            if each.report_id == line.report_id and each.released_at is None
        ],
        "forms": [
            {"form": each, "lacking": [words.LACKING[lack] for lack in each.lacking]}
            for each in line.forms
        ],
        "channel": words.CHANNELS.get(line.channel, line.channel),
        "claims": [words.CLAIMS.get(each, each) for each in line.claims],
        "police": " · ".join(
            each
            for each in (line.police_number, line.police_agency, line.police_contact)
            if each
        ),
    }


def blocks(
    page: CasePage,
    lines: Iterable[ItemLine],
    told: Sequence[DeliveryLine],
    by: By,
) -> list[ItemBlock]:
    """Items drawn whole."""
    return [_item(page, line, hidden_at(_freezes_of(line, told)), by) for line in lines]


def _item(page: CasePage, line: ItemLine, hidden: datetime | None, by: By) -> ItemBlock:
    before, until_hidden, after = views_split(line.view_counts, page.clock_from, hidden)
    said: list[tuple[str, Any]] = [
        ("State", words.state(line.state, line.confirmed_state)),
        ("Posted by", poster(line)),
        ("Posted", line.posted_at),
        (f"Views before {'the report' if page.reports else 'it was found'}", before),
        ("Until the site confirmed", until_hidden),
        ("After it confirmed", after),
        ("Shares", line.shares),
    ]
    if line.frozen_at:
        said.insert(1, ("Frozen", line.frozen_at))
    if line.bank and line.like:
        bank = words.bank(line.bank, taken_back=line.taken_back)
        said.append(("Known by", f"{bank}: {words.likeness(line.like)}"))
    if line.deleted_at:
        said.append(("Deleted by its poster", line.deleted_at))
    opens = Permission.ITEM_REVEAL in by.permissions
    return ItemBlock(
        id=line.item_id,
        title=item_title(line),
        facts=_facts(said),
        media=tuple(_media(page, line, each, opens=opens) for each in line.media),
        words_url=reveal_url(page, line) if opens and line.has_words else "",
    )


def _media(page: CasePage, item: ItemLine, media: MediaLine, *, opens: bool) -> Media:
    labels = [words.REFUSALS.get(media.refusal, media.refusal)] if media.refusal else []
    if media.replaced:
        labels.append("replaced by its poster")
    if media.state == "waiting":
        labels.append("not fingerprinted yet")
    return Media(
        id=str(media.media_id),
        name=f"{media_kind(media.media_type)} {media.position + 1}",
        kind=media.media_type or "kind not known",
        preview_url=preview_url(media),
        reveal_url=reveal_url(page, item, media) if opens else "",
        labels=tuple(labels),
    )


def media_kind(media_type: str) -> str:
    """Picture or video."""
    return "Video" if media_type.startswith("video/") else "Picture"


def preview_url(media: MediaLine) -> str:
    """The tiny grey picture that stands for one of a case."""
    return reverse("console:preview", kwargs={"media": media.media_id})


def reveal_url(page: CasePage, item: ItemLine, media: MediaLine | None = None) -> str:
    """Where a picture, or without one an item's words, are opened with a reason."""
    at = {"number": page.number, "item": item.item_id}
    if media is None:
        return reverse("console:reveal-words", kwargs=at)
    return reverse("console:reveal", kwargs={**at, "media": media.media_id})


def poster(line: ItemLine) -> str:
    """Who put it there, as the account is called."""
    return words.account(line.screen_name, line.account_id)


def item_name(line: ItemLine) -> str:
    """What an item is called: its kind and its id on the platform."""
    return f"{line.kind} {line.external_id}"


def item_title(line: ItemLine) -> str:
    """The same at the beginning of a line."""
    return f"{line.kind.capitalize()} {line.external_id}"


def views_of(line: ItemLine) -> int:
    """How often it has been seen, as far as the platform has told."""
    return max((views for _, views in line.view_counts), default=0)


def actors_asked(page: CasePage) -> list[ActorLine]:
    """The accounts of the case, those behind what it is about first.

    Then those that have stood in cases before, because of a thousand that passed it on
    a page can show a few.
    """
    behind = {line.actor_id for line in about.lines(page)}
    return sorted(
        page.actors,
        key=lambda each: (each.actor_id not in behind, -each.earlier_count),
    )


def actor_block(actor: ActorLine, category_of: Mapping[str, str]) -> dict[str, Any]:
    """An account and what came before."""
    said: list[tuple[str, Any]] = [
        ("State", actor.state.capitalize()),
        ("Id there", actor.external_id),
        ("Items in this case", actor.items),
        ("Earlier cases", actor.earlier_count),
    ]
    if actor.age_years is not None:
        said.insert(1, ("Age as the site says", actor.age_years))
    if actor.created_at:
        said.append(("Account made", actor.created_at))
    if actor.closed_at:
        said.append(("Closed by its owner", actor.closed_at))
    return {
        "name": actor_words(actor),
        "facts": _facts(said),
        "earlier": [
            {
                "number": each.number,
                "category": category_of.get(each.category, each.category),
                "outcome": words.OUTCOMES.get(each.outcome, each.outcome),
                "opened_at": each.opened_at,
            }
            for each in actor.earlier
        ],
    }


def deliveries(lines: Sequence[DeliveryLine], page: CasePage) -> list[dict[str, Any]]:
    """What the platform was told and has not confirmed, then the rest; latest first."""
    waiting = [each for each in reversed(lines) if each.confirmed_at is None]
    confirmed = [each for each in reversed(lines) if each.confirmed_at is not None]
    items_named = {each.item_id: each.external_id for each in page.items}
    actors_named = {each.actor_id: actor_words(each) for each in page.actors}
    return [
        {
            "verb": words.VERBS.get(line.verb, line.verb),
            "about": items_named.get(line.item_id) if line.item_id else "",
            "actor": actors_named.get(line.actor_id) if line.actor_id else "",
            "line": line,
        }
        for line in [*waiting, *confirmed][:DELIVERIES_SHOWN]
    ]


def _freezes_of(line: ItemLine, told: Sequence[DeliveryLine]) -> list[DeliveryLine]:
    return [each for each in told if each.item_id == line.item_id]


def hidden_at(lines: Sequence[DeliveryLine]) -> datetime | None:
    """When the site had confirmed every freeze; None while one is not (promise 16)."""
    freezes = [line.confirmed_at for line in lines if line.verb == "freeze"]
    confirmed = [at for at in freezes if at is not None]
    return max(confirmed) if confirmed and len(confirmed) == len(freezes) else None


def timeline(page: CasePage, names: Mapping[str, str]) -> list[Event]:
    """What happened, the latest first, as far as a page draws it.

    What was done to many items at once is one line. Each act of a person has its own.
    """
    called = {str(line.item_id): item_name(line) for line in page.items}
    bursts: list[tuple[Event, list[TimelineLine]]] = []
    open_bursts: dict[tuple[str, str, str], int] = {}
    for line in reversed(page.timeline):
        said = words.event(line.kind), _who(line.by, names), _more(line.facts)
        at = open_bursts.get(said, -1)
        repeats = bool(line.about.get("item")) and not line.by.startswith("staff:")
        if repeats and at >= 0 and bursts[at][1][-1].at - line.at <= BURST:
            bursts[at][1].append(line)
            continue
        open_bursts[said] = len(bursts) if repeats else -1
        bursts.append((Event(line.at, *said), [line]))
    return [
        replace(event, each=tuple(_items_named(lines, called)))
        if len(lines) > 1
        else event
        for event, lines in bursts[:EVENTS_SHOWN]
    ]


def _items_named(
    lines: Iterable[TimelineLine], called: Mapping[str, str]
) -> Iterator[str]:
    """What each line was about; an item of a case that was left has no name here."""
    for line in lines:
        yield called.get(str(line.about["item"]), "an item of another case")


def names(page: CasePage, me: tuple[UUID, str]) -> dict[str, str]:
    """Who did something on this case, by the text an event has for them."""
    known = {me[0]: me[1]}
    people: Iterable[tuple[UUID, str]] = (
        *((line.person_id, line.person_name) for line in page.readings),
        *((line.person_id, line.person_name) for line in page.notes),
        *((line.person_id, line.person_name) for line in page.reveals),
    )
    known.update(people)
    if page.claimed_by:
        known[page.claimed_by] = page.claimed_by_name
    return {f"staff:{person}": name for person, name in known.items()}


def _who(by: str, named: Mapping[str, str]) -> str:
    kind = by.partition(":")[0]
    said = {"system": "", "platform": "the platform", "public": "front door"}
    return named.get(by, said.get(kind, "a colleague"))


_SHOWN_FACTS: Final = ("outcome", "because", "code")


def _more(told: Mapping[str, Any]) -> str:
    """The few facts of an event that a reader wants; the log holds all."""
    parts = [str(told[name]) for name in _SHOWN_FACTS if told.get(name)]
    if verb := told.get("verb"):
        parts.append(words.VERBS.get(verb, verb).lower())
    return ", ".join(each.replace("_", " ") for each in parts)
