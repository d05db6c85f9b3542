"""Opening originals and writing notes, on real rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from holdfast.base import clock
from holdfast.base.errors import InvalidInput, NotAllowed, NotFound, Refused
from holdfast.base.models import Event
from holdfast.items.models import Media
from holdfast.review import claims
from holdfast.review import operations as review
from holdfast.review.models import Note, Reveal
from holdfast.review.queries import open_reveal, viewed_entire
from tests.stages.review.scene import (
    REASON,
    case,
    case_with_picture,
    item,
    look,
    person,
    picture_of,
)
from tests.stages.review.scene import (
    desk as desk,
)

pytestmark = pytest.mark.usefixtures("desk")


def test_opening_is_written_down_with_its_reason() -> None:
    row, shown = case_with_picture()
    ada = person("reviewer")
    claims.claim(case_id=row.id, by=ada)
    picture = picture_of(shown)
    given: dict[str, Any] = {"case_id": row.id, "item_id": shown.id, "by": ada}
    with pytest.raises(InvalidInput, match="reason"):
        review.reveal(**given, media_id=picture, reason="   short  ")
    with pytest.raises(InvalidInput, match="no words"):
        review.reveal(**given, media_id=None, reason=REASON)
    with pytest.raises(NotFound):
        review.reveal(**given, media_id=picture_of(item()), reason=REASON)
    assert viewed_entire(shown.id) is None
    grant = review.reveal(**given, media_id=picture, reason=REASON)
    viewed = viewed_entire(shown.id, picture)
    assert viewed is not None
    assert viewed.reveal_id == grant.reveal_id
    event = Event.objects.get(kind="item.revealed")
    assert event.about["item"] == str(shown.id)
    assert REASON not in f"{event.about}{event.facts}"


def test_a_grant_is_for_its_maker_and_ends() -> None:
    row, shown = case_with_picture()
    ada, ben = person("reviewer"), person("reviewer")
    claims.claim(case_id=row.id, by=ada)
    grant = review.reveal(
        case_id=row.id,
        item_id=shown.id,
        media_id=picture_of(shown),
        reason=REASON,
        by=ada,
    )
    assert open_reveal(grant.reveal_id, ada) == grant
    with pytest.raises(NotAllowed):
        open_reveal(grant.reveal_id, ben)
    with clock.shifted(timedelta(minutes=11)), pytest.raises(NotAllowed):
        open_reveal(grant.reveal_id, ada)


def test_outside_a_claim_opening_takes_a_second_person() -> None:
    row, shown = case_with_picture()
    ada, ben, root = person("reviewer"), person("reviewer"), person("administrator")
    given: dict[str, Any] = {
        "case_id": row.id,
        "item_id": shown.id,
        "media_id": picture_of(shown),
        "reason": REASON,
        "by": ada,
    }
    for second in (None, ada.id, root.id, str(uuid4())):
        with pytest.raises(Refused):
            review.reveal(**given, second_person_id=second)
    assert not Reveal.objects.exists()
    review.reveal(**given, second_person_id=ben.id)
    assert str(Reveal.objects.get().second_person_id) == ben.id


def test_the_database_refuses_a_reveal_without_reason_or_with_oneself() -> None:
    row, shown = case_with_picture()
    ada = person("reviewer")
    good = {"case": row, "item": shown, "person_id": ada.id, "entire": True}
    for bad in ({"reason": ""}, {"reason": REASON, "second_person_id": ada.id}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Reveal.objects.create(**good, **bad, revealed_at=clock.now())


def test_a_film_is_not_seen_whole_by_opening_it() -> None:
    row, shown = case_with_picture()
    Media.objects.filter(item=shown).update(media_type="video/mp4")
    look(row, shown, person("reviewer"))
    assert Reveal.objects.get().entire is False
    assert viewed_entire(shown.id) is None


def test_a_note_is_kept_with_the_case() -> None:
    row, ada = case(), person("reviewer")
    review.add_note(case_id=row.id, words=" Called the lead. ", by=ada)
    assert Note.objects.get().words == "Called the lead."
    with pytest.raises(InvalidInput):
        review.add_note(case_id=row.id, words="  ", by=ada)
