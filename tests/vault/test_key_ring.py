"""The key ring: made once, private, the same everywhere, and silent."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.base.errors import HoldfastError, InvalidInput
from holdfast.vault.checkpoints import parse_and_verify_checkpoint, sign_checkpoint
from holdfast.vault.keys import (
    FILE_NAME,
    KeyRing,
    KeysExposed,
    KeysMalformed,
    KeysMissing,
    SecretDamaged,
)
from holdfast.vault.sealing import open_sealed, seal

# A stall of a busy machine is no finding.

RING = KeyRing.generate()
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "var" / "keys"


def test_keys_are_made_once_and_found_again(folder: Path) -> None:
    with pytest.raises(KeysMissing):
        KeyRing.open(folder)
    ring = KeyRing.create_if_missing(folder)
    written = (folder / FILE_NAME).read_bytes()
    assert KeyRing.create_if_missing(folder) == ring == KeyRing.open(folder)
    assert (folder / FILE_NAME).read_bytes() == written
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]


def test_only_the_owner_reaches_them_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        KeyRing.create_if_missing(folder)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_an_exposed_file_is_refused(folder: Path, mode: int) -> None:
    KeyRing.create_if_missing(folder)
    (folder / FILE_NAME).chmod(mode)
    for start in (KeyRing.open, KeyRing.create_if_missing):
        with pytest.raises(KeysExposed):
            start(folder)


def test_an_exposed_folder_is_refused_before_a_key_is_written(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    with pytest.raises(KeysExposed):
        KeyRing.create_if_missing(folder)
    assert list(folder.iterdir()) == []


def create_together(folder: Path, barrier: Any, results: Any) -> None:
    barrier.wait()
    results.put(KeyRing.create_if_missing(folder).bundle())


@pytest.mark.parametrize("attempt", range(5))
def test_processes_that_start_together_get_the_same_keys(
    folder: Path, attempt: int
) -> None:
    barrier, results = FORK.Barrier(6), FORK.Queue()
    processes = [
        FORK.Process(target=create_together, args=(folder, barrier, results))
        for _ in range(6)
    ]
    for process in processes:
        process.start()
    bundles = {results.get(timeout=30) for _ in processes}
    for process in processes:
        process.join(30)
    assert bundles == {KeyRing.open(folder).bundle()}
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]


def test_a_damaged_ring_is_refused_and_never_replaced(folder: Path) -> None:
    KeyRing.create_if_missing(folder)
    whole = (folder / FILE_NAME).read_bytes()
    for damaged in (b"", whole[:-20], b"null", b"[]", b"\xff", b"{}"):
        (folder / FILE_NAME).write_bytes(damaged)
        for start in (KeyRing.open, KeyRing.create_if_missing):
            with pytest.raises(KeysMalformed):
                start(folder)
        assert (folder / FILE_NAME).read_bytes() == damaged


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("version", 2),
        ("root", "c2hvcnQ="),
        ("root", None),
        ("log_signing_seed", "not base64!"),
        pytest.param(
            "sealing_recipient",
            KeyRing.generate().sealing_recipient,
            id="sealing_recipient-another",
        ),
        ("sealing_recipient", None),
        ("opening_identity", "AGE-SECRET-KEY-1NONSENSE"),
        ("opening_identity", 5),
    ],
)
def test_a_ring_whose_parts_disagree_is_refused(entry: str, value: object) -> None:
    entries = json.loads(RING._to_json())
    bundle = b64encode(json.dumps({**entries, entry: value}).encode()).decode()
    with pytest.raises(KeysMalformed) as refusal:
        KeyRing.from_bundle(bundle)
    assert refusal.value.__cause__ is None


def test_a_bundle_carries_the_ring_to_another_machine() -> None:
    bundle = RING.bundle()
    assert "\n" not in bundle
    assert KeyRing.from_bundle(f" {bundle[:50]}\n{bundle[50:]}\n") == RING
    for wrong in ("", "!", bundle[:-4], bundle[4:]):
        with pytest.raises(KeysMalformed):
            KeyRing.from_bundle(wrong)


def test_a_sealing_only_ring_has_everything_but_the_opening_key() -> None:
    ring = KeyRing.from_bundle(RING.sealing_only().bundle())
    assert RING.opening_identity is not None
    assert ring.opening_identity is None
    assert ring.opening_identities == ()
    assert RING.opening_identity.encode() not in ring._to_json()
    assert ring.hmac_key("blob-names") == RING.hmac_key("blob-names")
    sealed = seal(b"original", [ring.sealing_recipient])
    assert open_sealed(sealed, RING.opening_identities) == b"original"


def test_the_ring_shows_no_key() -> None:
    shown = f"{RING!r} {RING}"
    assert shown == "KeyRing(…) KeyRing(…)"


def test_its_checkpoints_verify_with_its_public_key() -> None:
    key = RING.verifier_key("holdfast.example/log")
    note = sign_checkpoint(key.name, 3, bytes(32), RING.log_signing_key)
    assert parse_and_verify_checkpoint(note, key).size == 3


def test_every_purpose_has_its_own_key() -> None:
    keys = [RING.hmac_key("api-keys"), RING.hmac_key("codenames"), RING._root]
    keys += [KeyRing.generate().hmac_key("api-keys"), RING._derive("small secrets")]
    assert len({*keys, RING.django_secret_key().encode()}) == 6
    assert all(len(key) == 32 for key in keys)
    assert len(RING.django_secret_key()) >= 43
    for purpose in ("", "Upper", "with space", "-x", "a" * 64):
        with pytest.raises(InvalidInput):
            RING.hmac_key(purpose)


def test_derived_keys_never_change() -> None:
    # Were one of these to change, names of blobs, hashed API keys and sessions made
    # by an earlier version could not be matched again. Worked out apart, with the
    # OpenSSL program: HKDF-SHA256, key of 32 zero bytes, no salt, info as named.
    ring = KeyRing(bytes(32), bytes(32), RING.sealing_recipient, None)
    assert ring.hmac_key("blob-names").hex() == OPENSSL_BLOB_NAMES


OPENSSL_BLOB_NAMES = "da2bf1915cc69d41f45ba67af1e5efc130606510d1f3f9fa6fcc7d5803ea1b0e"
"""``openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:00…00 -kdfopt
info:'holdfast v1 hmac blob-names' HKDF``"""


@given(st.text(), st.text())
def test_small_secrets_come_back_and_only_in_their_place(
    plain: str, bound_to: str
) -> None:
    token = RING.encrypt_secret(plain, bound_to=bound_to)
    assert RING.decrypt_secret(token, bound_to=bound_to) == plain
    assert RING.encrypt_secret(plain, bound_to=bound_to) != token
    with pytest.raises(SecretDamaged):
        RING.decrypt_secret(token, bound_to=bound_to + "x")
    with pytest.raises(SecretDamaged):
        KeyRing.generate().decrypt_secret(token, bound_to=bound_to)


def test_a_changed_secret_is_refused() -> None:
    token = RING.encrypt_secret("JBSWY3DPEHPK3PXP")
    assert "JBSW" not in token
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        with pytest.raises(HoldfastError):
            RING.decrypt_secret(token[:place] + other + token[place + 1 :])
        with pytest.raises(SecretDamaged):
            RING.decrypt_secret(token[:place])
