"""Letters to who reported: by a real mail server and a real gateway, or not at all."""

from __future__ import annotations

import socket
from datetime import timedelta
from email.message import EmailMessage

import pytest
from django.db import connection
from pytest_django import Settings

from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.base.errors import InvalidInput, NotFound, Refused
from holdfast.base.events import Kind
from holdfast.base.jobs import drain
from holdfast.base.models import Event
from holdfast.cli.check import look, outbound
from holdfast.enforcement.confirming import confirm_delivery
from holdfast.enforcement.models import Delivery
from holdfast.intake import contacts
from holdfast.intake.models import Channel, Contact
from holdfast.intake.operations import Received, ReportGiven, receive_report
from holdfast.intake.operations import TargetGiven as Target
from holdfast.items.models import Item
from holdfast.notifications import letters
from holdfast.notifications.letter_words import REVEALING
from holdfast.notifications.models import Alarm, Letter
from holdfast.notifications.operations import mark_read
from holdfast.notifications.queries import status_of
from holdfast.notifications.rules import LETTER_ALARM_AFTER, LETTER_LIFE_S
from holdfast.triage.models import Case
from holdfast.web.portal.page import BY
from tests.stages.alarms.post import SECRET, Mailbox, Pager
from tests.stages.report.test_whole_way import clear, violate
from tests.world import PLATFORM_BY, World, encoded, photograph

pytestmark = pytest.mark.django_db(transaction=True)
pytest_plugins = ["tests.stages.alarms.post"]
ME = "jo.doe@example.org"


@pytest.fixture(autouse=True)
def nobody_on_call(mailbox: Mailbox, settings: Settings) -> None:
    settings.HOLDFAST_ON_CALL = []
    settings.HOLDFAST_URL = "https://plaza.example"
    settings.HOLDFAST_MESSAGE_FROM = "Post <post@plaza.example>"


@pytest.fixture
def report(world: World) -> Received:
    world.post("1", encoded(photograph()))
    made = world.report("https://plaza.example/p/1", wants_codename=True)
    drain()
    return made


def leave(report: Received, address: str = ME, often: str = "every_step") -> Contact:
    contacts.keep(report.report_id, address, often, by=BY)
    drain()
    return Contact.objects.get(report=report.report_id, withdrawn_at=None)


def agree(contact: Contact) -> None:
    contacts.confirm(contact.link, by=BY)


def news() -> None:
    """The platform confirms: there is something to tell."""
    for each in Delivery.objects.filter(confirmed_at=None):
        confirm_delivery(each.id, by=SYSTEM)
    drain()


def subjects(box: Mailbox) -> list[str]:
    return [mail["Subject"] for _address, mail in box.mails]


def test_nothing_but_a_question_goes_out_before_it_is_answered(
    report: Received,
    mailbox: Mailbox,
) -> None:
    contact = leave(report)
    assert [address for address, _mail in mailbox.mails] == [ME]
    news()
    assert len(mailbox.mails) == 1
    assert letters.was_asked(report.report_id)
    agree(contact)
    drain()
    assert len(mailbox.mails) == 1, "Confirming sends nothing by itself."


def test_a_letter_says_that_there_is_news_and_nothing_else(
    report: Received,
    mailbox: Mailbox,
) -> None:
    contact = leave(report)
    agree(contact)
    news()
    (_asked, (address, mail)) = mailbox.mails
    assert address == ME
    assert isinstance(mail, EmailMessage)
    assert mail["From"] == "Post <post@plaza.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    body = mail.get_content()
    link = f"https://plaza.example/m/{contact.link}"
    assert link in body
    whole = mail.as_string().replace(contact.link, "")
    assert not REVEALING.search(whole), whole
    for secret in (socket.gethostname(), report.number, "Plaza "):
        assert secret not in whole
    assert not mail.is_multipart()


