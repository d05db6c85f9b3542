"""An upload and a report, or a decision, at the same instant: no copy slips through.

Hundreds of rounds in this one process, with a thread and a connection for each side.
Whichever commits last has to see the other; see ``docs/decisions``, "the report looks
twice". Both sides do at once what their jobs would do a moment later, which is when a
race is narrowest.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from time import sleep

import pytest
from django.db import connection
from PIL import Image

from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.events import Event, Kind
from holdfast.base.jobs import drain
from holdfast.demo.pictures import Album, Picture
from holdfast.items.models import Item, ItemState
from holdfast.matching.operations import look_again
from holdfast.review.operations import claim, record_reading, reveal
from holdfast.staff.operations import add_person
from holdfast.triage.models import Case, CaseItem
from tests.world import World, new_world

ROUNDS = 200
DECISIONS = 20
JITTER_S = 0.012
"""Either side starts up to this much later than the other, as an upload takes."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(200)
def test_an_upload_and_a_report_cross(album: Album) -> None:
    world, chance = new_world(), random.Random(1)
    with ThreadPoolExecutor(2) as pool:
        for number in range(ROUNDS):
            first = album.others[number % len(album.others)]
            original = _marked(first, number // len(album.others))
            world.post(f"first-{number}", original)
            copy = original if number % 2 else _worse(original)
            upload = partial(world.post, f"copy-{number}", copy)
            _race(pool, chance, upload, partial(_report, world, f"first-{number}"))
    copies = Item.objects.filter(external_id__startswith="copy-")
    slipped = copies.exclude(state=ItemState.FROZEN)
    assert list(slipped.values_list("external_id", flat=True)) == []
    # Each copy stands in the case of its own original and of no other.
    for place in CaseItem.objects.filter(item__in=copies).select_related("against"):
        assert place.against is not None
        which = place.item.external_id.removeprefix("copy-")
        assert place.against.external_id == f"first-{which}"
    assert copies.count() == ROUNDS


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(200)
def test_an_upload_and_a_decision_cross(album: Album) -> None:
    """The bank entry that a decision changes goes on freezing while it is changed."""
    _cross_with_decisions(album, "child_sexual_abuse_material", "child_safety_terms")


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(200)
def test_an_upload_and_a_decision_cross_where_reports_freeze_nothing(
    album: Album,
) -> None:
    """Here the decision alone acts: it has to look for what arrived before it."""
    _cross_with_decisions(album, "harassment", "harassment_terms")


def _cross_with_decisions(album: Album, category: str, ground: str) -> None:
    world, chance = new_world(), random.Random(2)
    reader = _reader()
    with ThreadPoolExecutor(2) as pool:
        for number in range(DECISIONS):
            original = album.others[number].data
            first = world.post(f"first-{number}", original)
            world.report(items=(f"first-{number}",), category=category)
            case = _taken(first, reader)
            upload = partial(world.post, f"copy-{number}", original)
            _race(
                pool, chance, upload, partial(_decide, case, category, ground, reader)
            )
    _finish_what_waits()
    slipped = Item.objects.filter(
        external_id__startswith="copy-", state=ItemState.VISIBLE
    )
    assert list(slipped.values_list("external_id", flat=True)) == []


def _finish_what_waits() -> None:
    """Run the jobs of these items; those of earlier tests have lost their events."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM procrastinate_jobs WHERE NOT EXISTS (SELECT 1 FROM hf_event"
            " WHERE id = (procrastinate_jobs.args->>'event_id')::bigint)"
        )
    drain()


def _race(
    pool: ThreadPoolExecutor,
    chance: random.Random,
    upload: Callable[[], object],
    other: Callable[[], object],
) -> None:
    together = Barrier(2)

    def run(act: Callable[[], object], pause_s: float) -> None:
        try:
            together.wait()
            sleep(pause_s)
            act()
        finally:
            connection.close()

    pauses = [0.0, chance.uniform(0, JITTER_S)]
    chance.shuffle(pauses)
    sides = [
        pool.submit(run, act, pause_s)
        for act, pause_s in zip((upload, other), pauses, strict=True)
    ]
    for side in sides:
        side.result()


def _report(world: World, item: str) -> None:
    """A report, and the job that looks once more after its commit."""
    received = world.report(items=(item,))
    event = Event.objects.get(
        kind=Kind.REPORT_RECEIVED, about__report=str(received.report_id)
    )
    look_again(event)


def _reader() -> By:
    added = add_person(
        email="reader@plaza.example", name="Reader", roles=["specialist"], by=SYSTEM
    )
    return By("staff", str(added.person_id), frozenset(Permission))


def _taken(item: Item, by: By) -> Case:
    case = Case.objects.get(items__item=item)
    claim(case_id=case.id, by=by)
    media = item.media.get()
    reveal(
        case_id=case.id,
        item_id=item.id,
        media_id=media.id,
        reason="To decide this case",
        by=by,
    )
    return case


def _decide(case: Case, category: str, ground: str, by: By) -> None:
    refers = category == "child_sexual_abuse_material"
    record_reading(
        case_id=case.id,
        outcome="violation",
        category=category,
        ground=ground,
        reason="It is against the rules.",
        parts={},
        refer=refers,
        why_not_refer="" if refers else "No authority is told of this.",
        by=by,
    )


def _marked(picture: Picture, time_round: int) -> bytes:
    """The picture; mirrored when it comes round again, which PDQ sees as another."""
    image = Image.open(io.BytesIO(picture.data))
    mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return _file(mirrored if time_round else image, 90)


def _worse(data: bytes) -> bytes:
    """The same picture, encoded again."""
    return _file(Image.open(io.BytesIO(data)), 60)


def _file(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()
