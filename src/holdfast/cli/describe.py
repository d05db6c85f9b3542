"""``holdfast describe``: find crops among what was there before, too."""

from __future__ import annotations

from collections import Counter

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from holdfast.cli.operator import OPERATOR
from holdfast.fingerprints.later import count_undescribed, describe_what_is_left

app = typer.Typer()


@app.callback()
def _several() -> None:
    """Keeps the command's name when it is the only one."""


@app.command()
def describe(
    most: int | None = typer.Option(None, min=1, help="Stop after so many pictures."),
) -> None:
    """Describe the pictures that came before holdfast[features] was installed.

    Crops, captions and screenshots are found by what is kept here. May be interrupted
    at any time and run again. Workers compare what is described, as if it had come now.
    """
    left = count_undescribed()
    came: Counter[str] = Counter()
    bar = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*bar, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=min(left, most or left))
        for each in describe_what_is_left(most=most, by=OPERATOR):
            came[each.value] += 1
            progress.advance(task)
    found = ", ".join(f"{count:,} {what}" for what, count in sorted(came.items()))
    typer.echo(f"{found or 'Nothing to describe'}. {count_undescribed():,} left.")
