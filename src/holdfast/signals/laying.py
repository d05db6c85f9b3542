"""One thumbnail laid over another, to the fraction of a pixel.

A transform found from a few dozen points is good to a pixel or two; here the pixels
themselves correct it, by optical flow (Lucas and Kanade, 1981; Bouguet's pyramid in
OpenCV) once the one is shown in the tones of the other. Nothing is judged here: see
:mod:`holdfast.signals.overlap`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.features import Pixels
from holdfast.signals.kernels import kernel
from holdfast.signals.opencv import cv2

Affine = NDArray[np.float64]
"""(2, 3): a point of one thumbnail to the same point of another."""
Grey = NDArray[np.float32]
Mask = NDArray[np.bool_]

BLOCK_PIXELS = 15
"""Width of the blocks that are compared, and of the window that is followed here."""
EDGE_PIXELS = 2
"""So far from the edge of what is shared, what lies beside it there (a caption, a page
round it) has run into the thumbnail's pixels and is not compared."""
SMOOTHING_PIXELS = 0.8
"""Both are smoothed, so that JPEG's noise and a little blur do not count."""
MIN_SHARED_PIXELS = 1500
"""A smaller overlap (39 x 39) has too few blocks to say anything."""
TONE_STEPS = 32
"""Steps of the tone curve over the 256 grey levels."""
REFINE_STEPS = (1.5, 1.0)
"""Reach of RANSAC in pixels at each refinement: a similarity first, then affine."""
REFINING_POINTS, REFINING_APART_PIXELS = 200, 6
REFINING_QUALITY = 0.01
"""Corners at least so strong, as a share of the strongest."""
MIN_REFINING_POINTS = 8
MIN_REFINING_SHARE = 0.3
"""A correction that fewer points share is not believed."""


@dataclass(frozen=True, slots=True)
class Laid:
    """``base`` and, on its pixels, ``other``; ``mask`` where there is any of it, and
    ``inner`` where a block round the pixel lies well within that."""

    base: Grey
    other: Grey
    mask: Mask
    inner: Mask


def inverse(transform: Affine) -> Affine:
    """The way back."""
    return np.asarray(np.linalg.inv(_square(transform))[:2])


def _square(transform: Affine) -> Affine:
    return np.vstack((transform, (0.0, 0.0, 1.0)))


def lay(base: Pixels, other: Pixels, to_other: Affine) -> Laid | None:
    """``other`` drawn on the pixels of ``base``, of which ``to_other`` says where they
    are in ``other``; None where too little is shared."""
    shrink = sqrt(abs(float(np.linalg.det(to_other[:, :2]))))
    height, width = other.shape
    mask = np.full(other.shape, 255, np.uint8)
    if shrink > 1.05:
        # Averaged before it is sampled: else fine texture turns to noise.
        size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
        other = cv2.resize(other, size, interpolation=cv2.INTER_AREA)
        mask = np.full(other.shape, 255, np.uint8)
        factors = np.array([[size[0] / width], [size[1] / height]])
        to_other = to_other * factors
        to_other[:, 2:] += 0.5 * factors - 0.5
    onto = (base.shape[1], base.shape[0])
    back = cv2.WARP_INVERSE_MAP
    other = cv2.warpAffine(
        other,
        to_other,
        onto,
        flags=cv2.INTER_LINEAR | back,
        borderMode=cv2.BORDER_REPLICATE,
    )
    shown = cv2.warpAffine(mask, to_other, onto, flags=cv2.INTER_NEAREST | back)
    if np.count_nonzero(shown) < MIN_SHARED_PIXELS:
        return None
    block = np.ones((BLOCK_PIXELS + 2 * EDGE_PIXELS,) * 2, np.uint8)
    inner = cv2.erode(shown, block, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return Laid(_smooth(base), _smooth(other), shown > 0, inner > 0)


def _smooth(picture: Pixels) -> Grey:
    return np.asarray(
        cv2.GaussianBlur(picture.astype(np.float32), (0, 0), SMOOTHING_PIXELS)
    )


def refined(laid: Laid, to_other: Affine, reach: float) -> Affine:
    """``to_other`` corrected by where the points of the base are found in the other."""
    expected, _ = toned(laid.base, laid.other, laid.mask)
    points = cv2.goodFeaturesToTrack(
        as_bytes(laid.base),
        REFINING_POINTS,
        REFINING_QUALITY,
        REFINING_APART_PIXELS,
        mask=as_bytes(laid.inner * 255),
    )
    if points is None:
        return to_other
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        as_bytes(expected),
        as_bytes(laid.other),
        points,
        None,
        winSize=(BLOCK_PIXELS, BLOCK_PIXELS),
        maxLevel=1,
    )
    seen = found.ravel() > 0
    count = np.count_nonzero(seen)
    if count < MIN_REFINING_POINTS:
        return to_other
    first = reach == REFINE_STEPS[0]
    estimate = cv2.estimateAffinePartial2D if first else cv2.estimateAffine2D
    step, kept = estimate(points[seen], there[seen], ransacReprojThreshold=reach)
    enough = max(MIN_REFINING_POINTS, MIN_REFINING_SHARE * count)
    if step is None or np.count_nonzero(kept) < enough:
        return to_other
    return np.asarray((_square(to_other) @ _square(step))[:2])


