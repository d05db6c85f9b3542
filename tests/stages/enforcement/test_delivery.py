"""Ordering, handing over and confirming, against a real platform and real locks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models import Q

from holdfast.base import clock, events
from holdfast.base.by import SYSTEM, By
from holdfast.base.errors import NotAllowed, NotFound
from holdfast.base.events import Kind
from holdfast.base.jobs import drain as run_jobs
from holdfast.base.jobs import run_tick
from holdfast.base.models import Event
from holdfast.enforcement import (
    confirming,
    delivery,
    operations,
    orders,
    queries,
    rules,
)
from holdfast.enforcement.connectors.webhook import client
from holdfast.enforcement.models import Delivery, Verb
from holdfast.items.models import Item

if TYPE_CHECKING:
    from tests.stages.enforcement.stand import Network, Received, Site

pytest_plugins = ["tests.stages.enforcement.stand"]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("enforcement_flow"),
]


def freeze(site: Site, item: Item) -> Event:
    with transaction.atomic():
        return site.freeze(item)


def in_threads(*work: Callable[[], object]) -> None:
    """Run all of it at once; an error in a thread is an error of the test."""
    errors: list[BaseException] = []
    ready = threading.Barrier(len(work))

    def run(each: Callable[[], object]) -> None:
        ready.wait()
        try:
            each()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(each,)) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not errors


def test_a_freeze_reaches_the_platform_and_is_confirmed(
    site: Site, network: Network
) -> None:
    item = site.item("post-1")
    freeze(site, item)
    ordered = Delivery.objects.get()
    run_jobs()
    [received] = network.applied
    assert received["type"] == "item.freeze"
    assert received["data"]["item"] == "post-1"
    assert received["data"]["id"] == str(ordered.id)
    assert received["data"]["body"] == {"advertising_hold": True, "forbid_delete": True}
    item.refresh_from_db()
    assert item.confirmed_state == "frozen"
    event = Event.objects.get(kind=Kind.DELIVERY_CONFIRMED)
    assert event.about == {
        "delivery": str(ordered.id),
        "platform": str(site.platform.id),
        "item": str(item.id),
    }
    assert event.facts == {"verb": "freeze", "number": 1}


def test_the_case_is_named_when_there_is_one(site: Site) -> None:
    item = site.item("post-1")
    case = site.case(item)
    freeze(site, item)
    assert Event.objects.get(kind=Kind.DELIVERY_ORDERED).about["case"] == str(case.id)


def test_the_same_event_twice_makes_one_delivery(site: Site) -> None:
    item = site.item("post-1")
    first = freeze(site, item)
    operations.order_freeze(first)
    assert Delivery.objects.count() == 1
    with transaction.atomic():
        thawed = site.thaw(item)
    operations.order_thaw(thawed)
    operations.order_freeze(first)
    freeze(site, item)
    verbs = Delivery.objects.order_by("number").values_list("number", "verb")
    assert list(verbs) == [(1, "freeze"), (2, "thaw"), (3, "freeze")]


def test_the_same_event_twice_at_once_makes_one_delivery(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Put back before the fixture puts back the whole flow, and not after it.
    with monkeypatch.context() as patched:
        patched.delitem(events._flow, Kind.ITEM_FROZEN)
        event = freeze(site, site.item("post-1"))
    in_threads(*[lambda: operations.order_freeze(event)] * 4)
    assert Delivery.objects.count() == 1


def test_nothing_is_ordered_when_the_freeze_is_rolled_back(site: Site) -> None:
    item = site.item("post-1")
    with transaction.atomic():
        site.freeze(item)
        assert Delivery.objects.count() == 1
        transaction.set_rollback(True)
    item.refresh_from_db()
    assert (Delivery.objects.count(), item.deliveries) == (0, 0)


def test_numbers_have_no_gaps_and_no_doubles_when_ordered_at_once(site: Site) -> None:
    item = site.item("post-1")

    def some() -> None:
        for _ in range(5):
            with transaction.atomic():
                orders.order(item, Verb.FREEZE, by=SYSTEM)

    in_threads(some, some, some, some)
    numbers = Delivery.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == list(range(1, 21))


def test_order_is_kept_when_many_workers_hand_over(
    site: Site, network: Network
) -> None:
    items = [site.item(f"post-{index}") for index in range(3)]
    for item in items:
        for _ in range(6):
            with transaction.atomic():
                orders.order(item, Verb.FREEZE, by=SYSTEM)
                orders.order(item, Verb.THAW, by=SYSTEM)
    slow_first = iter([0.1] * 3)
    network.behave = lambda _: time.sleep(next(slow_first, 0.0))

    def all_of_them() -> None:
        for item in items:
            delivery.drain(Q(item=item))

    in_threads(all_of_them, all_of_them, all_of_them, all_of_them)
    for item in items:
        assert network.numbers(item.external_id) == list(range(1, 13))
    assert network.ignored == []
    assert len(network.raw) == 36


def test_two_workers_never_hand_over_the_same_one_at_once(
    site: Site, network: Network
) -> None:
    item = site.item("post-1")
    with transaction.atomic():
        orders.order(item, Verb.FREEZE, by=SYSTEM)
        orders.order(item, Verb.THAW, by=SYSTEM)
    network.behave = lambda _: time.sleep(0.3)
    one = Q(item=item)
    in_threads(lambda: delivery.drain(one), lambda: delivery.drain(one))
    assert len(network.raw) == 2
    assert network.most_at_once == 1
    assert network.numbers("post-1") == [1, 2]


def test_no_lock_is_held_while_the_platform_thinks(
    site: Site, network: Network
) -> None:
    item = site.item("post-1")
    with transaction.atomic():
        orders.order(item, Verb.FREEZE, by=SYSTEM)

    def order_meanwhile(_: Received) -> None:
        # Runs in the platform's thread, during the request: it needs the same rows.
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '500ms'")
                Delivery.objects.select_for_update().get(number=1)
                orders.order(item, Verb.THAW, by=SYSTEM)
        finally:
            connection.close()

    network.behave = lambda m: order_meanwhile(m) if m["data"]["number"] == 1 else None
    delivery.drain(Q(item=item))
    assert network.verbs() == ["freeze", "thaw"]


def test_a_crash_before_the_confirmation_delivers_again(
    site: Site, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = site.item("post-1")
    with transaction.atomic():
        orders.order(item, Verb.FREEZE, by=SYSTEM)

    def die(*_: object, **__: object) -> bool:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(delivery, "confirm_deliveries", die)
        with pytest.raises(SystemExit):
            delivery.drain(Q(item=item))
    assert Delivery.objects.get().state == "pending"
    operations.hand_over_due()
    assert len(network.raw) == 1  # The dead worker's lease still runs.
    with clock.shifted(timedelta(seconds=rules.LEASE_S)):
        operations.hand_over_due()
    assert Delivery.objects.get().state == "confirmed"
    assert len(network.raw) == 2
    assert network.numbers("post-1") == [1]  # Told twice, done once.
    assert len(network.ignored) == 1
    assert network.raw[0][0]["webhook-id"] == network.raw[1][0]["webhook-id"]


def test_a_platform_that_was_down_gets_everything_in_order(
    site: Site, network: Network, no_rest: None
) -> None:
    network.stop()
    item, other = site.item("post-1"), site.item("post-2")
    freeze(site, item)
    freeze(site, other)
    run_jobs()
    with transaction.atomic():
        site.thaw(item)
    assert set(Delivery.objects.values_list("attempts", "last_error")) == {
        (1, "unreachable why=ConnectError"),
        (0, ""),
    }
    for hours in (1, 2, 3):
        with clock.shifted(timedelta(hours=hours)):
            operations.hand_over_due()
    with clock.shifted(timedelta(hours=3)):
        waits = Delivery.objects.get(item=item, number=1)
        assert waits.attempts == 4
        assert waits.next_attempt_at > clock.now() + timedelta(seconds=9)
        network.start()
        freeze(site, site.item("post-3"))
        run_jobs()  # The platform answers again, and what waited is due at once.
        operations.hand_over_due()
    assert not Delivery.objects.filter(state="pending").exists()
    assert network.numbers("post-1") == [1, 2]
    assert network.numbers("post-2") == [1]


def test_a_later_one_waits_for_the_one_before(site: Site, network: Network) -> None:
    item, other = site.item("post-1"), site.item("post-2")
    network.behave = lambda m: (500, b"") if m["data"]["item"] == "post-1" else None
    freeze(site, item)
    with transaction.atomic():
        site.thaw(item)
    freeze(site, other)
    run_jobs()
    operations.hand_over_due()
    assert network.numbers("post-2") == [1]
    assert [json.loads(body)["data"]["number"] for _, body in network.raw].count(2) == 0
    stuck = Delivery.objects.get(item=item, number=1)
    assert stuck.last_error == "not-confirmed status=500"
    assert Delivery.objects.get(item=item, number=2).attempts == 0


def test_200_that_does_not_name_it_is_not_a_confirmation(
    site: Site, network: Network
) -> None:
    item = site.item("post-1")
    network.behave = lambda _: (200, b'{"confirmed": []}')
    freeze(site, item)
    run_jobs()
    item.refresh_from_db()
    assert item.confirmed_state == "visible"
    assert Delivery.objects.get().last_error == "not-confirmed status=200 why=not-named"
    network.behave = None
    with clock.shifted(timedelta(seconds=2)):
        operations.hand_over_due()
    item.refresh_from_db()
    assert item.confirmed_state == "frozen"


def test_a_wrong_secret_is_noted_and_nothing_is_applied(
    site: Site, network: Network, sites: Callable[[str, str, str], Site]
) -> None:
    wrong = sites("wrong", network.url, "whsec_d3JvbmctYnV0LXZhbGlk")
    freeze(wrong, wrong.item("post-1"))
    none = sites("none", network.url, "")
    freeze(none, none.item("post-2"))
    run_jobs()
    assert network.applied == []
    errors = Delivery.objects.order_by("item__external_id")
    assert list(errors.values_list("last_error", flat=True)) == [
        "not-confirmed status=401",
        "invalid-input",
    ]


def test_a_slow_platform_delays_no_other(
    site: Site,
    network: Network,
    sites: Callable[[str, str, str], Site],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "READ_TIMEOUT_S", 0.5)
    other = sites("other", network.url, network.secret)
    slow = [site.item(f"slow-{index}") for index in range(3 * delivery.AT_ONCE)]
    for item in [*slow, other.item("fast")]:
        with transaction.atomic():
            orders.order(item, Verb.FREEZE, by=SYSTEM)
    answers = threading.Event()

    def linger(message: Received) -> None:
        if message["data"]["item"].startswith("slow"):
            answers.wait()

    network.behave = linger
    # It ends though not one of them has been answered.
    run_tick(operations.hand_over_due)
    assert network.numbers("fast") == [1]
    answers.set()
    # After one that was not answered the platform is left alone for a moment.
    tried = Delivery.objects.filter(attempts__gt=0, platform=site.platform)
    assert tried.count() == delivery.AT_ONCE


def test_confirmed_once(site: Site) -> None:
    item = site.item("post-1")
    with transaction.atomic():
        ordered = orders.order(item, Verb.FREEZE, by=SYSTEM)
    in_threads(*[lambda: confirming.confirm_delivery(ordered.id, by=SYSTEM)] * 4)
    assert Event.objects.filter(kind=Kind.DELIVERY_CONFIRMED).count() == 1
    assert confirming.confirm_delivery(ordered.id, by=SYSTEM) is False
    with pytest.raises(NotFound):
        confirming.confirm_delivery(uuid4(), by=SYSTEM)


def test_a_polling_platform_confirms_by_itself(
    polling: Site, site: Site, platform_key: By
) -> None:
    item = polling.item("post-1")
    freeze(polling, item)
    with transaction.atomic():
        polling.thaw(item)
        foreign = orders.order(site.item("foreign"), Verb.FREEZE, by=SYSTEM)
    operations.hand_over_due()
    first, second = Delivery.objects.filter(item=item).order_by("number")
    assert (first.attempts, second.attempts) == (0, 0)
    asked = [str(second.id), str(first.id), str(foreign.id), "nonsense"]
    answer = confirming.confirm(polling.platform.id, asked, by=platform_key)
    assert answer.confirmed == (str(second.id), str(first.id))
    assert answer.unknown == (str(foreign.id), "nonsense")
    item.refresh_from_db()
    assert item.confirmed_state == "visible"
    again = confirming.confirm(polling.platform.id, asked[:2], by=platform_key)
    assert again.confirmed == answer.confirmed
    told = Event.objects.filter(kind=Kind.DELIVERY_CONFIRMED, about__item=str(item.id))
    assert told.count() == 2
    with pytest.raises(NotAllowed):
        confirming.confirm(polling.platform.id, asked, by=By("platform", "other"))


def test_an_old_confirmation_does_not_turn_the_state_back(polling: Site) -> None:
    item = polling.item("post-1")
    with transaction.atomic():
        first = orders.order(item, Verb.FREEZE, by=SYSTEM)
        second = orders.order(item, Verb.THAW, by=SYSTEM)
    confirming.confirm_delivery(second.id, by=SYSTEM)
    confirming.confirm_delivery(first.id, by=SYSTEM)
    item.refresh_from_db()
    assert item.confirmed_state == "visible"


def test_unconfirmed_freezes_alarm_once(site: Site, network: Network) -> None:
    network.behave = lambda _: (503, b"")
    items = [site.item(f"post-{index}") for index in range(3)]
    for item in items:
        freeze(site, item)
    operations.hand_over_due()
    raised = Event.objects.filter(kind=Kind.ALARM_RAISED)
    assert not raised.exists()
    with clock.shifted(timedelta(seconds=rules.FREEZE_ALARM_AFTER_S + 1)):
        operations.hand_over_due()
        operations.hand_over_due()
    event = raised.get()
    assert event.facts["code"] == "freeze.unconfirmed"
    assert event.facts["freezes"] == 3
    assert event.about["platform"] == str(site.platform.id)
    assert event.about["item"] == str(items[0].id)
    assert Delivery.objects.filter(alarmed_at=None).count() == 0


def test_health_says_how_a_platform_takes_it(site: Site, network: Network) -> None:
    network.behave = lambda _: (503, b"")
    item = site.item("post-1")
    freeze(site, item)
    run_jobs()
    [health] = queries.webhook_health(by=SYSTEM)
    assert (health.unconfirmed, health.unconfirmed_freezes) == (1, 1)
    assert health.last_error == "not-confirmed status=503"
    assert health.most_attempts == 1
    assert health.last_confirmed_at is None
    [line] = queries.unconfirmed(site.platform.id, by=SYSTEM)
    assert (line.number, line.verb, line.item_id) == (1, "freeze", item.id)
    assert queries.item_deliveries(item.id, by=SYSTEM) == [line]
    with pytest.raises(NotAllowed):
        queries.unconfirmed(site.platform.id, by=By("staff", "x"))
