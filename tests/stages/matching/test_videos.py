"""Videos: copies of them, stills cut from them, and videos that hold a still."""

from __future__ import annotations

import io
from collections.abc import Sequence

import av
import pytest
from PIL import Image

from holdfast.base.events import Kind
from holdfast.base.models import Event
from holdfast.fingerprints import operations as fingerprints
from holdfast.fingerprints.models import Fingerprint
from holdfast.flow import settle_arrival
from holdfast.items.models import Item, MediaState
from holdfast.items.queries import item_facts
from holdfast.matching.queries import find_copies, find_known
from holdfast.matching.rules import Basis, Variant
from holdfast.signals import raster
from holdfast.triage.models import Case, CaseItem
from tests.world import PLATFORM_BY, World, encoded, photograph

pytestmark = pytest.mark.django_db
FPS = 10
SIDE = 256


def scenes(name: str, count: int = 6) -> list[Image.Image]:
    """Pieces of one photograph, each unlike the others."""
    whole = photograph(name, 720)
    boxes = [(x, y) for y in (0, 180, 360) for x in (0, 180, 360)]
    cuts = [whole.crop((x, y, x + 360, y + 360)) for x, y in boxes[:count]]
    return [cut.resize((SIDE, SIDE)) for cut in cuts]


def clip(shown: Sequence[Image.Image], seconds_each: int = 2, crf: int = 23) -> bytes:
    """A video that shows each picture for some seconds, slowly growing lighter."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=FPS)
        stream.width, stream.height = shown[0].size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(crf), "g": str(FPS * 2)}
        for picture in shown:
            for number in range(seconds_each * FPS):
                lighter = picture.point(lambda level, n=number: min(255, level + n))
                frame = av.VideoFrame.from_image(lighter)  # type: ignore[no-untyped-call]  # PyAV has no types here.
                file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return out.getvalue()


def look_at_all(item: Item) -> None:
    """What the jobs do a moment after the platform was answered."""
    media = str(item.media.get().id)
    postponed = Event.objects.filter(kind=Kind.VIDEO_POSTPONED, about__media=media)
    fingerprints.fingerprint_whole_video(postponed.latest("id"))
    done = Event.objects.filter(kind=Kind.ITEM_FINGERPRINTED, about__media=media)
    settle_arrival(done.latest("id"))
    item.refresh_from_db()


def post(world: World, name: str, video: bytes) -> Item:
    item = world.post(name, video, kind="video")
    look_at_all(item)
    return item


def place(item: Item) -> CaseItem:
    return CaseItem.objects.get(item=item)


def test_a_video_is_compared_before_the_answer_and_wholly_soon(world: World) -> None:
    item = world.post("1", clip(scenes("astronaut")), kind="video")
    print_ = Fingerprint.objects.get(item=item)
    media = item.media.get()
    assert print_.only_keyframes
    assert print_.views.exists()
    # It has not been looked at wholly, and nobody is told that it was.
    assert media.state == MediaState.WAITING
    assert item_facts(world.platform_id, "1", by=PLATFORM_BY).pending
    look_at_all(item)
    print_.refresh_from_db()
    media.refresh_from_db()
    assert (print_.only_keyframes, media.state) == (False, MediaState.SIGNED)
    assert media.media_type == "video/mp4"
    assert abs((print_.duration_ms or 0) - 12_000) < 500
    assert not item_facts(world.platform_id, "1", by=PLATFORM_BY).pending


def test_a_copy_is_born_frozen_by_its_keyframes(world: World) -> None:
    post(world, "1", clip(scenes("astronaut")))
    world.report("https://plaza.example/p/1")
    smaller = [each.resize((160, 160)) for each in scenes("astronaut")]
    copy = world.post("2", clip(smaller, crf=30), kind="video")
    assert copy.state == "frozen"
    assert place(copy).basis == Basis.VIDEO
    assert (place(copy).share_percent or 0) >= 80
    other = post(world, "3", clip(scenes("coffee")))
    assert other.state == "visible"


def test_copies_that_stand_already_are_found_by_the_report(world: World) -> None:
    ours, others = scenes("astronaut"), scenes("coffee", 4)
    reported = post(world, "1", clip(ours))
    shorter = post(world, "2", clip(ours[1:5], crf=30))
    longer = post(world, "3", clip([*others, *ours]))
    unrelated = post(world, "4", clip(others))
    world.report("https://plaza.example/p/1")
    for copy in (shorter, longer):
        copy.refresh_from_db()
        assert copy.state == "frozen"
    # Where in the longer one it begins: after four other scenes of two seconds.
    assert abs((place(longer).at_ms or 0) - 8000) <= 1000
    unrelated.refresh_from_db()
    assert unrelated.state == "visible"
    known = {each.against for each in find_known(longer.id)}
    assert known == {reported.id}


def test_a_still_of_a_reported_video_is_found_and_where_in_it(world: World) -> None:
    shown = scenes("astronaut")
    before = world.post("2", encoded(shown[2]))
    video = post(world, "1", clip(shown))
    world.report("https://plaza.example/p/1")
    large = shown[2].resize((640, 640)).transpose(Image.Transpose.ROTATE_180)
    after = world.post("3", encoded(large))
    for still, variant in ((before, Variant.AS_IS), (after, Variant.TURNED_180)):
        still.refresh_from_db()
        assert still.state == "frozen"
        like = place(still).likeness
        assert (like.basis, like.variant) == (Basis.PDQ, variant)
        assert 4000 <= (like.at_ms or 0) <= 6000
    assert video.id in {copy.against for copy in find_known(after.id)}


def test_a_video_that_holds_a_reported_still_is_found(world: World) -> None:
    shown = scenes("astronaut")
    before = post(world, "2", clip([*scenes("coffee", 3), shown[2]]))
    world.post("1", encoded(shown[2]))
    world.report("https://plaza.example/p/1")
    after = post(world, "3", clip([shown[2], *scenes("coffee", 3)]))
    for video, begins_ms in ((before, 6000), (after, 0)):
        video.refresh_from_db()
        assert video.state == "frozen"
        assert abs((place(video).at_ms or 0) - begins_ms) <= 2000


def test_a_mirrored_video_is_found(world: World) -> None:
    shown = scenes("astronaut")
    post(world, "1", clip(shown))
    mirrored = [each.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for each in shown]
    copy = post(world, "2", clip(mirrored))
    world.report("https://plaza.example/p/1")
    assert place(copy).variant == Variant.MIRRORED


def test_what_shares_too_little_to_be_sure_waits_for_people(world: World) -> None:
    """A clip of three seconds inside a longer one says too little by itself."""
    ours = scenes("astronaut")
    reported = post(world, "1", clip(ours[:1], seconds_each=3))
    copy = post(world, "2", clip([*scenes("coffee", 4), ours[0]], seconds_each=3))
    world.report("https://plaza.example/p/1")
    [found] = find_copies(reported.id)
    assert (found.item, found.like.certain) == (copy.id, False)
    copy.refresh_from_db()
    assert copy.state == "visible"
    assert place(copy).case == Case.objects.get()


def test_an_animation_says_that_not_all_of_it_was_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *rest = [each.resize((96, 72)) for each in scenes("coffee")]
    stream = io.BytesIO()
    first.save(stream, "GIF", save_all=True, append_images=rest, duration=200)
    world.post("whole", stream.getvalue())
    monkeypatch.setattr(raster, "MAX_FRAMES_READ", len(rest))
    world.post("long", stream.getvalue())
    prints = Fingerprint.objects.order_by("id")
    assert [each.incomplete for each in prints] == ["", "too_long"]
    assert all(each.views.exists() for each in prints)


def test_a_large_upload_is_left_to_the_jobs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = clip(scenes("astronaut"))
    monkeypatch.setattr(fingerprints, "AT_ONCE_BYTES", len(video) - 1)
    item = world.post("1", video, kind="video")
    assert not Fingerprint.objects.filter(item=item).exists()
    look_at_all(item)
    assert Fingerprint.objects.filter(item=item, only_keyframes=False).exists()


def test_a_broken_video_keeps_its_digest_and_the_report_stands(world: World) -> None:
    whole = clip(scenes("astronaut"))
    broken = whole[:40]
    item = world.post("1", broken, kind="video")
    assert item.media.get().state == MediaState.REFUSED
    world.report("https://plaza.example/p/1")
    same = world.post("2", broken, kind="video")
    assert same.state == "frozen"
