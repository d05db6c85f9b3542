"""Where it happened: the eight kinds of place that a CyberTip can name.

One record for each kind; several places are several records. Order, names and lengths
are those of NCMEC's schema of November 2025 and its documentation of June 2025.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from holdfast.authorities.connectors.cybertipline.checks import (
    at_most,
    between,
    web_address,
)
from holdfast.authorities.connectors.cybertipline.document import (
    Record,
    attribute,
    element,
)
from holdfast.authorities.connectors.cybertipline.parts import (
    Address,
    Email,
    IpCapture,
    Phone,
)


@dataclass(frozen=True, kw_only=True)
class WebPageIncident(Record):
    """It happened at these addresses."""

    TAG: ClassVar[str] = "webPageIncident"
    urls: Annotated[tuple[str, ...], element("url", web_address)] = ()
    additional_info: Annotated[str | None, element("additionalInfo")] = None
    third_party_hosted: Annotated[bool | None, attribute("thirdPartyHostedContent")] = (
        None
    )


@dataclass(frozen=True, kw_only=True)
class EmailIncident(Record):
    """It happened by e-mail. Each address must also stand under a person."""

    TAG: ClassVar[str] = "emailIncident"
    emails: Annotated[tuple[Email, ...], element("emailAddress")] = ()
    content: Annotated[str | None, element("content")] = None
    additional_info: Annotated[str | None, element("additionalInfo")] = None


@dataclass(frozen=True, kw_only=True)
class NewsgroupIncident(Record):
    """It happened in a newsgroup. Each address must also stand under a person."""

    TAG: ClassVar[str] = "newsgroupIncident"
    name: Annotated[str | None, element("name", at_most(255))] = None
    emails: Annotated[tuple[Email, ...], element("emailAddress")] = ()
    content: Annotated[str | None, element("content")] = None
    additional_info: Annotated[str | None, element("additionalInfo")] = None


@dataclass(frozen=True, kw_only=True)
class ChatIncident(Record):
    """It happened in a conversation; ``content`` is what was written."""

    TAG: ClassVar[str] = "chatImIncident"
    client: Annotated[str | None, element("chatClient", at_most(255))] = None
    room: Annotated[str | None, element("chatRoomName", at_most(255))] = None
    content: Annotated[str | None, element("content")] = None
    additional_info: Annotated[str | None, element("additionalInfo")] = None


@dataclass(frozen=True, kw_only=True)
class GamingIncident(Record):
    """It happened in an online game."""

    TAG: ClassVar[str] = "onlineGamingIncident"
    game: Annotated[str | None, element("gameName", at_most(255))] = None
    console: Annotated[str | None, element("console", at_most(255))] = None
    content: Annotated[str | None, element("content")] = None
    additional_info: Annotated[str | None, element("additionalInfo")] = None


@dataclass(frozen=True, kw_only=True)
class CellPhoneIncident(Record):
    """It happened by telephone; position in degrees."""

    TAG: ClassVar[str] = "cellPhoneIncident"
    phone: Annotated[Phone | None, element("phoneNumber")] = None
    latitude: Annotated[float | None, element("latitude", between(-90, 90))] = None
    longitude: Annotated[float | None, element("longitude", between(-180, 180))] = None
    additional_info: Annotated[str | None, element("additionalInfo")] = None


@dataclass(frozen=True, kw_only=True)
class OfflineIncident(Record):
    """It happened without a network."""

    TAG: ClassVar[str] = "nonInternetIncident"
    location: Annotated[str | None, element("locationName", at_most(255))] = None
    addresses: Annotated[tuple[Address, ...], element("incidentAddress")] = ()
    additional_info: Annotated[str | None, element("additionalInfo")] = None


@dataclass(frozen=True, kw_only=True)
class PeerToPeerIncident(Record):
    """It happened in a peer-to-peer network."""

    TAG: ClassVar[str] = "peer2peerIncident"
    client: Annotated[str | None, element("client", at_most(255))] = None
    ip_captures: Annotated[tuple[IpCapture, ...], element("ipCaptureEvent")] = ()
    file_names: Annotated[str | None, element("fileNames")] = None
    additional_info: Annotated[str | None, element("additionalInfo")] = None


Incident = (
    WebPageIncident
    | EmailIncident
    | NewsgroupIncident
    | ChatIncident
    | GamingIncident
    | CellPhoneIncident
    | OfflineIncident
    | PeerToPeerIncident
)
