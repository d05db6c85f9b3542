"""Letters: an e-mail or a phone message that says that there is news, and no more.

Only to an address that its own reader has confirmed, only as often as the reporter
chose, and never what the news is. A letter is a row first: it is tried again when the
server is away, given up after days, and dropped as soon as the news was read or the
contact withdrawn. One letter waits at a time, however much news there is. A process
that dies between sending and writing that down sends the letter twice.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.base.errors import HoldfastError, InvalidInput, Unavailable
from holdfast.base.events import Event, Kind, alarm, emit
from holdfast.intake import contacts
from holdfast.intake.models import Contact
from holdfast.intake.rules import Frequency, Way
from holdfast.notifications import facts as so
from holdfast.notifications.connectors.smtp.client import NoSuchAddress, send_letter
from holdfast.notifications.connectors.text_gateway.client import send_text
from holdfast.notifications.letter_words import REVEALING, Sheet, letter_words
from holdfast.notifications.matrix import cell
from holdfast.notifications.models import Letter, Notification
from holdfast.notifications.rules import (
    LETTER_ALARM_AFTER,
    LETTER_LIFE_S,
    letter_pause_s,
    rings,
)

log = logging.getLogger(__name__)

LETTERS_A_TICK = 200
"""How many are tried at a time; the rest follow at the next tick."""
LINK_PATH = "/m/"
"""Where a link in a letter leads; the path says nothing."""


def ways() -> tuple[Way, ...]:
    """By what this installation can send letters; only these are offered."""
    set_up = []
    if settings.EMAIL_HOST:
        set_up.append(Way.EMAIL)
    if settings.HOLDFAST_TEXT_WEBHOOK:
        set_up.append(Way.PHONE)
    return tuple(set_up)


def ask(event: Event) -> None:
    """Step: ask a new address whether it wants to hear from us, once."""
    contact = Contact.objects.select_related("report").get(id=event.about["contact"])
    told = cell(Kind.CONTACT_GIVEN, so.audience_of(contact.report), "confirm")
    if (
        contact.withdrawn_at is None
        and _wanted(contact.frequency, None)
        and Way(contact.way) in ways()
        and not contact.letters.filter(template=told.template).exists()
        and contacts.may_be_asked(contact)
    ):
        _write(contact, told.template, None)


def tell_of_news(event: Event) -> None:
    """Step: tell a confirmed address that there is news, if it is to hear of this."""
    news = Notification.objects.select_related("report").get(
        id=event.about["notification"]
    )
    told = cell(Kind.NOTIFICATION_MADE, so.audience_of(news.report), "news")
    contact = Contact.objects.filter(
        report=news.report, withdrawn_at=None, confirmed_at__isnull=False
    ).first()
    if (
        contact is not None
        and Way(contact.way) in ways()
        and _wanted(contact.frequency, news)
        and not Letter.objects.filter(notification=news).exists()
    ):
        _write(contact, told.template, news)


def was_asked(report_id: UUID) -> bool:
    """Whether the question if a report's address is right has gone out."""
    asked = Letter.objects.filter(contact__report=report_id, template="confirm")
    return asked.filter(contact__withdrawn_at=None, sent_at__isnull=False).exists()


def post_due() -> None:
    """Tick: try again what could not be sent."""
    now = clock.now()
    waiting = Letter.objects.filter(sent_at=None, dropped_at=None)
    for letter in waiting.order_by("tried_at", "made_at")[:LETTERS_A_TICK]:
        pause = timedelta(seconds=letter_pause_s(letter.attempts))
        if letter.tried_at is None or letter.tried_at + pause <= now:
            _post(letter)


def samples(language: str) -> tuple[Sheet, ...]:
    """The letters that tell of news, one for each way, for people to see beforehand."""
    link = f"{settings.HOLDFAST_URL}{LINK_PATH}…"
    return tuple(
        letter_words("news", way, language, link=link, has_codename=True)
        for way in ways()
    )


