"""What the test double remembers, and the rules of the protocol it holds.

Reports, files and the failures still to come live in one SQLite file that is written
through before an answer is given, so that killing the double loses nothing. Of an
uploaded file only its hashes and size are kept, never its bytes. The rules are checked
apart from ``model.py``, so that the double can find that module's mistakes.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from threading import Lock

from lxml import etree

from holdfast.authorities.connectors.cybertipline.schema import parse, validate

# An unfinished report is deleted this long after it was opened, or after its last
# change, whichever is later. Seconds; NCMEC's documentation, "submission timeout".
OPEN_S = 24 * 3600
CHANGE_S = 3600

# The numbers begin high so that none is taken for a count.
_FIRST_REPORT = 4_000_000

_TABLES = """
CREATE TABLE IF NOT EXISTS report (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    status TEXT NOT NULL
        CHECK (status IN ('open', 'finished', 'retracted', 'expired')),
    document TEXT NOT NULL,
    opened_at REAL NOT NULL,
    changed_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS file (
    id TEXT PRIMARY KEY,
    report INTEGER NOT NULL REFERENCES report (id),
    name TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    md5 TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    details TEXT
);
CREATE TABLE IF NOT EXISTS failure (
    id INTEGER PRIMARY KEY, step TEXT NOT NULL, kind TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS clock (shift_s REAL NOT NULL);
"""


class Failure(StrEnum):
    """What can be made to go wrong with the next request of a step."""

    HTTP_500 = "http_500"  # HTTP 500 with a page that is no XML; nothing done.
    BUSY = "busy"  # Response code 1000; nothing done.
    UNAUTHORIZED = "unauthorized"  # 401 with an empty body; nothing done.
    DROP_BEFORE = "drop_before"  # The connection is cut; nothing done.
    DROP_AFTER = "drop_after"  # Done, and the connection is cut before the answer.
    HANG_AFTER = "hang_after"  # Done, and no answer comes for a long time.
    DAMAGED = "damaged"  # Upload: other bytes arrive than were sent.
    DOCTYPE = "doctype"  # Done; the answer carries a document type with entities.
    OVERSIZED = "oversized"  # Done; the answer is endless white space.


class Refusal(Exception):
    """A response code other than success, with its description."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


class State:
    """The double's memory, in the SQLite file ``path``.

    ``xsd`` is the schema documents are held to. ``clock`` gives seconds since the
    epoch; :meth:`advance` moves it, durably.
    """

    def __init__(
        self, path: Path, xsd: bytes, clock: Callable[[], float] = time.time
    ) -> None:
        self._path = path
        self._clock = clock
        self._turn = Lock()
        self.xsd = xsd
        with self._transaction() as db:
            for statement in _TABLES.split(";"):
                db.execute(statement)
            db.execute(
                "INSERT INTO clock SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM clock)"
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with (
            self._turn,
            closing(sqlite3.connect(self._path, isolation_level=None)) as db,
        ):
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA synchronous = FULL")
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except Refusal:
                # An expiry that was noticed stays noticed.
                db.execute("COMMIT")
                raise
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def _now(self, db: sqlite3.Connection) -> float:
        shift: float = db.execute("SELECT shift_s FROM clock").fetchone()[0]
        return self._clock() + shift

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        with self._transaction() as db:
            db.execute("UPDATE clock SET shift_s = shift_s + ?", (seconds,))

    def fail_next(self, step: str, kind: Failure, times: int = 1) -> None:
        """Let the next ``times`` requests of ``step`` fail, after those due already."""
        with self._transaction() as db:
            for _ in range(times):
                db.execute(
                    "INSERT INTO failure (step, kind) VALUES (?, ?)", (step, kind)
                )

    def take_failure(self, step: str) -> Failure | None:
        """The failure due for this request, which is then used up."""
        with self._transaction() as db:
            row = db.execute(
                "DELETE FROM failure WHERE id ="
                " (SELECT min(id) FROM failure WHERE step = ?) RETURNING kind",
                (step,),
            ).fetchone()
        return Failure(row["kind"]) if row else None

    def submit(self, document: bytes) -> int:
        """Open a report. Raises :class:`Refusal` 4100 or 4110."""
        with self._transaction() as db:
            now = self._now(db)
            self._checked(document, "report", now)
            (last,) = db.execute(
                "SELECT coalesce(max(id), ?) FROM report", (_FIRST_REPORT,)
            ).fetchone()
            db.execute(
                "INSERT INTO report VALUES (?, 'open', ?, ?, ?)",
                (last + 1, document.decode(), now, now),
            )
        return int(last) + 1

    def upload(self, report_id: int, name: str, content: bytes) -> tuple[str, str]:
        """Add a file; its number and the MD5 of what arrived."""
        file_id = uuid.uuid4().hex
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        sha256 = hashlib.sha256(content).hexdigest()
        with self._transaction() as db:
            self._open(db, report_id)
            self._touch(db, report_id)
            db.execute(
                "INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, NULL)",
                (file_id, report_id, name, len(content), md5, sha256),
            )
        return file_id, md5

    def file_info(self, document: bytes) -> int:
        """Add the details of a file, once; the number of its report."""
        with self._transaction() as db:
            root = self._checked(document, "fileDetails", self._now(db))
            report_id = int(root.findtext("reportId") or 0)
            file_id = (root.findtext("fileId") or "").strip()
            self._open(db, report_id)
            row = db.execute(
                "SELECT details FROM file WHERE id = ? AND report = ?",
                (file_id, report_id),
            ).fetchone()
            if row is None:
                raise Refusal(5002, "File does not exist")
            if row["details"] is not None:
                raise Refusal(4100, "Validation failed: details were given before")
            self._touch(db, report_id)
            db.execute(
                "UPDATE file SET details = ? WHERE id = ?", (document.decode(), file_id)
            )
        return report_id

    def finish(self, report_id: int) -> list[str]:
        """File the report; the numbers of its files."""
        with self._transaction() as db:
            document = self._open(db, report_id)["document"]
            rows = db.execute(
                "SELECT id FROM file WHERE report = ? ORDER BY rowid", (report_id,)
            ).fetchall()
            batched = parse(document.encode()).find("batchedReport") is not None
            if batched and len(rows) > 1:
                raise Refusal(4100, "Validation failed: a batched report has one file")
            db.execute(
                "UPDATE report SET status = 'finished' WHERE id = ?", (report_id,)
            )
        return [row["id"] for row in rows]

    def retract(self, report_id: int) -> None:
        """Withdraw an unfinished report."""
        with self._transaction() as db:
            self._open(db, report_id)
            db.execute(
                "UPDATE report SET status = 'retracted' WHERE id = ?", (report_id,)
            )

    def reports(self) -> list[dict[str, object]]:
        """Every report with its documents, oldest first."""
        with self._transaction() as db:
            self._expire(db)
            rows = db.execute("SELECT * FROM report ORDER BY id").fetchall()
            files = db.execute("SELECT * FROM file ORDER BY rowid").fetchall()
        return [
            dict(row) | {"files": [dict(f) for f in files if f["report"] == row["id"]]}
            for row in rows
        ]

    def _expire(self, db: sqlite3.Connection) -> None:
        db.execute(
            "UPDATE report SET status = 'expired' WHERE status = 'open'"
            " AND max(opened_at + ?, changed_at + ?) < ?",
            (OPEN_S, CHANGE_S, self._now(db)),
        )

    def _open(self, db: sqlite3.Connection, report_id: int) -> sqlite3.Row:
        """The report, if it is open. Raises :class:`Refusal` 5001, 5101 or 5102."""
        self._expire(db)
        row: sqlite3.Row | None = db.execute(
            "SELECT * FROM report WHERE id = ?", (report_id,)
        ).fetchone()
        if row is None or row["status"] == "expired":
            raise Refusal(5001, "Report does not exist")
        if row["status"] == "retracted":
            raise Refusal(5101, "Report has already been retracted")
        if row["status"] == "finished":
            raise Refusal(5102, "Report has already been finished")
        return row

    def _touch(self, db: sqlite3.Connection, report_id: int) -> None:
        """A file or its details came: the hour begins again."""
        db.execute(
            "UPDATE report SET changed_at = ? WHERE id = ?", (self._now(db), report_id)
        )

    def _checked(self, document: bytes, root_name: str, now: float) -> etree._Element:
        """The root of a document that the schema and the service's rules accept."""
        problems = validate(document, self.xsd)
        if any(problem.startswith("document:") for problem in problems):
            raise Refusal(4110, "Malformed XML: " + "; ".join(problems))
        try:
            document.decode()
        except UnicodeDecodeError as error:
            raise Refusal(4110, "Malformed XML: must be UTF-8") from error
        root = parse(document)
        if root.tag != root_name:
            problems.append(f"the root must be {root_name}")
        problems = problems or list(_service_rules(root, now))
        if problems:
            raise Refusal(4100, "Validation failed: " + "; ".join(problems))
        return root


def _service_rules(root: etree._Element, now: float) -> Iterator[str]:
    """What the service refuses although its schema allows it."""
    if root.tag == "report":
        if root.find("reporter/reportingPerson/email") is None:
            yield "reportingPerson needs an email"
        if (
            len(root.findall("personOrUserReported")) > 1
            and root.find("batchedReport") is None
        ):
            yield "only a batched report has several personOrUserReported"
    for element in root.iter("incidentDateTime", "dateTime", "uploadedToEspTimestamp"):
        try:
            at = datetime.fromisoformat((element.text or "").strip())
        except ValueError:
            # XML Schema knows a few forms more, such as 24:00:00; we send none.
            yield f"{element.tag} has a form the test double does not read"
            continue
        if at.utcoffset() is None:
            yield f"{element.tag} needs a time zone"
        elif at > datetime.fromtimestamp(now, UTC):
            yield f"{element.tag} must be in the past"
    for element in root.iter("url", "profileUrl", "locationOfFile", "legalURL"):
        text = element.text or ""
        if text != "".join(text.split()) or "://" not in text:
            yield f"{element.tag} must be a valid URL"
    if root.tag == "fileDetails":
        yield from _file_rules(root)


def _file_rules(root: etree._Element) -> Iterator[str]:
    true = ("true", "1")
    if (
        root.findtext("exifViewedByEsp") in true
        and root.findtext("fileViewedByEsp") not in true
    ):
        yield "exifViewedByEsp needs fileViewedByEsp"
    if root.findtext("fileRelevance") == "Supplemental Reported":
        if root.find("industryClassification") is not None:
            yield "a supplemental file has no industryClassification"
        if root.find("fileAnnotations/potentialMeme") is not None:
            yield "a supplemental file is no potentialMeme"
