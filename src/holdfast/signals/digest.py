"""Digests of bytes: the identity of a file.

SHA-256 is Holdfast's own identity for a file. MD5 is computed only because NCMEC
answers an upload with the MD5 of what arrived, and comparing the two shows that the
evidence arrived whole. MD5 never identifies anything here: it can be forged.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import BinaryIO

CHUNK_BYTES = 1024 * 1024
"""How much of a stream is held in memory at once, in bytes."""


@dataclass(frozen=True, slots=True)
class Digests:
    """``sha256``: 32 bytes, ``md5``: 16 bytes, ``size_bytes``: length of the file."""

    sha256: bytes
    md5: bytes
    size_bytes: int


def digest_bytes(data: bytes) -> Digests:
    """Both digests of bytes already in memory."""
    md5 = hashlib.md5(data, usedforsecurity=False)
    return Digests(hashlib.sha256(data).digest(), md5.digest(), len(data))


def digest_stream(stream: BinaryIO) -> Digests:
    """Both digests of a binary stream, read once from where it stands to its end."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    size_bytes = 0
    while chunk := stream.read(CHUNK_BYTES):
        sha256.update(chunk)
        md5.update(chunk)
        size_bytes += len(chunk)
    return Digests(sha256.digest(), md5.digest(), size_bytes)
