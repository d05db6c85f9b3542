"""The people of a CyberTip and their accounts: suspect, recipient, child, linked.

The four kinds share most of their fields, but the schema sets them in different
orders, so each is written out. Order, names and lengths are those of NCMEC's schema of
November 2025 and its documentation of June 2025.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from holdfast.authorities.connectors.cybertipline.checks import (
    at_most,
    between,
    in_the_past,
    web_address,
)
from holdfast.authorities.connectors.cybertipline.document import (
    Record,
    attribute,
    body,
    element,
)
from holdfast.authorities.connectors.cybertipline.parts import (
    Address,
    DeviceCapture,
    Email,
    EstimatedLocation,
    IpCapture,
    PermanentlyDisabled,
    Person,
    Phone,
    TemporarilyDisabled,
)
from holdfast.authorities.connectors.cybertipline.words import AssociatedAccountType

# The number of a CyberTip is a positive xs:long.
report_number = between(1, 2**63 - 1)


@dataclass(frozen=True, kw_only=True)
class OtherPlatform(Record):
    """The name of the application that an associated account belongs to."""

    name: Annotated[str, body(at_most(256))]
    third_party: Annotated[bool | None, attribute("thirdPartyUser")] = None


@dataclass(frozen=True, kw_only=True)
class AssociatedAccount(Record):
    """Another account of the same person, or one that belongs to it."""

    type: Annotated[AssociatedAccountType, attribute("type")]
    platform: Annotated[OtherPlatform | None, element("platform")] = None
    first_name: Annotated[str | None, element("firstName", at_most(256))] = None
    middle_name: Annotated[str | None, element("middleName", at_most(256))] = None
    last_name: Annotated[str | None, element("lastName", at_most(256))] = None
    age: Annotated[int | None, element("approximateAge", between(0, 150))] = None
    born_on: Annotated[date | None, element("dateOfBirth", in_the_past)] = None
    phones: Annotated[tuple[Phone, ...], element("phone")] = ()
    emails: Annotated[tuple[Email, ...], element("email")] = ()
    all_emails_reported: Annotated[bool | None, element("allEmailsReported")] = None
    addresses: Annotated[tuple[Address, ...], element("address")] = ()
    service: Annotated[str | None, element("espService", at_most(256))] = None
    identifier: Annotated[str | None, element("espIdentifier", at_most(256))] = None
    profile_urls: Annotated[tuple[str, ...], element("profileUrl", web_address)] = ()
    screen_name: Annotated[str | None, element("screenName", at_most(256))] = None
    display_names: Annotated[tuple[str, ...], element("displayName", at_most(255))] = ()
    profile_bio: Annotated[str | None, element("profileBio")] = None
    group: Annotated[str | None, element("groupIdentifier", at_most(256))] = None
    compromised: Annotated[bool | None, element("compromisedAccount")] = None
    temporarily_disabled: Annotated[
        TemporarilyDisabled | None, element("accountTemporarilyDisabled")
    ] = None
    permanently_disabled: Annotated[
        PermanentlyDisabled | None, element("accountPermanentlyDisabled")
    ] = None
    ip_captures: Annotated[tuple[IpCapture, ...], element("ipCaptureEvent")] = ()
    devices: Annotated[tuple[DeviceCapture, ...], element("deviceId")] = ()
    prior_reports: Annotated[
        tuple[int, ...], element("priorCTReport", report_number)
    ] = ()
    additional_info: Annotated[str | None, element("additionalInfo")] = None

    def own_problems(self, now: datetime) -> Iterator[str]:
        if self.age is not None and self.born_on is not None:
            yield "an age and a date of birth exclude each other"


@dataclass(frozen=True, kw_only=True)
class ReportedPerson(Record):
    """Whom the report shows as the suspect: only an actor that people decided so."""

    person: Annotated[Person | None, element("personOrUserReportedPerson")] = None
    vehicle: Annotated[str | None, element("vehicleDescription", at_most(300))] = None
    identifier: Annotated[str | None, element("espIdentifier", at_most(255))] = None
    service: Annotated[str | None, element("espService", at_most(100))] = None
    compromised: Annotated[bool | None, element("compromisedAccount")] = None
    screen_name: Annotated[str | None, element("screenName", at_most(256))] = None
    display_names: Annotated[tuple[str, ...], element("displayName", at_most(255))] = ()
    profile_urls: Annotated[tuple[str, ...], element("profileUrl", web_address)] = ()
    profile_bio: Annotated[str | None, element("profileBio")] = None
    ip_captures: Annotated[tuple[IpCapture, ...], element("ipCaptureEvent")] = ()
    devices: Annotated[tuple[DeviceCapture, ...], element("deviceId")] = ()
    third_party: Annotated[bool | None, element("thirdPartyUserReported")] = None
    prior_reports: Annotated[
        tuple[int, ...], element("priorCTReports", report_number)
    ] = ()
    group: Annotated[str | None, element("groupIdentifier", at_most(255))] = None
    temporarily_disabled: Annotated[
        TemporarilyDisabled | None, element("accountTemporarilyDisabled")
    ] = None
    permanently_disabled: Annotated[
        PermanentlyDisabled | None, element("accountPermanentlyDisabled")
    ] = None
    location: Annotated[EstimatedLocation | None, element("estimatedLocation")] = None
    all_emails_reported: Annotated[bool | None, element("allEmailsReported")] = None
    associated: Annotated[
        tuple[AssociatedAccount, ...], element("associatedAccount")
    ] = ()
    additional_info: Annotated[str | None, element("additionalInfo")] = None


@dataclass(frozen=True, kw_only=True)
class IntendedRecipient(Record):
    """Somebody for whom it was meant. Not an accusation."""

    person: Annotated[Person | None, element("intendedRecipientPerson")] = None
    identifier: Annotated[str | None, element("espIdentifier", at_most(255))] = None
    service: Annotated[str | None, element("espService", at_most(100))] = None
    compromised: Annotated[bool | None, element("compromisedAccount")] = None
    screen_name: Annotated[str | None, element("screenName", at_most(256))] = None
    display_names: Annotated[tuple[str, ...], element("displayName", at_most(255))] = ()
    profile_urls: Annotated[tuple[str, ...], element("profileUrl", web_address)] = ()
    profile_bio: Annotated[str | None, element("profileBio")] = None
    ip_captures: Annotated[tuple[IpCapture, ...], element("ipCaptureEvent")] = ()
    devices: Annotated[tuple[DeviceCapture, ...], element("deviceId")] = ()
    prior_reports: Annotated[
        tuple[int, ...], element("priorCTReports", report_number)
    ] = ()
    group: Annotated[str | None, element("groupIdentifier", at_most(255))] = None
    temporarily_disabled: Annotated[
        TemporarilyDisabled | None, element("accountTemporarilyDisabled")
    ] = None
    permanently_disabled: Annotated[
        PermanentlyDisabled | None, element("accountPermanentlyDisabled")
    ] = None
    location: Annotated[EstimatedLocation | None, element("estimatedLocation")] = None
    all_emails_reported: Annotated[bool | None, element("allEmailsReported")] = None
    additional_info: Annotated[tuple[str, ...], element("additionalInfo")] = ()


@dataclass(frozen=True, kw_only=True)
class Victim(Record):
    """A child to whom it was done. ``person`` may be empty but must be there."""

    person: Annotated[Person, element("victimPerson")]
    identifier: Annotated[str | None, element("espIdentifier", at_most(255))] = None
    service: Annotated[str | None, element("espService", at_most(100))] = None
    compromised: Annotated[bool | None, element("compromisedAccount")] = None
    screen_name: Annotated[str | None, element("screenName", at_most(256))] = None
    display_names: Annotated[tuple[str, ...], element("displayName", at_most(255))] = ()
    profile_urls: Annotated[tuple[str, ...], element("profileUrl", web_address)] = ()
    profile_bio: Annotated[str | None, element("profileBio")] = None
    ip_captures: Annotated[tuple[IpCapture, ...], element("ipCaptureEvent")] = ()
    devices: Annotated[tuple[DeviceCapture, ...], element("deviceId")] = ()
    school: Annotated[str | None, element("schoolName", at_most(255))] = None
    prior_reports: Annotated[
        tuple[int, ...], element("priorCTReports", report_number)
    ] = ()
    temporarily_disabled: Annotated[
        TemporarilyDisabled | None, element("accountTemporarilyDisabled")
    ] = None
    permanently_disabled: Annotated[
        PermanentlyDisabled | None, element("accountPermanentlyDisabled")
    ] = None
    location: Annotated[EstimatedLocation | None, element("estimatedLocation")] = None
    all_emails_reported: Annotated[bool | None, element("allEmailsReported")] = None
    associated: Annotated[
        tuple[AssociatedAccount, ...], element("associatedAccount")
    ] = ()
    additional_info: Annotated[str | None, element("additionalInfo")] = None
