"""What is only possibly a copy waits for people: nothing touches it before."""

from __future__ import annotations

from uuid import uuid4

import pytest

from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.base.errors import NotFound
from holdfast.base.events import Kind
from holdfast.base.models import Event
from holdfast.enforcement.models import Enforcement
from holdfast.freeze.models import Freeze
from holdfast.items.models import Item
from holdfast.matching.models import BankEntry, Match
from holdfast.matching.operations import write_down
from holdfast.matching.queries import Copy
from holdfast.matching.rules import Basis, Likeness
from holdfast.triage.doubts import confirm_copy, reject_copy
from holdfast.triage.models import Case, CaseItem
from holdfast.triage.operations import settle_decided_case
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db
POSSIBLE = Likeness(Basis.VIDEO, certain=False, share_percent=85, at_ms=4000)


@pytest.fixture
def reported(world: World) -> Item:
    item = world.post("reported", encoded(photograph()))
    world.report("https://plaza.example/p/reported")
    return item


@pytest.fixture
def possible(world: World, reported: Item) -> Item:
    item = world.post("possible", encoded(photograph("coffee")))
    write_down(world.platform_id, Copy(item.id, reported.id, POSSIBLE), arrived=False)
    return item


def state(item: Item) -> str:
    return Item.objects.get(id=item.id).state


def decide(case: Case, outcome: str = "violation") -> None:
    settle_decided_case(
        Event.objects.create(
            kind="test.decided",
            at=clock.now(),
            by=str(SYSTEM),
            about={"case": str(case.id), "decision": str(uuid4())},
            facts={"outcome": outcome, "category": case.category},
        )
    )


def test_it_stands_in_the_case_and_stays_visible(world: World, possible: Item) -> None:
    place = CaseItem.objects.get(item=possible)
    assert place.likeness == POSSIBLE
    assert place.role == "copy"
    world.report("https://plaza.example/p/reported")
    assert state(possible) == "visible"
    assert Freeze.objects.filter(item=possible).count() == 0


def test_no_decision_covers_it(world: World, possible: Item) -> None:
    decide(Case.objects.get())
    assert not BankEntry.objects.filter(item=possible).exists()
    assert not Enforcement.objects.filter(item=possible).exists()
    assert state(possible) == "visible"


def test_confirmed_it_is_frozen_at_once(world: World, possible: Item) -> None:
    case = Case.objects.get()
    confirm_copy(case.id, possible.id, by=SYSTEM)
    assert state(possible) == "frozen"
    assert CaseItem.objects.get(item=possible).certain
    assert Event.objects.filter(
        kind=Kind.COPY_CONFIRMED, about__item=str(possible.id)
    ).exists()
    with pytest.raises(NotFound):
        confirm_copy(case.id, possible.id, by=SYSTEM)


def test_confirmed_after_the_decision_it_opens_the_case(
    world: World, possible: Item
) -> None:
    case = Case.objects.get()
    decide(case)
    confirm_copy(case.id, possible.id, by=SYSTEM)
    case.refresh_from_db()
    assert (case.state, case.round) == ("open", 2)
    assert state(possible) == "frozen"


def test_rejected_it_leaves_and_is_not_brought_back(
    world: World, reported: Item, possible: Item
) -> None:
    reject_copy(Case.objects.get().id, possible.id, by=SYSTEM)
    assert not CaseItem.objects.filter(item=possible).exists()
    write_down(
        world.platform_id, Copy(possible.id, reported.id, POSSIBLE), arrived=False
    )
    world.report("https://plaza.example/p/reported")
    assert not CaseItem.objects.filter(item=possible).exists()
    match = Match.objects.get(item=possible)
    assert match.rejected_at is not None
    assert match.rejected_by == str(SYSTEM)


def test_it_binds_no_cases_together(world: World, reported: Item) -> None:
    other = world.post("other", encoded(photograph("coffee")))
    world.report("https://plaza.example/p/other")
    write_down(world.platform_id, Copy(other.id, reported.id, POSSIBLE), arrived=False)
    assert Case.objects.filter(state="open").count() == 2
    assert CaseItem.objects.get(item=other).role == "reported"


def test_reported_it_leaves_for_a_case_of_its_own(
    world: World, reported: Item, possible: Item
) -> None:
    world.report("https://plaza.example/p/possible")
    place = CaseItem.objects.get(item=possible)
    assert (place.role, place.certain) == ("reported", True)
    assert place.case != CaseItem.objects.get(item=reported).case
    assert state(possible) == "frozen"


def test_a_sure_likeness_makes_it_a_copy(
    world: World, reported: Item, possible: Item
) -> None:
    sure = Likeness(Basis.PDQ, distance_bits=12)
    write_down(world.platform_id, Copy(possible.id, reported.id, sure), arrived=False)
    assert CaseItem.objects.get(item=possible).likeness == sure
    assert state(possible) == "frozen"
