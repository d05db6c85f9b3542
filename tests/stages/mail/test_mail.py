"""Reports by e-mail: filed, sealed, threaded, answered, expunged after the commit."""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import b2a_uu
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from pytest_django import Settings

from holdfast.base import clock
from holdfast.base.errors import NotFound, Unavailable
from holdfast.base.jobs import drain
from holdfast.base.models import Event
from holdfast.cli.check import _mailbox as mailbox_finding
from holdfast.cli.check import outbound
from holdfast.intake import mail as mails
from holdfast.intake.connectors.mailbox.fake import FakeMailbox
from holdfast.intake.contacts import withdraw
from holdfast.intake.models import Addition, Channel, Mail, Report, Target
from holdfast.intake.operations import (
    MAX_TARGETS,
    MAX_WORDS,
    new_codename,
    open_by_codename,
)
from holdfast.items.models import ItemState
from holdfast.notifications.mail_answers import answer_mail
from holdfast.notifications.models import Alarm
from holdfast.review.case_page import case_page
from holdfast.signals import media
from holdfast.vault.models import SealedBlob
from holdfast.vault.queries import open_blob, sealed_for
from tests.connectors import dovecot
from tests.connectors.test_mailbox import server as server
from tests.stages.alarms.post import Mailbox, free_port
from tests.world import PLATFORM_BY, World, _platform, encoded, photograph

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)
"""For what jobs do, which see only what has been committed."""

SENDER = "kim@example.org"
OURS = "report@plaza.example"
POST = "https://plaza.example/p/p1"


@pytest.fixture
def box() -> FakeMailbox:
    return FakeMailbox()


@pytest.fixture
def post_office(settings: Settings) -> Iterator[Mailbox]:
    """A real mail server that takes what we send."""
    sent = Mailbox()
    controller = Controller(sent, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.HOLDFAST_IMAP_ADDRESS = OURS
    settings.HOLDFAST_ON_CALL = []
    yield sent
    controller.stop()


def written(text: str = f"Look: {POST}", **headers: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = headers.pop("sender", f"Kim <{SENDER}>")
    mail["Subject"] = headers.pop("subject", "Help")
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail


def arrive(box: FakeMailbox, mail: EmailMessage, **more: Any) -> None:
    """The mail comes, and is taken in."""
    box.deliver(mail.as_bytes(), **more)
    mails.take_in(box)


def answers(post_office: Mailbox) -> list[EmailMessage]:
    """Everything that was sent, when all that is due has been done."""
    drain()
    return [mail for _address, mail in post_office.mails]


def words_in(mail: EmailMessage) -> str:
    """The five words of an answer."""
    found = re.search(r"/follow\s+(.+?)\s*\n", mail.get_content())
    assert found, mail.get_content()
    return found[1].strip()


def test_a_mail_is_a_report_that_freezes_and_is_then_expunged(
    world: World, box: FakeMailbox
) -> None:
    item = world.post("p1", encoded(photograph()))
    at = clock.now() - timedelta(hours=5)
    arrive(box, written(f"See {POST} and https://elsewhere.example/me"), arrived_at=at)
    report = Report.objects.get()
    assert report.channel == Channel.EMAIL
    assert SENDER not in str(list(Mail.objects.values()))
    assert "Help" in report.words
    assert report.received_at == at.replace(microsecond=0)
    assert [each.item_id for each in report.targets.all()] == [item.id]
    item.refresh_from_db()
    assert item.state == ItemState.FROZEN
    assert box.waiting() == []
    deadline = report.targets.get().place.case.deadlines.get(code="decision")
    assert deadline.runs_from == report.received_at


def test_without_an_address_a_person_reads_it(world: World, box: FakeMailbox) -> None:
    arrive(box, written("Somebody on plaza frightens me."))
    report = Report.objects.get()
    assert not report.targets.get().located
    assert "frightens me" in report.words


SAFE = "https://eur01.safelinks.protection.outlook.com/?url="
WRAPPED = "https%3A%2F%2Fplaza.example%2Fp%2Fp1&data=05%7C02%7Ckim%40example.org"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("It is plaza.example/p/p1, please.", "text/plain"),
        (f"It is {SAFE}{WRAPPED}&reserved=0.", "text/plain"),
        (f"https://www.google.com/url?q={WRAPPED}", "text/plain"),
        ("It is <https://plaza.example/\np/p1>", "text/plain"),
        ("> It is <https://plaza.example/\n> p/p1>", "text/plain"),
        (
            "It is  \nhttps://plaza.exa \nmple/p/p1 \n, see.",
            "text/plain; format=flowed; delsp=yes",
        ),
        (f"{POST}!", "text/plain"),
        (f"\u201c{POST}\u201d", "text/plain; charset=utf-8"),
        (f"<p>It is <a href='{SAFE}{WRAPPED}'>here</a>.", "text/html"),
        ("<p>It is <b>plaza.example/p/p1</b>!", "text/html"),
        (f"<p>See <a href='{POST}'>plaza.example/p/p1</a>", "text/html"),
    ],
)
def test_an_address_is_found_as_mail_programs_write_it(
    world: World, box: FakeMailbox, body: str, kind: str
) -> None:
    item = world.post("p1", text="x")
    head = f"From: {SENDER}\nSubject: Help\nContent-Type: {kind}\n\n"
    box.deliver((head + body).encode())
    mails.take_in(box)
    assert Target.objects.get().item_id == item.id
    item.refresh_from_db()
    assert item.state == ItemState.FROZEN


