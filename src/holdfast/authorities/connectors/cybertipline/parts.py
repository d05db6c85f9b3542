"""The small records that several parts of a CyberTip share.

Addresses of every kind, captures of an IP address or a device, and what was done to
an account. Order, names and lengths are those of NCMEC's schema of November 2025 and
Appendix A of its documentation of June 2025.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated

from holdfast.authorities.connectors.cybertipline.checks import (
    at_most,
    between,
    country_code,
    email_address,
    in_the_past,
    ip_address,
    matches,
    not_blank,
    us_state,
)
from holdfast.authorities.connectors.cybertipline.document import (
    Record,
    attribute,
    body,
    element,
)
from holdfast.authorities.connectors.cybertipline.words import (
    AddressType,
    EmailType,
    EventName,
    PhoneType,
)


def _verified_when_dated(verified: bool | None, dated: datetime | None) -> bool:
    return dated is None or verified is True


@dataclass(frozen=True, kw_only=True)
class Email(Record):
    """An e-mail address, and whether the firm has verified it."""

    address: Annotated[str, body(email_address)]
    type: Annotated[EmailType | None, attribute("type")] = None
    verified: Annotated[bool | None, attribute("verified")] = None
    verified_at: Annotated[
        datetime | None, attribute("verificationDate", in_the_past)
    ] = None

    def own_problems(self, now: datetime) -> Iterator[str]:
        if not _verified_when_dated(self.verified, self.verified_at):
            yield "a verification date needs verified to be true"


@dataclass(frozen=True, kw_only=True)
class Phone(Record):
    """A telephone number, without the country's code when that is given apart."""

    number: Annotated[str, body(at_most(50))]
    type: Annotated[PhoneType | None, attribute("type")] = None
    verified: Annotated[bool | None, attribute("verified")] = None
    verified_at: Annotated[
        datetime | None, attribute("verificationDate", in_the_past)
    ] = None
    calling_code: Annotated[
        str | None, attribute("countryCallingCode", matches(r"\+[0-9]{1,3}"))
    ] = None
    extension: Annotated[
        str | None, attribute("extension", matches("[0-9]+"), at_most(10))
    ] = None

    def own_problems(self, now: datetime) -> Iterator[str]:
        if not _verified_when_dated(self.verified, self.verified_at):
            yield "a verification date needs verified to be true"
        if self.calling_code and self.number.startswith(self.calling_code):
            yield "must not repeat the country calling code"


@dataclass(frozen=True, kw_only=True)
class Address(Record):
    """A street address."""

    street: Annotated[str | None, element("address", at_most(255))] = None
    city: Annotated[str | None, element("city", at_most(100))] = None
    postal_code: Annotated[str | None, element("zipCode", at_most(20))] = None
    us_state: Annotated[str | None, element("state", us_state)] = None
    other_state: Annotated[str | None, element("nonUsaState", at_most(100))] = None
    country: Annotated[str | None, element("country", country_code)] = None
    type: Annotated[AddressType | None, attribute("type")] = None


@dataclass(frozen=True, kw_only=True)
class ContactPerson(Record):
    """Somebody who answers professionally: an officer, or the firm's contact."""

    first_name: Annotated[str | None, element("firstName", at_most(100))] = None
    last_name: Annotated[str | None, element("lastName", at_most(100))] = None
    phones: Annotated[tuple[Phone, ...], element("phone")] = ()
    emails: Annotated[tuple[Email, ...], element("email")] = ()
    addresses: Annotated[tuple[Address, ...], element("address")] = ()


@dataclass(frozen=True, kw_only=True)
class Person(Record):
    """A human being: ``age`` in years, 0 to 150."""

    first_name: Annotated[str | None, element("firstName", at_most(100))] = None
    last_name: Annotated[str | None, element("lastName", at_most(100))] = None
    phones: Annotated[tuple[Phone, ...], element("phone")] = ()
    emails: Annotated[tuple[Email, ...], element("email")] = ()
    addresses: Annotated[tuple[Address, ...], element("address")] = ()
    age: Annotated[int | None, element("age", between(0, 150))] = None
    born_on: Annotated[date | None, element("dateOfBirth", in_the_past)] = None


