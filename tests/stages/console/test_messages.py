"""What we tell whom, on the console: every cell, with the facts of a real case."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from holdfast.base.by import By, Permission
from holdfast.base.errors import NotAllowed, NotFound
from holdfast.base.events import Kind
from holdfast.base.jobs import drain
from holdfast.intake.connectors.mailbox.fake import FakeMailbox
from holdfast.intake.fingerprint import FingerprintGiven
from holdfast.intake.models import Channel as IntakeChannel
from holdfast.intake.operations import ReportGiven, TargetGiven, receive_report
from holdfast.notifications.facts import SAID
from holdfast.notifications.matrix import Audience, cells
from holdfast.notifications.models import Notification, Receipt
from holdfast.notifications.preview import EventLine, Telling, preview
from holdfast.notifications.queries import receipt_of
from holdfast.signals.sign import sign_picture
from holdfast.triage.models import Case
from tests.stages.alarms.post import Mailbox
from tests.stages.console.desk import (
    CSAM,
    colleague,
    look,
    read,
    reported,
    words_of,
)
from tests.stages.door.test_waves_and_misuse import report as report_as
from tests.stages.door.test_waves_and_misuse import suspend, unfounded, warn
from tests.stages.mail.test_mail import POST, arrive, words_in, written
from tests.stages.mail.test_mail import post_office as post_office
from tests.world import encoded, photograph

pytestmark = pytest.mark.django_db


def told(lines: tuple[EventLine, ...], kind: Kind, template: str) -> Telling:
    (line,) = (each for each in lines if each.kind == kind)
    (found,) = (each for each in line.tellings if each.template == template)
    return found


def test_every_event_and_every_cell_is_on_the_page(world: Any) -> None:
    ada = colleague("Ada Sample", "reviewer")
    _number, lines = preview(by=ada.by)
    assert [each.kind for each in lines] == [each.value for each in Kind]
    for kind, line in zip(Kind, lines, strict=True):
        named = {who for each in line.tellings for who in each.audiences}
        named |= {who for each in line.quiet for who in each.audiences}
        assert named == {each.value.replace("_", " ") for each in Audience}
        wanted = {
            each.template for audience in Audience for each in cells(kind, audience)
        }
        assert {each.template for each in line.tellings} == wanted
        assert all(each.missing and not each.texts for each in line.tellings)
    page = words_of(ada.get("/console/messages"))
    assert "There is no case yet" in page
    assert "Nobody knows for sure who that is" in page


@pytest.mark.django_db(transaction=True)
def test_a_text_is_shown_in_every_language_only_when_it_is_so(
    world: Any, settings: Settings
) -> None:
    settings.LANGUAGES = [("en", "English"), ("ar", "Arabic")]
    ada = colleague("Ada Sample", "reviewer", "specialist")
    item, case = reported(world)
    drain()
    number, lines = preview(case.number, by=ada.by)
    assert number == case.number
    receipt = told(lines, Kind.REPORT_RECEIVED, "receipt")
    assert [each.language for each in receipt.texts] == ["en", "ar"]
    assert "We have told Plaza to hide this" in receipt.texts[0].words
    assert told(lines, Kind.CASE_DECIDED, "violation").missing
    assert told(lines, Kind.DELIVERY_CONFIRMED, "hidden").missing
    assert "waits until" in told(lines, Kind.ITEM_FROZEN, "statement_freeze").note
    assert told(lines, Kind.DELIVERY_ORDERED, "freeze").texts
    assert told(lines, Kind.DELIVERY_ORDERED, "thaw").missing
    look(case, item, ada)
    read(case, ada)
    number, lines = preview(by=ada.by)
    assert number == case.number
    shown = told(lines, Kind.CASE_DECIDED, "violation")
    sent = Notification.objects.get(template="violation")
    assert shown.texts[0].words == sent.words
    assert told(lines, Kind.CASE_DECIDED, "no_violation").missing
    reasons = told(lines, Kind.CASE_DECIDED, "statement_decision")
    assert "People have decided" in reasons.texts[0].words
    letter = told(lines, Kind.NOTIFICATION_MADE, "news")
    assert len(letter.texts) == 4
    assert letter.audiences == ("reporter", "flagger", "police")


@pytest.mark.django_db(transaction=True)
def test_the_answer_to_a_mail_is_shown_as_it_is_sent(
    world: Any, post_office: Mailbox
) -> None:
    for subject in ("Help", "Again"):
        mail = written(f"See {POST}", subject=subject)
        if subject == "Again":
            mail.add_attachment(b"bytes", "image", "jpeg", filename="me.jpg")
        arrive(FakeMailbox(), mail)
    drain()
    ada = colleague("Ada Sample", "reviewer")
    _number, lines = preview(by=ada.by)
    shown = told(lines, Kind.MAIL_RECEIVED, "mail_answer").texts
    for (_address, sent), text in zip(post_office.mails, shown[:2], strict=True):
        number, secret = str(sent["Subject"]).split()[-1], words_in(sent)
        said = sent.get_content().replace("\r\n", "\n").replace(secret, "…")
        known = text.words.replace(text.subject.split()[-1], number)
        assert " ".join(said.split()) == " ".join(known.split())
    assert text.subject.startswith("Your message R-")


@pytest.mark.django_db(transaction=True)
def test_a_receipt_is_shown_as_it_was_sent(world: Any) -> None:
    """Of a fingerprint alone it tells no place and no number."""
    picture = encoded(photograph())
    for name in ("p1", "p2"):
        world.post(name, picture)
    drain()
    pdq = sign_picture(picture).views[0].pdq
    receive_report(
        ReportGiven(
            platform_id=world.platform_id,
            channel=IntakeChannel.PORTAL,
            category=CSAM,
            targets=[
                TargetGiven(fingerprint=FingerprintGiven(pdq.bits, pdq.quality, False))
            ],
        ),
        by=By("public", "portal", frozenset({Permission.REPORT_FILE})),
    )
    drain()
    ada = colleague("Ada Sample", "reviewer")
    _number, lines = preview(by=ada.by)
    sent = Receipt.objects.get().body["words"]
    assert "We know this picture" in sent
    assert told(lines, Kind.REPORT_RECEIVED, "receipt").texts[0].words == sent
    assert SAID not in receipt_of(Receipt.objects.get().report_id)


def test_the_page_opens_for_a_case_of_somebody_who_is_suspended(world: Any) -> None:
    actor, before = unfounded(world, 3)
    warn(actor, before)
    _actor, after = unfounded(world, 3, start=10)
    suspend(actor, after)
    world.post("new", text="words", actor="harmless")
    child = report_as(world, "new", reporter="zealot", category=CSAM)
    ada = colleague("Ada Sample", "reviewer")
    case = Case.objects.get(targets__target__report=child)
    page = words_of(ada.get("/console/messages", case=case.number))
    # What is told of a child is worked on all the same, so nobody is told otherwise.
    assert "We keep your report, but we do not work on it now" not in page
    assert Receipt.objects.get(report=child).body["words"] in page


def test_looking_at_the_texts_sends_and_changes_nothing(world: Any) -> None:
    ada = colleague("Ada Sample", "reviewer")
    _item, case = reported(world)
    before = Notification.objects.count()
    page = ada.get("/console/messages", case=case.number)
    assert page.status_code == 200
    assert Notification.objects.count() == before
    assert "Some words." not in page.content.decode()
    assert "<img" not in page.content.decode()
    missing = ada.get("/console/messages", case="nonsense")
    assert missing.status_code == 404


def test_only_who_may_read_cases_may_see_it(world: Any) -> None:
    with pytest.raises(NotAllowed):
        preview(by=By("staff", "x"))
    admin = colleague("Abe Sample", "administrator")
    assert admin.get("/console/messages").status_code == 403
    ada = colleague("Ada Sample", "reviewer")
    with pytest.raises(NotFound):
        preview("nonsense", by=ada.by)
