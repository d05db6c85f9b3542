"""The segments of one table on this machine: which of them count.

The manifest names them. It is replaced by renaming, like the segments, and whoever
holds the folder's lock is the only one to do so. A file that it does not name is
swept away; a process that has it mapped keeps it for as long as it likes. A manifest
that is torn, missing or about another table counts as an empty one. Nothing here
reads PostgreSQL, and nothing here is shared with another machine.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from holdfast.matching.segments import (
    FORMAT,
    SUFFIX,
    UNFINISHED,
    Identity,
    Segment,
    UnusableSegment,
    open_segment,
    sync_folder,
)

logger = logging.getLogger(__name__)

Stamp = tuple[int, int, int]
"""Which manifest: number of its file, time of its last change in ns, size in bytes."""


class Shelf(NamedTuple):
    """What a manifest named: the segments that can be used, oldest rows first."""

    stamp: Stamp | None
    segments: tuple[Segment, ...]
    is_whole: bool
    """False if something that was named, or the manifest itself, cannot be used."""


class SegmentFolder:
    """A folder that need not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._manifest = path / "manifest.json"

    def stamp(self) -> Stamp | None:
        """Changes whenever another manifest is published; None if there is none."""
        try:
            about = self._manifest.stat()
        except OSError:
            return None
        return about.st_ino, about.st_mtime_ns, about.st_size

    def open(self, identity: Identity, known: Sequence[Segment] = ()) -> Shelf:
        """Map what the manifest names; what is ``known`` and whole stays mapped."""
        while True:
            stamp = self.stamp()
            named = self._read(identity)
            opened = {each.digest: each for each in known if each.is_whole()}
            segments: list[Segment] = []
            for name, digest in named or ():
                try:
                    segment = opened.get(digest) or open_segment(
                        self.path / name, identity
                    )
                    if segment.digest != digest:
                        raise UnusableSegment(
                            "A segment is not the one that was named.", segment=name
                        )
                    segments.append(segment)
                except (OSError, ValueError, KeyError, UnusableSegment) as error:
                    logger.warning("segment %s: %s", name, type(error).__name__)
            if stamp == self.stamp():
                # If not, another one was published and these may just be swept away.
                break
        segments.sort(key=lambda segment: segment.start)
        is_whole = stamp is None or (named is not None and len(named) == len(segments))
        return Shelf(stamp, tuple(segments), is_whole)

    @contextmanager
    def lock(self) -> Iterator[bool]:
        """True while this is the only one to build here; False if another one is."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            self._sweep(UNFINISHED)
            yield True
        finally:
            # The lock ends with its handle, in whatever way this process ends.
            os.close(handle)

    def publish(self, identity: Identity, segments: Sequence[Segment]) -> None:
        """Make ``segments`` the ones that count; under the lock only."""
        text = json.dumps(
            {
                "format": FORMAT,
                "identity": dict(identity),
                "segments": [(each.path.name, each.digest) for each in segments],
            }
        ).encode()
        new = self._manifest.with_suffix(UNFINISHED)
        new.unlink(missing_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(sha256(text).hexdigest().encode() + b"\n" + text)
            file.flush()
            os.fsync(file.fileno())
        new.rename(self._manifest)
        sync_folder(self.path)
        self._sweep(SUFFIX, keep={each.path.name for each in segments})

    def _read(self, identity: Identity) -> list[tuple[str, str]] | None:
        """Names and digests; None if the manifest cannot be used."""
        try:
            digest, _newline, text = self._manifest.read_bytes().partition(b"\n")
        except OSError:
            return None
        if sha256(text).hexdigest().encode() != digest:
            return None
        about = json.loads(text)
        if about["format"] != FORMAT or about["identity"] != dict(identity):
            return None
        return [(name, digest) for name, digest in about["segments"]]

    def _sweep(self, suffix: str, keep: Collection[str] = ()) -> None:
        for path in self.path.glob(f"*{suffix}"):
            if path.name not in keep:
                path.unlink(missing_ok=True)
