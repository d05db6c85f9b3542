"""Promise 7: counts are not evidence, and a first wrong clearance silences nobody."""

from __future__ import annotations

from uuid import uuid4

import pytest

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.events import Kind
from holdfast.base.models import Event
from holdfast.freeze.models import Freeze
from holdfast.freeze.operations import thaw_what_was_cleared
from holdfast.intake.answering import give_answer
from holdfast.intake.models import Report
from holdfast.intake.queries import told_by
from holdfast.items.models import Item
from holdfast.review.told import report_line
from holdfast.triage.models import Case
from holdfast.triage.operations import settle_decided_case
from holdfast.triage.waves import watch_waves
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db
FOLLOWER = By("public", "portal", frozenset({Permission.REPORT_FOLLOW}))


def clear(case: Case) -> None:
    """What follows at once when people find no violation."""
    event = Event.objects.create(
        kind="test.decided",
        at=clock.now(),
        by=str(SYSTEM),
        about={
            "case": str(case.id),
            "decision": str(uuid4()),
            "platform": str(case.platform_id),
        },
        facts={"outcome": "no_violation", "category": case.category},
    )
    settle_decided_case(event)
    thaw_what_was_cleared(event)


def state(item: Item) -> str:
    return Item.objects.get(id=item.id).state


@pytest.fixture
def cleared(world: World) -> Item:
    item = world.post("1", encoded(photograph()))
    world.report("https://plaza.example/p/1")
    clear(Case.objects.get())
    assert state(item) == "visible"
    return item


def test_a_plain_report_opens_the_case_again_but_freezes_nothing(
    world: World, cleared: Item
) -> None:
    world.report("https://plaza.example/p/1")
    assert state(cleared) == "visible"
    case = Case.objects.get()
    assert (case.state, case.round) == ("open", 2)
    assert case.deadlines.filter(met_at=None, round=2).exists()


def test_byte_identical_uploads_are_left_alone_and_others_are_not(
    world: World, cleared: Item
) -> None:
    same = world.post("2", encoded(photograph()))
    assert state(same) == "visible"
    assert not Case.objects.filter(state="open").exists()


@pytest.mark.parametrize(
    "weight",
    [{"claims": ("shown",)}, {"claims": ("parent",)}, {"police_number": "2020-17"}],
)
def test_a_report_with_weight_freezes_once_per_clearance(
    world: World, cleared: Item, weight: dict[str, object]
) -> None:
    world.report("https://plaza.example/p/1", **weight)  # type: ignore[arg-type]  # Two of the keywords.
    assert state(cleared) == "frozen"
    assert Freeze.objects.filter(item=cleared).count() == 2


@pytest.mark.parametrize("words", ["no", "Nei", "none", "I don't know", "vet ikke"])
def test_words_in_place_of_a_police_number_count_for_nothing_and_are_kept(
    world: World, cleared: Item, words: str
) -> None:
    by_a_door = world.report("https://plaza.example/p/1", police_number=words)
    later = world.report("https://plaza.example/p/1")
    give_answer(later.report_id, "police", words, by=FOLLOWER)
    assert state(cleared) == "visible"
    for report in Report.objects.filter(id__in=(by_a_door.report_id, later.report_id)):
        assert told_by(report).police_number == ""
    line = report_line(Report.objects.get(id=by_a_door.report_id), (), 0)
    assert (line.police_number, line.is_police_number) == (words, False)
    line = report_line(Report.objects.get(id=later.report_id), (), 0)
    assert [each.answer for each in line.answers] == [words]


def test_what_is_added_later_counts_as_if_it_had_been_in_the_report(
    world: World, cleared: Item
) -> None:
    received = world.report("https://plaza.example/p/1")
    assert state(cleared) == "visible"
    give_answer(received.report_id, "about", "shown", by=FOLLOWER)
    assert state(cleared) == "frozen"


def test_a_wave_raises_an_alarm_and_moves_nothing(world: World) -> None:
    world.post("1", text="words", actor="harmless")
    for _ in range(25):
        received = world.report("https://plaza.example/p/1", category="hate")
    from_report = Event.objects.filter(kind=Kind.REPORT_RECEIVED).latest("id")
    assert received.number
    watch_waves(from_report)
    alarms = Event.objects.filter(kind=Kind.ALARM_RAISED, facts__code="report.wave")
    assert alarms.count() == 1
    assert Case.objects.get().urgency == "standard"
