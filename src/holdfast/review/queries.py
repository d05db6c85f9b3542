"""What the desk reads: the queue, what a case needs, what was opened and by whom.

The order of the queue is urgency and then the clock; how many people reported is shown
and never counts (promise 7). Of cases that are due at the same time, those that the one
who asks can read come first. Reading changes nothing, and shows no original: pictures
and an item's words are behind a reveal. The page of one case is in ``case_page``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
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
from holdfast.base.errors import InvalidInput, NotAllowed, NotFound
from holdfast.base.events import Kind
from holdfast.base.ids import read_number
from holdfast.base.models import Event
from holdfast.items.models import Media
from holdfast.policy import queries as policies
from holdfast.policy.rules import Policy
from holdfast.review.lines import QueueFilters, QueueLine, RevealGrant, Viewed
from holdfast.review.models import Claim, Note, Outcome, Reading, Reveal
from holdfast.review.rules import Need, Read, may_not_read, need
from holdfast.staff.queries import is_specialist, myself, person_of
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
from holdfast.triage.placing import living

QUEUE_LINES = 200
"""Lines of one page of the queue; nobody reads further down than this."""
DUE_TOGETHER = timedelta(minutes=5)
"""Cases due within the same five minutes are due at the same time: a twelfth of the
shortest clock of the default policy. Language may change their order and no other."""
REVEAL_OPEN_S = 600
"""How long the page of a reveal may show what it opened; then it is opened anew."""


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


def living_case(case_id: UUID | str) -> UUID:
    """The case that lives on under this id or number; merged ones resolve to it.

    ``case_id`` is an id, or a number as a person types it. Raises ``NotFound``.
    """
    try:
        found: UUID | None = UUID(str(case_id))
    except ValueError:
        numbered = Case.objects.filter(number=read_number(str(case_id)))
        found = numbered.values_list("id", flat=True).first()
    if found is None:
        raise NotFound("There is no such case.")
    return living(found).id


def case_number_of(case_id: UUID, by: By) -> str:
    """The number of the case that lives on under this id; blank when there is none."""
    by.require(Permission.CASE_READ)
    if not Case.objects.filter(id=case_id).exists():
        return ""
    return Case.objects.values_list("number", flat=True).get(id=living_case(case_id))


def family(case_id: UUID) -> list[UUID]:
    """A case and all that were merged into it, directly or not."""
    found, young = [case_id], [case_id]
    while young:
        young = list(
            Case.objects.filter(merged_into__in=young).values_list("id", flat=True)
        )
        found += young
    return found


def round_readings(case: Case) -> tuple[list[Read], bool]:
    """The readings of the round in hand, in order, and whether child safety rules.

    It does when the case was placed there or any reader finds that it belongs there.
    """
    rows = Reading.objects.filter(case=case, round=case.round).order_by("read_at", "id")
    return as_rules_see(case, list(rows), policies.current())


def as_rules_see(
    case: Case, rows: Iterable[Reading], policy: Policy
) -> tuple[list[Read], bool]:
    """Stored readings of one round as the rules take them."""
    safety = {row.category: _child_safety(policy, row.category) for row in rows}
    child_safety = case.child_safety or any(safety.values())
    readings = [
        Read(
            id=str(row.id),
            person=str(row.person_id),
            specialist=row.as_specialist,
            outcome=row.outcome,
            clears=row.outcome == Outcome.NO_VIOLATION
            or (child_safety and not safety[row.category]),
        )
        for row in rows
    ]
    return readings, child_safety


def needs(case: Case) -> Need | None:
    """What an open case waits for; None for one that is decided or merged."""
    if case.state != CaseState.OPEN:
        return None
    readings, child_safety = round_readings(case)
    return need(readings, child_safety=child_safety)


def hindrance(case_id: UUID | str, by: By) -> str:
    """Why the one who asks may not write the next reading; blank when they may."""
    by.require(Permission.CASE_READ)
    case = Case.objects.get(id=living_case(case_id))
    person_id = person_of(by)
    readings, child_safety = round_readings(case)
    holds = Claim.objects.filter(case=case, person_id=person_id, released_at=None)
    return str(
        may_not_read(
            str(person_id),
            specialist=is_specialist(by),
            is_open=case.state == CaseState.OPEN,
            touched_before=touched_before(case),
            readings=readings,
            child_safety=child_safety,
            holds_claim=holds.exists(),
        )
        or ""
    )


def touched_before(case: Case) -> set[str]:
    """Who read, opened or held a challenged case before the challenge (promise 3).

    Includes what was done in cases that were merged into it. Empty when the round in
    hand was not challenged.
    """
    since = _challenged_at(case)
    if since is None:
        return set()
    cases = family(case.id)
    readings = Reading.objects.filter(case__in=cases, read_at__lte=since)
    claims = Claim.objects.filter(case__in=cases, claimed_at__lte=since)
    opened = Reveal.objects.filter(case__in=cases, revealed_at__lte=since)
    found = {*readings.values_list("person", flat=True)}
    found.update(claims.values_list("person", flat=True))
    for person, second in opened.values_list("person", "second_person"):
        found.update({person, second} - {None})
    return {str(person) for person in found}


def actors_of(case: Case) -> set[UUID]:
    """The actors of a case: behind its items, or reported themselves."""
    certain = CaseItem.objects.filter(case=case, certain=True)
    behind = certain.values_list("item__actor", flat=True)
    named = CaseTarget.objects.filter(case=case).values_list("target__actor", flat=True)
    return {actor for actor in (*behind, *named) if actor is not None}


def last_activity(held: Claim) -> datetime:
    """When the holder of a claim last did something on the case."""
    since = {"person": held.person_id, "case": held.case_id}
    opened = Reveal.objects.filter(**since).order_by("-revealed_at").first()
    noted = Note.objects.filter(**since).order_by("-noted_at").first()
    moments = [held.claimed_at]
    moments += [opened.revealed_at] if opened else []
    moments += [noted.noted_at] if noted else []
    return max(moments)


def open_reveal(reveal_id: UUID, by: By) -> RevealGrant:
    """A reveal that the same person made a moment ago, to show what it opened.

    Raises ``NotAllowed`` for anybody else and after ``REVEAL_OPEN_S``.
    """
    by.require(Permission.ITEM_REVEAL)
    row = Reveal.objects.filter(id=reveal_id, person_id=person_of(by)).first()
    if row is None or grant_of(row).open_until < clock.now():
        raise NotAllowed("Open the item again, with a reason.", reveal=reveal_id)
    return grant_of(row)


def grant_of(row: Reveal) -> RevealGrant:
    """What a reveal lets its maker see."""
    media = row.media
    return RevealGrant(
        reveal_id=row.id,
        case_id=row.case_id,
        item_id=row.item_id,
        media_id=row.media_id,
        person_id=row.person_id,
        words=row.item.text if media is None else "",
        media_type=media.media_type if media else "",
        upload=media.upload if media else None,
        fetch_url=media.fetch_url if media else "",
        revealed_at=row.revealed_at,
        open_until=row.revealed_at + timedelta(seconds=REVEAL_OPEN_S),
    )


def viewed_entire(item_id: UUID, media_id: UUID | None = None) -> Viewed | None:
    """The first time a member of staff saw the whole of an item; None if nobody did.

    With ``media_id``: of that picture. Without: of any of its pictures, or of its words
    when it has none. This, and nothing else, is what "viewed by staff" rests on. For
    steps of later stages; it holds ids and a time only.
    """
    rows = Reveal.objects.filter(item=item_id, entire=True).order_by("revealed_at")
    if media_id is not None:
        rows = rows.filter(media=media_id)
    elif Media.objects.filter(item=item_id).exists():
        rows = rows.filter(media__isnull=False)
    row = rows.first()
    if row is None:
        return None
    return Viewed(
        row.id, row.case_id, row.item_id, row.media_id, row.person_id, row.revealed_at
    )


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
        copies=items.get((case.id, ItemRole.COPY), 0),
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


def elapsed(runs_from: datetime, due_at: datetime) -> float:
    """The share of a clock's span that has passed now; above 1 when it is late."""
    span = (due_at - runs_from).total_seconds()
    gone = (clock.now() - runs_from).total_seconds()
    return max(0.0, gone / span) if span > 0 else 1.0


