"""The sealed store: whole or absent, once, private, and found only by its digest."""

from __future__ import annotations

import hashlib
import importlib
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.base.errors import HoldfastError, InvalidInput, NotAllowed, Unavailable
from holdfast.vault.blobs import (
    BlobDamaged,
    BlobMissing,
    BlobStore,
    SealedReceipt,
    UnusableStore,
)
from holdfast.vault.sealing import CannotOpen, new_identity, open_sealed, recipient_of
from tests.server import free_port

IDENTITY, RECOVERY = new_identity(), new_identity()
NAMING_KEY = bytes(range(32))
PLAIN = b"the bytes of a harmless photograph " * 3000
DIGEST = hashlib.sha256(PLAIN).hexdigest()
FORK = multiprocessing.get_context("fork")


def folder_store(folder: Path, identities: tuple[str, ...] = (IDENTITY,)) -> BlobStore:
    return BlobStore(
        f"file://{folder}",
        [recipient_of(IDENTITY), recipient_of(RECOVERY)],
        identities,
        naming_key=NAMING_KEY,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a folder" / "sealed"


@pytest.fixture
def store(folder: Path) -> BlobStore:
    return folder_store(folder)


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def keeps_once_and_gives_back(store: BlobStore) -> SealedReceipt:
    """What every kind of store must do."""
    assert not store.exists(DIGEST)
    with pytest.raises(BlobMissing):
        store.get(DIGEST)
    receipt = store.put(PLAIN)
    assert (receipt.sha256, receipt.size_bytes) == (DIGEST, len(PLAIN))
    assert receipt.location == store.location_of(DIGEST)
    assert store.exists(DIGEST)
    assert store.get(DIGEST) == PLAIN
    assert store.put(PLAIN) == receipt
    empty = store.put(b"")
    assert store.get(empty.sha256) == b""
    assert store.delete(DIGEST)
    assert not store.delete(DIGEST)
    assert not store.exists(DIGEST)
    assert store.get(empty.sha256) == b""
    return store.put(PLAIN)


def test_a_folder_keeps_once_and_gives_back(store: BlobStore, folder: Path) -> None:
    receipt = keeps_once_and_gives_back(store)
    sealed = (folder / receipt.location).read_bytes()
    assert hashlib.sha256(sealed).hexdigest() == receipt.sealed_sha256
    assert open_sealed(sealed, [RECOVERY]) == PLAIN


def test_nothing_in_the_folder_tells_the_plaintext(
    store: BlobStore, folder: Path
) -> None:
    receipt = store.put(PLAIN)
    [path] = files_in(folder)
    assert DIGEST not in str(path)
    assert b"harmless" not in path.read_bytes()
    other = BlobStore("file:///unused", [recipient_of(IDENTITY)], naming_key=bytes(32))
    assert other.location_of(DIGEST) != receipt.location


def test_files_and_folders_are_private_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        folder_store(folder).put(PLAIN)
    finally:
        os.umask(before)
    [path] = files_in(folder)
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent, folder)]
    assert modes == [0o600, 0o700, 0o700]


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after_half(descriptor: int) -> None:
    os.truncate(descriptor, os.fstat(descriptor).st_size // 2)
    die()


@pytest.mark.parametrize(
    ("step", "fate"),
    [("open", die), ("fsync", die_after_half), ("link", die)],
    ids=["before writing", "half written", "written, not yet named"],
)
def test_a_crash_half_way_leaves_nothing_that_counts(
    folder: Path, step: str, fate: Callable[..., None]
) -> None:
    store = folder_store(folder)
    store.put(b"so that the folders exist")
    (folder / store.location_of(DIGEST)).parent.mkdir(exist_ok=True)

    def put_and_die() -> None:
        setattr(os, step, fate)
        store.put(PLAIN)

    process = FORK.Process(target=put_and_die)
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    assert not store.exists(DIGEST)
    with pytest.raises(BlobMissing):
        store.get(DIGEST)
    torn = [path for path in files_in(folder) if path.suffix == ".part"]
    assert len(torn) == (0 if step == "open" else 1)
    # The next start keeps it as if nothing had been, and disposal takes the remains.
    store.put(PLAIN)
    assert store.get(DIGEST) == PLAIN
    assert store.delete(DIGEST)
    assert len(files_in(folder)) == 1


def test_a_name_is_given_only_to_what_is_on_the_disk(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = folder_store(folder)
    (folder / store.location_of(DIGEST)).parent.mkdir(parents=True)
    steps: list[str] = []
    real_fsync, real_link = os.fsync, os.link

    def fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        steps.append("sync folder" if is_folder else "sync file")
        real_fsync(descriptor)

    def link(source: Path, target: Path) -> None:
        steps.append("name")
        real_link(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "link", link)
    store.put(PLAIN)
    assert steps == ["sync file", "name", "sync folder"]
    # Finding it there is no proof that its name was synced: the finder syncs it.
    store.put(PLAIN)
    assert steps == ["sync file", "name", "sync folder", "sync folder"]


@pytest.mark.parametrize("identities", [(IDENTITY,), ()], ids=["opens", "seals only"])
def test_a_torn_object_under_the_final_name_is_not_taken_for_kept(
    folder: Path, identities: tuple[str, ...]
) -> None:
    path = folder / folder_store(folder).put(PLAIN).location
    torn = path.read_bytes()[:-100]
    path.write_bytes(torn)
    with pytest.raises(BlobDamaged):
        folder_store(folder, identities).put(PLAIN)
    with pytest.raises(CannotOpen):
        folder_store(folder).get(DIGEST)
    assert path.read_bytes() == torn, "it must not have been overwritten"


def test_an_object_exchanged_for_another_is_found(
    store: BlobStore, folder: Path
) -> None:
    path = folder / store.put(PLAIN).location
    other = folder / store.put(b"another original").location
    path.write_bytes(other.read_bytes())
    with pytest.raises(BlobDamaged):
        store.get(DIGEST)
    with pytest.raises(BlobDamaged):
        store.put(PLAIN)


def put_together(folder: Path, barrier: Any, results: Any) -> None:
    store = folder_store(folder)
    barrier.wait()
    results.put(store.put(PLAIN))


def test_processes_that_keep_the_same_bytes_at_once_get_one_object(
    folder: Path,
) -> None:
    barrier, results = FORK.Barrier(4), FORK.Queue()
    processes = [
        FORK.Process(target=put_together, args=(folder, barrier, results))
        for _ in range(4)
    ]
    for process in processes:
        process.start()
    receipts = {results.get(timeout=30) for _ in processes}
    for process in processes:
        process.join(30)
    assert len(receipts) == 1
    [path] = files_in(folder)
    [receipt] = receipts
    assert hashlib.sha256(path.read_bytes()).hexdigest() == receipt.sealed_sha256


def test_a_machine_without_opening_keys_keeps_but_does_not_open(folder: Path) -> None:
    store = folder_store(folder, identities=())
    receipt = store.put(PLAIN)
    assert store.put(PLAIN) == receipt
    with pytest.raises(NotAllowed):
        store.get(DIGEST)
    assert folder_store(folder).get(DIGEST) == PLAIN


def test_a_disk_that_refuses_is_an_error_and_not_a_receipt(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    with pytest.raises(Unavailable):
        folder_store(tmp_path / "file" / "sealed").put(PLAIN)


@pytest.mark.parametrize("digest", ["", "../../etc", DIGEST.upper(), DIGEST + "0"])
def test_what_is_no_digest_reaches_no_path(store: BlobStore, digest: str) -> None:
    for call in (store.get, store.exists, store.delete):
        with pytest.raises(InvalidInput):
            call(digest)


@pytest.mark.parametrize(
    "url", ["", "/a/bare/path", "memory://x", "http://host/x", "nonsense://x"]
)
def test_places_that_would_not_keep_are_refused_by_name(url: str) -> None:
    with pytest.raises(UnusableStore):
        BlobStore(url, [recipient_of(IDENTITY)], naming_key=NAMING_KEY)


def test_a_short_naming_key_is_refused() -> None:
    with pytest.raises(InvalidInput):
        BlobStore("file:///x", [recipient_of(IDENTITY)], naming_key=b"short")


def test_s3_without_its_extra_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    # A test before this one may have had the real one loaded.
    loaded = importlib.import_module("fsspec.registry")._registry
    monkeypatch.delitem(loaded, "s3", raising=False)
    with pytest.raises(UnusableStore, match=r"holdfast\[s3\]"):
        BlobStore("s3://bucket/x", [recipient_of(IDENTITY)], naming_key=NAMING_KEY)


@pytest.fixture
def s3_options(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    """A real S3 protocol server (moto) of this machine, with one bucket."""
    for module in ("s3fs", "moto.server"):
        pytest.importorskip(module, reason=f"the S3 store is tried where {module} is")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    endpoint = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            for _ in range(300):
                try:
                    request = urllib.request.Request(
                        f"{endpoint}/evidence", method="PUT"
                    )
                    urllib.request.urlopen(request, timeout=5).close()
                    break
                except urllib.error.URLError:
                    time.sleep(0.1)
            yield {"endpoint_url": endpoint}
        finally:
            server.terminate()


def test_a_bucket_keeps_once_and_gives_back(s3_options: dict[str, object]) -> None:
    def store(url: str = "s3://evidence/plaza") -> BlobStore:
        recipients = [recipient_of(IDENTITY)]
        return BlobStore(
            url, recipients, [IDENTITY], naming_key=NAMING_KEY, options=s3_options
        )

    receipt = keeps_once_and_gives_back(store())
    # Not even a writer that does not look first replaces what is there.
    assert not store()._place.write_once(receipt.location, b"another object")
    assert store().get(DIGEST) == PLAIN
    with pytest.raises(HoldfastError):
        store("s3://no-such-bucket/x").put(PLAIN)
