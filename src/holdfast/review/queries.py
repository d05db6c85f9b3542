"""What the desk reads of a case: what it needs, who touched it, what was opened.

Reading changes nothing, and shows no original: pictures and an item's words are behind
a reveal. The queue is in ``queue``, the page of one case in ``case_page``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import InvalidInput, NotAllowed, NotFound
from holdfast.base.events import Kind
from holdfast.base.ids import read_number
from holdfast.base.models import Event
from holdfast.items.models import Media
from holdfast.policy import queries as policies
from holdfast.policy.rules import Policy
from holdfast.review.lines import RevealGrant, Viewed
from holdfast.review.models import Claim, Note, Outcome, Reading, Reveal
from holdfast.review.rules import Need, Read, may_not_read, need
from holdfast.staff.queries import is_specialist, person_of
from holdfast.triage.models import (
    Case,
    CaseItem,
    CaseState,
    CaseTarget,
)
from holdfast.triage.placing import living

REVEAL_OPEN_S = 600
"""How long the page of a reveal may show what it opened; then it is opened anew."""


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
