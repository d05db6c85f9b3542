"""A picture's signals: everything by which its copies are found.

One call from the bytes of a file to its digest and its fingerprint. It never decides
whether two pictures are the same: that is matching, by the two thresholds here.
"""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.signals.digest import digest_bytes
from holdfast.signals.media import decode_luma
from holdfast.signals.pdq import PDQ, pdq

MATCH_DISTANCE_BITS = 31
"""At most this many of 256 bits differ between copies. Meta's recommendation for PDQ
("PDQ & TMK + PDQF", and the default of python-threatexchange)."""
MIN_QUALITY = 50
"""A fingerprint below it says too little to compare: Meta discards quality <= 49.
Such a picture matches by digest alone."""


@dataclass(frozen=True, slots=True)
class PictureSignals:
    """``sha256`` of the file as it came (32 bytes), fingerprint, and what it is.

    ``width`` and ``height`` are in pixels as people see the picture.
    """

    sha256: bytes
    pdq: PDQ
    width: int
    height: int
    media_type: str

    @property
    def is_comparable(self) -> bool:
        """Whether the fingerprint may be compared; if not, only the digest may."""
        return self.pdq.quality >= MIN_QUALITY


def sign_picture(data: bytes) -> PictureSignals:
    """Digest and fingerprint of a picture file.

    Raises :class:`~holdfast.signals.refusal.MediaRefused` when it cannot be decoded;
    its digest can still be had from :func:`holdfast.signals.digest.digest_bytes`.
    """
    luma = decode_luma(data)
    fingerprint = pdq(
        luma.pixels, full_size=(luma.height, luma.width), eighths=luma.eighths
    )
    return PictureSignals(
        sha256=digest_bytes(data).sha256,
        pdq=fingerprint,
        width=luma.width,
        height=luma.height,
        media_type=luma.media_type,
    )
