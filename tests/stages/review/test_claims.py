"""Claims: who works on a case, on real rows."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By
from holdfast.base.errors import NotAllowed, Refused
from holdfast.base.events import Kind, emit
from holdfast.base.models import Event
from holdfast.review import claims
from holdfast.review import operations as review
from holdfast.review.models import Claim
from holdfast.review.queue import queue
from holdfast.triage.models import Case
from tests.stages.review.scene import (
    REASON,
    case,
    case_with_picture,
    look,
    look_and_read,
    person,
    picture_of,
    read,
)
from tests.stages.review.scene import (
    desk as desk,
)

pytestmark = pytest.mark.usefixtures("desk")


def test_one_person_holds_a_case_and_claiming_twice_changes_nothing() -> None:
    row, _ = case_with_picture()
    ada, ben = person("reviewer"), person("reviewer")
    first = claims.claim(case_id=row.id, by=ada)
    assert claims.claim(case_id=row.id, by=ada) == first
    with pytest.raises(Refused, match="Somebody else"):
        claims.claim(case_id=row.id, by=ben)
    claims.release(case_id=row.id, by=ben)
    assert Claim.objects.filter(released_at=None).count() == 1
    claims.release(case_id=row.id, by=ada)
    claims.release(case_id=row.id, by=ada)
    claims.claim(case_id=row.id, by=ben)
    assert Event.objects.filter(kind="case.released").count() == 1


def test_a_claim_without_activity_may_be_taken_over() -> None:
    row, shown = case_with_picture()
    ada, ben = person("reviewer"), person("reviewer")
    claims.claim(case_id=row.id, by=ada)
    with clock.shifted(timedelta(minutes=25)):
        review.reveal(
            case_id=row.id,
            item_id=shown.id,
            media_id=picture_of(shown),
            reason=REASON,
            by=ada,
        )
    with clock.shifted(timedelta(minutes=50)), pytest.raises(Refused):
        claims.claim(case_id=row.id, by=ben)
    with clock.shifted(timedelta(minutes=56)):
        assert claims.claim(case_id=row.id, by=ben).person_id.hex in ben.id.replace(
            "-", ""
        )
    assert Event.objects.filter(kind="case.claimed", facts__taken_over=True).exists()


def test_the_database_refuses_two_holders() -> None:
    row, _ = case_with_picture()
    ada, ben = person("reviewer"), person("reviewer")
    claims.claim(case_id=row.id, by=ada)
    with pytest.raises(IntegrityError), transaction.atomic():
        Claim.objects.create(case=row, person_id=ben.id, claimed_at=clock.now())


@pytest.mark.parametrize("role", ["administrator", "legal", "auditor"])
def test_only_the_desk_claims_opens_and_reads(role: str) -> None:
    row, shown = case_with_picture()
    by = person(role)
    with pytest.raises(NotAllowed):
        claims.claim(case_id=row.id, by=by)
    with pytest.raises(NotAllowed):
        review.reveal(
            case_id=row.id, item_id=shown.id, media_id=None, reason=REASON, by=by
        )
    with pytest.raises(NotAllowed):
        read(row, "violation", by)


def merge(other: Case, into: Case) -> None:
    with transaction.atomic():
        triage_merge(other, into)


def triage_merge(other: Case, into: Case) -> None:
    other.items.update(case=into)
    other.state, other.merged_into = "merged", into
    other.save()
    emit(
        Kind.CASE_MERGED,
        about={"case": other.id, "into": into.id, "platform": into.platform_id},
        by=SYSTEM,
    )


def test_work_on_a_merged_case_goes_on_in_the_living_one() -> None:
    row, shown = case_with_picture()
    into = case()
    ada = person("reviewer")
    look(row, shown, ada)
    merge(row, into)
    assert Claim.objects.get(released_at=None).case_id == into.id
    result = read(row, "violation", ada)
    assert (result.case_id, result.decided) == (into.id, True)


def test_a_merge_leaves_one_holder() -> None:
    row, into = case(), case()
    ada, ben = person("reviewer"), person("reviewer")
    claims.claim(case_id=row.id, by=ada)
    claims.claim(case_id=into.id, by=ben)
    merge(row, into)
    assert str(Claim.objects.get(released_at=None).person_id) == ben.id


@pytest.mark.django_db(transaction=True)
def test_of_two_who_claim_at_the_same_instant_one_holds() -> None:
    row, _ = case_with_picture()
    crowd, start, held = (
        [person("reviewer") for _ in range(4)],
        threading.Barrier(4),
        [],
    )

    def attempt(by: By) -> None:
        start.wait()
        try:
            held.append(claims.claim(case_id=row.id, by=by))
        except Refused:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt, args=(by,)) for by in crowd]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == 1
    assert Claim.objects.filter(released_at=None).count() == 1


def test_the_next_case_is_the_first_that_somebody_may_work_on() -> None:
    """Not one that is held, that they have read, or that waits for a specialist."""
    cases = {
        row.id: (row, shown) for row, shown in (case_with_picture() for _ in range(3))
    }
    ada, ben = person("reviewer"), person("reviewer")
    first, second = claims.claim_next(by=ada), claims.claim_next(by=ben)
    assert first is not None
    assert second is not None
    order = [line.case_id for line in queue(ada)]
    assert [first.case_id, second.case_id] == order[:2]
    assert set(order) == set(cases)
    look_and_read(*cases[first.case_id], "no_violation", ada)
    # The first now waits for a specialist, and Ben holds the second.
    third = claims.claim_next(by=ada)
    assert third is not None
    assert third.case_id == order[2]
    assert claims.claim_next(by=person("reviewer")) is None
    expert = claims.claim_next(by=person("specialist"))
    assert expert is not None
    assert expert.case_id == first.case_id
    with pytest.raises(NotAllowed):
        claims.claim_next(by=person("auditor"))
