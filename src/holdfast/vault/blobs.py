"""The sealed store: originals and papers, kept once each, found by their digest.

It never writes a byte unsealed, never overwrites, and never counts a torn object as
kept: what ``put`` returned for is whole and durable. It does not know why something
is kept or when it may go; whoever calls ``delete`` must know that no other record
needs the same bytes, since equal originals share one object.

Whoever sees the folder or bucket learns how many objects there are, when they came
and nearly how large they are. They do not learn which: an object's name is an HMAC of
its SHA-256 under the installation's own key, so that a list of known digests cannot
be compared with the names.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import fsspec
from fsspec.core import url_to_fs

from holdfast.base.errors import (
    HoldfastError,
    InvalidInput,
    NotAllowed,
    NotFound,
    Unavailable,
)
from holdfast.vault.durable import (
    make_private_folder,
    remove_with_torn,
    sync_folder,
    write_once,
)
from holdfast.vault.sealing import CannotOpen, open_sealed, plain_size_bytes, seal

_MIN_NAMING_KEY_BYTES = 32
"""As long as the HMAC's output, below which RFC 2104 advises against a key."""

_SHA256_HEX = re.compile(r"[0-9a-f]{64}")


class UnusableStore(InvalidInput):
    """The configured store is of no kind that can be used here."""

    code = "unusable-store"


class BlobMissing(NotFound):
    """Nothing is kept under this digest."""

    code = "blob-missing"


class BlobDamaged(HoldfastError):
    """What is kept under this digest is not what was put there."""

    code = "blob-damaged"


@dataclass(frozen=True)
class SealedReceipt:
    """Proof of keeping: digests in lower-case hex, and where the object lies.

    ``size_bytes`` is of the plaintext. ``location`` is relative to the store, which
    may move. ``sealed_sha256`` lets an auditor check the object without a key.
    """

    sha256: str
    sealed_sha256: str
    size_bytes: int
    location: str


class BlobStore:
    """A store at ``file:///a/folder`` or ``s3://bucket/prefix``.

    ``recipients`` and ``identities`` are age keys as text; without identities the
    store keeps but cannot open. ``naming_key`` (32 bytes or more) hides the digests.
    ``options`` go to s3fs, e.g. ``{"endpoint_url": …}``. A file URL is taken as
    written, without percent-decoding. Raises ``UnusableStore``.
    """

    def __init__(
        self,
        url: str,
        recipients: Sequence[str],
        identities: Sequence[str] | None = None,
        *,
        naming_key: bytes,
        options: Mapping[str, object] | None = None,
    ) -> None:
        if len(naming_key) < _MIN_NAMING_KEY_BYTES:
            raise InvalidInput("The key that hides blob names has 32 bytes or more.")
        self._place = _place_at(url, options or {})
        self._recipients = tuple(recipients)
        self._identities = tuple(identities or ())
        self._naming_key = naming_key

    def location_of(self, sha256: str) -> str:
        """Where the object with this digest (64 hex digits) lies, or would lie."""
        if not _SHA256_HEX.fullmatch(sha256):
            raise InvalidInput("A SHA-256 is 64 lower-case hexadecimal digits.")
        digest = bytes.fromhex(sha256)
        name = hmac.new(self._naming_key, digest, hashlib.sha256).hexdigest()
        # 256 folders, so that none grows too large to list.
        return f"{name[:2]}/{name}.age"

    def put(self, plain: bytes) -> SealedReceipt:
        """Keep ``plain``; when this returns, it is whole and on the disk.

        Keeping the same bytes again changes nothing and gives the same receipt.
        Raises ``BlobDamaged`` when an object of this name is not these bytes, and
        ``Unavailable`` when the store does not answer.
        """
        sha256 = hashlib.sha256(plain).hexdigest()
        location = self.location_of(sha256)
        sealed = self._place.read(location)
        if sealed is None:
            fresh = seal(plain, self._recipients)
            if self._place.write_once(location, fresh):
                return _receipt(sha256, fresh, len(plain), location)
            # Another process was first: its object stands, and ours is forgotten.
            sealed = self._place.read(location)
        if sealed is None:
            raise Unavailable("The object was removed while it was being kept.")
        if not self._holds(sealed, plain):
            raise BlobDamaged(
                "An object of this name is kept, but it is torn or changed. "
                "Restore it from a backup.",
                location=location,
            )
        self._place.settle(location)
        return _receipt(sha256, sealed, len(plain), location)

    def get(self, sha256: str) -> bytes:
        """The plaintext with this digest, opened and compared with it.

        Raises ``BlobMissing``, ``BlobDamaged``, ``CannotOpen``, ``Unavailable``, and
        ``NotAllowed`` when this installation holds no key to open with.
        """
        if not self._identities:
            raise NotAllowed("This machine can seal originals, but not open them.")
        location = self.location_of(sha256)
        sealed = self._place.read(location)
        if sealed is None:
            raise BlobMissing("No object is kept with this digest.", location=location)
        plain = open_sealed(sealed, self._identities)
        if not hmac.compare_digest(hashlib.sha256(plain).hexdigest(), sha256):
            raise BlobDamaged(
                "The object kept with this digest holds other bytes.", location=location
            )
        return plain

    def exists(self, sha256: str) -> bool:
        """Whether a whole object was kept with this digest; it is not opened."""
        return self._place.has(self.location_of(sha256))

    def delete(self, sha256: str) -> bool:
        """Remove the object and any torn remains; False when there was none."""
        return self._place.remove(self.location_of(sha256))

    def _holds(self, sealed: bytes, plain: bytes) -> bool:
        """Whether an object found is ``plain``, as far as our keys can tell."""
        try:
            if self._identities:
                return open_sealed(sealed, self._identities) == plain
            return plain_size_bytes(sealed) == len(plain)
        except CannotOpen:
            return False