def test_a_long_newsletter_around_an_address_does_not_hide_it(
    world: World, box: FakeMailbox
) -> None:
    item = world.post("p1", text="x")
    links = " ".join(f"https://shop.example/{n}" for n in range(mails.MAX_ADDRESSES))
    arrive(box, written(f"{links} {POST}"))
    assert Target.objects.get().item_id == item.id


def test_what_is_attached_is_sealed_and_nobody_opens_it(
    world: World, box: FakeMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: Any, **__: Any) -> Any:
        raise AssertionError("An attachment was opened.")

    monkeypatch.setattr(media, "decode_luma", forbidden)
    picture = encoded(photograph("cat"))
    mail = written()
    mail.add_attachment(picture, "image", "jpeg", filename="me.jpg")
    arrive(box, mail)
    row = Mail.objects.get()
    [blob] = sealed_for(row.mail_id, mails.SEALED_AS)
    assert open_blob(blob.id) == picture
    assert row.attachments == 1
    lead = PLATFORM_BY
    page = case_page(row.report.targets.get().place.case_id, lead)
    assert [each.attachments for each in page.reports] == [1]


def test_a_mail_read_twice_is_one_report(world: World, box: FakeMailbox) -> None:
    mail = written()
    mail.add_attachment(b"bytes", "image", "jpeg", filename="me.jpg")
    box.deliver(mail.as_bytes())
    # The mailbox goes away between the commit and the deletion.
    box.fails = "expunge"
    with pytest.raises(Unavailable):
        mails.take_in(box)
    assert Report.objects.count() == 1
    mails.take_in(box)
    assert Report.objects.count() == Mail.objects.count() == 1
    assert SealedBlob.objects.count() == 1
    assert box.waiting() == []


