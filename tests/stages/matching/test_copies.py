"""What people make of a picture is found, and the case says how it was turned."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image, ImageOps

from holdfast.fingerprints.models import Fingerprint, View
from holdfast.items.models import Item
from holdfast.matching.models import Match
from holdfast.matching.queries import find_copies, find_known
from holdfast.matching.rules import (
    SAME_BYTES,
    VARIANTS,
    Basis,
    Likeness,
    Variant,
    precision,
    strength,
    turned_back,
)
from holdfast.triage.models import Case, CaseItem
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db

TURNS = {
    Variant.TURNED_90: Image.Transpose.ROTATE_90,
    Variant.TURNED_180: Image.Transpose.ROTATE_180,
    Variant.TURNED_270: Image.Transpose.ROTATE_270,
    Variant.MIRRORED: Image.Transpose.FLIP_LEFT_RIGHT,
    Variant.MIRRORED_180: Image.Transpose.FLIP_TOP_BOTTOM,
    Variant.MIRRORED_90: Image.Transpose.TRANSPOSE,
    Variant.MIRRORED_270: Image.Transpose.TRANSVERSE,
}


def place(item: Item) -> CaseItem:
    return CaseItem.objects.get(item=item)


@pytest.mark.parametrize("variant", TURNS)
def test_a_turned_copy_is_frozen_and_the_case_says_how(
    world: World, variant: Variant
) -> None:
    """The same word, whether the copy or the report came first."""
    picture = photograph()
    turned = encoded(picture.transpose(TURNS[variant]))
    world.post("reported", encoded(picture))
    before = world.post("before", turned)
    world.report("https://plaza.example/p/reported")
    after = world.post("after", turned, actor="other")
    for copy in (before, after):
        copy.refresh_from_db()
        assert copy.state == "frozen"
        assert place(copy).variant == variant
        assert not place(copy).trimmed
        assert not place(copy).exact
    assert Case.objects.count() == 1


def test_a_turn_and_its_undoing() -> None:
    assert len(VARIANTS) == 8
    picture = photograph(size=64)
    for variant, turn in TURNS.items():
        back = TURNS[turned_back(variant)]
        assert picture.transpose(turn).transpose(back) == picture


@pytest.mark.parametrize("bordered_is_reported", [False, True])
def test_a_border_hides_nothing(world: World, bordered_is_reported: bool) -> None:
    picture = photograph()
    bordered = encoded(ImageOps.expand(picture, 60, "white"))
    both = [bordered, encoded(picture)]
    world.post("reported", both[not bordered_is_reported])
    copy = world.post("copy", both[bordered_is_reported])
    world.report("https://plaza.example/p/reported")
    copy.refresh_from_db()
    assert copy.state == "frozen"
    assert (place(copy).basis, place(copy).trimmed) == (Basis.PDQ, True)
    late = world.post("late", both[bordered_is_reported])
    # The same bytes as a copy; but measured against what was reported itself.
    assert (place(late).basis, place(late).trimmed) == (Basis.PDQ, True)


def test_what_says_too_little_is_found_by_its_bytes_alone(world: World) -> None:
    flat = Image.new("RGB", (300, 300), "#446688")
    reported = world.post("1", encoded(flat))
    same = world.post("2", encoded(flat))
    alike = world.post("3", encoded(flat, quality=50))
    view = View.objects.filter(item=reported, part="whole").get()
    assert view.pdq is None
    assert view.variants is None
    world.report("https://plaza.example/p/1")
    assert place(same).likeness == SAME_BYTES
    assert not CaseItem.objects.filter(item=alike).exists()


def test_both_digests_and_every_turn_are_kept(world: World) -> None:
    item = world.post("1", encoded(photograph()))
    print_ = Fingerprint.objects.get(item=item)
    assert (len(print_.sha256), len(print_.md5)) == (32, 16)
    view = print_.views.get(part="whole")
    assert view.pdq is not None
    assert view.variants is not None
    assert (len(view.pdq), len(view.variants)) == (32, 7 * 32)


def test_the_two_ways_agree(world: World) -> None:
    """A report finds as copies what finds the report as known, by the same likeness."""
    picture = photograph()
    first = world.post("1", encoded(picture))
    world.report("https://plaza.example/p/1")
    for number, data in enumerate(
        (
            encoded(picture),
            encoded(picture, quality=40),
            encoded(picture.transpose(Image.Transpose.ROTATE_90)),
            encoded(ImageOps.expand(picture, 50, "black")),
        )
    ):
        world.post(f"copy-{number}", data)
    copies = {copy.item: copy.like for copy in find_copies(first.id)}
    assert len(copies) == 4
    for item, like in copies.items():
        [known] = [each for each in find_known(item) if each.against == first.id]
        assert known.like == like


def test_a_repost_has_the_likeness_of_what_it_reposts(world: World) -> None:
    picture = photograph()
    world.post("1", encoded(picture))
    world.post("2", encoded(picture, quality=30))
    repost = world.post("3", repost_of="2")
    world.report("https://plaza.example/p/1")
    copy = place(Item.objects.get(external_id="2"))
    assert place(repost).likeness == copy.likeness.of_repost()
    assert not place(repost).exact


def test_the_same_match_is_written_once(world: World) -> None:
    picture = photograph()
    world.post("1", encoded(picture))
    world.report("https://plaza.example/p/1")
    world.post("2", encoded(picture, quality=60))
    assert Match.objects.count() == 1
    world.report("https://plaza.example/p/1")
    assert Match.objects.count() == 1


def test_a_report_of_many_copies_takes_no_more_statements(world: World) -> None:
    counted = []
    for name, copies in (("astronaut", 3), ("coffee", 23)):
        picture = photograph(name)
        world.post(name, encoded(picture))
        for number in range(copies):
            turned = picture.transpose(Image.Transpose.ROTATE_90)
            world.post(f"{name}-{number}", encoded(turned, quality=70 + number))
        with CaptureQueriesContext(connection) as statements:
            world.report(items=(name,))
        assert CaseItem.objects.filter(against__external_id=name).count() == copies
        counted.append(len(statements))
    # What is asked for anew at the first report, such as the bank, comes on top.
    assert counted[1] <= counted[0]


def test_the_surest_likeness_comes_first() -> None:
    in_order = [
        SAME_BYTES,
        Likeness(Basis.PDQ, distance_bits=4),
        Likeness(Basis.PDQ, distance_bits=30),
        Likeness(Basis.FEATURES),
        Likeness(Basis.FEATURES).of_repost(),
        Likeness(Basis.VIDEO, certain=False, share_percent=90),
    ]
    mixed = [in_order[place] for place in (3, 1, 5, 0, 4, 2)]
    assert sorted(mixed, key=strength) == in_order


def test_precision_is_of_what_was_decided() -> None:
    assert precision({}) is None
    assert precision({"violation": 3, "no_violation": 1}) == 0.75
