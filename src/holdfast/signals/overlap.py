"""Two thumbnails laid over each other: what agrees, what differs, and in what manner.

A copy and its original differ as a whole (one tone curve, sharpness) and where
something was laid over or cut away. Two pictures of one scene differ otherwise: things
have moved, near ones against far ones, light falls from elsewhere. What is measured
here tells these apart; :mod:`holdfast.signals.alignment` draws the line. Lengths are
in pixels of the base: that thumbnail on which the shared part is smaller.

Blocks are compared by normalised correlation, points are followed from one to the
other (:mod:`holdfast.signals.following`). The shared part is the rectangle on which
most more blocks agree than differ, so that a caption, a border, or a screen's furniture
round the picture is left out of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.features import Pixels
from holdfast.signals.following import follow
from holdfast.signals.kernels import kernel
from holdfast.signals.laying import (
    BLOCK_PIXELS,
    EDGE_PIXELS,
    REFINE_STEPS,
    Affine,
    Grey,
    Laid,
    Mask,
    as_bytes,
    inverse,
    lay,
    refined,
    toned,
)
from holdfast.signals.opencv import cv2

STRIDE_PIXELS = 6
"""Blocks stand closer than they are wide, so each pixel is seen by about six."""
TEXTURE_LEVELS = 5.0
"""Standard deviation in grey levels from which a block shows something."""
AGREES, DIFFERS = 0.7, 0.5
"""Correlation of a block from which it agrees, and below which it differs."""
ALIKE_LEVELS, UNLIKE_LEVELS = 12.0, 24.0
"""The same for blocks that are flat in both, by the mean difference in grey."""
FLAT_WORTH = 0.3
"""What a flat block counts when the shared rectangle is looked for."""
UNTOLD_COST = 0.01
"""What a block that says nothing takes away, so that the rectangle ends where what is
shared does."""
SHARP = 0.9
"""Correlation that blocks of a copy reach nearly everywhere."""

DRIFT_PIXELS = 0.8
"""How far a point must stand from its place to have moved. Copies: under 0.5."""
SEARCH_PIXELS = 16
MOVED_CORRELATION = 0.85
"""A block that differs, but is found so well within SEARCH_PIXELS, has moved."""
SEARCHED_BLOCKS = 60
"""Blocks looked for elsewhere at most; more are sampled."""
PATCH_MIN_BLOCKS = 6
"""Differing blocks that hang together are a patch from here on: about 20 x 20."""
PLAIN_LEVELS = 5
PLAIN_SHARE = 0.4
"""A patch is plain when so much of it lies within so many grey levels in one of the
two: stickers, bars and drawn shapes do, other views of a scene rarely do."""
PLAIN_IN_BOTH = 0.2
"""Where so much of that grey is in the other as well, a plain thing has moved."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """What was measured. Shares are of the blocks of the shared rectangle, 0 to 1."""

    of_query: float
    """Share of the query's area that the shared rectangle takes."""
    of_stored: float
    agreeing: int
    """Textured blocks that agree."""
    agreeing_share: float
    """Of all textured blocks of the whole overlap."""
    spread: int
    """How many sixteenths (4 x 4) of the rectangle have an agreeing textured block."""
    laid_over: float
    """Share of differing blocks in plain patches: stickers, bars."""
    changed: float
    """Share of differing blocks in patches that show something in both."""
    scattered: float
    """Share of differing blocks that hang together with few others."""
    moved: float
    """Share of blocks found elsewhere nearby."""
    still_points: int
    """Well visible points that were followed from one to the other."""
    still_width: float
    """How wide these lie across the line they are nearest to: their deviation from it,
    as a share of the rectangle's shorter side."""
    drifted_points: int
    """Those of them that stand elsewhere."""
    drifted_together: float
    """How far some neighbouring points stand elsewhere, all alike, in pixels."""
    tone: float
    """How much of one's variance a single curve over the other's tones explains, the
    worse of both directions: 1 for copies."""
    tone_levels: float
    """What that curve leaves, in grey levels (root mean square)."""
    sharp: float
    """Share of textured blocks correlated more than SHARP."""
    worst_tenth: float
    """Correlation that nine tenths of the textured blocks exceed."""
    outside: int
    """Textured blocks of the overlap outside the rectangle."""
    outside_agreeing: float
    """Share of those that agree none the less: none where a frame was laid round."""


