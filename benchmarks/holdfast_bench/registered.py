"""N pictures registered by one platform, as rows; some are planted copies of others.

Holdfast makes these rows one by one, at the pace at which pictures are posted. Here
they come by binary COPY, with every constraint checked at the end: indexes and foreign
keys of the tables are dropped for the while and built again from their own definitions.
Fingerprints are uniform; real ones differ, see the facts about pictures in the
reference. The events of registrations are not written: nothing of a report reads them.
Source of the format: the PostgreSQL manual, COPY, "Binary Format".
"""

from __future__ import annotations

import hashlib
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import LiteralString
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from holdfast.signals.hamming import FINGERPRINT_BYTES

COPIES = 20
"""Planted copies of each picture that is going to be reported."""
FARTHEST_BITS = 31
"""The copies' distances are spread evenly from 0 to this."""
BATCH_ROWS = 100_000
PICTURES_EACH = 20
"""Pictures of one account."""
POSTED_IN_MS = 90 * 24 * 3600 * 1000
"""The pictures were posted evenly over so many milliseconds, up to now."""
HOST = "plaza.example"
SEED = 20_261_122
TABLES = (
    "hf_actor", "hf_item", "hf_item_url", "hf_media", "hf_fingerprint", "hf_view"
)  # fmt: skip

_EPOCH_S = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
"""Where PostgreSQL's timestamps begin."""
_COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_TRAILER = struct.pack(">h", -1)
_MEMORY = "512MB"
"""For building the indexes again."""

Value = NDArray[np.uint8] | bytes
"""A column of a batch as PostgreSQL sends it: (rows, bytes), or the same in each."""


@dataclass(frozen=True)
class Group:
    """A picture and its copies, by their numbers."""

    original: int
    copies: tuple[int, ...]

    @property
    def names(self) -> list[str]:
        """All of them, as the platform names them, in the order of names."""
        return sorted(map(name_of, (self.original, *self.copies)))


def name_of(number: int) -> str:
    """The platform's own id of a picture."""
    return f"p{number:09d}"


def bytes_of(name: str) -> bytes:
    """The file behind a picture: its digest is the registered one."""
    return f"The bytes of {name}, for a benchmark.".encode()


class Pictures:
    """``count`` pictures, among them so many groups, spread at random over all."""

    def __init__(self, count: int, groups: int) -> None:
        self.count = count
        chance = np.random.default_rng(SEED)
        members = chance.choice(count, (groups, 1 + COPIES), replace=False)
        self.groups = [Group(int(row[0]), tuple(row[1:].tolist())) for row in members]
        self._planted: dict[int, NDArray[np.uint8]] = {}
        distances = np.linspace(0, FARTHEST_BITS, COPIES).round().astype(int)
        for group in self.groups:
            original = chance.integers(0, 2, 8 * FINGERPRINT_BYTES, np.uint8)
            self._planted[group.original] = np.packbits(original)
            for copy, distance in zip(group.copies, distances, strict=True):
                bits = original.copy()
                bits[chance.choice(len(bits), distance, replace=False)] ^= 1
                self._planted[copy] = np.packbits(bits)

    def fingerprints(self, numbers: range) -> NDArray[np.uint8]:
        """(pictures, 8, 32): as it is, and turned and mirrored seven ways."""
        chance = np.random.default_rng((SEED, numbers.start))
        made = chance.integers(0, 256, (len(numbers), 8, FINGERPRINT_BYTES), np.uint8)
        for number in self._planted.keys() & set(numbers):
            made[number - numbers.start, 0] = self._planted[number]
        return made


def register(
    database_url: str,
    platform_id: UUID,
    pictures: Pictures,
    media_url: str,
    progress: Callable[[str], None],
) -> None:
    """Write all rows, check what constrains them, and gather statistics.

    ``media_url``: where the platform serves the files, each under its name.
    """
    with psycopg.connect(database_url, autocommit=True) as connection:
        writer = _Writer(connection, platform_id, pictures, media_url)
        with _bare_tables(connection, progress):
            writer.write_actors()
            for start in range(0, pictures.count, BATCH_ROWS):
                writer.write(range(start, min(start + BATCH_ROWS, pictures.count)))
                progress(f"{start:,} of {pictures.count:,} pictures registered")
        connection.execute(
            "SELECT setval(pg_get_serial_sequence('hf_fingerprint', 'id'), %s)",
            [pictures.count],
        )
        progress("Gathering statistics")
        # As autovacuum would have done over the months.
        for table in TABLES:
            connection.execute(
                sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table))
            )


