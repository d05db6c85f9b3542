"""Reports by e-mail: read, filed like any other, and deleted from the mailbox.

A mail becomes a report by the operation that every door calls, and what was attached is
sealed in the vault without being opened. Only when that is committed is the mail
deleted from the mailbox. A mail that answers one of ours, or names its report in the
subject and is shown to come from its sender, is added to that report. What machines
answer by themselves is passed over, unless it names something on a platform. A mail
that cannot be taken in stays in the mailbox, set aside, and is an alarm. Every step may
run twice.

A mail does not say what it is about in our words: the policy says for what it is taken
until somebody has read it.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parseaddr
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from holdfast.base.by import SYSTEM, anyone
from holdfast.base.deadlock import again_after_deadlock
from holdfast.base.errors import Refused, Unavailable
from holdfast.base.events import Kind, alarm, emit
from holdfast.intake import codename as codenames
from holdfast.intake.connectors.mailbox.client import Mailbox, opened, place_of
from holdfast.intake.connectors.mailbox.convert import (
    Attachment,
    Letter,
    as_written,
    numbers_in,
    read,
)
from holdfast.intake.models import Addition, Channel, Codename, Mail, Report
from holdfast.intake.operations import (
    MAX_TARGETS,
    MAX_WORDS,
    ReportGiven,
    TargetGiven,
    add_to_report,
    receive_report,
)
from holdfast.items.queries import known_hosts, platform_among, platforms
from holdfast.items.rules import normal_url
from holdfast.policy import queries as policies
from holdfast.vault.installation import keys
from holdfast.vault.operations import seal

log = logging.getLogger(__name__)

BY = anyone("email")
SEALED_AS = "attachment"
SENDER = "mail-sender"
"""What the encrypted address of a sender is bound to."""
MAX_MAIL_BYTES = 64 * 1024 * 1024
"""What is fetched of one mail. Most mail servers take less; a larger one is set
aside."""
MAX_UNREAD = 3
"""Mails of one look that the server does not give, until it is taken to be away."""
MAX_WINDOWS = 1000
"""Places of a mail that are compared with codenames; a long novel has a few."""
MAX_ADDRESSES = 200
"""URLs on platforms that one mail reports. More are found by whoever reads it."""
MAX_READ = 10_000
"""URLs of one mail, on any host, of which the host is looked at: a long newsletter that
was forwarded has hundreds."""
TOKEN_DIGITS = 32
"""Hexadecimal digits that prove a thread: 128 bits, which nobody guesses."""
_THREAD = re.compile(
    rf"^(R-[0-9A-Z]{{5}}-[0-9A-Z]{{5}})\.([0-9a-f]{{{TOKEN_DIGITS}}})@"
)


@dataclass(frozen=True)
class _Arrived:
    """A mail on its way in."""

    mail_id: UUID
    letter: Letter
    files: Sequence[Attachment]
    at: datetime


def read_mail() -> None:
    """Tick: take in what waits in the mailbox, if there is one."""
    if settings.HOLDFAST_IMAP:
        with opened(place_of(settings.HOLDFAST_IMAP)) as box:
            take_in(box)


def take_in(box: Mailbox) -> None:
    """Take in every mail that waits; one that cannot be keeps no other from it.

    Raises ``Unavailable`` when the mailbox, the vault or a platform's table cannot be
    reached: then all of it waits where it is.
    """
    unread: list[Unavailable] = []
    for waiting in box.waiting():
        try:
            if waiting.size_bytes > MAX_MAIL_BYTES:
                raise Refused("The mail is larger than what is fetched.")
            try:
                raw = box.fetch(waiting.uid)
            except Unavailable as error:
                # One that the server cannot give keeps back none that it can.
                unread.append(error)
                if len(unread) > MAX_UNREAD:
                    raise
                continue
            _take_in(raw, waiting.arrived_at)
        except (Unavailable, OperationalError, InterfaceError):
            raise
        except Exception as error:
            # Its text could hold what somebody wrote; the kind is all that is kept.
            why = type(error).__name__
            log.warning("mail set aside uid=%s why=%s", waiting.uid, why)
            alarm("mail.set_aside", about={}, facts={"why": why})
            box.set_aside(waiting.uid)
            continue
        box.expunge(waiting.uid)
    if unread:
        raise unread[0]


def thread_id(report_id: UUID, number: str) -> str:
    """The message id of a mail of ours about a report, without brackets.

    Whoever answers it shows that they have it, so that their words are added.
    """
    host = parseaddr(settings.HOLDFAST_IMAP_ADDRESS)[1].rpartition("@")[2]
    return f"{number}.{_token(report_id)}@{host}"


def _take_in(raw: bytes, arrived_at: datetime) -> None:
    trusted = settings.HOLDFAST_IMAP_AUTHSERV_IDS
    letter = _without_codenames(read(raw, trusted=trusted, hosts=known_hosts()))
    named = _by_platform(letter.addresses)
    if _is_nobody(letter) and not named:
        with transaction.atomic():
            emit(Kind.MAIL_IGNORED, about={}, facts={"because": "automatic"}, by=BY)
        return
    files = list(letter.attachments)
    if len(_words(letter)) > MAX_WORDS:
        # What a report cannot hold is kept all the same.
        files.append(Attachment(_words(letter).encode(), "text/plain"))
    arrived = _Arrived(_mail_id(raw), letter, files, arrived_at)
    for file in files:
        seal(arrived.mail_id, SEALED_AS, file.data, file.media_type)
    thread = _thread_of(letter)
    if thread is not None:
        left = _add(arrived, thread, named.pop(thread.platform_id, []))
        # What it cannot hold is a report of its own.
        named = {thread.platform_id: left, **named} if left else named
    elif not named:
        named = {_first_platform(): []}
    for platform_id, addresses in named.items():
        # Addresses are looked up before the transaction: the platform may be asked.
        targets = [_target(platform_id, each) for each in addresses]
        for place, start in enumerate(range(0, len(targets) or 1, MAX_TARGETS)):
            part = targets[start : start + MAX_TARGETS]
            _file(arrived, platform_id, part, place)


@again_after_deadlock
def _file(
    arrived: _Arrived, platform_id: UUID, targets: list[TargetGiven], place: int
) -> None:
    """One report of a mail, with the row that keeps it from being filed twice.

    ``place`` counts from 0 the reports of one mail with more addresses than one holds.
    """
    letter = arrived.letter
    unnamed = [TargetGiven(description="An e-mail without an address in it.")]
    with transaction.atomic():
        filed = Mail.objects.filter(mail_id=arrived.mail_id, is_first=True)
        if filed.filter(report__platform=platform_id).count() > place:
            return
        received = receive_report(
            ReportGiven(
                platform_id=platform_id,
                channel=Channel.EMAIL,
                category=policies.current().mail_category,
                targets=targets or unnamed,
                words=_words(letter)[:MAX_WORDS],
                language=letter.language,
                received_at=arrived.at,
                # A report for each platform, and for each part of many addresses.
                words_are_read=True,
            ),
            by=BY,
        )
        _note(arrived, received.report_id, is_first=True)


def _add(arrived: _Arrived, report: Report, addresses: Sequence[str]) -> list[str]:
    """What an answer adds. It is done before it is noted, and each part only once.

    Returns the addresses for which the report has no room.
    """
    letter = arrived.letter
    known = set(report.targets.values_list("named_as", flat=True))
    new = [each for each in addresses if each not in known]
    room = max(0, MAX_TARGETS - report.targets.count())
    if Mail.objects.filter(mail_id=arrived.mail_id, report=report).exists():
        return new
    for address in new[:room]:
        add_to_report(report.id, "link", address, by=BY)
    words = letter.unquoted[:MAX_WORDS]
    same = Addition.objects.filter(report=report, kind="words", words=words)
    if words and not same.exists():
        add_to_report(report.id, "words", words, by=BY)
    with transaction.atomic():
        _note(arrived, report.id, is_first=False)
    return new[room:]


def _note(arrived: _Arrived, report_id: UUID, *, is_first: bool) -> None:
    mail = Mail.objects.create(
        mail_id=arrived.mail_id,
        report_id=report_id,
        is_first=is_first,
        attachments=len(arrived.files),
        arrived_at=arrived.at,
        sender=keys().encrypt_secret(arrived.letter.sender, bound_to=SENDER)
        if arrived.letter.answerable
        else "",
        sender_key=sender_key(arrived.letter.sender),
    )
    emit(
        Kind.MAIL_RECEIVED,
        about={"report": report_id, "mail": mail.id},
        facts={
            "first": is_first,
            "attachments": len(arrived.files),
            "answer": arrived.letter.answerable,
        },
        by=SYSTEM,
    )


def _is_nobody(letter: Letter) -> bool:
    """A machine's answer, or a mail of our own that came back."""
    ours = (
        settings.HOLDFAST_IMAP_ADDRESS,
        settings.HOLDFAST_MESSAGE_FROM,
        settings.DEFAULT_FROM_EMAIL,
    )
    named = {parseaddr(each)[1].lower() for each in ours}
    return letter.automatic or letter.sender.lower() in named