@dataclass(frozen=True, kw_only=True)
class IpCapture(Record):
    """An IP address in use at a moment. With time and port police can trace it."""

    address: Annotated[str, element("ipAddress", ip_address)]
    event: Annotated[EventName | None, element("eventName")] = None
    captured_at: Annotated[datetime | None, element("dateTime", in_the_past)] = None
    possible_proxy: Annotated[bool | None, element("possibleProxy")] = None
    port: Annotated[int | None, element("port", between(1, 65535))] = None


@dataclass(frozen=True, kw_only=True)
class DeviceCapture(Record):
    """A device's identifier, such as an IMEI, in use at a moment."""

    id_type: Annotated[str, element("idType", not_blank, at_most(255))]
    id_value: Annotated[str, element("idValue", not_blank, at_most(2083))]
    event: Annotated[EventName | None, element("eventName")] = None
    captured_at: Annotated[datetime | None, element("dateTime", in_the_past)] = None


@dataclass(frozen=True, kw_only=True)
class EstimatedLocation(Record):
    """Where the firm believes an account's holder to be. A country is required."""

    city: Annotated[str | None, element("city", at_most(255))] = None
    region: Annotated[str | None, element("region", at_most(255))] = None
    country: Annotated[str, element("countryCode", not_blank, country_code)]
    verified: Annotated[bool | None, attribute("verified")] = None
    estimated_at: Annotated[datetime | None, attribute("timestamp", in_the_past)] = None

    def own_problems(self, now: datetime) -> Iterator[str]:
        if self.country != "US":
            return
        if self.region and us_state(self.region, now):
            yield "the region of a place in the US must be a US postal abbreviation"
        if self.city and not self.region:
            yield "a city in the US needs its region"


def _notified_too_early(
    disabled_at: datetime | None, notified_at: datetime | None
) -> bool:
    return bool(disabled_at and notified_at and _is_before(notified_at, disabled_at))


def _is_before(one: datetime, other: datetime) -> bool:
    """Whether ``one`` is earlier. Times without a zone are compared as if in UTC.

    Their missing zone is a problem of its own, reported by the field's check.
    """
    return _aware(one) < _aware(other)


def _aware(moment: datetime) -> datetime:
    return moment if moment.utcoffset() is not None else moment.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class PermanentlyDisabled(Record):
    """Whether an account was closed for good, when, and whether its holder knows."""

    is_so: Annotated[bool, body()] = True
    disabled_at: Annotated[datetime | None, attribute("disabledDate", in_the_past)] = (
        None
    )
    notified: Annotated[bool | None, attribute("userNotified")] = None
    notified_at: Annotated[
        datetime | None, attribute("userNotifiedDate", in_the_past)
    ] = None

    def own_problems(self, now: datetime) -> Iterator[str]:
        if _notified_too_early(self.disabled_at, self.notified_at):
            yield "the holder was told before the account was disabled"


@dataclass(frozen=True, kw_only=True)
class TemporarilyDisabled(PermanentlyDisabled):
    """Whether an account was suspended for a time, and when it was opened again."""

    reenabled_at: Annotated[datetime | None, attribute("reenabledDate")] = None

    def own_problems(self, now: datetime) -> Iterator[str]:
        yield from super().own_problems(now)
        if self.reenabled_at is None:
            return
        if self.reenabled_at.utcoffset() is None:
            yield "the time of re-enabling has no time zone"
        elif self.disabled_at and not _is_before(self.disabled_at, self.reenabled_at):
            # Equal times are refused too: the documentation says after, not on.
            yield "the account was not re-enabled after it was disabled"