def test_no_address_stands_in_a_table_or_an_event(
    report: Received,
    mailbox: Mailbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    mailbox.refused.add(ME)
    agree(leave(report))
    news()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(
                f"SELECT count(*) FROM {table} t WHERE t::text ILIKE %s", ["%jo.doe%"]
            )
            assert cursor.fetchone() == (0,), table
    # The mail server of this test logs what it is told; we do not.
    ours = [each for each in caplog.records if each.name != "mail.log"]
    assert "jo.doe" not in " ".join(each.getMessage() for each in ours)
    assert contacts.of_report(report.report_id).masked == "j…@example.org"  # type: ignore[union-attr]  # There is one.


def test_decisions_only_means_decisions_only(
    world: World,
    report: Received,
    mailbox: Mailbox,
) -> None:
    agree(leave(report, often="decisions_only"))
    news()
    assert len(mailbox.mails) == 1
    item, case = _item_and_case()
    violate(case, item)
    assert len(mailbox.mails) == 2


def test_never_means_never_until_it_is_changed(
    report: Received,
    mailbox: Mailbox,
) -> None:
    leave(report, often="never")
    assert not mailbox.mails
    leave(report, often="every_step")
    assert len(mailbox.mails) == 1


def test_what_was_withdrawn_is_gone_and_written_to_no_more(
    report: Received,
    mailbox: Mailbox,
) -> None:
    contact = leave(report)
    agree(contact)
    contacts.withdraw(report.report_id, by=BY)
    contacts.withdraw(report.report_id, by=BY)
    news()
    assert len(mailbox.mails) == 1
    contact.refresh_from_db()
    assert contact.address == ""
    withdrawn = Event.objects.filter(kind=Kind.REPORT_WITHDRAWN_CONTACT)
    assert withdrawn.count() == 1
    contacts.forget_old()
    contact.refresh_from_db()
    assert contact.address_key, "For a day it is known again, to count."
    with clock.shifted(timedelta(hours=25)):
        contacts.forget_old()
    contact.refresh_from_db()
    assert contact.address_key == ""


def test_whoever_reads_the_address_can_refuse_for_good(
    world: World,
    report: Received,
    mailbox: Mailbox,
) -> None:
    contact = leave(report)
    contacts.refuse(contact.link, by=BY)
    with clock.shifted(timedelta(days=30)):
        contacts.forget_old()
        other = world.report("https://plaza.example/p/1")
        leave(other, ME.upper())
    assert len(mailbox.mails) == 1
    assert contacts.behind(contact.link).withdrawn
    with pytest.raises(NotFound):
        contacts.confirm("no-such-link", by=BY)


def test_the_door_fills_no_mailbox(
    world: World,
    report: Received,
    mailbox: Mailbox,
) -> None:
    for _ in range(6):
        leave(world.report("https://plaza.example/p/1"), ME)
    assert len(mailbox.mails) == 3
    for number in range(3):
        leave(report, f"{number}@example.org")
    with pytest.raises(Refused):
        leave(report, "4@example.org")
    with clock.shifted(timedelta(hours=25)):
        leave(report, "4@example.org")


def test_a_server_that_is_away_is_tried_again_and_people_are_told(
    report: Received,
    mailbox: Mailbox,
    settings: Settings,
) -> None:
    port = settings.EMAIL_PORT
    settings.EMAIL_PORT = 1
    contact = leave(report)
    letter = Letter.objects.get()
    assert (letter.attempts, letter.sent_at) == (1, None)
    letters.post_due()
    letter.refresh_from_db()
    assert letter.attempts == 1, "The pause is not over."
    span = timedelta()
    for _ in range(LETTER_ALARM_AFTER - 1):
        span += timedelta(hours=1)
        with clock.shifted(span):
            letters.post_due()
    assert Alarm.objects.get(code="letters.failing").subject == "way=email"
    settings.EMAIL_PORT = port
    with clock.shifted(span + timedelta(hours=1)):
        letters.post_due()
        letters.post_due()
    assert len(mailbox.mails) == 1
    letter.refresh_from_db()
    assert letter.sent_at is not None
    assert letter.failure == ""
    assert Event.objects.filter(kind=Kind.LETTER_SENT).count() == 1
    assert str(contact.id) in str(Event.objects.get(kind=Kind.LETTER_SENT).about)


def test_an_address_that_takes_nothing_is_not_tried_again(
    report: Received,
    mailbox: Mailbox,
) -> None:
    mailbox.refused.add(ME)
    leave(report)
    letter = Letter.objects.get()
    assert letter.dropped_at is not None
    assert "no-such-address" in letter.failure
    assert not Alarm.objects.filter(code="letters.failing").exists()


@pytest.mark.parametrize(
    "why", ["read meanwhile", "withdrawn", "not wanted any more", "too old"]
)
def test_a_letter_that_waits_is_dropped_when_it_is_of_no_use(
    report: Received,
    mailbox: Mailbox,
    settings: Settings,
    why: str,
) -> None:
    contact = leave(report)
    agree(contact)
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    news()
    waiting = Letter.objects.get(template="news")
    settings.EMAIL_PORT = port
    later = timedelta(hours=1)
    if why == "read meanwhile":
        mark_read(each.id for each in status_of(report.report_id).messages)
    elif why == "withdrawn":
        contacts.withdraw(report.report_id, by=BY)
    elif why == "not wanted any more":
        contacts.keep(report.report_id, ME, "never", by=BY)
    else:
        later = timedelta(seconds=LETTER_LIFE_S + 1)
    with clock.shifted(later):
        letters.post_due()
    waiting.refresh_from_db()
    assert waiting.dropped_at is not None
    assert waiting.failure == why
    assert len(mailbox.mails) == 1


def test_much_news_waits_in_one_letter(
    report: Received,
    mailbox: Mailbox,
    settings: Settings,
) -> None:
    agree(leave(report))
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    news()
    item, case = _item_and_case()
    clear(case, item)
    settings.EMAIL_PORT = port
    with clock.shifted(timedelta(hours=1)):
        letters.post_due()
    assert len(mailbox.mails) == 2


@pytest.mark.parametrize("change", ["read", "decisions only"])
def test_a_decision_that_comes_while_a_letter_waits_is_told_of(
    report: Received, mailbox: Mailbox, settings: Settings, change: str
) -> None:
    """The letter that waits is about something else, which is of no use any more."""
    agree(leave(report))
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    news()
    if change == "read":
        mark_read(each.id for each in status_of(report.report_id).messages)
    else:
        contacts.keep(report.report_id, ME, "decisions_only", by=BY)
    item, case = _item_and_case()
    clear(case, item)
    settings.EMAIL_PORT = port
    with clock.shifted(timedelta(hours=1)):
        letters.post_due()
    assert len(mailbox.mails) == 2


def test_a_phone_is_written_to_through_the_gateway(
    report: Received,
    pager: Pager,
    settings: Settings,
    mailbox: Mailbox,
) -> None:
    settings.EMAIL_HOST = ""
    settings.HOLDFAST_TEXT_WEBHOOK = settings.HOLDFAST_ON_CALL_WEBHOOK
    settings.HOLDFAST_TEXT_WEBHOOK_SECRET = SECRET
    settings.HOLDFAST_ON_CALL_WEBHOOK = ""
    contact = leave(report, "+47 900 00 000")
    agree(contact)
    pager.status = 503
    news()
    waiting = Letter.objects.get(template="news")
    assert (waiting.sent_at, waiting.dropped_at) == (None, None)
    pager.status = 204
    with clock.shifted(timedelta(minutes=2)):
        letters.post_due()
    first, second = (body for _id, body in pager.pages)
    assert first["type"] == second["type"] == "text.send"
    assert second["data"]["to"] == "+4790000000"
    assert second["data"]["words"].endswith(f"/m/{contact.link}")
    assert pager.pages[1][0] == str(waiting.id) == second["data"]["id"]
    assert pager.refused == 0
    pager.status = 422
    leave(report, "+4790000001")
    last = Letter.objects.get(contact__withdrawn_at=None)
    assert last.dropped_at is not None


def test_a_platform_hands_on_a_contact_and_no_report_is_refused_for_it(
    world: World,
    mailbox: Mailbox,
) -> None:
    world.post("1", encoded(photograph()))
    for contact in (ME, "ask the school office", "  "):
        receive_report(
            ReportGiven(
                platform_id=world.platform_id,
                channel=Channel.API,
                category="child_sexual_abuse_material",
                targets=[Target(item="1")],
                contact=contact,
            ),
            by=PLATFORM_BY,
        )
    drain()
    assert set(Contact.objects.values_list("way", flat=True)) == {"email", "other"}
    assert len(mailbox.mails) == 1
    agree(Contact.objects.get(way="email"))
    news()
    assert "There is something new for you" not in subjects(mailbox)
    item, case = _item_and_case()
    violate(case, item)
    assert subjects(mailbox)[-1] == "There is something new for you"
    # Without a codename there is nothing to open: it does not send anybody there.
    assert "You find it where you wrote to us." in mailbox.mails[-1][1].get_content()


def test_what_is_no_address_or_no_frequency_is_refused(report: Received) -> None:
    with pytest.raises(InvalidInput):
        contacts.keep(report.report_id, " ", "every_step", by=BY)
    with pytest.raises(InvalidInput):
        contacts.keep(report.report_id, ME, "hourly", by=BY)


def test_what_would_give_a_letter_away_is_found(settings: Settings) -> None:
    assert letters.problems() == []
    settings.HOLDFAST_MESSAGE_FROM = "Child safety <x@plaza.example>"
    settings.HOLDFAST_URL = "https://report-abuse.example"
    settings.HOLDFAST_TEXT_WEBHOOK = "https://gateway.example"
    assert len(letters.problems()) == 3
    settings.EMAIL_HOST = settings.HOLDFAST_TEXT_WEBHOOK = ""
    assert letters.problems() == []


def test_check_lists_the_gateway_and_what_gives_letters_away(
    world: World, settings: Settings
) -> None:
    settings.HOLDFAST_TEXT_WEBHOOK = "https://gateway.example/send"
    settings.HOLDFAST_TEXT_WEBHOOK_SECRET = SECRET
    assert ("text messages", "https://gateway.example/send") in set(outbound())
    (found,) = (each for each in look() if each.what == "letters")
    assert (found.well, found.says) == (True, "email, phone")
    settings.HOLDFAST_MESSAGE_FROM = "holdfast@plaza.example"
    (found,) = (each for each in look() if each.what == "letters")
    assert not found.well


def _item_and_case() -> tuple[Item, Case]:
    case = Case.objects.get()
    return Item.objects.get(place__case=case), case
