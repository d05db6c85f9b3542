"""Files of fingerprints and their tables, mapped into memory and shared by processes.

A segment holds all rows that some range of transactions left in a table of
PostgreSQL, and never changes. It is written under another name, flushed to the disk
and renamed, so a name that ends in ``.segment`` belongs to a whole file; a file that
is torn all the same (a failing disk, a hand) is noticed when it is opened, by its
length, header and trailer, and its contents can be verified at leisure. PostgreSQL
is the truth: an unusable segment is only a reason to build another.

Who reads behind the end of a file that was cut short under it is killed by the system
(SIGBUS). So its length is asked for again before each search and while it is read
through. One that is cut short within the milliseconds of a search still ends the
process; it is started again, finds the file too short, and does without it.

What it holds is content. Files are for their owner alone (0600, in a folder 0700).
"""

from __future__ import annotations

import json
import mmap
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from holdfast.base.errors import HoldfastError
from holdfast.matching.table_rows import Rows, Witness
from holdfast.signals.hamming import WORDS, Matches, search
from holdfast.signals.multi_index import search_tables
from holdfast.signals.tables import Tables, build, shapes, shuffled, words_for

FORMAT = 2
"""Also stands for the order in which ``shuffled`` puts bits; see there. A file of
another format is left aside and built again."""
MAGIC = b"holdfast segment\n"
HEADER_BYTES = 1 << 16
"""Room for the header, and where the rows begin: a whole number of memory pages."""
ALIGN_BYTES = 4096
DIGEST_BYTES = 32
CHECKED_BYTES = 1 << 24
"""Read through at once between two looks at the file's length; some milliseconds."""
SUFFIX = ".segment"
UNFINISHED = ".new"

Identity = Mapping[str, str]
"""Which table a segment was read from; see ``TableRows.identity``."""


class UnusableSegment(HoldfastError):
    """A segment is torn, of another version or of another table."""

    code = "unusable-segment"


