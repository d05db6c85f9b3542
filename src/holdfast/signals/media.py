"""Hostile bytes to luma: the only door through which a picture is decoded.

Whoever uploads wants the decoder to fail, to eat the machine's memory, or to see
another picture than people do. So: the kind is told from the bytes, never from a
name; headers are read and bombs refused before any pixel exists; every failure is a
:class:`MediaRefused` with a named reason; and what is decoded is what people see.

- Orientation (EXIF) is applied, since sites that re-encode apply it too. Meta's tools
  do not, and a hash they made of a turned photograph is found by ``pdq.dihedral``.
- Transparency is laid over white, as most viewers do. python-threatexchange drops the
  alpha channel, which lets a picture hide in it: the colours beneath are free to be
  anything. The two agree on every opaque picture.
- Of an animation the first frame is taken and no other is decoded.

Memory: at most about 1 GB above the file itself. A picture of MAX_PIXELS needs up to
20 bytes a pixel (an animated WebP's two canvases, the frame, its planes); a JPEG of
MAX_JPEG_PIXELS up to 7 (progressive coefficients and the luma).
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image
from PIL.ExifTags import Base
from PIL.TiffImagePlugin import TiffImageFile

from holdfast.signals.jpeg_header import JpegHeader, read_jpeg_header
from holdfast.signals.pdq import EIGHTHS, reduced_length
from holdfast.signals.refusal import MediaRefused, RefusalReason

__all__ = ["Luma", "MediaRefused", "RefusalReason", "decode_luma", "sniff"]

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Larger files are refused unread. Photographs of 100 megapixels are about 40 MB."""
MAX_PIXELS = 50_000_000
"""Most pixels decoded, from the header; see the memory bound above."""
MAX_JPEG_PIXELS = 120_000_000
"""The same for ordinary JPEG, which telephones write with 108 megapixels and which
needs less memory a pixel."""
MAX_SCANNED_PIXELS = 1_500_000_000
"""Pixels times scans of a JPEG: a progressive one may walk over itself without end,
and an ordinary one has about ten scans."""
MIN_REDUCED_SIDE_PIXELS = 512
"""A JPEG is decoded at reduced scale only while both sides stay this long. PDQ is
measured safe down to 256; the margin is for small detail."""

# Keys are Pillow's names of formats, which also restrict what Pillow may try.
MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
}
_BEGINNINGS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
)
_PICTURES_NOT_DECODED = (
    b"\xff\x0a",  # JPEG XL, bare
    b"\0\0\0\x0cJXL ",  # JPEG XL in its container
    b"\0\0\0\x0cjP  ",  # JPEG 2000
    b"\xff\x4f\xff\x51",  # JPEG 2000, bare
    b"8BPS",  # Photoshop
    b"\0\0\1\0",  # Windows icon
    b"II+\0",  # BigTIFF
    b"MM\0+",
)
_HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"}
)
_TIFF_TILE_WIDTH, _TIFF_TILE_LENGTH = 322, 323


