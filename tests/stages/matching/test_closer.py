"""What PDQ does not see is found soon after: cut, captioned, shown on a screen.

Real photographs, edited by the functions of the benchmark, so that what is measured
there is what happens here. What is due "soon" is run as its jobs would run it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from random import Random
from uuid import uuid4

import pytest
from PIL import Image
from skimage import data as photographs

from holdfast.base.by import SYSTEM
from holdfast.base.errors import Unavailable
from holdfast.base.events import Event, Kind
from holdfast.base.jobs import drain
from holdfast.cli.check import look
from holdfast.cli.operator import OPERATOR
from holdfast.fingerprints import later
from holdfast.fingerprints.features import opened
from holdfast.fingerprints.later import Described, describe_what_is_left
from holdfast.fingerprints.models import Fingerprint, PictureFeatures
from holdfast.fingerprints.sources import media_bytes
from holdfast.items.keys import PlatformGiven, put_platform
from holdfast.items.models import Item, ItemState, Media, MediaState
from holdfast.matching import closer
from holdfast.matching.closer import compare_closer, look_closer
from holdfast.matching.models import BankEntry, BankState, Match
from holdfast.matching.operations import bank_decided, look_again
from holdfast.matching.queries import find_copies
from holdfast.matching.rules import Basis, Variant
from holdfast.notifications.queries import report_status
from holdfast.signals import features, opencv
from holdfast.triage.doubts import reject_copy
from holdfast.triage.models import Case, CaseItem
from holdfast.vault.keys import SecretDamaged
from holdfast_bench.edited import EDITS, SCENES, as_jpeg
from tests.stages.matching.test_videos import clip
from tests.world import PLATFORM_BY, World, new_world

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(opencv.cv2 is None, reason="needs the extra holdfast[features]"),
]
BEYOND_PDQ = ("crop_20", "caption", "telephone", "picture_in_picture")
JPEG = 80


def picture(name: str = "coffee") -> Image.Image:
    return Image.fromarray(getattr(photographs, name)()).convert("RGB")


def edited(family: str, of: str = "coffee") -> bytes:
    made = EDITS[family](picture(of), Random(family), picture("astronaut"))
    return as_jpeg(made, JPEG)


def scene(name: str) -> tuple[bytes, bytes]:
    one, two = SCENES[name](picture(), Random(name), picture("astronaut"))
    return as_jpeg(one, JPEG), as_jpeg(two, JPEG)


def report(world: World, name: str) -> str:
    """A report, and what its jobs do soon after; gives its number."""
    received = world.report(f"https://plaza.example/p/{name}")
    event = Event.objects.get(
        kind=Kind.REPORT_RECEIVED, about__report=str(received.report_id)
    )
    look_again(event)
    run_soon(Kind.ITEM_COMPARED, look_closer)
    return str(received.number)


def arrive(world: World, name: str, *pictures: bytes, actor: str = "late") -> Item:
    """An upload, and what its job does soon after."""
    item = world.post(name, *pictures, actor=actor)
    run_soon(Kind.ITEM_DESCRIBED, compare_closer)
    return Item.objects.get(id=item.id)


def run_soon(kind: Kind, step: Callable[[Event], None]) -> None:
    for event in list(Event.objects.filter(kind=kind)):
        step(event)


def cleared(item: Item) -> None:
    """People found nothing wrong with it."""
    bank_decided(
        [item.id],
        violates=False,
        category="child_sexual_abuse_material",
        case_id=uuid4(),
        decision_id=uuid4(),
        by=SYSTEM,
    )


def another_platform() -> World:
    given = PlatformGiven(
        slug="forum",
        name="Forum",
        url="https://forum.example",
        hosts=["forum.example"],
        aliases=[],
    )
    return World(put_platform(given, by=SYSTEM))


def state(item: Item) -> str:
    return Item.objects.get(id=item.id).state


@pytest.mark.parametrize("family", BEYOND_PDQ)
def test_a_copy_beyond_pdq_is_frozen_soon_after_the_report(
    world: World, family: str
) -> None:
    original = world.post("reported", as_jpeg(picture(), 90))
    copy = world.post("copy", edited(family), actor="other")
    assert copy.id not in {each.item for each in find_copies(original.id)}
    report(world, "reported")
    assert state(copy) == "frozen"
    place = CaseItem.objects.get(item=copy)
    assert (place.basis, place.certain, place.exact) == (Basis.FEATURES, True, False)
    assert place.against_id == original.id
    assert place.case_id == CaseItem.objects.get(item=original).case_id


@pytest.mark.parametrize("family", BEYOND_PDQ)
def test_it_is_frozen_soon_after_it_arrives(world: World, family: str) -> None:
    world.post("reported", as_jpeg(picture(), 90))
    report(world, "reported")
    copy = arrive(world, "copy", edited(family))
    assert copy.state == "frozen"
    assert CaseItem.objects.get(item=copy).basis == Basis.FEATURES
    assert Case.objects.count() == 1


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_a_crop_is_found_in_an_animation_that_shows_it_longest(
    world: World, kind: str
) -> None:
    """It is made in a second: a crop, and something else that nobody sees."""
    crop = Image.open(io.BytesIO(edited("crop_20")))
    stream, flashed = io.BytesIO(), picture("rocket").resize(crop.size)
    several = {"save_all": True, "append_images": [crop, flashed]}
    flashed.save(stream, kind, duration=[20, 3_000, 20], **several)
    world.post("reported", as_jpeg(picture(), 90))
    before = world.post("before", stream.getvalue(), actor="other")
    report(world, "reported")
    after = arrive(world, "after", stream.getvalue() + b"\0")
    assert [state(before), state(after)] == ["frozen", "frozen"]
    place = CaseItem.objects.get(item=before)
    assert (place.basis, place.certain) == (Basis.FEATURES, True)


def test_a_crop_is_found_when_the_animation_is_reported(world: World) -> None:
    whole = picture()
    stream, flashed = io.BytesIO(), picture("rocket").resize(whole.size)
    several = {"save_all": True, "append_images": [whole], "duration": [20, 3_000]}
    flashed.save(stream, "WEBP", **several)
    world.post("reported", stream.getvalue())
    crop = world.post("crop", edited("crop_20"), actor="other")
    report(world, "reported")
    assert state(crop) == "frozen"


def test_the_share_is_how_much_of_the_original_is_shown(world: World) -> None:
    world.post("reported", as_jpeg(picture(), 90))
    before = world.post("before", edited("crop_20"), actor="other")
    report(world, "reported")
    after = arrive(world, "after", edited("crop_20"))
    for copy in (before, after):
        # A fifth is cut off on each side: 36 % are left.
        share = CaseItem.objects.get(item=copy).share_percent
        assert share is not None
        assert 30 <= share <= 40


TURNS = {
    Variant.TURNED_90: Image.Transpose.ROTATE_90,
    Variant.TURNED_270: Image.Transpose.ROTATE_270,
    Variant.MIRRORED: Image.Transpose.FLIP_LEFT_RIGHT,
    Variant.MIRRORED_90: Image.Transpose.TRANSPOSE,
    Variant.MIRRORED_180: Image.Transpose.FLIP_TOP_BOTTOM,
}


@pytest.mark.parametrize("variant", TURNS)
def test_a_cut_and_turned_copy_says_how(world: World, variant: Variant) -> None:
    """The same word, whether the copy or the report came first."""
    world.post("reported", as_jpeg(picture(), 90))
    cut = EDITS["crop_20"](picture(), Random(1), picture())
    turned = as_jpeg(cut.transpose(TURNS[variant]), JPEG)
    before = world.post("before", turned, actor="other")
    report(world, "reported")
    after = arrive(world, "after", turned)
    for copy in (before, after):
        found = Match.objects.get(item=copy, basis=Basis.FEATURES)
        assert found.variant == variant
        assert state(copy) == "frozen"


@pytest.mark.parametrize("name", ["moved", "aside_3"])
@pytest.mark.parametrize("arrives", [False, True])
def test_the_next_picture_of_a_scene_waits_for_people(
    world: World, name: str, arrives: bool
) -> None:
    one, two = scene(name)
    original = world.post("reported", one)
    made = EDITS["crop_10"](Image.open(io.BytesIO(two)), Random(1), picture())
    cut = as_jpeg(made, JPEG)
    if not arrives:
        world.post("other", cut, actor="other")
    report(world, "reported")
    if arrives:
        arrive(world, "other", cut)
    other = Item.objects.get(external_id="other")
    place = CaseItem.objects.get(item=other)
    assert (place.basis, place.certain) == (Basis.FEATURES, False)
    assert other.state == "visible"

    reject_copy(place.case_id, other.id, by=SYSTEM)
    run_soon(Kind.ITEM_COMPARED, look_closer)
    run_soon(Kind.ITEM_DESCRIBED, compare_closer)
    report(world, "reported")
    report(world, "other")
    assert not CaseItem.objects.filter(item=other, certain=False).exists()
    assert not CaseItem.objects.filter(item=original, certain=False).exists()


def test_other_pictures_are_left_alone(world: World) -> None:
    world.post("reported", as_jpeg(picture(), 90))
    strangers = [
        world.post(name, as_jpeg(picture(name), 90), actor="other")
        for name in ("astronaut", "chelsea", "rocket", "coins")
    ]
    report(world, "reported")
    strangers.append(arrive(world, "late", as_jpeg(picture("camera"), 90)))
    assert not Match.objects.exists()
    assert {state(each) for each in strangers} == {"visible"}


def test_reposts_of_what_is_found_follow(world: World) -> None:
    world.post("reported", as_jpeg(picture(), 90))
    copy = world.post("copy", edited("crop_20"), actor="other")
    repost = world.post("repost", actor="third", repost_of="copy")
    report(world, "reported")
    assert (state(copy), state(repost)) == ("frozen", "frozen")
    assert CaseItem.objects.get(item=repost).role == "repost"


def test_a_look_may_run_twice_and_says_nothing_twice(world: World) -> None:
    world.post("reported", as_jpeg(picture(), 90))
    world.post("copy", edited("caption"), actor="other")
    report(world, "reported")
    told = Event.objects.count()
    run_soon(Kind.ITEM_COMPARED, look_closer)
    run_soon(Kind.ITEM_DESCRIBED, compare_closer)
    assert Event.objects.count() == told


def test_a_copy_is_never_measured_against_a_copy(world: World) -> None:
    """What resembles a match alone is not brought in by it."""
    original = world.post("reported", as_jpeg(picture(), 90))
    world.post("copy", edited("crop_20"), actor="other")
    world.post("other", edited("crop_10"), actor="other")
    report(world, "reported")
    assert set(Match.objects.values_list("against", flat=True)) == {original.id}


def test_what_people_cleared_is_left_alone(world: World) -> None:
    shown = world.post("shown", edited("caption"), actor="other")
    world.post("reported", as_jpeg(picture(), 90))
    cleared(shown)
    again = world.post("again", edited("caption"), actor="third")
    report(world, "reported")
    late = arrive(world, "late", edited("caption"))
    placed = CaseItem.objects.filter(item__in=[shown, again, late])
    assert not list(placed.values_list("item__external_id", "basis"))
    assert {state(each) for each in (shown, again, late)} == {"visible"}


def test_what_was_revoked_is_not_looked_for(world: World) -> None:
    world.post("reported", as_jpeg(picture(), 90))
    report(world, "reported")
    BankEntry.objects.update(
        state=BankState.REVOKED,
        revoked_at=Event.objects.latest("id").at,
        revoked_by="somebody",
        revoke_reason="It should not have been here.",
    )
    assert arrive(world, "copy", edited("crop_20")).state == "visible"


def test_another_platform_is_another_matter(world: World) -> None:
    world.post("reported", as_jpeg(picture(), 90))
    report(world, "reported")
    copy = arrive(another_platform(), "copy", edited("crop_20"))
    assert copy.state == "visible"


def test_a_look_that_is_out_of_time_goes_on_in_another_job(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closer, "LOOK_S", 0.0)
    world.post("reported", as_jpeg(picture(), 90))
    copies = [
        world.post(family, edited(family), actor="other") for family in BEYOND_PDQ
    ]
    report(world, "reported")
    for _ in BEYOND_PDQ:
        look_closer(Event.objects.filter(kind=Kind.ITEM_COMPARED).latest("id"))
    assert {state(each) for each in copies} == {"frozen"}
    told = Event.objects.filter(kind=Kind.ITEM_COMPARED).count()
    look_closer(Event.objects.filter(kind=Kind.ITEM_COMPARED).latest("id"))
    assert Event.objects.filter(kind=Kind.ITEM_COMPARED).count() == told


def test_the_status_of_the_report_grows(world: World) -> None:
    world.post("reported", as_jpeg(picture(), 90))
    world.post("copy", edited("crop_20"), actor="other")
    number = report(world, "reported")
    status = report_status(number, world.platform_id, by=PLATFORM_BY)
    assert status["frozen"] == ["reported"]
    assert status["frozen_since"] == ["copy"]
    assert status["told_to_hide"] == 2


def test_what_is_kept_of_a_picture_shows_it_to_nobody(world: World) -> None:
    world.post("one", as_jpeg(picture(), 90))
    row = PictureFeatures.objects.get()
    sealed = bytes(row.sealed)
    assert b"\xff\xd8\xff" not in sealed
    assert b"hfLF" not in sealed
    kept = opened(row.fingerprint_id, sealed)
    assert len(kept) > 100
    with pytest.raises(SecretDamaged):
        opened(row.fingerprint_id + 1, sealed)
    with pytest.raises(SecretDamaged):
        opened(row.fingerprint_id, sealed[:-1])


def test_a_flat_picture_has_none(world: World) -> None:
    world.post("flat", as_jpeg(Image.new("RGB", (300, 200), "#446688"), 90))
    assert Fingerprint.objects.count() == 1
    assert not PictureFeatures.objects.exists()


def test_without_opencv_nothing_breaks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "cv2", None)
    original = world.post("reported", as_jpeg(picture(), 90))
    same = world.post("same", as_jpeg(picture(), 50), actor="other")
    crop = world.post("crop", edited("crop_20"), actor="other")
    report(world, "reported")
    late = arrive(world, "late", edited("crop_20"))
    assert [state(each) for each in (original, same)] == ["frozen", "frozen"]
    assert [state(each) for each in (crop, late)] == ["visible", "visible"]
    assert not PictureFeatures.objects.exists()
    [line] = [each for each in look() if each.what == "crops"]
    assert "holdfast[features]" in line.says


def describe(**options: int) -> list[Described]:
    """What the command does, and what its jobs alone do soon after."""
    before = set(Event.objects.values_list("id", flat=True))
    came = list(describe_what_is_left(by=OPERATOR, **options))
    for event in Event.objects.filter(kind=Kind.ITEM_DESCRIBED).exclude(id__in=before):
        compare_closer(event)
    return came


def test_an_animation_that_came_before_opencv_is_described_a_film_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    crop = Image.open(io.BytesIO(edited("crop_20")))
    stream, flashed = io.BytesIO(), picture("rocket").resize(crop.size)
    several = {"save_all": True, "append_images": [crop], "duration": [20, 3_000]}
    flashed.save(stream, "WEBP", **several)
    with monkeypatch.context() as without:
        without.setattr(features, "cv2", None)
        world.post("reported", as_jpeg(picture(), 90))
        moving = world.post("moving", stream.getvalue(), actor="other")
        world.post("film", clip([picture("chelsea").resize((160, 120))]), kind="video")
        Media.objects.filter(item__external_id="film").update(state=MediaState.SIGNED)
        report(world, "reported")
    assert describe() == [Described.NOW, Described.NOW]
    assert state(moving) == "frozen"


@pytest.mark.parametrize("first", ["reported", "crop"])
def test_what_came_before_opencv_is_described_afterwards(
    world: World, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """Whichever came first, and whatever the index was asked meanwhile."""
    files = {"reported": as_jpeg(picture(), 90), "crop": edited("crop_20")}
    names = sorted(files, key=lambda name: name != first)
    with monkeypatch.context() as without:
        without.setattr(features, "cv2", None)
        items = {name: world.post(name, files[name], actor=name) for name in names}
        flat = world.post("flat", as_jpeg(Image.new("RGB", (300, 200), "#446688"), 90))
        report(world, "reported")
    arrive(world, "stranger", as_jpeg(picture("chelsea"), 80))
    assert state(items["crop"]) == "visible"
    assert describe(most=1) == [Described.NOW]
    # Interrupted there, and begun anew.
    assert describe() == [Described.NOW, Described.NOTHING_TO_SEE]
    assert [state(items[name]) for name in ("reported", "crop")] == ["frozen"] * 2
    assert state(flat) == "visible"
    assert PictureFeatures.objects.count() == 3
    assert describe() == [Described.NOTHING_TO_SEE]


def test_what_cannot_be_had_any_more_is_stepped_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setattr(features, "cv2", None)
        for name in ("gone", "changed", "here"):
            world.post(name, as_jpeg(picture(), 90 - len(name)), actor=name)

    def served(media: Media) -> bytes:
        if media.item.external_id == "gone":
            raise Unavailable("Its platform does not answer.")
        if media.item.external_id == "changed":
            return as_jpeg(picture("astronaut"), 90)
        return media_bytes(media)

    monkeypatch.setattr(later, "media_bytes", served)
    assert describe() == [Described.NOT_TO_BE_HAD] * 2 + [Described.NOW]
    kept = PictureFeatures.objects.get()
    assert kept.item.external_id == "here"


def test_nothing_is_described_without_opencv(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "cv2", None)
    with pytest.raises(Unavailable, match="pip install"):
        describe()


@pytest.mark.django_db(transaction=True)
def test_the_jobs_do_it_by_themselves() -> None:
    """Through the queue and back; what commits late counts."""
    world = new_world()
    world.post("reported", as_jpeg(picture(), 90))
    before = world.post("before", edited("telephone"), actor="other")
    world.report("https://plaza.example/p/reported")
    drain()
    after = world.post("after", edited("crop_20"), actor="other")
    assert after.state == ItemState.VISIBLE
    drain()
    assert (state(before), state(after)) == ("frozen", "frozen")


@pytest.mark.django_db(transaction=True)
def test_what_is_described_long_after_it_was_banked_is_compared_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The index has read the bank meanwhile, and does not read that entry again."""
    world = new_world()
    with monkeypatch.context() as without:
        without.setattr(features, "cv2", None)
        world.post("reported", as_jpeg(picture(), 90))
        world.report("https://plaza.example/p/reported")
        drain()
    for name in ("chelsea", "camera"):
        world.post(name, as_jpeg(picture(name), 80), actor=name)
        drain()
    assert list(describe_what_is_left(by=OPERATOR)) == [Described.NOW]
    drain()
    after = world.post("after", edited("crop_20"), actor="other")
    drain()
    assert state(after) == "frozen"
