"""Copies are the same picture; what only resembles is left to people.

Real photographs from scikit-image's wheel, edited and shown again by the functions of
the benchmark, so that what is measured there is what is tested here.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from holdfast.base.errors import HoldfastError
from holdfast.signals.alignment import (
    LEVER,
    REACH_PIXELS,
    Doubt,
    Verdict,
    _of_one_mind,
    align,
)
from holdfast.signals.features import Features, Query, extract, extract_query
from holdfast.signals.media import decode_luma
from holdfast.signals.overlap import _best_rectangle, compare
from holdfast_bench import edits as bench
from holdfast_bench.edited import EDITS, SCENES, as_jpeg
from holdfast_bench.edits_made import CUTS_OF_UNRELATED

NAMES = ("astronaut", "chelsea", "coffee", "coins")


def photograph(name: str) -> Image.Image:
    return Image.fromarray(getattr(skimage.data, name)()).convert("RGB")


def luma(picture: Image.Image, quality: int = 80) -> NDArray[np.uint8]:
    return decode_luma(as_jpeg(picture, quality)).pixels


def other(name: str) -> Image.Image:
    return photograph(NAMES[NAMES.index(name) - 1])


@pytest.fixture(scope="module")
def queries() -> dict[str, Query]:
    return {name: extract_query(luma(photograph(name), 92)) for name in NAMES}


@pytest.fixture(scope="module")
def stored() -> dict[str, Features]:
    return {name: extract(luma(photograph(name))) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("family", EDITS)
def test_an_edited_copy_is_the_same(
    name: str, family: str, queries: dict[str, Query]
) -> None:
    made = EDITS[family](photograph(name), Random(family), other(name))
    copy = Features.from_bytes(extract(luma(made)).to_bytes())
    found = align(queries[name], copy)
    assert found is not None
    assert (found.verdict, found.doubts) == (Verdict.SAME, ())
    assert found.mirrored == (family == "mirrored")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scene", SCENES)
def test_another_picture_of_the_scene_is_not(name: str, scene: str) -> None:
    one, two = SCENES[scene](photograph(name), Random(scene), other(name))
    found = align(extract_query(luma(one)), extract(luma(two)))
    assert found is None or found.verdict is Verdict.SIMILAR


def test_two_eyes_see_a_scene_apart() -> None:
    """The motorcycle from two places: for people, and the doubt says why."""
    left, right, _ = getattr(skimage.data, "stereo_motorcycle")()  # noqa: B009
    one, two = luma(Image.fromarray(left)), luma(Image.fromarray(right))
    found = align(extract_query(one), extract(two))
    assert found is not None
    assert found.verdict is Verdict.SIMILAR
    assert Doubt.MOVED in found.doubts


def test_unrelated_pictures_do_not_align(
    queries: dict[str, Query], stored: dict[str, Features]
) -> None:
    for name, query in queries.items():
        for another, features in stored.items():
            if another != name:
                assert align(query, features) is None


def test_it_says_how_the_copy_was_made(queries: dict[str, Query]) -> None:
    chance = Random(1)
    picture = photograph("astronaut")
    quarter = align(queries["astronaut"], extract(luma(picture.rotate(90))))
    assert quarter is not None
    assert abs(abs(quarter.turned_degrees) - 90) < 2
    crop = EDITS["crop_20"](picture, chance, picture)
    cut = align(queries["astronaut"], extract(luma(crop)))
    assert cut is not None
    assert cut.stored_is_part
    assert not cut.query_is_part
    assert cut.of_query == pytest.approx(0.36, abs=0.06)
    inset = EDITS["picture_in_picture"](picture, chance, photograph("coffee"))
    larger = align(queries["astronaut"], extract(luma(inset)))
    assert larger is not None
    assert larger.query_is_part
    assert not larger.stored_is_part
    assert larger.of_query > 0.85


def test_what_stands_round_it_may_be_like_it() -> None:
    """The motorcycle, small, in the picture that the other eye saw of it."""
    left, right, _ = getattr(skimage.data, "stereo_motorcycle")()  # noqa: B009
    one, two = Image.fromarray(left), Image.fromarray(right)
    inset = EDITS["picture_in_picture"](one, Random(2), two)
    found = align(extract_query(luma(one, 92)), extract(luma(inset)))
    assert found is not None
    assert found.verdict is Verdict.SAME
    assert found.of_query > 0.85
    assert not found.is_whole


def test_matches_on_one_line_are_not_enough() -> None:
    """A bright shore between a smooth sky and a smooth sea: either may have changed."""
    smooth = np.linspace(90, 150, 400)[:, None] * np.ones((1, 600))
    shore = smooth.astype(np.uint8)
    shore[190:206] = np.asarray(photograph("coins").convert("L").resize((600, 16)))
    found = align(extract_query(shore), extract(shore))
    assert found is not None
    assert Doubt.LITTLE_SHOWN in found.doubts


@given(st.integers(0, 2**32 - 1), st.integers(8, 40), st.integers(0, 60))
@settings(max_examples=50)
def test_those_of_one_mind_are_found_among_others(
    seed: int, planted: int, strangers: int
) -> None:
    """Beside a plain computation, and with a similarity that was planted."""
    chance = np.random.default_rng(seed)
    count = planted + strangers
    here, there, by = np.empty((3, count), np.complex128)
    for points in (here, there):
        points.real, points.imag = chance.uniform(0, 300, (2, count))
    turn = chance.uniform(0, 6.28, count)
    by.real, by.imag = np.cos(turn), np.sin(turn)
    by *= chance.uniform(0.3, 3, count)
    by[:planted] = by[0]
    there[:planted] = by[0] * here[:planted] + (40 - 7j)
    group, size = _of_one_mind(here, there, by)
    foretold = np.abs(by - by[:, None]) <= LEVER * np.abs(by)[:, None]
    apart = here - here[:, None]
    off = np.abs(there - there[:, None] - by[:, None] * apart)
    reach = REACH_PIXELS * np.maximum(1, np.abs(by))[:, None]
    foretold &= off <= LEVER * np.abs(by)[:, None] * np.abs(apart) + reach
    assert np.count_nonzero(group) == foretold.sum(axis=1).max()
    assert (group == foretold).all(axis=1).any()
    if planted > strangers:
        assert group[:planted].all()
        assert size == pytest.approx(abs(by[group]), rel=LEVER)


def test_the_answer_is_always_the_same(
    queries: dict[str, Query], stored: dict[str, Features]
) -> None:
    answers = [align(queries["coffee"], stored["coffee"]) for _ in range(3)]
    assert answers[0] is not None
    assert answers[0] == answers[1] == answers[2]


def test_nothing_to_hold_on_to(queries: dict[str, Query]) -> None:
    for shape in ((1, 1), (5, 700), (300, 300)):
        flat = extract(np.full(shape, 128, np.uint8))
        assert align(queries["coins"], flat) is None


def test_too_small_an_overlap_says_nothing() -> None:
    thumbnail = luma(photograph("coins"))[:200, :200]
    apart = np.array([[1.0, 0.0, 170.0], [0.0, 1.0, 170.0]])
    assert compare(thumbnail, thumbnail, apart) is None


def test_the_best_rectangle_is_the_best() -> None:
    score = np.random.default_rng(3).normal(-0.2, 1, (7, 9))
    sums = {
        (top, bottom, left, right): score[top:bottom, left:right].sum()
        for top in range(7)
        for bottom in range(top + 1, 8)
        for left in range(9)
        for right in range(left + 1, 10)
    }
    top, bottom, left, right = _best_rectangle(score)
    assert sums[top, bottom, left, right] == pytest.approx(max(sums.values()))


def test_what_runs_in_from_beside_the_picture_is_no_change() -> None:
    """A caption's edge falls on a pixel of the thumbnail and mixes with the picture."""
    coarse = np.random.default_rng(1).integers(0, 255, (64, 64)).astype(np.uint8)
    enlarged = Image.fromarray(coarse).resize((256, 256), Image.Resampling.BICUBIC)
    picture = np.array(enlarged)
    picture[:30, 90:160] = 120
    captioned = picture.copy()
    captioned[0] = captioned[0] // 2 + 127
    seen = compare(picture, captioned, np.eye(2, 3))
    assert seen is not None
    assert seen.changed == seen.scattered == 0
    assert seen.of_query > 0.95


