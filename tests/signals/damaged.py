"""Pictures and animations that end too early or are damaged, frame by frame.

All are grey photographs of :data:`SIDE` pixels, from the tests' own.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from tests.world import photograph

SIDE = 80
CLEAR, END, IMPOSSIBLE = 256, 257, 400
"""Codes of a GIF with 256 colours; the last one, soon after a clear, is of nothing."""
OFTEN = 200
"""Pixels between two clears: so long every code has the same length."""
CODE_BITS = 9
PASSES = ((0, 8), (4, 8), (2, 4), (1, 2))

NAMES = ("astronaut", "coffee", "cat")


def grey(name: str) -> NDArray[np.uint8]:
    return np.asarray(photograph(name, SIDE).convert("L"))


def gif_codes(pixels: NDArray[np.uint8]) -> list[int]:
    codes: list[int] = []
    for number, pixel in enumerate(pixels.ravel().tolist()):
        codes += [CLEAR, pixel] if number % OFTEN == 0 else [pixel]
    return codes


def packed(codes: Iterable[int]) -> bytes:
    """Codes of :data:`CODE_BITS` as bytes, the lowest bit first."""
    bits = "".join(f"{code:0{CODE_BITS}b}"[::-1] for code in codes)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))


Frame = Callable[[NDArray[np.uint8]], bytes]
"""The packed pixels of a frame, whole or harmed."""


def gif_whole(pixels: NDArray[np.uint8]) -> bytes:
    return packed([*gif_codes(pixels), END])


def gif_ends(rows: int, behind: bytes = b"", *, says_so: bool = True) -> Frame:
    """Says that it ends after so many rows; something may stand behind that."""
    end = [END] if says_so else []
    return lambda pixels: packed([*gif_codes(pixels[:rows]), *end]) + behind


def gif_harmed(rows: int) -> Frame:
    """After so many rows, and up to two more, stands a code that cannot be."""

    def harmed(pixels: NDArray[np.uint8]) -> bytes:
        codes = gif_codes(pixels)
        at = codes.index(CLEAR, len(gif_codes(pixels[:rows]))) + 2
        return packed([*codes[:at], IMPOSSIBLE, *codes[at + 1 :], END])

    return harmed


def gif(
    *frames: Frame, interlaced: bool = False, names: Iterable[str] = NAMES
) -> bytes:
    """Of the first photographs, as many as there are frames."""
    data = b"GIF89a" + struct.pack("<HHBBB", SIDE, SIDE, 0xF7, 0, 0)
    data += bytes(grey for grey in range(256) for _ in range(3))
    for name, frame in zip(names, frames, strict=False):
        pixels = grey(name)
        if interlaced:
            pixels = np.concatenate([pixels[first::step] for first, step in PASSES])
        data += b"\x21\xf9\x04\0\x0a\0\0\0"
        data += b"," + struct.pack("<HHHHB", 0, 0, SIDE, SIDE, 0x40 * interlaced)
        codes = frame(pixels)
        parts = (codes[at : at + 255] for at in range(0, len(codes), 255))
        data += b"\x08" + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"
    return data + b";"


def png_whole(pixels: NDArray[np.uint8]) -> bytes:
    return zlib.compress(b"".join(b"\0" + row.tobytes() for row in pixels))


def png_ends(rows: int) -> Frame:
    """So many rows, and an end that is as it should be."""
    return lambda pixels: png_whole(pixels[:rows])


def png_harmed(pixels: NDArray[np.uint8]) -> bytes:
    data = bytearray(png_whole(pixels))
    middle = len(data) // 2
    data[middle : middle + 10] = b"\xff" * 10
    return bytes(data)


def png_cut(pixels: NDArray[np.uint8]) -> bytes:
    data = png_whole(pixels)
    return data[: len(data) // 2]


def chunk(name: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)


def png(*frames: Frame, names: Iterable[str] = NAMES) -> bytes:
    """A still of one frame, or an animation."""
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    if len(frames) > 1:
        data += chunk(b"acTL", struct.pack(">II", len(frames), 0))
    number = 0
    for name, frame in zip(names, frames, strict=False):
        if len(frames) > 1:
            sides = (SIDE, SIDE, 0, 0, 5, 100, 0, 0)
            data += chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, *sides))
            number += 1
        body = frame(grey(name))
        if name == NAMES[0]:
            data += chunk(b"IDAT", body)
        else:
            data += chunk(b"fdAT", struct.pack(">I", number) + body)
            number += 1
    return data + chunk(b"IEND", b"")


BEHIND = b"\x55" * 600

DAMAGED: dict[str, bytes] = {
    "gif": gif(gif_whole),
    "gif that ends": gif(gif_ends(30)),
    "gif that ends, with two bytes behind": gif(gif_ends(30, BEHIND[:2])),
    "gif that ends, with many behind": gif(gif_ends(30, BEHIND)),
    "gif without an end": gif(gif_ends(30, says_so=False)),
    "gif that ends soon": gif(gif_ends(75, BEHIND)),
    "gif harmed": gif(gif_harmed(30)),
    "gif, the first of three harmed": gif(gif_harmed(30), gif_whole, gif_whole),
    "gif, the second of three harmed": gif(gif_whole, gif_harmed(30), gif_whole),
    "gif, the second of three ends": gif(gif_whole, gif_ends(40, BEHIND), gif_whole),
    "gif, cut in its second": gif(gif_whole, gif_whole)[:-3000],
    "png": png(png_whole),
    "png that ends": png(png_ends(30)),
    "png that ends soon": png(png_ends(75)),
    "png, the first of three ends": png(png_ends(40), png_whole, png_whole),
    "png, the second of three ends": png(png_whole, png_ends(40), png_whole),
    "png, the second of three harmed": png(png_whole, png_harmed, png_whole),
    "png, cut in its second": png(png_whole, png_whole)[:-2500],
}
"""Of each, browsers show some rows of every frame. Of a still PNG that is harmed inside
Chromium shows nothing, and the rows before the harm are compared all the same."""
