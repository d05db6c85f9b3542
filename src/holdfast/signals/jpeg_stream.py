"""A JPEG's bytes, eight at a time: where its markers are, and what is coded between.

FF begins a marker. Among coded numbers an FF is followed by 00, which means nothing.
The rule is ITU-T T.81, annexes B.1.1.2 and F.1.2.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.instructions import load_word, store_word
from holdfast.signals.kernels import kernel

Bytes = NDArray[np.uint8]
U = np.uint64


@kernel
def next_marker(data: Bytes, start: int) -> int:
    """Where the first FF from ``start`` on stands that no 00 and no restart follows.

    The length of ``data`` when there is none.
    """
    at, end = start, len(data)
    while at < end:
        if at + 8 <= end and not _has_ff(load_word(data, at)):
            at += 8
            continue
        for _ in range(8):
            if at + 1 >= end:
                return end
            after = data[at + 1]
            if data[at] == 0xFF and after != 0 and after != 0xFF and after >> 3 != 0x1A:
                return at
            at += 1
    return end


@kernel
def unstuff(data: Bytes, start: int, stream: Bytes) -> int:
    """Coded bytes from ``start`` to the first marker, without the 00 after each FF.

    Written into ``stream``, which must have room for all that is left of ``data``; how
    many there are.
    """
    at, end, length = start, len(data), 0
    while at < end:
        if at + 8 <= end:
            word = load_word(data, at)
            if not _has_ff(word):
                store_word(stream, length, word)
                length += 8
                at += 8
                continue
        for _ in range(8):
            if at >= end:
                break
            byte = data[at]
            at += 1
            if byte == 0xFF:
                if at >= end or data[at] != 0:
                    return length
                at += 1
            stream[length] = byte
            length += 1
    return length


@kernel
def _has_ff(word: np.uint64) -> bool:
    """Whether one of eight bytes is FF: no byte of the inverted word is then zero."""
    inverted = ~word
    borrowed = inverted - U(0x0101010101010101)
    return bool((borrowed & word & U(0x8080808080808080)) != U(0))