def test_the_benchmark_counts(tmp_path: Path) -> None:
    for name in NAMES[:2]:
        photograph(name).save(tmp_path / f"{name}.png")
    (tmp_path / "unrelated").mkdir()
    photograph(NAMES[2]).save(tmp_path / "unrelated" / f"{NAMES[2]}.png")
    figures = bench.run(n=2, media=tmp_path, cuts=3, workers=1)
    assert set(figures["families"]) == set(EDITS)
    for shares in figures["families"].values():
        assert shares["pdq"] <= shares["holdfast"] <= 1
    assert figures["families"]["crop_10"]["holdfast"] == 1
    assert figures["families"]["crop_10"]["pdq"] < 1
    assert figures["photographs"] == 2
    assert figures["wrongly_frozen"] == 0
    # Three cuts of each, and the third picture whole and cut.
    assert figures["unrelated"] == 2 * 3 + 1 + CUTS_OF_UNRELATED
    assert figures["unrelated_whole"] == 1
    assert figures["compared_with_unrelated"] == 2 * (3 + 1 + CUTS_OF_UNRELATED)
    near = figures["near_duplicates"]
    assert (near["made"], near["frozen"]) == (2 * len(SCENES), 0)
    assert near["by_pdq"] <= near["made"]


def test_the_benchmark_refuses_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(HoldfastError, match="two photographs"):
        bench.run(media=tmp_path)