@dataclass(frozen=True, slots=True)
class Luma:
    """A decoded picture as people see it.

    ``pixels``: (H, W) uint8 luma, 0..255, at ``eighths``/8 of full size (rounded up).
    ``width`` and ``height``: full size in pixels, after orientation.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    eighths: int
    media_type: str


def sniff(data: bytes) -> str:
    """Pillow's name of the format, told from the first bytes.

    Raises :class:`MediaRefused`: not_a_picture, or unsupported_format for pictures
    that are known and not decoded here.
    """
    for beginning, kind in _BEGINNINGS:
        if data.startswith(beginning):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        brands_end = min(int.from_bytes(data[:4]), 256)
        brands = {data[i : i + 4] for i in range(8, brands_end, 4)}
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        if brands & _HEIF_BRANDS:
            raise MediaRefused(RefusalReason.UNSUPPORTED_FORMAT)
    if data.startswith(_PICTURES_NOT_DECODED):
        raise MediaRefused(RefusalReason.UNSUPPORTED_FORMAT)
    raise MediaRefused(RefusalReason.NOT_A_PICTURE)


def decode_luma(data: bytes) -> Luma:
    """Decode a picture of any supported kind to luma.

    Raises :class:`MediaRefused` with its reason, and nothing else but MemoryError.
    """
    if len(data) > MAX_FILE_BYTES:
        raise MediaRefused(RefusalReason.TOO_LARGE_FILE, size_bytes=len(data))
    kind = sniff(data)
    try:
        return _decode_jpeg(data) if kind == "JPEG" else _decode_other(data, kind)
    except (MediaRefused, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise MediaRefused(RefusalReason.TOO_MANY_PIXELS) from error
    # Decoders let nearly any kind of error out of a file made to break them.
    except Exception as error:
        cut = "truncated" in str(error).lower() or isinstance(error, EOFError)
        reason = RefusalReason.TRUNCATED if cut else RefusalReason.BROKEN
        raise MediaRefused(reason, media_type=MEDIA_TYPES[kind]) from error


# JPEG ------------------------------------------------------------------------


def _decode_jpeg(data: bytes) -> Luma:
    header = read_jpeg_header(data)
    if not header.supported:
        raise MediaRefused(RefusalReason.UNSUPPORTED_FORMAT)
    _check_size(header.width, header.height, MAX_JPEG_PIXELS)
    scanned = header.width * header.height * header.scans
    if scanned > MAX_SCANNED_PIXELS:
        raise MediaRefused(RefusalReason.TOO_MANY_PIXELS, scans=header.scans)
    if not header.complete:
        raise MediaRefused(RefusalReason.TRUNCATED)
    if header.components not in (1, 3):
        # CMYK and YCCK: libjpeg makes no grey of them.
        return _decode_other(data, "JPEG")
    eighths = _scale(header)
    shortest = MIN_REDUCED_SIDE_PIXELS if eighths < EIGHTHS else 0
    # Not strict: damaged data inside a complete file is shown by browsers, so it is
    # fingerprinted too, rather than be a way round the fingerprint.
    grey = simplejpeg.decode_jpeg(
        data, "GRAY", min_height=shortest, min_width=shortest, strict=False
    )
    pixels = _turn(grey[:, :, 0], header.orientation)
    height, width = _turned_size(header.height, header.width, header.orientation)
    expected = (reduced_length(height, eighths), reduced_length(width, eighths))
    if pixels.shape != expected:
        raise MediaRefused(RefusalReason.BROKEN, height=height, width=width)
    return Luma(pixels, width, height, eighths, MEDIA_TYPES["JPEG"])


def _scale(header: JpegHeader) -> int:
    """The smallest k of k/8 that keeps both sides long enough.

    A turned picture is reduced only when its sides are multiples of 8: otherwise the
    last, partial pixel would come first and the weights would be wrong.
    """
    sides = (header.height, header.width)
    if header.orientation != 1 and any(side % EIGHTHS for side in sides):
        return EIGHTHS
    for eighths in range(1, EIGHTHS):
        if min(reduced_length(s, eighths) for s in sides) >= MIN_REDUCED_SIDE_PIXELS:
            return eighths
    return EIGHTHS


# Everything else ---------------------------------------------------------------


def _decode_other(data: bytes, kind: str) -> Luma:
    if kind == "WEBP":
        # Pillow makes a WebP decoder's canvases as soon as the file is opened.
        _check_size(*_webp_canvas(data), MAX_PIXELS)
    with Image.open(io.BytesIO(data), formats=[kind]) as picture:
        _check_size(*picture.size, MAX_PIXELS)
        if isinstance(picture, TiffImageFile):
            # A small picture may be stored in one enormous tile.
            tags = picture.tag_v2
            tile = (tags.get(_TIFF_TILE_WIDTH, 1), tags.get(_TIFF_TILE_LENGTH, 1))
            _check_size(*tile, MAX_PIXELS)
        picture.load()
        pixels = _turn(_to_luma(picture), _orientation(picture))
    height, width = pixels.shape
    return Luma(pixels, width, height, EIGHTHS, MEDIA_TYPES[kind])


def _to_luma(picture: Image.Image) -> NDArray[np.uint8]:
    """8-bit luma, 0.299 R + 0.587 G + 0.114 B, transparency over white."""
    if picture.mode.startswith("I;16"):
        return (np.asarray(picture) >> 8).astype(np.uint8)
    if picture.mode in ("I", "F"):
        # What is black and what is white in these is nowhere said.
        raise MediaRefused(RefusalReason.UNSUPPORTED_FORMAT, mode=picture.mode)
    if not picture.has_transparency_data:
        if picture.mode not in ("1", "L", "RGB"):
            picture = picture.convert("RGB")
        return np.asarray(picture.convert("L"))
    clear = picture.convert("RGBA")
    white = Image.new("L", picture.size, 255)
    return np.asarray(Image.composite(clear.convert("L"), white, clear.getchannel("A")))


def _webp_canvas(data: bytes) -> tuple[int, int]:
    """(width, height) from a WebP's first chunk (RFC 9649, sections 2.5 to 2.7)."""
    if len(data) < 30:
        raise MediaRefused(RefusalReason.TRUNCATED)
    chunk = data[12:16]
    if chunk == b"VP8X":
        return _little(data[24:27]) + 1, _little(data[27:30]) + 1
    if chunk == b"VP8L":
        bits = _little(data[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 ":
        return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF
    raise MediaRefused(RefusalReason.BROKEN)


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


# Steps both share --------------------------------------------------------------


def _check_size(width: int, height: int, most_pixels: int) -> None:
    if width < 1 or height < 1:
        raise MediaRefused(RefusalReason.BROKEN, width=width, height=height)
    if width * height > most_pixels:
        raise MediaRefused(RefusalReason.TOO_MANY_PIXELS, width=width, height=height)


def _orientation(picture: Image.Image) -> int:
    """What is left to turn after decoding (Pillow turns TIFF itself)."""
    try:
        value = picture.getexif().get(Base.Orientation, 1)
    # Damaged metadata: viewers show such a picture as it is stored.
    except Exception:
        return 1
    if isinstance(value, int) and 1 <= value <= 8:
        return value
    return 1


def _turn(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turn stored pixels upright. The eight cases are EXIF 2.3, tag 0x0112."""
    if orientation >= 5:
        pixels = pixels.T
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _turned_size(height: int, width: int, orientation: int) -> tuple[int, int]:
    return (width, height) if orientation >= 5 else (height, width)
