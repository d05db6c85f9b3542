"""Several threads see what one sees, in whole films and in damaged ones."""

from __future__ import annotations

import io
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from holdfast.signals import video
from holdfast.signals.refusal import MediaRefused, RefusalReason
from holdfast.signals.video import ALL_CORES, VideoSignals, sign_video
from holdfast.signals.video_frames import Depth, VideoReader
from tests.signals import films
from tests.signals.test_video_hostile import in_container

MANY = 4
KINDS = ("film.mp4", "film.mkv", "film.ts", "film.avi", "film.vob")


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """With how many threads each reading was begun."""
    begun: list[int] = []

    class Noted(VideoReader):
        def __init__(self, source: Any, **settings: Any) -> None:
            begun.append(settings["threads"])
            super().__init__(source, **settings)

    monkeypatch.setattr(video, "VideoReader", Noted)
    return begun


@pytest.mark.parametrize("keyframes_only", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_a_whole_film_has_the_same_views(
    name: str, keyframes_only: bool, readings: list[int], tmp_path: Path
) -> None:
    data = in_container(name, tmp_path)
    one, many = (
        sign_video(io.BytesIO(data), keyframes_only=keyframes_only, threads=threads)
        for threads in (1, MANY)
    )
    assert one == many
    assert readings == [1, MANY]


def test_all_cores_are_more_than_none() -> None:
    assert sign_video(films.first(), threads=ALL_CORES) == sign_video(films.first())


@pytest.mark.parametrize("keyframes_only", [False, True])
def test_a_damaged_film_has_the_same_views(
    keyframes_only: bool, readings: list[int], tmp_path: Path
) -> None:
    """With several threads damage is noticed, and one thread reads anew."""
    kinds = [in_container(name, tmp_path) for name in KINDS[:4]]
    chance = random.Random(6)
    read_anew = 0
    for number in range(24):
        data = bytearray(kinds[number % len(kinds)])
        for _ in range(chance.choice([1, 3, 30])):
            data[chance.randrange(2000, len(data))] = chance.randrange(256)
        one = _outcome(bytes(data), keyframes_only=keyframes_only, threads=1)
        readings.clear()
        many = _outcome(bytes(data), keyframes_only=keyframes_only, threads=MANY)
        assert one == many, number
        read_anew += readings[:2] == [MANY, 1]
    assert read_anew > 0


def _outcome(data: bytes, **settings: Any) -> VideoSignals | RefusalReason:
    try:
        return sign_video(io.BytesIO(data), **settings)
    except MediaRefused as refused:
        return refused.reason


def test_what_is_left_early_leaves_no_thread() -> None:
    with films.first().open("rb") as source:
        reader = VideoReader(
            source,
            every_s=0.2,
            depth=Depth.REFERENCES,
            threads=MANY,
            deadline=time.monotonic() + 3600,
        )
        with reader:
            assert next(reader.frames()).at_ms == 0
            assert any("decoding" in each.name for each in threading.enumerate())
    assert not any("decoding" in each.name for each in threading.enumerate())


def test_a_failure_in_the_other_thread_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: VideoReader) -> Any:
        raise MemoryError

    monkeypatch.setattr(VideoReader, "_needed_packets", fail)
    with pytest.raises(MemoryError):
        sign_video(films.first(), threads=MANY)
