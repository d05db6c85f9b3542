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
from holdfast.signals.pdq import dihedral

_SIDE_PIXELS = 1024
"""A JPEG of this size is decoded smaller."""


def warm() -> None:
    """Load, or compile, what fingerprinting and searching call."""
    blank = np.zeros((_SIDE_PIXELS, _SIDE_PIXELS, 1), np.uint8)
    luma = decode_luma(simplejpeg.encode_jpeg(blank, colorspace="GRAY"))
    dihedral(luma.pixels, luma.axes)
    reach(b"", FIRST_BITS[0], 1)
    load_kernels()
