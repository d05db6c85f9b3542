"""From what a decision record knows to what the CyberTipline is told.

Pure meaning: no database, no network, no clock of its own. Two promises live here.
Nobody is accused who was not decided an offender: a person shown, a peer who passed it
on, or an actor whose part is open is never written as the suspect. And nothing known
is lost to form: a value that a field cannot take (too long, no valid URL, an unreadable
address) is told in the additional information, so that an odd name or a wrong link
never keeps a child's case from being filed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from holdfast.authorities.connectors.cybertipline.accounts import (
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
from holdfast.authorities.connectors.cybertipline.fitting import Fitting
from holdfast.authorities.connectors.cybertipline.incidents import (
    ChatIncident,
    Incident,
    WebPageIncident,
)
from holdfast.authorities.connectors.cybertipline.model import (
    FileDetails,
    FileHash,
    IncidentSummary,
    LawEnforcement,
    Report,
    Reporter,
)
from holdfast.authorities.connectors.cybertipline.parts import (
    Email,
    IpCapture,
    PermanentlyDisabled,
    Person,
    Phone,
    TemporarilyDisabled,
)
from holdfast.authorities.connectors.cybertipline.words import (
    IncidentType,
    ReportAnnotation,
)
from holdfast.base.errors import InvalidInput


@dataclass(frozen=True)
class Meaning:
    """How the CyberTipline calls one of our categories."""

    incident_type: IncidentType
    annotations: frozenset[ReportAnnotation] = frozenset()


# Category codes of Holdfast, and what the CyberTipline calls each. A category that is
# not here is not the CyberTipline's matter, and its decision records why not.
MEANINGS: dict[str, Meaning] = {
    # 18 USC 2256 calls the material so; the type covers possession to distribution.
    "child_sexual_abuse_material": Meaning(IncidentType.CHILD_PORNOGRAPHY),
    # Asking a child for material is an act of its own, and the mark says which.
    "csam_solicitation": Meaning(
        IncidentType.ONLINE_ENTICEMENT,
        frozenset({ReportAnnotation.CSAM_SOLICITATION}),
    ),
    # 18 USC 2422(b): persuading or enticing a minor. Text alone can be enough.
    "grooming": Meaning(IncidentType.ONLINE_ENTICEMENT),
    # NCMEC has no type for it: coercion of a child is enticement, with the mark.
    "sextortion": Meaning(
        IncidentType.ONLINE_ENTICEMENT, frozenset({ReportAnnotation.SEXTORTION})
    ),
    # 18 USC 1591, where it involves a minor.
    "child_trafficking": Meaning(IncidentType.CHILD_SEX_TRAFFICKING),
    # 18 USC 2423: travel abroad in order to abuse.
    "child_sex_tourism": Meaning(IncidentType.CHILD_SEX_TOURISM),
    # Abuse away from the network that became known on it.
    "child_sexual_molestation": Meaning(IncidentType.CHILD_SEXUAL_MOLESTATION),
    # 18 USC 1470: obscene material sent to somebody under 16.
    "obscene_material_sent_to_child": Meaning(
        IncidentType.OBSCENE_MATERIAL_SENT_TO_CHILD
    ),
    # 18 USC 2252B: a name of a site that deceives a minor.
    "misleading_domain_name": Meaning(IncidentType.MISLEADING_DOMAIN_NAME),
    # 18 USC 2252C: words or pictures that deceive a minor.
    "misleading_words_or_images": Meaning(IncidentType.MISLEADING_WORDS_OR_IMAGES),
    # Networks that drive children to harm themselves; the mark carries the meaning.
    "sadistic_online_exploitation": Meaning(
        IncidentType.ONLINE_ENTICEMENT,
        frozenset({ReportAnnotation.SADISTIC_ONLINE_EXPLOITATION}),
    ),
}

# agencyName is required wherever a case number is given (schema, lawEnforcement).
AGENCY_NOT_NAMED = "Not named by the person who gave the number"

T = TypeVar("T")


class UnsupportedCategory(InvalidInput):
    """The CyberTipline has no incident type for this category."""

    code = "cybertipline-unsupported-category"


class SeveralOffenders(InvalidInput):
    """A report names one suspect. :func:`one_for_each_offender` makes several."""

    code = "cybertipline-several-offenders"


def one_for_each_offender(facts: ReferralFacts) -> tuple[ReferralFacts, ...]:
    """``facts`` once for each offender, and once when there is none.

    The CyberTipline takes at most one reported person (documentation, appendix B).
    """
    offenders = [one for one in facts.actors if one.part is ActorPart.OFFENDER]
    others = tuple(one for one in facts.actors if one.part is not ActorPart.OFFENDER)
    if len(offenders) < 2:
        return (facts,)
    return tuple(replace(facts, actors=(one, *others)) for one in offenders)


def report(facts: ReferralFacts, now: datetime) -> Report:
    """The CyberTip that says what ``facts`` say. ``now`` has a time zone.

    Its ``problems(now)`` are empty if the reporter has a valid e-mail address. Raises
    :class:`UnsupportedCategory`, :class:`SeveralOffenders`, and :class:`InvalidInput`
    when ``reported_at`` has no time zone.
    """
    meaning = MEANINGS.get(facts.category)
    if meaning is None:
        raise UnsupportedCategory(
            "The CyberTipline has no incident type for this category.",
            category=facts.category,
        )
    if facts.reported_at.utcoffset() is None:
        raise InvalidInput("The time of the first report has no time zone.")
    offenders = [one for one in facts.actors if one.part is ActorPart.OFFENDER]
    if len(offenders) > 1:
        raise SeveralOffenders("A CyberTip names one suspect.", count=len(offenders))
    fit = Fitting(now)
    written = Report(
        summary=_summary(facts, meaning, fit),
        incidents=tuple(_incidents(facts, fit)),
        police=_police(facts.police, fit) if facts.police else None,
        reporter=_reporter(facts.reporter, fit),
        reported=_reported(offenders[0], facts, fit) if offenders else None,
        victims=tuple(
            _victim(one, facts, fit)
            for one in facts.actors
            if one.part is ActorPart.PERSON_SHOWN
        ),
    )
    return replace(written, additional_info=_additional(facts, fit))


def file_details(
    file: FileFacts, report_id: int, file_id: str, now: datetime
) -> FileDetails:
    """The details of ``file``, which the service numbered ``file_id``."""
    fit = Fitting(now)
    hashes = (("SHA256", file.sha256), ("MD5", file.md5))
    details = FileDetails(
        report_id=report_id,
        file_id=file_id,
        original_name=fit.text("Original file name", file.name, 2056),
        uploaded_at=fit.moment("Time of upload", file.uploaded_at),
        url=next(iter(fit.urls("Location of the file", (file.url,))), None),
        viewed=file.viewed_entire,
        # EXIF is part of the entire contents: it cannot have been viewed without them.
        exif_viewed=file.exif_viewed and file.viewed_entire,
        public=file.publicly_available,
        relevance=file.relevance,
        annotations=file.annotations,
        classification=file.classification,
        hashes=tuple(FileHash(value=v, algorithm=name) for name, v in hashes if v),
        ip_capture=next(iter(_captures((file.ip,) if file.ip else (), fit)), None),
    )
    notes = [fit.clean(text) for text in (file.additional_text, *fit.notes)]
    return replace(details, additional_info=tuple(text for text in notes if text))


def _summary(facts: ReferralFacts, meaning: Meaning, fit: Fitting) -> IncidentSummary:
    uploaded = [file.uploaded_at for file in facts.files if file.uploaded_at]
    at, means = facts.reported_at, "When the platform received the first report of it."
    if facts.happened_at is not None:
        uploaded.append(facts.happened_at)
    # A clock that runs ahead must not make an incident of the future (code 4100).
    past = [moment for moment in uploaded if fit.is_past(moment)]
    if past:
        at, means = min(past), "When it was put on the platform, as its clock says."
    return IncidentSummary(
        incident_type=meaning.incident_type,
        platform=fit.text("Platform", facts.platform, 256),
        escalate=fit.text("Reason for urgency", facts.escalation_reason, 3000),
        annotations=meaning.annotations | facts.annotations,
        incident_at=min(at, fit.now),
        incident_at_description=(
            f"{means} The first report of it was received "
            f"{facts.reported_at.astimezone(UTC).isoformat()}."
        ),
    )


def _incidents(facts: ReferralFacts, fit: Fitting) -> Iterable[Incident]:
    urls = fit.urls("Address of the item", facts.item_urls)
    if urls:
        yield WebPageIncident(urls=urls)
    content = fit.clean(facts.conversation)
    if content:
        yield ChatIncident(
            client=fit.text("Platform", facts.platform, 255), content=content
        )


def _police(facts: PoliceFacts, fit: Fitting) -> LawEnforcement:
    """The police that know already. We say that *we* told them only when we did."""
    return LawEnforcement(
        agency=fit.text("Police", facts.agency, 255) or AGENCY_NOT_NAMED,
        case_number=fit.text("Police case number", facts.case_number, 100),
        reported_by_us=True if facts.reported_by_us else None,
    )


def _reporter(facts: ReporterFacts, fit: Fitting) -> Reporter:
    return Reporter(
        person=Person(
            first_name=fit.text("First name of our contact", facts.first_name, 100),
            last_name=fit.text("Last name of our contact", facts.last_name, 100),
            phones=_phones("Telephone of our contact", facts.phones, fit),
            emails=_emails("E-mail of our contact", facts.emails, fit),
        ),
        company_text=fit.clean(facts.company_text) or None,
        legal_url=next(iter(fit.urls("Our legal page", (facts.legal_url,))), None),
    )


def _reported(actor: ActorFacts, facts: ReferralFacts, fit: Fitting) -> ReportedPerson:
    who = "Suspect's "
    disabled_at = fit.moment(f"{who}account disabled", actor.disabled_at)
    return ReportedPerson(
        person=_person(actor, who, fit),
        identifier=fit.text(f"{who}identifier", actor.actor_id, 255),
        service=fit.text("Platform", facts.platform, 100),
        screen_name=fit.text(f"{who}screen name", actor.screen_name, 256),
        display_names=fit.texts(f"{who}display name", actor.display_names, 255),
        profile_urls=fit.urls(f"{who}profile", actor.profile_urls),
        profile_bio=fit.clean(actor.profile_bio) or None,
        ip_captures=_captures(actor.ips, fit),
        prior_reports=_prior_reports(actor, fit),
        temporarily_disabled=(
            TemporarilyDisabled(disabled_at=disabled_at)
            if actor.disabled_at and not actor.disabled_for_good
            else None
        ),
        permanently_disabled=(
            PermanentlyDisabled(disabled_at=disabled_at)
            if actor.disabled_at and actor.disabled_for_good
            else None
        ),
    )


def _victim(actor: ActorFacts, facts: ReferralFacts, fit: Fitting) -> Victim:
    """The child shown, by its account if it has one; ``victimPerson`` may be empty."""
    who = "Child's "
    return Victim(
        person=_person(actor, who, fit) or Person(),
        identifier=fit.text(f"{who}identifier", actor.actor_id, 255),
        service=(fit.text("Platform", facts.platform, 100) if actor.actor_id else None),
        screen_name=fit.text(f"{who}screen name", actor.screen_name, 256),
        display_names=fit.texts(f"{who}display name", actor.display_names, 255),
        profile_urls=fit.urls(f"{who}profile", actor.profile_urls),
        ip_captures=_captures(actor.ips, fit),
        prior_reports=_prior_reports(actor, fit),
    )


def _person(actor: ActorFacts, who: str, fit: Fitting) -> Person | None:
    emails = _emails(f"{who}e-mail", actor.emails, fit)
    phones = _phones(f"{who}telephone", actor.phones, fit)
    age = fit.number(f"{who}age", actor.age, 0, 150)
    if not (emails or phones or age is not None):
        return None
    return Person(emails=emails, phones=phones, age=age)


def _prior_reports(actor: ActorFacts, fit: Fitting) -> tuple[int, ...]:
    label = "Earlier report"
    fitted = (fit.number(label, n, 1, 2**63 - 1) for n in actor.prior_reports)
    return tuple(number for number in fitted if number is not None)


def _emails(label: str, values: Iterable[str], fit: Fitting) -> tuple[Email, ...]:
    return _kept(values, lambda v: fit.email(label, v), lambda v: Email(address=v))


def _phones(label: str, values: Iterable[str], fit: Fitting) -> tuple[Phone, ...]:
    return _kept(values, lambda v: fit.text(label, v, 50), lambda v: Phone(number=v))


def _kept(
    values: Iterable[str],
    fits: Callable[[str], str | None],
    make: Callable[[str], T],
) -> tuple[T, ...]:
    """A record of each value that fits; the others are in the notes by then."""
    fitted = [fits(value) for value in values]
    return tuple(make(value) for value in fitted if value)


def _captures(captures: Iterable[CaptureFacts], fit: Fitting) -> tuple[IpCapture, ...]:
    kept = []
    for one in captures:
        address = fit.ip(one.address)
        if address is None:
            continue
        kept.append(
            IpCapture(
                address=address,
                event=one.event,
                captured_at=fit.moment("Time of an IP address", one.captured_at),
                port=fit.number("Port of an IP address", one.port, 1, 65535),
            )
        )
    return tuple(kept)


def _additional(facts: ReferralFacts, fit: Fitting) -> str | None:
    """Our own words, then the actors without a decided part, then what did not fit.

    A peer is not mentioned: a child who passed it on is nobody's suspect, and whether
    to speak of it is for the person who decides, in ``additional_text``.
    """
    lines = [fit.clean(facts.additional_text)]
    for actor in facts.actors:
        if actor.part is ActorPart.UNKNOWN:
            lines.append(
                "An account took part in a way that has not been decided; it is not "
                "reported as a suspect. Its identifier: " + fit.clean(actor.actor_id)
            )
    lines.extend(fit.notes)
    return "\n".join(line for line in lines if line) or None
