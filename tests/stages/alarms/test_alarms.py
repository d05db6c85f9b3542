"""Alarms reach people: by a real SMTP server and a real webhook that verifies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from holdfast.base import clock, events
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.errors import NotAllowed, NotFound
from holdfast.base.events import Kind, alarm, on
from holdfast.base.jobs import drain as run_jobs
from holdfast.base.jobs import run_tick
from holdfast.base.models import Event
from holdfast.notifications import alarms
from holdfast.notifications.models import Alarm, Page
from holdfast.staff.models import Person
from tests.stages.alarms.post import (
    FIRST,
    SECOND,
    SECRET,
    Mailbox,
    Pager,
    free_port,
)

pytestmark = pytest.mark.django_db(transaction=True)

pytest_plugins = ["tests.stages.alarms.post"]
LEAD = By("staff", "lead", frozenset({Permission.ALARM_ACKNOWLEDGE}))


@pytest.fixture(autouse=True)
def alarm_flow() -> Iterator[None]:
    """The line of the flow that concerns alarms, and no other."""
    lines, steps = dict(events._flow), dict(events._steps)
    events.register(
        [
            on(
                Kind.ALARM_RAISED,
                at_once=[alarms.open_alarm],
                soon=[alarms.page_on_call],
            )
        ]
    )
    yield
    events._flow.clear()
    events._flow.update(lines)
    events._steps.clear()
    events._steps.update(steps)


def raise_one(platform: str = "p", code: str = "freeze.unconfirmed") -> Alarm:
    event = alarm(code, about={"platform": platform}, facts={"freezes": 1})
    return Alarm.objects.get(facts__event=event.id)


def attempts(opened: Alarm) -> list[tuple[str, int, bool]]:
    pages = Page.objects.filter(alarm=opened).order_by("id")
    return [(page.way, page.level, page.sent_at is not None) for page in pages]


def in_threads(work: Callable[[], object], number: int = 4) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not errors


def test_the_same_alarm_is_one(settings: Settings) -> None:
    first = raise_one()
    raise_one()
    other = raise_one("q")
    first.refresh_from_db()
    assert (first.times, other.times) == (2, 1)
    alarms.acknowledge(first.id, by=LEAD)
    again = raise_one()
    assert (again.times, Alarm.objects.count()) == (1, 3)


def test_a_step_that_runs_twice_counts_once() -> None:
    opened = raise_one()
    event = Event.objects.get(kind=Kind.ALARM_RAISED)
    alarms.open_alarm(event)
    alarms.acknowledge(opened.id, by=LEAD)
    alarms.open_alarm(event)
    assert Alarm.objects.get().times == 1


def test_the_same_alarm_raised_at_once_is_one_and_breaks_nobody() -> None:
    def raise_it() -> None:
        # The row remembers its newest event alone: nobody looks theirs up here.
        alarm("freeze.unconfirmed", about={"platform": "p"}, facts={"freezes": 1})

    in_threads(raise_it, 6)
    assert Alarm.objects.get().times == 6


def test_it_belongs_to_the_transaction_that_raised_it() -> None:
    with transaction.atomic():
        raise_one()
        transaction.set_rollback(True)
    assert not Alarm.objects.exists()


def test_people_are_paged_once_by_both_ways(mailbox: Mailbox, pager: Pager) -> None:
    opened = raise_one("0190-platform")
    run_jobs()
    raise_one("0190-platform")
    run_jobs()
    assert [address for address, _ in mailbox.mails] == [FIRST, SECOND]
    mail = mailbox.mails[0][1]
    assert mail["Subject"] == "Holdfast alarm: freeze.unconfirmed"
    assert str(opened.id) in mail.get_content()
    assert "platform: 0190-platform" in mail.get_content()
    [(message_id, message)] = pager.pages
    assert message_id == f"{opened.id}-0"
    assert message["type"] == "alarm.raised"
    assert message["data"]["about"] == {"platform": "0190-platform"}
    assert message["data"]["words"] == alarms.alarm_words("freeze.unconfirmed")
    assert attempts(opened) == [("email", 0, True), ("webhook", 0, True)]
    [line] = alarms.open_alarms(by=LEAD)
    assert (line.reached, line.failure, line.times) == (True, "", 2)


def test_addresses_of_others_are_not_shown(mailbox: Mailbox) -> None:
    raise_one()
    run_jobs()
    for address, mail in mailbox.mails:
        other = SECOND if address == FIRST else FIRST
        assert mail["To"] == address
        assert other not in mail.as_string()


def test_staff_on_call_are_paged(mailbox: Mailbox, settings: Settings) -> None:
    settings.HOLDFAST_ON_CALL = []
    for name, on_call, active in (
        ("a", True, True),
        ("b", False, True),
        ("c", True, False),
    ):
        Person.objects.create(
            email=f"{name}@staff.test",
            on_call=on_call,
            is_active=active,
            added_at=clock.now(),
        )
    raise_one()
    run_jobs()
    assert [address for address, _ in mailbox.mails] == ["a@staff.test"]


def test_nobody_acknowledges_and_it_grows_louder(
    mailbox: Mailbox, pager: Pager
) -> None:
    opened = raise_one()
    run_jobs()
    for minutes, mails in ((4, 2), (5, 4), (5, 4), (14, 4), (15, 6)):
        with clock.shifted(timedelta(minutes=minutes, seconds=1)):
            alarms.escalate()
        assert len(mailbox.mails) == mails, minutes
    assert mailbox.mails[-1][1]["Subject"].startswith("ESCALATED Holdfast alarm")
    assert [message["type"] for _, message in pager.pages] == [
        "alarm.raised",
        "alarm.escalated",
        "alarm.escalated",
    ]
    assert [message_id for message_id, _ in pager.pages] == [
        f"{opened.id}-{level}" for level in range(3)
    ]
    assert pager.pages[-1][1]["data"]["words"].startswith("ESCALATED. ")
    escalated = Event.objects.filter(kind=Kind.ALARM_ESCALATED).order_by("id")
    assert [event.facts["level"] for event in escalated] == [1, 2]
    assert escalated[0].about == {"platform": "p", "alarm": str(opened.id)}
    alarms.acknowledge(opened.id, by=LEAD)
    with clock.shifted(timedelta(hours=9)):
        alarms.escalate()
    assert len(mailbox.mails) == 6


def test_after_a_long_standstill_it_is_paged_once(mailbox: Mailbox) -> None:
    opened = raise_one()
    run_jobs()
    with clock.shifted(timedelta(hours=10)):
        alarms.escalate()
        alarms.escalate()
    opened.refresh_from_db()
    assert opened.level > 5
    assert len(mailbox.mails) == 4


def test_two_workers_page_once(mailbox: Mailbox) -> None:
    raise_one()
    event = Event.objects.get(kind=Kind.ALARM_RAISED)
    in_threads(lambda: alarms.page_on_call(event))
    assert len(mailbox.mails) == 2

    def later() -> None:
        alarms.escalate()

    with clock.shifted(timedelta(seconds=301)):
        in_threads(later)
    assert len(mailbox.mails) == 4


def test_a_page_that_fails_is_noted_and_tried_again(
    mailbox: Mailbox, pager: Pager
) -> None:
    pager.status = 500
    opened = raise_one()
    run_jobs()
    assert attempts(opened) == [("email", 0, True), ("webhook", 0, False)]
    [line] = alarms.open_alarms(by=LEAD)
    assert "status=500" in line.failure
    alarms.escalate()
    assert len(attempts(opened)) == 2  # The pause is not over.
    pager.status = 204
    with clock.shifted(timedelta(seconds=21)):
        alarms.escalate()
    assert attempts(opened)[2:] == [("webhook", 0, True)]
    assert len(mailbox.mails) == 2
    assert not Event.objects.filter(facts__code="step.failing").exists()


def test_a_dead_mail_server_delays_the_other_way_and_the_other_alarms_not(
    mailbox: Mailbox, pager: Pager, settings: Settings
) -> None:
    settings.EMAIL_PORT = free_port()
    opened = [raise_one(str(number)) for number in range(3)]
    with clock.shifted(timedelta(seconds=20)):
        alarms.escalate()  # The jobs have not run: the tick pages in their place.
    assert len(pager.pages) == 3
    tried = [way for each in opened for way, _, _ in attempts(each)]
    assert tried.count("email") == 1
    failed = Page.objects.get(way="email")
    assert "why=ConnectionRefusedError" in failed.failure
    assert FIRST not in failed.failure


def test_one_refused_address_does_not_keep_the_others_from_theirs(
    mailbox: Mailbox,
) -> None:
    mailbox.refused = {FIRST}
    opened = raise_one()
    run_jobs()
    assert [address for address, _ in mailbox.mails] == [SECOND]
    [page] = Page.objects.filter(alarm=opened)
    assert (page.sent_at is not None, page.failure) == (True, "1 addresses refused")


def test_all_addresses_refused_is_a_failure(mailbox: Mailbox) -> None:
    mailbox.refused = {FIRST, SECOND}
    opened = raise_one()
    run_jobs()
    assert attempts(opened) == [("email", 0, False)]
    assert not alarms.open_alarms(by=LEAD)[0].reached


def test_a_wrong_webhook_secret_is_seen(pager: Pager, settings: Settings) -> None:
    settings.HOLDFAST_ON_CALL_WEBHOOK_SECRET = "whsec_d3Jvbmc="
    opened = raise_one()
    run_jobs()
    assert (pager.refused, attempts(opened)) == (1, [("webhook", 0, False)])


def test_with_nobody_on_call_it_is_in_the_console() -> None:
    opened = raise_one()
    run_jobs()
    with clock.shifted(timedelta(seconds=301)):
        alarms.escalate()
    [line] = alarms.open_alarms(by=LEAD)
    assert (line.id, line.level, line.reached) == (opened.id, 1, False)
    assert line.words.startswith("The site has not confirmed")


def test_acknowledging() -> None:
    opened = raise_one()
    with pytest.raises(NotAllowed):
        alarms.acknowledge(opened.id, by=By("staff", "reader"))
    with pytest.raises(NotFound):
        alarms.acknowledge(uuid4(), by=LEAD)
    alarms.acknowledge(opened.id, by=LEAD)
    alarms.acknowledge(opened.id, by=SYSTEM)
    opened.refresh_from_db()
    assert opened.acknowledged_by == "staff:lead"
    event = Event.objects.get(kind=Kind.ALARM_ACKNOWLEDGED)
    assert event.by == "staff:lead"
    assert alarms.open_alarms(by=LEAD) == []


def test_who_may_read_them() -> None:
    reader = By("staff", "reader", frozenset({Permission.CASE_READ}))
    assert alarms.open_alarms(by=reader) == []
    with pytest.raises(NotAllowed):
        alarms.open_alarms(by=By("platform", "key"))


def test_problems_are_said(settings: Settings) -> None:
    settings.EMAIL_HOST = ""
    [nobody] = alarms.on_call_problems()
    assert nobody.startswith("Nobody is on call")
    settings.HOLDFAST_ON_CALL = [FIRST]
    no_server, nobody = alarms.on_call_problems()
    assert "HOLDFAST_SMTP is not set" in no_server
    settings.EMAIL_HOST = "mail.test"
    assert alarms.on_call_problems() == []
    settings.HOLDFAST_ON_CALL = [FIRST, "nobody"]
    [broken] = alarms.on_call_problems()
    assert broken.startswith("1 of the addresses")
    assert "nobody" not in broken
    settings.HOLDFAST_ON_CALL = []
    settings.HOLDFAST_ON_CALL_WEBHOOK = "pager.test"
    assert len(alarms.on_call_problems()) == 2
    settings.HOLDFAST_ON_CALL_WEBHOOK = "https://pager.test"
    settings.HOLDFAST_ON_CALL_WEBHOOK_SECRET = SECRET
    assert alarms.on_call_problems() == []


def test_recurring_work_that_keeps_failing_is_an_alarm() -> None:
    def broken() -> None:
        raise ValueError

    for _ in range(2):
        run_tick(broken)
    assert not Alarm.objects.filter(code="tick.failing").exists()
    for _ in range(3):
        run_tick(broken)
    assert Alarm.objects.get(code="tick.failing").times == 1
