"""Having every kernel ready before somebody waits for it.

Machine code is made when a kernel is first called and kept between processes, see
``kernels``: seconds the first time on a machine, under one second for each process
after that. Servers spend them before they answer.
"""

from __future__ import annotations

import numpy as np
import simplejpeg

from holdfast.signals.lzw import FIRST_BITS, reach
from holdfast.signals.media import decode_luma
from holdfast.signals.multi_index import load_kernels
from holdfast.signals.opencv import cv2
from holdfast.signals.pdq import dihedral
from holdfast.signals.scenes import is_another_shot

_SIDE_PIXELS = 1024
"""A JPEG of this size is decoded smaller."""


def warm() -> None:
    """Load, or compile, what fingerprinting, searching and looking call."""
    blank = np.zeros((_SIDE_PIXELS, _SIDE_PIXELS, 1), np.uint8)
    luma = decode_luma(simplejpeg.encode_jpeg(blank, colorspace="GRAY"))
    dihedral(luma.pixels, luma.axes)
    reach(b"", FIRST_BITS[0], 1)
    load_kernels()
    if cv2 is not None:
        # Two pictures that have nothing in common are looked at to the end.
        one, other = np.random.default_rng(1).integers(0, 256, (2, 256, 256), np.uint8)
        is_another_shot(one, other, quarters=0, mirrored=False, trimmed=False)
