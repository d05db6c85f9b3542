"""What is sent to the CyberTipline: documents, schemas, and their meaning."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from holdfast.authorities.connectors.cybertipline import convert, fake_state
from holdfast.authorities.connectors.cybertipline import words as w
from holdfast.authorities.connectors.cybertipline.document import Record
from holdfast.authorities.connectors.cybertipline.facts import (
    ActorFacts,
    ActorPart,
    CaptureFacts,
    PoliceFacts,
)
from holdfast.authorities.connectors.cybertipline.incidents import (
    EmailIncident,
    WebPageIncident,
)
from holdfast.authorities.connectors.cybertipline.model import FileDetails
from holdfast.authorities.connectors.cybertipline.parts import (
    Email,
    EstimatedLocation,
    IpCapture,
    PermanentlyDisabled,
    Person,
    Phone,
    TemporarilyDisabled,
)
from holdfast.authorities.connectors.cybertipline.schema import (
    UnreadableXml,
    own_schema,
    parse,
    validate,
)
from holdfast.base.errors import InvalidInput

from .cybertips import (
    AGO,
    DETAILS,
    MAXIMAL,
    MINIMAL,
    NOW,
    REFERENCE,
    facts,
)
from .spoilt import roots, spoilt


@pytest.fixture(scope="module")
def reference() -> bytes:
    """NCMEC's schema, which is not part of this repository."""
    if not REFERENCE.exists():
        pytest.skip("no copy of NCMEC's schema beside the repository")
    return REFERENCE.read_bytes()


# --- documents and schemas ---------------------------------------------------------


def test_the_schemas_agree_on_valid_and_spoilt_documents(reference: bytes) -> None:
    own = own_schema()
    valid = invalid = 0
    for root in roots():
        assert validate(etree.tostring(root), own) == []
        assert validate(etree.tostring(root), reference) == []
        for document in spoilt(root):
            verdict = validate(document, reference) == []
            assert (validate(document, own) == []) is verdict, document
            valid, invalid = valid + verdict, invalid + (not verdict)
    # Both verdicts must occur often, or the agreement would mean nothing.
    assert min(valid, invalid) > 1000


def test_the_schemas_have_the_same_closed_lists(reference: bytes) -> None:
    def lists(xsd: bytes) -> list[list[str]]:
        name = "{http://www.w3.org/2001/XMLSchema}"
        return sorted(
            sorted(one.get("value", "") for one in kind.iter(f"{name}enumeration"))
            for kind in parse(xsd).iter(f"{name}simpleType")
            if kind.find(f".//{name}enumeration") is not None
        )

    assert lists(own_schema()) == lists(reference)


@pytest.mark.parametrize("record", [MINIMAL, MAXIMAL, DETAILS], ids=lambda r: r.TAG)
def test_what_we_write_is_valid_by_our_schema(record: Record) -> None:
    assert record.problems(NOW) == []
    assert validate(record.to_xml(), own_schema()) == []


def test_every_element_of_the_schema_that_we_send_is_in_the_fullest_report() -> None:
    name = "{http://www.w3.org/2001/XMLSchema}element"
    declared = {e.get("name") for e in parse(own_schema()).iter(name)}
    sent = {e.tag for one in (MAXIMAL, DETAILS) for e in parse(one.to_xml()).iter()}
    answered = {"reportResponse", "responseCode", "responseDescription", "hash"}
    answered |= {"reportDoneResponse", "files"}
    # Not sent: batches, the file name NCMEC gives itself (its documentation has no
    # such field), and, as files here carry all marks, nothing else.
    assert declared - sent - answered == {"batchedReport", "fileName"}


def test_findings_repeat_no_value() -> None:
    document = MAXIMAL.to_xml().replace(b">Upload<", b">secret-value<")
    findings = validate(document, own_schema())
    assert findings
    assert "secret-value" not in "".join(findings)


