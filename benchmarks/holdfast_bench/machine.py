"""What a measurement ran on, told the same way by every one of them."""

from __future__ import annotations

import platform
from pathlib import Path


def processor() -> str:
    """Its name as the kernel tells it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
