"""CyberTips to test with: the least, one that says everything, and their facts."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from holdfast.authorities.connectors.cybertipline import words as w
from holdfast.authorities.connectors.cybertipline.accounts import (
    AssociatedAccount,
    IntendedRecipient,
    OtherPlatform,
    ReportedPerson,
    Victim,
)
from holdfast.authorities.connectors.cybertipline.facts import (
    ActorFacts,
    ActorPart,
    CaptureFacts,
    FileFacts,
    PoliceFacts,
    ReferralFacts,
    ReporterFacts,
)
from holdfast.authorities.connectors.cybertipline.incidents import (
    CellPhoneIncident,
    ChatIncident,
    EmailIncident,
    GamingIncident,
    NewsgroupIncident,
    OfflineIncident,
    PeerToPeerIncident,
    WebPageIncident,
)
from holdfast.authorities.connectors.cybertipline.model import (
    FileDetails,
    FileHash,
    IncidentSummary,
    LawEnforcement,
    Metadata,
    NameValue,
    Report,
    Reporter,
    ServedFromAbroad,
)
from holdfast.authorities.connectors.cybertipline.parts import (
    Address,
    ContactPerson,
    DeviceCapture,
    Email,
    EstimatedLocation,
    IpCapture,
    PermanentlyDisabled,
    Person,
    Phone,
    TemporarilyDisabled,
)

# NCMEC's own schema, which is not part of this repository.
REFERENCE = (
    Path(__file__).parents[2].parent / "shared" / "reference" / "cybertipline.xsd"
)

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
AGO = NOW - timedelta(days=30)
LATER = AGO + timedelta(days=1)

EMAIL = Email(
    address="somebody@example.org",
    type=w.EmailType.HOME,
    verified=True,
    verified_at=AGO,
)
PHONE = Phone(
    number="5550100",
    type=w.PhoneType.MOBILE,
    verified=True,
    verified_at=AGO,
    calling_code="+47",
    extension="12",
)
ADDRESS = Address(
    street="1 Street",
    city="Town",
    postal_code="12345",
    us_state="CA",
    other_state="Province",
    country="NO",
    type=w.AddressType.HOME,
)
CONTACT = ContactPerson(
    first_name="A",
    last_name="B",
    phones=(PHONE, PHONE),
    emails=(EMAIL, EMAIL),
    addresses=(ADDRESS, ADDRESS),
)
PERSON = Person(
    first_name="A",
    last_name="B",
    phones=(PHONE,),
    emails=(EMAIL,),
    addresses=(ADDRESS,),
    age=13,
    born_on=date(2012, 1, 2),
)
IP = IpCapture(
    address="2001:db8::1",
    event=w.EventName.UPLOAD,
    captured_at=AGO,
    possible_proxy=False,
    port=443,
)
DEVICE = DeviceCapture(
    id_type="IMEI", id_value="490154203237518", event=w.EventName.LOGIN, captured_at=AGO
)
FOR_GOOD = PermanentlyDisabled(disabled_at=AGO, notified=True, notified_at=LATER)
FOR_A_TIME = TemporarilyDisabled(
    disabled_at=AGO, notified=True, notified_at=LATER, reenabled_at=LATER
)
PLACE = EstimatedLocation(
    city="Town", region="CA", country="US", verified=True, estimated_at=AGO
)
ASSOCIATED = AssociatedAccount(
    type=w.AssociatedAccountType.PARENT_OR_GUARDIAN,
    platform=OtherPlatform(name="Elsewhere", third_party=True),
    first_name="A",
    middle_name="B",
    last_name="C",
    age=40,
    phones=(PHONE,),
    emails=(EMAIL,),
    all_emails_reported=True,
    addresses=(ADDRESS,),
    service="Plaza",
    identifier="u1",
    profile_urls=("https://plaza.example/u1",),
    screen_name="screen",
    display_names=("Display",),
    profile_bio="bio",
    group="group",
    compromised=False,
    temporarily_disabled=FOR_A_TIME,
    permanently_disabled=FOR_GOOD,
    ip_captures=(IP,),
    devices=(DEVICE,),
    prior_reports=(1, 2),
    additional_info="more",
)

MINIMAL = Report(
    summary=IncidentSummary(
        incident_type=w.IncidentType.ONLINE_ENTICEMENT, incident_at=AGO
    ),
    reporter=Reporter(person=Person(emails=(Email(address="desk@plaza.example"),))),
)

MAXIMAL = Report(
    summary=IncidentSummary(
        incident_type=w.IncidentType.CHILD_PORNOGRAPHY,
        platform="Plaza",
        escalate="A reason.",
        annotations=frozenset(w.ReportAnnotation),
        incident_at=AGO,
        incident_at_description="upload",
    ),
    incidents=(
        WebPageIncident(
            urls=("https://plaza.example/1", "https://plaza.example/2"),
            additional_info="more",
            third_party_hosted=False,
        ),
        EmailIncident(emails=(EMAIL,), content="text", additional_info="more"),
        NewsgroupIncident(
            name="alt.example", emails=(EMAIL,), content="text", additional_info="more"
        ),
        ChatIncident(
            client="Plaza", room="room", content="text", additional_info="more"
        ),
        GamingIncident(
            game="Game", console="Console", content="text", additional_info="more"
        ),
        CellPhoneIncident(
            phone=PHONE, latitude=59.91, longitude=10.75, additional_info="more"
        ),
        OfflineIncident(location="Place", addresses=(ADDRESS,), additional_info="more"),
        PeerToPeerIncident(
            client="Client",
            ip_captures=(IP, IP),
            file_names="a.jpg",
            additional_info="more",
        ),
    ),
    police=LawEnforcement(
        agency="Police",
        case_number="123/20",
        officer=CONTACT,
        reported_by_us=False,
        served_here=False,
        served_from_abroad=ServedFromAbroad(is_so=True, country="NO"),
    ),
    reporter=Reporter(
        person=PERSON,
        contact=CONTACT,
        company_text="company",
        terms_of_service="terms",
        legal_url="https://plaza.example/legal",
    ),
    reported=ReportedPerson(
        person=PERSON,
        vehicle="none",
        identifier="u2",
        service="Plaza",
        compromised=False,
        screen_name="screen",
        display_names=("One", "Two"),
        profile_urls=("https://plaza.example/u2",),
        profile_bio="bio",
        ip_captures=(IP, IP),
        devices=(DEVICE,),
        third_party=False,
        prior_reports=(3, 4),
        group="group",
        temporarily_disabled=FOR_A_TIME,
        permanently_disabled=FOR_GOOD,
        location=PLACE,
        all_emails_reported=True,
        associated=(ASSOCIATED,),
        additional_info="more",
    ),
    recipients=(
        IntendedRecipient(
            person=PERSON,
            identifier="u3",
            service="Plaza",
            compromised=False,
            screen_name="screen",
            display_names=("One",),
            profile_urls=("https://plaza.example/u3",),
            profile_bio="bio",
            ip_captures=(IP,),
            devices=(DEVICE,),
            prior_reports=(5,),
            group="group",
            temporarily_disabled=FOR_A_TIME,
            permanently_disabled=FOR_GOOD,
            location=PLACE,
            all_emails_reported=True,
            additional_info=("more", "and more"),
        ),
    ),
    victims=(
        Victim(
            person=PERSON,
            identifier="u4",
            service="Plaza",
            compromised=False,
            screen_name="screen",
            display_names=("One",),
            profile_urls=("https://plaza.example/u4",),
            profile_bio="bio",
            ip_captures=(IP,),
            devices=(DEVICE,),
            school="School",
            prior_reports=(6,),
            temporarily_disabled=FOR_A_TIME,
            permanently_disabled=FOR_GOOD,
            location=PLACE,
            all_emails_reported=True,
            associated=(ASSOCIATED,),
            additional_info="more",
        ),
        Victim(person=Person()),
    ),
    additional_info="more",
)

DETAILS = FileDetails(
    report_id=4564654,
    file_id="b0754af766b426f2928a02c651ed4b99",
    original_name="picture.jpg",
    uploaded_at=AGO,
    url="https://plaza.example/1.jpg",
    viewed=True,
    exif_viewed=True,
    public=True,
    relevance=w.FileRelevance.REPORTED,
    annotations=frozenset(w.FileAnnotation),
    classification=w.IndustryClassification.B2,
    hashes=(FileHash(value="00", algorithm="MD5"),) * 2,
    ip_capture=IP,
    devices=(DEVICE, DEVICE),
    metadata=(
        Metadata(
            type=w.DetailsType.EXIF, entries=(NameValue(name="Make", value="X"),) * 2
        ),
    ),
    additional_info=("one", "two"),
)

ANSWERS = (
    b"<reportResponse><responseCode>0</responseCode><responseDescription>Success"
    b"</responseDescription><reportId>4564654</reportId><fileId>b0754af766b426f2"
    b"928a02c651ed4b99</fileId><hash>fafa5efeaf3cbe3b23b2748d13e629a1</hash>"
    b"</reportResponse>",
    b"<reportDoneResponse><responseCode>0</responseCode><reportId>4564654</reportId>"
    b"<files><fileId>b0754af766b426f2928a02c651ed4b99</fileId></files>"
    b"</reportDoneResponse>",
)

# Two harmless "files": the protocol does not look into them.
CONTENTS = {"one.jpg": b"one\r\n--\x00\xff picture", "two.png": b"another\n" * 999}


def facts() -> ReferralFacts:
    """A referral as the story has it: one item, two files, a police number."""
    return ReferralFacts(
        category="child_sexual_abuse_material",
        reported_at=AGO + timedelta(days=2),
        platform="Plaza",
        reporter=ReporterFacts(emails=("desk@plaza.example",), first_name="Desk"),
        item_urls=("https://plaza.example/posts/1",),
        actors=(
            ActorFacts(
                part=ActorPart.OFFENDER,
                actor_id="u-17",
                screen_name="seventeen",
                display_names=("Seventeen",),
                profile_urls=("https://plaza.example/u/17",),
                emails=("seventeen@example.org",),
                ips=(
                    CaptureFacts(
                        address="192.0.2.7",
                        event=w.EventName.UPLOAD,
                        captured_at=AGO,
                        port=50123,
                    ),
                ),
                prior_reports=(4_000_001,),
                disabled_at=AGO + timedelta(days=3),
                disabled_for_good=True,
            ),
            ActorFacts(part=ActorPart.PERSON_SHOWN, actor_id="u-4", age=13),
            ActorFacts(part=ActorPart.PEER, actor_id="u-peer", screen_name="peer"),
            ActorFacts(part=ActorPart.UNKNOWN, actor_id="u-open", screen_name="open"),
        ),
        police=PoliceFacts(agency="Harbour Police", case_number="20-00417"),
        files=tuple(
            FileFacts(
                name=name,
                sha256=hashlib.sha256(content).hexdigest(),
                md5=hashlib.md5(content).hexdigest(),
                viewed_entire=name == "one.jpg",
                uploaded_at=AGO,
                publicly_available=True,
            )
            for name, content in CONTENTS.items()
        ),
    )
