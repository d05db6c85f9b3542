"""Where the media lie: a folder of this machine, or a bucket.

Both are listed a little at a time, so that a listing of any length fits in memory, and
files are read one by one. Nothing is ever written there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from fsspec.core import url_to_fs

from holdfast.base.errors import InvalidInput, NotFound, Unavailable
from holdfast.cli.importing.journal import Listed


class Collection(Protocol):
    """A collection of files; it can be sent to another process."""

    def listing(self) -> Iterator[Listed]:
        """Every file."""
        ...

    def open(self, path: bytes) -> Any:
        """A context with the file to read and to seek in; raises OSError."""
        ...


def collection_at(place: str) -> Collection:
    """The collection that an argument names. Raises ``NotFound``, ``InvalidInput``."""
    if "://" not in place:
        folder = Path(place)
        if not folder.is_dir():
            raise NotFound("There is no such folder.")
        return Folder(str(folder.resolve()))
    scheme, _, rest = place.partition("://")
    if scheme != "s3" or not rest.strip("/"):
        raise InvalidInput("Media come from a folder, or from s3://bucket/prefix.")
    bucket, _, prefix = rest.partition("/")
    return Bucket(bucket, prefix.rstrip("/") + "/" if prefix.strip("/") else "")


@dataclass(frozen=True)
class Folder:
    """A folder and all in it. Links to folders are not followed; they could circle."""

    root: str

    def listing(self) -> Iterator[Listed]:
        """Every file; folders of folders wait, files do not pile up.

        What cannot be read, or has gone while it was listed, is listed as well, and
        told of when it is opened. Raises ``InvalidInput`` where that is the folder
        itself, as when a share is cut off: whoever keeps the listing keeps nothing of
        it then.
        """
        waiting = [os.fsencode(self.root)]
        while waiting:
            folder = waiting.pop()
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        elif (listed := self._entry(entry)) is not None:
                            yield listed
            except OSError as error:
                self._check_root(folder, error)
                yield self._listed(folder, None)

    @contextmanager
    def open(self, path: bytes) -> Iterator[BinaryIO]:
        """The file, for reading."""
        with open(os.path.join(os.fsencode(self.root), path), "rb") as file:
            yield file

    def _check_root(self, folder: bytes, error: OSError) -> None:
        """A folder such as ``lost+found`` cannot be read: is it that one alone?"""
        if folder != os.fsencode(self.root) and os.path.isdir(self.root):
            return
        raise InvalidInput(
            f"This folder cannot be read: {self.root}. Nothing of its listing was "
            "kept, and what was registered before stays. Start again when it is there.",
            reason=error.strerror,
        ) from error

    def _entry(self, entry: os.DirEntry[bytes]) -> Listed | None:
        """A file, or a link that leads to none, or in a circle; None for what is no
        file (a pipe, a device, a link to a folder) or has gone meanwhile."""
        try:
            try:
                facts = entry.stat()
            except OSError:
                return self._listed(entry.path, entry.stat(follow_symlinks=False))
        except FileNotFoundError:
            return None
        except OSError:
            return self._listed(entry.path, None)
        return self._listed(entry.path, facts) if stat.S_ISREG(facts.st_mode) else None

    def _listed(self, path: bytes, facts: os.stat_result | None) -> Listed:
        return Listed(
            path=os.path.relpath(path, os.fsencode(self.root)),
            version=f"{facts.st_size}-{facts.st_mtime_ns}" if facts else "unreadable",
            size_bytes=facts.st_size if facts else 0,
            modified_at=facts.st_mtime if facts else 0.0,
        )


@dataclass(frozen=True)
class Bucket:
    """The objects below a prefix. Credentials and endpoint are those of boto."""

    bucket: str
    prefix: str
    _files: list[Any] = field(default_factory=list, compare=False, repr=False)
    """The connection, once it is made; each process has its own."""

    def __getstate__(self) -> dict[str, Any]:
        return {"bucket": self.bucket, "prefix": self.prefix, "_files": []}

    def listing(self) -> Iterator[Listed]:
        """Every object, a thousand at a time, in the order of their names."""
        after = ""
        while True:
            page = self._page(after)
            for each in page.get("Contents", ()):
                if not each["Key"].endswith("/"):
                    yield self._listed(each)
            if not page.get("IsTruncated"):
                return
            after = page["Contents"][-1]["Key"]

    @contextmanager
    def open(self, path: bytes) -> Iterator[BinaryIO]:
        """The object, read as it is needed."""
        name = f"{self.bucket}/{self.prefix}{path.decode()}"
        with self._connected().open(name, "rb") as file:
            yield cast(BinaryIO, file)

    def _page(self, after: str) -> dict[str, Any]:
        asked = {"Bucket": self.bucket, "Prefix": self.prefix}
        if after:
            asked["StartAfter"] = after
        try:
            answer: dict[str, Any] = self._connected().call_s3(
                "list_objects_v2", **asked
            )
        except FileNotFoundError as error:
            raise NotFound("There is no such bucket.") from error
        except Exception as error:
            # Every S3 library has its own family of errors; all mean "no answer".
            if isinstance(error, InvalidInput):
                raise
            raise Unavailable(
                "The bucket cannot be listed. Its address and key come from boto's"
                " own settings, such as AWS_ENDPOINT_URL and AWS_ACCESS_KEY_ID.",
                kind=type(error).__name__,
            ) from error
        return answer

    def _listed(self, each: dict[str, Any]) -> Listed:
        modified_at: datetime = each["LastModified"]
        return Listed(
            path=each["Key"][len(self.prefix) :].encode(),
            version=f"{each['Size']}-{each['ETag']}",
            size_bytes=each["Size"],
            modified_at=modified_at.timestamp(),
        )

    def _connected(self) -> Any:
        if not self._files:
            try:
                files, _ = url_to_fs(f"s3://{self.bucket}", use_listings_cache=False)
            except ImportError as error:
                raise InvalidInput(
                    "Reading from S3 needs the extra: pip install 'holdfast[s3]'."
                ) from error
            self._files.append(files)
        return self._files[0]
