"""The queue and the case page: what is shown, in which order, and what is not."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.base.errors import NotAllowed, NotFound
from holdfast.base.events import Kind, emit
from holdfast.base.ids import report_number
from holdfast.intake.contacts import keep
from holdfast.intake.models import Addition, Report, Target
from holdfast.items.models import Item, Share, ViewCount
from holdfast.matching.rules import REPOST_OF_IT, Basis, Likeness
from holdfast.review import claims
from holdfast.review import operations as review
from holdfast.review.case_page import case_page
from holdfast.review.lines import QueueFilters
from holdfast.review.models import Reading
from holdfast.review.queries import needs
from holdfast.review.queue import queue, queue_length
from holdfast.triage.models import Case, CaseTarget, Deadline
from tests.stages.review.scene import (
    REASON,
    actor,
    ago,
    case,
    case_with_picture,
    freeze_item,
    item,
    look_and_read,
    person,
    platform,
    put,
    read,
)
from tests.stages.review.scene import (
    desk as desk,
)

pytestmark = pytest.mark.usefixtures("desk")
PDQ = {"basis": "pdq", "distance_bits": 12}
REPOST = {"basis": "repost", "exact": True}


def clock_for(row: Case, hours: float, *, met: bool = False) -> None:
    now = clock.now()
    Deadline.objects.create(
        case=row,
        report_id=None,
        round=Deadline.objects.filter(case=row).count() + 1,
        code="decision",
        shown_to_reporter=True,
        runs_from=now - timedelta(hours=1),
        due_at=now - timedelta(hours=1) + timedelta(hours=hours),
        met_at=now if met else None,
    )


def reported(row: Case, shown: Item | None = None, **more: object) -> Report:
    given = {
        "number": report_number(),
        "platform": platform(),
        "channel": "portal",
        "category": row.category,
        "language": "nb",
        "words": "These are mine.",
        "claims": ["shown"],
        "police_number": "AB-1234",
        "received_at": clock.now(),
        "received_by": "public:portal",
        **more,
    }
    report = Report.objects.create(**given)
    target = Target.objects.create(
        report=report, position=0, named_as="https://plaza.test/p/1", item=shown
    )
    CaseTarget.objects.create(case=row, target=target, placed_at=clock.now())
    return report


def test_the_queue_is_ordered_by_urgency_then_clock_and_never_by_number() -> None:
    crowd = case(urgency="standard")
    clock_for(crowd, 2)
    for _ in range(30):
        reported(crowd)
    late, soon, none = (case(urgency="immediate") for _ in range(3))
    urgent = case(urgency="urgent")
    clock_for(urgent, 1)
    clock_for(late, 48)
    clock_for(soon, 24)
    clock_for(soon, 72)
    clock_for(late, 1.5, met=True)
    lines = queue(person("reviewer"))
    assert [line.case_id for line in lines] == [
        each.id for each in (soon, late, none, urgent, crowd)
    ]
    assert lines[0].elapsed == pytest.approx(1 / 24, abs=0.001)
    assert lines[3].elapsed == pytest.approx(1, abs=0.001)
    assert lines[-1].reports == 30
    assert (lines[2].due_at, lines[2].elapsed) == (None, 0.0)


def test_the_queue_says_what_each_case_waits_for_and_who_holds_it() -> None:
    fresh, shown = case_with_picture()
    waiting, picture = case_with_picture()
    put(waiting, item(), item(), role="copy", against=picture, **PDQ)
    decided, third = case_with_picture()
    ada, eva = person("reviewer"), person("specialist")
    look_and_read(waiting, picture, "no_violation", ada)
    look_and_read(decided, third, "violation", ada)
    claims.claim(case_id=waiting.id, by=eva)
    lines = {line.case_id: line for line in queue(ada)}
    assert set(lines) == {fresh.id, waiting.id}
    assert queue_length(ada) == 2
    assert lines[fresh.id].needs == "first reader"
    line = lines[waiting.id]
    assert line.needs == "second reader, specialist"
    assert (line.items, line.copies, line.reposts) == (3, 2, 0)
    assert str(line.claimed_by) == eva.id
    for filters, found in [
        (QueueFilters(claimed="mine"), set()),
        (QueueFilters(claimed="free"), {fresh.id}),
        (QueueFilters(needs="second reader, specialist"), {waiting.id}),
        (QueueFilters(category="scam"), set()),
        (QueueFilters(child_safety=True, urgency="immediate"), set(lines)),
        (QueueFilters(platform_id=fresh.platform_id), set(lines)),
    ]:
        assert {line.case_id for line in queue(ada, filters)} == found
    assert {line.case_id for line in queue(eva, QueueFilters(claimed="mine"))} == {
        waiting.id
    }
    assert shown.id != picture.id


def test_the_queue_asks_the_database_as_often_for_many_cases_as_for_few() -> None:
    ada = person("reviewer")

    def questions() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            queue(ada)
        return len(asked)

    case_with_picture()
    few = questions()
    for _ in range(12):
        case_with_picture()
    assert questions() == few


@pytest.mark.parametrize("role", ["administrator"])
def test_who_may_not_read_cases_sees_neither_queue_nor_page(role: str) -> None:
    row = case()
    by = person(role)
    for ask in (lambda: queue(by), lambda: case_page(row.id, by)):
        with pytest.raises(NotAllowed):
            ask()


def test_the_page_puts_everything_together() -> None:
    row, shown = case_with_picture(clock_from=ago(hours=3))
    copy, repost = item(actor=shown.actor), item()
    put(row, copy, role="copy", against=shown, **PDQ)
    put(row, repost, role="repost", against=shown, **REPOST)
    report = reported(row, shown)
    Addition.objects.create(
        report=report, kind="words", words="More.", added_at=clock.now()
    )
    Addition.objects.create(
        report=report,
        kind="words",
        words="",
        added_at=clock.now(),
        erased_at=clock.now(),
    )
    Share.objects.create(item=shown, external_id="s1", shared_at=clock.now())
    for hours, views in ((4, 100), (2, 160)):
        ViewCount.objects.create(
            item=shown, views_total=views, counted_at=ago(hours=hours)
        )
    freeze_item(row, shown)
    ViewCount.objects.create(
        item=shown, views_total=163, counted_at=clock.now() + timedelta(seconds=1)
    )
    clock_for(row, 24)
    ada = person("reviewer")
    review.add_note(case_id=row.id, words="A note.", by=ada)
    look_and_read(row, shown, "no_violation", ada)

    page = case_page(row.number.lower(), person("auditor"))

    assert page.case_id == row.id
    assert page.needs == "second reader, specialist"
    (said,) = page.reports
    assert (said.words, said.police_number, said.language) == (
        "These are mine.",
        "AB-1234",
        "nb",
    )
    assert said.named_as == ("https://plaza.test/p/1",)
    assert [each.words for each in said.additions] == ["More.", ""]
    assert [bool(each.erased_at) for each in said.additions] == [False, True]
    lines = {line.item_id: line for line in page.items}
    first = lines[shown.id]
    assert [views for _, views in first.view_counts] == [100, 160, 163]
    assert (first.state, first.confirmed_state, first.shares) == (
        "frozen",
        "visible",
        1,
    )
    assert len(first.media) == 1
    assert lines[copy.id].like == Likeness(Basis.PDQ, distance_bits=12)
    assert lines[repost.id].like == REPOST_OF_IT
    assert lines[shown.id].like is None
    assert lines[repost.id].role == "repost"
    assert {each.actor_id: each.items for each in page.actors} == {
        shown.actor_id: 2,
        repost.actor_id: 1,
    }
    assert [each.reason for each in page.readings] == [REASON]
    assert [each.words for each in page.notes] == ["A note."]
    assert [each.item_id for each in page.reveals] == [shown.id]
    assert page.deadlines[0].elapsed == pytest.approx(1 / 24, abs=0.001)
    kinds = [each.kind for each in page.timeline]
    assert kinds[0] == "item.frozen"
    assert kinds[-1] == "case.read"


def test_the_page_shows_no_words_of_an_item_and_no_contact() -> None:
    row = case()
    put(row, item(picture=None, text="SECRET WORDS", kind="message"))
    report = reported(row)
    keep(report.id, "mother@example.org", "every_step", by=SYSTEM)
    page = case_page(row.id, person("reviewer"))
    assert page.items[0].has_words
    assert page.reports[0].can_be_answered
    whole = str(dataclasses.asdict(page))
    assert "SECRET WORDS" not in whole
    assert "mother@example.org" not in whole


def test_the_page_tells_an_actors_earlier_cases_and_their_outcome() -> None:
    ada, poster = person("specialist"), actor()
    found, cleared, running, now = case(), case("scam"), case(), case()
    for row in (found, cleared, running, now):
        put(row, item(picture=None, actor=poster), item(picture=None, actor=poster))
    for row, outcome in ((found, "violation"), (cleared, "no_violation")):
        claims.claim(case_id=row.id, by=ada)
        read(row, outcome, ada)
    (line,) = case_page(now.id, ada).actors
    assert line.items == 2
    assert line.earlier_count == 3
    assert {each.case_id: each.outcome for each in line.earlier} == {
        found.id: "violation",
        cleared.id: "no_violation",
        running.id: "",
    }


def test_a_merged_number_leads_to_the_living_case() -> None:
    row, other, older = case(), case(), case()
    ada = person("reviewer")
    review.add_note(case_id=older.id, words="An old note.", by=ada)
    for gone, into in ((older, other), (other, row)):
        with transaction.atomic():
            Case.objects.filter(id=gone.id).update(state="merged", merged_into=into)
            emit(Kind.CASE_MERGED, about={"case": gone.id, "into": into.id}, by=SYSTEM)
    page = case_page(older.number, ada)
    assert page.case_id == row.id
    assert set(page.merged_numbers) == {older.number, other.number}
    assert [each.words for each in page.notes] == ["An old note."]
    assert {each.case_id for each in queue(ada)} == {row.id}
    for wrong in ("C-00000-00000", "nonsense", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(NotFound):
            case_page(wrong, ada)


def test_a_category_that_left_the_policy_keeps_the_stricter_rule() -> None:
    row, ada = case("scam", child_safety=False), person("reviewer")
    Reading.objects.create(
        case=row,
        round=1,
        person_id=ada.id,
        as_specialist=False,
        outcome="no_violation",
        category="gone_since",
        reason=REASON,
        refer=True,
        read_at=clock.now(),
    )
    assert needs(row) == "second reader, specialist"
    assert queue(ada)[0].needs == "second reader, specialist"