def test_nothing_is_deleted_before_the_commit(
    world: World, box: FakeMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise Unavailable("The vault does not answer.")

    mail = written()
    mail.add_attachment(b"bytes", "image", "jpeg", filename="me.jpg")
    box.deliver(mail.as_bytes())
    monkeypatch.setattr(mails, "seal", broken)
    with pytest.raises(Unavailable):
        mails.take_in(box)
    assert len(box.waiting()) == 1
    assert not Report.objects.exists()
    monkeypatch.undo()
    mails.take_in(box)
    assert Report.objects.count() == 1


def test_what_cannot_be_taken_in_stays_and_is_an_alarm(
    world: World, box: FakeMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (each, each)
        for each in range(5000)
    )
    uid = box.deliver(deep)
    monkeypatch.setattr(mails, "MAX_MAIL_BYTES", len(deep))
    large = box.deliver(b"x" * (len(deep) + 1))
    box.deliver(written().as_bytes())
    mails.take_in(box)
    assert Report.objects.count() == 1
    assert box.waiting() == []
    assert box.fetch(uid) == deep
    assert box.fetch(large)
    alarm = Alarm.objects.get(code="mail.set_aside")
    assert alarm.times == 2


def test_each_platform_gets_a_report_of_its_own(world: World, box: FakeMailbox) -> None:
    harbour = _platform("harbour")
    arrive(box, written(f"{POST} and https://harbour.example/p/9"))
    platforms = set(Report.objects.values_list("platform", flat=True))
    assert platforms == {world.platform_id, harbour}


def test_long_words_are_kept_whole(world: World, box: FakeMailbox) -> None:
    text = "It goes on. " * 3000
    arrive(box, written(text))
    assert len(Report.objects.get().words) == MAX_WORDS
    [blob] = sealed_for(Mail.objects.get().mail_id, mails.SEALED_AS)
    assert text.strip() in open_blob(blob.id).decode().replace("\n", " ")


def test_a_mail_delivered_by_two_ways_is_one_report(
    world: World, box: FakeMailbox
) -> None:
    mail = written(Message_ID="<1@example.org>", Date="Sat, 28 Nov 2026 09:00:00 +0100")
    for way in ("to the address", "to its alias", "to the address"):
        carried = b"Received: by mx.example; " + way.encode() + b"\n" + mail.as_bytes()
        box.deliver(carried)
        mails.take_in(box)
    assert Report.objects.count() == Mail.objects.count() == 1
    assert box.waiting() == []
    # Other words are another mail, whatever its headers say.
    mail.set_content("He wrote again.")
    arrive(box, mail)
    assert Report.objects.count() == 2


def test_more_addresses_than_one_report_holds_are_all_reported(
    world: World, box: FakeMailbox
) -> None:
    links = [f"https://plaza.example/p/{each}" for each in range(2 * MAX_TARGETS + 3)]
    arrive(box, written("\n".join(links)))
    box.deliver(written("\n".join(links)).as_bytes())
    mails.take_in(box)
    assert Report.objects.count() == 3
    named = Target.objects.values_list("named_as", flat=True)
    assert sorted(named) == sorted(links)


@committed
def test_what_an_answer_names_beyond_its_report_is_a_report_of_its_own(
    world: World, box: FakeMailbox, post_office: Mailbox
) -> None:
    arrive(box, written())
    [answer] = answers(post_office)
    links = [f"https://plaza.example/q/{each}" for each in range(MAX_TARGETS + 1)]
    for _ in range(2):
        arrive(box, written("\n".join(links), In_Reply_To=str(answer["Message-ID"])))
    sizes = [each.targets.count() for each in Report.objects.order_by("received_at")]
    assert sizes == [MAX_TARGETS, 2]


@committed
@pytest.mark.parametrize("mark", ["> ", "", "| "])
def test_words_that_open_a_report_are_not_kept_when_our_answer_is_quoted(
    world: World, box: FakeMailbox, post_office: Mailbox, mark: str
) -> None:
    arrive(box, written())
    [answer] = answers(post_office)
    secret = words_in(answer)
    quoted = "\n".join(f"{mark}{each}" for each in answer.get_content().splitlines())
    text = f"Thank you.\n\n-----Original message-----\n{quoted}"
    # By a thread, and by a mail program that keeps none.
    arrive(box, written(text, In_Reply_To=str(answer["Message-ID"])))
    arrive(box, written(text, sender="other@example.org"))
    tables = (Report.objects, Addition.objects)
    said = [words for rows in tables for words in rows.values_list("words", flat=True)]
    assert sum("Thank you." in each for each in said) == 2
    assert not any(secret in " ".join(each.split()) for each in said)
    assert open_by_codename(secret) == Report.objects.earliest("received_at").id


@committed
def test_the_answer_is_in_the_language_of_the_mail(
    world: World, box: FakeMailbox, post_office: Mailbox
) -> None:
    for tag, first in (("nn-NO", "Takk for"), ("tlh", "Thank you"), ("", "Thank you")):
        mail = written(f"In {tag}")
        mail["Content-Language"] = tag
        arrive(box, mail)
        assert answers(post_office)[-1].get_content().startswith(first)


def test_a_mail_that_the_server_does_not_give_keeps_back_no_other(
    world: World, box: FakeMailbox
) -> None:
    for place in range(3):
        box.deliver(written(f"Mail {place}").as_bytes())
    box.fails = "fetch"
    # It is told of: a tick that keeps failing is an alarm.
    with pytest.raises(Unavailable):
        mails.take_in(box)
    assert Report.objects.count() == 2
    assert len(box.waiting()) == 1
    mails.take_in(box)
    assert Report.objects.count() == 3


def test_letters_of_ours_that_come_back_are_no_report(
    world: World, box: FakeMailbox, settings: Settings
) -> None:
    settings.HOLDFAST_MESSAGE_FROM = "Post <post@plaza.example>"
    settings.HOLDFAST_IMAP_ADDRESS = f"Us <{OURS}>"
    for ours in ("Post@plaza.example", OURS, settings.DEFAULT_FROM_EMAIL):
        arrive(box, written("There is something new for you.", sender=ours))
    assert not Report.objects.exists()
    assert mails.thread_id(uuid4(), "R-1").endswith("@plaza.example")


@committed
def test_the_sender_is_answered_once_and_can_come_back(
    world: World, box: FakeMailbox, post_office: Mailbox
) -> None:
    world.post("p1", encoded(photograph()))
    arrive(box, written(Message_ID="<1@example.org>"))
    [answer] = answers(post_office)
    report = Report.objects.get()
    assert post_office.mails[0][0] == SENDER
    assert answer["From"] == OURS
    assert answer["Auto-Submitted"] == "auto-replied"
    assert report.number in answer["Subject"]
    assert open_by_codename(words_in(answer)) == report.id
    said = answer.get_content() + answer["Subject"]
    for revealing in ("child", "abuse", "Plaza", POST, "hide", "Help"):
        assert revealing not in said
    assert "do not send us pictures" in " ".join(said.split())
    assert answers(post_office) == [answer]


@committed
def test_an_answer_to_our_mail_is_added_to_the_report(
    world: World, box: FakeMailbox, post_office: Mailbox
) -> None:
    second = world.post("p2", encoded(photograph("cat")))
    arrive(box, written())
    [answer] = answers(post_office)
    reply = written(
        "Here too: https://plaza.example/p/p2\n> Your number",
        sender="kim.elsewhere@example.org",
        In_Reply_To=str(answer["Message-ID"]),
        subject="Re: ...",
    )
    arrive(box, reply)
    report = Report.objects.get()
    kinds = list(report.additions.order_by("added_at").values_list("kind", flat=True))
    assert kinds == ["link", "words"]
    second.refresh_from_db()
    assert second.state == ItemState.FROZEN
    assert "Your number" not in report.additions.get(kind="words").words
    assert len(answers(post_office)) == 1
    # Read once more, it adds nothing.
    arrive(box, reply)
    assert report.additions.count() == 2


PROVEN = "mx.plaza.example; dmarc=pass (p=reject) header.from=example.org"
FORGED = "mx.plaza.example; dmarc=fail (p=none) header.from=example.org"


def test_the_number_in_the_subject_counts_for_its_proven_sender_only(
    world: World, box: FakeMailbox, settings: Settings
) -> None:
    settings.HOLDFAST_IMAP_AUTHSERV_IDS = ["mx.plaza.example"]
    arrive(box, written())
    first = Report.objects.get()

    def says(words: str, result: str, **headers: str) -> None:
        about = f"About {first.number}"
        arrive(
            box,
            written(words, subject=about, Authentication_Results=result, **headers),
        )

    says("More words.", PROVEN)
    assert first.additions.get().words == "More words."
    says("I say otherwise.", PROVEN, sender="else@example.org")
    says("I made it up.", FORGED)
    says("I made it up!", "elsewhere.example; dmarc=pass header.from=example.org")
    assert first.additions.count() == 1
    others = Report.objects.exclude(id=first.id)
    assert others.count() == 3, "No word is lost."
    assert sum("I made it up" in each.words for each in others) == 2


def test_where_nobody_says_who_sent_a_mail_its_number_joins_nothing(
    world: World, box: FakeMailbox, settings: Settings
) -> None:
    settings.HOLDFAST_IMAP_AUTHSERV_IDS = []
    world.post("p1", encoded(photograph()))
    arrive(box, written())
    first = Report.objects.get()
    again = written("I made it up.", subject=first.number)
    again["Authentication-Results"] = PROVEN
    arrive(box, again)
    assert first.additions.count() == 0
    second = Report.objects.exclude(id=first.id).get()
    page = case_page(second.targets.get().place.case_id, PLATFORM_BY)
    assert [each.names for each in page.reports] == [first.number]


def test_what_was_joined_and_did_not_fit_is_not_called_unproven(
    world: World, box: FakeMailbox, settings: Settings
) -> None:
    settings.HOLDFAST_IMAP_AUTHSERV_IDS = ["mx.plaza.example"]
    arrive(box, written())
    first = Report.objects.get()
    many = " ".join(f"https://plaza.example/p/q{each}" for each in range(MAX_TARGETS))
    headers = {"subject": first.number, "Authentication_Results": PROVEN}
    arrive(box, written(many, **headers))
    rest = Report.objects.exclude(id=first.id).get()
    assert first.targets.count() == MAX_TARGETS
    assert mails.reports_named([first, rest]) == {}


def test_an_attached_mail_is_sealed_and_its_address_frozen(
    world: World, box: FakeMailbox
) -> None:
    item = world.post("p1", encoded(photograph()))
    mail = written("My son got this.")
    mail.add_attachment(written(f"Look: {POST}", sender="x@elsewhere.example"))
    arrive(box, mail)
    item.refresh_from_db()
    assert item.state == ItemState.FROZEN
    kept = Mail.objects.get()
    assert kept.attachments == 1
    assert len(sealed_for(kept.mail_id, mails.SEALED_AS)) == 1
    assert "Look" not in Report.objects.get().words


def test_a_thread_that_is_guessed_is_none(world: World, box: FakeMailbox) -> None:
    arrive(box, written())
    first = Report.objects.get()
    forged = f"<{first.number}.{'0' * 32}@plaza.example>"
    arrive(box, written("x", In_Reply_To=forged, sender="else@example.org"))
    assert first.additions.count() == 0
    assert Report.objects.count() == 2


@committed
def test_who_sends_pictures_is_told_gently_and_once(
    world: World, box: FakeMailbox, post_office: Mailbox
) -> None:
    arrive(box, written())
    [answer] = answers(post_office)
    for name in ("a.jpg", "b.jpg"):
        more = written(name, In_Reply_To=str(answer["Message-ID"]))
        more.add_attachment(name.encode(), "image", "jpeg", filename=name)
        arrive(box, more)
        answers(post_office)
    sent = answers(post_office)
    assert len(sent) == 2
    said = " ".join(sent[1].get_content().split())
    assert "Nobody has opened it" in said
    assert sent[1]["In-Reply-To"] == answer["Message-ID"]


@committed
def test_a_picture_pasted_into_a_mail_is_sealed_and_its_sender_told_the_same(
    world: World, box: FakeMailbox, post_office: Mailbox
) -> None:
    picture = encoded(photograph("cat"))
    mail = written("Look what he has.")
    page = f'<p>Look what he has. <img src="data:image/jpeg;base64,{{}}"> {POST}'
    coded = b64encode(picture).decode()
    mail.add_alternative(page.format(coded), subtype="html")
    arrive(box, mail)
    row = Mail.objects.get()
    [blob] = sealed_for(row.mail_id, mails.SEALED_AS)
    assert (open_blob(blob.id), blob.media_type) == (picture, "image/jpeg")
    assert row.attachments == 1
    assert coded[:50] not in Report.objects.get().words
    [answer] = answers(post_office)
    assert "Nobody has opened it" in " ".join(answer.get_content().split())


def test_a_picture_among_the_words_is_sealed_and_not_kept_in_them(
    world: World, box: FakeMailbox
) -> None:
    picture = encoded(photograph("cat"))
    parts = (picture[at : at + 45] for at in range(0, len(picture), 45))
    coded = "".join(b2a_uu(each).decode() for each in parts)
    said = f"Look: {POST}\nbegin 644 a.jpg\n{coded}`\nend\nHelp me."
    head = f"From: {SENDER}\nSubject: Hi\n\n"
    box.deliver((head + said).encode())
    mails.take_in(box)
    row = Mail.objects.get()
    [blob] = sealed_for(row.mail_id, mails.SEALED_AS)
    assert open_blob(blob.id) == picture
    assert row.attachments == 1
    assert Report.objects.get().words == f"Hi\n\nLook: {POST}\nHelp me."


@committed
@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Return_Path": "<>"},
        {"sender": OURS},
    ],
)
def test_machines_and_our_own_mails_are_passed_over(
    world: World, box: FakeMailbox, post_office: Mailbox, headers: dict[str, str]
) -> None:
    arrive(box, written("I am away until Monday.", **headers))
    assert not Report.objects.exists()
    assert box.waiting() == []
    assert answers(post_office) == []
    assert Event.objects.filter(kind="mail.ignored").count() == 1


