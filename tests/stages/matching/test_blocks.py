"""Never again: what people took back of a bank, whatever its source says of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from holdfast.base import clock
from holdfast.base.by import By
from holdfast.base.errors import InvalidInput, NotAllowed, NotFound, Refused
from holdfast.base.events import Kind
from holdfast.base.models import Event
from holdfast.matching import bank as banks
from holdfast.matching.bank_files import import_bank
from holdfast.matching.blocks import block, blocks, entries_of_signal, lift, stop
from holdfast.matching.exchange import sync, sync_due
from holdfast.matching.models import (
    BankBlock,
    BankEntry,
    BankLift,
    BankState,
    HashExchange,
)
from tests.stages.console.desk import colleague, words_of
from tests.stages.matching.test_exchange import (
    BY,
    CATEGORY,
    WHY,
    Scripted,
    in_force,
    page,
    pull,
    signal,
    standing,
)
from tests.stages.matching.test_exchange import scripted as scripted
from tests.world import World

pytestmark = pytest.mark.django_db
LATER = "It shows somebody else, as the police told us."


def entry_of(name: str) -> BankEntry:
    return BankEntry.objects.get(pdq=signal(name).value)


def test_what_an_exchange_took_back_is_blocked_before_it_comes_again(
    scripted: Scripted,
) -> None:
    pull(scripted, page({"1": "a", "2": "b"}, at=1))
    pull(scripted, page(removed=("1", "2"), at=2))
    assert entry_of("a").revoked_by == "exchange:them"
    assert block([entry_of("a").id], WHY, by=BY) == 1
    # It comes as a new record, as the same, and in a round from the beginning.
    pull(scripted, page({"1": "a", "2": "b"}, at=3))
    pull(scripted, page({"9": "a"}, at=4))
    scripted.stale = True
    pull(scripted, page({"1": "a", "2": "b", "9": "a"}, at=5))
    assert in_force() == "b"
    event = Event.objects.get(kind=Kind.BANK_BLOCKED)
    assert (event.by, event.about["entry"]) == ("operator:test", entry_of("a").id)
    # Nor by any other way.
    entry = entry_of("a")
    assert banks.renew(entry.bank_id, [entry.id], by=BY) == 0
    assert in_force() == "b"


def test_until_a_person_lifts_it(scripted: Scripted) -> None:
    pull(scripted, page({"1": "a", "2": "b"}, at=1))
    assert block([entry_of("a").id, entry_of("b").id], WHY, by=BY) == 2
    assert block([entry_of("a").id, entry_of("b").id], WHY, by=BY) == 0
    assert in_force() == ""
    pull(scripted, page({"1": "a"}, removed=("2",), at=2))
    # What its source has still is looked for again at once, as a new claim.
    held = {each.signal: each for each in blocks(by=BY)}
    first, last = (held[signal(name).value.hex()] for name in "ab")
    assert (first.held, last.held) == (True, False)
    lift(first.id, LATER, by=BY)
    assert in_force() == "a"
    assert entry_of("a").renewed_at is not None
    # What it does not have is looked for when it brings it.
    lift(last.id, LATER, by=BY)
    assert in_force() == "a"
    pull(scripted, page({"3": "b"}, at=3))
    assert in_force() == "ab"
    assert blocks(by=BY) == []
    with pytest.raises(Refused):
        lift(first.id, LATER, by=BY)
    # And it can be blocked once more.
    assert block([entry_of("a").id], WHY, by=BY) == 1
    pull(scripted, page({"3": "a b"}, at=4))
    assert in_force() == "b"
    assert Event.objects.filter(kind=Kind.BANK_UNBLOCKED).count() == 2


def test_from_an_exchange_that_is_stopped_nothing_comes(scripted: Scripted) -> None:
    pull(scripted, page({"1": "a"}, at=1))
    HashExchange.objects.update(tried_at=None)
    stop("them", WHY, by=BY)
    stop("them", WHY, by=BY)
    asked = len(scripted.asked)
    with pytest.raises(Refused, match="lifts"):
        pull(scripted, page({"2": "b"}, at=2))
    sync_due()
    assert len(scripted.asked) == asked
    assert HashExchange.objects.get().failures == 0
    # What it brought stays: it was right, or people take it back.
    assert in_force() == "a"
    [line] = blocks(by=BY)
    lift(line.id, LATER, by=BY)
    pull(scripted, page({"2": "b"}, at=2))
    assert in_force() == "ab"


def test_a_sync_under_way_stops_with_its_page(scripted: Scripted) -> None:
    scripted.meanwhile = lambda: stop("them", WHY, by=BY)
    with pytest.raises(Refused):
        pull(scripted, page({"1": "a"}, at=1), page({"2": "b"}, at=2))
    assert in_force() == "a"


def test_a_file_brings_nothing_of_it_again(world: World, tmp_path: Path) -> None:
    path = tmp_path / "bank.txt"
    path.write_text(f"pdq {signal('a').value.hex()}\n")
    import_bank(path, slug="theirs", category=CATEGORY, by=BY)
    ids = entries_of_signal("theirs", signal("a").value.hex(), by=BY)
    block(ids, WHY, by=BY)
    import_bank(path, slug="theirs", category=CATEGORY, by=BY)
    assert entry_of("a").state == BankState.REVOKED
    lift(blocks(by=BY)[0].id, LATER, by=BY)
    assert entry_of("a").state == BankState.ACTIVE
    stop("theirs", WHY, by=BY)
    path.write_text(f"pdq {signal('b').value.hex()}\n")
    with pytest.raises(Refused):
        import_bank(path, slug="theirs", category=CATEGORY, by=BY)
    assert BankEntry.objects.count() == 1


def test_it_takes_a_person_who_may_and_a_reason(scripted: Scripted) -> None:
    pull(scripted, page({"1": "a"}, at=1))
    ids = [entry_of("a").id]
    nobody = By("operator", "test")
    with pytest.raises(InvalidInput):
        block(ids, "No.", by=BY)
    with pytest.raises(NotAllowed):
        block(ids, WHY, by=nobody)
    with pytest.raises(NotAllowed):
        stop("them", WHY, by=nobody)
    with pytest.raises(NotFound):
        stop("nobody", WHY, by=BY)
    assert standing() == {"a": "active"}
    assert not BankBlock.objects.exists()
    block(ids, WHY, by=BY)
    [line] = blocks(by=BY)
    for refused, by in ((NotAllowed, nobody), (InvalidInput, BY)):
        with pytest.raises(refused):
            lift(line.id, "No.", by=by)
    for wrong in ("", "zz", "00", "0" * 40):
        with pytest.raises(InvalidInput):
            entries_of_signal("them", wrong, by=BY)
    with pytest.raises(NotFound):
        entries_of_signal("them", signal("a").value.hex(), by=BY)


def test_neither_row_changes_any_more(scripted: Scripted) -> None:
    pull(scripted, page({"1": "a"}, at=1))
    block([entry_of("a").id], WHY, by=BY)
    lift(blocks(by=BY)[0].id, LATER, by=BY)
    for rows, column in (
        (BankBlock.objects.all(), "blocked_at"),
        (BankLift.objects.all(), "lifted_at"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**{column: clock.now()})
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.delete()


def test_on_the_console_it_is_blocked_shown_and_lifted(scripted: Scripted) -> None:
    pull(scripted, page({"1": "a"}, at=1))
    pull(scripted, page(removed=("1",), at=2))
    lead = colleague("Lea", "lead")
    digits = signal("a").value.hex()
    given = {"bank": "them", "signal": digits, "reason": WHY}
    wrong = lead.post("/console/banks", **{**given, "signal": "0" * 64})
    assert wrong.status_code == 422
    assert "nothing of it" in words_of(wrong)
    assert lead.post("/console/banks", **{**given, "reason": "No."}).status_code == 422
    assert not BankBlock.objects.exists()
    lead.post("/console/banks", **given)
    row = BankBlock.objects.get()
    assert row.blocked_by == str(lead.by)
    shown = words_of(lead.get("/console/banks"))
    for said in (digits, WHY, "Them", "does not have it now"):
        assert said in shown
    pull(scripted, page({"1": "a"}, at=3))
    assert in_force() == ""
    assert "has it still" in words_of(lead.get("/console/banks"))
    path = f"/console/banks/lift/{row.id}"
    assert WHY in words_of(lead.get(path))
    assert lead.post(path, reason="No.").status_code == 422
    lead.post(path, reason=LATER)
    assert in_force() == "a"
    assert "Nothing is blocked." in words_of(lead.get("/console/banks"))
    assert lead.get(path).status_code == 404
    lead.post(f"/console/banks/stop/{row.bank_id}", reason=WHY)
    assert "no: blocked" in words_of(lead.get("/console/banks"))
    with pytest.raises(Refused):
        sync("them", by=BY)
    assert lead.get(f"/console/banks/stop/{row.id}").status_code == 404
    assert colleague("Bo", "reviewer").get("/console/banks").status_code == 403
