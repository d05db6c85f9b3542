"""The files that stand in a page of HTML itself, as ``data:`` addresses. Pure.

A picture that was pasted into a mail may be no part of it, but an address which holds
all of the picture. Only that envelope is taken off, and nothing is opened. RFC 2397.
Reading takes time that grows with the page's length and no faster: one look at each
character, and never back to what an address held.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from html import unescape
from urllib.parse import unquote_to_bytes

UNTYPED = "text/plain"
"""What an address that names no type holds (RFC 2397, section 2)."""
_BEGINS = re.compile(r"(?<![a-z0-9])data:([^,:\"'<>]{0,200}),", re.IGNORECASE)
"""A scheme, a type with its parameters, and the comma before what it holds. A colon is
in no type, so that ``data:data:data:`` without end is not looked at again and again."""
_BARE_END = re.compile(r"[\s\"'<>)]")
_BASE64 = re.compile(r"[A-Za-z0-9+/_%-]*={0,2}")
_BASE64_IN_MARKS = re.compile(r"[A-Za-z0-9+/_%\s-]*={0,2}")
"""Some programs break what stands in quotation marks over lines."""
_NO_LETTERS = re.compile(rb"[^A-Za-z0-9+/]+")


def pasted_in(html: str) -> Iterator[tuple[bytes, str]]:
    """Each file in a page once, in order: its bytes, and the type that it names."""
    page = _plain(html)
    seen: set[bytes] = set()
    at = 0
    while found := _BEGINS.search(page, at):
        kind, *parameters = (each.strip().lower() for each in found[1].split(";"))
        at = found.end()
        if kind and "/" not in kind:
            # Somebody's words: "the data: name, age".
            continue
        is_base64 = "base64" in parameters
        end = _end(page, found.start(), at, is_base64=is_base64)
        held = unquote_to_bytes(page[at:end])
        data = _decoded(held) if is_base64 else held
        at = end
        if data and data not in seen:
            seen.add(data)
            yield data, kind or UNTYPED


def _end(page: str, start: int, at: int, *, is_base64: bool) -> int:
    """Where an address ends: at the quotation mark that opened it, if one did."""
    mark = page[start - 1] if start and page[start - 1] in "\"'" else ""
    if is_base64:
        letters = (_BASE64_IN_MARKS if mark else _BASE64).match(page, at)
        return letters.end() if letters else at
    if mark:
        end = page.find(mark, at)
        return len(page) if end < 0 else end
    bare = _BARE_END.search(page, at)
    return bare.start() if bare else len(page)


def _decoded(said: bytes) -> bytes:
    """Of either alphabet of base64, with or without its end."""
    letters = _NO_LETTERS.sub(b"", said.translate(bytes.maketrans(b"-_", b"+/")))
    # A letter that is left over by itself is no byte.
    whole = letters[: len(letters) - (len(letters) % 4 == 1)]
    return b64decode(whole + b"=" * (-len(whole) % 4))


def _plain(html: str) -> str:
    try:
        return unescape(html)
    except ValueError:
        # A number of thousands of digits is no character.
        return html
