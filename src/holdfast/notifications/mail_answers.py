"""Answering who reported by e-mail: once, gently, and without saying what about.

The answer holds the report's number and words to come back with, which are made here
and kept nowhere. It says nothing of what was reported or done: somebody else may read
the mailbox. A machine is never answered, so that two machines do not write to each
other for ever, and nobody gets more than a few answers a day (RFC 3834).
"""

from __future__ import annotations

import hashlib
import hmac

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.base.errors import Refused
from holdfast.base.events import Event
from holdfast.intake.mail import SENDER, thread_id
from holdfast.intake.models import Mail
from holdfast.intake.operations import new_codename
from holdfast.items.answers import take
from holdfast.languages.catalogues import SOURCE
from holdfast.languages.choice import nearest
from holdfast.notifications.connectors.smtp import client as smtp
from holdfast.notifications.letter_words import Sheet
from holdfast.vault.installation import keys

ANSWERS_BURST = 10.0
"""Answers to one address at once; a sender's name can be forged to have us write."""
ANSWERS_PER_S = 10.0 / (24 * 3600)
"""And as many a day for long."""


def answer_mail(event: Event) -> None:
    """Step: thank the sender of a first mail; ask once for no more pictures.

    Tried again until it is sent; words that were made for a try that failed open
    nothing any more.
    """
    mail = Mail.objects.select_related("report").get(id=event.about["mail"])
    address = keys().decrypt_secret(mail.sender, bound_to=SENDER) if mail.sender else ""
    may_be_answered = event.facts["answer"] and address and settings.EMAIL_HOST
    if not may_be_answered or mail.answered_at or not _is_wanted(mail):
        return
    if take(_bucket(address), 1.0, per_s=ANSWERS_PER_S, burst=ANSWERS_BURST):
        return
    files, words = bool(mail.attachments), ""
    if mail.is_first:
        words = new_codename(mail.report_id, by=SYSTEM)
    language, number = mail.report.language, mail.report.number
    sheet = mail_answer(language, number, words, files=files)
    thread = f"<{thread_id(mail.report_id, mail.report.number)}>"
    try:
        smtp.write(
            address,
            sheet.subject,
            sheet.body,
            sender=settings.HOLDFAST_IMAP_ADDRESS,
            headers={
                "Message-ID": thread if mail.is_first else "",
                "In-Reply-To": "" if mail.is_first else thread,
                "Auto-Submitted": "auto-replied",
            },
        )
    except Refused:
        # There is no such address. Who wrote cannot be reached, and trying does not
        # help.
        Mail.objects.filter(id=mail.id).update(sender="")
        return
    Mail.objects.filter(id=mail.id).update(answered_at=clock.now(), sender="")


def _is_wanted(mail: Mail) -> bool:
    """The first mail of a report, or the first later one that brings files."""
    if mail.is_first:
        return True
    before = Mail.objects.filter(report=mail.report_id, answered_at__isnull=False)
    return bool(mail.attachments) and not before.filter(attachments__gt=0).exists()


def mail_answer(language: str, number: str, words: str, *, files: bool) -> Sheet:
    """The answer to a mail: to a first one with ``words``, to a later one without.

    ``files``: whether there were any with it.
    """
    with translation.override(nearest(language) or SOURCE):
        subject = _("Your message %(number)s") % {"number": number}
        body = _first(number, words, files=files) if words else _without_pictures()
    return Sheet(subject, body)


def _first(number: str, words: str, *, files: bool) -> str:
    facts = {"number": number}
    address = f"{settings.HOLDFAST_URL}/follow"
    parts = [
        _("Thank you for your message. We have it, and people will read it."),
        _("Your number is %(number)s.") % facts,
        _(
            "To see what happens, and to write to us, open this page and type the five "
            "words below. You need no name for it."
        ),
        address,
        words,
        _(
            "If somebody else can read your mail, write the words down on paper and "
            "delete this message."
        ),
        _without_pictures()
        if files
        else _(
            "Please do not send us pictures or screenshots. We never ask for them, nor "
            "for a paper that says who you are. An address is enough."
        ),
        _("To add something, answer this message."),
    ]
    return "\n\n".join(parts)


def _without_pictures() -> str:
    return _(
        "There was a file with your message. Nobody has opened it; we have locked it "
        "away. Please do not send us pictures or screenshots: we never ask for them, "
        "and sending them on can be a crime, even to report them. An address is enough."
    )


def _bucket(address: str) -> str:
    key = keys().hmac_key("mail-answers")
    digest = hmac.new(key, address.lower().encode(), hashlib.sha256).hexdigest()
    return f"answers:{digest[:32]}"
