"""The pictures of a measurement: a folder's, else those that scikit-image ships.

What lies in a folder named ``unrelated`` is never edited, only compared with.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import skimage.data
from PIL import Image, ImageOps, UnidentifiedImageError

SKIMAGE = (
    "astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel",
    "hubble_deep_field", "immunohistochemistry", "moon", "page", "retina", "rocket",
    "text",
)  # fmt: skip
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
UNRELATED = "unrelated"
LONGEST_PIXELS = 1280
"""Pictures are made smaller than this first, as most sites do."""
SHORTEST_PIXELS = 200
"""Smaller ones are icons, and left out."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a picture is to be had; ``path`` is None for one of scikit-image's."""

    name: str
    path: Path | None = None

    def picture(self) -> Image.Image | None:
        """RGB and upright, at most LONGEST_PIXELS; None where it is no such picture."""
        if self.path is None:
            return _fit(Image.fromarray(getattr(skimage.data, self.name)()))
        try:
            with Image.open(io.BytesIO(self.path.read_bytes())) as picture:
                if min(picture.size) < SHORTEST_PIXELS:
                    return None
                return _fit(picture)
        except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
            return None


def sources(media: Path | None) -> tuple[list[Source], list[Source]]:
    """Those that may be edited, and those that are only compared with; by path."""
    if media is None:
        return [Source(name) for name in SKIMAGE], []
    found: tuple[list[Source], list[Source]] = [], []
    for path in sorted(media.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            name = path.relative_to(media).as_posix()
            found[is_unrelated(name)].append(Source(name, path))
    return found


def is_unrelated(name: str) -> bool:
    """Whether a source's name says that it lies in a folder of strangers."""
    return UNRELATED in PurePosixPath(name).parts[:-1]


def _fit(picture: Image.Image) -> Image.Image:
    upright = ImageOps.exif_transpose(picture).convert("RGB")
    upright.thumbnail((LONGEST_PIXELS, LONGEST_PIXELS), Image.Resampling.LANCZOS)
    # The pixels, and nothing lazily read from the file.
    return Image.fromarray(np.asarray(upright))
