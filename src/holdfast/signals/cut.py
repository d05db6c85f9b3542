"""GIF and BMP files whose pixels end too early, filled up so that a decoder reads them.

Browsers show the rows that are there, so whoever cuts a file on purpose must not have
it go uncompared. What is missing is filled with the first colour: a decoder's own way
of doing so cannot be asked for one file alone. It never decodes. The rules are those of
GIF89a, sections 15 to 22 and appendix F, and of Microsoft's BITMAPINFOHEADER.
"""

from __future__ import annotations

from holdfast.signals.luma import MIN_SHOWN_SHARE, check_size
from holdfast.signals.refusal import MediaRefused, RefusalReason

MAX_BLOCKS = 1_000_000
"""Read before a GIF is called broken: more of them only burn time."""
_GIF_HEADER_BYTES, _IMAGE_BYTES, _SIZE_AT = 13, 10, 5
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_LONGEST_CODE_BITS = 12
_END_BYTES = 3
"""The code that ends the pixels, and the empty bits after it, are in so many."""
_BLOCK_BYTES = 255
_BMP_HEADER_BYTES, _OLD_BMP, _BMP_MOST_BITS = 30, 12, 32


def filled_gif(data: bytes, most_pixels: int) -> tuple[bytes, bool]:
    """A GIF of the first frame alone, its pixels filled up, and whether its rows are
    interlaced. Raises :class:`MediaRefused` where that frame has none.
    """
    begin = _first_image(data)
    sides = data[begin + _SIZE_AT : begin + _SIZE_AT + 4]
    width, height = (int.from_bytes(sides[at : at + 2], "little") for at in (0, 2))
    flags = data[begin + _IMAGE_BYTES - 1]
    # The smallest length of a code comes first, then blocks of them.
    last, end = _blocks(data, begin + _IMAGE_BYTES + _table_bytes(flags) + 1)
    if end > len(data):
        pixels = data + bytes(end - len(data))
    else:
        # It says itself that it ends here: what follows is read in place of that.
        blank = min(_END_BYTES, end - last - 1)
        pixels = data[: end - blank] + bytes(blank)
    codes = -(-min(width * height, most_pixels) * _LONGEST_CODE_BITS // 8)
    # Codes that are all 0, which is the first colour at every length of a code.
    fill = (bytes([_BLOCK_BYTES]) + bytes(_BLOCK_BYTES)) * -(-codes // _BLOCK_BYTES)
    return pixels + fill + bytes([0, _TRAILER]), bool(flags & 0x40)


def filled_bmp(data: bytes, most_pixels: int) -> tuple[bytes, bool]:
    """A BMP with as many bytes as its pixels can take, and whether its last row comes
    first, as it mostly does. Raises :class:`MediaRefused` where it has no header, or
    one of too many pixels."""
    if len(data) < _BMP_HEADER_BYTES:
        raise MediaRefused(RefusalReason.TRUNCATED)
    if data[14] == _OLD_BMP:
        width, height, bits = (_signed(data, at, 2) for at in (18, 20, 24))
    else:
        width, height = _signed(data, 18, 4), _signed(data, 22, 4)
        bits = _signed(data, 28, 2)
    check_size(abs(width), abs(height), most_pixels)
    if not 1 <= bits <= _BMP_MOST_BITS:
        raise MediaRefused(RefusalReason.BROKEN, bits=bits)
    # Rows are rounded up to four bytes.
    expected = -(-abs(width) * bits // 32) * 4 * abs(height)
    is_packed = data[14] != _OLD_BMP and any(data[30:34])
    if not is_packed and len(data) < MIN_SHOWN_SHARE * expected:
        raise MediaRefused(RefusalReason.TRUNCATED, expected_bytes=expected)
    return data + bytes(expected), height > 0


def _signed(data: bytes, at: int, length: int) -> int:
    return int.from_bytes(data[at : at + length], "little", signed=True)


def _first_image(data: bytes) -> int:
    """Where the first frame's descriptor begins, if the whole of it is there."""
    at = _GIF_HEADER_BYTES
    if len(data) > at:
        at += _table_bytes(data[10])
    for _ in range(MAX_BLOCKS):
        kind = data[at] if at + _IMAGE_BYTES < len(data) else _TRAILER
        if kind == _IMAGE:
            return at
        if kind != _EXTENSION:
            break
        at = _blocks(data, at + 2)[1] + 1
    raise MediaRefused(RefusalReason.TRUNCATED)


def _blocks(data: bytes, at: int) -> tuple[int, int]:
    """Where the last of a row of blocks begins, and where it ends: before the empty
    one after it, or beyond the file where that ends within a block."""
    last = at
    for _ in range(MAX_BLOCKS):
        if at >= len(data) or not data[at]:
            return last, at
        last, at = at, at + 1 + data[at]
    raise MediaRefused(RefusalReason.BROKEN, blocks=MAX_BLOCKS)


def _table_bytes(flags: int) -> int:
    """How long the table of colours is that a descriptor's flags tell of."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