@pytest.mark.parametrize(
    "xsd",
    [
        b"<x/>",
        b"not xml",
        b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        b'<xs:include schemaLocation="file:///etc/hostname"/></xs:schema>',
    ],
)
def test_a_schema_that_is_none_or_reaches_out_is_refused(xsd: bytes) -> None:
    with pytest.raises(UnreadableXml):
        validate(MINIMAL.to_xml(), xsd)


_NAIVE = datetime(2020, 1, 1)
_AHEAD = NOW + timedelta(seconds=1)


def _with(**changes: object) -> FileDetails:
    return replace(DETAILS, **changes)  # type: ignore[arg-type]  # A table of changes.


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            replace(MINIMAL, reporter=replace(MINIMAL.reporter, person=Person())),
            "report/reporter: the reporting person needs an e-mail address",
        ),
        (
            replace(MINIMAL, summary=replace(MINIMAL.summary, incident_at=_NAIVE)),
            "report/incidentSummary/incidentDateTime: has no time zone",
        ),
        (
            replace(MINIMAL, summary=replace(MINIMAL.summary, incident_at=_AHEAD)),
            "report/incidentSummary/incidentDateTime: must be in the past",
        ),
        (
            replace(MINIMAL, summary=replace(MINIMAL.summary, platform="x" * 257)),
            "report/incidentSummary/platform: longer than 256 characters",
        ),
        (
            replace(MINIMAL, summary=replace(MINIMAL.summary, escalate=" ")),
            "report/incidentSummary/escalateToHighPriority: must not be blank",
        ),
        (
            replace(MINIMAL, incidents=(WebPageIncident(urls=("x y",)),)),
            "report/internetDetails/webPageIncident/url: "
            "must be a valid http or https URL",
        ),
        (
            replace(
                MINIMAL, incidents=(EmailIncident(emails=(Email(address="a@b.cd"),)),)
            ),
            "report: an address in emailIncident stands under no person",
        ),
        (
            replace(MINIMAL, additional_info="a\x00b"),
            "report/additionalInfo: holds a character that XML cannot carry",
        ),
        (
            _with(viewed=False),
            "fileDetails: EXIF that was viewed needs the file to have been viewed",
        ),
        (
            _with(
                relevance=w.FileRelevance.SUPPLEMENTAL,
                annotations=frozenset(),
            ),
            "fileDetails: a supplemental file may not have an industry classification",
        ),
        (
            _with(relevance=w.FileRelevance.SUPPLEMENTAL, classification=None),
            "fileDetails: a supplemental file may not be marked a potential meme",
        ),
        (_with(file_id="x"), "fileDetails/fileId: must have the form [0-9a-fA-F]{32}"),
        (IpCapture(address="256.1.1.1"), "/ipAddress: must be a valid IP address"),
        (IpCapture(address="fe80::1%e"), "/ipAddress: must be a valid IP address"),
        (IpCapture(address="::1", port=0), "/port: must be between 1 and 65535"),
        (Email(address="no"), ": must be a well-formed e-mail address"),
        (
            Email(address="a@b.cd", verified_at=AGO),
            ": a verification date needs verified to be true",
        ),
        (
            Phone(number="+47 1", calling_code="+47"),
            ": must not repeat the country calling code",
        ),
        (
            EstimatedLocation(country="US", city="Town"),
            ": a city in the US needs its region",
        ),
        (
            PermanentlyDisabled(disabled_at=NOW, notified_at=AGO),
            ": the holder was told before the account was disabled",
        ),
        (
            TemporarilyDisabled(disabled_at=AGO, reenabled_at=AGO),
            ": the account was not re-enabled after it was disabled",
        ),
        (
            TemporarilyDisabled(disabled_at=AGO, reenabled_at=_NAIVE),
            ": the time of re-enabling has no time zone",
        ),
    ],
)
def test_the_rules_that_no_schema_holds(record: Record, expected: str) -> None:
    assert expected in record.problems(NOW)


def test_times_are_written_in_universal_time() -> None:
    written = parse(MINIMAL.to_xml()).findtext("incidentSummary/incidentDateTime")
    assert written is not None
    assert datetime.fromisoformat(written) == AGO
    assert written.endswith("+00:00")


