"""A picture without its bars or plain border.

Whoever re-uploads a picture often puts a frame or bars round it, and PDQ then sees
another picture. What is cut off here makes a view beside the whole, never instead of
it, on both sides of a comparison: a border that belongs to the original is cut off its
copy too. Only plain lines are cut, of any colour, and a plain sky is one of them: a
trimmed view is a chance to find more, and says nothing of where the border came from.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.grid import Axis
from holdfast.signals.luma import Luma

LEVEL_TOLERANCE = 12
"""Grey levels (of 255) by which a border's pixels may differ from its outermost line:
most of what a JPEG of quality 30 does to a plain field beside a picture."""
MIN_PLAIN_SHARE = 0.95
"""Share of a line's pixels within the tolerance for the line to count as plain. A thin
border is all beside the picture, and some of it then rings further."""
MIN_CUT_SHARE = 0.004
"""Less than this share of an axis is not cut: PDQ survives it (a loss of 0.5 % a side
costs 16 bits on average, of 1 % 28; measured on 40 photographs)."""
MIN_LEFT_SHARE = 0.2
"""At least this share of each axis must be left: a wide film on an upright telephone
fills a quarter of it. Less is a logo on a plain ground, not a picture in a border."""
MAX_SAMPLES = 1024
"""Pixels of a line that are looked at, evenly spread."""
MIN_EDGE_LEVELS = 8.0
"""Grey levels by which lines two apart differ at an edge, on average over their
pixels. Ringing was seen to make up to 3, at quality 40."""
BLOCK_LINES = 8
"""Lines of a JPEG block: so far a picture rings into its border."""
LINES_AT_ONCE = 16
"""Lines of a border measured at a time; one by one takes ten times as long."""


def find_inside(luma: Luma) -> tuple[Axis, Axis] | None:
    """Rows and columns of what is inside the border; None when there is no border.

    The edges are found to a fraction of a decoded pixel, and given in full-size ones.
    Only one border is cut: a second round would go on into a plain sky or floor.
    """
    rows = _span(luma.pixels)
    # Beside the bars above and below there is no picture to tell a border from.
    columns = _span(luma.pixels[ceil(rows[0]) : int(rows[1])].T)
    axes = _axis(luma.rows, rows), _axis(luma.columns, columns)
    cut = max(1 - axis.inside / axis.length for axis in axes)
    left = min(axis.inside / axis.length for axis in axes)
    return axes if cut >= MIN_CUT_SHARE and left >= MIN_LEFT_SHARE else None


def _span(lines: NDArray[np.uint8]) -> tuple[float, float]:
    """Where the picture begins and ends among (N, M) ``lines``; all if plain."""
    step = -(-lines.shape[1] // MAX_SAMPLES)
    before, behind = _border(lines[:, ::step]), _border(lines[::-1, ::step])
    if ceil(before) + ceil(behind) >= len(lines):
        return 0.0, float(len(lines))
    return before, len(lines) - behind


def _border(lines: NDArray[np.uint8]) -> float:
    """How many lines of border there are from the first on, in decoded lines.

    Compression lets the picture ring into the border, up to the next block. So the
    edge is where lines are half as far from the border's level as those of the
    picture, and a line that is partly border counts by its share.
    """
    level = float(np.median(lines[0]))
    if _is_busy(np.abs(lines[:1] - level))[0]:
        # Most pictures have no border, and this is what each frame of a film costs.
        return 0.0
    levels = _levels(lines, level)
    # A sky that slowly grows less plain has no edge, and would be cut now here, now
    # there; a dark picture in black is as plain as its border, and has one.
    sharp = np.flatnonzero(levels[2:] - levels[:-2] >= MIN_EDGE_LEVELS)
    if not len(sharp):
        return 0.0
    first = int(sharp[0])
    near = levels[first : first + BLOCK_LINES + 1]
    shares = near / near.max()
    edge = int(np.argmax(shares >= 0.5))
    return first + 1 + edge - float(shares[max(0, edge - 1) : edge + 1].sum())


def _levels(lines: NDArray[np.uint8], level: float) -> NDArray[np.float64]:
    """How far each line is from ``level``, to BLOCK_LINES behind the plain ones."""
    parts: list[NDArray[np.float64]] = []
    last = len(lines)
    for start in range(0, len(lines), LINES_AT_ONCE):
        some = np.ascontiguousarray(lines[start : start + LINES_AT_ONCE])
        away = np.abs(some - level)
        parts.append(away.mean(axis=1))
        if last == len(lines):
            busy = _is_busy(away)
            if busy.any():
                last = start + int(np.argmax(busy))
        if start + len(away) > last + BLOCK_LINES:
            break
    return np.concatenate(parts)[: last + BLOCK_LINES + 1]


def _is_busy(away: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of some lines are not plain, by how far their pixels are from the level."""
    return np.asarray((away > LEVEL_TOLERANCE).mean(axis=1) > 1 - MIN_PLAIN_SHARE)


def _axis(axis: Axis, span: tuple[float, float]) -> Axis:
    start, end = (round(axis.at_full_size(each)) for each in span)
    return replace(axis, start=max(0, start), end=min(axis.length, end))
