"""The queue: what waits, in the order in which it is worked on.

Urgency, and then the clock; how many people reported is shown and never counts
(promise 7). Of cases that are due at the same time, those that the one who asks can
read come first. Reading it changes nothing, and shows nothing of what was reported.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Case as Choose
from django.db.models import (
    Count,
    DateTimeField,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import InvalidInput
from holdfast.policy import queries as policies
from holdfast.review.lines import QueueFilters, QueueLine
from holdfast.review.models import Claim, Reading
from holdfast.review.queries import as_rules_see
from holdfast.review.rules import need
from holdfast.staff.queries import myself, person_of
from holdfast.staff.rules import spellings
from holdfast.triage.languages import languages_of, unread_languages
from holdfast.triage.models import (
    Case,
    CaseItem,
    CaseState,
    CaseTarget,
    Deadline,
    ItemRole,
    Urgency,
)

QUEUE_LINES = 200
"""Lines of one page of the queue; nobody reads further down than this."""
DUE_TOGETHER = timedelta(minutes=5)
"""Cases due within the same five minutes are due at the same time: a twelfth of the
shortest clock of the default policy. Language may change their order and no other."""


def queue(by: By, filters: QueueFilters | None = None) -> list[QueueLine]:
    """The open cases: the most urgent first, and of those the earliest due.

    At most ``QUEUE_LINES``; :func:`queue_length` says how many there are.
    """
    by.require(Permission.CASE_READ)
    chosen = filters or QueueFilters()
    rows = _filtered(by, chosen)
    if chosen.needs:
        every = list(rows)
        waiting = _needs_of(every)
        cases = [each for each in every if waiting[each.id] == chosen.needs]
        cases = cases[:QUEUE_LINES]
    else:
        cases = list(rows[:QUEUE_LINES])
        waiting = _needs_of(cases)
    ids = [case.id for case in cases]
    held = {
        claim.case_id: claim
        for claim in Claim.objects.filter(
            case__in=ids, released_at=None
        ).select_related("person")
    }
    clocks = _earliest(ids)
    reports, items, doubts = _reports(ids), _items(ids), _doubts(ids)
    languages, unread = languages_of(ids), set(unread_languages())
    return [
        _line(
            case,
            waiting[case.id],
            reports.get(case.id, 0),
            items,
            doubts.get(case.id, 0),
            clocks.get(case.id),
            held.get(case.id),
            languages.get(case.id, ()),
            unread,
        )
        for case in cases
    ]


def queue_length(by: By) -> int:
    """How many cases are open."""
    by.require(Permission.CASE_READ)
    return Case.objects.filter(state=CaseState.OPEN).count()


def _filtered(by: By, chosen: QueueFilters) -> QuerySet[Case]:
    if chosen.claimed not in ("", "mine", "free"):
        raise InvalidInput("Claimed is 'mine', 'free' or blank.")
    rows = Case.objects.filter(state=CaseState.OPEN)
    if chosen.platform_id:
        rows = rows.filter(platform=chosen.platform_id)
    if chosen.category:
        rows = rows.filter(category=chosen.category)
    if chosen.urgency:
        rows = rows.filter(urgency=chosen.urgency)
    if chosen.child_safety is not None:
        rows = rows.filter(child_safety=chosen.child_safety)
    held = Claim.objects.filter(released_at=None)
    if chosen.claimed == "mine":
        rows = rows.filter(id__in=held.filter(person=person_of(by)).values("case"))
    if chosen.claimed == "free":
        rows = rows.exclude(id__in=held.values("case"))
    mine = myself(by).languages if by.kind == "staff" else ()
    reported = CaseTarget.objects.filter(case=OuterRef("id"))
    if chosen.language == "mine" and mine:
        # What nobody reads is in everybody's queue: it must not be hidden from all.
        rows = rows.filter(_in_languages([*mine, *unread_languages()]))
    elif chosen.language and chosen.language != "mine":
        rows = rows.filter(
            Exists(reported.filter(target__report__language=chosen.language))
        )
    ranks = [When(urgency=name, then=Value(at)) for at, name in enumerate(Urgency)]
    running = Deadline.objects.filter(case=OuterRef("id"), met_at=None)
    return rows.annotate(
        rank=Choose(*ranks, default=Value(len(ranks)), output_field=IntegerField()),
        due=Subquery(running.order_by("due_at").values("due_at")[:1]),
        due_about=Func(
            Value(DUE_TOGETHER),
            F("due"),
            Value(_EPOCH),
            function="date_bin",
            output_field=DateTimeField(),
        ),
        foreign=_not_in_languages(mine),
    ).order_by(
        "rank",
        F("due_about").asc(nulls_last=True),
        "foreign",
        F("due").asc(nulls_last=True),
        "clock_from",
        "id",
    )


_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""From where spans of ``DUE_TOGETHER`` are counted; any moment would do."""