@committed
def test_a_machine_that_names_a_post_is_heard_and_not_answered(
    world: World, box: FakeMailbox, post_office: Mailbox
) -> None:
    item = world.post("p1", encoded(photograph()))
    arrive(box, written(Auto_Submitted="auto-replied"))
    item.refresh_from_db()
    assert item.state == ItemState.FROZEN
    assert Mail.objects.get().sender == ""
    assert answers(post_office) == []


@committed
def test_an_answer_that_could_not_be_sent_is_sent_later(
    world: World, box: FakeMailbox, post_office: Mailbox, settings: Settings
) -> None:
    port = settings.EMAIL_PORT
    settings.EMAIL_PORT = free_port()
    arrive(box, written())
    assert answers(post_office) == []
    settings.EMAIL_PORT = port
    with clock.shifted(timedelta(hours=1)):
        event = Event.objects.get(kind="mail.received")
        answer_mail(event)
        answer_mail(event)
    [answer] = [mail for _, mail in post_office.mails]
    assert open_by_codename(words_in(answer)) == Report.objects.get().id


@committed
def test_an_address_that_takes_no_mail_is_let_be(
    world: World, box: FakeMailbox, post_office: Mailbox
) -> None:
    post_office.refused.add(SENDER)
    arrive(box, written())
    assert answers(post_office) == []
    assert not Alarm.objects.filter(code="step.failing").exists()


