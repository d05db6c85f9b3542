"""``holdfast keys``: the key ring as one text, for the machines that share it."""

from __future__ import annotations

import typer
from django.conf import settings
from rich.console import Console

app = typer.Typer()
words = Console(stderr=True)


@app.callback()
def _several() -> None:
    """Keeps the command's name when it is the only one."""


@app.command()
def keys() -> None:
    """Print the key ring as one text, for HOLDFAST_KEYS on the other machines."""
    words.print("Whoever has this text can open everything that is sealed here.")
    typer.echo(settings.HOLDFAST_KEYS.bundle())
