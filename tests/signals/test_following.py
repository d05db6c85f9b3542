"""Points that are followed say where something moved, alone or with its neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from holdfast.signals.features import Pixels
from holdfast.signals.following import NEIGHBOURS, Followed, follow
from holdfast.signals.laying import lay
from holdfast.signals.opencv import cv2

NOT_MOVED = np.eye(2, 3)

places = arrays(
    np.float32,
    st.tuples(st.integers(0, 20), st.just(2)),
    elements=st.floats(0, 400, width=16),
)


def coins() -> Pixels:
    return np.asarray(getattr(skimage.data, "coins")())[:256, :320]  # noqa: B009


def followed(base: Pixels, other: Pixels) -> Followed:
    laid = lay(base, other, NOT_MOVED)
    assert laid is not None
    return follow(laid.base, laid, laid.inner)


def bent(picture: Pixels, by_pixels: float) -> Pixels:
    """Moved in the middle, and by nothing at the edge."""
    height, width = picture.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    hill = np.exp(-((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2) / 0.05)
    return np.asarray(cv2.remap(picture, x + by_pixels * hill, y, cv2.INTER_CUBIC))


def test_what_stands_still_does() -> None:
    still = followed(coins(), coins())
    assert len(still) > 50
    assert still.distances.max() < 0.1
    assert still.together < 0.1
    assert still.width > 20


def test_what_is_bent_a_little_moves_together() -> None:
    moved = followed(coins(), bent(coins(), 1.5))
    assert 0.8 < moved.together < 2
    assert np.median(moved.distances) < 0.5


def test_a_plain_picture_has_no_points() -> None:
    plain = np.full((200, 300), 90, np.uint8)
    nothing = followed(plain, plain)
    assert (len(nothing), nothing.width, nothing.together) == (0, 0.0, 0.0)


@given(places, st.floats(0, 6.3))
def test_the_width_is_that_across_a_line(
    line: NDArray[np.float32], turn: float
) -> None:
    """Along the line the points may lie as they like, and it may lie as it likes."""
    along = line[:, 0].astype(np.float64)
    across = np.where(np.arange(len(along)) % 2, 3.0, -3.0)
    along = np.concatenate((along, along))
    across = np.concatenate((across, -across))
    points = np.stack((along, across), axis=1)
    turned = points @ np.array(
        [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
    )
    width = Followed(turned.astype(np.float32), np.zeros_like(turned)).width
    expected = min(np.std(along, ddof=1), np.std(across, ddof=1)) if len(along) else 0
    assert width == pytest.approx(expected, abs=0.01)


@given(places, st.integers(0, 2**32 - 1))
def test_together_is_the_middle_of_neighbours(
    points: NDArray[np.float32], seed: int
) -> None:
    """Beside a plain loop. Points apart by chance, so that none are as near."""
    chance = np.random.default_rng(seed)
    points = points + chance.uniform(0, 5, points.shape).astype(np.float32)
    drift = chance.normal(0, 2, points.shape).astype(np.float32)
    worst = 0.0
    for point in points:
        near = np.argsort(((points - point) ** 2).sum(axis=1))[:NEIGHBOURS]
        if len(near) == NEIGHBOURS:
            middle = np.median(drift[near], axis=0)
            worst = max(worst, float(np.hypot(*middle)))
    assert Followed(points, drift).together == pytest.approx(worst, abs=1e-4)


def test_one_that_is_mistaken_is_not_believed() -> None:
    points = np.stack(np.meshgrid(np.arange(5.0), np.arange(5.0)), axis=-1)
    points = (points.reshape(-1, 2) * 20).astype(np.float32)
    drift = np.zeros_like(points)
    drift[7] = 9
    alone = Followed(points, drift)
    assert alone.together == 0
    assert alone.distances.max() > 12
