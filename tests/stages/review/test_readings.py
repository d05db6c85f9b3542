"""What somebody finds, and whether they could have known it, on real rows."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By
from holdfast.base.errors import InvalidInput, NotAllowed, Refused
from holdfast.items.models import Item
from holdfast.matching.bank import open_bank
from holdfast.matching.models import BankEntry, BankKind, Match
from holdfast.matching.operations import bank_here
from holdfast.review import claims
from holdfast.review import operations as review
from holdfast.review.models import Claim, Reading, Reveal
from holdfast.review.rules import Hindrance
from holdfast.triage.models import Case
from tests.stages.review import scene
from tests.stages.review.scene import (
    CSAM,
    REASON,
    case,
    case_with_picture,
    item,
    look,
    look_and_read,
    person,
    picture_of,
    put,
    read,
)
from tests.stages.review.scene import (
    desk as desk,
)

pytestmark = pytest.mark.usefixtures("desk")


def test_neither_the_system_nor_a_key_can_read_a_case() -> None:
    row, _ = case_with_picture()
    for by in (SYSTEM, By("platform", str(uuid4()))):
        with pytest.raises(NotAllowed):
            read(row, "no_violation", by)
    assert not Reading.objects.exists()


def test_nobody_decides_about_what_they_have_not_seen() -> None:
    row, shown = case_with_picture()
    ada = person("reviewer")
    claims.claim(case_id=row.id, by=ada)
    for outcome in ("violation", "no_violation"):
        with pytest.raises(Refused, match="Open the item first"):
            read(row, outcome, ada)
    # The caption is not the picture.
    shown.text = "A caption."
    shown.save()
    review.reveal(
        case_id=row.id, item_id=shown.id, media_id=None, reason=REASON, by=ada
    )
    with pytest.raises(Refused, match="Open the item first"):
        read(row, "no_violation", ada)
    # Nor does it help that a colleague has seen it.
    ben = person("reviewer")
    review.reveal(
        case_id=row.id,
        item_id=shown.id,
        media_id=picture_of(shown),
        reason=REASON,
        by=ben,
        second_person_id=ada.id,
    )
    with pytest.raises(Refused, match="Open the item first"):
        read(row, "no_violation", ada)


def test_words_alone_must_be_read_and_a_case_without_items_need_not() -> None:
    row, ada = case(), person("reviewer")
    words = item(picture=None, text="Some words.", kind="message")
    put(row, words)
    claims.claim(case_id=row.id, by=ada)
    with pytest.raises(Refused, match="Open the item first"):
        read(row, "violation", ada)
    grant = review.reveal(
        case_id=row.id, item_id=words.id, media_id=None, reason=REASON, by=ada
    )
    assert grant.words == "Some words."
    assert read(row, "violation", ada).decided
    empty = case()
    claims.claim(case_id=empty.id, by=ada)
    assert read(empty, "violation", ada).decided


def banked(picture: bytes, other: Case, *, state: str = "active", **more: Any) -> None:
    elsewhere = item(picture=picture)
    BankEntry.objects.create(
        bank=bank_here(BankKind.DECIDED),
        kind="sha256",
        digest=hashlib.sha256(picture).digest(),
        category=more.pop("category", CSAM),
        state=state,
        item=elsewhere,
        media=elsewhere.media.get(),
        case_id=other.id,
        decision_id=uuid4(),
        entered_at=clock.now(),
        entered_by="system",
    )


def test_what_people_decided_on_before_may_be_found_again_unseen() -> None:
    row, _ = case_with_picture()
    ada = person("reviewer")
    claims.claim(case_id=row.id, by=ada)
    banked(b"harmless", case(), state="cleared")
    banked(b"harmless", case(), category="harassment")
    banked(b"harmless", row)
    banked(b"other", case())
    with pytest.raises(Refused, match="Open the item first"):
        read(row, "violation", ada)
    banked(b"harmless", case())
    with pytest.raises(Refused, match="Open the item first"):
        read(row, "no_violation", ada)
    assert read(row, "violation", ada).decided
    assert not Reveal.objects.exists()


@pytest.mark.parametrize(
    ("outcome", "given"),
    [
        ("maybe", {}),
        ("violation", {"category": "unknown"}),
        ("violation", {"ground": "unknown"}),
        ("violation", {"ground": ""}),
        ("violation", {"ground": "scam_terms"}),
        ("violation", {"reason": "because"}),
        ("violation", {"refer": False, "why_not_refer": "  "}),
        ("violation", {"parts": {uuid4(): "offender"}}),
        ("no_violation", {"refer": True}),
        ("no_violation", {"category": "unknown"}),
        ("no_violation", {"why_not_refer": ""}),
    ],
)
def test_a_finding_that_cannot_stand_is_refused(
    outcome: str, given: dict[str, Any]
) -> None:
    row, shown = case_with_picture()
    ada = person("specialist")
    look(row, shown, ada)
    with pytest.raises(InvalidInput):
        read(row, outcome, ada, **given)
    assert not Reading.objects.exists()


@pytest.mark.parametrize("basis", ["pdq", "video", "features"])
def test_a_likeness_alone_never_costs_an_account(basis: str) -> None:
    """Somebody has looked at the very item before its poster is called anything."""
    row, shown = case_with_picture()
    copy = item(picture=b"another")
    numbers = {"pdq": {"distance_bits": 3}, "video": {"share_percent": 100}}
    put(row, copy, role="copy", against=shown, basis=basis, **numbers.get(basis, {}))
    ada = person("specialist")
    look(row, shown, ada)
    parts = {copy.actor_id: "offender", shown.actor_id: "offender"}
    with pytest.raises(Refused, match="found by likeness alone"):
        read(row, "violation", ada, parts=parts)
    assert not Reading.objects.exists()
    review.reveal(
        case_id=row.id,
        item_id=copy.id,
        media_id=picture_of(copy),
        reason=REASON,
        by=ada,
    )
    assert read(row, "violation", ada, parts=parts).decided


def test_the_same_bytes_are_seen_when_one_of_them_is() -> None:
    row, shown = case_with_picture()
    same = item()
    put(row, same, role="copy", against=shown, basis="digest", exact=True)
    ada = person("specialist")
    look(row, shown, ada)
    assert read(row, "violation", ada, parts={same.actor_id: "offender"}).decided


def known_by_bank(row: Case, shown: Item, picture: bytes) -> Item:
    """An item whose bytes a bank from elsewhere knows, like what was reported."""
    known = item(picture=picture)
    entry = BankEntry.objects.create(
        bank_id=open_bank("a", "A", BankKind.IMPORTED, category=CSAM, by=SYSTEM),
        kind="sha256",
        digest=hashlib.sha256(picture).digest(),
        category=CSAM,
        state="active",
        entered_at=clock.now(),
        entered_by="system",
    )
    put(row, known, role="known", entry=entry, basis="digest", exact=True)
    Match.objects.create(
        item=known, against=shown, basis="pdq", distance_bits=3, found_at=clock.now()
    )
    return known


def test_bytes_that_only_a_bank_from_elsewhere_knows_cost_no_account() -> None:
    """Nobody here has seen them, and the likeness to what was opened is one."""
    row, shown = case_with_picture()
    known = known_by_bank(row, shown, b"another")
    ada = person("specialist")
    look(row, shown, ada)
    parts = {known.actor_id: "offender"}
    with pytest.raises(Refused, match="found by likeness alone"):
        read(row, "violation", ada, parts=parts)
    # What this very case has banked of it since, nobody has seen either.
    banked(b"another", row)
    with pytest.raises(Refused, match="found by likeness alone"):
        read(row, "violation", ada, parts=parts)
    banked(b"another", case())
    assert read(row, "violation", ada, parts=parts).decided


def test_bytes_that_a_bank_knows_are_seen_when_the_same_were_opened() -> None:
    row, shown = case_with_picture()
    known = known_by_bank(row, shown, b"harmless")
    ada = person("specialist")
    look(row, shown, ada)
    assert read(row, "violation", ada, parts={known.actor_id: "offender"}).decided


def test_who_is_only_possibly_in_the_case_has_no_part_in_it() -> None:
    row, shown = case_with_picture()
    possible = item(picture=b"another")
    put(row, possible, role="copy", against=shown, basis="features", certain=False)
    ada = person("specialist")
    look(row, shown, ada)
    with pytest.raises(InvalidInput, match="somebody in the case"):
        read(row, "violation", ada, parts={possible.actor_id: "offender"})


def test_parts_are_given_to_the_actors_of_the_case() -> None:
    row, shown = case_with_picture()
    ada = person("reviewer")
    look(row, shown, ada)
    with pytest.raises(InvalidInput, match="A part is one of"):
        read(row, "violation", ada, parts={shown.actor_id: "suspect"})
    with pytest.raises(InvalidInput, match="nobody is an offender"):
        read(row, "no_violation", ada, parts={shown.actor_id: "offender"})
    read(row, "violation", ada, parts={shown.actor_id: "person_shown"})
    assert Reading.objects.get().parts == {str(shown.actor_id): "person_shown"}


def test_the_holder_reads_first_and_then_gives_the_case_back() -> None:
    row, shown = case_with_picture()
    ada, eva = person("reviewer"), person("specialist")
    with pytest.raises(Refused, match="Claim the case first"):
        read(row, "no_violation", ada)
    result = look_and_read(row, shown, "no_violation", ada)
    assert (result.decided, result.needs) == (False, "second reader, specialist")
    assert not Claim.objects.filter(released_at=None).exists()
    with pytest.raises(Refused, match="Somebody else reads next"):
        read(row, "no_violation", ada)
    with pytest.raises(Refused, match="waits for a specialist"):
        look_and_read(row, shown, "no_violation", person("reviewer"))
    Claim.objects.update(released_at=clock.now())
    # A second reader may look with somebody's agreement, and read without a claim.
    review.reveal(
        case_id=row.id,
        item_id=shown.id,
        media_id=picture_of(shown),
        reason=REASON,
        by=eva,
        second_person_id=ada.id,
    )
    assert read(row, "no_violation", eva).decided
    with pytest.raises(Refused, match="not open"):
        read(row, "violation", person("specialist"))


def test_the_database_refuses_a_second_reading_and_a_silent_one() -> None:
    row, shown = case_with_picture()
    ada = person("reviewer")
    look_and_read(row, shown, "no_violation", ada)
    good = {
        "case": row,
        "as_specialist": False,
        "outcome": "no_violation",
        "category": CSAM,
        "read_at": clock.now(),
    }
    for bad in (
        {"round": 1, "person_id": ada.id, "reason": "x", "refer": True},
        {"round": 2, "person_id": ada.id, "reason": "", "refer": True},
        {"round": 3, "person_id": ada.id, "reason": "x", "refer": False},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Reading.objects.create(**good, **bad)


def test_a_challenged_case_goes_to_people_who_have_not_touched_it() -> None:
    row, shown = case_with_picture()
    ada, eva, ivo = person("reviewer"), person("specialist"), person("specialist")
    held_only, agreed_only = person("reviewer"), person("reviewer")
    claims.claim(case_id=row.id, by=held_only)
    claims.release(case_id=row.id, by=held_only)
    review.reveal(
        case_id=row.id,
        item_id=shown.id,
        media_id=picture_of(shown),
        reason=REASON,
        by=ada,
        second_person_id=agreed_only.id,
    )
    look_and_read(row, shown, "no_violation", ada)
    assert look_and_read(row, shown, "no_violation", eva).decided
    scene.reopen(row)
    for by in (ada, eva, held_only, agreed_only):
        with pytest.raises(Refused, match="before it was opened again"):
            claims.claim(case_id=row.id, by=by)
        with pytest.raises(Refused) as refused:
            read(row, "violation", by)
        assert refused.value.message == Hindrance.TOUCHED_BEFORE
    assert look_and_read(row, shown, "violation", ivo).decided
    row.refresh_from_db()
    assert (row.round, row.outcome) == (2, "violation")


def test_a_case_reopened_by_a_new_copy_may_go_to_the_same_people() -> None:
    row, shown = case_with_picture()
    ada = person("reviewer")
    assert look_and_read(row, shown, "violation", ada).decided
    scene.reopen(row, because="copy")
    assert look_and_read(row, shown, "violation", ada).decided
