"""Against abuse of the door: seen, told to people, and never a report less."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.errors import InvalidInput, NotAllowed, Refused
from holdfast.base.events import Kind
from holdfast.base.models import Event
from holdfast.decisions import misuse
from holdfast.intake import arrival
from holdfast.intake.answering import give_answer, sign
from holdfast.intake.arrival import Mark
from holdfast.intake.models import (
    Arrival,
    DoorKey,
    MisuseWarning,
    Report,
    ReportingSuspension,
)
from holdfast.intake.operations import (
    Channel,
    ReportGiven,
    TargetGiven,
    add_to_report,
    locate_late,
    receive_report,
)
from holdfast.items.models import Actor, Item
from holdfast.notifications.queries import receipt_of, status_of
from holdfast.triage.models import Case
from holdfast.triage.waves import (
    MOST_SHOWN,
    watch_waves,
    wave_about,
    wave_from_place_of,
)
from tests.stages.report.test_whole_way import look, read, specialist
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db

LEAD = By(
    "staff",
    "0192b3c4-0000-7000-8000-000000000001",
    frozenset({Permission.MISUSE_DECIDE, Permission.CASE_READ}),
)
REASON = "The same account reports everything its rival posts."
FOLLOWER = By("public", "portal", frozenset({Permission.REPORT_FOLLOW}))
INTENTION = "They announced in public that they would report until it is gone."


def report(
    world: World,
    name: str,
    *,
    reporter: str = "",
    category: str = "hate",
    address: str = "",
    marks: Sequence[Mark] = (),
    answers: Mapping[str, str] | None = None,
) -> Report:
    received = receive_report(
        ReportGiven(
            platform_id=world.platform_id,
            channel=Channel.PORTAL,
            category=category,
            targets=[TargetGiven(url=f"https://plaza.example/p/{name}")],
            reporter_actor=reporter,
            address=address,
            marks=marks,
            answers=answers or {},
        ),
        by=By("public", "portal", frozenset({Permission.REPORT_FILE})),
    )
    return Report.objects.get(id=received.report_id)


def unfounded(world: World, count: int, *, start: int = 0) -> tuple[UUID, list[UUID]]:
    """Reports of one account that people have found nothing in."""
    made = []
    for number in range(start, start + count):
        world.post(f"u{number}", text="words", actor="harmless")
        made.append(report(world, f"u{number}", reporter="zealot"))
    found = Case.objects.filter(targets__target__report__in=made, state="open")
    for case in found.distinct():
        by = specialist()
        look(case, by, *Item.objects.filter(place__case=case))
        read(case, "no_violation", by)
    return Actor.objects.get(external_id="zealot").id, [each.id for each in made]


def warn(actor: UUID, ids: list[UUID], intention: str = INTENTION) -> None:
    misuse.warn(
        actor_id=actor, unfounded=ids, intention=intention, reason=REASON, by=LEAD
    )


def suspend(actor: UUID, ids: list[UUID], days: int = 30) -> UUID:
    return misuse.suspend(
        actor_id=actor,
        unfounded=ids,
        days=days,
        intention=INTENTION,
        reason=REASON,
        by=LEAD,
    )


def test_no_address_is_kept_and_a_token_dies_after_a_day(world: World) -> None:
    world.post("1", text="words", actor="harmless")
    first = report(world, "1", address="81.2.69.160")
    again = report(world, "1", address="81.2.69.160")
    other = report(world, "1", address="81.2.69.161")
    tokens = dict(Arrival.objects.values_list("report", "address_token"))
    assert tokens[first.id] == tokens[again.id] != tokens[other.id]
    assert "81.2" not in str(list(Arrival.objects.values()))
    assert set(arrival.arrived_like(first.id)) == {first.id, again.id}
    with clock.shifted(timedelta(hours=25)):
        arrival.forget_tokens()
        assert set(Arrival.objects.values_list("address_token", flat=True)) == {""}
        assert arrival.arrived_like(first.id) == []
        # The next day's key is another one: the same address says nothing of then.
        assert arrival.token("81.2.69.160") not in tokens.values()
    with clock.shifted(timedelta(hours=49)):
        arrival.forget_tokens()
    assert DoorKey.objects.count() == 1


@pytest.mark.parametrize(
    "address", ["", "nonsense", "127.0.0.1", "10.1.2.3", "fd00::1"]
)
def test_what_is_no_address_of_a_person_makes_no_token(address: str) -> None:
    assert arrival.token(address) == ""


def test_a_household_is_one_place() -> None:
    assert arrival.token("2a02:1:2:3::5") == arrival.token("2a02:1:2:3:9:9:9:9") != ""
    assert arrival.token("2a02:1:2:4::5") != arrival.token("2a02:1:2:3::5")
    assert arrival.token("::ffff:81.2.69.160") == arrival.token("81.2.69.160")


def test_marks_discard_nothing_and_weigh_nothing(world: World) -> None:
    world.post("1", text="words", actor="harmless")
    category = "child_sexual_abuse_material"
    marked = report(world, "1", category=category, marks=[Mark.HONEYPOT, Mark.TOO_FAST])
    assert Item.objects.get(external_id="1").state == "frozen"
    assert Case.objects.get(targets__target__report=marked).urgency == "immediate"


def test_reports_from_one_place_alarm_and_move_nothing(world: World) -> None:
    for number in range(25):
        world.post(f"{number}", text="words", actor=f"a{number}")
        report(world, f"{number}", address="81.2.69.160", marks=[Mark.TOO_FAST])
    watch_waves(Event.objects.filter(kind=Kind.REPORT_RECEIVED).latest("id"))
    alarms = Event.objects.filter(kind=Kind.ALARM_RAISED)
    assert set(alarms.values_list("facts__code", flat=True)) == {
        "report.wave_from_one_place"
    }
    assert set(Case.objects.values_list("urgency", flat=True)) == {"standard"}
    first = Report.objects.earliest("received_at")
    assert set(alarms.values_list("about__report", flat=True)) == {str(first.id)}
    wave = wave_from_place_of(first.id, by=LEAD)
    assert (wave.reports, wave.marked, wave.most_from_one_place) == (25, 25, 25)
    assert {(name, count) for _id, name, count in wave.about} <= {
        (f"a{number}", 1) for number in range(25)
    }
    assert len(wave.about) == MOST_SHOWN


def test_the_picture_of_a_wave_counts_what_came(world: World) -> None:
    world.post("1", text="words", actor="harmless")
    for number in range(4):
        report(world, "1", address=f"81.2.69.{number}", marks=[Mark.TOO_FAST])
    report(world, "1", reporter="zealot", address="81.2.69.0")
    actor = Actor.objects.get(external_id="harmless")
    wave = wave_about(actor.id, by=LEAD)
    assert (wave.reports, wave.marked, wave.known_places) == (5, 4, 4)
    assert wave.most_from_one_place == 2
    assert sum(bar.reports for bar in wave.bars) == 5
    assert sum(bar.marked for bar in wave.bars) == 4
    assert [(name, count) for _id, name, count in wave.reporters] == [("zealot", 1)]
    with pytest.raises(NotAllowed):
        wave_about(actor.id, by=By("staff", "x", frozenset()))


def test_the_picture_counts_each_report_that_was_decided(world: World) -> None:
    unfounded(world, 3)
    about = Actor.objects.get(external_id="harmless").id
    assert wave_about(about, by=LEAD).decided_no_violation == 3
    first = Report.objects.earliest("received_at")
    Case.objects.filter(targets__target__report=first).update(outcome="violation")
    wave = wave_about(about, by=LEAD)
    assert (wave.decided_no_violation, wave.decided_violation) == (2, 1)


def test_a_warning_comes_first_and_only_what_follows_it_counts(world: World) -> None:
    actor, before = unfounded(world, 3)
    with pytest.raises(Refused, match="Warn first"):
        suspend(actor, before)
    warn(actor, before)
    with pytest.raises(InvalidInput, match="after the warning"):
        suspend(actor, before)
    _actor, after = unfounded(world, 3, start=10)
    suspend(actor, after)
    assert misuse.standing_of(actor, by=LEAD).suspended_until is not None
    factors = MisuseWarning.objects.get().factors
    assert (factors["unfounded"], factors["reports"]) == (3, 3)
    assert (factors["gravest"], factors["intention"]) == ("hate", INTENTION)


def test_an_honest_mistake_is_no_misuse(world: World) -> None:
    actor, ids = unfounded(world, 3)
    with pytest.raises(InvalidInput, match="frequent"):
        warn(actor, ids[:2])
    with pytest.raises(InvalidInput):
        warn(actor, ids, intention="")
    Case.objects.filter(targets__target__report=ids[0]).update(outcome="violation")
    with pytest.raises(InvalidInput, match="nothing was wrong"):
        warn(actor, ids)
    assert not MisuseWarning.objects.exists()


def test_who_is_suspended_is_kept_told_and_heard_about_children(world: World) -> None:
    actor, before = unfounded(world, 3)
    warn(actor, before)
    _actor, after = unfounded(world, 3, start=10)
    suspension = suspend(actor, after)
    world.post("new", text="words", actor="harmless")

    kept = report(world, "new", reporter="zealot")
    assert not Case.objects.filter(targets__target__report=kept).exists()
    assert "we do not work on it now" in receipt_of(kept.id)["words"]

    child = report(
        world, "new", reporter="zealot", category="child_sexual_abuse_material"
    )
    assert Case.objects.filter(targets__target__report=child).exists()
    assert Item.objects.get(external_id="new").state == "frozen"
    somebody_else = report(world, "new", reporter="friend")
    assert Case.objects.filter(targets__target__report=somebody_else).exists()

    misuse.lift(suspension, by=LEAD)
    misuse.lift(suspension, by=LEAD)
    assert Event.objects.filter(kind=Kind.REPORTING_RESUMED).count() == 1
    heard = report(world, "new", reporter="zealot")
    assert Case.objects.filter(targets__target__report=heard).exists()


def suspended(world: World) -> UUID:
    """The reports of one account are set aside from now on."""
    actor, before = unfounded(world, 3)
    warn(actor, before)
    _actor, after = unfounded(world, 3, start=10)
    return suspend(actor, after)


def is_worked_on(report: Report) -> bool:
    return Case.objects.filter(targets__target__report=report).exists()


def test_what_is_told_of_a_child_is_heard_whatever_its_category(world: World) -> None:
    suspended(world)
    item = world.post("1", encoded(photograph()), actor="harmless")
    of_adults = report(world, "1", reporter="zealot", category="intimate_image")
    assert not is_worked_on(of_adults)
    told = {"about": "shown", "age_now": "13_15"}
    heard = report(
        world, "1", reporter="zealot", category="intimate_image", answers=told
    )
    item.refresh_from_db()
    assert (is_worked_on(heard), item.state) == (True, "frozen")
    assert "we do not work on it now" not in receipt_of(heard.id)["words"]


def test_what_is_added_to_a_report_set_aside_is_kept_with_it(world: World) -> None:
    suspension = suspended(world)
    item = world.post("1", encoded(photograph()), actor="harmless")
    kept = report(world, "1", reporter="zealot", category="intimate_image")
    late = report(world, "late", reporter="zealot")
    link = "https://plaza.example/p/2"
    add_to_report(kept.id, "link", link, by=FOLLOWER)
    give_answer(kept.id, "about", "shown", by=FOLLOWER)
    sign(kept.id, "Kim Sample", by=FOLLOWER)
    world.post("late", text="words", actor="harmless")
    locate_late()
    assert late.targets.get().located
    item.refresh_from_db()
    assert item.state == "visible"
    assert not is_worked_on(kept)
    assert not is_worked_on(late)
    about = {"report": str(kept.id)}
    told = Event.objects.filter(kind=Kind.REPORT_KEPT_ASIDE, about__contains=about)
    assert list(told.order_by("id").values_list("facts__what", flat=True)) == [
        "link",
        "about",
        "signature",
    ]
    assert "we do not work on it now" in receipt_of(kept.id)["words"]
    misuse.lift(suspension, by=LEAD)
    assert "send it again" in receipt_of(kept.id)["words"]
    add_to_report(kept.id, "link", f"{link}2", by=FOLLOWER)
    item.refresh_from_db()
    assert (is_worked_on(kept), item.state) == (True, "frozen")


def test_a_child_in_what_is_added_is_heard_at_once_and_for_good(world: World) -> None:
    suspended(world)
    first, second = (
        world.post(name, encoded(photograph(name)), actor="harmless")
        for name in ("coffee", "rocket")
    )
    kept = report(world, "coffee", reporter="zealot", category="intimate_image")
    give_answer(kept.id, "about", "shown", by=FOLLOWER)
    assert not is_worked_on(kept)
    give_answer(kept.id, "age_now", "13_15", by=FOLLOWER)
    first.refresh_from_db()
    assert (is_worked_on(kept), first.state) == (True, "frozen")
    receipt = receipt_of(kept.id)
    assert receipt["words"].startswith("We have told Plaza to hide this.")
    assert receipt["frozen"] == ["coffee"]
    assert {each["code"] for each in receipt["deadlines"]} >= {"decision"}
    assert status_of(kept.id).receipt_words == receipt["words"]
    # Another answer makes no report less than it was.
    give_answer(kept.id, "age_now", "adult", by=FOLLOWER)
    add_to_report(kept.id, "link", "https://plaza.example/p/rocket", by=FOLLOWER)
    second.refresh_from_db()
    assert second.state == "frozen"


def test_a_report_from_before_the_suspension_is_worked_on_still(world: World) -> None:
    item = world.post("1", encoded(photograph()), actor="harmless")
    before = report(world, "2", reporter="zealot", category="intimate_image")
    suspended(world)
    add_to_report(before.id, "link", "https://plaza.example/p/1", by=FOLLOWER)
    item.refresh_from_db()
    assert item.state == "frozen"


def test_what_was_suspended_for_counts_no_second_time(world: World) -> None:
    actor, before = unfounded(world, 3)
    warn(actor, before)
    _actor, after = unfounded(world, 3, start=10)
    first = suspend(actor, after)
    # The button is pressed twice.
    with pytest.raises(InvalidInput, match="after the last suspension"):
        suspend(actor, after)
    misuse.lift(first, by=LEAD)
    with pytest.raises(InvalidInput, match="after the last suspension"):
        suspend(actor, after)
    assert ReportingSuspension.objects.count() == 1
    _actor, later = unfounded(world, 3, start=20)
    assert suspend(actor, later)


def test_a_suspension_ends_by_itself_and_is_a_persons(world: World) -> None:
    actor, before = unfounded(world, 3)
    warn(actor, before)
    _actor, after = unfounded(world, 3, start=10)
    suspend(actor, after, 7)
    world.post("new", text="words", actor="harmless")
    with clock.shifted(timedelta(days=8)):
        heard = report(world, "new", reporter="zealot")
    assert Case.objects.filter(targets__target__report=heard).exists()
    with pytest.raises(NotAllowed):
        misuse.warn(
            actor_id=actor,
            unfounded=after,
            intention=INTENTION,
            reason=REASON,
            by=By("staff", "x", frozenset({Permission.CASE_READ})),
        )
    assert str(SYSTEM) not in MisuseWarning.objects.values_list("warned_by", flat=True)