def _thread_of(letter: Letter) -> Report | None:
    """The report that a mail goes on with, or None.

    A number alone proves nothing, since others may have read it, and nor does the name
    of a sender, which anybody can write: our own mail server has to say that it is so.
    """
    for named in letter.refers_to:
        if found := _THREAD.match(named):
            report = Report.objects.filter(number=found[1]).first()
            if report and hmac.compare_digest(_token(report.id), found[2]):
                return report
    if not letter.is_proven:
        return None
    of_sender = Mail.objects.filter(sender_key=sender_key(letter.sender), is_first=True)
    known = of_sender.exclude(sender_key="").filter(report__number__in=letter.numbers)
    first = known.select_related("report").first()
    return first.report if first else None


def sender_key(address: str) -> str:
    """The keyed hash of a mail's sender; blank for none."""
    if not address:
        return ""
    key = keys().hmac_key("mail-senders")
    return hmac.new(key, address.lower().encode(), hashlib.sha256).hexdigest()


def _by_platform(addresses: Sequence[str]) -> dict[UUID, list[str]]:
    """The addresses that are on a platform here; a signature's own link is not."""
    lines = platforms()
    # A mail says most of it twice, as text and as a page, in forms that may differ.
    each_once = {
        normal_url(address, keep_sharing=True): address
        for address in reversed(addresses[:MAX_READ])
        if platform_among(lines, address)
    }
    found: dict[UUID, list[str]] = {}
    for address in [*reversed(each_once.values())][:MAX_ADDRESSES]:
        if platform := platform_among(lines, address):
            found.setdefault(platform.id, []).append(address)
    return found


