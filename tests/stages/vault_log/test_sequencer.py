"""Every event enters the log, late ones too, and what is changed by hand is found."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction

from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.base.errors import NotFound
from holdfast.base.events import Kind, emit
from holdfast.base.models import Event
from holdfast.vault import sequencer
from holdfast.vault.log import canonical, leaf_hash
from holdfast.vault.models import Checkpoint, LogLeaf

pytestmark = pytest.mark.django_db(transaction=True)


def happen(count: int = 1, **facts: object) -> list[Event]:
    """Events, each in a transaction of its own."""
    made = []
    for number in range(count):
        with transaction.atomic():
            told = {"number": number, **facts}
            made.append(emit(Kind.CASE_NOTED, about={}, facts=told, by=SYSTEM))
    return made


TABLES = ("hf_event", "hf_log_leaf", "hf_checkpoint")


@contextmanager
def by_hand() -> Iterator[None]:
    """Somebody with the database's own password, past its triggers and foreign keys."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = 'hf_log_leaf'::regclass AND contype = 'f'"
        )
        ((name, definition),) = cursor.fetchall()
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
        cursor.execute(f"ALTER TABLE hf_log_leaf DROP CONSTRAINT {name}")
        try:
            yield
        finally:
            # Not valid: what was just done to the rows would be seen.
            rule = definition.removesuffix(" NOT VALID")
            cursor.execute(
                f"ALTER TABLE hf_log_leaf ADD CONSTRAINT {name} {rule} NOT VALID"
            )
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER append_only")


def sql(text: str, *given: int | bytes | str) -> None:
    with by_hand(), connection.cursor() as cursor:
        cursor.execute(text, given)


def test_events_are_logged_and_proved() -> None:
    happen(3)
    sequencer.append_to_log()
    happen(4)
    sequencer.append_to_log()
    report = sequencer.verify_log()
    assert report.ok, report.problems
    assert (report.events, report.proved_size) == (7, 7)
    assert list(Checkpoint.objects.values_list("size", flat=True)) == [3, 7]
    assert list(LogLeaf.objects.order_by("index").values_list("index", flat=True)) == [
        *range(7)
    ]


def test_an_empty_log_is_no_problem() -> None:
    sequencer.append_to_log()
    assert sequencer.verify_log().ok
    assert not Checkpoint.objects.exists()


def test_nothing_new_signs_nothing() -> None:
    happen()
    sequencer.append_to_log()
    sequencer.append_to_log()
    assert Checkpoint.objects.count() == 1


def test_a_backlog_is_taken_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer, "BATCH", 4)
    with transaction.atomic():
        for number in range(9):
            emit(Kind.CASE_NOTED, about={}, facts={"number": number}, by=SYSTEM)
    happen(3)
    sequencer.append_to_log()
    assert sequencer.verify_log().proved_size == 12
    assert Checkpoint.objects.count() == 3


def test_a_number_with_a_fraction_does_not_stop_the_log() -> None:
    happen(seconds=1.25, list=[{"deep": 0.5}])
    sequencer.append_to_log()
    assert sequencer.verify_log().ok


def test_a_changed_event_is_named() -> None:
    events = happen(6)
    sequencer.append_to_log()
    sql("UPDATE hf_event SET facts = '{\"number\": 99}' WHERE id = %s", events[3].id)
    report = sequencer.verify_log()
    assert not report.ok
    first = report.problems[0]
    assert (first.index, first.event_id, first.code) == (
        3,
        events[3].id,
        "event-differs",
    )


@pytest.mark.parametrize(
    "change",
    [
        "by = 'staff:somebody'",
        "kind = 'case.read'",
        "at = at + interval '1 microsecond'",
        'about = \'{"case": "x"}\'',
        "cause_id = id",
    ],
)
def test_every_column_is_proved(change: str) -> None:
    (event,) = happen()
    sequencer.append_to_log()
    sql(f"UPDATE hf_event SET {change} WHERE id = %s", event.id)
    assert sequencer.verify_log().problems[0].event_id == event.id


def test_the_database_itself_refuses_a_change() -> None:
    (event,) = happen()
    with pytest.raises(Exception, match="append-only"):
        Event.objects.filter(id=event.id).update(kind="case.read")


def test_a_deleted_event_is_named() -> None:
    events = happen(5)
    sequencer.append_to_log()
    sql("DELETE FROM hf_event WHERE id = %s", events[2].id)
    first = sequencer.verify_log().problems[0]
    assert (first.index, first.event_id) == (2, events[2].id)


def test_a_deleted_event_whose_leaf_went_with_it_is_named() -> None:
    events = happen(5)
    sequencer.append_to_log()
    sql("DELETE FROM hf_log_leaf WHERE event_id = %s", events[2].id)
    sql("DELETE FROM hf_event WHERE id = %s", events[2].id)
    report = sequencer.verify_log()
    assert (report.problems[0].index, report.problems[0].code) == (2, "gap")


def test_the_newest_events_taken_away_are_missed() -> None:
    happen(5)
    sequencer.append_to_log()
    sql("DELETE FROM hf_log_leaf WHERE index >= 3")
    codes = {each.code for each in sequencer.verify_log().problems}
    assert {"truncated", "not-logged"} <= codes


def test_two_events_that_changed_places_are_named() -> None:
    events = happen(5)
    sequencer.append_to_log()
    for leaf, event_id in ((1, 0), (3, events[1].id), (1, events[3].id)):
        sql("UPDATE hf_log_leaf SET event_id = %s WHERE index = %s", event_id, leaf)
    wrong = [each.index for each in sequencer.verify_log().problems]
    assert wrong == [1, 3]


