"""JPEG to luma at the smallest scale that is safe, which is what makes it fast.

At k/8 of full size and without colour, most of a large photograph is never made. Nearly
all that remains is reading the compressed stream, and of a common JPEG most of that is
stepped over (:mod:`holdfast.signals.jpeg_scan`); libjpeg-turbo reads every other one.
Everything else that hostile bytes may do is answered from the header, before it.
"""

from __future__ import annotations

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from holdfast.signals.colour import is_ordinary
from holdfast.signals.grid import EIGHTHS, Axis
from holdfast.signals.jpeg_baseline import read_baseline
from holdfast.signals.jpeg_header import JpegHeader, read_jpeg_header
from holdfast.signals.jpeg_scan import read_lowest
from holdfast.signals.luma import (
    Luma,
    check_size,
    rows_there,
    turn,
    turns_columns,
    turns_rows,
)
from holdfast.signals.refusal import MediaRefused, RefusalReason

MEDIA_TYPE = "image/jpeg"
MAX_JPEG_PIXELS = 120_000_000
"""Most pixels decoded, from the header: telephones write 108 megapixels. A progressive
JPEG takes up to 6 bytes for each (coefficients of three full planes) and 1 for luma."""
MAX_SCANNED_PIXELS = 1_500_000_000
"""Pixels times scans: a progressive picture may walk over itself without end, and an
ordinary one has about ten scans."""
MIN_SIDE_PIXELS = 256
"""A picture is decoded at reduced scale only while both sides stay this long. Beside
``pdqhash`` the fingerprint then drifts by 0.2 to 1 bits on average and by 4 at most,
on 26 photographs at each of eight sizes; with half as many pixels by 1.8 and 6."""
SLOW_EIGHTHS = 7
"""libjpeg-turbo has no vector code for 7/8: it takes three times as long as 8/8."""
STEPPING_EIGHTHS = 5
"""Up to this scale it is quicker to step over what is not needed than to decode it."""
MISSING_GREY = 128
"""What libjpeg fills in where the data ended."""


def decode_jpeg(data: bytes, min_side_pixels: int = MIN_SIDE_PIXELS) -> Luma | None:
    """Luma of a JPEG, both sides at least ``min_side_pixels`` where it has as many.

    None for what is left to Pillow: CMYK and YCCK, of which libjpeg makes no grey,
    what a colour profile shows otherwise than it is stored, and whatever
    libjpeg-turbo's short way does not take and its long way may, which browsers go
    (unusual sampling of colours, stray bytes between segments). Raises
    :class:`MediaRefused`.
    """
    header = read_jpeg_header(data)
    if not header.supported:
        raise MediaRefused(RefusalReason.UNSUPPORTED_FORMAT)
    check_size(header.width, header.height, MAX_JPEG_PIXELS)
    if header.width * header.height * header.scans > MAX_SCANNED_PIXELS:
        raise MediaRefused(RefusalReason.TOO_MANY_PIXELS, scans=header.scans)
    if not header.scans:
        raise MediaRefused(RefusalReason.TRUNCATED)
    if header.components not in (1, 3):
        return None
    if not is_ordinary(header.profile, header.mode):
        return None
    eighths = _scale(header, min_side_pixels)
    grey = _step_over(data, header, eighths)
    if grey is None:
        grey = _decode(data, header, eighths)
    if grey is None:
        return None
    height = header.height
    if (grey[-1] == MISSING_GREY).all() and _is_cut(data, header):
        grey = grey[rows_there(grey)]
        height = min(height, len(grey) * EIGHTHS // eighths)
    return _upright(grey, header, eighths, height)


def _step_over(
    data: bytes, header: JpegHeader, eighths: int
) -> NDArray[np.uint8] | None:
    """The quick way, for a whole picture of which little is needed."""
    if eighths > STEPPING_EIGHTHS or header.scans != 1 or not header.complete:
        return None
    picture = read_baseline(data)
    return None if picture is None else read_lowest(data, picture, eighths)


def _decode(data: bytes, header: JpegHeader, eighths: int) -> NDArray[np.uint8] | None:
    """What libjpeg-turbo makes of it; None for what its short way does not take."""
    shortest = Axis(min(header.width, header.height), eighths).pixels
    # At full size nothing is asked for: a side of 7 is 7 long at 7/8, too.
    least = shortest if eighths < EIGHTHS else 0
    try:
        # Not strict: damaged data inside a file is shown by browsers, so it is
        # fingerprinted too, rather than be a way round the fingerprint.
        grey: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            data, "GRAY", min_height=least, min_width=least, strict=False
        )[:, :, 0]
    except ValueError:
        return None
    if grey.shape != (Axis(header.height, eighths).pixels,
                      Axis(header.width, eighths).pixels):  # fmt: skip
        raise MediaRefused(RefusalReason.BROKEN, eighths=eighths)
    return grey


def _is_cut(data: bytes, header: JpegHeader) -> bool:
    """Whether the end is missing, or was written behind numbers that end too early."""
    if not header.complete:
        return True
    picture = read_baseline(data)
    return picture is not None and read_lowest(data, picture, 1) is None


def _scale(header: JpegHeader, min_side_pixels: int) -> int:
    """The smallest k of k/8 that keeps both sides long enough."""
    shortest = min(header.width, header.height)
    for eighths in range(1, SLOW_EIGHTHS):
        if Axis(shortest, eighths).pixels >= min_side_pixels:
            return eighths
    return EIGHTHS


def _upright(
    grey: NDArray[np.uint8], header: JpegHeader, eighths: int, height: int
) -> Luma:
    orientation, width = header.orientation, header.width
    if orientation >= 5:
        height, width = width, height
    return Luma(
        turn(grey, orientation),
        Axis(height, eighths, reversed=turns_rows(orientation)),
        Axis(width, eighths, reversed=turns_columns(orientation)),
        MEDIA_TYPE,
    )
