"""OpenCV, where it is installed: the extra ``holdfast[features]``.

One place that imports it, so that everything else can be imported without. What it is
given and gives back is not typed: its own stubs say that nothing is ever None.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import Any

cv2: Any = None
"""The module, or None where the extra is not installed."""

with suppress(ImportError):
    cv2 = import_module("cv2")
