"""Signed tree heads: the published example of signed notes, and every way to forge."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.base.errors import InvalidInput
from holdfast.vault.checkpoints import (
    Checkpoint,
    CheckpointRefused,
    VerifierKey,
    parse_and_verify_checkpoint,
    sign_checkpoint,
    sign_note,
    verify_note,
)

# The example of Go's reference implementation: golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SIGNER = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_NOTE = (
    f"{GO_TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUg"
    "YN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

ORIGIN = "holdfast.example/log"
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = VerifierKey(ORIGIN, SIGNER.public_key().public_bytes_raw())
ROOT = bytes(range(100, 132))
NOTE = sign_checkpoint(ORIGIN, 20852163, ROOT, SIGNER)


def test_the_published_note_is_made_and_read_byte_for_byte() -> None:
    signer = Ed25519PrivateKey.from_private_bytes(b64decode(GO_SIGNER)[1:])
    assert sign_note(GO_TEXT, "PeterNeumann", signer) == GO_NOTE
    key = VerifierKey.parse(GO_KEY)
    assert str(key) == GO_KEY
    assert verify_note(GO_NOTE, key) == GO_TEXT


def test_a_checkpoint_comes_back_as_it_was_signed() -> None:
    root = b64encode(ROOT).decode()
    assert NOTE.startswith(f"{ORIGIN}\n20852163\n{root}\n\n— {ORIGIN} ")
    seen = parse_and_verify_checkpoint(NOTE, KEY)
    assert seen == Checkpoint(ORIGIN, 20852163, ROOT)


def test_any_changed_character_is_refused() -> None:
    for place, character in enumerate(NOTE):
        other = "A" if character != "A" else "B"
        with pytest.raises(CheckpointRefused):
            parse_and_verify_checkpoint(NOTE[:place] + other + NOTE[place + 1 :], KEY)


def test_any_cut_is_refused() -> None:
    for length in range(len(NOTE)):
        with pytest.raises(CheckpointRefused):
            parse_and_verify_checkpoint(NOTE[:length], KEY)


def test_another_key_of_the_same_name_is_refused() -> None:
    forged = sign_checkpoint(ORIGIN, 1, ROOT, Ed25519PrivateKey.generate())
    with pytest.raises(CheckpointRefused):
        parse_and_verify_checkpoint(forged, KEY)


def test_a_witness_may_add_a_line_but_a_bad_line_of_ours_refuses_the_note() -> None:
    witness = sign_note(NOTE.split("\n\n")[0] + "\n", "witness.example", SIGNER)
    added = NOTE + witness.split("\n\n")[1]
    assert parse_and_verify_checkpoint(added, KEY).size == 20852163
    bad = b64encode(KEY.key_id + bytes(64)).decode()
    for note in (f"{NOTE}— {ORIGIN} {bad}\n", f"{NOTE}no signature\n"):
        with pytest.raises(CheckpointRefused):
            parse_and_verify_checkpoint(note, KEY)


def test_a_key_does_not_vouch_for_another_log() -> None:
    text = Checkpoint("other.example/log", 1, ROOT).to_text()
    with pytest.raises(CheckpointRefused, match="another log"):
        parse_and_verify_checkpoint(sign_note(text, ORIGIN, SIGNER), KEY)


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n1\n",
        f"{ORIGIN}\n01\n{b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n-1\n{b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n\N{FULLWIDTH DIGIT ONE}\n{b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n1\n{b64encode(ROOT[:31]).decode()}\n",
        f"{ORIGIN}\n1\n{b64encode(ROOT).decode().rstrip('=')}\n",
        f"{ORIGIN}\n1\n{b64encode(ROOT).decode()}\n\nextension\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(CheckpointRefused):
        parse_and_verify_checkpoint(sign_note(text, ORIGIN, SIGNER), KEY)


@pytest.mark.parametrize(
    "name", ["", "two words", "plus+sign", "line\nbreak", "a\u00a0b"]
)
def test_a_name_that_would_break_the_format_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        sign_checkpoint(name, 1, ROOT, SIGNER)


@pytest.mark.parametrize(("size", "root"), [(-1, ROOT), (2**64, ROOT), (1, b"short")])
def test_an_impossible_tree_head_is_not_signed(size: int, root: bytes) -> None:
    with pytest.raises(InvalidInput):
        sign_checkpoint(ORIGIN, size, root, SIGNER)


def test_a_mistyped_verifier_key_is_refused() -> None:
    text = str(KEY)
    for place, character in enumerate(text):
        other = "0" if character != "0" else "1"
        with pytest.raises(InvalidInput):
            VerifierKey.parse(text[:place] + other + text[place + 1 :])
