"""The embedded database: every trap that its predecessor fell into, one by one."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from holdfast.base.errors import Refused
from holdfast.run import child, places, proof
from holdfast.run.postgres import EmbeddedPostgres

AS_ROOT = os.geteuid() == 0
# Longest wait in these tests for something that takes a fraction of it, in seconds.
PATIENCE_S = 30.0


@pytest.fixture
def ground() -> Iterator[Path]:
    """A folder that the server's user can enter, unlike pytest's own when root."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


Make = Callable[..., EmbeddedPostgres]


@pytest.fixture
def make(ground: Path) -> Iterator[Make]:
    """Makes databases that are gone at the end, wherever their files were put."""
    made: list[EmbeddedPostgres] = []

    def one(folder: Path | None = None, **options: bool) -> EmbeddedPostgres:
        database = EmbeddedPostgres(
            folder or ground / "postgres", **({"durable": False} | options)
        )
        made.append(database)
        return database

    yield one
    for database in made:
        if database.folder.exists():
            database.durable = False
            database.destroy()


def ask(url: str, query: LiteralString) -> object:
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute(query).fetchone()
    return None if row is None else row[0]


def remember_seven(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")


def data_of(database: EmbeddedPostgres) -> Path:
    place = places.read_place(database.folder)
    assert place is not None
    return place.data


def pid_of(database: EmbeddedPostgres) -> int:
    pid = proof.postmaster_of(data_of(database))
    assert pid is not None
    return pid


def gone(pid: int) -> bool:
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        )
    except (FileNotFoundError, ProcessLookupError):
        return True


