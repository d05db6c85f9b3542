"""Claims: who works on a case. One person at a time, and nobody for ever.

Each verb locks its case, so that two people never hold one case by accident. A claim
that nothing is done with may be taken over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import Refused
from holdfast.base.events import Event, Kind, emit
from holdfast.review.lines import QueueFilters
from holdfast.review.models import Claim, Reading
from holdfast.review.queries import last_activity, touched_before
from holdfast.review.queue import queue
from holdfast.review.rules import FOR_SPECIALISTS, Hindrance
from holdfast.staff.queries import is_specialist, person_of
from holdfast.triage.models import Case, CaseState
from holdfast.triage.placing import living

CLAIM_EXPIRES_S = 30 * 60
"""A claim without a reveal, a note or a reading for this long may be taken over."""


@dataclass(frozen=True)
class Claimed:
    """Somebody holds a case, until ``expires_at`` at least."""

    claim_id: UUID
    case_id: UUID
    person_id: UUID
    expires_at: datetime


def claim(*, case_id: UUID, by: By) -> Claimed:
    """Take a case to work on. Claiming what one holds changes nothing.

    Raises ``Refused`` when somebody else works on it, when it is not open, and in a new
    round for those who worked on it before.
    """
    by.require(Permission.CASE_CLAIM)
    person_id = person_of(by)
    with transaction.atomic():
        case = locked_case(case_id)
        if case.state != CaseState.OPEN:
            raise Refused(Hindrance.NOT_OPEN, case=case.id)
        if str(person_id) in touched_before(case):
            raise Refused(Hindrance.TOUCHED_BEFORE, case=case.id)
        held = Claim.objects.filter(case=case, released_at=None).first()
        if held and held.person_id == person_id:
            return _claimed(held)
        if held:
            if _expires_at(held) > clock.now():
                raise Refused("Somebody else is working on this case.", case=case.id)
            end_claim(held)
        taken = Claim.objects.create(
            case=case, person_id=person_id, claimed_at=clock.now()
        )
        emit(
            Kind.CASE_CLAIMED,
            about=about_case(case, person=person_id),
            facts={"taken_over": held is not None},
            by=by,
        )
    return _claimed(taken)


def claim_next(*, by: By) -> Claimed | None:
    """Take the first case of the queue that this person may work on, if there is one.

    Nobody has to choose what to look at, and nobody is led to a case that another works
    on, that they have read already, or that waits for a specialist they are not.
    """
    by.require(Permission.CASE_CLAIM)
    read_already = set(
        Reading.objects.filter(
            person=person_of(by), case__state=CaseState.OPEN, round=F("case__round")
        ).values_list("case", flat=True)
    )
    for line in queue(by, QueueFilters(claimed="free")):
        if line.case_id in read_already:
            continue
        if line.needs in FOR_SPECIALISTS and not is_specialist(by):
            continue
        try:
            return claim(case_id=line.case_id, by=by)
        except Refused:
            # Somebody was quicker, or they worked on it before it was challenged.
            continue
    return None


def release(*, case_id: UUID, by: By) -> None:
    """Give a case back to the queue. Releasing what one does not hold does nothing."""
    by.require(Permission.CASE_CLAIM)
    person_id = person_of(by)
    with transaction.atomic():
        case = locked_case(case_id)
        held = Claim.objects.filter(
            case=case, person_id=person_id, released_at=None
        ).first()
        if held:
            end_claim(held)
            emit(Kind.CASE_RELEASED, about=about_case(case, person=person_id), by=by)


def follow_merge(event: Event) -> None:
    """A case was merged into another: who held it holds that one, unless it is held."""
    into = living(UUID(str(event.about["into"])), lock=True)
    for held in Claim.objects.filter(case=event.about["case"], released_at=None):
        if Claim.objects.filter(case=into, released_at=None).exists():
            end_claim(held)
        else:
            held.case = into
            held.save(update_fields=["case"])
    if Reading.objects.filter(case=into, round=into.round).exists():
        # Who has read so far has not read what has come in: everybody reads the whole.
        into.round += 1
        into.save(update_fields=["round"])


def locked_case(case_id: UUID) -> Case:
    """The living case, locked until the transaction ends."""
    return living(case_id, lock=True)


def holds(case: Case, person_id: UUID) -> bool:
    """Whether this person has claimed the case."""
    return Claim.objects.filter(
        case=case, person_id=person_id, released_at=None
    ).exists()


def end_claim(held: Claim) -> None:
    """Nobody holds it any more."""
    held.released_at = clock.now()
    held.save(update_fields=["released_at"])


def about_case(case: Case, *, person: UUID) -> dict[str, UUID]:
    """What an event of the desk is about."""
    return {"case": case.id, "platform": case.platform_id, "person": person}


def _expires_at(held: Claim) -> datetime:
    return last_activity(held) + timedelta(seconds=CLAIM_EXPIRES_S)


def _claimed(held: Claim) -> Claimed:
    return Claimed(held.id, held.case_id, held.person_id, _expires_at(held))
