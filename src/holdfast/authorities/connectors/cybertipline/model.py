"""What Holdfast sends to the CyberTipline: a report, and the details of each file.

The records say what a document holds; they decide nothing (``convert.py`` does) and
send nothing (``client.py`` does). Order, names and cardinalities are those of NCMEC's
schema of November 2025; lengths and the rules between fields are from its
documentation of June 2025. Batched reports are left out on purpose: they name several
people for one viral file, and Holdfast refers each person apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from holdfast.authorities.connectors.cybertipline.accounts import (
    IntendedRecipient,
    ReportedPerson,
    Victim,
    report_number,
)
from holdfast.authorities.connectors.cybertipline.checks import (
    at_most,
    country_code,
    in_the_past,
    matches,
    not_blank,
    web_address,
)
from holdfast.authorities.connectors.cybertipline.document import (
    Record,
    attribute,
    body,
    choice,
    element,
    marks,
)
from holdfast.authorities.connectors.cybertipline.incidents import (
    EmailIncident,
    Incident,
    NewsgroupIncident,
)
from holdfast.authorities.connectors.cybertipline.parts import (
    ContactPerson,
    DeviceCapture,
    IpCapture,
    Person,
)
from holdfast.authorities.connectors.cybertipline.words import (
    DetailsType,
    FileAnnotation,
    FileRelevance,
    IncidentType,
    IndustryClassification,
    ReportAnnotation,
)


@dataclass(frozen=True, kw_only=True)
class IncidentSummary(Record):
    """What happened and when. ``escalate`` gives a reason only when there is one."""

    incident_type: Annotated[IncidentType, element("incidentType")]
    platform: Annotated[str | None, element("platform", at_most(256))] = None
    escalate: Annotated[
        str | None, element("escalateToHighPriority", not_blank, at_most(3000))
    ] = None
    annotations: Annotated[frozenset[ReportAnnotation], marks("reportAnnotations")] = (
        frozenset()
    )
    incident_at: Annotated[datetime, element("incidentDateTime", in_the_past)]
    incident_at_description: Annotated[
        str | None, element("incidentDateTimeDescription", at_most(3000))
    ] = None


@dataclass(frozen=True, kw_only=True)
class ServedFromAbroad(Record):
    """Whether another country's authority served legal process, and which country."""

    is_so: Annotated[bool, body()]
    country: Annotated[str | None, attribute("fleaCountry", country_code)] = None


