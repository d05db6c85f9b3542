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

import pillow_heif
from PIL import Image, ImageFilter

from holdfast.base.by import By, Permission
from holdfast.base.errors import InvalidInput, NotFound
from holdfast.evidence.models import Preservation
from holdfast.fingerprints.sources import media_bytes
from holdfast.items.models import Media
from holdfast.review.queries import open_reveal
from holdfast.signals.media import MEDIA_TYPES, decode_luma, sniff
from holdfast.signals.refusal import MediaRefused, RefusalReason
from holdfast.signals.video_kind import PREFIX_BYTES, VideoKind, sniff_video
from holdfast.vault.queries import open_blob

PREVIEW_SIDE_PIXELS = 24
"""The longer side of a preview: light and dark are left, and a face that fills the
picture is not. Looked at with portraits."""
PREVIEW_BLUR_PIXELS = 1.5  # the Gaussian's standard deviation, in preview pixels.
PREVIEW_QUALITY = 60  # of the JPEG.
PREVIEWS_KEPT = 2048
"""Previews that one process keeps in memory, of well under 1 kB each."""


PLAYED = {
    VideoKind.MP4: "video/mp4",
    VideoKind.QUICKTIME: "video/mp4",
    VideoKind.THREE_GP: "video/mp4",
    VideoKind.WEBM: "video/webm",
    VideoKind.MATROSKA: "video/webm",
    VideoKind.OGG: "video/ogg",
}
"""The films that browsers play, and as what."""
REDRAWN = frozenset({"TIFF", "HEIC"})
"""Pictures that browsers do not draw: the same pixels in a format without loss."""


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
    film = sniff_video(data[:PREFIX_BYTES])
    if film is not None:
        if film not in PLAYED:
            raise MediaRefused(RefusalReason.UNSUPPORTED_FORMAT)
        return Original(data, PLAYED[film])
    kind = sniff(data)
    if kind in REDRAWN:
        return Original(_as_png(data, kind), MEDIA_TYPES["PNG"])
    return Original(data, MEDIA_TYPES[kind])


def _as_png(data: bytes, kind: str) -> bytes:
    # Decoded once before, because that refuses bombs and broken files.
    decode_luma(data)
    out = io.BytesIO()
    if kind == "HEIC":
        file = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
        file.to_pillow().convert("RGB").save(out, "PNG")
        return out.getvalue()
    with Image.open(io.BytesIO(data), formats=[kind]) as picture:
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