def eventually(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not question():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_starts_stops_and_keeps_its_data(make: Make) -> None:
    database = make(durable=True)
    assert not database.is_running()
    url = database.start()
    assert database.is_running()
    assert database.start() == url == database.url()
    remember_seven(url)
    pid = pid_of(database)
    database.stop()
    assert not database.is_running()
    assert not Path(f"/proc/{pid}").exists()  # Not even a zombie.
    database.stop()
    assert ask(database.start(), "SELECT number FROM kept") == 7


def test_is_set_up_as_stated(make: Make) -> None:
    url = make(durable=True).start()
    expected: dict[LiteralString, str] = {
        "fsync": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "TimeZone": "UTC",
        "is_superuser": "off",
    }
    assert {name: ask(url, f"SHOW {name}") for name in expected} == expected
    provider = (
        "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database "
        "WHERE datname = current_database()"
    )
    assert ask(url, provider) == "b C.UTF-8"


def test_the_programs_role_cannot_run_commands_on_the_machine(make: Make) -> None:
    url = make().start()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE t (line text)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("COPY t FROM PROGRAM 'id'")


def test_nobody_connects_without_the_password(make: Make) -> None:
    url = make().start()
    for role in ("holdfast", "postgres"):
        info = psycopg.conninfo.make_conninfo(url, user=role, password="wrong")
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            psycopg.connect(info, connect_timeout=5)


def test_folders_and_secrets_are_private(make: Make) -> None:
    database = make()
    database.start()
    place = places.read_place(database.folder)
    assert place is not None
    for path in (place.data, place.sockets):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for name in ("holdfast.password", "postgres.password", "server.log"):
        assert stat.S_IMODE((database.folder / name).stat().st_mode) == 0o600
    assert not database.folder.stat().st_mode & stat.S_IRWXO
    assert not list(database.folder.glob("pwfile*"))


def test_the_log_quotes_no_row(make: Make) -> None:
    database = make()
    with psycopg.connect(database.start(), autocommit=True) as connection:
        connection.execute("CREATE TABLE t (codename text UNIQUE)")
        insert = "INSERT INTO t VALUES ('marble-otter')"
        connection.execute(insert)
        with pytest.raises(psycopg.errors.UniqueViolation, match="marble-otter"):
            connection.execute(insert)
    log = database.log_file.read_text()
    assert "duplicate key" in log
    assert "marble-otter" not in log


def test_a_server_left_by_a_killed_owner_is_taken_up_again(
    make: Make, ground: Path
) -> None:
    code = (
        "import sys, os, signal; from pathlib import Path; "
        "from holdfast.run.postgres import EmbeddedPostgres; "
        "EmbeddedPostgres(Path(sys.argv[1]), durable=False).start(); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    argv = [sys.executable, "-c", code, str(ground / "postgres")]
    assert subprocess.run(argv, check=False).returncode == -signal.SIGKILL
    database = make()
    assert database.is_running()
    pid = pid_of(database)
    assert ask(database.start(), "SELECT 1") == 1
    assert pid_of(database) == pid
    database.stop()
    assert gone(pid)


def test_a_server_bound_to_its_owner_ends_with_it(make: Make, ground: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; "
        "from holdfast.run.postgres import EmbeddedPostgres; "
        "e = EmbeddedPostgres(Path(sys.argv[1]), durable=False, dies_with_owner=True);"
        "e.start(); print('up', flush=True); time.sleep(600)"
    )
    argv = [sys.executable, "-c", code, str(ground / "postgres")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "up\n"
        pid = pid_of(make())
        owner.kill()
    eventually(lambda: gone(pid))
    assert ask(make().start(), "SELECT 1") == 1


def test_recovers_what_was_committed_when_the_server_is_killed(make: Make) -> None:
    database = make(durable=True)
    url = database.start()
    remember_seven(url)
    with psycopg.connect(url):  # A backend lives when its postmaster is killed.
        os.kill(pid_of(database), signal.SIGKILL)
        eventually(lambda: not database.is_running())
        assert database.start() == url
    assert ask(url, "SELECT number FROM kept") == 7


def test_a_stopped_backend_of_a_killed_server_does_not_block_the_next(
    make: Make,
) -> None:
    """PostgreSQL will not start while a child of the dead server is attached."""
    database = make(durable=True)
    url = database.start()
    remember_seven(url)
    with psycopg.connect(url) as connection:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        os.kill(pid_of(database), signal.SIGKILL)
        eventually(lambda: not database.is_running())
        assert ask(database.start(), "SELECT number FROM kept") == 7
    assert gone(backend)


def test_a_stale_pid_file_never_harms_a_stranger(make: Make) -> None:
    """The number in it now belongs to a process of the server's own user."""
    database = make()
    database.start()
    runner = places.choose_runner(data_of(database).stat().st_uid)
    pid_file = data_of(database) / "postmaster.pid"
    as_it_was = pid_file.read_text()
    database.stop()
    # A stranger of the same name, too: only its working folder tells it apart.
    fake = database.folder.parent / "postgres-program"
    fake.mkdir(mode=0o755)
    shutil.copy(shutil.which("sleep") or "sleep", fake / "postgres")
    argv = child.command(
        [str(fake / "postgres"), "600"],
        on_parent_death=signal.SIGKILL,
        user=runner.becomes,
    )
    with subprocess.Popen(argv, cwd="/") as stranger:
        try:
            eventually(lambda: "postgres" in os.readlink(f"/proc/{stranger.pid}/exe"))
            lines = as_it_was.split("\n")
            pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]))
            assert not database.is_running()
            database.stop()
            assert ask(database.start(), "SELECT 1") == 1
            database.stop()
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_two_starters_at_once_start_one_server(make: Make) -> None:
    starters = [make() for _ in range(4)]
    urls: list[str] = []
    threads = [
        threading.Thread(target=lambda one=one: urls.append(one.start()))
        for one in starters
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert len(urls) == 4
    assert len(set(urls)) == 1
    log = starters[0].log_file.read_text()
    assert log.count("ready to accept connections") == 1
    assert ask(urls[0], "SELECT 1") == 1


@pytest.mark.parametrize(
    "name",
    ["with a space", 'it\'s, "quoted"; %20 and ü', "long/" + "x" * 120 + "/deeper"],
    ids=["space", "odd", "long"],
)
def test_any_path_will_do(make: Make, ground: Path, name: str) -> None:
    parent = ground / name
    parent.mkdir(parents=True)
    for folder in [parent, *parent.parents]:
        if folder == ground:
            break
        folder.chmod(0o711)
    database = make(parent / "postgres")
    url = database.start()
    assert ask(url, "SELECT 1") == 1
    place = places.read_place(database.folder)
    assert place is not None
    assert data_of(database).parent == database.folder
    assert len(os.fsencode(place.sockets)) <= places.SOCKET_FOLDER_MAX_BYTES
    assert stat.S_IMODE(place.sockets.stat().st_mode) == 0o700
    database.stop()
    # The short folder is remembered, and not made anew at each start.
    assert database.start() == url
    database.destroy()
    assert not place.sockets.exists()


def test_a_lost_or_false_socket_folder_is_replaced(make: Make, ground: Path) -> None:
    parent = ground / "a b"
    parent.mkdir(mode=0o711)
    parent.chmod(0o711)
    database = make(parent / "postgres")
    url = database.start()
    place = places.read_place(database.folder)
    assert place is not None
    shutil.rmtree(place.sockets)  # As a cleaner of /tmp may do.
    place.sockets.mkdir(mode=0o777)
    place.sockets.chmod(0o777)  # As somebody lying in wait may do.
    other = database.start()
    assert other != url
    assert ask(other, "SELECT 1") == 1
    place.sockets.rmdir()


def test_an_installation_may_be_moved(make: Make, ground: Path) -> None:
    database = make(durable=True)
    remember_seven(database.start())
    database.stop()
    moved = make(database.folder.rename(ground / "elsewhere"), durable=True)
    assert ask(moved.start(), "SELECT number FROM kept") == 7


def test_missing_data_is_never_replaced_by_an_empty_database(make: Make) -> None:
    database = make()
    database.start()
    database.stop()
    hidden = data_of(database).rename(database.folder / "hidden")
    with pytest.raises(Refused, match="are gone"):
        database.start()
    hidden.rename(database.folder / "data")
    (database.folder / "postgres.password").rename(database.folder / "kept")
    with pytest.raises(Refused, match="password"):
        database.start()
    (database.folder / "kept").rename(database.folder / "postgres.password")
    assert ask(database.start(), "SELECT 1") == 1


def test_data_of_another_version_is_left_alone(make: Make) -> None:
    database = make()
    database.start()
    database.stop()
    version = data_of(database) / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(Refused, match="PostgreSQL 17"):
        database.start()
    version.write_text(f"{places.POSTGRES_MAJOR}\n")


def test_a_creation_that_was_killed_is_begun_again(make: Make) -> None:
    database = make()
    database.folder.mkdir()
    half = database.folder / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    assert ask(database.start(), "SELECT 1") == 1
    assert not half.exists()


def test_a_server_without_durability_is_not_taken_up_as_durable(make: Make) -> None:
    make(durable=False).start()
    assert ask(make(durable=True).start(), "SHOW fsync") == "on"


def test_no_fallback_was_needed(make: Make) -> None:
    """The tests above mean what they say only if the data is where they look."""
    database = make()
    database.start()
    assert data_of(database) == database.folder / "data"


def test_durable_data_is_not_destroyed(make: Make) -> None:
    database = make(durable=True)
    database.start()
    with pytest.raises(Refused):
        database.destroy()
    assert database.is_running()


needs_root = pytest.mark.skipif(
    not AS_ROOT, reason="only root can become another system user"
)


@needs_root
def test_as_root_the_server_is_another_user(make: Make, ground: Path) -> None:
    before = stat.S_IMODE(ground.stat().st_mode)
    database = make()
    database.start()
    uid = os.stat(f"/proc/{pid_of(database)}").st_uid
    assert uid != 0
    assert pwd.getpwuid(uid).pw_name in places.SYSTEM_USERS
    assert stat.S_IMODE(ground.stat().st_mode) == before
    # The server's own user cannot read the passwords of the database's roles.
    secret = database.folder / "postgres.password"
    assert subprocess.run(["cat", secret], user=uid, check=False).returncode != 0


@needs_root
def test_a_second_system_user_cannot_connect_even_with_the_password(
    make: Make,
) -> None:
    database = make()
    url = database.start()
    server = pwd.getpwuid(os.stat(f"/proc/{pid_of(database)}").st_uid)
    stranger = next(
        one for one in pwd.getpwall() if one.pw_uid not in (0, server.pw_uid)
    )
    # The driver is loaded as root first, so that only the socket can refuse.
    code = (
        "import os, sys, psycopg\n"
        "uid, gid = map(int, sys.argv[2:])\n"
        "os.setgroups([]); os.setgid(gid); os.setuid(uid)\n"
        "try: psycopg.connect(sys.argv[1], connect_timeout=5)\n"
        "except psycopg.OperationalError as error: print(error)\n"
        "else: print('LET IN')\n"
    )

    def try_as(who: pwd.struct_passwd) -> str:
        ids = [str(who.pw_uid), str(who.pw_gid)]
        argv = [sys.executable, "-c", code, url, *ids]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        return done.stdout

    assert "Permission denied" in try_as(stranger)
    assert try_as(server) == "LET IN\n"


@pytest.fixture
def strict_umask() -> Iterator[None]:
    """As hardened machines have it: what is made is nobody else's."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@needs_root
@pytest.mark.usefixtures("strict_umask")
def test_as_root_parents_are_never_opened_up(
    make: Make, ground: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home folder of root's, which nobody else may enter, stays so."""
    monkeypatch.setattr(places, "ROOT_PLACE", ground / "var-lib-holdfast")
    closed = ground / "root"
    closed.mkdir(mode=0o700)
    database = make(closed / "postgres", durable=True)
    url = database.start()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    remember_seven(url)
    assert data_of(database).parent.parent == places.ROOT_PLACE
    database.stop()
    again = EmbeddedPostgres(closed / "postgres")
    assert ask(again.start(), "SELECT number FROM kept") == 7
    again.stop()


@needs_root
@pytest.mark.usefixtures("strict_umask")
def test_as_root_with_programs_out_of_reach_a_copy_is_used(
    make: Make, ground: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A virtual environment under /root cannot be entered by the server's user."""
    monkeypatch.setattr(places, "ROOT_PLACE", ground / "var-lib-holdfast")
    runner = places.choose_runner(None)
    real = places.programs_for(runner)
    reach = places.can_reach
    monkeypatch.setattr(
        places, "can_reach", lambda who, folder: folder != real and reach(who, folder)
    )
    database = make()
    assert ask(database.start(), "SELECT 1") == 1
    program = os.readlink(f"/proc/{pid_of(database)}/exe")
    assert Path(program).is_relative_to(places.ROOT_PLACE)
    # What has been adopted survives the loss of its program file, too.
    shutil.rmtree(places.ROOT_PLACE)
    assert database.is_running()