def compare(query: Pixels, stored: Pixels, to_query: Affine) -> Overlap | None:
    """Lay ``stored`` on ``query``, as ``to_query`` says, and measure.

    The transform is refined first on the pixels. None where too little is shared to
    say anything.
    """
    larger_in_query = sqrt(abs(float(np.linalg.det(to_query[:, :2])))) >= 1
    base, other = (stored, query) if larger_in_query else (query, stored)
    to_other = to_query if larger_in_query else inverse(to_query)
    for reach in REFINE_STEPS:
        laid = lay(base, other, to_other)
        if laid is None:
            return None
        to_other = refined(laid, to_other, reach)
    laid = lay(base, other, to_other)
    if laid is None:
        return None
    growth = abs(float(np.linalg.det(to_other[:, :2])))
    of_base, of_other = 1 / base.size, growth / other.size
    shares = (of_other, of_base) if larger_in_query else (of_base, of_other)
    return _measure(laid, *shares)


def glance(laid: Laid) -> tuple[float, float, float]:
    """``sharp``, ``tone`` and ``tone_levels`` of :class:`Overlap`, over all of it as it
    lies there: a tenth of the work, for two that are laid corner to corner."""
    correlation, texture, other_texture = (
        _at_blocks(each) for each in _correlation(laid.base, laid.other)
    )
    textured = _at_blocks(laid.inner)
    textured &= np.maximum(texture, other_texture) > TEXTURE_LEVELS
    shown, tone = toned(laid.base, laid.other, laid.mask)
    left = (shown - laid.other)[laid.mask]
    sharp = _share(correlation > SHARP, textured)
    return sharp, tone, sqrt(float(np.mean(left * left)))


# Measuring ---------------------------------------------------------------------


def _measure(laid: Laid, query_per_pixel: float, stored_per_pixel: float) -> Overlap:
    blocks = _blocks(laid)
    box = _best_rectangle(blocks.score)
    top, bottom, left, right = (int(each) for each in box)
    shared = np.zeros_like(blocks.inner)
    shared[top:bottom, left:right] = True
    seen = max(1, _count(blocks.told & shared))
    plain, changed, scattered = _patches(blocks.differing & shared, laid)
    clear = shared & blocks.inner & ~_grown(blocks.differing, 3)
    expected, tone, tone_levels = _tone_both_ways(laid, _at_pixels(clear, laid))
    correlations = blocks.correlation[clear & blocks.textured]
    lost = blocks.differing & blocks.textured_in_both & shared & ~plain
    where = _at_pixels(shared & ~_grown(plain, 5), laid) & laid.inner
    still = follow(expected, laid, where)
    outside = blocks.textured & ~shared
    edge = BLOCK_PIXELS - STRIDE_PIXELS + 2 * EDGE_PIXELS
    area = (bottom - top) * STRIDE_PIXELS + edge
    area *= (right - left) * STRIDE_PIXELS + edge
    return Overlap(
        of_query=min(1.0, area * query_per_pixel),
        of_stored=min(1.0, area * stored_per_pixel),
        agreeing=_count(blocks.agreeing & shared),
        agreeing_share=_share(blocks.agreeing, blocks.textured),
        spread=_spread((blocks.agreeing & shared)[top:bottom, left:right]),
        laid_over=_count(plain) / seen,
        changed=changed / seen,
        scattered=scattered / seen,
        moved=_moved(laid, lost) / seen,
        still_points=len(still),
        still_width=still.width / (min(bottom - top, right - left) * STRIDE_PIXELS),
        drifted_points=_count(still.distances > DRIFT_PIXELS),
        drifted_together=still.together,
        tone=tone,
        tone_levels=tone_levels,
        sharp=float(np.mean(correlations > SHARP)) if len(correlations) else 0.0,
        worst_tenth=float(np.quantile(correlations, 0.1)) if len(correlations) else 0.0,
        outside=_count(outside),
        outside_agreeing=_share(blocks.agreeing & outside, outside),
    )