class _Writer:
    def __init__(
        self,
        connection: psycopg.Connection,
        platform_id: UUID,
        pictures: Pictures,
        media_url: str,
    ) -> None:
        self._connection = connection
        self._platform = platform_id.bytes
        self._pictures = pictures
        self._media_url = media_url
        self._chance = np.random.default_rng(SEED + 1)
        self._now_ms = time.time_ns() // 1_000_000
        accounts = -(-pictures.count // PICTURES_EACH)
        self._actors = self._uuids(np.full(accounts, self._now_ms - POSTED_IN_MS))

    def write_actors(self) -> None:
        """The accounts; each picture's is drawn later."""
        for start in range(0, len(self._actors), BATCH_ROWS):
            ids = self._actors[start : start + BATCH_ROWS]
            names = [f"a{start + place:08d}" for place in range(len(ids))]
            made_at = _timestamps(np.full(len(ids), self._now_ms - POSTED_IN_MS))
            with self._connection.transaction():
                self._copy(
                    "hf_actor",
                    len(ids),
                    id=ids,
                    platform_id=self._platform,
                    external_id=_texts(names),
                    screen_name=b"",
                    display_name=b"",
                    profile_url=b"",
                    normal_profile_url=b"",
                    email=b"",
                    state=b"active",
                    deliveries=_int4(0),
                    registered_at=made_at,
                )

    def write(self, numbers: range) -> None:
        """The rows of these pictures, in one transaction."""
        names = [name_of(number) for number in numbers]
        share = np.arange(numbers.start, numbers.stop) / self._pictures.count
        posted_ms = self._now_ms - POSTED_IN_MS + (share * POSTED_IN_MS).astype(int)
        items, media = self._uuids(posted_ms), self._uuids(posted_ms)
        with self._connection.transaction():
            self._write_items(names, items, posted_ms)
            self._write_media(names, items, media, posted_ms)
            self._write_signals(numbers, items, media, posted_ms)

    def _write_items(
        self, names: list[str], items: NDArray[np.uint8], posted_ms: NDArray[np.int64]
    ) -> None:
        at = _timestamps(posted_ms)
        posters = self._chance.integers(len(self._actors), size=len(names))
        self._copy(
            "hf_item",
            len(names),
            id=items,
            platform_id=self._platform,
            external_id=_texts(names),
            kind=b"image",
            actor_id=self._actors[posters],
            url=_texts([f"https://{HOST}/p/{name}" for name in names]),
            text=b"A picture.",
            language=b"en",
            posted_at=at,
            state=b"visible",
            confirmed_state=b"visible",
            deliveries=_int4(0),
            registered_at=at,
        )
        self._copy(
            "hf_item_url",
            len(names),
            id=self._uuids(posted_ms),
            platform_id=self._platform,
            item_id=items,
            normal_url=_texts([f"{HOST}/p/{name}" for name in names]),
        )

    def _write_media(
        self,
        names: list[str],
        items: NDArray[np.uint8],
        media: NDArray[np.uint8],
        posted_ms: NDArray[np.int64],
    ) -> None:
        self._copy(
            "hf_media",
            len(names),
            id=media,
            item_id=items,
            position=_int2(0),
            fetch_url=_texts([f"{self._media_url}/{name}" for name in names]),
            media_type=b"image/jpeg",
            original_name=b"",
            state=b"signed",
            refusal=b"",
            added_at=_timestamps(posted_ms),
        )

    def _write_signals(
        self,
        numbers: range,
        items: NDArray[np.uint8],
        media: NDArray[np.uint8],
        posted_ms: NDArray[np.int64],
    ) -> None:
        names = [name_of(number) for number in numbers]
        ids = _int8(np.arange(numbers.start, numbers.stop) + 1)
        self._copy(
            "hf_fingerprint",
            len(numbers),
            id=ids,
            media_id=media,
            item_id=items,
            platform_id=self._platform,
            sha256=_digests(names, "sha256"),
            md5=_digests(names, "md5"),
            width=_int4(1920),
            height=_int4(1080),
            only_keyframes=b"\0",
            incomplete=b"",
            made_at=_timestamps(posted_ms),
        )
        forms = self._pictures.fingerprints(numbers)
        self._copy(
            "hf_view",
            len(numbers),
            fingerprint_id=ids,
            media_id=media,
            item_id=items,
            platform_id=self._platform,
            part=b"whole",
            pdq=forms[:, 0],
            variants=forms[:, 1:].reshape(len(numbers), -1),
            quality=_int2(100),
        )

    def _copy(self, table: str, count: int, /, **columns: Value) -> None:
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with self._connection.cursor().copy(statement) as stream:
            stream.write(_COPY_HEADER)
            stream.write(_packed(count, columns))
            stream.write(_COPY_TRAILER)

    def _uuids(self, at_ms: NDArray[np.int64]) -> NDArray[np.uint8]:
        """(n, 16): UUIDs of version 7, in the order of ``at_ms``."""
        made = self._chance.integers(0, 256, (len(at_ms), 16), np.uint8)
        made[:, :6] = _int8(at_ms)[:, 2:]
        made[:, 6] = made[:, 6] & 0x0F | 0x70
        made[:, 8] = made[:, 8] & 0x3F | 0x80
        return made


def _packed(count: int, columns: Mapping[str, Value]) -> bytes:
    """Rows in COPY's binary format; every value of a column has the same length."""
    parts: list[Value] = [struct.pack(">h", len(columns))]
    for value in columns.values():
        width = len(value) if isinstance(value, bytes) else value.shape[1]
        parts += [struct.pack(">i", width), value]
    return np.hstack([_each_row(count, part) for part in parts]).tobytes()


def _each_row(count: int, value: Value) -> NDArray[np.uint8]:
    if isinstance(value, bytes):
        same = np.frombuffer(value, np.uint8)
        return np.broadcast_to(same, (count, len(value)))
    return value


def _texts(texts: Sequence[str]) -> NDArray[np.uint8]:
    """Texts of one length, in ASCII."""
    joined = np.frombuffer("".join(texts).encode("ascii"), np.uint8)
    return joined.reshape(len(texts), -1)


def _digests(names: Sequence[str], algorithm: str) -> NDArray[np.uint8]:
    made = b"".join(hashlib.new(algorithm, bytes_of(name)).digest() for name in names)
    return np.frombuffer(made, np.uint8).reshape(len(names), -1)


def _timestamps(at_ms: NDArray[np.int64]) -> NDArray[np.uint8]:
    return _int8((at_ms - round(_EPOCH_S * 1000)) * 1000)


def _int8(numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(numbers, ">i8").view(np.uint8).reshape(-1, 8)


def _int4(number: int) -> bytes:
    return struct.pack(">i", number)


def _int2(number: int) -> bytes:
    return struct.pack(">h", number)


# Keys of other tables point at primary keys alone, so these can go and come back.
_CONSTRAINTS: LiteralString = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE conrelid = ANY(%s::regclass[]) AND contype IN ('u', 'f')
    ORDER BY contype DESC"""
_INDEXES: LiteralString = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = ANY(%s::regclass[]) AND NOT EXISTS
        (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p','u'))
"""


@contextmanager
def _bare_tables(
    connection: psycopg.Connection, progress: Callable[[str], None]
) -> Iterator[None]:
    """Without indexes and foreign keys, which are made again at the end."""
    constraints = connection.execute(_CONSTRAINTS, [list(TABLES)]).fetchall()
    indexes = connection.execute(_INDEXES, [list(TABLES)]).fetchall()
    for table, name, _definition in constraints:
        _execute(connection, f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for name, _definition in indexes:
        _execute(connection, f"DROP INDEX {name}")
    yield
    _execute(connection, f"SET maintenance_work_mem = '{_MEMORY}'")
    progress("Building indexes")
    for _name, definition in indexes:
        _execute(connection, definition)
    progress("Checking constraints")
    for table, name, definition in constraints:
        _execute(
            connection, f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}'
        )


def _execute(connection: psycopg.Connection, statement: str) -> None:
    # PostgreSQL's own words for its own objects, which are not written here.
    connection.execute(statement.encode())
