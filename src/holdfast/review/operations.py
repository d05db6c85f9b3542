"""What people do at the desk: claim, open, note, read.

Each verb locks its case, so that two people never hold or decide one case by accident.
Opening an original is an act with a reason, written down before anything is shown; a
reading is refused unless its writer could have known what they write. Nothing here
decides: a reading is one person's finding, and ``decisions`` sees when people agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.deadlock import again_after_deadlock
from holdfast.base.errors import InvalidInput, NotAllowed, NotFound, Refused
from holdfast.base.events import Event, Kind, emit
from holdfast.base.ids import uuid7
from holdfast.fingerprints.models import Fingerprint
from holdfast.items.models import Item, Media, MediaState
from holdfast.items.queries import lock_items
from holdfast.matching.models import BankState, Match
from holdfast.matching.queries import decided_here
from holdfast.policy import queries as policies
from holdfast.review.lines import RevealGrant
from holdfast.review.models import Claim, Note, Outcome, Reading, Reveal
from holdfast.review.queries import (
    actors_of,
    grant_of,
    last_activity,
    needs,
    round_readings,
    touched_before,
)
from holdfast.review.rules import Hindrance, may_not_read, must_look_first
from holdfast.staff.queries import by_of, is_specialist, person_of
from holdfast.triage.models import (
    FOUND_FIRST,
    Case,
    CaseItem,
    CaseState,
    ItemRole,
)
from holdfast.triage.placing import living

CLAIM_EXPIRES_S = 30 * 60
"""A claim without a reveal, a note or a reading for this long may be taken over."""
MIN_REASON_CHARS = 10
"""Shorter than this is no reason that a colleague or a court could follow."""
MAX_WORDS = 20_000  # characters, of a reason or a note.
PARTS = frozenset({"offender", "person_shown", "peer", "unknown"})
"""The parts that a decision knows; the column of the decisions stage has the same."""


@dataclass(frozen=True)
class Claimed:
    """Somebody holds a case, until ``expires_at`` at least."""

    claim_id: UUID
    case_id: UUID
    person_id: UUID
    expires_at: datetime


@dataclass(frozen=True)
class ReadingResult:
    """What a reading led to: ``decided``, or what the case ``needs`` next."""

    reading_id: UUID
    case_id: UUID
    decided: bool
    needs: str


def claim(*, case_id: UUID, by: By) -> Claimed:
    """Take a case to work on. Claiming what one holds changes nothing.

    Raises ``Refused`` when somebody else works on it, when it is not open, and in a new
    round for those who worked on it before.
    """
    by.require(Permission.CASE_CLAIM)
    person_id = person_of(by)
    with transaction.atomic():
        case = _locked(case_id)
        if case.state != CaseState.OPEN:
            raise Refused(Hindrance.NOT_OPEN, case=case.id)
        if str(person_id) in touched_before(case):
            raise Refused(Hindrance.TOUCHED_BEFORE, case=case.id)
        held = Claim.objects.filter(case=case, released_at=None).first()
        if held and held.person_id == person_id:
            return _claimed(held)
        if held:
            if _expires_at(held) > clock.now():
                raise Refused("Somebody else is working on this case.", case=case.id)
            _end(held)
        taken = Claim.objects.create(
            case=case, person_id=person_id, claimed_at=clock.now()
        )
        emit(
            Kind.CASE_CLAIMED,
            about=_about(case, person=person_id),
            facts={"taken_over": held is not None},
            by=by,
        )
    return _claimed(taken)


def release(*, case_id: UUID, by: By) -> None:
    """Give a case back to the queue. Releasing what one does not hold does nothing."""
    by.require(Permission.CASE_CLAIM)
    person_id = person_of(by)
    with transaction.atomic():
        case = _locked(case_id)
        held = Claim.objects.filter(
            case=case, person_id=person_id, released_at=None
        ).first()
        if held:
            _end(held)
            emit(Kind.CASE_RELEASED, about=_about(case, person=person_id), by=by)


def follow_merge(event: Event) -> None:
    """A case was merged into another: who held it holds that one, unless it is held."""
    into = living(UUID(str(event.about["into"])), lock=True)
    for held in Claim.objects.filter(case=event.about["case"], released_at=None):
        if Claim.objects.filter(case=into, released_at=None).exists():
            _end(held)
        else:
            held.case = into
            held.save(update_fields=["case"])
    if Reading.objects.filter(case=into, round=into.round).exists():
        # Who has read so far has not read what has come in: everybody reads the whole.
        into.round += 1
        into.save(update_fields=["round"])


def reveal(
    *,
    case_id: UUID,
    item_id: UUID,
    media_id: UUID | None,
    reason: str,
    by: By,
    second_person_id: UUID | str | None = None,
) -> RevealGrant:
    """Open one original (``media_id``), or an item's words (None), and say why.

    Without holding the case it takes a second person who may reveal too and agrees.
    Each call is a row in the log, also when the same thing is opened again. Raises
    ``InvalidInput`` for too short a reason and ``Refused`` without the second person.
    """
    by.require(Permission.ITEM_REVEAL)
    person_id = person_of(by)
    reason = _reason(reason)
    with transaction.atomic():
        case = _locked(case_id)
        item = Item.objects.filter(id=item_id, place__case=case).first()
        if item is None:
            raise NotFound("This item is not in the case.", case=case.id, item=item_id)
        media = _media(item, media_id)
        if not _holds(case, person_id):
            _check_second(second_person_id, person_id)
        row = Reveal.objects.create(
            case=case,
            item=item,
            media=media,
            person_id=person_id,
            second_person_id=second_person_id,
            reason=reason,
            entire=media is None or _shown_whole(media),
            revealed_at=clock.now(),
        )
        emit(
            Kind.ITEM_REVEALED,
            about={
                **_about(case, person=person_id),
                "item": item.id,
                "media": media_id,
            },
            facts={
                "entire": row.entire,
                "of_round": case.round,
                "second": str(second_person_id) if second_person_id else None,
            },
            by=by,
        )
    return grant_of(row)


def add_note(*, case_id: UUID, words: str, by: By) -> UUID:
    """Write a remark for those who work on the case."""
    by.require(Permission.CASE_CLAIM)
    person_id = person_of(by)
    if not words.strip() or len(words) > MAX_WORDS:
        raise InvalidInput(f"Write something, up to {MAX_WORDS} characters.")
    with transaction.atomic():
        case = _locked(case_id)
        note = Note.objects.create(
            case=case, person_id=person_id, words=words.strip(), noted_at=clock.now()
        )
        emit(Kind.CASE_NOTED, about=_about(case, person=person_id), by=by)
    return note.id


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
    reason, why_not_refer = _reason(reason), why_not_refer.strip()
    with transaction.atomic():
        # A reading can decide, and a decision touches every item: items before cases.
        placed = CaseItem.objects.filter(case=living(case_id))
        lock_items(placed.values_list("item", flat=True))
        case = _locked(case_id)
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
            _end(held)
        emit(
            Kind.CASE_READ,
            about=_about(case, person=person_id),
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
        holds_claim=_holds(case, person_id),
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

    For what was reported, and for the same bytes, having opened the case's own will do.
    """
    offenders = [UUID(actor) for actor, part in parts.items() if part == "offender"]
    for actor in offenders:
        theirs = CaseItem.objects.filter(case=case, item__actor=actor, certain=True)
        alike = theirs.exclude(role=ItemRole.REPORTED).filter(exact=False)
        if not alike.exists() or theirs.count() > alike.count():
            continue
        shown = alike.values_list("item", "item__repost_of")
        opened = Reveal.objects.filter(
            person_id=person_id, item__in={each for pair in shown for each in pair}
        )
        if not opened.exists():
            raise Refused(
                "All that this account has here was found by likeness alone. Open one"
                " of its own items before you call it the offender.",
                case=case.id,
                person=person_id,
            )


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
    """Whether a reported picture was not opened, nor anything that is a copy of it."""
    placed = CaseItem.objects.filter(case=case, certain=True)
    places = {place.item_id: place for place in placed}
    certain = Match.objects.filter(certain=True)
    clusters = opened | {
        places[item].against_id for item in opened if item in places
    } - {None}
    digests = Fingerprint.objects.filter(item__in=opened).values("sha256")
    seen = opened | set(
        Item.objects.filter(
            Q(fingerprints__sha256__in=digests)
            | Q(place__against__in=clusters, place__certain=True)
            | Q(matches__against__in=opened, matches__certain=True)
            | Q(id__in=clusters)
            | Q(id__in=certain.filter(item__in=opened).values("against")),
            place__case=case,
        ).values_list("id", flat=True)
    )
    pictures = Media.objects.filter(item__place__case=case, replaced_at=None)
    reported = pictures.filter(item__place__role__in=FOUND_FIRST)
    return reported.exclude(item__in=seen).exists()