def _receipt(
    sha256: str, sealed: bytes, size_bytes: int, location: str
) -> SealedReceipt:
    sealed_sha256 = hashlib.sha256(sealed).hexdigest()
    return SealedReceipt(sha256, sealed_sha256, size_bytes, location)


class _Place(Protocol):
    """Where objects lie; locations are relative paths with forward slashes."""

    def read(self, location: str) -> bytes | None: ...
    def has(self, location: str) -> bool: ...
    def write_once(self, location: str, data: bytes) -> bool: ...
    def settle(self, location: str) -> None: ...
    def remove(self, location: str) -> bool: ...


def _place_at(url: str, options: Mapping[str, object]) -> _Place:
    """The place a URL names. Only kinds whose writes are all-or-nothing are taken."""
    protocol = url.partition("://")[0] if "://" in url else ""
    if protocol not in ("file", "s3"):
        raise UnusableStore(
            "The sealed store is file:///a/folder or s3://bucket/prefix.",
            protocol=protocol or "none",
        )
    if protocol == "file":
        return _Folder(Path(url_to_fs(url)[1]))
    try:
        # A cached listing would say "missing" of what another machine just kept.
        files, root = url_to_fs(url, use_listings_cache=False, **options)
    except ImportError as error:
        raise UnusableStore(
            "Keeping originals in S3 needs the extra: pip install 'holdfast[s3]'."
        ) from error
    return _Bucket(files, root)


class _Folder:
    """Objects as files of a private folder, named only once they are durable."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, location: str) -> bytes | None:
        try:
            return (self._root / location).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable(
                "The folder of sealed originals cannot be read.", errno=error.errno
            ) from error

    def has(self, location: str) -> bool:
        return (self._root / location).is_file()

    def write_once(self, location: str, data: bytes) -> bool:
        path = self._root / location
        make_private_folder(self._root)
        make_private_folder(path.parent)
        return write_once(path, data)

    def settle(self, location: str) -> None:
        """The process that wrote the file may have died before its name was synced."""
        sync_folder((self._root / location).parent)

    def remove(self, location: str) -> bool:
        return remove_with_torn(self._root / location)


_ANSWERS: dict[str, tuple[type[Exception], ...]] = {
    "cat_file": (FileNotFoundError,),
    "exists": (),
    "pipe_file": (FileExistsError,),
    "rm_file": (),
}
"""The errors of each call to a bucket that are answers; all others are failures. A
missing bucket is reported as a missing file, which is no answer to a write."""


class _Bucket:
    """Objects of an S3 bucket, where a write is all or nothing.

    Overwriting is refused by the bucket itself (``If-None-Match: *``). A bucket with
    versions keeps what is deleted until its own rules expire it.
    """

    def __init__(self, files: fsspec.AbstractFileSystem, root: str) -> None:
        self._files = files
        self._root = root.rstrip("/")

    def _call(self, method: str, location: str, *args: object, **more: object) -> Any:
        try:
            call = getattr(self._files, method)
            return call(f"{self._root}/{location}", *args, **more)
        except _ANSWERS[method]:
            raise
        except Exception as error:
            # Every S3 library has its own family of errors; all mean "no answer".
            raise Unavailable(
                "The bucket of sealed originals did not answer as it should.",
                location=location,
                kind=type(error).__name__,
            ) from error

    def read(self, location: str) -> bytes | None:
        try:
            return bytes(self._call("cat_file", location))
        except FileNotFoundError:
            return None

    def has(self, location: str) -> bool:
        return bool(self._call("exists", location))

    def write_once(self, location: str, data: bytes) -> bool:
        try:
            self._call("pipe_file", location, data, mode="create")
        except FileExistsError:
            return False
        return True

    def settle(self, location: str) -> None:
        """An object of a bucket is durable as soon as it can be read."""

    def remove(self, location: str) -> bool:
        if not self.has(location):
            return False
        self._call("rm_file", location)
        return True
