"""PDQ, the perceptual fingerprint that child-safety hash exchanges share.

Two pictures that people call the same have fingerprints that differ in few of their
256 bits. PDQ does not survive crops, captions, borders, turns or mirrors. It never
says what a picture shows. The rule is Meta's: the paper "PDQ & TMK + PDQF" and the
C++ in github.com/facebook/ThreatExchange, folder ``pdq``; the names of the steps are
theirs. :func:`pdq_reference` says the rule plainly, :func:`pdq` computes it fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.float64]

GRID = 64
"""The picture is reduced to GRID x GRID before anything else."""
DCT_SIDE = 16
"""Frequencies 1 to 16 of each axis are kept: 256 of them, one bit each."""
BOX_PASSES = 2
"""A box filter twice is a tent filter."""
MIN_SIDE_PIXELS = 5
"""A picture with a shorter side has no fingerprint: zero bits, quality 0."""
QUALITY_DIVISOR = 90
"""Meta's scale from the sum of gradients (in hundredths of full range) to 0..100."""
MAX_QUALITY = 100
EIGHTHS = 8
"""libjpeg decodes at k/8 of full size; 8 is full size."""
CACHED_LENGTHS = 64
"""Axis lengths whose weights are kept: at most 64 x 64 Ki floats, about 16 MB."""


@dataclass(frozen=True, slots=True)
class PDQ:
    """``bits``: 32 bytes, Meta's bit 255 first; ``quality``: 0 to 100."""

    bits: bytes
    quality: int

    def __post_init__(self) -> None:
        if len(self.bits) != 32 or not 0 <= self.quality <= MAX_QUALITY:
            raise ValueError("a PDQ has 32 bytes and a quality from 0 to 100")

    def hex(self) -> str:
        """64 hexadecimal digits in Meta's order (bit 255 first)."""
        return self.bits.hex()

    @classmethod
    def from_hex(cls, text: str, quality: int) -> PDQ:
        """The PDQ that :meth:`hex` wrote. Raises ValueError when it is not one."""
        return cls(bytes.fromhex(text), quality)


NO_PDQ = PDQ(bytes(32), 0)


def hamming(a: bytes, b: bytes) -> int:
    """Distance in bits between two byte strings of one length (ValueError if not)."""
    if len(a) != len(b):
        raise ValueError("fingerprints of different lengths have no distance")
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()


# The plain reference ---------------------------------------------------------


def pdq_reference(luma: Pixels) -> PDQ:
    """PDQ of an (H, W) luma array in 0..255, step by step as the rule is written."""
    if min(luma.shape) < MIN_SIDE_PIXELS:
        return NO_PDQ
    picture = np.asarray(luma, dtype=np.float64)
    if picture.shape != (GRID, GRID):
        for _ in range(BOX_PASSES):
            picture = _box_along_rows(picture)
            picture = _box_along_rows(picture.T).T
        height, width = picture.shape
        rows = [int((o + 0.5) * height / GRID) for o in range(GRID)]
        columns = [int((o + 0.5) * width / GRID) for o in range(GRID)]
        picture = picture[rows][:, columns]
    return PDQ(_to_bits(_frequencies(picture)), _quality(picture))


