"""The next photograph of a series is within PDQ's reach; people decide, not PDQ."""

from __future__ import annotations

import io
import logging
from random import Random
from typing import Any

import pytest
from PIL import Image, ImageOps
from skimage import data as photographs

from holdfast.base.by import SYSTEM
from holdfast.base.events import Event, Kind
from holdfast.base.jobs import drain
from holdfast.fingerprints.models import PictureFeatures
from holdfast.items.models import Item
from holdfast.matching import shots
from holdfast.matching.closer import look_closer
from holdfast.matching.operations import look_again
from holdfast.matching.queries import find_copies
from holdfast.matching.rules import Basis, Variant
from holdfast.signals import features, opencv
from holdfast.signals.scenes import is_another_shot
from holdfast.triage.doubts import confirm_copy
from holdfast.triage.models import CaseItem
from holdfast_bench.edited import EDITS, SCENES, as_jpeg
from tests.world import World

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(opencv.cv2 is None, reason="needs the extra holdfast[features]"),
]


def picture(name: str = "coffee") -> Image.Image:
    return Image.fromarray(getattr(photographs, name)()).convert("RGB")


def shown_again(name: str = "aside_1") -> tuple[bytes, bytes]:
    """Two photographs of one scene, a few bits of PDQ apart."""
    one, two = SCENES[name](picture(), Random(name), picture("astronaut"))
    return as_jpeg(one, 88), as_jpeg(two, 80)


def resized(data: bytes) -> bytes:
    """The same, written anew and smaller: some bits further away than PDQ's own."""
    made = EDITS["resize_33"](Image.open(io.BytesIO(data)), Random(1), picture())
    return as_jpeg(made, 60)


def report(world: World, name: str) -> None:
    world.report(f"https://plaza.example/p/{name}")


def state(name: str) -> str:
    return Item.objects.get(external_id=name).state


@pytest.fixture(autouse=True)
def _nothing_seen_yet() -> None:
    shots._seen.cache_clear()


@pytest.mark.parametrize("scene", ["aside_1", "other_light"])
def test_another_shot_is_not_frozen_and_waits_for_people(
    world: World, scene: str
) -> None:
    one, two = shown_again(scene)
    original = world.post("reported", one)
    world.post("other", two, actor="other")
    world.post("copy", resized(one), actor="third")
    report(world, "reported")
    assert (state("other"), state("copy")) == ("visible", "frozen")
    place = CaseItem.objects.get(item__external_id="other")
    assert (place.basis, place.certain, place.against_id) == (
        Basis.PDQ,
        False,
        original.id,
    )
    assert place.distance_bits is not None
    assert place.distance_bits <= 31
    confirm_copy(place.case_id, place.item_id, by=SYSTEM)
    assert state("other") == "frozen"


def test_one_that_arrives_later_waits_as_well(world: World) -> None:
    one, two = shown_again()
    world.post("reported", one)
    report(world, "reported")
    world.post("other", two, actor="other")
    world.post("copy", resized(one), actor="third")
    drain()
    assert (state("other"), state("copy")) == ("visible", "frozen")
    assert not CaseItem.objects.get(item__external_id="other").certain


def test_it_is_seen_mirrored_too(world: World) -> None:
    one, two = shown_again()
    world.post("reported", one)
    mirror = as_jpeg(ImageOps.mirror(Image.open(io.BytesIO(two))), 80)
    world.post("other", mirror, actor="other")
    report(world, "reported")
    assert state("other") == "visible"
    place = CaseItem.objects.get(item__external_id="other")
    assert (place.variant, place.certain) == (Variant.MIRRORED, False)


def test_without_features_the_word_of_pdq_stands(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "cv2", None)
    one, two = shown_again()
    world.post("reported", one)
    world.post("other", two, actor="other")
    report(world, "reported")
    assert state("other") == "frozen"


def test_features_that_cannot_be_opened_never_stop_a_report(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = shown_again()
    world.post("reported", one)
    other = world.post("other", two, actor="other")
    PictureFeatures.objects.filter(item=other.id).update(sealed=b"not what was sealed")
    with caplog.at_level(logging.ERROR, "holdfast.matching.shots"):
        report(world, "reported")
    assert state("other") == "frozen"
    assert "SecretDamaged" in caplog.text


def test_a_pair_is_looked_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = shown_again()
    original = world.post("reported", one)
    world.post("other", two, actor="other")
    looks = []
    look = is_another_shot

    def counted(*both: Any, **how: Any) -> bool:
        looks.append(both)
        return look(*both, **how)

    monkeypatch.setattr(shots, "is_another_shot", counted)
    first, second = find_copies(original.id), find_copies(original.id)
    assert first == second
    assert [each.like.certain for each in first] == [False]
    assert len(looks) == 1


def test_beyond_the_most_looks_the_farthest_are_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shots, "MOST_LOOKS", 1)
    one, two = shown_again()
    _, lit = shown_again("other_light")
    original = world.post("reported", one)
    world.post("aside", two, actor="other")
    world.post("lit", lit, actor="other")
    found = find_copies(original.id)
    assert len(found) == 2
    nearest, farthest = sorted(found, key=lambda each: each.like.distance_bits or 0)
    assert nearest.like.distance_bits != farthest.like.distance_bits
    assert (nearest.like.certain, farthest.like.certain) == (True, False)


def test_a_copy_that_was_doubted_in_vain_is_frozen_soon(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Local features ask more of the pixels than the first look does, and are sure."""
    monkeypatch.setattr(shots, "is_another_shot", lambda *both, **how: True)
    one, _ = shown_again()
    world.post("reported", one)
    world.post("copy", resized(one), actor="other")
    report(world, "reported")
    assert state("copy") == "visible"
    look_again(Event.objects.get(kind=Kind.REPORT_RECEIVED))
    look_closer(Event.objects.get(kind=Kind.ITEM_COMPARED))
    assert state("copy") == "frozen"
    place = CaseItem.objects.get(item__external_id="copy")
    assert (place.basis, place.certain) == (Basis.FEATURES, True)
