"""The search misses nothing that was committed before it, whatever its number."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from holdfast.base import clock
from holdfast.fingerprints.models import Fingerprint
from holdfast.items.models import Item, Media
from holdfast.matching.index import PdqIndex
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db(transaction=True)
RADIUS = 31


def fingerprint(world: World, item: Item, pdq: bytes) -> Fingerprint:
    media = Media.objects.create(
        item=item, position=9, state="signed", added_at=clock.now()
    )
    return Fingerprint.objects.create(
        media=media,
        item=item,
        platform_id=world.platform_id,
        sha256=bytes(32),
        pdq=pdq,
        quality=100,
        made_at=clock.now(),
    )


def test_a_row_that_commits_late_is_found(world: World) -> None:
    item = world.post("1", text="words")
    index: PdqIndex[int] = PdqIndex("hf_fingerprint")
    late, early = bytes([255] * 32), bytes([0, 255] * 16)
    written, may_commit = threading.Event(), threading.Event()

    def commits_late() -> None:
        with transaction.atomic():
            fingerprint(world, item, late)
            written.set()
            may_commit.wait(10)
        connection.close()

    thread = threading.Thread(target=commits_late)
    thread.start()
    assert written.wait(10)
    with transaction.atomic():
        fingerprint(world, item, early)
    assert len(index.near(early, RADIUS)) == 1
    assert not index.near(late, RADIUS)
    may_commit.set()
    thread.join()
    assert len(index.near(late, RADIUS)) == 1
    assert len(index.near(early, RADIUS)) == 1


def test_each_row_is_kept_once_and_distances_are_exact(world: World) -> None:
    item = world.post("1", text="words")
    index: PdqIndex[int] = PdqIndex("hf_fingerprint")
    for bits in range(0, 40, 4):
        value = (1 << bits) - 1
        with transaction.atomic():
            fingerprint(world, item, value.to_bytes(32))
        index.near(bytes(32), RADIUS)
    found = [hit.distance_bits for hit in index.near(bytes(32), RADIUS)]
    assert found == [0, 4, 8, 12, 16, 20, 24, 28]


def test_a_row_that_was_rolled_back_is_not_acted_on(world: World) -> None:
    picture = photograph()
    reported = world.post("1", encoded(picture))
    with transaction.atomic():
        ghost = world.post("2", encoded(picture))
        world.report("https://plaza.example/p/1")
        assert Item.objects.get(id=ghost.id).state == "frozen"
        transaction.set_rollback(True)
    world.report("https://plaza.example/p/1")
    assert Item.objects.get(id=reported.id).state == "frozen"
    assert Item.objects.count() == 1
