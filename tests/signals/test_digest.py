"""Digests of bytes and of streams agree, and are the standard ones."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from holdfast.signals.digest import CHUNK_BYTES, digest_bytes, digest_stream


def test_known_values() -> None:
    """FIPS 180-2, appendix B.1, and RFC 1321, appendix A.5, for "abc"."""
    digests = digest_bytes(b"abc")
    assert digests.sha256.hex() == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    assert digests.md5.hex() == "900150983cd24fb0d6963f7d28e17f72"
    assert digests.size_bytes == 3


@given(st.binary(max_size=1000))
def test_stream_equals_bytes(data: bytes) -> None:
    assert digest_stream(io.BytesIO(data)) == digest_bytes(data)


def test_a_stream_of_several_chunks() -> None:
    data = bytes(range(256)) * (2 * CHUNK_BYTES // 256) + b"end"
    assert digest_stream(io.BytesIO(data)) == digest_bytes(data)
