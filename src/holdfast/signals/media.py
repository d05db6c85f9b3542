"""Hostile bytes to luma: the only door through which a picture is decoded.

Whoever uploads wants the decoder to fail, to eat the machine's memory, or to see
another picture than people do. So: the kind is told from the bytes, never from a
name; headers are read and bombs refused before any pixel exists; every failure is a
:class:`MediaRefused` with a named reason; and what is decoded is what people see.

- Orientation (EXIF, or HEIC's own) is applied, since sites that re-encode apply it
  too. Meta's tools do not, and a hash they made of a turned photograph is found by
  ``pdq.dihedral``.
- Transparency is laid over white, as most viewers do; what shows another picture over
  black, as on a dark page, is another view. python-threatexchange drops the
  alpha channel, which lets a picture hide in it: the colours beneath are free to be
  anything. The two agree on every opaque picture.
- Where a colour profile, or a PNG's gamma, shows other numbers than are stored, those
  are decoded, as Chromium would; with the profiles that most pictures have they hardly
  differ, and the stored ones are taken, as by Meta's tools
  (:mod:`~holdfast.signals.colour`). What viewers that pass over profiles show is
  another view. A picture whose profile is too large to be read is refused, and a JPEG
  whose profile shows other numbers has Pillow's limit on pixels.
- Of an animation every frame is decoded, in order, up to the bounds in
  :mod:`~holdfast.signals.raster`; that there are more is said. One of a GIF or PNG
  that is damaged or ends too early does not hide those that follow; of other kinds,
  those before it stand.
- Of a JPEG, PNG, GIF or BMP that is cut, or says itself that it ends, what browsers
  show is decoded, in each frame: the whole where it misses a tenth or less, else the
  rows that are there, or the passes. One with less than a tenth of its rows is refused
  as truncated. So is, as truncated or broken, every other kind that is cut: browsers
  show nothing of it, but of a WebP whose lengths were made to fit, and of a packed BMP,
  the first rows. Damage beside a PNG's picture, which browsers step over, is no way
  round the fingerprint.
- Decoded: JPEG, PNG, GIF, WebP, BMP, TIFF, AVIF and HEIC. Other kinds of pictures are
  known by their first bytes and refused as an unsupported format.

Memory: at most MAX_MEMORY_BYTES above the file itself, held by a limit on pixels for
each kind (``MAX_PIXELS`` in raster, ``MAX_JPEG_PIXELS`` in jpeg).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PIL import Image

from holdfast.signals import jpeg, raster
from holdfast.signals.luma import Luma
from holdfast.signals.refusal import MediaRefused, RefusalReason

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_MEMORY_BYTES",
    "MEDIA_TYPES",
    "Luma",
    "MediaRefused",
    "RefusalReason",
    "decode_frames",
    "decode_luma",
    "sniff",
]

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Larger files are refused unread. Photographs of 100 megapixels are about 40 MB."""
MAX_MEMORY_BYTES = 1024 * 1024 * 1024
"""What decoding one picture takes at most, above the bytes of its file. A test
measures it with the largest picture of each kind."""

# Keys are Pillow's names of formats, which also restrict what Pillow may try; HEIC is
# decoded by libheif.
MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
    "HEIC": "image/heic",
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
_CUT = ("truncated", "end of file", "meta box")
"""What Pillow and libheif say of a file that ends too early."""


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
            return "HEIC"
    if data.startswith(_PICTURES_NOT_DECODED):
        raise MediaRefused(RefusalReason.UNSUPPORTED_FORMAT)
    raise MediaRefused(RefusalReason.NOT_A_PICTURE)


def decode_luma(data: bytes, min_side_pixels: int = jpeg.MIN_SIDE_PIXELS) -> Luma:
    """Decode a picture of any supported kind to luma; of an animation the first frame.

    A JPEG is decoded at the smallest scale with both sides of ``min_side_pixels``.
    Raises :class:`MediaRefused` with its reason, and nothing else but MemoryError.
    """
    return next(decode_frames(data, min_side_pixels))


def decode_frames(
    data: bytes, min_side_pixels: int = jpeg.MIN_SIDE_PIXELS
) -> Iterator[Luma]:
    """Decode a picture frame by frame: one for a still, in order for an animation.

    Raises as :func:`decode_luma` does. After the first frame that says why some of
    those that people may see were not given; what was given stands.
    """
    if len(data) > MAX_FILE_BYTES:
        raise MediaRefused(RefusalReason.TOO_LARGE_FILE, size_bytes=len(data))
    kind = sniff(data)
    try:
        yield from _frames(data, kind, min_side_pixels)
    except MemoryError:
        raise
    # Decoders let nearly any kind of error out of a file made to break them.
    except Exception as error:
        raise _refusal(error, kind, data) from error


def _frames(data: bytes, kind: str, min_side_pixels: int) -> Iterator[Luma]:
    luma = jpeg.decode_jpeg(data, min_side_pixels) if kind == "JPEG" else None
    if luma is not None:
        yield luma
    else:
        yield from raster.decode_frames(data, kind, MEDIA_TYPES[kind])


def _boxes_end(data: bytes) -> int:
    """Where the last box of an AVIF or HEIC ends (ISO/IEC 14496-12, section 4.2)."""
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4])
        if length == 1:
            length = int.from_bytes(data[at + 8 : at + 16])
        if length < 8:
            return len(data)
        at += length
    return at


_ENDS: dict[str, Callable[[bytes], int]] = {
    "WEBP": lambda data: 8 + int.from_bytes(data[4:8], "little"),
    "AVIF": _boxes_end,
    "HEIC": _boxes_end,
}
"""Where a file of this kind should end, by what it says itself."""


def _refusal(error: Exception, kind: str, data: bytes) -> MediaRefused:
    if isinstance(error, MediaRefused):
        return error
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return MediaRefused(RefusalReason.TOO_MANY_PIXELS)
    said = str(error).lower()
    cut = isinstance(error, EOFError) or any(each in said for each in _CUT)
    cut |= kind in _ENDS and _ENDS[kind](data) > len(data)
    reason = RefusalReason.TRUNCATED if cut else RefusalReason.BROKEN
    return MediaRefused(reason, media_type=MEDIA_TYPES[kind])