def _in_languages(tags: Collection[str]) -> Q:
    """Cases reported in one of these languages, and those that no report is of."""
    reported = CaseTarget.objects.filter(case=OuterRef("id"))
    one_of = "|".join(sorted(spellings(tags)))
    readable = reported.filter(target__report__language__iregex=f"^({one_of})([-_]|$)")
    return Exists(readable) | ~Exists(reported)


def _not_in_languages(tags: Collection[str]) -> Choose:
    """1 for a case that somebody who reads these cannot read; else 0."""
    if not tags:
        return Choose(default=Value(0), output_field=IntegerField())
    return Choose(
        When(_in_languages(tags), then=Value(0)),
        default=Value(1),
        output_field=IntegerField(),
    )


def _needs_of(cases: list[Case]) -> dict[UUID, str]:
    policy = policies.current()
    rows = Reading.objects.filter(case__in=cases).order_by("read_at", "id")
    found = {}
    for case in cases:
        mine = [row for row in rows if row.case_id == case.id]
        readings, child_safety = as_rules_see(
            case, [row for row in mine if row.round == case.round], policy
        )
        found[case.id] = str(need(readings, child_safety=child_safety) or "")
    return found


def _earliest(ids: list[UUID]) -> dict[UUID, Deadline]:
    running = Deadline.objects.filter(case__in=ids, met_at=None).order_by("-due_at")
    return {row.case_id: row for row in running}


def _reports(ids: list[UUID]) -> dict[UUID, int]:
    rows = CaseTarget.objects.filter(case__in=ids).values_list("case")
    return dict(rows.annotate(Count("target__report", distinct=True)))


def _items(ids: list[UUID]) -> dict[tuple[UUID, str], int]:
    certain = CaseItem.objects.filter(case__in=ids, certain=True)
    rows = certain.values_list("case", "role").annotate(Count("id"))
    return {(case, role): count for case, role, count in rows}


def _doubts(ids: list[UUID]) -> dict[UUID, int]:
    possible = CaseItem.objects.filter(case__in=ids, certain=False).values_list("case")
    return dict(possible.annotate(Count("id")))


def _line(
    case: Case,
    waits_for: str,
    reports: int,
    items: dict[tuple[UUID, str], int],
    doubts: int,
    running: Deadline | None,
    held: Claim | None,
    languages: tuple[str, ...],
    unread: Collection[str],
) -> QueueLine:
    return QueueLine(
        case_id=case.id,
        number=case.number,
        platform_id=case.platform_id,
        category=case.category,
        child_safety=case.child_safety,
        urgency=case.urgency,
        state=case.state,
        round=case.round,
        needs=waits_for,
        reports=reports,
        items=sum(items.get((case.id, role), 0) for role in ItemRole),
        copies=items.get((case.id, ItemRole.COPY), 0) + _known_too(case.id, items),
        reposts=items.get((case.id, ItemRole.REPOST), 0),
        doubts=doubts,
        clock_from=case.clock_from,
        deadline_code=running.code if running else "",
        due_at=running.due_at if running else None,
        elapsed=elapsed(running.runs_from, running.due_at) if running else 0.0,
        claimed_by=held.person_id if held else None,
        claimed_by_name=held.person.name if held else "",
        languages=languages,
        unread=bool(languages) and set(languages) <= set(unread),
    )


def _known_too(case: UUID, items: Mapping[tuple[UUID, str], int]) -> int:
    """What a bank knows beside what a case is about, which is one of them where nobody
    has reported any item."""
    known = items.get((case, ItemRole.KNOWN), 0)
    return known if items.get((case, ItemRole.REPORTED)) else max(known - 1, 0)


def elapsed(runs_from: datetime, due_at: datetime) -> float:
    """The share of a clock's span that has passed now; above 1 when it is late."""
    span = (due_at - runs_from).total_seconds()
    gone = (clock.now() - runs_from).total_seconds()
    return max(0.0, gone / span) if span > 0 else 1.0
