"""The bytes of an original: who may have them, and how little of them serves.

An original is handed out for a reveal and for nothing else: the row that says who
opened it, and why, is there before the first byte. Everybody else gets a preview, made
here: some twenty grey, blurred pixels, from which nobody can tell what is shown.
Promise 8: fewest eyes.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from PIL import Image, ImageFilter

from holdfast.base.by import By, Permission
from holdfast.base.errors import InvalidInput, NotFound
from holdfast.evidence.models import Preservation
from holdfast.fingerprints.operations import media_bytes
from holdfast.items.models import Media
from holdfast.review.queries import open_reveal
from holdfast.signals.media import MEDIA_TYPES, decode_luma, sniff
from holdfast.signals.refusal import MediaRefused, RefusalReason
from holdfast.vault.queries import open_blob

PREVIEW_SIDE_PIXELS = 24
"""The longer side of a preview: light and dark are left, and a face that fills the
picture is not. Looked at with portraits."""
PREVIEW_BLUR_PIXELS = 1.5  # the Gaussian's standard deviation, in preview pixels.
PREVIEW_QUALITY = 60  # of the JPEG.
PREVIEWS_KEPT = 2048
"""Previews that one process keeps in memory, of well under 1 kB each."""


FILMS = {b"\x1a\x45\xdf\xa3": "video/webm", b"OggS": "video/ogg"}
"""What films that browsers play begin with (Matroska's EBML header; RFC 3533)."""
MP4_BOX = b"ftyp"
"""At byte 4 of an ISO base media file (ISO/IEC 14496-12, section 4.3)."""


@dataclass(frozen=True)
class Original:
    """What a reveal shows, as a browser can draw it."""

    data: bytes
    media_type: str


def opened_original(reveal_id: UUID, *, by: By) -> Original:
    """The original that a reveal of the same person opened, while that is fresh.

    Raises ``NotAllowed`` for anybody else's reveal or an old one, ``InvalidInput`` when
    words were opened, ``MediaRefused`` for what no browser draws, and ``Unavailable``
    when the platform has it and does not answer.
    """
    grant = open_reveal(reveal_id, by)
    if grant.media_id is None:
        raise InvalidInput("This reveal opened words, and no picture.")
    return drawable(_bytes_of(grant.media_id))


def drawable(data: bytes) -> Original:
    """A picture or a film as a browser draws it; what it is, is told from the bytes.

    So a page or a script that was uploaded as a picture is never handed to a browser.
    Raises ``MediaRefused``.
    """
    for beginning, media_type in FILMS.items():
        if data.startswith(beginning):
            return Original(data, media_type)
    try:
        kind = sniff(data)
    except MediaRefused as refused:
        is_mp4 = data[4:8] == MP4_BOX
        if is_mp4 and refused.reason is RefusalReason.NOT_A_PICTURE:
            return Original(data, "video/mp4")
        raise
    if kind == "TIFF":
        # Browsers draw no TIFF: the same pixels, in a format without loss.
        return Original(_as_png(data), MEDIA_TYPES["PNG"])
    return Original(data, MEDIA_TYPES[kind])


def _as_png(data: bytes) -> bytes:
    # Decoded once before, because that refuses bombs and broken files.
    decode_luma(data)
    out = io.BytesIO()
    with Image.open(io.BytesIO(data), formats=["TIFF"]) as picture:
        picture.convert("RGB").save(out, "PNG")
    return out.getvalue()


def preview(media_id: UUID, *, by: By) -> bytes:
    """A JPEG that shows where a picture stands and not what it shows.

    Only of media in a case. Raises ``NotFound``, ``MediaRefused`` for what is no
    picture, and ``Unavailable``.
    """
    by.require(Permission.CASE_READ)
    if not Media.objects.filter(id=media_id, item__place__isnull=False).exists():
        raise NotFound("There is no such picture in a case.", media=media_id)
    return _preview(media_id)


def blurred(data: bytes) -> bytes:
    """The preview of a picture's bytes. Raises ``MediaRefused``."""
    grey = Image.fromarray(decode_luma(data).pixels)
    grey.thumbnail((PREVIEW_SIDE_PIXELS, PREVIEW_SIDE_PIXELS))
    soft = grey.filter(ImageFilter.GaussianBlur(PREVIEW_BLUR_PIXELS))
    out = io.BytesIO()
    # A new file from pixels alone: no thumbnail inside, no place, no camera.
    soft.save(out, "JPEG", quality=PREVIEW_QUALITY)
    return out.getvalue()


@lru_cache(maxsize=PREVIEWS_KEPT)
def _preview(media_id: UUID) -> bytes:
    return blurred(_bytes_of(media_id))


def _bytes_of(media_id: UUID) -> bytes:
    """From the vault when it is sealed; else as uploaded, or from the platform."""
    sealed = (
        Preservation.objects.filter(media=media_id).order_by("preserved_at").first()
    )
    if sealed is not None:
        return open_blob(sealed.sealed_blob_id)
    media = Media.objects.select_related("item__platform").get(id=media_id)
    return media_bytes(media)
