"""Sealing: only the right keys open it, and no damaged byte passes."""

from __future__ import annotations

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.vault.sealing import (
    BadKey,
    CannotOpen,
    new_identity,
    open_sealed,
    plain_size_bytes,
    recipient_of,
    seal,
)

SERVER, RECOVERY, STRANGER = new_identity(), new_identity(), new_identity()
BOTH = [recipient_of(SERVER), recipient_of(RECOVERY)]


def test_it_is_an_age_file_that_the_age_library_opens_by_itself() -> None:
    sealed = seal(b"an original", BOTH)
    assert sealed.startswith(b"age-encryption.org/v1\n-> X25519 ")
    identity = pyrage.x25519.Identity.from_str(SERVER)
    assert pyrage.decrypt(sealed, [identity]) == b"an original"


def test_we_open_what_another_age_program_sealed() -> None:
    recipient = pyrage.x25519.Recipient.from_str(recipient_of(SERVER))
    assert open_sealed(pyrage.encrypt(b"theirs", [recipient]), [SERVER]) == b"theirs"


@pytest.mark.parametrize("plain", [b"", b"x", bytes(64 * 1024), bytes(200_000)])
def test_each_recipient_alone_opens_it(plain: bytes) -> None:
    sealed = seal(plain, BOTH)
    for identity in (SERVER, RECOVERY):
        assert open_sealed(sealed, [STRANGER, identity]) == plain
    with pytest.raises(CannotOpen):
        open_sealed(sealed, [STRANGER])
    with pytest.raises(CannotOpen):
        open_sealed(sealed, [])


def test_sealing_twice_does_not_show_that_two_originals_are_equal() -> None:
    assert seal(b"same", BOTH) != seal(b"same", BOTH)


def test_every_changed_byte_and_every_cut_is_refused() -> None:
    sealed = seal(b"an original", BOTH[:1])
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(CannotOpen):
            open_sealed(bytes(changed), [SERVER])
        with pytest.raises(CannotOpen):
            open_sealed(sealed[:place], [SERVER])


@pytest.mark.parametrize("key", ["", "age1", "AGE-SECRET-KEY-1", "ssh-ed25519 AAAA"])
def test_malformed_keys_are_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(BadKey) as refusal:
        seal(b"x", [key])
    assert "AGE-SECRET" not in str(refusal.value)
    with pytest.raises(BadKey):
        open_sealed(seal(b"x", BOTH), [key])
    with pytest.raises(BadKey):
        recipient_of(key)


def test_sealing_to_nobody_is_refused() -> None:
    with pytest.raises(BadKey):
        seal(b"x", [])


@settings(max_examples=40)
@given(st.integers(0, 3).map(lambda n: n * 65536), st.integers(-3, 3))
def test_the_size_is_told_without_a_key(chunks: int, more: int) -> None:
    size = max(0, chunks + more)
    assert plain_size_bytes(seal(bytes(size), BOTH)) == size


@pytest.mark.parametrize("size", [0, 5, 65536, 65540])
def test_no_torn_object_has_the_size_of_the_whole(size: int) -> None:
    sealed = seal(bytes(size), BOTH[:1])
    near = [*range(len(sealed) - 60, len(sealed)), *range(0, len(sealed), 997)]
    for length in near:
        try:
            assert plain_size_bytes(sealed[:length]) != size
        except CannotOpen:
            continue
