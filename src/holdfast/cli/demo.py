"""``holdfast demo``: the nine days, replayed against a small social network.

Everything runs on this machine, in a folder that is deleted at the end unless one was
named. Nothing outside is contacted; the authority is a test double.
"""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path

import typer
from rich.console import Console

from holdfast.cli import start
from holdfast.demo.display import Display, ledger_table, summary_table
from holdfast.demo.ending import serve
from holdfast.demo.pictures import PICTURES, make_album
from holdfast.demo.result import result_of
from holdfast.demo.stage import new_folder, set_stage
from holdfast.demo.story import Story
from holdfast.run.postgres import EmbeddedPostgres
from holdfast.run.processes import Supervisor

app = typer.Typer()
console = Console()


@app.callback()
def _several() -> None:
    """Keeps the command's name when it is the only one."""


@app.command()
def demo(
    serve_after: bool = typer.Option(
        True, "--serve/--no-serve", help="Stay up afterwards, to explore by hand."
    ),
    json_file: Path | None = typer.Option(
        None, "--json", help="Write what was measured as one JSON object."
    ),
    media: Path | None = typer.Option(
        None, help="A folder of your own pictures, instead of those that come along."
    ),
    pictures: int = typer.Option(
        PICTURES, min=1, help="How many pictures stand there."
    ),
    by_hand: bool = typer.Option(
        False, "--by-hand", help="You decide, at the console."
    ),
    home: Path | None = typer.Option(
        None, help="An empty folder that is kept, instead of one that is deleted."
    ),
) -> None:
    """Replay the nine days on a sample network, and measure."""
    album = make_album(pictures, media)
    for line in album.skipped:
        console.print(f"left out: {line}", highlight=False)
    with ExitStack() as stack:
        folder = stack.enter_context(new_folder(home))
        console.print("Starting PostgreSQL, Holdfast, Plaza and a CyberTipline double.")
        # Before the supervisor, so that it outlives what the supervisor stops.
        database = stack.enter_context(
            EmbeddedPostgres(folder / "postgres", dies_with_owner=True)
        )
        supervisor = stack.enter_context(Supervisor(tell=_tell))
        stage = set_stage(
            folder, database, supervisor, prepare=_prepare, programs=start.programs
        )
        with Display(console) as display:
            told = Story(stage, album, display, by_hand=by_hand).play()
        result, ledger = result_of(stage, album, told)
        console.print(ledger_table(ledger))
        console.print(summary_table(result))
        if json_file is not None:
            json_file.write_text(json.dumps(result, indent=2) + "\n")
        if serve_after:
            serve(stage, told, console, kept=home is not None)


def _prepare(environment: dict[str, str]) -> None:
    """Create the database, without showing the first administrator's password."""
    subprocess.run(
        [*start.holdfast(), "prepare"],
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _tell(words: str) -> None:
    """Only what goes wrong is worth a line here."""
    if "running" not in words:
        console.print(words, style="yellow", highlight=False)
