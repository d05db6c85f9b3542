"""What the decision record tells an authority: the one place where it is put together.

Everything here is read from rows: the decision, the parts that people found, the
reports, the items, the reveal log. Nothing is typed in, nothing is guessed, and who
reported is never told. What the authority's protocol makes of it is the connector's.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Max, Sum

from holdfast.authorities import rules
from holdfast.authorities.connectors.cybertipline.facts import (
    ActorFacts,
    ActorPart,
    FileFacts,
    PoliceFacts,
    ReferralFacts,
    ReporterFacts,
)
from holdfast.authorities.models import (
    AuthorityAccount,
    Referral,
    ReferralFile,
    ReferralState,
)
from holdfast.decisions import models as decisions
from holdfast.enforcement.models import Enforcement, EnforcementState, Verb
from holdfast.fingerprints.models import Fingerprint
from holdfast.intake.models import Report
from holdfast.intake.queries import TELLING, Told, told_by
from holdfast.items.models import Actor, Item, ItemKind, ItemVersion, Media, ViewCount
from holdfast.review.queries import viewed_entire
from holdfast.triage.models import FOUND_FIRST, Case, CaseItem, ItemRole

MAX_URLS = 100
"""Addresses in one referral, the reported items' first. Ours; NCMEC sets no limit."""


def facts_of(referral: Referral, account: AuthorityAccount) -> ReferralFacts:
    """Everything the decision of this referral tells, as it stands now."""
    case = referral.case
    decision = referral.decision
    places = _places(case)
    items = [place.item for place in places]
    reports = list(
        Report.objects.filter(targets__place__case=case)
        .distinct()
        .order_by("received_at")
        .prefetch_related(*TELLING)
    )
    first = reports[0].received_at if reports else case.clock_from
    return ReferralFacts(
        category=decision.category,
        reported_at=min(first, case.clock_from),
        happened_at=min((item.posted_at for item in items), default=None),
        platform=case.platform.name,
        reporter=_reporter(account),
        item_urls=tuple(dict.fromkeys(item.url for item in items if item.url))[
            :MAX_URLS
        ],
        conversation=_conversation(items),
        actors=_actors(referral),
        police=_police(reports),
        files=tuple(
            file_facts(each) for each in referral.files.exclude(sealed_blob=None)
        ),
        additional_text=_additional(referral, places, reports),
    )


def media_of(case: Case) -> tuple[list[Media], int]:
    """A case's media, each set of bytes once, and how many more there are.

    The reported items' own come first, then their reposts and copies as they came.
    """
    roles = {
        row.item_id: (row.role not in FOUND_FIRST, row.placed_at)
        for row in CaseItem.objects.filter(case=case, certain=True)
    }
    rows = Media.objects.filter(item__in=roles).select_related("fingerprint")
    ordered = sorted(
        rows, key=lambda each: (*roles[each.item_id], each.position, each.added_at)
    )
    distinct: dict[object, Media] = {}
    for each in ordered:
        known = getattr(each, "fingerprint", None)
        distinct.setdefault(bytes(known.sha256) if known else each.id, each)
    media = list(distinct.values())
    return media[: rules.MAX_FILES], max(0, len(media) - rules.MAX_FILES)


def file_facts(file: ReferralFile) -> FileFacts:
    """What is told of one file. Its blob is sealed; digests are of what is sent."""
    blob = file.sealed_blob
    assert blob is not None, "Only a sealed file is told of."
    media = file.media
    known = Fingerprint.objects.filter(media=media).first()
    registered = bytes(known.sha256).hex() if known else blob.sha256
    differs = registered != blob.sha256
    return FileFacts(
        name=media.original_name or f"{media.id}",
        sha256=blob.sha256,
        md5=blob.md5,
        viewed_entire=viewed_by_staff(file),
        uploaded_at=_uploaded_at(media),
        url=file.item.url,
        additional_text=(
            "When it was registered with us, the file in this place had the SHA-256 "
            f"{registered}. The platform served this one later."
            if differs
            else ""
        ),
    )


def viewed_by_staff(file: ReferralFile) -> bool:
    """Whether the reveal log says that somebody saw the whole of just this file.

    A view of what stood there before is no view of other bytes (US v. Wilson,
    13 F.4th 961).
    """
    known = Fingerprint.objects.filter(media=file.media_id).first()
    blob = file.sealed_blob
    if known and blob and bytes(known.sha256).hex() != blob.sha256:
        return False
    return viewed_entire(file.item_id, file.media_id) is not None


def _uploaded_at(media: Media) -> datetime:
    """With the item, or when the poster put this file in the place of another."""
    before = Media.objects.filter(
        item=media.item_id, position=media.position, added_at__lt=media.added_at
    )
    return media.added_at if before.exists() else media.item.posted_at


def _places(case: Case) -> list[CaseItem]:
    """The items of a case, the reported ones first, then by when they were posted."""
    rows = CaseItem.objects.filter(case=case, certain=True)
    return sorted(
        rows.select_related("item__actor"),
        key=lambda row: (row.role not in FOUND_FIRST, row.item.posted_at, row.id),
    )


def _reporter(account: AuthorityAccount) -> ReporterFacts:
    first, _, last = account.reporting_person.strip().rpartition(" ")
    return ReporterFacts(
        emails=(account.reporting_email,), first_name=first, last_name=last
    )


