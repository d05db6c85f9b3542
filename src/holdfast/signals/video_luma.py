"""One decoded video frame to luma as people see it, without going through RGB.

The Y plane is luma already. It is stretched from the studio range (16 to 235, ITU-R
BT.601 and BT.709) to 0..255 where the frame is of that range, cut to eight bits, and
turned as the frame's display matrix says. BT.709 and BT.2020 weigh the colours a little
differently from BT.601, which PDQ names; measured against hashes made through RGB the
difference is a few bits. What is not planar YUV goes through FFmpeg's own conversion.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.kernels import kernel

FULL_RANGE = 2
"""FFmpeg's AVCOL_RANGE_JPEG. Everything else, also what is not said, is studio range:
the default of every video standard, and of players."""
_BLACK, _WHITE = 16, 235
_STEPS_BITS = 15
_STEP = np.int32(round((255 << _STEPS_BITS) / (_WHITE - _BLACK)))
_START = np.int32(_BLACK * _STEP - (1 << (_STEPS_BITS - 1)))
"""The stretch in whole numbers, which compile to vectors and round as the plain sum
does at every level; a table looked up for each pixel takes four times as long."""
_TOP_BITS = ("p010", "p012", "p016", "p210", "p212", "p216", "p410", "p412", "p416")
"""Formats that keep fewer than 16 bits at the top of 16."""
_PLANAR = ("yuv4", "yuvj4", "yuva4", "nv12", "nv16", "nv21", "nv24", "nv42")
_GREY = ("gray", "gray10le", "gray12le")
"""FFmpeg's names, or their beginnings, where the first plane is luma alone."""


def luma_as_seen(frame: Any) -> NDArray[np.uint8]:
    """(H, W) uint8 luma, 0..255, of a PyAV frame, turned and mirrored upright."""
    if _has_luma_plane(frame.format):
        luma = _luma_plane(frame)
        is_full = frame.color_range == FULL_RANGE or "yuvj" in frame.format.name
        if not is_full:
            return stretched(_turned(luma, frame))
    else:
        luma = _rows(frame.reformat(format="gray", dst_color_range="JPEG"), np.uint8)
    # A copy: the frame's memory goes back to the decoder.
    return _turned(luma, frame).copy(order="C")


@kernel
def stretched(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``luma`` (H, W) from the studio range to 0..255, clipped, in new memory."""
    wide = np.empty(luma.shape, np.uint8)
    for row in range(luma.shape[0]):
        for column in range(luma.shape[1]):
            level = (np.int32(luma[row, column]) * _STEP - _START) >> _STEPS_BITS
            wide[row, column] = max(0, min(255, int(level)))
    return wide


def stretched_reference(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same as :func:`stretched`, said plainly."""
    levels = np.round((luma.astype(np.float64) - _BLACK) * 255 / (_WHITE - _BLACK))
    return np.clip(levels, 0, 255).astype(np.uint8)


def _has_luma_plane(format_: Any) -> bool:
    name: str = format_.name
    return name in _GREY or name.startswith((*_PLANAR, *_TOP_BITS))


def _luma_plane(frame: Any) -> NDArray[np.uint8]:
    bits = frame.format.components[0].bits
    if bits == 8:
        return _rows(frame, np.uint8)
    wide = _rows(frame, ">u2" if frame.format.is_big_endian else "<u2")
    shift = 8 if frame.format.name.startswith(_TOP_BITS) else bits - 8
    return (wide >> shift).astype(np.uint8)


def _rows(frame: Any, dtype: Any) -> NDArray[Any]:
    """The first plane, without the padding that ends its lines."""
    plane = frame.planes[0]
    size = np.dtype(dtype).itemsize
    flat = np.frombuffer(plane, np.uint8, count=plane.line_size * frame.height)
    lines = flat.reshape(frame.height, plane.line_size)[:, : frame.width * size]
    return lines.view(dtype)


def _turned(luma: NDArray[np.uint8], frame: Any) -> NDArray[np.uint8]:
    """Upright, by quarter turns and mirrors; an odd angle goes to the nearest.

    The matrix (ISO 14496-12, 8.3.2) maps x, y to a x + c y, b x + d y.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None or len(bytes(matrix)) != 36:
        return luma
    a, b, _, c, d = (int(v) for v in np.frombuffer(bytes(matrix), "=i4")[:5])
    if abs(b) + abs(c) > abs(a) + abs(d):
        luma, a, d = luma.T, c, b
    if a < 0:
        luma = luma[:, ::-1]
    if d < 0:
        luma = luma[::-1]
    return luma
