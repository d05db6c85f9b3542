"""What a video gives: the frames people see, when they see them, as they see them."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from holdfast.signals import video_frames
from holdfast.signals.digest import digest_bytes
from holdfast.signals.pdq import hamming, pdq, pdq_reference
from holdfast.signals.shown import MOVED_BITS
from holdfast.signals.sign import Part, sign_picture
from holdfast.signals.video import VideoSignals, sign_video
from holdfast.signals.video_clock import MAX_FRAMES_UNTAKEN, Clock, Slots
from holdfast.signals.video_frames import Depth, VideoReader
from holdfast.signals.video_luma import (
    luma_as_seen,
    stretched,
    stretched_reference,
)
from holdfast.signals.video_match import Relation, compare, find_still
from holdfast_bench.films import EDITS, letterbox, part, write
from tests.signals import films

FAR_MS = time.monotonic() + 3600


def distances(one: VideoSignals, other: VideoSignals) -> list[int]:
    """At the moments both have, between whole frames."""
    there = {v.at_ms: v.pdq.bits for v in other.views if v.part is Part.WHOLE}
    views = [v for v in one.views if v.part is Part.WHOLE and v.at_ms in there]
    return [hamming(v.pdq.bits, there[v.at_ms]) for v in views]


def test_a_video_gives_its_frames_with_their_times() -> None:
    data = films.first().read_bytes()
    signals = sign_video(films.first())
    assert (signals.sha256, signals.md5) == (
        digest_bytes(data).sha256,
        digest_bytes(data).md5,
    )
    assert (signals.width, signals.height) == films.SIZE
    assert signals.media_type == "video/mp4"
    assert signals.duration_ms == 12_000
    assert signals.incomplete is None
    times = [view.at_ms or 0 for view in signals.views]
    assert times[0] == 0
    assert times == sorted(times)
    assert max(np.diff(times)) <= 1100
    assert sign_video(io.BytesIO(data)) == signals


def test_every_moment_is_near_a_kept_frame() -> None:
    """Also the moments between: that is what makes a shifted copy found."""
    signals = sign_video(films.first())
    kept = [view.pdq.bits for view in signals.views]
    with av.open(str(films.first())) as container:
        for frame in container.decode(video=0):
            now = pdq(luma_as_seen(frame)).bits
            assert min(hamming(now, each) for each in kept) <= MOVED_BITS + 10


def test_skipped_frames_change_nothing() -> None:
    """The pass that skips, and the one that decodes everything."""
    found: dict[Depth, dict[int, bytes]] = {}
    for depth in (Depth.REFERENCES, Depth.EVERYTHING):
        reader = VideoReader(
            films.first().open("rb"),
            every_s=0.2,
            depth=depth,
            threads=1,
            deadline=FAR_MS,
        )
        with reader:
            found[depth] = {f.at_ms: pdq(f.luma).bits for f in reader.frames()}
            assert reader.is_sound()
    both = found[Depth.REFERENCES].keys() & found[Depth.EVERYTHING].keys()
    assert len(both) >= 10
    for at_ms in both:
        pair = found[Depth.REFERENCES][at_ms], found[Depth.EVERYTHING][at_ms]
        assert hamming(*pair) <= 4


def test_what_only_skipped_frames_show_is_seen(tmp_path: Path) -> None:
    """A file made so that for two seconds at a time no frame is referred to."""
    path = write(
        tmp_path / "hidden.mp4",
        films.frames(fps=8),
        fps=8,
        options={
            "preset": "veryfast",
            "bf": "16",
            "x264-params": "b-adapt=0:b-pyramid=none:bframes=16:scenecut=0",
        },
    )
    with path.open("rb") as source:
        reader = VideoReader(
            source, every_s=0.2, depth=Depth.REFERENCES, threads=1, deadline=FAR_MS
        )
        with reader:
            assert len(list(reader.frames())) < 12
            assert not reader.is_sound()
    times = [view.at_ms or 0 for view in sign_video(path).views]
    assert max(np.diff(times)) <= 1100


def test_keyframes_are_few_and_the_same_pictures() -> None:
    whole = sign_video(films.first())
    fast = sign_video(films.first(), keyframes_only=True)
    assert 1 < len(fast.views) < len(whole.views)
    for view in fast.views:
        nearest = min(hamming(view.pdq.bits, v.pdq.bits) for v in whole.views)
        assert nearest <= 16
    assert fast.incomplete is None


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("reordered.mp4", "libx264", {"bf": "8", "g": "60"}),
        ("plain.mov", "libx264", {"bf": "0", "g": "30"}),
        ("reordered.mkv", "libx264", {"bf": "3", "g": "90"}),
        ("hevc.mp4", "libx265", {"x265-params": "log-level=none:keyint=60"}),
        ("vp9.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}),
        ("mpeg4.mp4", "mpeg4", {"q": "6"}),
        ("stream.ts", "libx264", {"g": "60"}),
    ],
)
def test_keyframes_are_the_same_where_ffmpeg_does_not_decode_to_open(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    codec: str,
    options: dict[str, str],
) -> None:
    path = write(tmp_path / name, films.frames(seconds=7), codec=codec, options=options)
    fast = sign_video(path, keyframes_only=True)
    monkeypatch.setattr(video_frames, "_TELL_ALL", ())
    assert sign_video(path, keyframes_only=True) == fast
    assert fast.incomplete is None
    assert len(fast.views) >= 2


def test_of_nothing_but_keyframes_one_a_second_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(
        tmp_path / "all.mp4",
        films.frames(seconds=6),
        codec="libx264",
        options={"g": "1"},
    )
    decoded: list[int] = []
    shown_at = Clock.at

    def counted(clock: Clock, frame: Any) -> int:
        decoded.append(1)
        return shown_at(clock, frame)

    monkeypatch.setattr(Clock, "at", counted)
    fast = sign_video(path, keyframes_only=True)
    assert len(decoded) == len({view.at_ms for view in fast.views}) == 6


def test_the_stretch_is_its_reference_at_every_level() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(stretched(levels), stretched_reference(levels))
    # As a frame's plane is handed in: with padding between its lines.
    assert np.array_equal(stretched(levels[:, :9]), stretched_reference(levels[:, :9]))


@pytest.mark.parametrize("edit", EDITS)
def test_a_copy_is_found_and_an_unrelated_film_is_not(edit: str) -> None:
    copy = sign_video(films.copy_of_first(edit))
    overlap = compare(copy, sign_video(films.first()))
    assert overlap.is_copy
    assert compare(sign_video(films.first()), copy).is_copy
    if edit == "trimmed":
        assert overlap.relation is Relation.QUERY_INSIDE
    elif edit == "contained":
        assert overlap.relation is Relation.STORED_INSIDE
    else:
        assert overlap.relation is Relation.SAME
        unrelated = compare(copy, sign_video(films.second()))
        assert unrelated.relation is Relation.NEITHER
    if edit == "letterboxed":
        assert {pair.query_part for pair in overlap.pairs} == {Part.TRIMMED}


def test_unrelated_films_share_nothing() -> None:
    overlap = compare(sign_video(films.first()), sign_video(films.second()))
    assert (overlap.query_matched, overlap.stored_matched) == (0, 0)


def test_a_mirrored_copy_is_found_by_turns(tmp_path: Path) -> None:
    mirrored = (np.ascontiguousarray(f[:, ::-1]) for f in films.frames())
    path = write(tmp_path / "mirrored.mp4", mirrored, fps=films.FPS)
    stored = sign_video(films.first())
    assert not compare(sign_video(path), stored).is_copy
    overlap = compare(sign_video(path, turns=True), stored)
    assert overlap.is_copy
    assert {pair.variant for pair in overlap.pairs} == {5}


def test_a_still_cut_from_a_video_is_found(tmp_path: Path) -> None:
    with av.open(str(films.first())) as container:
        frame: Any = list(container.decode(video=0))[140]
    path = tmp_path / "still.jpg"
    frame.to_image().save(path, quality=70)
    still = sign_picture(path.read_bytes())
    pair = find_still(still, sign_video(films.first()))
    assert pair is not None
    assert abs(pair.stored_at_ms - 140 / films.FPS * 1000) < 600
    assert find_still(still, sign_video(films.second())) is None


def test_a_picture_that_stands_still_is_kept_once(tmp_path: Path) -> None:
    frame = next(iter(films.frames()))
    path = write(tmp_path / "still.mkv", [frame] * 60, fps=10, codec="ffv1", options={})
    signals = sign_video(path)
    assert [view.at_ms for view in signals.views] == [0]
    assert signals.duration_ms
    assert signals.duration_ms >= 5900
    assert signals.media_type == "video/x-matroska"


@pytest.mark.parametrize(
    ("degrees", "hflip", "turn"),
    [
        (90, False, lambda a: np.rot90(a, -1)),
        (180, False, lambda a: np.rot90(a, 2)),
        (-90, False, lambda a: np.rot90(a, 1)),
        (0, True, lambda a: a[:, ::-1]),
    ],
)
def test_turned_as_the_file_says(
    tmp_path: Path, degrees: int, hflip: bool, turn: Any
) -> None:
    """Stored turned, with a matrix that turns it back, it is the film upright."""
    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=films.FPS)
        stream.pix_fmt = "yuv420p"
        for number, pixels in enumerate(part(films.frames(), 0, 0.2, films.COUNT)):
            stored = np.ascontiguousarray(turn(pixels))
            if number == 0:
                stream.height, stream.width = stored.shape[:2]
                stream.set_display_rotation(degrees, hflip=hflip)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(stored)))
        container.mux(stream.encode())
    signals = sign_video(path)
    assert (signals.width, signals.height) == films.SIZE
    near = distances(signals, sign_video(films.first()))
    assert near
    assert max(near) <= 10


@pytest.mark.parametrize(
    ("pixels", "range_", "codec", "name"),
    [
        ("yuv420p10le", "tv", "libx265", "ten-bits.mp4"),
        ("yuv420p", "tv", "libvpx-vp9", "vp9.webm"),
        ("yuv420p", "pc", "libx264", "full-range.mp4"),
        ("yuv444p", "tv", "libx264", "wide-chroma.ts"),
        ("yuvj420p", "pc", "mjpeg", "stills.avi"),
        ("gray", "pc", "ffv1", "grey.mkv"),
        ("bgr0", "pc", "ffv1", "rgb.mkv"),
    ],
)
def test_pixel_formats_give_the_same_fingerprints(
    tmp_path: Path, pixels: str, range_: str, codec: str, name: str
) -> None:
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=films.FPS)
        stream.pix_fmt, (stream.width, stream.height) = pixels, films.SIZE
        stream.color_range = 2 if range_ == "pc" else 1
        if codec == "libvpx-vp9":
            stream.options = {"cpu-used": "8", "deadline": "realtime"}
        for shown in part(films.frames(), 0, 0.2, films.COUNT):
            frame = av.VideoFrame.from_ndarray(shown).reformat(
                format=pixels, dst_color_range="JPEG" if range_ == "pc" else "MPEG"
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    signals = sign_video(path)
    original = sign_video(films.first())
    near = distances(signals, original)
    assert near
    assert max(near) <= 12
    by_time = {view.at_ms: view.quality for view in original.views}
    assert abs(signals.views[0].quality - by_time[0]) <= 3


def test_luma_is_that_of_the_picture_in_studio_and_full_range() -> None:
    shown = next(iter(films.frames()))
    weights = np.array([0.299, 0.587, 0.114])
    expected = pdq_reference((shown @ weights).astype(np.float32))
    for format_, range_ in (("yuv420p", "MPEG"), ("yuv420p", "JPEG"), ("nv12", "MPEG")):
        frame = av.VideoFrame.from_ndarray(shown).reformat(
            format=format_, dst_color_range=range_
        )
        frame.color_range = 2 if range_ == "JPEG" else 1
        found = pdq(luma_as_seen(frame))
        assert hamming(found.bits, expected.bits) <= 6
        assert abs(found.quality - expected.quality) <= 2


def test_pixels_that_are_not_square(tmp_path: Path) -> None:
    path = tmp_path / "wide.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=films.FPS)
        stream.pix_fmt, (stream.width, stream.height) = "yuv420p", (160, 180)
        stream.sample_aspect_ratio = 2
        for shown in part(films.frames(), 0, 0.2, films.COUNT):
            frame = av.VideoFrame.from_ndarray(shown).reformat(160, 180, "yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    signals = sign_video(path)
    assert (signals.width, signals.height) == films.SIZE
    assert max(distances(signals, sign_video(films.first()))) <= 24


def test_interlaced_frames_are_like_whole_ones(tmp_path: Path) -> None:
    shown = list(part(films.frames(), 0, 0.2, films.COUNT))
    woven = []
    for even, odd in zip(shown[::2], shown[1::2], strict=True):
        frame = even.copy()
        frame[1::2] = odd[1::2]
        woven.append(frame)
    options = {"preset": "veryfast", "x264-params": "tff=1"}
    path = write(tmp_path / "woven.mp4", woven, fps=15, options=options)
    plain = write(tmp_path / "plain.mp4", shown[::2], fps=15)
    assert max(distances(sign_video(path), sign_video(plain))) <= 16


def test_bars_that_come_later_are_cut_as_well(tmp_path: Path) -> None:
    """The bars begin in the middle, on a film that keeps its size."""
    half = list(part(films.frames(), 0.5, 1, films.COUNT))
    small = [f[::2, ::2] for f in half]
    side = [np.pad(f, ((0, 0), (80, 80), (0, 0))) for f in small]
    barred = [np.pad(f, ((45, 45), (0, 0), (0, 0))) for f in side]
    frames = [*part(films.frames(), 0, 0.5, films.COUNT), *barred]
    signals = sign_video(write(tmp_path / "later.mp4", frames, fps=films.FPS))
    overlap = compare(signals, sign_video(films.first()))
    # Those of the stretch in which they begin are not.
    assert overlap.query_share > 0.6
    assert {pair.query_part for pair in overlap.pairs} == {Part.WHOLE, Part.TRIMMED}


def test_a_white_bar_is_a_bar(tmp_path: Path) -> None:
    white = (np.pad(f, ((30, 30), (0, 0), (0, 0)), constant_values=255)
             for f in films.frames())  # fmt: skip
    path = write(tmp_path / "white.mp4", white, fps=films.FPS)
    assert compare(sign_video(path), sign_video(films.first())).is_copy


def test_a_film_without_bars_is_not_trimmed() -> None:
    assert {view.part for view in sign_video(films.first()).views} == {Part.WHOLE}


def test_bars_of_a_dark_film_are_not_its_darkness(tmp_path: Path) -> None:
    dark = (np.zeros((180, 320, 3), np.uint8) for _ in range(60))
    path = write(tmp_path / "dark.mp4", letterbox(dark), fps=films.FPS)
    views = sign_video(path).views
    assert [view.part for view in views] == [Part.WHOLE]
    assert not views[0].is_comparable


def test_how_often_is_bounded() -> None:
    with pytest.raises(ValueError, match="every_s"):
        sign_video(films.first(), every_s=0)
    with pytest.raises(ValueError, match="every_s"):
        sign_video(films.first(), every_s=float("nan"))


class _Stamp:
    def __init__(self, pts: int | None, dts: int | None = None) -> None:
        self.pts, self.dts = pts, dts


def test_a_clock_that_jumps_or_runs_back_goes_on() -> None:
    clock = Clock(0, 0.001, 25)
    stamps = [0, 40, 10**12, 10**12 + 40, 5, 45, None, -(2**60)]
    times = [clock.at(_Stamp(stamp)) for stamp in stamps]
    assert times == [0, 40, 80, 120, 160, 200, 240, 280]


def test_a_clock_that_stands_still_hides_nothing() -> None:
    slots = Slots(200)
    taken = [slots.takes(0) for _ in range(3 * MAX_FRAMES_UNTAKEN + 1)]
    assert sum(taken) == 4


def test_a_slot_without_a_near_frame_is_unseen() -> None:
    slots = Slots(200)
    for at_ms in range(0, 3000, 40):
        slots.note_packet(at_ms)
    for at_ms in (0, 400, 800, 2000, 2400, 2800):
        slots.takes(at_ms)
    assert slots.all_seen(600)
    assert not slots.all_seen(500)