def _actors(referral: Referral) -> tuple[ActorFacts, ...]:
    """Each actor with the part that people found, and no other offender than ours."""
    parts = decisions.ActorPart.objects.filter(decision=referral.decision)
    return tuple(
        _actor(part.actor, ActorPart(part.part), referral)
        for part in parts.select_related("actor").order_by("id")
        if part.part != decisions.Part.OFFENDER or part.id == referral.offender_id
    )


def _actor(actor: Actor, part: ActorPart, referral: Referral) -> ActorFacts:
    suspended = (
        Enforcement.objects.filter(
            actor=actor, verb=Verb.SUSPEND, state=EnforcementState.CONFIRMED
        )
        .order_by("-confirmed_at")
        .first()
    )
    return ActorFacts(
        part=part,
        actor_id=actor.external_id,
        screen_name=actor.screen_name,
        display_names=(actor.display_name,) if actor.display_name else (),
        profile_urls=(actor.profile_url,) if actor.profile_url else (),
        emails=(actor.email,) if actor.email else (),
        age=actor.age_years,
        prior_reports=_prior_reports(actor.id, referral),
        # A suspension can be undone by an appeal, so it is not told as one for good.
        disabled_at=suspended.confirmed_at if suspended else None,
    )


def _prior_reports(actor_id: UUID, referral: Referral) -> tuple[int, ...]:
    """Numbers of earlier referrals of the same account in the same environment."""
    numbers = Referral.objects.filter(
        offender__actor=actor_id,
        authority=referral.authority,
        environment=referral.environment,
        state=ReferralState.FINISHED,
    ).exclude(id=referral.id)
    told = numbers.order_by("finished_at").values_list("external_id", flat=True)
    return tuple(int(number) for number in told if number.isdecimal())


def _police(reports: list[Report]) -> PoliceFacts | None:
    """The first number that somebody gave. We never say that we told the police."""
    for report in reports:
        number = told_by(report).police_number
        if number or report.police_agency:
            return PoliceFacts(agency=report.police_agency, case_number=number)
    return None


def _conversation(items: list[Item]) -> str:
    """The messages of a case in the order they were sent, each with its sender's id."""
    messages = [item for item in items if item.kind == ItemKind.MESSAGE and item.text]
    return "\n".join(
        f"{item.posted_at.astimezone(UTC).isoformat(timespec='seconds')} "
        f"{item.actor.external_id if item.actor else 'unknown sender'}: {item.text}"
        for item in sorted(messages, key=lambda item: (item.posted_at, item.id))
    )


def _additional(
    referral: Referral, places: list[CaseItem], reports: list[Report]
) -> str:
    """How far it spread, what was written with it, and what else is known."""
    roles = [place.role for place in places]
    items = [place.item_id for place in places]
    counts = ViewCount.objects.filter(item__in=items).values("item")
    views = counts.annotate(most=Max("views_total")).aggregate(sum=Sum("most"))["sum"]
    lines = [
        f"Case {referral.case.number}: {len(reports)} reports, "
        f"{roles.count(ItemRole.REPORTED)} reported items, "
        f"{roles.count(ItemRole.REPOST)} reposts and "
        f"{roles.count(ItemRole.COPY)} copies on this platform."
    ]
    if known := roles.count(ItemRole.KNOWN):
        lines.append(f"Found by a list of known material, unreported: {known} items.")
    if views:
        lines.append(f"Views of all of them together, as the platform counts: {views}.")
    told = [told_by(report) for report in reports]
    if any(each.in_danger_now for each in told):
        lines.append("Somebody who reported it said that a child is in danger now.")
    lines += _ages(told)
    others = {each.police_number for each in told if each.police_number}
    if len(others) > 1:
        lines.append(f"Police case numbers given: {', '.join(sorted(others))}.")
    lines += _other_files(referral)
    lines += _words(places)
    return "\n".join(lines)


def _ages(told: list[Told]) -> list[str]:
    """What reporters said of the age of the person shown; nobody has checked it."""
    said = []
    for code, when in (("age_then", "in the picture"), ("age_now", "today")):
        bands = {each.answers.get(code, "") for each in told} - {"", "unknown"}
        said += [
            f"Age {when}, as reporters said: {band.replace('_', ' to ')}."
            if band[0].isdigit()
            else f"Age {when}, as reporters said: {band.replace('_', ' ')}."
            for band in sorted(bands)
        ]
    return said


def _other_files(referral: Referral) -> list[str]:
    offenders = referral.decision.actor_parts.filter(part=decisions.Part.OFFENDER)
    _, left_out = media_of(referral.case)
    missing = referral.files.filter(sealed_blob=None).count()
    lines = []
    if missing:
        lines.append(f"Files that the platform could no longer serve: {missing}.")
    if left_out:
        lines.append(f"Further files, which are kept and not part of this: {left_out}.")
    if offenders.count() > 1:
        lines.append(
            f"This is one of {offenders.count()} reports of the same case, "
            "each about another account."
        )
    return lines


def _words(places: list[CaseItem]) -> list[str]:
    """What the reported items say, and said before they were changed."""
    lines = []
    for place in places:
        item = place.item
        if place.role not in FOUND_FIRST:
            continue
        if item.text and item.kind != ItemKind.MESSAGE:
            lines.append(f"Written in {item.kind} {item.external_id}: {item.text}")
        for before in ItemVersion.objects.filter(item=item).order_by("replaced_at"):
            if before.text and before.text != item.text:
                until = before.replaced_at.astimezone(UTC).isoformat(timespec="seconds")
                lines.append(
                    f"Until {until}, {item.kind} {item.external_id} said: {before.text}"
                )
    return lines
