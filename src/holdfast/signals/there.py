"""What of a frame is there, where its pixels end before its sides do.

Browsers show the rows that are there, so whoever cuts a file on purpose, or has a frame
say that it ends, must not have it go uncompared. What is missing is filled with one
colour for the decoder; here that is left out again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.luma import MAX_MISSING_SHARE, MIN_SHOWN_SHARE
from holdfast.signals.refusal import MediaRefused, RefusalReason


class Part(NamedTuple):
    """A frame on its canvas, in pixels, and how much of it is there.

    ``rows``: how many from its top. ``steps``: of an interlaced one, every which row
    and column is there; then ``rows`` is all of them, or 0 where there is no pass.
    """

    left: int
    top: int
    width: int
    height: int
    rows: int
    steps: tuple[int, int] = (1, 1)

    def shown(self, canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What of the canvas is looked at while this frame is the last one on it.

        Raises :class:`MediaRefused` (truncated) where that is too little.
        """
        if self.steps != (1, 1):
            canvas = canvas.copy()
            below = canvas[self.top :, self.left :]
            frame = below[: self.height, : self.width]
            frame[:] = _spread(frame, *self.steps)
        missing, end = self.height - self.rows, self.top + self.rows
        if missing <= MAX_MISSING_SHARE * len(canvas):
            return canvas
        if end < MIN_SHOWN_SHARE * len(canvas):
            raise MediaRefused(RefusalReason.TRUNCATED, rows=end, of=len(canvas))
        return canvas[:end]


def _spread(pixels: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Every which row and column, each shown in place of those that are not there."""
    height, width = pixels.shape
    kept = pixels[::rows, ::columns]
    return kept.repeat(rows, axis=0).repeat(columns, axis=1)[:height, :width]
