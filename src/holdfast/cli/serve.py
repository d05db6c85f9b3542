"""``holdfast web`` and ``holdfast worker``: the parts, several of each if need be."""

from __future__ import annotations

import typer

from holdfast.base.jobs import CONCURRENCY, run_worker
from holdfast.flow import TICKS
from holdfast.signals.warm import warm
from holdfast.web.server import serve

app = typer.Typer()


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
    warm()
    run_worker(TICKS, concurrency=concurrency)