@dataclass(frozen=True, slots=True)
class _Blocks:
    """What each block says, all of one shape (rows, columns)."""

    correlation: Grey
    inner: Mask
    """Wholly inside the overlap; all that follow are."""
    textured: Mask
    textured_in_both: Mask
    agreeing: Mask
    """Textured, and correlated."""
    alike: Mask
    """Flat, and of one grey."""
    differing: Mask

    @property
    def told(self) -> Mask:
        """Those that say either."""
        return self.agreeing | self.alike | self.differing

    @property
    def score(self) -> NDArray[np.float64]:
        """What each adds to a shared rectangle."""
        for_it = self.agreeing + FLAT_WORTH * self.alike
        return np.asarray(for_it - self.differing - UNTOLD_COST * ~self.told)


def _blocks(laid: Laid) -> _Blocks:
    correlation, texture, other_texture = (
        _at_blocks(each) for each in _correlation(laid.base, laid.other)
    )
    inner = _at_blocks(laid.inner)
    textured = inner & (np.maximum(texture, other_texture) > TEXTURE_LEVELS)
    in_both = inner & (np.minimum(texture, other_texture) > TEXTURE_LEVELS)
    agreeing = textured & (correlation > AGREES)
    expected, _ = toned(laid.base, laid.other, _at_pixels(agreeing, laid) & laid.mask)
    unlike = _at_blocks(_mean(np.abs(expected - laid.other)))
    flat = inner & ~textured
    differing = textured & (correlation < DIFFERS)
    differing |= flat & (unlike > UNLIKE_LEVELS)
    alike = flat & (unlike < ALIKE_LEVELS)
    return _Blocks(correlation, inner, textured, in_both, agreeing, alike, differing)


def _count(blocks: Mask) -> int:
    return int(np.count_nonzero(blocks))


def _share(some: Mask, of_all: Mask) -> float:
    return _count(some & of_all) / max(1, _count(of_all))


def _mean(picture: Grey) -> Grey:
    """Mean over the block round each pixel."""
    return np.asarray(cv2.blur(picture, (BLOCK_PIXELS, BLOCK_PIXELS)))


def _correlation(one: Grey, other: Grey) -> tuple[Grey, Grey, Grey]:
    """Normalised correlation of the blocks round each pixel, and their deviations."""
    mean, other_mean = _mean(one), _mean(other)
    variance = np.maximum(_mean(one * one) - mean * mean, 0)
    other_variance = np.maximum(_mean(other * other) - other_mean * other_mean, 0)
    together = _mean(one * other) - mean * other_mean
    scale = np.sqrt(np.maximum(variance, 1) * np.maximum(other_variance, 1))
    return together / scale, np.sqrt(variance), np.sqrt(other_variance)


def _at_blocks(picture: NDArray[Any]) -> NDArray[Any]:
    """The values at the blocks' centres."""
    first = EDGE_PIXELS + BLOCK_PIXELS // 2
    return picture[first::STRIDE_PIXELS, first::STRIDE_PIXELS]


def _at_pixels(blocks: Mask, laid: Laid) -> Mask:
    """The pixels nearest to the centres of these blocks."""
    wide = np.kron(blocks, np.ones((STRIDE_PIXELS, STRIDE_PIXELS), bool))
    pixels = np.zeros(laid.base.shape, bool)
    margin = EDGE_PIXELS + BLOCK_PIXELS // 2 - STRIDE_PIXELS // 2
    room = pixels[margin:, margin:]
    height = min(room.shape[0], wide.shape[0])
    width = min(room.shape[1], wide.shape[1])
    room[:height, :width] = wide[:height, :width]
    return pixels


