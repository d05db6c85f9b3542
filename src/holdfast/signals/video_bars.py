"""Bars that stay where they are over several frames of a video, and those of one frame.

Whoever re-uploads a film often puts it between bars, and then no frame resembles the
original's. A bar is told from the film by time: a dark sky moves, a bar does not. So
the brightest and the darkest that each pixel gets are looked at as two pictures, and
what is a plain border in both, by the rule for stills (:mod:`.trim`), is a bar. A film
put together from several formats has other bars in each part, and a still may be shown
in it for a second: so each frame is also looked at as a still is, by itself.

What is inside is a view beside the whole frame, never instead of it. A bar in which a
caption appears is not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.grid import Axis
from holdfast.signals.luma import Luma
from holdfast.signals.trim import LEVEL_TOLERANCE, MIN_CUT_SHARE, find_inside

Inside = tuple[Axis, Axis]
"""Rows and columns of what is inside the bars."""


def find_inside_bars(frames: Sequence[NDArray[np.uint8]]) -> Inside | None:
    """Rows and columns of what is inside the bars of frames of one size, (H, W) uint8.

    As :func:`holdfast.signals.pdq.pdq` takes them; None where there are no bars.
    """
    extremes = reduce(np.maximum, frames), reduce(np.minimum, frames)
    # A film that is black somewhere at every place says nothing by its darkest.
    telling = [each for each in extremes if np.ptp(each) > 2 * LEVEL_TOLERANCE]
    found = [_inside(each) for each in telling]
    insides = [axes for axes in found if axes is not None]
    if not insides or len(insides) < len(found):
        return None
    rows, columns = zip(*insides, strict=True)
    return _widest(rows), _widest(columns)


def insides_of(frame: NDArray[np.uint8], shared: Inside | None) -> list[Inside]:
    """What is inside the bars of a frame's stretch, and inside its own where others.

    ``shared``: what :func:`find_inside_bars` found for its stretch. At most two.
    """
    own = _inside(frame)
    found = [] if shared is None else [shared]
    if own is not None and (shared is None or _differ(own, shared)):
        found.append(own)
    return found


def _differ(one: Inside, other: Inside) -> bool:
    """By as much as a border must have to be one."""
    return any(
        max(abs(a.start - b.start), abs(a.inside - b.inside))
        >= MIN_CUT_SHARE * a.length
        for a, b in zip(one, other, strict=True)
    )


def _inside(pixels: NDArray[np.uint8]) -> Inside | None:
    height, width = pixels.shape
    return find_inside(Luma(pixels, Axis(height), Axis(width), media_type=""))


def _widest(axes: Sequence[Axis]) -> Axis:
    start = min(axis.start for axis in axes)
    end = max(axis.start + axis.inside for axis in axes)
    return replace(axes[0], start=start, end=end)
