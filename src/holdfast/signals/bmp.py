"""BMP files whose pixels end too early, filled up so that a decoder reads them; and the
profile of their colours, which Pillow does not read.

Browsers show the rows that are there, so whoever cuts a file on purpose must not have
it go uncompared. What is missing is filled with the first colour: a decoder's own way
of doing so cannot be asked for one file alone. It never decodes. The rules are those of
Microsoft's BITMAPINFOHEADER and BITMAPV5HEADER.
"""

from __future__ import annotations

from holdfast.signals.luma import MIN_SHOWN_SHARE, check_size
from holdfast.signals.refusal import MediaRefused, RefusalReason

_HEADER_BYTES, _OLD, _MOST_BITS = 30, 12, 32
_V5_BYTES, _EMBEDDED = 124, b"DEBM"


def filled(data: bytes, most_pixels: int) -> tuple[bytes, bool]:
    """A BMP with as many bytes as its pixels can take, and whether its last row comes
    first, as it mostly does. Raises :class:`MediaRefused` where it has no header, or
    one of too many pixels."""
    if len(data) < _HEADER_BYTES:
        raise MediaRefused(RefusalReason.TRUNCATED)
    if data[14] == _OLD:
        width, height, bits = (_signed(data, at, 2) for at in (18, 20, 24))
    else:
        width, height = _signed(data, 18, 4), _signed(data, 22, 4)
        bits = _signed(data, 28, 2)
    check_size(abs(width), abs(height), most_pixels)
    if not 1 <= bits <= _MOST_BITS:
        raise MediaRefused(RefusalReason.BROKEN, bits=bits)
    # Rows are rounded up to four bytes.
    expected = -(-abs(width) * bits // 32) * 4 * abs(height)
    is_packed = data[14] != _OLD and any(data[30:34])
    if not is_packed and len(data) < MIN_SHOWN_SHARE * expected:
        raise MediaRefused(RefusalReason.TRUNCATED, expected_bytes=expected)
    return data + bytes(expected), height > 0


def profile(data: bytes) -> bytes | None:
    """The profile that a BMP of the fifth version embeds."""
    header = data[14 : 14 + _V5_BYTES]
    if len(header) < _V5_BYTES or int.from_bytes(header[:4], "little") < _V5_BYTES:
        return None
    if header[56:60] != _EMBEDDED:
        return None
    offset, length = (
        int.from_bytes(header[at : at + 4], "little") for at in (112, 116)
    )
    return data[14 + offset : 14 + offset + length]


def _signed(data: bytes, at: int, length: int) -> int:
    return int.from_bytes(data[at : at + length], "little", signed=True)
