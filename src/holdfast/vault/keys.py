"""The installation's keys: made once, never replaced, shown to nobody.

One file holds three secrets: a root from which every other key is derived by purpose,
the Ed25519 key that signs checkpoints, and the age identity that opens originals. It
is one file so that two processes starting together get all keys of one of them, never
some of each. Losing it means losing the originals: back it up, or add an offline
recovery recipient to the store. This module never prints, logs or renews a key.

Derivation is HKDF-SHA256 (RFC 5869); small secrets are sealed with AES-256-GCM (NIST
SP 800-38D).
"""

from __future__ import annotations

import json
import re
import secrets
import stat
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from holdfast.base.errors import HoldfastError, InvalidInput, NotFound, Refused
from holdfast.vault.checkpoints import VerifierKey
from holdfast.vault.durable import make_private_folder, write_once
from holdfast.vault.sealing import new_identity, recipient_of

FILE_NAME = "keyring.json"
"""The one file in the key folder."""

_VERSION = 1
"""Layout of the file and of what is derived; a change of either is a new number."""

_KEY_BYTES = 32
"""Length of the root, of an Ed25519 seed (RFC 8032) and of every derived key."""

_NONCE_BYTES = 12
"""Random nonce of AES-GCM (SP 800-38D); safe for 2**32 secrets under one key."""

_TOKEN_START = "v1."
"""Begins an encrypted small secret, so that another scheme can follow."""

_DOES_NOT_OPEN = "A stored secret does not open with this installation's keys."

_PURPOSE = re.compile(r"[a-z][a-z0-9-]{0,62}")


class KeysMissing(NotFound):
    """The folder holds no keys."""

    code = "keys-missing"


class KeysExposed(Refused):
    """Other accounts of the machine can reach the keys."""

    code = "keys-exposed"


class KeysMalformed(InvalidInput):
    """What should be a key ring is not one."""

    code = "keys-malformed"


class SecretDamaged(HoldfastError):
    """An encrypted secret was changed, moved, or made by another installation."""

    code = "secret-damaged"


