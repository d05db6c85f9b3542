"""Within PDQ's reach lies the next photograph of a series, too: the pixels tell.

Real photographs from scikit-image's wheel, edited and shown again by the functions of
the benchmark, so that what is measured there is what is tested here.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest
import skimage.data
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from holdfast.signals import opencv
from holdfast.signals.features import Pixels, decoded, extract
from holdfast.signals.laying import toned, toned_reference
from holdfast.signals.scenes import is_another_shot
from holdfast.signals.sign import sign_picture
from holdfast_bench.edited import EDITS, SCENES, as_jpeg
from holdfast_bench.edits_made import Nearest, frozen_by_pdq, nearest

pytestmark = pytest.mark.skipif(
    opencv.cv2 is None, reason="needs the extra holdfast[features]"
)
NAMES = ("astronaut", "chelsea", "coffee", "rocket")

Made = Callable[[Image.Image], Image.Image]
TURNS: dict[str, Made] = {
    "as it is": lambda picture: picture,
    "mirrored": ImageOps.mirror,
    "turned": lambda picture: picture.transpose(Image.Transpose.ROTATE_90),
    "mirrored and turned": lambda p: p.transpose(Image.Transpose.TRANSPOSE),
    "in a border": lambda picture: ImageOps.expand(picture, 40, "black"),
}


def photograph(name: str) -> Image.Image:
    return Image.fromarray(getattr(skimage.data, name)()).convert("RGB")


def other(name: str) -> Image.Image:
    return photograph(NAMES[NAMES.index(name) - 1])


def seen(one: Image.Image, two: Image.Image) -> tuple[Nearest | None, bool]:
    """How near the files of two pictures are, and whether the second is frozen."""
    first, second = as_jpeg(one, 88), as_jpeg(two, 75)
    near = nearest(sign_picture(first), sign_picture(second))
    features = extract(decoded(first)), extract(decoded(second))
    return near, frozen_by_pdq(near, *features)


@pytest.mark.parametrize("turn", TURNS)
def test_no_other_shot_is_frozen_and_every_copy_is(turn: str) -> None:
    in_reach = {"other shots": 0, "copies": 0}
    for name in NAMES:
        picture = photograph(name)
        for scene, show in SCENES.items():
            one, two = show(picture, Random(scene), other(name))
            near, frozen = seen(one, TURNS[turn](two))
            in_reach["other shots"] += near is not None
            assert not frozen, (name, scene, near)
        for family in ("jpeg_15", "resize_33", "blur", "grey"):
            copy = EDITS[family](picture, Random(family), other(name))
            near, frozen = seen(picture, TURNS[turn](copy))
            in_reach["copies"] += near is not None
            assert frozen == (near is not None), (name, family, near)
    assert in_reach["other shots"] >= 4
    assert in_reach["copies"] >= 12


def test_what_the_pixels_do_not_tell_is_no_other_shot() -> None:
    flat: Pixels = np.full((64, 64), 90, np.uint8)
    tiny: Pixels = np.zeros((5, 3), np.uint8)
    for one, two in ((flat, flat), (tiny, tiny), (tiny, flat), (flat, tiny)):
        assert not is_another_shot(one, two, quarters=1, mirrored=True, trimmed=True)


@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    share=st.sampled_from([0.0, 0.03, 0.5, 1.0]),
    levels=st.sampled_from([3.0, 40.0, 255.9]),
    darkest=st.sampled_from([0.0, 100.0]),
)
def test_tones_are_those_of_the_plain_rule(
    seed: int, height: int, width: int, share: float, levels: float, darkest: float
) -> None:
    chance = np.random.default_rng(seed)
    base = np.clip(darkest + levels * chance.random((height, width)), 0, 255.9)
    told = (255 - base * chance.random() + chance.normal(0, 4, base.shape)).astype("f4")
    where = chance.random(base.shape) < share
    one, two = (
        rule(base.astype("f4"), told, where) for rule in (toned, toned_reference)
    )
    np.testing.assert_allclose(one[0], two[0], atol=0.01)
    assert one[1] == pytest.approx(two[1], abs=0.01)