@dataclass(frozen=True, kw_only=True)
class LawEnforcement(Record):
    """The police that know of it already, and their number for it."""

    agency: Annotated[str, element("agencyName", not_blank, at_most(255))]
    case_number: Annotated[str | None, element("caseNumber", at_most(100))] = None
    officer: Annotated[ContactPerson | None, element("officerContact")] = None
    reported_by_us: Annotated[bool | None, element("reportedToLe")] = None
    served_here: Annotated[bool | None, element("servedLegalProcessDomestic")] = None
    served_from_abroad: Annotated[
        ServedFromAbroad | None, element("servedLegalProcessInternational")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Reporter(Record):
    """The firm that reports, by a person with an e-mail address."""

    person: Annotated[Person, element("reportingPerson")]
    contact: Annotated[ContactPerson | None, element("contactPerson")] = None
    company_text: Annotated[str | None, element("companyTemplate")] = None
    terms_of_service: Annotated[str | None, element("termsOfService")] = None
    legal_url: Annotated[str | None, element("legalURL", web_address)] = None

    def own_problems(self, now: datetime) -> Iterator[str]:
        if not self.person.emails:
            yield "the reporting person needs an e-mail address"


@dataclass(frozen=True, kw_only=True)
class Report(Record):
    """One CyberTip: the document that ``submit`` takes."""

    TAG: ClassVar[str] = "report"
    summary: Annotated[IncidentSummary, element("incidentSummary")]
    incidents: Annotated[tuple[Incident, ...], choice("internetDetails")] = ()
    police: Annotated[LawEnforcement | None, element("lawEnforcement")] = None
    reporter: Annotated[Reporter, element("reporter")]
    reported: Annotated[ReportedPerson | None, element("personOrUserReported")] = None
    recipients: Annotated[
        tuple[IntendedRecipient, ...], element("intendedRecipient")
    ] = ()
    victims: Annotated[tuple[Victim, ...], element("victim")] = ()
    additional_info: Annotated[str | None, element("additionalInfo")] = None

    def own_problems(self, now: datetime) -> Iterator[str]:
        people = (
            self.reported.person if self.reported else None,
            *(recipient.person for recipient in self.recipients),
            *(victim.person for victim in self.victims),
        )
        known = {mail.address for who in people if who for mail in who.emails}
        for incident in self.incidents:
            if (
                isinstance(incident, EmailIncident | NewsgroupIncident)
                and not {mail.address for mail in incident.emails} <= known
            ):
                yield f"an address in {incident.TAG} stands under no person"


@dataclass(frozen=True, kw_only=True)
class FileHash(Record):
    """A hash of the file as it was uploaded to the platform, before any change."""

    value: Annotated[str, body(not_blank)]
    algorithm: Annotated[str, attribute("hashType", not_blank, at_most(64))]


@dataclass(frozen=True, kw_only=True)
class NameValue(Record):
    """One entry of a file's metadata."""

    name: Annotated[str, element("name", at_most(64))]
    value: Annotated[str, element("value")]


@dataclass(frozen=True, kw_only=True)
class Metadata(Record):
    """A file's metadata of one kind; at least one entry."""

    entries: Annotated[tuple[NameValue, ...], element("nameValuePair")]
    type: Annotated[DetailsType | None, attribute("type")] = None

    def own_problems(self, now: datetime) -> Iterator[str]:
        if not self.entries:
            yield "needs at least one entry"


@dataclass(frozen=True, kw_only=True)
class FileDetails(Record):
    """What is known of one uploaded file: the document that ``fileinfo`` takes.

    ``viewed`` says that the firm's staff saw the *entire* contents. It is computed
    from the reveal log: police in parts of the US may open the file without a warrant
    only if it is true, and evidence can be lost if it is not so.
    """

    TAG: ClassVar[str] = "fileDetails"
    report_id: Annotated[int, element("reportId", report_number)]
    file_id: Annotated[str, element("fileId", matches("[0-9a-fA-F]{32}"))]
    original_name: Annotated[str | None, element("originalFileName", at_most(2056))] = (
        None
    )
    uploaded_at: Annotated[
        datetime | None, element("uploadedToEspTimestamp", in_the_past)
    ] = None
    url: Annotated[str | None, element("locationOfFile", web_address)] = None
    viewed: Annotated[bool | None, element("fileViewedByEsp")] = None
    exif_viewed: Annotated[bool | None, element("exifViewedByEsp")] = None
    public: Annotated[bool | None, element("publiclyAvailable")] = None
    relevance: Annotated[FileRelevance | None, element("fileRelevance")] = None
    annotations: Annotated[frozenset[FileAnnotation], marks("fileAnnotations")] = (
        frozenset()
    )
    classification: Annotated[
        IndustryClassification | None, element("industryClassification")
    ] = None
    hashes: Annotated[tuple[FileHash, ...], element("originalFileHash")] = ()
    ip_capture: Annotated[IpCapture | None, element("ipCaptureEvent")] = None
    devices: Annotated[tuple[DeviceCapture, ...], element("deviceId")] = ()
    metadata: Annotated[tuple[Metadata, ...], element("details")] = ()
    additional_info: Annotated[tuple[str, ...], element("additionalInfo")] = ()

    def own_problems(self, now: datetime) -> Iterator[str]:
        if self.exif_viewed and not self.viewed:
            yield "EXIF that was viewed needs the file to have been viewed"
        if self.relevance is FileRelevance.SUPPLEMENTAL:
            if FileAnnotation.POTENTIAL_MEME in self.annotations:
                yield "a supplemental file may not be marked a potential meme"
            if self.classification is not None:
                yield "a supplemental file may not have an industry classification"
