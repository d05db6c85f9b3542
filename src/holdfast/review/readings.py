"""Readings: what one person finds, and whether they could have known it.

A reading is refused unless its writer could have known what they write. Nothing here
decides: ``decisions`` sees when people agree.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.deadlock import again_after_deadlock
from holdfast.base.errors import InvalidInput, Refused
from holdfast.base.events import Kind, emit
from holdfast.base.ids import uuid7
from holdfast.fingerprints.models import Fingerprint
from holdfast.items.models import Item, Media
from holdfast.items.queries import lock_items
from holdfast.matching.models import BankEntry, BankState, Match, SignalKind
from holdfast.matching.queries import decided_here
from holdfast.policy import queries as policies
from holdfast.review.claims import about_case, end_claim, holds, locked_case
from holdfast.review.models import Claim, Outcome, Reading, Reveal
from holdfast.review.queries import actors_of, needs, round_readings, touched_before
from holdfast.review.rules import (
    MIN_REASON_CHARS,
    may_not_read,
    must_look_first,
    reason_of,
)
from holdfast.staff.queries import is_specialist, person_of
from holdfast.triage.models import (
    FOUND_FIRST,
    Case,
    CaseItem,
    CaseState,
    ItemRole,
)
from holdfast.triage.placing import living

PARTS = frozenset({"offender", "person_shown", "peer", "unknown"})
"""The parts that a decision knows; the column of the decisions stage has the same."""


@dataclass(frozen=True)
class ReadingResult:
    """What a reading led to: ``decided``, or what the case ``needs`` next."""

    reading_id: UUID
    case_id: UUID
    decided: bool
    needs: str


@again_after_deadlock
def record_reading(
    *,
    case_id: UUID,
    outcome: str,
    category: str,
    ground: str,
    reason: str,
    parts: Mapping[UUID | str, str],
    refer: bool,
    why_not_refer: str = "",
    by: By,
) -> ReadingResult:
    """Write down what one person finds. When enough people have, the case is decided.

    ``ground`` may be blank for "no violation" only. ``parts`` says what part actors of
    the case had: offender, person_shown, peer or unknown. The reader's claim ends, so
    that a second reader can take the case. Raises ``Refused`` or ``InvalidInput``.
    """
    by.require(Permission.CASE_DECIDE)
    person_id = person_of(by)
    reason, why_not_refer = reason_of(reason), why_not_refer.strip()
    with transaction.atomic():
        # A reading can decide, and a decision touches every item: items before cases.
        placed = CaseItem.objects.filter(case=living(case_id))
        lock_items(placed.values_list("item", flat=True))
        case = locked_case(case_id)
        _check_turn(case, person_id, by)
        _check_finding(outcome, category, ground, refer, why_not_refer)
        found = _parts(case, outcome, parts)
        _check_looked(case, person_id, outcome, category)
        _check_offenders(case, person_id, found)
        reading = Reading.objects.create(
            id=uuid7(),
            case=case,
            round=case.round,
            person_id=person_id,
            as_specialist=is_specialist(by),
            outcome=outcome,
            category=category,
            ground=ground,
            reason=reason,
            parts=found,
            refer=refer,
            why_not_refer=why_not_refer,
            read_at=clock.now(),
        )
        for held in Claim.objects.filter(
            case=case, person_id=person_id, released_at=None
        ):
            end_claim(held)
        emit(
            Kind.CASE_READ,
            about=about_case(case, person=person_id),
            facts={"round": case.round, "outcome": outcome, "refer": refer},
            by=by,
        )
        case.refresh_from_db()
        waits_for = needs(case)
    return ReadingResult(
        reading_id=reading.id,
        case_id=case.id,
        decided=case.state == CaseState.DECIDED,
        needs=waits_for or "",
    )


def _check_turn(case: Case, person_id: UUID, by: By) -> None:
    readings, child_safety = round_readings(case)
    hindrance = may_not_read(
        str(person_id),
        specialist=is_specialist(by),
        is_open=case.state == CaseState.OPEN,
        touched_before=touched_before(case),
        readings=readings,
        child_safety=child_safety,
        holds_claim=holds(case, person_id),
    )
    if hindrance:
        raise Refused(hindrance, case=case.id, person=person_id)


def _check_finding(
    outcome: str, category: str, ground: str, refer: bool, why_not_refer: str
) -> None:
    """Whether a finding can stand under the policy in force."""
    policy = policies.current()
    known = policy.category(category)
    if outcome not in Outcome.values:
        raise InvalidInput("A finding is 'violation' or 'no_violation'.")
    if ground and ground not in known.grounds:
        policy.ground(ground)
        raise InvalidInput(
            f"This ground does not go with this category. Choose one of:"
            f" {', '.join(known.grounds)}."
        )
    if outcome == Outcome.VIOLATION and not ground:
        raise InvalidInput("Name the ground: the law or the rule that this breaks.")
    if outcome == Outcome.NO_VIOLATION and refer:
        raise InvalidInput("What is no violation is not referred to an authority.")
    if refer and not known.refer_to:
        raise InvalidInput("The policy names no authority for this category.")
    if not refer and len(why_not_refer) < MIN_REASON_CHARS:
        raise InvalidInput(
            "Say why no authority is told; it is kept with the decision."
        )


def _parts(case: Case, outcome: str, parts: Mapping[UUID | str, str]) -> dict[str, str]:
    """The parts as they are stored. People name them; nothing here fills one in."""
    found = {str(actor): part for actor, part in parts.items()}
    if strangers := set(found) - {str(actor) for actor in actors_of(case)}:
        raise InvalidInput(
            "A part can only be given to somebody in the case.", actors=len(strangers)
        )
    if set(found.values()) - PARTS:
        raise InvalidInput(f"A part is one of: {', '.join(sorted(PARTS))}.")
    if outcome == Outcome.NO_VIOLATION and "offender" in found.values():
        raise InvalidInput("Where nothing was violated, nobody is an offender.")
    return found


def _check_offenders(case: Case, person_id: UUID, parts: Mapping[str, str]) -> None:
    """A likeness never costs an account: whoever says so has looked at the very item.

    For what was reported, and for the bytes that somebody opened or decided on here,
    having opened the case's own will do. What a bank from elsewhere says of some bytes
    nobody here has seen.
    """
    offenders = [UUID(actor) for actor, part in parts.items() if part == "offender"]
    for actor in offenders:
        theirs = CaseItem.objects.filter(case=case, item__actor=actor, certain=True)
        alike = theirs.exclude(role=ItemRole.REPORTED).filter(
            Q(exact=False) | Q(entry__isnull=False)
        )
        if not alike.exists() or theirs.count() > alike.count():
            continue
        shown = {
            each
            for pair in alike.values_list("item", "item__repost_of")
            for each in pair
            if each is not None
        }
        if not _bytes_seen(case, person_id, shown):
            raise Refused(
                "All that this account has here was found by likeness alone. Open one"
                " of its own items before you call it the offender.",
                case=case.id,
                person=person_id,
            )


def _bytes_seen(case: Case, person_id: UUID, items: Collection[UUID]) -> bool:
    """Whether somebody opened one of some items, or the same bytes, or these were
    decided to violate in another case."""
    digests = Fingerprint.objects.filter(item__in=items).values("sha256")
    opened = Reveal.objects.filter(
        Q(item__in=items) | Q(item__fingerprints__sha256__in=digests),
        person_id=person_id,
    )
    violating = decided_here().filter(state=BankState.ACTIVE, digest__in=digests)
    return opened.exists() or violating.exclude(case_id=case.id).exists()


def _check_looked(case: Case, person_id: UUID, outcome: str, category: str) -> None:
    """Refuse a finding about something that its writer has not seen."""
    pictures = Media.objects.filter(item__place__case=case, replaced_at=None)
    has_pictures = pictures.exists()
    has_words = Item.objects.filter(place__case=case).exclude(text="").exists()
    opened = Reveal.objects.filter(item__place__case=case, person_id=person_id)
    if has_pictures:
        # Reading the caption is not having looked at the picture.
        opened = opened.filter(media__isnull=False)
    decided_before = (
        decided_here()
        .filter(
            state=BankState.ACTIVE,
            category=category,
            digest__in=pictures.values("fingerprint__sha256"),
        )
        .exclude(case_id=case.id)
        .exists()
    )
    if must_look_first(
        something_to_see=has_pictures or has_words,
        looked=opened.exists(),
        clears=outcome != Outcome.VIOLATION,
        known_by_bytes=decided_before,
    ):
        raise Refused(
            "Open the item first, with a reason: nobody decides about something that"
            " they have not seen.",
            case=case.id,
            person=person_id,
        )
    known = decided_before and outcome == Outcome.VIOLATION
    if not known and _unseen(case, set(opened.values_list("item", flat=True))):
        raise Refused(
            "This case holds several things that were reported and are not copies of"
            " one another. Open each of them first.",
            case=case.id,
            person=person_id,
        )


def _unseen(case: Case, opened: set[UUID]) -> bool:
    """Whether a reported picture was not opened, nor anything that is a copy of it.

    Nor, of what a bank knows, anything that the same entry knows for certain.
    """
    placed = CaseItem.objects.filter(case=case, certain=True)
    places = {place.item_id: place for place in placed}
    certain = Match.objects.filter(certain=True)
    clusters = opened | {
        places[item].against_id for item in opened if item in places
    } - {None}
    # Two files with one MD5 can be made, and the picture of a fingerprint that somebody
    # reported nobody has seen: what such an entry knows is opened, each by itself.
    entries = BankEntry.objects.filter(
        matches__item__in=opened, matches__certain=True, target=None
    ).exclude(kind=SignalKind.MD5)
    digests = Fingerprint.objects.filter(item__in=opened).values("sha256")
    seen = opened | set(
        Item.objects.filter(
            Q(fingerprints__sha256__in=digests)
            | Q(place__against__in=clusters, place__certain=True)
            | Q(matches__against__in=opened, matches__certain=True)
            | Q(
                matches__entry__in=entries,
                matches__certain=True,
                place__role=ItemRole.KNOWN,
            )
            | Q(id__in=clusters)
            | Q(id__in=certain.filter(item__in=opened).values("against")),
            place__case=case,
        ).values_list("id", flat=True)
    )
    pictures = Media.objects.filter(item__place__case=case, replaced_at=None)
    reported = pictures.filter(item__place__role__in=FOUND_FIRST)
    return reported.exclude(item__in=seen).exists()