def _child_safety(policy: Policy, code: str) -> bool:
    """Whether a category is about a child's safety. One that has left the policy since
    is taken to be: the stricter rule is the safe one."""
    try:
        return policy.category(code).child_safety
    except InvalidInput:
        return True


def _challenged_at(case: Case) -> datetime | None:
    """Up to when to have touched the case bars from it; None when nobody challenged.

    A challenge counts until the next decision: also one of a case that was merged into
    this one, and one that came when something else had opened the case already.
    """
    cases = Case.objects.filter(id__in=family(case.id))
    reopened = Event.objects.filter(
        kind=Kind.CASE_REOPENED,
        about__case__in=[str(each.id) for each in cases],
        facts__because="challenge",
    )
    if case.decided_at is not None:
        reopened = reopened.filter(at__gt=case.decided_at)
    newest = reopened.order_by("-id").first()
    if newest is not None:
        return newest.at
    decided = max((each.decided_at for each in cases if each.decided_at), default=None)
    if decided is None:
        return None
    reports = CaseTarget.objects.filter(case=case).values_list("target__report")
    challenged = Event.objects.filter(
        kind=Kind.REPORT_CHALLENGED,
        about__report__in=[str(report) for (report,) in reports],
        at__gt=decided,
    )
    return decided if challenged.exists() else None
