"""How the page of a case is put: what comes first, and what is one line of many."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.enforcement.confirming import confirm_delivery
from holdfast.enforcement.models import Delivery
from holdfast.intake.legal_forms import Element
from holdfast.policy import queries as policies
from holdfast.review.case_page import case_page
from holdfast.triage.models import Case
from holdfast.web.components.shapes import Event
from holdfast.web.console import case_view, words
from tests.stages.console.desk import Colleague, case_of, colleague, look, words_of
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db
COPIES = 12


@pytest.fixture
def ada(world: World) -> Colleague:
    return colleague("Ada Sample", "reviewer", "specialist")


@pytest.fixture
def case(world: World) -> Case:
    """A picture and its copies, reported: all of them hidden in one moment."""
    item = world.post("p1", encoded(photograph()))
    for at in range(COPIES):
        world.post(f"c{at}", encoded(photograph()), actor="lime")
    world.report("https://plaza.example/p/p1")
    return case_of(item)


def happened(case: Case, ada: Colleague) -> list[Event]:
    return case_view.timeline(case_page(case.number, ada.by), {})


def test_what_was_done_to_many_items_at_once_is_one_line(
    case: Case, ada: Colleague
) -> None:
    lines = happened(case, ada)
    frozen = [each for each in lines if each.what == "Frozen" and each.each]
    assert len(frozen) == 1
    assert sorted(frozen[0].each) == sorted(f"post c{at}" for at in range(COPIES))
    told = [each for each in lines if each.what == "Platform told"]
    assert [len(each.each) for each in told] == [COPIES + 1]
    page = ada.get(f"/console/case/{case.number}").text
    events = page[page.index('class="events"') :]
    assert events.count("<strong>Platform told</strong>") == 1
    assert "post c3" in events


def test_what_came_later_or_was_done_by_a_person_has_its_own_line(
    case: Case, ada: Colleague
) -> None:
    first, *others = Delivery.objects.order_by("id")
    confirm_delivery(first.id, by=SYSTEM)
    with clock.shifted(timedelta(minutes=5)):
        for each in others:
            confirm_delivery(each.id, by=SYSTEM)
        item = case.items.get(role="reported").item
        look(case, item, ada)
        look(case, item, ada)
    lines = happened(case, ada)
    confirmed = [each for each in lines if each.what == "Platform confirmed"]
    assert [len(each.each) for each in confirmed] == [COPIES, 0]
    opened = [each for each in lines if each.what == "Opened"]
    assert [each.each for each in opened] == [(), ()], "Each opening has a reason."


def test_what_is_not_confirmed_is_listed_first(case: Case, ada: Colleague) -> None:
    *confirmed, last = Delivery.objects.order_by("-ordered_at", "-id")
    for each in confirmed:
        confirm_delivery(each.id, by=SYSTEM)
    page = ada.get(f"/console/case/{case.number}").text
    table = page[page.index("One by one") :]
    rows = re.findall(r"<tr><td>.*?</tr>", table, re.DOTALL)
    assert len(rows) == COPIES + 1
    assert "not yet" in rows[0]
    assert last.item is not None
    assert last.item.external_id in rows[0]
    assert not any("not yet" in each for each in rows[1:])


def test_what_was_said_comes_before_the_decision_and_that_before_all_else(
    case: Case, ada: Colleague
) -> None:
    page = ada.get(f"/console/case/{case.number}").text
    order = ("reports", "decide", "accounts", "copies", "happened")
    found = [page.index(f'id="{each}"') for each in order]
    assert found == sorted(found)
    for each in order[1:]:
        assert f'href="#{each}"' in page


def test_staff_read_of_each_clock_what_is_due_and_by_which_law(
    case: Case, ada: Colleague
) -> None:
    policy = policies.current()
    for each in policy.clocks:
        assert words.clock(each.code, {}) == words.CLOCKS[each.code]
        assert words.CLOCKS[each.code] != each.label
    assert words.clock("of_a_platform", {"of_a_platform": "Its own"}) == "Its own"
    page = words_of(ada.get(f"/console/case/{case.number}"))
    assert "Our promise to the reporter: people decide" in page
    assert "TAKE IT DOWN Act" in page
    assert "You hear what people decided" not in page
    # Nor is what a legal form lacks told to them as if it were theirs.
    assert words.LACKING.keys() == set(Element)
