"""From a picture to PDQ's grid of 64 by 64, in one pass over the pixels.

PDQ filters the whole picture twice with a box and keeps 64 rows and 64 columns of it.
All of that is linear and each axis stands alone, edges included, so a line of the grid
is a weighted sum of some neighbouring rows: here those weights are worked out once for
each size and each pixel is read once. When a picture was decoded at reduced scale,
a pixel takes the integral of the full-size weights over what it covers. The plain rule
is :func:`holdfast.signals.pdq.pdq_reference`; the tests hold the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.kernels import kernel

Pixels = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.float64]

GRID = 64
"""The picture is reduced to GRID x GRID before anything else."""
EIGHTHS = 8
"""libjpeg decodes at k/8 of full size; 8 is full size."""
CACHED_LENGTHS = 256
"""Axes whose weights are kept. A band has about a 32nd of an axis's pixels, so 64 of
them have two for each: at most 256 x 128 Ki floats of 4 bytes were every one of them
as long as an axis can be, and 2 MB for axes of 1,000 pixels."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a decoded picture, and the part of it that is looked at.

    ``length``: pixels it has at full size, of which those from ``start`` to ``end``
    (exclusive; all when None) are looked at, counted as people see the picture.
    ``eighths``: it was decoded at k/8 of that. ``reversed``: it is stored the other
    way round and was turned after decoding, so libjpeg's blocks begin at its end.
    """

    length: int
    eighths: int = EIGHTHS
    reversed: bool = False
    start: int = 0
    end: int | None = None

    @property
    def pixels(self) -> int:
        """How many were decoded: libjpeg rounds up."""
        return -(-self.length * self.eighths // EIGHTHS)

    @property
    def inside(self) -> int:
        """How many full-size pixels are looked at."""
        return (self.length if self.end is None else self.end) - self.start

    def at_full_size(self, position: float) -> float:
        """Where a position on the decoded axis lies on the full-size one."""
        pitch = EIGHTHS / self.eighths
        missing = self.pixels * pitch - self.length if self.reversed else 0
        return position * pitch - missing


def window(position: int, length: int) -> tuple[int, int]:
    """First and end (exclusive) of the box filter's window on an axis."""
    full = (length + 2 * GRID - 1) // (2 * GRID)
    half = (full + 2) // 2
    return max(0, position + half - full), min(length, position + half)


def to_grid(luma: Pixels, rows: Axis, columns: Axis) -> NDArray[np.float64]:
    """(64, 64) grid of an (H, W) luma array, its axes given from top and from left.

    Raises ValueError when the array and its axes do not belong together.
    """
    if luma.shape != (rows.pixels, columns.pixels):
        raise ValueError(f"{luma.shape} is not {rows.pixels} by {columns.pixels}")
    grid = np.zeros((GRID, GRID))
    pixels = luma if luma.flags.c_contiguous else luma.copy()
    _reduce(pixels, *_bands(rows), *_bands(columns), grid)
    return grid


Bands = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]
"""For each of 64 lines: the first pixel it weighs, and where its weights begin; the
third array holds all weights one after the other, and ``begins`` has a 65th entry."""


@kernel
def _reduce(
    luma: Pixels,
    row_first: NDArray[np.int64],
    row_begins: NDArray[np.int64],
    row_weights: NDArray[np.float32],
    column_first: NDArray[np.int64],
    column_begins: NDArray[np.int64],
    column_weights: NDArray[np.float32],
    grid: NDArray[np.float64],
) -> None:
    """Fill ``grid``: rows of pixels into lines, then each line into its 64 cells.

    A row of pixels stays in the cache for the two or three lines that weigh it, and
    the sums along a line are over neighbouring pixels, which the compiler turns into
    vectors.
    """
    height, width = luma.shape
    lines = len(row_first)
    sums = np.zeros((lines, width), np.float32)
    open_from = 0
    for row in range(height):
        while open_from < lines and (
            row_first[open_from] + row_begins[open_from + 1] - row_begins[open_from]
            <= row
        ):
            open_from += 1
        for line in range(open_from, lines):
            if row_first[line] > row:
                break
            weight = row_weights[row_begins[line] + row - row_first[line]]
            for column in range(width):
                sums[line, column] += weight * np.float32(luma[row, column])
    for line in range(lines):
        for cell in range(len(column_first)):
            total = 0.0
            first = column_first[cell]
            begin = column_begins[cell]
            for at in range(begin, column_begins[cell + 1]):
                total += column_weights[at] * sums[line, first + at - begin]
            grid[line, cell] = total


@lru_cache(maxsize=CACHED_LENGTHS)
def _bands(axis: Axis) -> Bands:
    """Weights of both box passes and the decimation on one axis.

    At full size a grid line is the mean, over the window round its centre, of the
    means over the windows round each of those.
    """
    firsts, begins, weights = [], [0], []
    for line in range(GRID):
        centre = int((line + 0.5) * axis.inside / GRID)
        first, end = window(centre, axis.inside)
        start = window(first, axis.inside)[0]
        band = np.zeros(window(end - 1, axis.inside)[1] - start)
        for position in range(first, end):
            inner, inner_end = window(position, axis.inside)
            band[inner - start : inner_end - start] += 1 / (inner_end - inner)
        pixel, reduced = _on_decoded(axis.start + start, band / (end - first), axis)
        firsts.append(pixel)
        begins.append(begins[-1] + len(reduced))
        weights.append(reduced)
    flat = np.concatenate(weights).astype(np.float32)
    return np.array(firsts), np.array(begins), flat


def _on_decoded(
    start: int, band: NDArray[np.float64], axis: Axis
) -> tuple[int, NDArray[np.float64]]:
    """A band over full-size pixels as one over the decoded pixels, and its first."""
    if axis.eighths == EIGHTHS:
        return start, band
    if axis.reversed:
        start, band = axis.length - start - len(band), band[::-1]
    block, end_block = start // EIGHTHS, -(-(start + len(band)) // EIGHTHS)
    before, after = start - block * EIGHTHS, end_block * EIGHTHS - start - len(band)
    blocks = np.pad(band, (before, after)).reshape(-1, EIGHTHS)
    spread = (blocks @ _reduction(axis.eighths)).ravel()
    first = block * axis.eighths
    # What the last, partial block has beyond the decoded pixels goes to its last one.
    kept = min(len(spread), axis.pixels - first)
    spread[kept - 1] += spread[kept:].sum()
    if axis.reversed:
        return axis.pixels - first - kept, spread[:kept][::-1]
    return first, spread[:kept]


@lru_cache(maxsize=EIGHTHS)
def _reduction(eighths: int) -> NDArray[np.float64]:
    """(8, k): weights on a block's pixels as weights on what is decoded of it.

    Decoding at k/8 keeps the k lowest frequencies of each block and gives them as k
    pixels. So k pixels stand for the block that has those frequencies and no others.
    libjpeg-turbo gives means at 2/8 and 4/8, which is near enough for what it reads.
    """
    lowest = dct(EIGHTHS)[:eighths]
    return np.asarray(np.sqrt(EIGHTHS / eighths) * lowest.T @ dct(eighths))


def dct(length: int) -> NDArray[np.float64]:
    """The orthonormal discrete cosine transform (type II) of that many values."""
    frequency, position = np.mgrid[0:length, 0:length]
    matrix = np.cos(np.pi / (2 * length) * frequency * (2 * position + 1))
    matrix[0] /= np.sqrt(2)
    return np.asarray(np.sqrt(2 / length) * matrix)