# --- meaning -----------------------------------------------------------------------


def test_the_story_is_valid_by_both_schemas(reference: bytes) -> None:
    documents = [convert.report(facts(), NOW).to_xml()]
    documents += [
        convert.file_details(file, 1, "0" * 32, NOW).to_xml() for file in facts().files
    ]
    for document in documents:
        assert validate(document, own_schema()) == []
        assert validate(document, reference) == []


def test_the_story_becomes_a_cybertip() -> None:
    written = convert.report(facts(), NOW)
    assert written.problems(NOW) == []
    root = parse(written.to_xml())
    assert root.findtext("incidentSummary/incidentType") == (
        "Child Pornography (possession, manufacture, and distribution)"
    )
    assert root.findtext("lawEnforcement/agencyName") == "Harbour Police"
    assert root.findtext("lawEnforcement/caseNumber") == "20-00417"
    # The family told the police; the firm did not, so the firm does not say it did.
    assert root.find("lawEnforcement/reportedToLe") is None
    assert root.findtext("personOrUserReported/espIdentifier") == "u-17"
    assert root.findtext("personOrUserReported/priorCTReports") == "4000001"
    assert root.findtext("personOrUserReported/accountPermanentlyDisabled") == "true"
    assert root.findtext("victim/espIdentifier") == "u-4"
    assert root.findtext("victim/victimPerson/age") == "13"
    assert written.summary.incident_at == AGO


def test_only_a_decided_offender_is_reported() -> None:
    bystanders = tuple(
        one for one in facts().actors if one.part is not ActorPart.OFFENDER
    )
    written = convert.report(replace(facts(), actors=bystanders), NOW)
    assert written.reported is None
    text = written.to_xml().decode()
    assert "personOrUserReported" not in text
    assert "u-peer" not in text
    assert "u-open; " not in text
    assert "not reported as a suspect. Its identifier: u-open" in text


def test_several_offenders_are_several_reports() -> None:
    offender = facts().actors[0]
    second = replace(offender, actor_id="u-18")
    both = replace(facts(), actors=(*facts().actors, second))
    with pytest.raises(convert.SeveralOffenders):
        convert.report(both, NOW)
    reports = [convert.report(one, NOW) for one in convert.one_for_each_offender(both)]
    assert [r.reported.identifier for r in reports if r.reported] == ["u-17", "u-18"]
    assert convert.one_for_each_offender(facts()) == (facts(),)


def test_a_conversation_alone_is_a_cybertip() -> None:
    text_only = replace(
        facts(), category="grooming", item_urls=(), files=(), conversation="a: hello"
    )
    root = parse(convert.report(text_only, NOW).to_xml())
    assert root.findtext("internetDetails/chatImIncident/content") == "a: hello"
    assert root.findtext("incidentSummary/incidentType") == (
        "Online Enticement of Children for Sexual Acts"
    )


@pytest.mark.parametrize("category", sorted(convert.MEANINGS))
def test_every_category_makes_a_valid_report(category: str) -> None:
    written = convert.report(replace(facts(), category=category), NOW)
    assert written.problems(NOW) == []
    assert validate(written.to_xml(), own_schema()) == []


def test_sextortion_is_a_mark() -> None:
    root = parse(convert.report(replace(facts(), category="sextortion"), NOW).to_xml())
    assert root.find("incidentSummary/reportAnnotations/sextortion") is not None


def test_a_category_of_another_matter_is_refused() -> None:
    with pytest.raises(convert.UnsupportedCategory):
        convert.report(replace(facts(), category="spam"), NOW)
    with pytest.raises(InvalidInput):
        convert.report(replace(facts(), reported_at=_NAIVE), NOW)