@committed
def test_nobody_is_made_to_get_many_answers(
    world: World, box: FakeMailbox, post_office: Mailbox
) -> None:
    for place in range(14):
        box.deliver(written(f"Again {place}").as_bytes())
    mails.take_in(box)
    assert Report.objects.count() == 14
    assert len(answers(post_office)) == 10


@committed
def test_who_wants_no_mail_any_more_gets_none(
    world: World, box: FakeMailbox, post_office: Mailbox
) -> None:
    arrive(box, written())
    withdraw(Report.objects.get().id, by=mails.BY)
    assert answers(post_office) == []


def test_no_header_and_no_network_address_is_kept(
    world: World, box: FakeMailbox
) -> None:
    mail = written(Received="from phone (203.0.113.77) by mx.example")
    arrive(box, mail)
    for table in (Report, Mail, Event, SealedBlob):
        for row in table.objects.values():
            assert "203.0.113" not in str(row)


def test_the_mailbox_is_listed_by_check(settings: Settings) -> None:
    assert mailbox_finding().well
    settings.HOLDFAST_IMAP = "imaps://me:secret@mail.example.org/INBOX"
    settings.EMAIL_HOST = ""
    listed = dict(outbound())
    assert listed["mailbox for reports"] == "imaps://mail.example.org:993"
    assert not mailbox_finding().well
    settings.EMAIL_HOST = "mail.example.org"
    assert mailbox_finding().well
    assert "who sent a mail: nobody" in mailbox_finding().says
    settings.HOLDFAST_IMAP_AUTHSERV_IDS = ["mx.example.org"]
    assert "who sent a mail: mx.example.org" in mailbox_finding().says
    settings.HOLDFAST_IMAP = "imap://me:secret@mail.example.org/INBOX"
    assert not mailbox_finding().well