def as_bytes(picture: NDArray[Any]) -> Pixels:
    """As grey levels, 0 to 255."""
    return np.clip(picture.astype(np.float32), 0, 255).astype(np.uint8)


def toned(base: Grey, other: Grey, where: Mask) -> tuple[Grey, float]:
    """``base`` in the tones of ``other``, and the share of variance so explained.

    The curve is the mean of the one at each step of the other's tones, drawn straight
    from step to step. As :func:`toned_reference`, in a fifth of the time.
    """
    return _toned(base, other, where)


def toned_reference(base: Grey, other: Grey, where: Mask) -> tuple[Grey, float]:
    """The same in plain words."""
    values = other[where]
    if not len(values):
        return base, 0.0
    step = np.clip(base[where] * (TONE_STEPS / 256), 0, TONE_STEPS - 1).astype(np.int64)
    count = np.bincount(step, minlength=TONE_STEPS)
    total = np.bincount(step, values, minlength=TONE_STEPS)
    used = np.flatnonzero(count)
    centres = (used + 0.5) * (256 / TONE_STEPS)
    shown = np.interp(base, centres, total[used] / count[used]).astype(np.float32)
    left = values - shown[where]
    return shown, 1 - float(left.var()) / max(float(values.var()), 1e-6)


@kernel
def _toned(base: Grey, other: Grey, where: Mask) -> tuple[Grey, float]:
    height, width = base.shape
    count, total = np.zeros(TONE_STEPS), np.zeros(TONE_STEPS)
    for y in range(height):
        for x in range(width):
            if where[y, x]:
                step = int(base[y, x] * (TONE_STEPS / 256))
                step = min(max(step, 0), TONE_STEPS - 1)
                count[step] += 1
                total[step] += other[y, x]
    pixels = count.sum()
    if pixels == 0:
        return base, 0.0
    starts, slopes = _lines(count, total)
    shown = np.empty_like(base)
    mean, mean_left = total.sum() / pixels, 0.0
    for y in range(height):
        for x in range(width):
            at = min(max(base[y, x] * (TONE_STEPS / 256) - 0.5, -1.0), TONE_STEPS - 0.5)
            line = int(at + 1)
            shown[y, x] = starts[line] + slopes[line] * (at + 1 - line)
            if where[y, x]:
                mean_left += other[y, x] - shown[y, x]
    mean_left /= pixels
    varied, left = 0.0, 0.0
    for y in range(height):
        for x in range(width):
            if where[y, x]:
                varied += (other[y, x] - mean) ** 2
                left += (other[y, x] - shown[y, x] - mean_left) ** 2
    return shown, 1 - left / max(varied, 1e-6 * pixels)


@kernel
def _lines(
    count: NDArray[np.float64], total: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The curve from the middle of each step to the next: where it starts, and by how
    much it rises. Level before the first step that has pixels, and behind the last;
    steps without any are bridged."""
    starts, slopes = np.zeros(TONE_STEPS + 1), np.zeros(TONE_STEPS + 1)
    last = -1
    for step in range(TONE_STEPS):
        if count[step] == 0:
            continue
        here = total[step] / count[step]
        if last < 0:
            starts[: step + 1] = here
        else:
            there = total[last] / count[last]
            slope = (here - there) / (step - last)
            for line in range(last + 1, step + 1):
                starts[line] = there + slope * (line - last - 1)
                slopes[line] = slope
        last = step
    starts[last + 1 :] = total[last] / count[last]
    return starts, slopes
