"""``holdfast bench``: speed and memory, each beside the named peer in one run.

The measurements are a package of their own, ``holdfast_bench``, and are loaded when
they are asked for: their peers need not be installed for anything else.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

app = typer.Typer()
bench = typer.Typer(help="Measure speed and memory beside the named peers.")
app.add_typer(bench, name="bench")
words = Console(stderr=True)

JSON = typer.Option(None, "--json", help="Also write the JSON object into a file.")
MEDIA = typer.Option(None, help="A folder of your own photographs.")


@bench.command()
def fingerprints(
    json_file: Path | None = JSON,
    media: Path | None = MEDIA,
    n: int | None = typer.Option(None, "--n", min=1, help="Photographs."),
) -> None:
    """From a JPEG's bytes to its PDQ, beside pdqhash with Pillow."""
    _measure("fingerprints", json_file, media=media, n=n)


@bench.command()
def copies(
    json_file: Path | None = JSON,
    n: int | None = typer.Option(None, "--n", min=1000, help="Fingerprints indexed."),
) -> None:
    """Exact search, beside python-threatexchange and FAISS."""
    _measure("copies", json_file, n=n)


@bench.command()
def edits(
    json_file: Path | None = JSON,
    media: Path | None = MEDIA,
    n: int | None = typer.Option(None, "--n", min=2, help="Photographs reported."),
) -> None:
    """What is found of each kind of edit, by PDQ alone and by Holdfast."""
    _measure("edits", json_file, media=media, n=n)


@bench.command()
def video(
    json_file: Path | None = JSON,
    media: Path | None = MEDIA,
    n: int | None = typer.Option(None, "--n", min=2, help="Films edited."),
) -> None:
    """Fingerprints of a video, beside vpdq."""
    _measure("video", json_file, media=media, n=n)


@bench.command()
def freeze(
    json_file: Path | None = JSON,
    n: int | None = typer.Option(None, "--n", min=1000, help="Registered pictures."),
) -> None:
    """From a report's request to its 201, everything frozen and committed."""
    _measure("freeze", json_file, n=n)


@bench.command()
def brigade(
    json_file: Path | None = JSON,
    n: int | None = typer.Option(None, "--n", min=10, help="False reports."),
) -> None:
    """A simulated brigade of false reports, with and without the defences."""
    _measure("brigade", json_file, n=n)


def _measure(name: str, json_file: Path | None, **options: Any) -> None:
    module = importlib.import_module(f"holdfast_bench.{name}")
    found = module.run(
        progress=lambda line: words.print(line, highlight=False), **options
    )
    text = json.dumps(found, indent=2)
    typer.echo(text)
    if json_file is not None:
        json_file.write_text(text + "\n")
