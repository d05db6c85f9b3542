"""The change feed: in the order of commits, nothing skipped, held back and alarmed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By
from holdfast.base.errors import InvalidInput, NotAllowed
from holdfast.base.events import Kind
from holdfast.base.models import Event
from holdfast.enforcement import operations, orders, queries
from holdfast.enforcement.models import Verb
from holdfast.items.models import Actor, Item

if TYPE_CHECKING:
    from tests.stages.enforcement.stand import Site

pytest_plugins = ["tests.stages.enforcement.stand"]
pytestmark = pytest.mark.django_db(transaction=True)


def order(subject: Item | Actor, verb: Verb = Verb.FREEZE) -> None:
    with transaction.atomic():
        orders.order(subject, verb, by=SYSTEM)


def read(
    site: Site, key: By, cursor: str | None = None
) -> tuple[list[str], str | None]:
    """Everything after ``cursor``, two changes a page: ``["post-1 #1 freeze", …]``."""
    found: list[str] = []
    while True:
        page = queries.changes(site.platform.id, cursor, 2, by=key)
        found += [f"{c.item or c.actor} #{c.number} {c.verb}" for c in page.data]
        if not page.data:
            return found, cursor
        cursor = page.next_cursor


class Elsewhere:
    """A transaction of another connection, which stays open until told otherwise."""

    def __init__(self, *first: Callable[[], object]) -> None:
        self._begun, self._go_on = threading.Event(), threading.Event()
        self._then: list[Callable[[], object]] = []
        self._thread = threading.Thread(target=self._run, args=(first,), daemon=True)
        self._thread.start()
        assert self._begun.wait(60)

    def _run(self, first: tuple[Callable[[], object], ...]) -> None:
        try:
            with transaction.atomic():
                for each in first:
                    each()
                self._begun.set()
                self._go_on.wait(60)
                for each in self._then:
                    each()
        finally:
            connection.close()

    def commit(self, *then: Callable[[], object]) -> None:
        self._then.extend(then)
        self._go_on.set()
        self._thread.join(60)
        assert not self._thread.is_alive()


def take_number() -> None:
    """Make this transaction write, so that it has its place in the order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")


def test_changes_come_in_order_page_by_page(polling: Site, platform_key: By) -> None:
    first, second, actor = polling.item("a"), polling.item("b"), polling.actor("joe")
    order(first)
    order(second)
    order(actor, Verb.SUSPEND)
    order(first, Verb.THAW)
    order(first, Verb.FREEZE)
    found, cursor = read(polling, platform_key)
    assert found == [
        "a #1 freeze",
        "b #1 freeze",
        "joe #1 suspend",
        "a #2 thaw",
        "a #3 freeze",
    ]
    assert read(polling, platform_key, cursor) == ([], cursor)
    empty = queries.changes(polling.platform.id, cursor, by=platform_key)
    assert (empty.data, empty.next_cursor) == ((), cursor)
    order(second, Verb.THAW)
    assert read(polling, platform_key, cursor)[0] == ["b #2 thaw"]


def test_a_late_commit_is_not_skipped(polling: Site, platform_key: By) -> None:
    early, late = polling.item("early"), polling.item("late")
    other = Elsewhere(lambda: orders.order(late, Verb.FREEZE, by=SYSTEM))
    order(early)
    found, cursor = read(polling, platform_key)
    assert found == []  # Held back: something that began before may still commit.
    other.commit()
    found, cursor = read(polling, platform_key, cursor)
    assert found == ["late #1 freeze", "early #1 freeze"]


def test_an_items_changes_stand_in_their_order_across_transactions(
    polling: Site, platform_key: By
) -> None:
    """The older transaction gets the item's lock last: its number is the higher one."""
    item = polling.item("a")
    older = Elsewhere(take_number)
    order(item, Verb.FREEZE)
    older.commit(lambda: orders.order(item, Verb.THAW, by=SYSTEM))
    assert read(polling, platform_key)[0] == ["a #1 freeze", "a #2 thaw"]


def test_several_of_one_transaction_stand_in_order(
    polling: Site, platform_key: By
) -> None:
    item = polling.item("a")
    with transaction.atomic():
        for verb in (Verb.FREEZE, Verb.THAW, Verb.FREEZE, Verb.REMOVE, Verb.RESTORE):
            orders.order(item, verb, by=SYSTEM)
    found, _ = read(polling, platform_key)
    assert [each.split()[1] for each in found] == ["#1", "#2", "#3", "#4", "#5"]


def test_a_reader_beside_many_writers_misses_nothing(
    polling: Site, platform_key: By
) -> None:
    items = [polling.item(f"post-{index}") for index in range(4)]
    done = threading.Event()
    errors: list[BaseException] = []

    def write(turn: int) -> None:
        try:
            for index in range(12):
                order(items[(turn + index) % 4], Verb.FREEZE)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(turn,)) for turn in range(4)]
    seen: list[str] = []

    def follow() -> None:
        cursor: str | None = None
        try:
            while True:
                last_round = done.is_set()
                found, cursor = read(polling, platform_key, cursor)
                seen.extend(found)
                if last_round:
                    return
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    reader = threading.Thread(target=follow)
    for thread in [*writers, reader]:
        thread.start()
    for thread in writers:
        thread.join(20)
    done.set()
    reader.join(20)
    assert not errors
    for index in range(4):
        mine = [each for each in seen if each.startswith(f"post-{index} ")]
        assert mine == [f"post-{index} #{number} freeze" for number in range(1, 13)]


def test_each_platform_reads_its_own(
    polling: Site, site: Site, platform_key: By
) -> None:
    order(polling.item("a"))
    order(site.item("b"))
    assert read(polling, platform_key)[0] == ["a #1 freeze"]
    assert read(site, platform_key)[0] == ["b #1 freeze"]


def test_what_is_refused(polling: Site, platform_key: By) -> None:
    platform_id = polling.platform.id
    assert queries.changes(platform_id, by=platform_key).next_cursor is None
    for limit in (0, queries.MOST_CHANGES + 1):
        with pytest.raises(InvalidInput):
            queries.changes(platform_id, limit=limit, by=platform_key)
    with pytest.raises(InvalidInput):
        queries.changes(platform_id, "nonsense", by=platform_key)
    with pytest.raises(NotAllowed):
        queries.changes(platform_id, by=By("platform", "other"))


def test_a_transaction_that_stays_open_is_an_alarm(polling: Site) -> None:
    alarms = Event.objects.filter(kind=Kind.ALARM_RAISED, facts__code="feed.held_back")
    open_one = Elsewhere(take_number)
    assert queries.feed_lag_s() == 0.0
    order(polling.item("a"), Verb.STATEMENT)
    with clock.shifted(timedelta(seconds=50)):
        assert 50 <= queries.feed_lag_s() < 60
        operations.hand_over_due()
        assert not alarms.exists()
    with clock.shifted(timedelta(seconds=61)):
        operations.hand_over_due()
        operations.hand_over_due()
    assert alarms.get().facts["lag_s"] >= 61
    with clock.shifted(timedelta(hours=2)):
        operations.hand_over_due()
    assert alarms.count() == 2
    open_one.commit()
    assert queries.feed_lag_s() == 0.0
