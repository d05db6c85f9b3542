"""One case, put together: everything a reader must know and nothing they must not see.

Reports in their own words, items and how near they are to what was reported, reach
before and after, the people behind them and their history, what colleagues found, every
clock and every step. No picture and no words of an item: those are behind a reveal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q

from holdfast.base.by import By, Permission
from holdfast.base.events import Kind
from holdfast.base.models import Event
from holdfast.freeze.models import Freeze
from holdfast.intake.mail import attachments_of, reports_named
from holdfast.intake.models import Report
from holdfast.intake.queries import TELLING
from holdfast.items.models import Actor, Media, ViewCount
from holdfast.matching.models import BankEntry, BankState, Match
from holdfast.matching.rules import strength
from holdfast.review.lines import (
    ActorLine,
    CasePage,
    DeadlineLine,
    EarlierCase,
    ItemLine,
    MediaLine,
    NoteLine,
    ReadingLine,
    ReportLine,
    RevealLine,
    TimelineLine,
)
from holdfast.review.models import Claim, Note, Reading, Reveal
from holdfast.review.queries import actors_of, family, living_case, needs
from holdfast.review.queue import elapsed
from holdfast.review.told import report_line
from holdfast.triage.models import Case, CaseItem, CaseTarget, Deadline, ItemRole

TIMELINE_EVENTS = 500
"""The last so many steps of a case; the log holds all of them."""
EARLIER_CASES = 20
"""Earlier cases of one actor that the page lists; ``earlier_count`` says how many."""


def case_page(case_id: UUID | str, by: By) -> CasePage:
    """Everything about a case, by id or number; a merged one leads to the living case.

    Raises ``NotFound``.
    """
    by.require(Permission.CASE_READ)
    case = Case.objects.select_related("platform").get(id=living_case(case_id))
    cases = family(case.id)
    held = Claim.objects.filter(case=case, released_at=None).select_related("person")
    claim = held.first()
    merged = Case.objects.filter(id__in=cases).exclude(id=case.id).order_by("opened_at")
    return CasePage(
        case_id=case.id,
        number=case.number,
        merged_numbers=tuple(merged.values_list("number", flat=True)),
        platform_id=case.platform_id,
        platform_name=case.platform.name,
        category=case.category,
        child_safety=case.child_safety,
        urgency=case.urgency,
        state=case.state,
        round=case.round,
        policy_version=case.policy_version,
        needs=needs(case) or "",
        clock_from=case.clock_from,
        opened_at=case.opened_at,
        claimed_by=claim.person_id if claim else None,
        claimed_by_name=claim.person.name if claim else "",
        reports=_reports(case),
        items=_items(case),
        actors=_actors(case, cases),
        readings=_readings(cases),
        notes=_notes(cases),
        reveals=_reveals(cases),
        deadlines=_deadlines(cases),
        timeline=_timeline(cases),
    )


def _reports(case: Case) -> tuple[ReportLine, ...]:
    placed = CaseTarget.objects.filter(case=case).select_related("target")
    named: dict[UUID, list[str]] = {}
    for place in placed.order_by("target__position"):
        named.setdefault(place.target.report_id, []).append(place.target.named_as)
    rows = Report.objects.filter(id__in=named).prefetch_related(*TELLING)
    attachments = attachments_of(list(named))
    found = list(rows.select_related("codename").order_by("received_at", "id"))
    others = reports_named(found)
    return tuple(
        report_line(
            row,
            tuple(named[row.id]),
            attachments.get(row.id, 0),
            others.get(row.id, ""),
        )
        for row in found
    )


def _items(case: Case) -> tuple[ItemLine, ...]:
    places = list(
        CaseItem.objects.filter(case=case)
        .select_related("item__actor", "entry__bank")
        .annotate(shares=Count("item__shares"))
        .order_by("placed_at", "id")
    )
    ids = [place.item_id for place in places]
    media: dict[UUID, list[MediaLine]] = {}
    for row in Media.objects.filter(item__in=ids).order_by("position", "added_at"):
        media.setdefault(row.item_id, []).append(
            MediaLine(
                row.id,
                row.position,
                row.media_type,
                row.state,
                row.refusal,
                row.replaced_at is not None,
            )
        )
    counts: dict[UUID, list[tuple[datetime, int]]] = {}
    for seen in ViewCount.objects.filter(item__in=ids).order_by("counted_at"):
        counts.setdefault(seen.item_id, []).append((seen.counted_at, seen.views_total))
    frozen = dict(
        Freeze.objects.filter(item__in=ids)
        .order_by("-frozen_at")
        .values_list("item", "frozen_at")
    )
    measured = _measured(places)
    return tuple(
        _item(
            place,
            measured.get(place.item_id),
            place.shares,
            tuple(media.get(place.item_id, ())),
            frozen.get(place.item_id),
            tuple(counts.get(place.item_id, ())),
        )
        for place in places
    )


def _measured(places: Sequence[CaseItem]) -> dict[UUID, Match]:
    """How what stands here for an entry of a bank is like what was reported here since.

    Where nothing was, and its bank took the entry back: what other entry knows it.
    """
    reported = {each.item_id for each in places if each.role == ItemRole.REPORTED}
    by_bank = {
        each.item_id: each
        for each in places
        if each.entry is not None and each.certain and each.item_id not in reported
    }
    found = Match.objects.filter(item__in=by_bank, certain=True, rejected_at=None)
    by_entry = Q(entry__isnull=False) & ~Q(entry__state=BankState.REVOKED)
    rows = found.filter(by_entry | Q(against__in=reported)).select_related(
        "entry__bank"
    )
    nearest: dict[UUID, Match] = {}
    for row in sorted(
        rows, key=lambda each: (each.against_id is None, strength(each.likeness))
    ):
        if row.against_id is not None or _taken_back(by_bank[row.item_id].entry):
            nearest.setdefault(row.item_id, row)
    return nearest


def _taken_back(entry: BankEntry | None) -> bool:
    return entry is not None and entry.state == BankState.REVOKED


def _item(
    place: CaseItem,
    measured: Match | None,
    shares: int,
    media: tuple[MediaLine, ...],
    frozen_at: datetime | None,
    view_counts: tuple[tuple[datetime, int], ...],
) -> ItemLine:
    item, found = place.item, measured or place
    entry = (measured and measured.entry) or place.entry
    return ItemLine(
        item_id=item.id,
        external_id=item.external_id,
        kind=item.kind,
        actor_id=item.actor_id,
        account_id=item.actor.external_id if item.actor else "",
        screen_name=item.actor.screen_name if item.actor else "",
        role=place.role,
        against=found.against_id,
        like=found.likeness if found.basis else None,
        bank=entry.bank.name if entry else "",
        taken_back=_taken_back(entry),
        repost_of=item.repost_of_id,
        state=item.state,
        confirmed_state=item.confirmed_state,
        frozen_at=frozen_at,
        has_words=bool(item.text),
        media=media,
        shares=shares,
        view_counts=view_counts,
        posted_at=item.posted_at,
        deleted_at=item.deleted_at,
    )


def _actors(case: Case, cases: list[UUID]) -> tuple[ActorLine, ...]:
    ids = actors_of(case)
    earlier: dict[UUID, list[Case]] = {actor: [] for actor in ids}
    places = (
        Case.objects.exclude(id__in=cases)
        .filter(Q(items__item__actor__in=ids) | Q(targets__target__actor__in=ids))
        .order_by("-opened_at", "-id")
        .distinct()
    )
    behind = places.values_list("id", "items__item__actor", "targets__target__actor")
    pairs = {(each[0], actor) for each in behind for actor in each[1:] if actor in ids}
    for other in places:
        for actor in ids:
            if (other.id, actor) in pairs:
                earlier[actor].append(other)
    outcomes = _outcomes({each.id for some in earlier.values() for each in some})
    in_case = dict(
        CaseItem.objects.filter(case=case, certain=True)
        .values_list("item__actor")
        .annotate(Count("id"))
    )
    return tuple(
        _actor(row, in_case.get(row.id, 0), earlier[row.id], outcomes)
        for row in Actor.objects.filter(id__in=ids).order_by("registered_at", "id")
    )


def _actor(
    row: Actor, items: int, earlier: list[Case], outcomes: Mapping[str, str]
) -> ActorLine:
    return ActorLine(
        actor_id=row.id,
        external_id=row.external_id,
        screen_name=row.screen_name,
        display_name=row.display_name,
        age_years=row.age_years,
        state=row.state,
        created_at=row.created_at,
        closed_at=row.closed_at,
        items=items,
        earlier_count=len(earlier),
        earlier=tuple(
            EarlierCase(
                each.id,
                each.number,
                each.category,
                each.state,
                outcomes.get(str(each.id), ""),
                each.opened_at,
            )
            for each in earlier[:EARLIER_CASES]
        ),
    )


def _outcomes(cases: set[UUID]) -> dict[str, str]:
    """What people found in these cases, from the log: decisions are a later stage."""
    wanted = Q()
    for case_id in cases:
        wanted |= Q(about__contains={"case": str(case_id)})
    if not cases:
        return {}
    rows = Event.objects.filter(wanted, kind=Kind.CASE_DECIDED).order_by("id")
    return {row.about["case"]: str(row.facts["outcome"]) for row in rows}


def _readings(cases: list[UUID]) -> tuple[ReadingLine, ...]:
    rows = Reading.objects.filter(case__in=cases).select_related("person")
    return tuple(
        ReadingLine(
            reading_id=row.id,
            round=row.round,
            person_id=row.person_id,
            person_name=row.person.name,
            as_specialist=row.as_specialist,
            outcome=row.outcome,
            category=row.category,
            ground=row.ground,
            reason=row.reason,
            parts=row.parts,
            refer=row.refer,
            why_not_refer=row.why_not_refer,
            read_at=row.read_at,
        )
        for row in rows.order_by("read_at", "id")
    )


def _notes(cases: list[UUID]) -> tuple[NoteLine, ...]:
    rows = Note.objects.filter(case__in=cases).select_related("person")
    return tuple(
        NoteLine(row.id, row.person_id, row.person.name, row.words, row.noted_at)
        for row in rows.order_by("noted_at", "id")
    )


def _reveals(cases: list[UUID]) -> tuple[RevealLine, ...]:
    rows = Reveal.objects.filter(case__in=cases)
    return tuple(
        RevealLine(
            reveal_id=row.id,
            item_id=row.item_id,
            media_id=row.media_id,
            person_id=row.person_id,
            person_name=row.person.name,
            second_person_name=row.second_person.name if row.second_person else "",
            reason=row.reason,
            entire=row.entire,
            revealed_at=row.revealed_at,
        )
        for row in rows.select_related("person", "second_person").order_by(
            "revealed_at", "id"
        )
    )


def _deadlines(cases: list[UUID]) -> tuple[DeadlineLine, ...]:
    return tuple(
        DeadlineLine(
            code=row.code,
            runs_from=row.runs_from,
            due_at=row.due_at,
            elapsed=elapsed(row.runs_from, row.due_at),
            shown_to_reporter=row.shown_to_reporter,
            met_at=row.met_at,
            breached_at=row.breached_at,
        )
        for row in Deadline.objects.filter(case__in=cases).order_by("due_at", "id")
    )


def _timeline(cases: list[UUID]) -> tuple[TimelineLine, ...]:
    wanted = Q()
    for case_id in cases:
        wanted |= Q(about__contains={"case": str(case_id)})
    rows = Event.objects.filter(wanted).order_by("-id")[:TIMELINE_EVENTS]
    return tuple(
        TimelineLine(row.id, row.kind, row.at, row.by, row.about, row.facts)
        for row in reversed(rows)
    )
