"""What a decision record tells the CyberTipline, in Holdfast's words.

Plain values, filled by whoever opens a referral. Nothing here knows of XML, and no
field has a default that would claim something: what is not known is empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from holdfast.authorities.connectors.cybertipline.words import (
    EventName,
    FileAnnotation,
    FileRelevance,
    IndustryClassification,
    ReportAnnotation,
)


class ActorPart(StrEnum):
    """An actor's part in a case, as people decided it."""

    OFFENDER = "offender"
    PERSON_SHOWN = "person_shown"
    PEER = "peer"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class CaptureFacts:
    """An IP address seen at a moment; ``port`` 1 to 65535."""

    address: str
    event: EventName | None = None
    captured_at: datetime | None = None
    port: int | None = None


@dataclass(frozen=True, kw_only=True)
class ActorFacts:
    """An account, or a child known by age alone (then ``actor_id`` is empty).

    ``age`` in years. ``prior_reports`` are numbers of earlier CyberTips about the same
    actor. ``disabled_for_good`` has a meaning only with ``disabled_at``.
    """

    part: ActorPart
    actor_id: str = ""
    screen_name: str = ""
    display_names: tuple[str, ...] = ()
    profile_urls: tuple[str, ...] = ()
    profile_bio: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    age: int | None = None
    ips: tuple[CaptureFacts, ...] = ()
    prior_reports: tuple[int, ...] = ()
    disabled_at: datetime | None = None
    disabled_for_good: bool = False


@dataclass(frozen=True, kw_only=True)
class PoliceFacts:
    """What a person told us of the police, and whether we told them ourselves."""

    agency: str = ""
    case_number: str = ""
    reported_by_us: bool = False


@dataclass(frozen=True, kw_only=True)
class ReporterFacts:
    """The firm's point of contact, from the installation's configuration."""

    emails: tuple[str, ...]
    first_name: str = ""
    last_name: str = ""
    phones: tuple[str, ...] = ()
    company_text: str = ""
    legal_url: str = ""


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """One file. Hashes in hexadecimal, of the bytes as they were uploaded.

    ``viewed_entire`` and ``exif_viewed`` are computed from the reveal log by the
    caller, never typed in. ``publicly_available`` is ``None`` when not known.
    ``classification`` only for firms that signed NCMEC's hash-sharing MOU.
    """

    name: str
    sha256: str
    md5: str
    viewed_entire: bool
    exif_viewed: bool = False
    uploaded_at: datetime | None = None
    url: str = ""
    publicly_available: bool | None = None
    relevance: FileRelevance = FileRelevance.REPORTED
    annotations: frozenset[FileAnnotation] = frozenset()
    classification: IndustryClassification | None = None
    ip: CaptureFacts | None = None
    additional_text: str = ""


@dataclass(frozen=True, kw_only=True)
class ReferralFacts:
    """Everything one decision tells. Times have a time zone.

    ``reported_at`` is when the first report was received. ``happened_at`` is when the
    item was put there, where no file says so. ``conversation`` is the text of a
    conversation: a referral may consist of it alone. ``escalation_reason`` is written
    by a person, and only when a child is in danger now.
    """

    category: str
    reported_at: datetime
    platform: str
    reporter: ReporterFacts
    happened_at: datetime | None = None
    item_urls: tuple[str, ...] = ()
    conversation: str = ""
    actors: tuple[ActorFacts, ...] = ()
    police: PoliceFacts | None = None
    files: tuple[FileFacts, ...] = ()
    annotations: frozenset[ReportAnnotation] = frozenset()
    escalation_reason: str = ""
    additional_text: str = ""
