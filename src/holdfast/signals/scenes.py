"""Whether two pictures that PDQ takes for copies are two shots of one scene.

PDQ sees the broad light of a picture, and of the next photograph of a series that is
often the same within 31 bits. The two thumbnails laid over each other tell more: in
another shot somebody has moved, near things have moved against far ones, or the light
comes from elsewhere. An edit does none of that. Here speaks only what is seen for
certain: where the pixels do not say, PDQ's word stands.

It never says that two pictures are copies, and needs no points: how the one lies on the
other is known from PDQ, whole on whole or what is inside a border. The limits were
chosen on photographs set apart for it, and are measured on others by ``holdfast bench
edits``.
"""

from __future__ import annotations

import numpy as np

from holdfast.signals.alignment import MAX_MOVED, MAX_OUTSIDE_AGREEING, MIN_TONE
from holdfast.signals.features import Pixels
from holdfast.signals.grid import Axis
from holdfast.signals.laying import Affine, Laid, inverse, lay
from holdfast.signals.luma import Luma
from holdfast.signals.overlap import Overlap, compare, glance
from holdfast.signals.trim import find_inside

DOUBTED_FROM_BITS = 6
"""PDQ distance from which copies are looked at like this. Files that were written anew
are 0 to 4 bits apart; of near-duplicates none was nearer than 6."""
MIN_TOGETHER_PIXELS, MIN_DRIFTED_SHARE = 3.0, 0.08
"""So far do neighbouring points stand elsewhere, all alike, and so many points do."""
MIN_CHANGED = 0.1
"""Share of blocks that show one thing here and another there."""
MIN_OUTSIDE = 200
"""So many blocks beside what is shared, some of which agree all the same: nothing was
laid round the picture, but a large part of it shows something else."""
MIN_TONE_LEVELS = 11.0
"""Grey levels that no tone curve explains: the light falls otherwise."""

PLAINLY_SHARP, PLAIN_TONE_LEVELS = 0.93, 8.0
"""Share of textured blocks that correlate well, from which two are plainly the same in
one light. Of other shots none had more than 0.83 but those in another light."""


def is_another_shot(
    query: Pixels, stored: Pixels, *, quarters: int, mirrored: bool, trimmed: bool
) -> bool:
    """Whether ``stored`` surely is another shot of what ``query`` shows.

    Both are (H, W) uint8 thumbnails. Mirrored (left and right change places) where
    ``mirrored``, and then turned counter-clockwise by ``quarters``, the query is as the
    stored one. ``trimmed``: borders are left out. Raises ImportError without OpenCV.
    """
    query = np.rot90(query[:, ::-1] if mirrored else query, quarters)
    if trimmed:
        query, stored = _inside(query), _inside(stored)
    query = np.ascontiguousarray(query)
    to_query = _whole_on_whole(query, stored)
    laid = lay(query, stored, inverse(to_query))
    if laid is None or _is_plainly_the_same(laid):
        return False
    seen = compare(query, stored, to_query)
    return seen is not None and _speaks_against(seen)


def _is_plainly_the_same(laid: Laid) -> bool:
    """Corner on corner, as most copies lie: then nothing needs to be followed."""
    sharp, tone, tone_levels = glance(laid)
    one_light = tone >= MIN_TONE or tone_levels <= PLAIN_TONE_LEVELS
    return sharp >= PLAINLY_SHARP and one_light


def _speaks_against(seen: Overlap) -> bool:
    drifted = seen.drifted_points >= MIN_DRIFTED_SHARE * max(1, seen.still_points)
    return (
        seen.moved > MAX_MOVED
        or (seen.drifted_together > MIN_TOGETHER_PIXELS and drifted)
        or seen.changed > MIN_CHANGED
        or (
            seen.outside >= MIN_OUTSIDE and seen.outside_agreeing > MAX_OUTSIDE_AGREEING
        )
        or (seen.tone < MIN_TONE and seen.tone_levels > MIN_TONE_LEVELS)
    )


def _whole_on_whole(query: Pixels, stored: Pixels) -> Affine:
    """Takes the pixels of the stored one to the query's, corner to corner."""
    down, across = (a / b for a, b in zip(query.shape, stored.shape, strict=True))
    return np.array(
        [[across, 0, across / 2 - 0.5], [0, down, down / 2 - 0.5]], np.float64
    )


def _inside(picture: Pixels) -> Pixels:
    """What is inside a border, if there is any."""
    height, width = picture.shape
    whole = Luma(picture, Axis(height), Axis(width), media_type="")
    inside = find_inside(whole)
    if inside is None:
        return picture
    rows, columns = inside
    return np.ascontiguousarray(
        picture[rows.start : rows.end, columns.start : columns.end]
    )
