"""Checkpoints: the log's size and root, signed so that anybody can hold us to them.

The text form is C2SP tlog-checkpoint over C2SP signed-note, which Go's checksum
database, Sigstore and the public witnesses already read. This module signs and
verifies text with a key it is handed; it never keeps a key and never decides whether
a checkpoint may be signed (a log must not sign two that disagree: that is the
caller's duty).

    holdfast.example/log
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — holdfast.example/log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5…

Sources: c2sp.org/tlog-checkpoint and c2sp.org/signed-note; signatures are Ed25519
(RFC 8032).
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from holdfast.base.errors import InvalidInput, Refused

HASH_SIZE_BYTES = 32
"""Length of a root: SHA-256, RFC 9162 section 2.1.1."""

_ED25519 = b"\x01"
"""Signature type of Ed25519 (signed-note, "Signature types")."""

_KEY_ID_BYTES = 4
"""Length of the key id before each signature (signed-note, "Format")."""

_SIGNATURE_START = "\N{EM DASH} "
"""What each signature line begins with (signed-note, "Format")."""

_MAX_NOTE_CHARS = 1_000_000
"""A limit on a note as signed-note asks for; a checkpoint of ours is about 250."""

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
"""A tree size: decimal without leading zeroes; 19 digits stay below 2**64."""


class CheckpointRefused(Refused):
    """A checkpoint that is malformed, or not signed by the key it must be."""

    code = "checkpoint-refused"


@dataclass(frozen=True)
class VerifierKey:
    """A name and the Ed25519 public key (32 bytes) that signs under it.

    Its text form, ``name+key id in hex+base64``, is what a person keeps outside the
    installation to verify exports with.
    """

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or re.search(r"\s", self.name):
            raise InvalidInput(
                "The name of a log has no spaces and no plus sign, "
                "like holdfast.example/log."
            )
        if len(self.public_key) != HASH_SIZE_BYTES:
            raise InvalidInput("An Ed25519 public key has 32 bytes.")

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell keys apart; they do not stand in for the key."""
        text = self.name.encode() + b"\n" + _ED25519 + self.public_key
        return sha256(text).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        key = b64encode(_ED25519 + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read the text form; ``InvalidInput`` when any part of it is off."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        raw = _decode(encoded)
        if raw is None or raw[:1] != _ED25519:
            raise InvalidInput("This is not the verifier key of an Ed25519 log.")
        key = cls(name, raw[1:])
        if key.key_id.hex() != key_id:
            raise InvalidInput("The verifier key was mistyped: its parts disagree.")
        return key


@dataclass(frozen=True)
class Checkpoint:
    """A log of this ``origin`` held ``size`` leaves under this ``root`` (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def to_text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def sign_checkpoint(
    origin: str, size: int, root: bytes, signing_key: Ed25519PrivateKey
) -> str:
    """The signed note over a tree head; the key's name is the origin.

    ``size`` is 0 or more, ``root`` 32 bytes. Raises ``InvalidInput``.
    """
    if size < 0 or not _SIZE.fullmatch(str(size)) or len(root) != HASH_SIZE_BYTES:
        raise InvalidInput("A checkpoint needs a size and a root of 32 bytes.")
    return sign_note(Checkpoint(origin, size, root).to_text(), origin, signing_key)


def parse_and_verify_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """The checkpoint in ``note``, or ``CheckpointRefused``.

    The signature is checked before the text is read, and the origin must be the
    key's own name, so that a key used for two logs cannot lend one's word to the
    other.
    """
    lines = verify_note(note, key).removesuffix("\n").split("\n")
    if len(lines) < 3 or not all(lines):
        raise CheckpointRefused("A checkpoint has an origin, a size and a root.")
    origin, size, encoded = lines[:3]
    root = _decode(encoded)
    if not _SIZE.fullmatch(size) or root is None or len(root) != HASH_SIZE_BYTES:
        raise CheckpointRefused("The size or the root of this checkpoint is malformed.")
    if origin != key.name:
        raise CheckpointRefused("This checkpoint is of another log.")
    return Checkpoint(origin, int(size), root)


def sign_note(text: str, name: str, signing_key: Ed25519PrivateKey) -> str:
    """``text``, which ends with a newline, and one signature line under it."""
    key = VerifierKey(name, signing_key.public_key().public_bytes_raw())
    if not text.endswith("\n") or _has_control_characters(text):
        raise InvalidInput("The text of a note is whole lines without control codes.")
    signature = key.key_id + signing_key.sign(text.encode())
    return f"{text}\n{_SIGNATURE_START}{name} {b64encode(signature).decode()}\n"


def verify_note(note: str, key: VerifierKey) -> str:
    """The signed text of ``note``, or ``CheckpointRefused``.

    Lines of unknown keys are passed over, so that witnesses may add theirs. A line of
    this key that does not verify refuses the note, whatever stands beside it.
    """
    text, separator, signatures = note.rpartition("\n\n")
    text += "\n"
    if (
        not separator
        or not signatures.endswith("\n")
        or len(note) > _MAX_NOTE_CHARS
        or _has_control_characters(note)
    ):
        raise CheckpointRefused("This is not a signed checkpoint.")
    verified = False
    for line in signatures.removesuffix("\n").split("\n"):
        verified = _verify_line(line, text, key) or verified
    if not verified:
        raise CheckpointRefused("This checkpoint is not signed by the log's key.")
    return text


def _verify_line(line: str, text: str, key: VerifierKey) -> bool:
    """Whether this line is a good signature by ``key``; False when another's."""
    name, _, encoded = line.removeprefix(_SIGNATURE_START).partition(" ")
    raw = _decode(encoded)
    if (
        not line.startswith(_SIGNATURE_START)
        or not name
        or "+" in name
        or raw is None
        or len(raw) <= _KEY_ID_BYTES
    ):
        raise CheckpointRefused("A signature line of this checkpoint is malformed.")
    if name != key.name or raw[:_KEY_ID_BYTES] != key.key_id:
        return False
    public_key = Ed25519PublicKey.from_public_bytes(key.public_key)
    try:
        public_key.verify(raw[_KEY_ID_BYTES:], text.encode())
    except (InvalidSignature, UnicodeEncodeError) as error:
        raise CheckpointRefused(
            "This checkpoint was altered, or signed with another key of this name."
        ) from error
    return True


def _has_control_characters(text: str) -> bool:
    return any(character < " " and character != "\n" for character in text)


def _decode(encoded: str) -> bytes | None:
    """Strict base64: None unless this is the one spelling of those bytes."""
    try:
        raw = b64decode(encoded, validate=True)
    except ValueError:
        return None
    return raw if b64encode(raw).decode() == encoded else None
