"""A reporter's e-mail address or phone number: kept, confirmed, taken back.

Optional, and asked for after the report is in. The address is encrypted at rest and in
no event, log line or page; whoever reads it decides whether anything is ever sent to
it. Nothing here sends: ``notifications.letters`` does, when these events tell it to.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import InvalidInput, NotFound, Refused
from holdfast.base.events import Kind, emit
from holdfast.intake.models import Contact, Mail, Report
from holdfast.intake.rules import (
    CONTACTS_A_DAY,
    Frequency,
    Way,
    masked,
    read_address,
)
from holdfast.vault.installation import keys

LINK_BYTES = 16
"""Of chance in a link: 128 bits, so that nobody guesses one."""
DAY = timedelta(hours=24)


@dataclass(frozen=True)
class ContactLine:
    """How a reporter wants to be reached, as they may see it themselves."""

    way: Way
    masked: str
    frequency: Frequency
    confirmed_at: datetime | None


@dataclass(frozen=True)
class Behind:
    """What a link in a letter leads to. It names no report and says no address."""

    confirmed: bool
    withdrawn: bool
    has_codename: bool
    """Whether there are words with which to come back."""


def keep(report_id: UUID, address: str, frequency: str, *, by: By) -> None:
    """Keep a way to reach the reporter, in place of any earlier one.

    What is neither an e-mail address nor a phone number is kept as it is, and nothing
    is sent there. Raises ``InvalidInput`` for an unknown frequency or no address, and
    ``Refused`` when the report has named too many today.
    """
    _may(by)
    if frequency not in set(Frequency):
        raise InvalidInput(f"A frequency is one of: {', '.join(Frequency)}.")
    way, read = read_address(address)
    if not read:
        raise InvalidInput(_("Write an e-mail address or a phone number."))
    with transaction.atomic():
        report = Report.objects.select_for_update(no_key=True).get(id=report_id)
        current = Contact.objects.filter(report=report, withdrawn_at=None).first()
        if current is not None and current.address_key == _key(read):
            _change(current, frequency, by)
            return
        today = clock.now() - DAY
        if report.contacts.filter(given_at__gt=today).count() >= CONTACTS_A_DAY:
            raise Refused(
                _("You have changed this a few times today. Try again tomorrow."),
                report=report_id,
            )
        if current is not None:
            _withdraw(current, refused=False)
        contact = Contact(
            report=report,
            way=way,
            address_key=_key(read),
            frequency=frequency,
            link=secrets.token_urlsafe(LINK_BYTES),
            given_at=clock.now(),
        )
        contact.address = keys().encrypt_secret(read, bound_to=str(contact.id))
        contact.save()
        _tell_given(contact, by)


def withdraw(report_id: UUID, *, by: By) -> None:
    """Forget how to reach a reporter; the report stands. Twice changes nothing."""
    by.require(Permission.REPORT_FOLLOW)
    with transaction.atomic():
        # Who wrote by mail and is not answered yet is not answered any more.
        Mail.objects.filter(report=report_id).update(sender="")
        current = (
            Contact.objects.select_for_update(no_key=True)
            .filter(report=report_id, withdrawn_at=None)
            .first()
        )
        if current is not None:
            _withdraw(current, refused=False)
            _tell_withdrawn(current, by)


def of_report(report_id: UUID) -> ContactLine | None:
    """How the one who reported wants to be reached; None when they left nothing."""
    contact = Contact.objects.filter(report=report_id, withdrawn_at=None).first()
    if contact is None:
        return None
    way = Way(contact.way)
    return ContactLine(
        way=way,
        masked=masked(way, address_of(contact)),
        frequency=Frequency(contact.frequency),
        confirmed_at=contact.confirmed_at,
    )


def behind(link: str) -> Behind:
    """What a link in a letter leads to. Raises ``NotFound``."""
    contact = _linked(link)
    return Behind(
        confirmed=contact.confirmed_at is not None,
        withdrawn=contact.withdrawn_at is not None,
        has_codename=hasattr(contact.report, "codename"),
    )


def confirm(link: str, *, by: By) -> None:
    """Whoever reads this address wants to be written to. Raises ``NotFound``."""
    by.require(Permission.REPORT_FOLLOW)
    with transaction.atomic():
        contact = _linked(link)
        done = Contact.objects.filter(
            id=contact.id, confirmed_at=None, withdrawn_at=None
        ).update(confirmed_at=clock.now())
        if done:
            about = {"report": contact.report_id, "contact": contact.id}
            emit(Kind.CONTACT_CONFIRMED, about=about, by=by)


def refuse(link: str, *, by: By) -> None:
    """Whoever reads this address wants to be left alone, for good, by every report.

    Raises ``NotFound``.
    """
    by.require(Permission.REPORT_FOLLOW)
    with transaction.atomic():
        contact = _linked(link)
        same = Contact.objects.select_for_update(no_key=True, of=("self",)).filter(
            address_key=contact.address_key
        )
        for each in same.order_by("id") if contact.address_key else [contact]:
            was_in_use = each.withdrawn_at is None
            _withdraw(each, refused=True)
            if was_in_use:
                _tell_withdrawn(each, by)


def address_of(contact: Contact) -> str:
    """The address, for the letter that is going out now."""
    return keys().decrypt_secret(contact.address, bound_to=str(contact.id))


def may_be_asked(contact: Contact) -> bool:
    """Whether an address may be asked once more if it wants to hear from us."""
    same = Contact.objects.filter(address_key=contact.address_key)
    if same.filter(refused=True).exists():
        return False
    today = same.filter(given_at__gt=clock.now() - DAY).exclude(id=contact.id)
    return today.count() < CONTACTS_A_DAY


def forget_old() -> None:
    """Tick: what tells an address again is gone a day after it was withdrawn.

    Only an address that asked to be left alone is recognised for longer, by its keyed
    hash, since nobody could keep that promise otherwise.
    """
    Contact.objects.filter(refused=False, withdrawn_at__lt=clock.now() - DAY).exclude(
        address_key=""
    ).update(address_key="")


def _change(contact: Contact, frequency: str, by: By) -> None:
    """The same address, oftener or less often; it is asked now if it never was."""
    was_quiet = contact.frequency == Frequency.NEVER and contact.confirmed_at is None
    contact.frequency = frequency
    contact.save(update_fields=["frequency"])
    if was_quiet:
        _tell_given(contact, by)


def _tell_given(contact: Contact, by: By) -> None:
    emit(
        Kind.CONTACT_GIVEN,
        about={"report": contact.report_id, "contact": contact.id},
        facts={"way": contact.way, "frequency": contact.frequency},
        by=by,
    )


def _withdraw(contact: Contact, *, refused: bool) -> None:
    contact.address = ""
    contact.withdrawn_at = contact.withdrawn_at or clock.now()
    contact.refused = contact.refused or refused
    contact.save(update_fields=["address", "withdrawn_at", "refused"])


def _tell_withdrawn(contact: Contact, by: By) -> None:
    about = {"report": contact.report_id, "contact": contact.id}
    emit(Kind.REPORT_WITHDRAWN_CONTACT, about=about, by=by)


def _linked(link: str) -> Contact:
    contact = (
        Contact.objects.select_related("report__codename").filter(link=link).first()
    )
    if contact is None:
        raise NotFound(_("This link leads nowhere any more."))
    return contact


def _key(address: str) -> str:
    key = keys().hmac_key("contact-address")
    return hmac.new(key, address.casefold().encode(), hashlib.sha256).hexdigest()


def _may(by: By) -> None:
    """A platform or a reporter may leave an address with a report of theirs."""
    if Permission.REPORT_FOLLOW not in by.permissions:
        by.require(
            Permission.REPORTS_WRITE
            if by.kind == "platform"
            else Permission.REPORT_FILE
        )
