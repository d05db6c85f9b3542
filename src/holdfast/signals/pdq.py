"""PDQ, the perceptual fingerprint that child-safety hash exchanges share.

Two pictures that people call the same have fingerprints that differ in few of their
256 bits. PDQ does not survive crops, captions, borders, turns or mirrors. It never
says what a picture shows. The rule is Meta's: the paper "PDQ & TMK + PDQF" and the
C++ in github.com/facebook/ThreatExchange, folder ``pdq``; the names of the steps are
theirs. :func:`pdq_reference` says the rule plainly, :func:`pdq` computes it fast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.grid import GRID, Axis, Pixels, to_grid, window

DCT_SIDE = 16
"""Frequencies 1 to 16 of each axis are kept: 256 of them, one bit each."""
BOX_PASSES = 2
"""A box filter twice is a tent filter."""
MIN_SIDE_PIXELS = 5
"""A picture with a shorter side has no fingerprint: zero bits, quality 0."""
QUALITY_DIVISOR = 90
"""Meta's scale from the sum of gradients (in hundredths of full range) to 0..100."""
MAX_QUALITY = 100


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
        first, end = window(position, width)
        filtered[:, position] = picture[:, first:end].mean(axis=1)
    return filtered


# The fast way ----------------------------------------------------------------


def pdq(luma: Pixels, axes: tuple[Axis, Axis] | None = None) -> PDQ:
    """The same as :func:`pdq_reference`, in one pass over the pixels.

    ``luma`` is (H, W) in 0..255. ``axes`` (rows, columns) say what part of the full
    size its pixels cover, when a JPEG was decoded at reduced scale; without them the
    picture is whole. Raises ValueError when they do not belong together.
    """
    grid = _grid(luma, axes)
    if grid is None:
        return NO_PDQ
    return PDQ(_to_bits(_frequencies(grid)), _quality(grid))


def dihedral(luma: Pixels, axes: tuple[Axis, Axis] | None = None) -> tuple[PDQ, ...]:
    """PDQ of the eight turned and mirrored variants, arguments as in :func:`pdq`.

    In Meta's order: as it is, turned by 90, 180 and 270 degrees, flipped over the
    horizontal and the vertical axis, and over the two diagonals. A turn or flip of
    the picture is a transpose and sign flips of its frequencies.
    """
    grid = _grid(luma, axes)
    if grid is None:
        return (NO_PDQ,) * 8
    quality = _quality(grid)
    return tuple(PDQ(_to_bits(each), quality) for each in _turned(_frequencies(grid)))


def nearly_dihedral(bits: bytes) -> tuple[bytes, ...]:
    """The eight forms of a fingerprint whose picture is not at hand, 32 bytes each.

    In the order of :func:`dihedral`. The first and the seventh, a mere transpose, are
    exact. The others differ from the true ones by some bits (a test holds how many):
    where a sign changes, a bit says on which side of the median a frequency lies and
    not its opposite, and what is near zero can be on one side with both. So they find
    candidates, and do not say how far these are. See docs/decisions/0019.
    """
    above = np.unpackbits(np.frombuffer(bits, np.uint8))[::-1]
    forms = _turned(np.where(above, 1.0, -1.0).reshape(DCT_SIDE, DCT_SIDE))
    return tuple(_packed(each.ravel() > 0) for each in forms)


def _turned(b: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """(16, 16) frequencies as they are with the picture turned and mirrored."""
    # Index 0 is frequency 1, so an odd frequency, whose sign a flip changes, stands
    # at an even index.
    sign = np.where(np.arange(DCT_SIDE) % 2, 1.0, -1.0)
    rows, columns = sign[:, None], sign[None, :]
    return (
        b,
        (b * columns).T,
        b * rows * columns,
        (b * rows).T,
        b * rows,
        b * columns,
        b.T,
        (b * rows * columns).T,
    )


def _grid(luma: Pixels, axes: tuple[Axis, Axis] | None) -> NDArray[np.float64] | None:
    rows, columns = axes or (Axis(luma.shape[0]), Axis(luma.shape[1]))
    if min(rows.inside, columns.inside) < MIN_SIDE_PIXELS:
        return None
    return to_grid(luma, rows, columns)


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
    return _packed(flat > lower_median)


def _packed(above: NDArray[np.bool_]) -> bytes:
    return np.packbits(above[::-1]).tobytes()


def _quality(grid: NDArray[np.float64]) -> int:
    """How much there is to see: the gradients of the grid, small ones left out."""
    total = 0
    for axis in (0, 1):
        gradients = np.trunc(np.diff(grid, axis=axis) * 100 / 255)
        total += int(np.abs(gradients).sum())
    return min(MAX_QUALITY, total // QUALITY_DIVISOR)