def test_a_leaf_rewritten_with_its_event_is_found_by_the_signed_head() -> None:
    happen(2)
    sequencer.append_to_log()
    events = happen(3)
    sequencer.append_to_log()
    sql("UPDATE hf_event SET kind = 'case.read' WHERE id = %s", events[1].id)
    forged = leaf_hash(
        canonical(sequencer.loggable(Event.objects.get(id=events[1].id)))
    )
    sql("UPDATE hf_log_leaf SET leaf_hash = %s WHERE index = 3", forged)
    report = sequencer.verify_log()
    assert [each.code for each in report.problems] == ["root-differs"]
    assert report.proved_size == 2
    assert report.problems[0].index == 2


def test_a_forged_head_is_refused() -> None:
    happen(2)
    sequencer.append_to_log()
    note = Checkpoint.objects.get().note
    sql("UPDATE hf_checkpoint SET note = %s", note.replace("\n2\n", "\n1\n"))
    codes = [each.code for each in sequencer.verify_log().problems]
    assert codes == ["checkpoint-refused", "no-checkpoint"]


class OtherSession(threading.Thread):
    """A second connection that holds a transaction open until it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()
        self.commit = threading.Event()
        self.event_id = 0

    def run(self) -> None:
        try:
            with transaction.atomic():
                event = emit(Kind.CASE_NOTED, about={}, facts={"late": 1}, by=SYSTEM)
                self.event_id = event.id
                self.written.set()
                assert self.commit.wait(20)
        finally:
            connection.close()


def test_a_late_commit_is_not_lost() -> None:
    happen(2)
    late = OtherSession()
    late.start()
    assert late.written.wait(20)
    after = happen(2)
    sequencer.append_to_log()
    # Its number is lower than theirs, so nothing above it may be logged yet.
    assert late.event_id < after[0].id
    assert LogLeaf.objects.count() == 2
    with clock.shifted(timedelta(seconds=sequencer.BEHIND_AFTER_S + 5)):
        sequencer.append_to_log()
        sequencer.append_to_log()
    behind = Event.objects.filter(kind=Kind.ALARM_RAISED, facts__code="log.behind")
    assert behind.count() == 1
    late.commit.set()
    late.join()
    sequencer.append_to_log()
    logged = set(LogLeaf.objects.values_list("event", flat=True))
    assert logged == set(Event.objects.values_list("id", flat=True))
    assert late.event_id in logged
    report = sequencer.verify_log()
    assert report.ok, report.problems


def test_two_that_append_at_once_do_not_fork() -> None:
    happen(40)
    barrier = threading.Barrier(3)

    def work() -> None:
        try:
            barrier.wait()
            sequencer.append_to_log()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sequencer.verify_log().proved_size == 40


def test_a_database_restored_elsewhere_goes_on_logging() -> None:
    happen(3)
    sequencer.append_to_log()
    happen(2)
    # As if all this had been written by a cluster that counts far above this one.
    sql("UPDATE hf_event SET xid = (xid::text::bigint + 1000000000)::text::xid8")
    sql(
        "UPDATE hf_checkpoint SET horizon = (horizon::text::bigint + 1000000000)"
        "::text::xid8"
    )
    happen(2)
    sequencer.append_to_log()
    sequencer.append_to_log()
    report = sequencer.verify_log()
    assert report.ok, report.problems
    assert report.proved_size == 7
    happen(1)
    sequencer.append_to_log()
    assert sequencer.verify_log().proved_size == 8


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    happen(3)
    sequencer.append_to_log()
    happen(3)
    sequencer.append_to_log()
    assert sequencer.export_log(tmp_path / "log") == 6
    return tmp_path / "log"


def test_an_export_is_proved_offline(exported: Path) -> None:
    key = str(sequencer.verifier_key())
    for given in ("", key):
        report = sequencer.verify_log(exported, given)
        assert report.ok, report.problems
        assert (report.events, report.proved_size) == (6, 6)


def test_a_changed_line_of_an_export_is_named(exported: Path) -> None:
    path = exported / sequencer.EVENTS_FILE
    lines = path.read_bytes().splitlines(keepends=True)
    lines[4] = lines[4].replace(b'"number":1', b'"number":7')
    path.write_bytes(b"".join(lines))
    first = sequencer.verify_log(exported).problems[0]
    ids = list(Event.objects.order_by("id").values_list("id", flat=True))
    assert (first.index, first.event_id) == (4, ids[4])


def test_an_export_of_another_log_is_refused(exported: Path) -> None:
    other = str(sequencer.verifier_key()).split("+")
    wrong = type(sequencer.verifier_key())(other[0], bytes(range(32)))
    assert not sequencer.verify_log(exported, str(wrong)).ok


def test_the_checkpoints_of_an_export_hold_the_database_to_its_word(
    exported: Path, tmp_path: Path
) -> None:
    """Whoever takes away the newest events and heads is found with an older export."""
    sql("DELETE FROM hf_log_leaf WHERE index >= 3")
    sql("DELETE FROM hf_checkpoint WHERE size > 3")
    sql("DELETE FROM hf_event WHERE id NOT IN (SELECT event_id FROM hf_log_leaf)")
    assert sequencer.verify_log().ok, "the database alone cannot know"
    kept = (exported / sequencer.CHECKPOINTS_FILE).read_text("utf-8")
    against = sequencer.verify_log(kept=kept)
    assert [each.code for each in against.problems] == ["truncated"]
    sequencer.export_log(tmp_path / "now")
    shutil.copy(exported / sequencer.CHECKPOINTS_FILE, tmp_path / "now" / "checkpoints")
    report = sequencer.verify_log(tmp_path / "now")
    assert [each.code for each in report.problems] == ["truncated"]


def test_a_folder_that_is_no_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        sequencer.verify_log(tmp_path)
