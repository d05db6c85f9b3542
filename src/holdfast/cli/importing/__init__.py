"""``holdfast import``: bring what you have, media and banks.

Media go through the platform API, by the client that ships with Holdfast, so this runs
on any machine that reaches it. Nothing here touches the database but ``bank``, and
``media`` where it makes itself a key (``--platform``).
"""

from __future__ import annotations

import csv
import hashlib
import importlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from holdfast.base.errors import InvalidInput
from holdfast.cli import prepare_django
from holdfast.cli.importing.collection import Collection, collection_at
from holdfast.cli.importing.journal import Journal, Listed, shown
from holdfast.cli.importing.later import ask_again
from holdfast.cli.importing.manifest import read_manifest
from holdfast.cli.importing.run import Run, Stop
from holdfast.cli.importing.work import Orders
from holdfast.cli.spreadsheet import as_text
from holdfast.cli.start import make_home
from holdfast.matching.formats import Kind

# Rich would break the lines of these texts where the source does.
app = typer.Typer(rich_markup_mode=None)
group = typer.Typer(help="Bring what you have: media, banks.")
app.add_typer(group, name="import")
words = Console(stderr=True)
GOES_ON = "Stopped. The same command goes on from here."
STOPPED = 130
"""Exit code of what Ctrl-C has ended, as of every program (128 + SIGINT)."""
SHOWN = 20
"""Problems named on the screen; all of them are in the file of ``--problems``."""


@group.command()
def media(
    source: str = typer.Argument(metavar="DIR|s3://BUCKET/PREFIX"),
    platform: str = typer.Option("", help="The slug of a platform of this machine."),
    url: str = typer.Option("", help="The address of Holdfast, instead of --platform."),
    key: str = typer.Option(
        "",
        envvar="HOLDFAST_API_KEY",
        help="The platform's API key; better in the environment.",
    ),
    manifest: Path | None = typer.Option(
        None, help="CSV or NDJSON: path, id, and perhaps actor, url, posted_at, kind."
    ),
    base_url: str = typer.Option(
        "", help="Where Holdfast can fetch the files; they are not uploaded then."
    ),
    check: bool = typer.Option(True, help="Decode here, to say what is damaged."),
    workers: int = typer.Option(0, min=0, help="Processes; 0: one for each core."),
    journal: Path | None = typer.Option(
        None, help="Where the run keeps how far it is; by default under HOLDFAST_HOME."
    ),
    problems: Path | None = typer.Option(
        None, help="Write every file with a problem, and which, into this CSV file."
    ),
    dry_run: bool = typer.Option(False, "--dry-run", help="Look at all; send nothing."),
    as_json: bool = typer.Option(False, "--json", help="The counts as JSON object."),
) -> None:
    """Register an existing collection of pictures and videos with a platform.

    Each file becomes an item whose id is its path below DIR, or what the manifest says.
    Run it again after any end: it goes on where it was, and registers nothing twice.

    Holdfast makes the fingerprints itself, from the bytes. So each file is uploaded
    (and kept sealed), up to 60 MiB an item; or, with --base-url, fetched by Holdfast
    from an allowed host of the platform, which suits large videos and collections. One
    key may make 100 requests a second: uploads are no faster than that. Before that the
    file is decoded here as well, to name what is damaged; --no-check saves that time.
    Damaged files are registered too: the very same bytes are found, and of a film
    what can be read.
    """
    _check_target(platform, url, key, dry_run)
    try:
        with Stop() as stop:
            collection = collection_at(source)
            about = {
                "source": repr(collection),
                "target": "" if dry_run else url.rstrip("/") or f"platform {platform}",
            }
            with _journal(journal, about, dry_run) as kept:
                words.print(f"Journal: {kept.path}", highlight=False, soft_wrap=True)
                _list(kept, collection, manifest)
                with _target(kept, platform, url, key, dry_run) as (address, token):
                    orders = Orders(collection, address, token, base_url, check)
                    if address:
                        words.print(
                            f"Holdfast: {address}", highlight=False, soft_wrap=True
                        )
                    finished = _work(kept, orders, stop, workers)
                    if address:
                        ask_again(kept, address, token)
                counts = {**kept.counts(), "missing": len(kept.missing())}
                _tell_problems(kept, problems)
                if as_json:
                    typer.echo(json.dumps({**counts, "finished": finished}))
                _summary(counts, dry_run=dry_run, finished=finished)
            if not finished:
                raise typer.Exit(STOPPED)
            if counts["refused"] or counts["missing"]:
                raise typer.Exit(1)
    except KeyboardInterrupt:
        words.print(GOES_ON)
        raise typer.Exit(STOPPED) from None


