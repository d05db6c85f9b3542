"""Every picture but ordinary JPEG to luma, through Pillow and libheif.

One door for the formats that need no speed. Sizes are read from the header before
anything is decoded, an animation's frames one at a time, and the conversion to luma
goes over a picture in strips, so that little more than the decoder's own memory is
taken. It never trusts a decoder to refuse.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image
from PIL.ExifTags import Base
from PIL.TiffImagePlugin import TiffImageFile

from holdfast.signals import bmp, gif, png, png_colours
from holdfast.signals.colour import Shown, shown
from holdfast.signals.grid import Axis
from holdfast.signals.jpeg_header import picture_alone, read_jpeg_header
from holdfast.signals.luma import Luma, check_size, rows_there, turn
from holdfast.signals.refusal import MediaRefused, RefusalReason

MAX_PIXELS = {
    "PNG": 120_000_000,  # 4 bytes a pixel in Pillow, whatever it has, and the luma.
    "JPEG": 60_000_000,  # CMYK: 8 of coefficients, 4 in Pillow, and the luma.
    "BMP": 60_000_000,  # 4 in Pillow, and the luma.
    "TIFF": 60_000_000,  # A strip may be the whole picture: 4 more.
    "GIF": 50_000_000,  # The canvas, the frame before and the frame itself.
    "WEBP": 50_000_000,  # Two canvases of libwebp's, its copy, and Pillow's.
    "AVIF": 50_000_000,  # Planes of 16 bits, RGBA, its copy, and Pillow's.
    "HEIC": 50_000_000,  # The same of libheif; telephones write 48 megapixels.
}
"""Most pixels decoded, by Pillow's name of the format, from the header: as many as
the memory bound of :mod:`holdfast.signals.media` allows, at up to 20 bytes each."""
STRIP_PIXELS = 4_000_000
"""Pixels turned into luma at once: at most 16 bytes each."""
WHITE, BLACK = 255, 0
"""Grounds that a transparent picture lies over: what most pages are, and dark ones."""
MAX_FRAMES_READ = 1_000
"""Frames of an animation that are decoded. What comes after them is not seen, and the
animation is said to be too long."""
MAX_PIXELS_READ = 400_000_000
"""The same in pixels, all frames together: a few seconds of decoding."""
SHORTEST_MS, SHOWN_INSTEAD_MS = 11, 100
"""A frame that says it lasts less is shown for the second of these by browsers, as
both Blink (Chromium) and Gecko (Firefox) have it for every kind of animation."""
LONGEST_MS = 3_600_000
"""A frame that says it lasts longer than an hour counts as an hour."""
ANIMATED = frozenset({"GIF", "PNG", "WEBP", "AVIF"})
"""Kinds whose frames follow each other in time (a TIFF's are pages)."""
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_JPEG_END = b"\xff\xd9"
_TIFF_TILE_WIDTH, _TIFF_TILE_LENGTH = 322, 323

# Pillow warns, and then refuses, by a limit of its own; ours stands before it.
Image.MAX_IMAGE_PIXELS = max(MAX_PIXELS.values())


def decode_frames(data: bytes, kind: str, media_type: str) -> Iterator[Luma]:
    """Each frame of a picture, the first at once, and one alone for a still.

    Raises :class:`MediaRefused` and whatever a decoder raises, before the first frame
    or at any later one: then some of those that follow were not given.
    """
    if kind == "HEIC":
        yield _decode_heic(data, media_type)
        return
    if kind == "WEBP":
        # Pillow makes a WebP decoder's canvases as soon as the file is opened.
        check_size(*_webp_canvas(data), MAX_PIXELS[kind])
    picture, looks = _opened(data, kind)
    with picture:
        how = shown(_profile(data, kind, picture), _mode(picture))
        if kind in ANIMATED and getattr(picture, "is_animated", False):
            yield from _animation(picture, media_type, looks, how)
        else:
            look = looks[0] if looks else _all
            yield _luma(picture, media_type, look=look, how=how)


Look = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""What of the pixels of a picture, as they are stored, is looked at."""


def _opened(data: bytes, kind: str) -> tuple[Image.Image, list[Look]]:
    """The picture, or its first frame, decoded; and what of each frame is there, of
    those that follow the last one named all.

    Raises :class:`MediaRefused` and whatever a decoder raises.
    """
    if kind == "JPEG":
        # It needs an end to be read, and browsers show it without one.
        alone = picture_alone(data) + _JPEG_END
        is_whole = read_jpeg_header(data).complete
        return _loaded(alone, kind), [] if is_whole else [_rows_there]
    if kind == "GIF":
        # With one frame more it is seen that there are more than are read.
        bounds = MAX_FRAMES_READ + 1, MAX_PIXELS_READ + MAX_PIXELS[kind]
        data, parts = gif.made_whole(data, MAX_PIXELS[kind], *bounds)
        return _loaded(data, kind), [part.shown for part in parts]
    if kind == "PNG":
        return _opened_png(png.picture_alone(data))
    try:
        return _loaded(data, kind), []
    except (MediaRefused, MemoryError, *_BOMBS):
        raise
    # Decoders let nearly any kind of error out of a file made to break them.
    except Exception:
        if kind != "BMP":
            raise
    # Outside, where the error no longer holds what was decoded of the first.
    filled, upwards = bmp.filled(data, MAX_PIXELS[kind])
    return _loaded(filled, kind), [partial(_rows_there, upwards=upwards)]


def _profile(data: bytes, kind: str, picture: Image.Image) -> bytes | None:
    """The profile of its colours that a browser believes, in whatever way it is said.

    Pillow reads only some of these, and not by the rules of browsers.
    """
    if kind == "JPEG":
        return read_jpeg_header(data).profile
    if kind == "PNG":
        return png_colours.profile(data)
    if kind == "BMP":
        return bmp.profile(data)
    return picture.info.get("icc_profile")


def _mode(picture: Image.Image) -> str:
    """What a profile may be for: L, RGB or CMYK."""
    if picture.mode in ("1", "L", "LA") or picture.mode.startswith("I;16"):
        return "L"
    return "CMYK" if picture.mode == "CMYK" else "RGB"


def _opened_png(data: bytes) -> tuple[Image.Image, list[Look]]:
    """A still is first tried as it is: what is missing is seldom, and dear to find."""
    if not png.is_moving(data):
        try:
            picture = _loaded(data, "PNG")
        except (MediaRefused, MemoryError, *_BOMBS):
            raise
        except Exception:
            picture = None
        if picture is not None and not _may_miss_rows(picture):
            return picture, []
        # Given back before another one is made.
        picture = None
    data, parts = png.made_whole(data, MAX_PIXELS["PNG"])
    return _loaded(data, "PNG"), [part.shown for part in parts]


def _may_miss_rows(picture: Image.Image) -> bool:
    """Whether a PNG could be one whose pixels say themselves that they end too early.

    Pillow leaves the rows that are not there at 0; of an interlaced one they lie
    scattered.
    """
    last = picture.crop((0, picture.height - 1, picture.width, picture.height))
    return bool(picture.info.get("interlace")) or not np.asarray(last).any()


def _all(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pixels


def _rows_there(
    pixels: NDArray[np.uint8], *, upwards: bool = False
) -> NDArray[np.uint8]:
    return pixels[rows_there(pixels, upwards=upwards)]


def _loaded(data: bytes, kind: str) -> Image.Image:
    """The picture, or its first frame, decoded. Raises whatever a decoder raises."""
    picture = Image.open(io.BytesIO(data), formats=[kind])
    check_size(*picture.size, MAX_PIXELS[kind])
    if isinstance(picture, TiffImageFile):
        # A small picture may be stored in one enormous tile.
        tags = picture.tag_v2
        tile = (tags.get(_TIFF_TILE_WIDTH, 1), tags.get(_TIFF_TILE_LENGTH, 1))
        check_size(*tile, MAX_PIXELS[kind])
    picture.load()
    return picture


def _animation(
    picture: Image.Image, media_type: str, looks: list[Look], how: Shown | None
) -> Iterator[Luma]:
    """Each frame of which enough is there; raises where more follow than are read."""
    most_pixels = MAX_PIXELS[picture.format or ""]
    at_ms, pixels, little, seen = 0, 0, list[MediaRefused](), False
    for index in count():
        try:
            picture.seek(index)
        except EOFError:
            break
        # The canvas of a GIF grows with its frames.
        check_size(*picture.size, most_pixels)
        pixels += picture.width * picture.height
        if index == MAX_FRAMES_READ or (index and pixels > MAX_PIXELS_READ):
            raise MediaRefused(RefusalReason.TOO_LONG, frames=index)
        picture.load()
        lasts_ms = _shown_ms(picture)
        try:
            look = looks[index] if index < len(looks) else _all
            luma = _luma(picture, media_type, at_ms, lasts_ms, look, how)
        except MediaRefused as refused:
            # Of this frame little is there to be seen; of the next there may be more.
            little.append(refused)
        else:
            yield luma
            seen = True
        at_ms += lasts_ms
    if little and not seen:
        raise little[0]


def _shown_ms(picture: Image.Image) -> int:
    """For how long people see this frame of an animation."""
    says_ms = int(picture.info.get("duration", 0))
    return SHOWN_INSTEAD_MS if says_ms < SHORTEST_MS else min(says_ms, LONGEST_MS)


def _decode_heic(data: bytes, media_type: str) -> Luma:
    """HEIC, turned as its own boxes say; its EXIF orientation does not count there
    (ISO/IEC 23008-12, annex A)."""
    file = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
    width, height = file.size
    check_size(width, height, MAX_PIXELS["HEIC"])
    picture = file.to_pillow()
    how = shown(picture.info.get("icc_profile"), _mode(picture))
    axes = Axis(picture.height), Axis(picture.width)
    return Luma(to_luma(picture, how), *axes, media_type, others=_others(picture, how))


def _luma(
    picture: Image.Image,
    media_type: str,
    at_ms: int | None = None,
    lasts_ms: int = 0,
    look: Look = _all,
    how: Shown | None = None,
) -> Luma:
    orientation = _orientation(picture)

    def upright(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return turn(look(pixels), orientation)

    pixels = upright(to_luma(picture, how))
    axes = Axis(pixels.shape[0]), Axis(pixels.shape[1])
    others = _others(picture, how, upright)
    return Luma(pixels, *axes, media_type, at_ms, lasts_ms, others)


def _others(
    picture: Image.Image, how: Shown | None, upright: Look = _all
) -> tuple[Callable[[], NDArray[np.uint8]], ...]:
    """In what other ways a picture is seen: on a dark page, and without its profile,
    since not every viewer believes every one."""
    others: list[Callable[[], NDArray[np.uint8]]] = []
    if _is_clear(picture):
        others.append(lambda: upright(to_luma(picture, how, BLACK)))
    if how is not None:
        others.append(lambda: upright(to_luma(picture)))
    return tuple(others)


def _is_clear(picture: Image.Image) -> bool:
    """Whether the ground is seen anywhere; of a palette that is not looked for."""
    if picture.mode in ("LA", "RGBA"):
        return bool(picture.getchannel("A").getextrema()[0] != WHITE)
    return picture.has_transparency_data


def to_luma(
    picture: Image.Image, how: Shown | None = None, ground: int = WHITE
) -> NDArray[np.uint8]:
    """(H, W) luma of a loaded picture, 0.299 R + 0.587 G + 0.114 B, over a ground."""
    luma = np.empty((picture.height, picture.width), np.uint8)
    rows = max(1, STRIP_PIXELS // picture.width)
    for top in range(0, picture.height, rows):
        end = min(picture.height, top + rows)
        strip = picture.crop((0, top, picture.width, end))
        luma[top:end] = _strip_luma(strip, how, ground)
    return luma


def _strip_luma(
    picture: Image.Image, how: Shown | None, ground: int
) -> NDArray[np.uint8]:
    if picture.mode.startswith("I;16"):
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.mode in ("I", "F"):
        # What is black and what is white in these is nowhere said.
        raise MediaRefused(RefusalReason.UNSUPPORTED_FORMAT, mode=picture.mode)
    alpha = None
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        alpha = picture.getchannel("A")
    if how is not None:
        picture = how(picture)
    elif picture.mode not in ("1", "L", "RGB", "RGBA"):
        picture = picture.convert("RGB")
    luma = picture.convert("L")
    if alpha is not None:
        luma = Image.composite(luma, Image.new("L", luma.size, ground), alpha)
    return np.asarray(luma)


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
