"""Having every kernel ready before somebody waits for it.

Machine code is made when a kernel is first called and kept between processes, see
``kernels``: seconds the first time on a machine, under one second for each process
after that. Servers spend them before they answer.
"""

from __future__ import annotations

import numpy as np

from holdfast.signals.grid import Axis
from holdfast.signals.multi_index import load_kernels
from holdfast.signals.pdq import dihedral

_SIDE_PIXELS = 96
"""Any picture larger than PDQ's own grid will do."""


def warm() -> None:
    """Load, or compile, what fingerprinting and searching call."""
    axis = Axis(_SIDE_PIXELS)
    dihedral(np.zeros((_SIDE_PIXELS, _SIDE_PIXELS), np.uint8), (axis, axis))
    load_kernels()
