"""Sealing: originals are kept only as age files.

``seal`` needs recipients (public), ``open_sealed`` identities (secret), so that a
machine may seal what it can never open, and an offline recovery key can be added to
every original. This module handles bytes and key texts it is handed; it never keeps a
key, writes a file or says what a failed opening held. While a large film is looked at
it may lie in a nameless file that goes with the process (``fingerprints.sources``).

The format is age-encryption.org/v1 with X25519 recipients: any age program opens what
is sealed here. Sealing alone does not say who sealed; digests and the log do that.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyrage

from holdfast.base.errors import HoldfastError, InvalidInput

_INTRO = b"age-encryption.org/v1\n"
"""First line of every age file (age specification, "Header")."""

_MAC_LINE_START = b"\n--- "
"""Begins the last line of the header (age specification, "Header")."""

_NONCE_BYTES = 16
"""Random bytes at the start of the payload (age specification, "Payload")."""

_CHUNK_BYTES = 64 * 1024
"""Plaintext in each chunk of the payload but the last (age specification)."""

_TAG_BYTES = 16
"""Poly1305 tag at the end of each chunk (RFC 8439)."""


class BadKey(InvalidInput):
    """A recipient or an identity that is not one."""

    code = "bad-key"


class CannotOpen(HoldfastError):
    """A sealed object that does not open: damaged, or sealed to other keys."""

    code = "cannot-open"


def new_identity() -> str:
    """A fresh secret identity, ``AGE-SECRET-KEY-1…``."""
    return str(pyrage.x25519.Identity.generate())


def recipient_of(identity: str) -> str:
    """The public recipient, ``age1…``, that belongs to a secret identity."""
    return str(_identity(identity).to_public())


def seal(plain: bytes, recipients: Sequence[str]) -> bytes:
    """The age file of ``plain``, which each of ``recipients`` alone can open.

    ``recipients`` are ``age1…`` texts, at least one. Sealing twice gives different
    bytes. Raises ``BadKey``.
    """
    if not recipients:
        raise BadKey("There is no key to seal to: configure at least one recipient.")
    # Naming a recipient twice would only make the header longer.
    keys = [_recipient(text) for text in dict.fromkeys(recipients)]
    return bytes(pyrage.encrypt(plain, keys))


def open_sealed(sealed: bytes, identities: Sequence[str]) -> bytes:
    """The plaintext, if any of ``identities`` opens it and no byte was changed.

    Raises ``BadKey`` for a malformed identity and ``CannotOpen`` otherwise.
    """
    keys = [_identity(text) for text in identities]
    try:
        return bytes(pyrage.decrypt(sealed, keys))
    except pyrage.DecryptError as error:
        raise CannotOpen(
            "This sealed original does not open: it is damaged, "
            "or it was sealed to other keys.",
            reason=error,
            size_bytes=len(sealed),
        ) from error


def plain_size_bytes(sealed: bytes) -> int:
    """How many bytes a sealed object holds, told from its length without a key.

    A torn object gives another number than the original's, or raises ``CannotOpen``;
    a changed byte is not seen here, only by opening.
    """
    mac_line = sealed.find(_MAC_LINE_START)
    payload = sealed.find(b"\n", mac_line + 1) + 1
    if not sealed.startswith(_INTRO) or mac_line < 0 or payload == 0:
        raise CannotOpen("This is not a whole age file.", size_bytes=len(sealed))
    body = len(sealed) - payload - _NONCE_BYTES
    chunks = -(-body // (_CHUNK_BYTES + _TAG_BYTES))
    if body < _TAG_BYTES or body - chunks * _TAG_BYTES < (chunks - 1) * _CHUNK_BYTES:
        raise CannotOpen("This is not a whole age file.", size_bytes=len(sealed))
    return body - chunks * _TAG_BYTES


def _recipient(text: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise BadKey("A recipient to seal to is malformed; it reads age1….") from error


def _identity(text: str) -> pyrage.x25519.Identity:
    try:
        return pyrage.x25519.Identity.from_str(text.strip())
    except pyrage.IdentityError as error:
        # The text is not repeated: a mistyped secret is still nearly a secret.
        raise BadKey("A key to open with is malformed.") from error
