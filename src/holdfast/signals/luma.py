"""What a decoder gives: the brightness of a picture as people see it.

The type that every decoder here returns, and the steps they share: the check of a
size before anything is decoded, and the turning of stored pixels upright. It never
decodes and never reads a file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.grid import Axis
from holdfast.signals.refusal import MediaRefused, RefusalReason

MAX_MISSING_SHARE = 0.1
"""How much of a picture may be missing at the end of a file that was cut for it to be
compared as a whole. Browsers show what is there, so cutting a file is no way round the
fingerprint; but an empty field looks like every other such field, so of what misses
more only the rows that are there are compared."""
MIN_SHOWN_SHARE = 0.1
"""What shows less of its rows than this is refused as truncated: little is seen."""


@dataclass(frozen=True, slots=True)
class Luma:
    """A decoded picture, or one frame of an animation, as people see it.

    ``pixels``: (H, W) uint8 luma, 0..255. ``rows`` and ``columns`` say how these cover
    the full size. ``at_ms``: when in the animation the frame is shown, None for a
    still. ``lasts_ms``: for how long. ``others``: the same pixels as they are seen on
    other grounds or by viewers that pass over a colour profile, each made when it is
    called for, which is before the next frame is.
    """

    pixels: NDArray[np.uint8]
    rows: Axis
    columns: Axis
    media_type: str
    at_ms: int | None = None
    lasts_ms: int = 0
    others: tuple[Callable[[], NDArray[np.uint8]], ...] = ()

    @property
    def width(self) -> int:
        """Full size in pixels, after orientation."""
        return self.columns.length

    @property
    def height(self) -> int:
        """Full size in pixels, after orientation."""
        return self.rows.length

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """Rows and columns, as :func:`holdfast.signals.pdq.pdq` takes them."""
        return self.rows, self.columns


def check_size(width: int, height: int, most_pixels: int) -> None:
    """Raises :class:`MediaRefused` for no pixels (broken) or too many."""
    if width < 1 or height < 1:
        raise MediaRefused(RefusalReason.BROKEN, width=width, height=height)
    if width * height > most_pixels:
        raise MediaRefused(RefusalReason.TOO_MANY_PIXELS, width=width, height=height)


def rows_there(pixels: NDArray[np.uint8], *, upwards: bool = False) -> slice:
    """Which rows of a picture that was cut are to be looked at, as it is stored.

    ``pixels``: with what is missing filled in one brightness, at the end, or at the
    beginning of what is stored ``upwards``. Raises :class:`MediaRefused` (truncated)
    where too little is there.
    """
    stored = pixels[::-1] if upwards else pixels
    seen = np.flatnonzero((stored != stored[-1, -1]).any(axis=1))
    height, there = len(pixels), int(seen[-1]) + 1 if len(seen) else 0
    if there >= (1 - MAX_MISSING_SHARE) * height:
        return slice(0, height)
    if there < MIN_SHOWN_SHARE * height:
        raise MediaRefused(RefusalReason.TRUNCATED, rows=there, of=height)
    return slice(height - there, height) if upwards else slice(0, there)


def turn(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turn stored pixels upright. The eight cases are EXIF 2.3, tag 0x0112."""
    if orientation >= 5:
        pixels = pixels.T
    if turns_columns(orientation):
        pixels = pixels[:, ::-1]
    if turns_rows(orientation):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def turns_columns(orientation: int) -> bool:
    """Whether what is stored last along the upright picture's width comes first."""
    return orientation in (2, 3, 6, 7)


def turns_rows(orientation: int) -> bool:
    """The same for its height."""
    return orientation in (3, 4, 7, 8)