@group.command()
def bank(
    file: Path = typer.Argument(help="Hashes: one a line, or ThreatExchange's CSV."),
    slug: str = typer.Option(..., "--bank", help="Which bank; made if there is none."),
    category: str = typer.Option(
        "", help="What they are, by the policy; a new bank needs it."
    ),
    name: str = typer.Option("", help="The bank's name, as people know it."),
    source: str = typer.Option("", help="Where the hashes come from."),
    kind: Kind | None = typer.Option(None, help="Of lines that do not say it."),
    expires: datetime | None = typer.Option(None, help="They end then (UTC)."),
) -> None:
    """Enter known hashes into a bank; what they match here is found at once.

    Entering the same file again changes nothing but when its hashes end. Exit code 1
    when a line was not taken; every good line is taken whatever the others are.
    """
    prepare_django()
    # Django has to be ready before the module is loaded.
    banks = importlib.import_module("holdfast.cli.importing.banks")
    ends = expires.replace(tzinfo=UTC) if expires else None
    told = banks.import_file(file, slug, category, name, source, kind, ends)
    raise typer.Exit(1 if told.problem_count else 0)


def _check_target(platform: str, url: str, key: str, dry_run: bool) -> None:
    if dry_run:
        return
    if bool(platform) == bool(url):
        raise InvalidInput(
            "Name a --platform of this machine, or a --url and its --key."
        )
    if url and not key:
        raise InvalidInput(
            "With --url give the platform's --key (or HOLDFAST_API_KEY)."
        )


@contextmanager
def _journal(
    path: Path | None, about: dict[str, str], dry_run: bool
) -> Iterator[Journal]:
    if dry_run:
        with TemporaryDirectory() as folder, Journal(Path(folder) / "j", {}) as kept:
            yield kept
        return
    if path is None:
        name = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]
        path = make_home() / "imports" / f"{name}.sqlite3"
        path.parent.mkdir(mode=0o700, exist_ok=True)
    with Journal(path.resolve(), about) as kept:
        yield kept


@contextmanager
def _target(
    kept: Journal, platform: str, url: str, key: str, dry_run: bool
) -> Iterator[tuple[str, str]]:
    """Address and key. A key of our own lasts until the import is finished."""
    if dry_run or url:
        yield "" if dry_run else url, key
        return
    prepare_django()
    # Django has to be ready before the module is loaded.
    own = importlib.import_module("holdfast.cli.importing.own_key")
    with own.own_key(platform, kept) as (address, token):
        yield address, token


def _list(kept: Journal, collection: Collection, manifest: Path | None) -> None:
    with Progress(
        SpinnerColumn(), TextColumn("listing"), _Count(), console=words, transient=True
    ) as progress:
        task = progress.add_task("listing", total=None)

        def listed() -> Iterator[Listed]:
            for file in collection.listing():
                progress.advance(task)
                yield file

        if manifest is not None:
            kept.take_manifest(read_manifest(manifest))
        found = kept.take_listing(listed())
    words.print(f"{found} files.", highlight=False)


def _work(kept: Journal, orders: Orders, stop: Stop, workers: int) -> bool:
    counts = kept.counts()
    waiting = counts["waiting"]
    done = counts["registered"]
    if done:
        words.print(f"{done} items were registered before.", highlight=False)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=words,
        disable=not words.is_terminal,
    ) as progress:
        task = progress.add_task("items", total=done + waiting, completed=done)
        run = Run(
            kept,
            orders,
            stop,
            workers=workers or len(os.sched_getaffinity(0)),
            tell=lambda outcome: progress.advance(task),
        )
        return run.go()


def _tell_problems(kept: Journal, file: Path | None) -> None:
    if file is not None:
        with file.open("w", newline="", errors="surrogateescape") as out:
            table = csv.writer(out)
            table.writerow(["path", "state", "reason"])
            table.writerows(map(as_text, kept.problems()))
            missing = ((name, "missing", "no_file") for name in kept.missing())
            table.writerows(map(as_text, missing))
    more = 0
    for number, (path, state, reason) in enumerate(kept.problems()):
        if number < SHOWN:
            name = escape(shown(path))
            words.print(f"  {name}: {reason} ({state})", highlight=False)
        more = max(more, number + 1 - SHOWN)
    for name in kept.missing()[:SHOWN]:
        words.print(
            f"  {escape(shown(name))}: no such file (manifest)", highlight=False
        )
    if more:
        words.print(f"  and {more} more; --problems FILE writes all.", highlight=False)


def _summary(counts: dict[str, Any], *, dry_run: bool, finished: bool) -> None:
    table = Table(show_header=False)
    says = {
        "registered": "items could be registered" if dry_run else "items registered",
        "held": "of them known here: frozen or removed, not to be shown",
        "pending": "of them still to be compared by Holdfast, when asked just now",
        "not_comparable": "files damaged: found by their bytes; films in part",
        "left_out": "files left out: no picture, no video, or not in the manifest",
        "refused": "items REFUSED or unreadable; tried again by the next run",
        "missing": "files MISSING that the manifest names",
        "waiting": "items still waiting",
    }
    for name, meaning in says.items():
        if counts[name] or name == "registered":
            table.add_row(str(counts[name]), meaning)
    words.print(table)
    if not finished:
        words.print(GOES_ON)


class _Rate(ProgressColumn):
    """Items a second, over the last while."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


class _Count(ProgressColumn):
    """How many so far, where nobody knows how many there will be."""

    def render(self, task: Task) -> Text:
        return Text(f"{int(task.completed)} files")