def _first_platform() -> UUID:
    known = platforms()
    if not known:
        raise Unavailable("No platform is registered, so nothing can be reported.")
    return known[0].id


def _target(platform_id: UUID, address: str) -> TargetGiven:
    return TargetGiven(url=address).look_up(platform_id)


def _without_codenames(letter: Letter) -> Letter:
    """The letter without the words that open a report.

    Our answer has them, and mail programs quote it beneath what somebody answers.
    Whoever reads the report here must not come by them, nor is anything kept that gives
    them back.
    """
    text = letter.words
    found = {
        codenames.lookup(text[start:end]): (start, end)
        for start, end in islice(codenames.windows(text), MAX_WINDOWS)
    }
    known = Codename.objects.filter(lookup__in=found) if found else ()
    spans = sorted((found[each.lookup] for each in known), reverse=True)
    for start, end in spans:
        text = f"{text[:start]}[…]{text[end:]}"
    return replace(letter, words=text) if spans else letter


def _words(letter: Letter) -> str:
    return f"{letter.subject}\n\n{letter.words}".strip()


def _mail_id(raw: bytes) -> UUID:
    return UUID(bytes=_keyed("mail", as_written(raw))[:16])


def _token(report_id: UUID) -> str:
    return _keyed("mail-thread", report_id.bytes).hex()[:TOKEN_DIGITS]


def _keyed(purpose: str, data: bytes) -> bytes:
    return hmac.new(keys().hmac_key(purpose), data, hashlib.sha256).digest()


def attachments_of(report_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """How many files came with the mails of each report, sealed and unopened."""
    counts: dict[UUID, int] = {}
    rows = Mail.objects.filter(report__in=report_ids, attachments__gt=0)
    for report_id, count in rows.values_list("report", "attachments"):
        counts[report_id] = counts.get(report_id, 0) + count
    return counts


def reports_named(reports: Sequence[Report]) -> Mapping[UUID, str]:
    """For each report by e-mail whose subject names another report: its number.

    Only where it was not added to that one, since nobody has shown that it is of the
    same sender.
    """
    named = {
        report.id: {*numbers_in(report.words.partition("\n\n")[0])} - {report.number}
        for report in reports
        if report.channel == Channel.EMAIL
    }
    asked = set().union(*named.values())
    if not asked:
        return {}
    there_are = Report.objects.filter(number__in=asked)
    known = set(there_are.values_list("number", flat=True))
    added = Mail.objects.filter(report__number__in=known, is_first=False)
    to = set(added.values_list("report__number", "mail_id"))
    of = Mail.objects.filter(report__in=named).values_list("report", "mail_id")
    for report_id, mail_id in of:
        named[report_id] -= {number for number, part in to if part == mail_id}
    return {
        report_id: min(numbers & known)
        for report_id, numbers in named.items()
        if numbers & known
    }
