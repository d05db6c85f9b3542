"""``holdfast web`` and ``holdfast worker``: the parts, several of each if need be."""

from __future__ import annotations

import os

import typer

from holdfast.base.jobs import CONCURRENCY, run_worker
from holdfast.flow import TICKS
from holdfast.signals.warm import warm
from holdfast.web.server import serve

app = typer.Typer()

BEHIND_THE_DOOR = 5
"""How much a worker steps back for other programs of its machine (see ``nice``): who
reports waits for an answer, and what follows from their report before does not."""


@app.command()
def web(
    host: str = typer.Option("127.0.0.1", help="Address to listen on."),
    port: int = typer.Option(8300, help="Port to listen on."),
    processes: int = typer.Option(2, help="Web processes."),
    threads: int = typer.Option(8, help="Threads of each."),
) -> None:
    """Run the web part only: portal, console and platform API."""
    serve(f"{host}:{port}", workers=processes, threads=threads)


@app.command()
def worker(
    concurrency: int = typer.Option(CONCURRENCY, help="Steps at a time."),
) -> None:
    """Run the worker only. Any number of workers may run, on any machines."""
    os.nice(BEHIND_THE_DOOR)
    warm()
    run_worker(TICKS, concurrency=concurrency)