def test_what_does_not_fit_is_told_in_the_additional_information() -> None:
    odd = replace(
        facts().actors[0],
        screen_name="n" * 300,
        profile_urls=("javascript:alert(1)", "https://plaza.example/ü x"),
        emails=("not an address",),
        ips=(CaptureFacts(address="unknown"),),
        disabled_at=_AHEAD,
    )
    written = convert.report(replace(facts(), actors=(odd,)), NOW)
    assert written.problems(NOW) == []
    assert written.reported is not None
    assert written.reported.screen_name == "n" * 256
    assert written.reported.profile_urls == ("https://plaza.example/%C3%BC%20x",)
    # That the account was disabled is known, even where its time cannot be right.
    assert written.reported.permanently_disabled == PermanentlyDisabled()
    kept = written.additional_info or ""
    for value in ("n" * 300, "javascript:alert(1)", "not an address", "unknown"):
        assert value in kept


def test_a_file_says_viewed_only_if_it_was() -> None:
    seen, unseen = (
        convert.file_details(file, 1, "0" * 32, NOW) for file in facts().files
    )
    assert (seen.viewed, unseen.viewed) == (True, False)
    claimed = replace(facts().files[1], exif_viewed=True)
    details = convert.file_details(claimed, 1, "0" * 32, NOW)
    assert details.exif_viewed is False
    assert details.problems(NOW) == []
    assert [one.algorithm for one in details.hashes] == ["SHA256", "MD5"]


# Anything at all that a platform may have let its users write, half characters too.
_ANYTHING = st.text(st.characters(), max_size=400)
_TIMES = st.datetimes(
    datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.sampled_from([None, UTC])
)
_ACTORS = st.builds(
    ActorFacts,
    part=st.sampled_from(ActorPart),
    actor_id=_ANYTHING,
    screen_name=_ANYTHING,
    display_names=st.tuples(_ANYTHING),
    profile_urls=st.tuples(_ANYTHING, st.just("https://plaza.example/") | _ANYTHING),
    profile_bio=_ANYTHING,
    emails=st.tuples(_ANYTHING | st.emails()),
    phones=st.tuples(_ANYTHING),
    age=st.none() | st.integers(),
    ips=st.tuples(
        st.builds(
            CaptureFacts,
            address=_ANYTHING | st.ip_addresses().map(str),
            captured_at=st.none() | _TIMES,
            port=st.none() | st.integers(),
        )
    ),
    prior_reports=st.tuples(st.integers()),
    disabled_at=st.none() | _TIMES,
    disabled_for_good=st.booleans(),
)


@given(
    actor=_ACTORS,
    urls=st.tuples(_ANYTHING, _ANYTHING.map("https://plaza.example/".__add__)),
    text=_ANYTHING,
    happened_at=st.none() | _TIMES,
    case_number=_ANYTHING,
)
def test_no_name_or_link_keeps_a_case_from_being_filed(
    actor: ActorFacts,
    urls: tuple[str, ...],
    text: str,
    happened_at: datetime | None,
    case_number: str,
) -> None:
    odd = replace(
        facts(),
        actors=(actor,),
        item_urls=urls,
        conversation=text,
        additional_text=text,
        escalation_reason=text,
        happened_at=happened_at,
        platform=text,
        police=PoliceFacts(case_number=case_number),
    )
    written = convert.report(odd, NOW)
    assert written.problems(NOW) == []
    assert validate(written.to_xml(), own_schema()) == []
    assert (
        list(fake_state._service_rules(parse(written.to_xml()), NOW.timestamp())) == []
    )
    assert (written.reported is not None) is (actor.part is ActorPart.OFFENDER)


@given(name=_ANYTHING, url=_ANYTHING, uploaded_at=st.none() | _TIMES, text=_ANYTHING)
def test_no_name_of_a_file_keeps_it_from_being_described(
    name: str, url: str, uploaded_at: datetime | None, text: str
) -> None:
    file = replace(
        facts().files[0],
        name=name * 8,
        url=url,
        uploaded_at=uploaded_at,
        additional_text=text,
    )
    details = convert.file_details(file, 1, "0" * 32, NOW)
    assert details.problems(NOW) == []
    assert validate(details.to_xml(), own_schema()) == []
