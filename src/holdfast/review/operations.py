"""Looking and noting: opening an original, and remarks for colleagues.

Opening an original is an act with a reason, written down before anything is shown. Who
holds a case is in ``claims``, what somebody finds in ``readings``.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import InvalidInput, NotAllowed, NotFound, Refused
from holdfast.base.events import Kind, emit
from holdfast.items.models import Item, Media, MediaState
from holdfast.review.claims import about_case, holds, locked_case
from holdfast.review.lines import RevealGrant
from holdfast.review.models import Note, Reveal
from holdfast.review.queries import grant_of
from holdfast.review.rules import MAX_WORDS, reason_of
from holdfast.staff.queries import by_of, person_of


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
    reason = reason_of(reason)
    with transaction.atomic():
        case = locked_case(case_id)
        item = Item.objects.filter(id=item_id, place__case=case).first()
        if item is None:
            raise NotFound("This item is not in the case.", case=case.id, item=item_id)
        media = _media(item, media_id)
        if not holds(case, person_id):
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
                **about_case(case, person=person_id),
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
        case = locked_case(case_id)
        note = Note.objects.create(
            case=case, person_id=person_id, words=words.strip(), noted_at=clock.now()
        )
        emit(Kind.CASE_NOTED, about=about_case(case, person=person_id), by=by)
    return note.id


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
