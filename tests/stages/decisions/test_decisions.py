"""From readings to a decision, and to what the poster is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By
from holdfast.base.errors import NotAllowed
from holdfast.base.models import Event
from holdfast.decisions import operations as decisions
from holdfast.decisions.models import ActorPart, Decision, StatementOfReasons
from holdfast.decisions.queries import decision_of, decisions_of, statement, statements
from holdfast.fingerprints.models import Fingerprint
from holdfast.items.models import Item
from holdfast.review.models import Claim, Reading
from holdfast.triage.models import Case
from tests.stages.review import scene
from tests.stages.review.scene import (
    CSAM,
    case_with_picture,
    freeze_item,
    item,
    look,
    look_and_read,
    person,
    put,
    read,
)
from tests.stages.review.scene import (
    desk as desk,
)

pytestmark = pytest.mark.usefixtures("desk")


def due() -> list[dict[str, Any]]:
    """What the enforcement stage has been told to bring, in order."""
    rows = Event.objects.filter(kind="statement.due").order_by("id")
    return [{**row.about, **row.facts} for row in rows]


def cleared(row: Case, shown: Item) -> tuple[By, By]:
    ada, eva = person("reviewer"), person("specialist")
    look_and_read(row, shown, "no_violation", ada)
    assert look_and_read(row, shown, "no_violation", eva).decided
    return ada, eva


def test_a_violation_is_decided_by_one_and_says_what_they_wrote() -> None:
    row, shown = case_with_picture()
    ada = person("reviewer")
    result = look_and_read(
        row, shown, "violation", ada, parts={shown.actor_id: "offender"}
    )
    assert (result.decided, result.needs) == (True, "")
    record = decision_of(row.id, ada)
    assert record is not None
    assert record.in_force
    assert (record.outcome, record.category, record.ground) == (
        "violation",
        CSAM,
        scene.GROUND,
    )
    assert record.policy_version == "2026-11"
    assert (str(record.first_reader), record.second_reader) == (ada.id, None)
    assert record.refer
    assert record.parts == {shown.actor_id: "offender"}
    row.refresh_from_db()
    assert (row.state, row.outcome) == ("decided", "violation")
    assert not Claim.objects.filter(released_at=None).exists()
    event = Event.objects.get(kind="case.decided")
    assert event.about["decision"] == str(record.decision_id)
    assert event.facts["outcome"] == "violation"


def test_no_violation_takes_two_people_and_a_specialist() -> None:
    row, shown = case_with_picture()
    freeze_item(row, shown)
    ada, eva = cleared(row, shown)
    record = decision_of(row.id, ada)
    assert record is not None
    assert {str(record.first_reader), str(record.second_reader)} == {ada.id, eva.id}
    assert record.by_specialist
    shown.refresh_from_db()
    assert shown.state == "visible"


def test_a_lesser_category_does_not_clear_a_child_safety_case_alone() -> None:
    row, shown = case_with_picture()
    result = look_and_read(
        row,
        shown,
        "violation",
        person("specialist"),
        category="other",
        ground="other_terms",
        refer=False,
        why_not_refer="It is only spam.",
    )
    assert (result.decided, result.needs) == (False, "second reader")
    assert not Decision.objects.exists()


def test_people_who_disagree_wait_for_another_specialist() -> None:
    row, shown = case_with_picture()
    ada, eva, ivo = person("reviewer"), person("specialist"), person("specialist")
    look_and_read(row, shown, "no_violation", ada)
    result = look_and_read(row, shown, "violation", eva)
    assert (result.decided, result.needs) == (
        False,
        "specialist to settle a disagreement",
    )
    result = look_and_read(row, shown, "no_violation", ivo)
    assert result.decided
    record = decision_of(row.id, ada)
    assert record is not None
    assert record.outcome == "no_violation"
    assert (str(record.first_reader), str(record.second_reader)) == (ivo.id, ada.id)


def test_finding_child_safety_in_another_case_brings_its_rules() -> None:
    row, shown = case_with_picture("scam")
    result = look_and_read(
        row, shown, "no_violation", person("reviewer"), category=CSAM
    )
    assert result.needs == "second reader, specialist"
    other, picture = case_with_picture("scam")
    assert look_and_read(other, picture, "no_violation", person("reviewer")).decided


def test_deciding_twice_changes_nothing() -> None:
    row, shown = case_with_picture()
    look_and_read(row, shown, "violation", person("reviewer"))
    before = (Event.objects.count(), StatementOfReasons.objects.count())
    decisions.decide_when_ripe(Event.objects.get(kind="case.read"))
    decisions.state_decision_reasons(Event.objects.get(kind="case.decided"))
    assert (Event.objects.count(), StatementOfReasons.objects.count()) == before


def test_a_challenge_is_a_round_of_its_own() -> None:
    row, shown = case_with_picture()
    ada, _ = cleared(row, shown)
    scene.reopen(row)
    record = decision_of(row.id, ada)
    assert record is not None
    assert not record.in_force
    look_and_read(row, shown, "violation", person("reviewer"))
    outcomes = [(each.round, each.outcome) for each in decisions_of(row.id, ada)]
    assert outcomes == [(1, "no_violation"), (2, "violation")]
    assert [each.in_force for each in decisions_of(row.id, ada)] == [False, True]


def reading(row: Case, by: By, round_number: int, outcome: str) -> Reading:
    return Reading.objects.create(
        case=row,
        round=round_number,
        person_id=by.id,
        as_specialist=False,
        outcome=outcome,
        category=CSAM,
        reason="Because.",
        refer=True,
        read_at=clock.now(),
    )


def test_the_database_refuses_what_the_rules_forbid() -> None:
    row, _ = case_with_picture()
    ada, eva = person("reviewer"), person("specialist")
    first = reading(row, ada, 1, "no_violation")
    second = reading(row, eva, 1, "no_violation")
    good = {
        "case": row,
        "round": 1,
        "outcome": "no_violation",
        "child_safety": True,
        "category": CSAM,
        "policy_version": "1",
        "reading": first,
        "second_reading": second,
        "first_reader_id": ada.id,
        "second_reader_id": eva.id,
        "by_specialist": True,
        "decided_at": clock.now(),
    }
    for bad in (
        {"second_reader_id": None, "second_reading": None},
        {"by_specialist": False},
        {"second_reader_id": ada.id},
        {"second_reading": None},
        {"outcome": "violation", "second_reader_id": None},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Decision.objects.create(**{**good, **bad})
    made = Decision.objects.create(**good)
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.create(
            **{
                **good,
                "reading": reading(row, ada, 2, "no_violation"),
                "second_reading": reading(row, eva, 2, "no_violation"),
            }
        )
    who = scene.actor()
    ActorPart.objects.create(decision=made, actor=who, part="peer")
    with pytest.raises(IntegrityError), transaction.atomic():
        ActorPart.objects.create(decision=made, actor=who, part="offender")
    said = {"actor": who, "case": row, "words": "w", "made_at": clock.now()}
    unsaid: list[dict[str, object]] = [
        {"kind": "freeze", "withheld_ground": "g"},
        {"kind": "freeze", "withheld_until": clock.now()},
        {"kind": "decision"},
    ]
    for wrong in unsaid:
        with pytest.raises(IntegrityError), transaction.atomic():
            StatementOfReasons.objects.create(**said, **wrong)


def test_at_a_freeze_the_poster_is_told_neutrally_and_once() -> None:
    row, shown = case_with_picture("intimate_image")
    freeze_item(row, shown)
    decisions.state_freeze_reasons(Event.objects.get(kind="item.frozen"))
    (line,) = statements(row.id, SYSTEM)
    assert (line.kind, line.item_id, line.actor_id) == (
        "freeze",
        shown.id,
        shown.actor_id,
    )
    assert line.sent_at is not None
    assert [each["statement"] for each in due()] == [str(line.statement_id)]
    assert due()[0]["item"] == str(shown.id)
    assert statement(line.statement_id, SYSTEM) == line
    with pytest.raises(NotAllowed):
        statements(row.id, By("public", "portal"))


def test_on_child_safety_the_poster_is_told_after_the_decision() -> None:
    row, shown = case_with_picture()
    freeze_item(row, shown)
    (line,) = statements(row.id, SYSTEM)
    assert line.withheld_ground
    assert line.withheld_until is not None
    span = line.withheld_until - line.made_at
    assert timedelta(days=7) - span < timedelta(seconds=1)
    decisions.send_due_statements()
    assert not due()
    look_and_read(row, shown, "violation", person("reviewer"))
    # Not found to be an offender, so told at once; the neutral words are untrue by now.
    with clock.shifted(timedelta(days=8)):
        decisions.send_due_statements()
    assert [each["kind"] for each in due()] == ["decision"]


def test_a_withholding_ends_by_itself() -> None:
    row, shown = case_with_picture()
    freeze_item(row, shown)
    with clock.shifted(timedelta(days=7, minutes=1)):
        decisions.send_due_statements()
        decisions.send_due_statements()
    (told,) = due()
    assert (told["kind"], told["withheld"], told["item"]) == (
        "freeze",
        True,
        str(shown.id),
    )


def test_what_was_thawed_is_not_told_to_be_hidden() -> None:
    row, shown = case_with_picture()
    freeze_item(row, shown)
    cleared(row, shown)
    with clock.shifted(timedelta(days=8)):
        decisions.send_due_statements()
    assert [each["kind"] for each in due()] == ["thaw"]
    thaw = statements(row.id, SYSTEM)[-1]
    assert "People looked at it" in thaw.words
    assert thaw.decision_id is not None


def test_an_offender_who_is_referred_is_told_later() -> None:
    row, shown = case_with_picture()
    bystander = item()
    put(row, bystander, role="repost", against=shown, basis="repost", exact=True)
    look_and_read(
        row,
        shown,
        "violation",
        person("reviewer"),
        parts={shown.actor_id: "offender", bystander.actor_id: "peer"},
    )
    lines = {line.item_id: line for line in statements(row.id, SYSTEM)}
    assert lines[shown.id].withheld_ground.startswith("Telling now could harm")
    assert lines[shown.id].sent_at is None
    assert "suspend your account" in lines[shown.id].words
    assert lines[bystander.id].sent_at is not None
    assert "suspend" not in lines[bystander.id].words
    with clock.shifted(timedelta(days=30, minutes=1)):
        decisions.send_due_statements()
    assert [each["item"] for each in due()] == [str(bystander.id), str(shown.id)]


def test_without_a_referral_an_offender_is_told_at_once() -> None:
    row, shown = case_with_picture()
    look_and_read(
        row,
        shown,
        "violation",
        person("reviewer"),
        parts={shown.actor_id: "offender"},
        refer=False,
        why_not_refer="It was referred by another service.",
    )
    assert [each["kind"] for each in due()] == ["decision"]


def test_a_decision_that_is_challenged_is_not_told_meanwhile() -> None:
    row, shown = case_with_picture()
    look_and_read(
        row,
        shown,
        "violation",
        person("reviewer"),
        parts={shown.actor_id: "offender"},
    )
    scene.reopen(row)
    with clock.shifted(timedelta(days=31)):
        decisions.send_due_statements()
    assert not due()
    cleared(row, shown)
    with clock.shifted(timedelta(days=62)):
        decisions.send_due_statements()
    assert not due()


def test_a_copy_of_what_was_decided_gets_the_decisions_reasons() -> None:
    row, shown = case_with_picture()
    look_and_read(row, shown, "violation", person("reviewer"))
    late = item()
    put(row, late, role="copy", against=shown, basis="digest", exact=True)
    freeze_item(row, late, because="upload")
    line = statements(row.id, SYSTEM)[-1]
    assert (line.kind, line.item_id) == ("decision", late.id)
    assert "applied to this copy automatically" in line.words


def test_a_case_without_its_posters_is_decided_all_the_same() -> None:
    row, shown = case_with_picture()
    Item.objects.filter(id=shown.id).update(actor=None)
    freeze_item(row, shown)
    assert look_and_read(row, shown, "violation", person("reviewer")).decided
    assert not StatementOfReasons.objects.exists()
    assert Fingerprint.objects.filter(item=shown).exists()


def test_a_reason_that_names_the_reporter_reaches_no_poster() -> None:
    row, shown = case_with_picture()
    ada = person("reviewer")
    look(row, shown, ada)
    read(row, "violation", ada, reason="His MOTHER reported it, with a POLICE number.")
    (line,) = statements(row.id, SYSTEM)
    assert "MOTHER" not in line.words
    assert "POLICE" not in line.words