def _box_along_rows(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    width = picture.shape[1]
    filtered = np.empty_like(picture)
    for position in range(width):
        first, end = _window(position, width)
        filtered[:, position] = picture[:, first:end].mean(axis=1)
    return filtered


def _window(position: int, length: int) -> tuple[int, int]:
    """First and end (exclusive) of the box filter's window on an axis."""
    full = (length + 2 * GRID - 1) // (2 * GRID)
    half = (full + 2) // 2
    return max(0, position + half - full), min(length, position + half)


# The fast way ----------------------------------------------------------------

Band = tuple[int, NDArray[np.float32]]
"""Where the non-zero weights of one grid line begin, and those weights."""


def pdq(
    luma: Pixels,
    *,
    full_size: tuple[int, int] | None = None,
    eighths: int = EIGHTHS,
) -> PDQ:
    """The same as :func:`pdq_reference`, in one pass over the pixels.

    ``luma`` is (H, W) in 0..255. When a JPEG was decoded at ``eighths``/8 of its
    size, ``full_size`` is its (height, width) before that; the full-size weights are
    then integrated over each reduced pixel. Raises ValueError when the shapes do not
    belong together.
    """
    full_size = full_size or (luma.shape[0], luma.shape[1])
    if min(full_size) < MIN_SIDE_PIXELS:
        return NO_PDQ
    grid = _reduce_to_grid(luma, full_size, eighths)
    return PDQ(_to_bits(_frequencies(grid)), _quality(grid))


def dihedral(
    luma: Pixels,
    *,
    full_size: tuple[int, int] | None = None,
    eighths: int = EIGHTHS,
) -> tuple[PDQ, ...]:
    """PDQ of the eight turned and mirrored variants, arguments as in :func:`pdq`.

    In Meta's order: as it is, turned by 90, 180 and 270 degrees, flipped over the
    horizontal and the vertical axis, and over the two diagonals. A turn or flip of
    the picture is a transpose and sign flips of its frequencies.
    """
    full_size = full_size or (luma.shape[0], luma.shape[1])
    if min(full_size) < MIN_SIDE_PIXELS:
        return (NO_PDQ,) * 8
    grid = _reduce_to_grid(luma, full_size, eighths)
    b = _frequencies(grid)
    # Index 0 is frequency 1, so an odd frequency, whose sign a flip changes, stands
    # at an even index.
    sign = np.where(np.arange(DCT_SIDE) % 2, 1.0, -1.0)
    rows, columns = sign[:, None], sign[None, :]
    variants = (
        b,
        (b * columns).T,
        b * rows * columns,
        (b * rows).T,
        b * rows,
        b * columns,
        b.T,
        (b * rows * columns).T,
    )
    quality = _quality(grid)
    return tuple(PDQ(_to_bits(each), quality) for each in variants)


def _reduce_to_grid(
    luma: Pixels, full_size: tuple[int, int], eighths: int
) -> NDArray[np.float64]:
    for length, full_length in zip(luma.shape, full_size, strict=True):
        if length != reduced_length(full_length, eighths):
            raise ValueError(f"{luma.shape} is not {eighths}/8 of {full_size}")
    by_rows = _apply(_bands(full_size[0], eighths), luma)
    grid = _apply(_bands(full_size[1], eighths), by_rows.T).T
    return grid.astype(np.float64)


def reduced_length(full_length: int, eighths: int) -> int:
    """Pixels libjpeg gives for an axis at k/8 scale: it rounds up."""
    return -(-full_length * eighths // EIGHTHS)


def _apply(bands: tuple[Band, ...], matrix: Pixels) -> NDArray[np.float32]:
    """Weighted sums of the rows of ``matrix``: one line of the grid for each band."""
    lines = np.empty((GRID, matrix.shape[1]), dtype=np.float32)
    for line, (first, weights) in zip(lines, bands, strict=True):
        rows = matrix[first : first + len(weights)]
        line[:] = weights @ rows.astype(np.float32, copy=False)
    return lines


@lru_cache(maxsize=CACHED_LENGTHS)
def _bands(full_length: int, eighths: int) -> tuple[Band, ...]:
    """Weights of both box passes and the decimation on one axis, for 64 grid lines.

    At full size a grid line is the mean, over the window round its centre, of the
    means over the windows round each of those. At reduced scale a pixel covers 8/k
    full-size pixels and takes the integral of their weights.
    """
    bands = []
    for line in range(GRID):
        centre = int((line + 0.5) * full_length / GRID)
        first, end = _window(centre, full_length)
        start = _window(first, full_length)[0]
        weights = np.zeros(_window(end - 1, full_length)[1] - start)
        for position in range(first, end):
            inner, inner_end = _window(position, full_length)
            weights[inner - start : inner_end - start] += 1 / (inner_end - inner)
        bands.append(_integrate(start, weights / (end - first), eighths))
    return tuple(bands)


def _integrate(start: int, weights: NDArray[np.float64], eighths: int) -> Band:
    """A band at full size as a band over pixels that are 8/``eighths`` as wide."""
    if eighths == EIGHTHS:
        return start, weights.astype(np.float32)
    end = start + len(weights)
    first = start * eighths // EIGHTHS
    edges = np.arange(first, reduced_length(end, eighths) + 1) * EIGHTHS / eighths
    so_far = np.concatenate(([0.0], np.cumsum(weights)))
    integral = np.interp(edges, np.arange(start, end + 1), so_far)
    return first, np.diff(integral).astype(np.float32)


# Steps both share ------------------------------------------------------------

_DCT = np.sqrt(2 / GRID) * np.cos(
    np.pi / (2 * GRID) * np.outer(np.arange(1, DCT_SIDE + 1), 2 * np.arange(GRID) + 1)
)


def _frequencies(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """(16, 16) discrete cosine transform of the grid, without its mean."""
    return np.asarray(_DCT @ grid @ _DCT.T)


def _to_bits(frequencies: NDArray[np.float64]) -> bytes:
    """32 bytes: bit 16 i + j is set where entry (i, j) is above the lower median."""
    flat = frequencies.ravel()
    lower_median = np.partition(flat, len(flat) // 2 - 1)[len(flat) // 2 - 1]
    return np.packbits((flat > lower_median)[::-1]).tobytes()


def _quality(grid: NDArray[np.float64]) -> int:
    """How much there is to see: the gradients of the grid, small ones left out."""
    total = 0
    for axis in (0, 1):
        gradients = np.trunc(np.diff(grid, axis=axis) * 100 / 255)
        total += int(np.abs(gradients).sum())
    return min(MAX_QUALITY, total // QUALITY_DIVISOR)