@committed
@pytest.mark.skipif(bool(dovecot.missing()), reason=dovecot.missing())
def test_the_whole_way_with_a_real_mailbox_and_a_real_mail_server(
    world: World,
    post_office: Mailbox,
    server: dovecot.Dovecot,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    item = world.post("p1", encoded(photograph()))
    monkeypatch.setenv("SSL_CERT_FILE", str(server.home / "cert.pem"))
    settings.HOLDFAST_IMAP = server.url()
    picture = encoded(photograph("cat"))
    mail = written()
    mail.add_attachment(picture, "image", "jpeg", filename="me.jpg")
    server.deliver(mail.as_bytes())
    mails.read_mail()
    item.refresh_from_db()
    assert item.state == ItemState.FROZEN
    [blob] = sealed_for(Mail.objects.get().mail_id, mails.SEALED_AS)
    assert open_blob(blob.id) == picture
    session = server.session()
    assert session.uid("SEARCH", "ALL")[1] == [b""]
    session.logout()
    assert not list((server.home / "mail" / "cur").iterdir())
    [answer] = answers(post_office)
    server.deliver(
        written("One more thing.", In_Reply_To=str(answer["Message-ID"])).as_bytes()
    )
    mails.read_mail()
    assert Report.objects.get().additions.get().words == "One more thing."
    assert open_by_codename(words_in(answer)) == Report.objects.get().id


@committed
@pytest.mark.skipif(bool(dovecot.missing()), reason=dovecot.missing())
@pytest.mark.parametrize("word", [b"BODY.PEEK", b"STORE", b"EXPUNGE"])
def test_a_line_that_breaks_loses_nothing_and_reports_nothing_twice(
    world: World, server: dovecot.Dovecot, settings: Settings, word: bytes
) -> None:
    for place in range(3):
        server.deliver(written(f"Mail {place}", Message_ID=f"<{place}@x>").as_bytes())
    with dovecot.breaking_at(word, server.plain_port) as port:
        settings.HOLDFAST_IMAP = server.url("imap", port=port)
        with pytest.raises(Unavailable):
            mails.read_mail()
        mails.read_mail()
    said = sorted(Report.objects.values_list("words", flat=True))
    assert said == [f"Help\n\nMail {place}" for place in range(3)]
    session = server.session()
    assert session.uid("SEARCH", "ALL")[1] == [b""]
    session.logout()


def test_new_words_open_the_report_and_the_old_ones_do_not(world: World) -> None:
    received = world.report(POST, wants_codename=True)
    assert received.codename
    fresh = new_codename(received.report_id, by=mails.BY)
    assert open_by_codename(fresh) == received.report_id
    with pytest.raises(NotFound):
        open_by_codename(received.codename)
