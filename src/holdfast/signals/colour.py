"""What a colour profile makes of a picture: the numbers that a browser shows.

A profile can turn any picture into its negative, and back. So the numbers of a picture
as they are stored count only where its profile is an ordinary one, by which peers that
pass over profiles stay comparable; everything else is converted to sRGB by Little CMS,
which sees no profile but one of our own writing (:mod:`holdfast.signals.icc`). It never
decodes.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from holdfast.signals import icc
from holdfast.signals.refusal import MediaRefused, RefusalReason

MAX_PROFILE_BYTES = 1 << 24
"""As much as a JPEG can hold, in 255 segments. Those of presses take up to three
megabytes. A picture with a larger one is refused: a browser may show it by that."""
SAME_LEVELS = 4
"""Grey levels (of 255) by which a profile may differ from an ordinary one to count as
that: makers round their curves and colours differently."""
MAX_VERDICTS = 4096
"""Profiles of which it is remembered whether they are ordinary; then it begins anew."""
ORDINARY: tuple[tuple[tuple[tuple[float, float], ...], tuple[float, ...]], ...] = (
    (icc.SRGB, icc.SRGB_CURVE),
    (icc.SRGB, (2.2,)),
    # Display P3 (SMPTE EG 432-1 with the curve of sRGB).
    (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), icc.SRGB_CURVE),
    # Adobe RGB (1998), section 4.3.
    (((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), (563 / 256,)),
)
"""Primaries and curve of profiles that leave a picture's numbers as they are. Over 26
photographs they move PDQ by at most 12 bits, and by 4.4 on average; ProPhoto, Rec. 2020
and a gamma of 1.8 by up to 14 to 38, so these are converted."""


@dataclass(frozen=True, slots=True)
class Shown:
    """From pixels of ``mode``, as stored, to those that a browser shows."""

    mode: str
    transform: ImageCms.ImageCmsTransform

    def __call__(self, picture: Image.Image) -> Image.Image:
        """The same picture in mode RGB."""
        return self.transform.apply(picture.convert(self.mode))


def is_ordinary(profile: bytes | None, mode: str) -> bool:
    """Whether pixels of ``mode`` (L, RGB or CMYK) are taken as they are stored.

    Raises :class:`MediaRefused` for a profile that is too large or cannot be used.
    """
    if profile is None:
        return True
    key = hashlib.sha256(mode.encode() + profile).digest()
    verdict = _verdicts.get(key)
    if verdict is None:
        if len(_verdicts) >= MAX_VERDICTS:
            _verdicts.clear()
        verdict = _verdicts[key] = _judge(profile, mode)
    return verdict


_verdicts: dict[bytes, bool] = {}


def is_too_large(profile: bytes) -> bool:
    """Whether it is one, and says itself that it is larger than is read."""
    said = int.from_bytes(profile[:4])
    return min(said, len(profile)) > MAX_PROFILE_BYTES and profile[36:40] == b"acsp"


def shown(profile: bytes | None, mode: str) -> Shown | None:
    """How pixels of ``mode`` are shown; None for as they are stored.

    Raises as :func:`is_ordinary` does.
    """
    if profile is None or is_ordinary(profile, mode):
        return None
    believed = icc.believed(profile)
    return None if believed is None else _shown(believed)


def _judge(profile: bytes, mode: str) -> bool:
    if is_too_large(profile):
        raise MediaRefused(RefusalReason.UNSUPPORTED_FORMAT, profile_bytes=len(profile))
    believed = icc.believed(profile)
    # A grey picture may have a profile of three colours, but not the other way round.
    if believed is None or icc.MODES[believed[16:20]] not in (
        mode,
        "RGB" if mode == "L" else mode,
    ):
        return True
    how = _shown(believed)
    # A table can be ordinary wherever one looks, and anything in between.
    if how.mode == "CMYK" or icc.has_table(believed):
        return False
    seen = _samples(how)
    return any(
        np.abs(seen - each[: len(seen)]).max() <= SAME_LEVELS for each in _ordinary()
    )


@cache
def _ordinary() -> tuple[NDArray[np.int16], ...]:
    profiles = (icc.of_primaries(*each) for each in ORDINARY)
    return tuple(_samples(_shown(each)) for each in profiles if each is not None)


def _samples(how: Shown) -> NDArray[np.int16]:
    """Luma, as it is shown, of each grey, and of a profile of three colours also of
    each level of every colour alone and of every two: by their curves and primaries it
    can then be nothing else elsewhere."""
    mixed = [(1, 1, 1)]
    if how.mode == "RGB":
        mixed += [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1)]
    levels = np.arange(256)
    pixels = np.multiply.outer(np.array(mixed), levels).transpose(0, 2, 1)
    picture = Image.fromarray(np.ascontiguousarray(pixels.astype(np.uint8)))
    return np.asarray(how(picture).convert("L")).astype(np.int16)


def _shown(believed: bytes) -> Shown:
    mode = icc.MODES[believed[16:20]]
    try:
        transform = ImageCms.buildTransform(
            io.BytesIO(believed),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
        )
    except ImageCms.PyCMSError as error:
        raise MediaRefused(RefusalReason.UNSUPPORTED_FORMAT, profile="table") from error
    return Shown(mode, transform)