def problems() -> list[str]:
    """What would give a letter away, in plain words; empty when nothing would."""
    found: list[str] = []
    if not ways():
        return found
    host = urlsplit(settings.HOLDFAST_URL).hostname or ""
    if REVEALING.search(settings.HOLDFAST_MESSAGE_FROM):
        found.append("The sender of messages says what they are about.")
    if REVEALING.search(host):
        found.append("The address of the portal, in each message, says what it is.")
    if settings.HOLDFAST_TEXT_WEBHOOK and not settings.HOLDFAST_TEXT_WEBHOOK_SECRET:
        found.append("HOLDFAST_TEXT_WEBHOOK_SECRET is missing.")
    return found


def _write(contact: Contact, template: str, news: Notification | None) -> None:
    try:
        with transaction.atomic():
            letter = Letter.objects.create(
                contact=contact,
                notification=news,
                template=template,
                made_at=clock.now(),
            )
    except IntegrityError:
        # One waits already, and says the same.
        return
    _post(letter)


def _post(letter: Letter) -> None:
    """Try once. The row is marked first, so that of two workers one sends."""
    now = clock.now()
    waits = Letter.objects.filter(
        id=letter.id, attempts=letter.attempts, sent_at=None, dropped_at=None
    )
    if not waits.update(attempts=letter.attempts + 1, tried_at=now):
        return
    letter.refresh_from_db()
    pointless = _pointless(letter)
    if pointless:
        _drop(letter, pointless)
        return
    try:
        _send(letter)
    except NoSuchAddress as never:
        _drop(letter, never.diagnostics())
    except (Unavailable, InvalidInput) as later:
        # The second is a secret of the gateway that is none.
        _failed(letter, later)
    else:
        _sent(letter)


def _wanted(frequency: str, news: Notification | None) -> bool:
    """Whether somebody who chose how often to hear is to be written to of this.

    The question if an address is right has no news.
    """
    if news is None:
        return frequency != Frequency.NEVER
    return rings(frequency, is_decision=news.kind == Kind.CASE_DECIDED)


def _pointless(letter: Letter) -> str:
    """Why a letter is not to be sent any more; empty when it is."""
    contact, first = letter.contact, letter.notification
    if contact.withdrawn_at is not None:
        return "withdrawn"
    # One letter waits for all news that came after it.
    news: list[Notification | None] = [None]
    if first is not None:
        news = list(
            Notification.objects.filter(
                report=contact.report_id, made_at__gte=first.made_at, read_at=None
            )
        )
    if not news:
        return "read meanwhile"
    if not any(_wanted(contact.frequency, each) for each in news):
        return "not wanted any more"
    if (clock.now() - letter.made_at).total_seconds() > LETTER_LIFE_S:
        return "too old"
    return ""


def _send(letter: Letter) -> None:
    contact = letter.contact
    way = Way(contact.way)
    sheet = letter_words(
        letter.template,
        way,
        contact.report.language,
        link=f"{settings.HOLDFAST_URL}{LINK_PATH}{contact.link}",
        has_codename=hasattr(contact.report, "codename"),
    )
    address = contacts.address_of(contact)
    if way is Way.EMAIL:
        send_letter(address, settings.HOLDFAST_MESSAGE_FROM, sheet.subject, sheet.body)
    else:
        send_text(
            settings.HOLDFAST_TEXT_WEBHOOK,
            settings.HOLDFAST_TEXT_WEBHOOK_SECRET,
            str(letter.id),
            address,
            sheet.body,
            letter.made_at,
        )


def _sent(letter: Letter) -> None:
    with transaction.atomic():
        letter.sent_at, letter.failure = clock.now(), ""
        letter.save(update_fields=["sent_at", "failure"])
        emit(
            Kind.LETTER_SENT,
            about={
                "report": letter.contact.report_id,
                "contact": letter.contact_id,
                "letter": letter.id,
                "notification": letter.notification_id,
            },
            facts={"template": letter.template, "way": letter.contact.way},
            by=SYSTEM,
        )


def _failed(letter: Letter, why: HoldfastError) -> None:
    letter.failure = why.diagnostics()[:200]
    letter.save(update_fields=["failure"])
    log.warning("letter not sent letter=%s attempts=%s", letter.id, letter.attempts)
    if letter.attempts == LETTER_ALARM_AFTER:
        way = letter.contact.way
        alarm("letters.failing", about={"way": way}, facts={"why": letter.failure})


def _drop(letter: Letter, why: str) -> None:
    letter.dropped_at, letter.failure = clock.now(), why[:200]
    letter.save(update_fields=["dropped_at", "failure"])