@dataclass(frozen=True, repr=False)
class KeyRing:
    """The keys of one installation. Its ``repr`` shows none of them."""

    _root: bytes
    _log_seed: bytes
    sealing_recipient: str
    """Public age key (``age1…``) to which every original is sealed."""
    opening_identity: str | None
    """Secret age key that opens originals; None on machines that only seal."""

    def __repr__(self) -> str:
        return "KeyRing(…)"

    @classmethod
    def generate(cls) -> KeyRing:
        """A fresh ring, kept nowhere."""
        identity = new_identity()
        return cls(
            secrets.token_bytes(_KEY_BYTES),
            secrets.token_bytes(_KEY_BYTES),
            recipient_of(identity),
            identity,
        )

    @classmethod
    def open(cls, folder: Path) -> KeyRing:
        """The ring in ``folder``.

        Raises ``KeysMissing``, ``KeysMalformed``, and ``KeysExposed`` when any other
        account may read the file or enter the folder.
        """
        path = folder / FILE_NAME
        try:
            for each, what in ((folder, "folder"), (path, "file")):
                _refuse_exposed(each, what)
            return cls._from_json(path.read_bytes())
        except FileNotFoundError as error:
            raise KeysMissing(
                "There are no keys here. The first start of Holdfast makes them; "
                "a later one must find them, or originals stay sealed."
            ) from error
        except OSError as error:
            raise KeysExposed(
                "The keys cannot be read by the account Holdfast runs as.",
                errno=error.errno,
            ) from error

    @classmethod
    def create_if_missing(cls, folder: Path) -> KeyRing:
        """The ring in ``folder``, made now if there is none.

        The folder gets mode 0700 and the file 0600. When several processes do this
        at once, all return the same keys. Raises as ``open`` does.
        """
        make_private_folder(folder)
        if not (folder / FILE_NAME).exists():
            _refuse_exposed(folder, "folder")
            write_once(folder / FILE_NAME, cls.generate()._to_json())
        # Whoever was first, what counts is what is now on the disk.
        return cls.open(folder)

    @classmethod
    def from_bundle(cls, bundle: str) -> KeyRing:
        """The ring that ``bundle()`` of another machine wrote."""
        try:
            raw = b64decode("".join(bundle.split()), validate=True)
        except ValueError:
            # The cause is left out, because it could quote the secret.
            raise KeysMalformed("The key bundle is not base64.") from None
        return cls._from_json(raw)

    def bundle(self) -> str:
        """The whole ring as one line of base64. It is as secret as the keys."""
        return b64encode(self._to_json()).decode()

    def sealing_only(self) -> KeyRing:
        """The same ring without the key that opens originals."""
        return replace(self, opening_identity=None)

    @property
    def opening_identities(self) -> tuple[str, ...]:
        """The secret age keys held here, as the blob store takes them."""
        return () if self.opening_identity is None else (self.opening_identity,)

    @property
    def log_signing_key(self) -> Ed25519PrivateKey:
        """The key that signs checkpoints."""
        return Ed25519PrivateKey.from_private_bytes(self._log_seed)

    def verifier_key(self, origin: str) -> VerifierKey:
        """The public key to hand out, with the log's name (``origin``)."""
        public_key = self.log_signing_key.public_key().public_bytes_raw()
        return VerifierKey(origin, public_key)

    def hmac_key(self, purpose: str) -> bytes:
        """32 bytes for one purpose: a lower-case word like ``blob-names``.

        Keys of different purposes tell nothing about each other or the root.
        """
        if not _PURPOSE.fullmatch(purpose):
            raise InvalidInput("A key's purpose is a lower-case word with hyphens.")
        return self._derive(f"hmac {purpose}")

    def django_secret_key(self) -> str:
        """The value of Django's SECRET_KEY: the same on every machine of the ring."""
        return urlsafe_b64encode(self._derive("django secret key")).decode()

    def encrypt_secret(self, plain: str, *, bound_to: str = "") -> str:
        """A small secret (TOTP, webhook) as text that may lie in the database.

        ``bound_to`` names its place, e.g. ``staff-totp:<id>``: copied to another row,
        it does not open. Encrypting twice gives different texts.
        """
        sealed = self.encrypt_bytes(plain.encode(), bound_to=bound_to)
        return _TOKEN_START + urlsafe_b64encode(sealed).decode()

    def decrypt_secret(self, token: str, *, bound_to: str = "") -> str:
        """What ``encrypt_secret`` was given; ``SecretDamaged`` otherwise."""
        start, encoded = token[: len(_TOKEN_START)], token[len(_TOKEN_START) :]
        try:
            if start != _TOKEN_START:
                raise ValueError
            sealed = urlsafe_b64decode(encoded)
            # Several texts can decode to the same bytes; only one was written.
            if urlsafe_b64encode(sealed).decode() != encoded:
                raise ValueError
            return self.decrypt_bytes(sealed, bound_to=bound_to).decode()
        except ValueError:
            raise SecretDamaged(_DOES_NOT_OPEN) from None

    def encrypt_bytes(self, plain: bytes, *, bound_to: str = "") -> bytes:
        """The same for bytes, such as what is kept of a picture: 28 bytes longer."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher().encrypt(nonce, plain, bound_to.encode())

    def decrypt_bytes(self, sealed: bytes, *, bound_to: str = "") -> bytes:
        """What ``encrypt_bytes`` was given; ``SecretDamaged`` otherwise."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher().decrypt(nonce, rest, bound_to.encode())
        except (ValueError, InvalidTag):
            raise SecretDamaged(_DOES_NOT_OPEN) from None

    def _cipher(self) -> AESGCM:
        return AESGCM(self._derive("small secrets"))

    def _derive(self, label: str) -> bytes:
        info = f"holdfast v{_VERSION} {label}".encode()
        return HKDF(SHA256(), _KEY_BYTES, salt=None, info=info).derive(self._root)

    def _to_json(self) -> bytes:
        entries = {
            "version": _VERSION,
            "root": b64encode(self._root).decode(),
            "log_signing_seed": b64encode(self._log_seed).decode(),
            "sealing_recipient": self.sealing_recipient,
            "opening_identity": self.opening_identity,
        }
        return json.dumps(entries, indent=2).encode() + b"\n"

    @classmethod
    def _from_json(cls, raw: bytes) -> KeyRing:
        try:
            entries = json.loads(raw)
            if entries["version"] != _VERSION:
                raise ValueError
            root = b64decode(entries["root"], validate=True)
            log_seed = b64decode(entries["log_signing_seed"], validate=True)
            recipient = entries["sealing_recipient"]
            identity = entries["opening_identity"]
            if len(root) != _KEY_BYTES or len(log_seed) != _KEY_BYTES:
                raise ValueError
            if identity is not None and recipient_of(identity) != recipient:
                raise ValueError
            if not isinstance(recipient, str):
                raise TypeError
        except (ValueError, TypeError, LookupError, AttributeError, InvalidInput):
            # The cause is left out, because it could quote the secret.
            raise KeysMalformed(
                "The key ring is malformed. Restore it from its backup: new keys "
                "would leave every original sealed for ever."
            ) from None
        return cls(root, log_seed, recipient, identity)


def _refuse_exposed(path: Path, what: str) -> None:
    """Refuse what any other account can reach, as ssh does with its keys."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeysExposed(
            f"Other accounts can reach the key {what}. Make it private "
            f"(chmod {'700' if what == 'folder' else '600'}), and consider the keys "
            "known to whoever could read them.",
            mode=oct(mode),
        )
