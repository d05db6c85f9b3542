"""``holdfast import media``: everything that is there, once, whatever happens."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from holdfast.base.by import SYSTEM
from holdfast.base.errors import HoldfastError, InvalidInput
from holdfast.cli import importing, remember_address
from holdfast.cli.importing import STOPPED
from holdfast.cli.importing.collection import Folder
from holdfast.cli.importing.journal import Journal, Outcome, path_of
from holdfast.cli.importing.run import UNDER_WAY, Run, Stop
from holdfast.cli.importing.work import Orders
from holdfast.items.keys import PlatformGiven, put_platform
from holdfast.items.models import ApiKey, Item, Media
from tests.cli.deadly import Deadly
from tests.cli.importer import Importer, folder_of, small
from tests.world import World, encoded, photograph

live = pytest.mark.django_db(transaction=True)


def until(true: Callable[[], object], timeout_s: float = 120.0) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "It never came to be."
        time.sleep(0.01)


@live
def test_a_folder_becomes_items_and_what_is_damaged_is_named(
    importer: Importer, world: World, tmp_path: Path
) -> None:
    picture = photograph()
    world.post("reported", encoded(picture))
    world.report(items=("reported",))
    cut = encoded(photograph("coffee"))[:1500]
    root = folder_of(
        tmp_path / "old",
        copy_jpg=encoded(picture, quality=50),
        year__another_png=encoded(photograph("rocket"), "PNG"),
        year__cut_jpg=cut,
        words_txt=b"no picture",
    )
    (root / "gone.jpg").symlink_to(root / "nowhere")
    table = tmp_path / "problems.csv"

    said = importer(root, "--problems", str(table))

    assert said.code == 1, "a file could not be read"
    assert said.counts == {
        "registered": 3,
        "held": 1,
        "pending": 0,
        "not_comparable": 1,
        "left_out": 1,
        "refused": 1,
        "waiting": 0,
        "missing": 0,
        "finished": True,
    }
    assert list(csv.reader(table.read_text().splitlines()))[1:] == [
        ["gone.jpg", "refused", "unreadable: No such file or directory"],
        ["words.txt", "left_out", "not_a_picture"],
        ["year/cut.jpg", "registered", "truncated"],
    ]
    assert "year/cut.jpg: truncated" in said.words
    states = dict(Item.objects.values_list("external_id", "state"))
    assert states == {
        "reported": "frozen",
        "copy.jpg": "frozen",
        "year/another.png": "visible",
        "year/cut.jpg": "visible",
    }
    # The damaged one is there too, and known by its bytes.
    damaged = Media.objects.get(item__external_id="year/cut.jpg")
    assert (damaged.state, damaged.refusal) == ("refused", "truncated")
    assert damaged.fingerprint.sha256 is not None
    made = Item.objects.get(external_id="copy.jpg")
    assert made.posted_at.timestamp() == pytest.approx(
        (root / "copy.jpg").stat().st_mtime
    )


@live
def test_the_same_again_is_told_once_and_what_changed_again(
    importer: Importer, tmp_path: Path
) -> None:
    root = folder_of(tmp_path / "old", a_jpg=small(1), b_jpg=small(2))
    assert importer(root).code == 0
    assert importer(root).counts["registered"] == 2
    assert Media.objects.count() == 2
    # Even where the journal was lost: the same bytes are the same write.
    elsewhere = importer(root, "--journal", str(tmp_path / "other"))
    assert elsewhere.counts["registered"] == 2
    assert Media.objects.count() == 2
    folder_of(root, b_jpg=small(3), c_jpg=small(4))
    assert importer(root).counts["registered"] == 3
    assert Item.objects.count() == 3
    replaced = Media.objects.filter(replaced_at__isnull=False)
    assert [each.item.external_id for each in replaced] == ["b.jpg"]


def start_and_kill(importer: Importer, root: Path, enough: int) -> None:
    """Let an import get so far, and kill it; its workers end with it."""
    started = importer.start(root, *importer.target)
    until(lambda: Item.objects.count() >= enough or started.poll() is not None)
    assert started.poll() is None, "it was too fast to be killed"
    os.kill(started.pid, signal.SIGKILL)
    started.communicate()
    until(lambda: not _alive(started.pid))


@live
def test_after_a_kill_it_goes_on_where_it_was(
    importer: Importer, tmp_path: Path
) -> None:
    root = folder_of(tmp_path / "old", **{f"{n}_jpg": small(n) for n in range(60)})
    for enough in (5, 25):
        start_and_kill(importer, root, enough)
    said = importer(root)
    assert (said.code, said.counts["registered"]) == (0, 60)
    assert "were registered before" in said.words
    ids = set(Item.objects.values_list("external_id", flat=True))
    assert ids == {f"{n}.jpg" for n in range(60)}
    assert Media.objects.count() == 60, "nothing was told twice"


@live
def test_ctrl_c_stops_in_order(importer: Importer, tmp_path: Path) -> None:
    root = folder_of(tmp_path / "old", **{f"{n}_jpg": small(n) for n in range(60)})
    started = importer.start(root, *importer.target)
    until(lambda: Item.objects.count() >= 3)
    os.killpg(started.pid, signal.SIGINT)
    said = importer.finish(started)
    assert (said.code, said.counts["finished"]) == (STOPPED, False)
    assert "The same command goes on from here" in said.words
    # What the journal holds is what Holdfast holds: nothing was cut off.
    assert said.counts["registered"] == Item.objects.count() < 60
    assert importer(root).counts["registered"] == 60
    assert Media.objects.count() == 60


@live
@pytest.mark.parametrize("after_s", [0.0, 0.3, 0.8])
def test_ctrl_c_at_the_very_beginning_is_no_traceback(
    importer: Importer, tmp_path: Path, after_s: float
) -> None:
    """While the first workers are still being made."""
    root = folder_of(tmp_path / "old", **{f"{n}_jpg": small(n) for n in range(60)})
    started = importer.start(root, *importer.target)
    until(lambda: list((tmp_path / "home").glob("imports/*")) or started.poll())
    time.sleep(after_s)
    os.killpg(started.pid, signal.SIGINT)
    said = importer.finish(started)
    assert said.code == STOPPED
    assert "Traceback" not in said.words
    assert "The same command goes on from here" in said.words
    assert importer(root).counts["registered"] == 60


@live
def test_every_name_a_file_can_have_becomes_an_item(
    importer: Importer, tmp_path: Path
) -> None:
    names = [b"new\nline.jpg", b"no\xff.jpg", b"tab\t.jpg", b"100%.jpg", b"%0A.jpg"]
    root = folder_of(tmp_path / "old")
    for number, name in enumerate(names):
        (root / os.fsdecode(name)).write_bytes(small(number))
    said = importer(root)
    assert (said.code, said.counts["registered"]) == (0, len(names))
    ids = Item.objects.values_list("external_id", flat=True)
    assert {path_of(each) for each in ids} == set(names)
    assert all(each.isprintable() for each in ids)
    assert importer(root).counts["registered"] == len(names)


@live
def test_the_end_tells_what_is_true_then(
    importer: Importer, world: World, tmp_path: Path
) -> None:
    """Compared by now, though each was registered before it was."""
    root = folder_of(tmp_path / "old", a_jpg=small(1), b_jpg=small(2))
    path = tmp_path / "journal"
    assert importer(root, "--journal", str(path)).counts["pending"] == 0
    with Journal(path, {}) as journal:
        for item in ("a.jpg", "b.jpg"):
            journal.hear(item, hold="visible", pending=True)
        assert journal.counts()["pending"] == 2
    world.report(items=("a.jpg",))
    said = importer(root, "--journal", str(path))
    assert (said.counts["pending"], said.counts["held"]) == (0, 1)


@live
def test_a_manifest_says_which_file_is_which_item(
    importer: Importer, tmp_path: Path
) -> None:
    root = folder_of(
        tmp_path / "old", a_jpg=small(1), b_jpg=small(2), c_jpg=small(3), d_txt=b"odd"
    )
    manifest = tmp_path / "which.csv"
    manifest.write_text(
        "path,id,actor,url,posted_at,kind\n"
        "b.jpg,post-7,ada,https://plaza.example/p/7,2019-12-25T08:00:00+01:00,\n"
        "./a.jpg,post-7,,,,\n"
        "d.txt,post-8,ada,,,message\n"
        "lost.jpg,post-9,,,,\n"
    )
    said = importer(root, "--manifest", str(manifest))
    assert said.code == 1
    counted = ("registered", "left_out", "missing", "not_comparable")
    assert [said.counts[name] for name in counted] == [2, 1, 1, 1]
    assert "lost.jpg: no such file" in said.words
    seventh = Item.objects.get(external_id="post-7")
    assert (seventh.kind, seventh.actor and seventh.actor.external_id) == (
        "post",
        "ada",
    )
    assert seventh.posted_at.isoformat() == "2019-12-25T07:00:00+00:00"
    assert seventh.url == "https://plaza.example/p/7"
    names = seventh.media.order_by("position").values_list("original_name", flat=True)
    assert list(names) == ["b.jpg", "a.jpg"]
    # The manifest counts it among the media: it is kept by its bytes.
    assert Item.objects.get(external_id="post-8").kind == "message"
    assert not Item.objects.filter(external_id="c.jpg").exists()
    lines = [{"path": f"{name}.jpg", "id": name} for name in "abc"]
    ndjson = tmp_path / "which.ndjson"
    ndjson.write_text("\n".join(json.dumps(line) for line in lines))
    again = importer(root, "--manifest", str(ndjson))
    assert Item.objects.filter(external_id__in="abc").count() == 3
    assert again.code == 0


@live
def test_files_can_be_fetched_instead(
    importer: Importer, world: World, tmp_path: Path
) -> None:
    root = folder_of(tmp_path / "old", a_b_jpg=small(1), sub__c_jpg=small(2))
    base = "https://media.plaza.example/old"
    refused = importer(root, "--base-url", base)
    assert (refused.code, refused.counts["refused"]) == (1, 2)
    assert "hosts" in refused.words
    put_platform(
        PlatformGiven(
            slug="plaza",
            name="Plaza",
            url="https://plaza.example",
            media_hosts=["media.plaza.example"],
        ),
        by=SYSTEM,
    )
    said = importer(root, "--base-url", base)
    assert (said.code, said.counts["registered"], said.counts["pending"]) == (0, 2, 2)
    found = set(Media.objects.values_list("fetch_url", "upload"))
    assert found == {(f"{base}/a.b.jpg", None), (f"{base}/sub/c.jpg", None)}


@live
def test_it_makes_a_key_of_its_own_and_takes_it_back(
    importer: Importer, tmp_path: Path
) -> None:
    root = folder_of(tmp_path / "old", a_jpg=small(1))
    importer.environment["HOLDFAST_URL"] = importer.url
    said = importer.finish(importer.start(root, "--platform", "plaza"))
    assert (said.code, said.counts["registered"]) == (0, 1)
    key = ApiKey.objects.get(label="import")
    assert key.revoked_at is not None
    assert sorted(key.scopes) == ["items.read", "items.write"]
    # Where it listens is known from the folder of the installation, too.
    del importer.environment["HOLDFAST_URL"]
    remember_address(importer.home, importer.url)
    folder_of(root, b_jpg=small(2))
    said = importer.finish(importer.start(root, "--platform", "plaza"))
    assert (said.code, said.counts["registered"]) == (0, 2)
    wrong = importer.finish(importer.start(root, "--platform", "nowhere"))
    assert "There is no platform" in wrong.words


@live
def test_a_wrong_key_and_a_wrong_address_end_it_soon(
    importer: Importer, tmp_path: Path
) -> None:
    root = folder_of(tmp_path / "old", a_jpg=small(1))
    importer.key = "hf_wrong"
    said = importer(root)
    assert said.code == 1
    assert "401" in said.words
    importer.url = "http://127.0.0.1:9"
    said = importer(root)
    assert "unreachable" in said.words
    assert "At http://127.0.0.1:9:" in said.words
    assert Item.objects.count() == 0


def test_a_worker_that_dies_costs_one_file_and_there_is_never_much_under_way(
    tmp_path: Path,
) -> None:
    files = {f"{n}_jpg": small(n) for n in range(25)}
    root = folder_of(tmp_path / "old", **files, deadly_jpg=small(1))
    most = 0

    def tell(outcome: Outcome) -> None:
        nonlocal most
        most = max(most, len(run._under_way))

    collection = Deadly(str(root))
    with Journal(tmp_path / "journal", {}) as journal:
        journal.take_listing(collection.listing())
        orders = Orders(collection, "", "")
        run = Run(journal, orders, Stop(), workers=2, tell=tell)
        assert run.go()
        counts = journal.counts()
        assert (counts["registered"], counts["refused"]) == (25, 1)
        [(path, state, reason)] = journal.problems()
        assert (path, state) == ("deadly.jpg", "refused")
        assert "dies" in reason
    assert 0 < most <= 2 * UNDER_WAY


def test_a_name_that_is_a_formula_is_no_formula_in_the_table(
    tmp_path: Path,
) -> None:
    names = ["=cmd()", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1", "'=1", "plain"]  # noqa: RUF001  # A wide sign.
    root = folder_of(tmp_path / "old", picture_jpg=small(1))
    for name in names:
        (root / name).write_bytes(b"words")
    table = tmp_path / "problems.csv"
    arguments = ["media", str(root), "--dry-run", "--problems", str(table)]
    said = CliRunner().invoke(importing.app, ["import", *arguments])
    assert said.exit_code == 0, said.output
    with table.open(newline="") as file:
        told = {row[0] for row in list(csv.reader(file))[1:]}
    assert told == {"plain", *(f"'{name}" for name in names[:-1])}


def test_a_dry_run_tells_everything_and_leaves_nothing(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "old", a_jpg=small(1), b_jpg=small(2)[:400])
    said = CliRunner().invoke(
        importing.app, ["import", "media", str(root), "--dry-run", "--json"]
    )
    assert said.exit_code == 0, said.output
    counts = json.loads(said.stdout)
    assert (counts["registered"], counts["not_comparable"]) == (2, 1)
    assert {path.name for path in tmp_path.iterdir()} == {"old"}


def test_links_in_a_circle_and_closed_folders_cost_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = folder_of(tmp_path / "old", a_jpg=small(1), x_jpg__b_jpg=small(2))
    (root / "one").symlink_to(root / "other")
    (root / "other").symlink_to(root / "one")
    (root / "itself").symlink_to(root)
    os.mkfifo(root / "pipe.jpg")
    (root / "lost+found").mkdir()
    really = os.scandir

    def scandir(folder: bytes) -> object:
        # Whoever tests as root can read every folder.
        if folder.endswith(b"lost+found"):
            raise PermissionError(13, "Permission denied")
        return really(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    table = tmp_path / "problems.csv"
    said = CliRunner().invoke(
        importing.app,
        ["import", "media", str(root), "--dry-run", "--json", "--problems", str(table)],
    )
    assert said.exit_code == 1, said.output
    counts = json.loads(said.stdout)
    assert (counts["registered"], counts["refused"]) == (2, 3)
    told = [row[:2] for row in csv.reader(table.read_text().splitlines())][1:]
    assert told == [[each, "refused"] for each in ("lost+found", "one", "other")]


def vanishing(
    monkeypatch: pytest.MonkeyPatch, when: Path, gone: Path, *, midway: bool = False
) -> None:
    """``gone`` is taken away when ``when`` is about to be listed, or is half-way."""
    really = os.scandir

    @contextmanager
    def scandir(folder: bytes) -> Iterator[Iterator[os.DirEntry[bytes]]]:
        def entries(listed: Iterator[os.DirEntry[bytes]]) -> Iterator[Any]:
            yield next(listed)
            shutil.rmtree(gone)
            raise OSError(116, "Stale file handle")

        is_here = folder == os.fsencode(when)
        if is_here and not midway:
            shutil.rmtree(gone)
        with really(folder) as listed:
            yield entries(listed) if is_here else listed

    monkeypatch.setattr(os, "scandir", scandir)


@pytest.mark.parametrize("midway", [False, True])
def test_a_folder_that_goes_while_it_is_listed_is_named_and_costs_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, midway: bool
) -> None:
    root = folder_of(
        tmp_path / "old", a_jpg=small(1), x__b_jpg=small(2), y__c_jpg=small(3)
    )
    vanishing(monkeypatch, root / "x", root / "x", midway=midway)
    table = tmp_path / "problems.csv"
    said = CliRunner().invoke(
        importing.app,
        ["import", "media", str(root), "--dry-run", "--json", "--problems", str(table)],
    )
    assert said.exit_code == 1, said.output
    assert json.loads(said.stdout)["registered"] == 2
    told = {row[0]: row[1:] for row in csv.reader(table.read_text().splitlines())}
    nothing = ["refused", "unreadable: No such file or directory"]
    assert told["x"] == nothing
    assert told.get("x/b.jpg", nothing) == nothing


@pytest.mark.parametrize("midway", [False, True])
def test_a_collection_that_goes_ends_the_listing_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, midway: bool
) -> None:
    root = folder_of(
        tmp_path / "old", a_jpg=small(1), x__b_jpg=small(2), y__c_jpg=small(3)
    )
    with Journal(tmp_path / "journal", {}) as journal:
        assert journal.take_listing(Folder(str(root)).listing()) == 3
        vanishing(monkeypatch, root / "x", root, midway=midway)
        with pytest.raises(InvalidInput, match="cannot be read") as refused:
            journal.take_listing(Folder(str(root)).listing())
        assert str(root) in refused.value.message
        assert [unit.item for unit in journal.waiting()] == [
            "a.jpg", "x/b.jpg", "y/c.jpg",
        ]  # fmt: skip


def test_what_cannot_be_imported_is_refused_by_name(tmp_path: Path) -> None:
    def said(*options: str) -> str:
        result = CliRunner().invoke(importing.app, ["import", "media", *options])
        assert isinstance(result.exception, HoldfastError), result.output
        return result.exception.message

    folder = str(tmp_path)
    assert "--platform" in said(folder)
    assert "--key" in said(folder, "--url", "http://127.0.0.1:9")
    assert "no such folder" in said(str(tmp_path / "no"), "--dry-run")
    assert "s3://" in said("ftp://x/y", "--dry-run")
    assert "s3://" in said("s3://", "--dry-run")


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return any(_group_of(pid) == group for pid in _processes())


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _group_of(pid: int) -> int | None:
    """The process group of one that runs; a dead one that nobody waited for is none."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            rest = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if rest[0] == "Z" else int(rest[2])
