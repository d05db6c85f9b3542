"""Points followed from one picture to another that was laid over it.

Where a camera or somebody before it has moved, points stand elsewhere, and those side
by side stand elsewhere together. Followed by optical flow (Lucas and Kanade, 1981;
Bouguet's pyramid in OpenCV). Nothing is judged here: see
:mod:`holdfast.signals.alignment`. Lengths are in pixels of the base.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.laying import Grey, Laid, Mask, as_bytes
from holdfast.signals.opencv import cv2

MOST_POINTS = 300
QUALITY = 0.01
"""Corners at least so strong, as a share of the strongest."""
APART_PIXELS = 5
WINDOW_PIXELS = 11
MIN_GRADIENT = 6.0
"""Smaller eigenvalue of the mean squared gradient, in (grey levels / pixel)^2. Below
it a point's place is lost in JPEG's noise."""
BACK_PIXELS = 0.5
"""A point followed there and back must come home this near."""
NEIGHBOURS = 5
"""Points that are taken together, to see how their surroundings moved."""


@dataclass(frozen=True, slots=True)
class Followed:
    """``points``: (n, 2) places on the base; ``drift``: (n, 2), by how much each
    stands elsewhere on the other."""

    points: NDArray[np.float32]
    drift: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.points)

    @property
    def distances(self) -> NDArray[np.float32]:
        """How far each one stands from its place."""
        return np.asarray(np.linalg.norm(self.drift, axis=1))

    @property
    def width(self) -> float:
        """Standard deviation across the line that the points lie nearest to."""
        if len(self) < 2:
            return 0.0
        across = np.linalg.eigvalsh(np.cov(self.points.T))[0]
        return sqrt(max(0.0, float(across)))

    @property
    def together(self) -> float:
        """The farthest that NEIGHBOURS points drift in the middle, wherever they are.

        One alone may be mistaken, neighbours are not; and where all moves smoothly
        none goes far, but they go alike.
        """
        if len(self) < NEIGHBOURS:
            return 0.0
        apart = np.linalg.norm(self.points[:, None] - self.points[None], axis=2)
        near = np.argpartition(apart, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
        middle = np.median(self.drift[near], axis=1)
        return float(np.linalg.norm(middle, axis=1).max())


def follow(expected: Grey, laid: Laid, where: Mask) -> Followed:
    """The well visible points of the base in ``where`` that are found in the other.

    ``expected``: the base in the other's tones.
    """
    points = cv2.goodFeaturesToTrack(
        as_bytes(laid.base),
        MOST_POINTS,
        QUALITY,
        APART_PIXELS,
        mask=as_bytes(where * 255),
    )
    if points is None:
        nothing = np.empty((0, 2), np.float32)
        return Followed(nothing, nothing)
    window = (WINDOW_PIXELS, WINDOW_PIXELS)
    one, two = as_bytes(expected), as_bytes(laid.other)
    there, seen, _ = cv2.calcOpticalFlowPyrLK(
        one, two, points, None, winSize=window, maxLevel=2
    )
    home, seen_back, _ = cv2.calcOpticalFlowPyrLK(
        two, one, there, None, winSize=window, maxLevel=2
    )
    at = np.rint(points[:, 0]).astype(np.int64)
    good = (seen.ravel() > 0) & (seen_back.ravel() > 0)
    good &= np.linalg.norm(home - points, axis=2).ravel() < BACK_PIXELS
    good &= _visibility(expected)[at[:, 1], at[:, 0]] > MIN_GRADIENT
    return Followed(points[good, 0], (there - points)[good, 0])


def _visibility(picture: Grey) -> Grey:
    """Smaller eigenvalue of the mean squared gradient round each pixel."""
    window = (WINDOW_PIXELS, WINDOW_PIXELS)
    # A Sobel filter's weights sum to 8.
    across = cv2.Sobel(picture, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(picture, cv2.CV_32F, 0, 1, scale=1 / 8)
    xx, yy = cv2.blur(across * across, window), cv2.blur(down * down, window)
    xy = cv2.blur(across * down, window)
    return np.asarray((xx + yy) / 2 - np.sqrt((xx - yy) ** 2 / 4 + xy * xy))