class _Section(NamedTuple):
    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return int(np.dtype(self.dtype).itemsize * np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Segment:
    """One file, open. ``digest`` is its header's, by which a manifest knows it."""

    path: Path
    digest: str
    start: int
    end: int
    """Transactions from ``start`` on and below ``end``: every row of theirs is here
    that was there when this was built."""
    witnesses: tuple[Witness, ...]
    """Rows that were written last, the last one first; at least one."""
    rows: NDArray[np.uint64]
    ids: NDArray[np.int64]
    tables: Tables | None
    sections: Mapping[str, tuple[NDArray[np.uint8], str]]
    """The bytes of each part and their SHA-256."""
    mapped: mmap.mmap

    def is_whole(self) -> bool:
        """Whether the file still is as long as what was mapped of it."""
        # This asks the file itself, also when its name is gone.
        return self.mapped.size() >= len(self.mapped)

    def near(self, queries: NDArray[np.uint64], radius_bits: int) -> Matches:
        """As :func:`signals.hamming.search`; ``queries`` are shuffled.

        Raises :class:`UnusableSegment` where the file was cut short.
        """
        self._check()
        if self.tables is None:
            return search(queries, self.rows, radius_bits)
        return search_tables(queries, self.rows, self.tables, radius_bits)

    def verify(self) -> None:
        """Read everything once. Raises :class:`UnusableSegment` where a bit changed."""
        for name, (data, digest) in self.sections.items():
            found = sha256()
            for part in self._parts(data):
                found.update(part.data)
            if found.hexdigest() != digest:
                raise UnusableSegment(
                    "A segment of the search is not what was written.",
                    segment=self.path.name,
                    section=name,
                )

    def warm(self) -> None:
        """Have every page mapped, read from the disk where need be.

        Raises :class:`UnusableSegment` where the file was cut short.
        """
        for data, _digest in self.sections.values():
            for part in self._parts(data):
                part[::ALIGN_BYTES].max(initial=0)

    @property
    def size_bytes(self) -> int:
        """The size of the file."""
        return (
            HEADER_BYTES
            + DIGEST_BYTES
            + sum(_aligned(data.size) for data, _digest in self.sections.values())
        )

    def _parts(self, data: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
        for start in range(0, len(data), CHECKED_BYTES):
            self._check()
            yield data[start : start + CHECKED_BYTES]

    def _check(self) -> None:
        if not self.is_whole():
            raise _unusable(self.path, "length")


class SegmentWriter:
    """One new segment in ``folder``: :meth:`add` all its rows, then :meth:`publish`.

    Room for ``count`` rows is taken on the disk first, so that a full disk is an
    OSError here and not a fault in the middle of writing to a mapped file.
    """

    def __init__(self, folder: Path, count: int, words: int | None = None) -> None:
        self._count = count
        self._added = 0
        self._words = words_for(count) if words is None else words
        self._layout = _layout(count, self._words)
        self._path = folder / f"{secrets.token_hex(8)}{SUFFIX}{UNFINISHED}"
        size = HEADER_BYTES + DIGEST_BYTES
        size += sum(_aligned(section.size) for section in self._layout)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.posix_fallocate(self._file, 0, size)
            self._map = mmap.mmap(self._file, size)
        except BaseException:
            self.discard()
            raise
        self._arrays = _arrays(self._map, self._layout)

    def add(self, batch: Rows) -> None:
        """Put some rows behind those that are there."""
        end = self._added + len(batch.ids)
        if end > self._count:
            raise ValueError("more rows than were announced")
        self._arrays["rows"][self._added : end] = shuffled(batch.words)
        self._arrays["ids"][self._added : end] = batch.ids
        self._added = end

    def publish(
        self, identity: Identity, start: int, witnesses: Sequence[Witness]
    ) -> Segment:
        """Build the tables, write everything to the disk, give the file its name.

        The rows are those of all transactions from ``start`` on to that of the first
        of ``witnesses``, which was written last.
        """
        if self._added != self._count:
            raise ValueError("fewer rows than were announced")
        if self._words:
            build(self._arrays["rows"], _tables(self._arrays))
        about = {
            "format": FORMAT,
            "identity": dict(identity),
            "start": start,
            "end": witnesses[0].xid + 1,
            "witnesses": [
                (xid, row_id, fingerprint.hex())
                for xid, row_id, fingerprint in witnesses
            ],
            "rows": self._count,
            "words": self._words,
            "length": len(self._map),
            "sections": {
                name: sha256(_bytes_of(array).data).hexdigest()
                for name, array in self._arrays.items()
            },
        }
        text = json.dumps(about).encode()
        digest = sha256(text).digest()
        header = MAGIC + digest.hex().encode() + b" %d\n" % len(text) + text
        if len(header) > HEADER_BYTES:
            raise ValueError("the header is too long")
        self._map[: len(header)] = header
        self._map[-DIGEST_BYTES:] = digest
        self._map.flush()
        os.fsync(self._file)
        self._forget_pages()
        os.close(self._file)
        self._file = -1
        final = self._path.with_suffix("")
        self._path.rename(final)
        sync_folder(final.parent)
        segment = open_segment(final, identity)
        segment.warm()
        return segment

    def _forget_pages(self) -> None:
        """Have the file read anew by whoever maps it next.

        What is written through a map stays in memory as pages of 4 KiB. What is read
        in order comes in far larger ones where the kernel can, and a search of many
        scattered rows is a quarter quicker with those: the processor finds each place
        without looking up where its page is. Measured in ``bench copies``.
        """
        self._arrays = {}
        self._map.close()
        os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_DONTNEED)

    def discard(self) -> None:
        """Leave nothing behind; does nothing to a segment that was published."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            self._path.unlink(missing_ok=True)


@contextmanager
def new_segment(
    folder: Path, count: int, words: int | None = None
) -> Iterator[SegmentWriter]:
    """A :class:`SegmentWriter` whose file is gone if it was not published."""
    writer = SegmentWriter(folder, count, words)
    try:
        yield writer
    finally:
        writer.discard()


def open_segment(path: Path, identity: Identity) -> Segment:
    """Map a segment. Reads its header and trailer only.

    Raises :class:`UnusableSegment` if it is torn, of another version or read from
    another table than ``identity``, and FileNotFoundError if it is gone.
    """
    with path.open("rb") as file:
        length = os.fstat(file.fileno()).st_size
        if length < HEADER_BYTES + DIGEST_BYTES:
            raise _unusable(path, "length")
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    header = mapped[:HEADER_BYTES]
    if not header.startswith(MAGIC):
        raise _unusable(path, "version")
    first, _newline, rest = header[len(MAGIC) :].partition(b"\n")
    digest, _space, size = first.partition(b" ")
    text = rest[: int(size)] if size.isdigit() else b""
    if sha256(text).hexdigest().encode() != digest:
        raise _unusable(path, "header")
    about: dict[str, Any] = json.loads(text)
    if about["format"] != FORMAT:
        raise _unusable(path, "version")
    if about["length"] != length or mapped[-DIGEST_BYTES:].hex().encode() != digest:
        raise _unusable(path, "trailer")
    if about["identity"] != dict(identity):
        raise _unusable(path, "identity")
    arrays = _arrays(mapped, _layout(about["rows"], about["words"]))
    return Segment(
        path=path,
        digest=digest.decode(),
        start=about["start"],
        end=about["end"],
        witnesses=tuple(
            Witness(xid, row_id, bytes.fromhex(fingerprint))
            for xid, row_id, fingerprint in about["witnesses"]
        ),
        rows=arrays["rows"],
        ids=arrays["ids"],
        tables=_tables(arrays) if about["words"] else None,
        sections={
            name: (_bytes_of(array), about["sections"][name])
            for name, array in arrays.items()
        },
        mapped=mapped,
    )


def sync_folder(folder: Path) -> None:
    """Have the names in ``folder`` written to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unusable(path: Path, what: str) -> UnusableSegment:
    return UnusableSegment(
        "A segment of the search cannot be used; it is built again.",
        segment=path.name,
        wrong=what,
    )


def _layout(count: int, words: int) -> list[_Section]:
    sections = [
        _Section("rows", "<u8", (count, WORDS)),
        _Section("ids", "<i8", (count,)),
    ]
    if words:
        tables = shapes(count, words)
        sections += [_Section(name, *shape) for name, shape in tables.items()]
    return sections


def _tables(arrays: Mapping[str, NDArray[Any]]) -> Tables:
    return Tables(**{name: arrays[name] for name in Tables._fields})


def _arrays(mapped: mmap.mmap, layout: Sequence[_Section]) -> dict[str, NDArray[Any]]:
    arrays, offset = {}, HEADER_BYTES
    for name, dtype, shape in layout:
        count = int(np.prod(shape, dtype=np.int64))
        flat = np.frombuffer(mapped, dtype, count, offset)
        arrays[name] = flat.reshape(shape)
        offset += _aligned(flat.nbytes)
    return arrays


def _bytes_of(array: NDArray[Any]) -> NDArray[np.uint8]:
    return array.reshape(-1).view(np.uint8)


def _aligned(size: int) -> int:
    return -(-size // ALIGN_BYTES) * ALIGN_BYTES