def _check_second(second_person_id: UUID | str | None, person_id: UUID) -> None:
    if second_person_id is None:
        raise Refused(
            "Claim the case first, or name a second person who agrees that you look."
        )
    if str(second_person_id) == str(person_id):
        raise Refused("The second person is somebody else.")
    try:
        by_of(second_person_id).require(Permission.ITEM_REVEAL)
    except NotAllowed:
        raise Refused(
            "The second person may not open originals.", second=second_person_id
        ) from None


def _media(item: Item, media_id: UUID | None) -> Media | None:
    if media_id is None:
        if not item.text:
            raise InvalidInput("This item has no words. Choose one of its pictures.")
        return None
    media = Media.objects.filter(id=media_id, item=item).first()
    if media is None:
        raise NotFound("This picture is not part of the item.", media=media_id)
    return media


def _shown_whole(media: Media) -> bool:
    """Opening a film is not having seen the whole of it, and a file that no decoder
    takes, or that the platform has not served yet, is not seen at all: none is "viewed
    by staff"."""
    is_film = media.media_type.startswith("video/")
    return not is_film and media.state == MediaState.SIGNED


def _locked(case_id: UUID) -> Case:
    """The living case, locked until the transaction ends."""
    return living(case_id, lock=True)


def _holds(case: Case, person_id: UUID) -> bool:
    return Claim.objects.filter(
        case=case, person_id=person_id, released_at=None
    ).exists()


def _expires_at(held: Claim) -> datetime:
    return last_activity(held) + timedelta(seconds=CLAIM_EXPIRES_S)


def _claimed(held: Claim) -> Claimed:
    return Claimed(held.id, held.case_id, held.person_id, _expires_at(held))


def _end(held: Claim) -> None:
    held.released_at = clock.now()
    held.save(update_fields=["released_at"])


def _reason(words: str) -> str:
    cleaned = words.strip()
    if not MIN_REASON_CHARS <= len(cleaned) <= MAX_WORDS:
        raise InvalidInput(
            f"Give a reason of at least {MIN_REASON_CHARS} characters, in your words."
        )
    return cleaned


def _about(case: Case, *, person: UUID) -> dict[str, UUID]:
    return {"case": case.id, "platform": case.platform_id, "person": person}