def _grown(blocks: Mask, size: int) -> Mask:
    return np.asarray(cv2.dilate(as_bytes(blocks), np.ones((size, size), np.uint8)) > 0)


def _spread(blocks: Mask) -> int:
    rows, columns = np.nonzero(blocks)
    height, width = blocks.shape
    return len(set(zip(rows * 4 // height, columns * 4 // width, strict=True)))


def _tone_both_ways(laid: Laid, where: Mask) -> tuple[Grey, float, float]:
    expected, tone = toned(laid.base, laid.other, where)
    _, back = toned(laid.other, laid.base, where)
    left = (expected - laid.other)[where]
    levels = sqrt(float(np.mean(left * left))) if len(left) else 255.0
    return expected, min(tone, back), levels


def _patches(differing: Mask, laid: Laid) -> tuple[Mask, int, int]:
    """Blocks of plain patches; how many lie in others, and how many hang with few."""
    plain = np.zeros_like(differing)
    changed = scattered = 0
    count, label = cv2.connectedComponents(differing.astype(np.uint8), connectivity=8)
    for each in range(1, count):
        patch = label == each
        size = _count(patch)
        if size < PATCH_MIN_BLOCKS:
            scattered += size
        elif _is_plain(_at_pixels(patch, laid), laid):
            plain |= patch
        else:
            changed += size
    return plain, changed, scattered


def _is_plain(patch: Mask, laid: Laid) -> bool:
    """Whether one of the two is plain there, in a grey that the other has not."""
    window = np.ones(PLAIN_LEVELS)
    both = [
        np.convolve(
            np.bincount(as_bytes(picture[patch]), minlength=256), window, mode="same"
        )
        / np.count_nonzero(patch)
        for picture in (laid.base, laid.other)
    ]
    for one, other in (both, both[::-1]):
        grey = int(one.argmax())
        near = other[max(0, grey - PLAIN_LEVELS) : grey + PLAIN_LEVELS + 1]
        if one[grey] >= PLAIN_SHARE and near.max() < PLAIN_IN_BOTH:
            return True
    return False


def _moved(laid: Laid, blocks: Mask) -> float:
    """How many of these blocks are found elsewhere nearby (estimated from a few)."""
    places = np.argwhere(blocks)
    if not len(places):
        return 0.0
    some = np.linspace(0, len(places) - 1, min(len(places), SEARCHED_BLOCKS))
    half = BLOCK_PIXELS // 2
    found = 0
    for row, column in places[some.astype(np.int64)] * STRIDE_PIXELS + EDGE_PIXELS:
        block = laid.base[row : row + BLOCK_PIXELS, column : column + BLOCK_PIXELS]
        reach = half + 1 + SEARCH_PIXELS
        rows = slice(max(0, row + half - reach), row + half + reach)
        columns = slice(max(0, column + half - reach), column + half + reach)
        near = cv2.matchTemplate(laid.other[rows, columns], block, cv2.TM_CCOEFF_NORMED)
        found += int(near.max() > MOVED_CORRELATION)
    return found / len(some) * len(places)


@kernel
def _best_rectangle(score: NDArray[np.float64]) -> tuple[int, int, int, int]:
    """Top, bottom, left, right (ends exclusive) of the rectangle with the largest sum.

    Kadane's rule over the columns, for every pair of rows.
    """
    height, width = score.shape
    best = -1.0
    found = (0, height, 0, width)
    for top in range(height):
        column = np.zeros(width)
        for bottom in range(top, height):
            run, left = 0.0, 0
            for x in range(width):
                column[x] += score[bottom, x]
                if run <= 0:
                    run, left = 0.0, x
                run += column[x]
                if run > best:
                    best = run
                    found = (top, bottom + 1, left, x + 1)
    return found
