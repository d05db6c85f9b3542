"""What a film shows for a moment only: a padded still, and each place of a fast pan."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from holdfast.signals import video
from holdfast.signals.sign import Part, sign_picture
from holdfast.signals.video import LOOKS, VideoSignals, sign_video
from holdfast.signals.video_match import compare, find_still
from holdfast_bench.films import photographs, read, write
from tests.signals import films


def test_a_padded_still_in_a_film_of_mixed_formats_is_found(tmp_path: Path) -> None:
    """Shown for a second between scenes that fill the picture: no bar stays."""
    shown, frames = [photographs()[place] for place in (0, 2, 4)], []
    for number, photo in enumerate(shown):
        padded = ImageOps.pad(photo, films.SIZE)
        frames += [np.asarray(padded)] * films.FPS
        filling = ImageOps.fit(photographs()[number + 6], films.SIZE)
        frames += [np.asarray(filling)] * films.FPS
    film = sign_video(write(tmp_path / "mixed.mp4", frames, fps=films.FPS))
    for second, photo in zip((0, 2, 4), shown, strict=True):
        pair = find_still(sign_picture(as_png(photo)), film)
        assert pair is not None
        assert pair.stored_part is Part.TRIMMED
        assert second <= pair.stored_at_ms / 1000 < second + 1


@pytest.fixture(scope="module")
def pans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of fast pans."""
    path = tmp_path_factory.mktemp("pans") / "film.mp4"
    return write(path, fast_pans(), fps=films.FPS)


@pytest.fixture(scope="module")
def stored(pans: Path) -> VideoSignals:
    """What is kept of that film."""
    return sign_video(pans)


@pytest.mark.parametrize("first_frame", [3, 15, 100])
def test_a_clip_of_fast_pans_is_found_wherever_it_was_cut(
    pans: Path, stored: VideoSignals, tmp_path: Path, first_frame: int
) -> None:
    """No frame of the clip falls on a fifth of a second of the original."""
    clip = islice(read(pans), first_frame, first_frame + 7 * films.FPS)
    signals = sign_video(write(tmp_path / "clip.mp4", clip, fps=films.FPS))
    overlap = compare(signals, stored)
    assert overlap.is_copy
    assert overlap.query_share > 0.95


def test_a_film_of_nothing_but_motion_costs_no_more_than_is_stated(
    pans: Path, stored: VideoSignals, monkeypatch: pytest.MonkeyPatch
) -> None:
    closely = len(stored.views)
    monkeypatch.setattr(video, "MAX_CLOSE_VIEWS", 30)
    bounded = len(sign_video(pans).views)
    assert closely > 150
    assert 60 <= bounded <= 30 + LOOKS * films.SECONDS


def fast_pans() -> Iterator[NDArray[np.uint8]]:
    """Over a photograph from side to side in two thirds of a second, then the next."""
    for number in range(films.COUNT):
        at_s = number / films.FPS
        photo = photographs()[int(at_s // 2) % 3]
        across, down = (abs((at_s * speed + 1) % 2 - 1) for speed in (1.5, 0.6))
        width, height = photo.width * 0.45, photo.height * 0.45
        left, top = (photo.width - width) * across, (photo.height - height) * down
        box = (left, top, left + width, top + height)
        yield np.asarray(photo.resize(films.SIZE, Image.Resampling.BILINEAR, box))


def as_png(photo: Image.Image) -> bytes:
    file = io.BytesIO()
    photo.save(file, "PNG")
    return file.getvalue()
