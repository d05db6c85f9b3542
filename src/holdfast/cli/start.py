"""``holdfast up``: the product for real use, with no story.

The first start creates the database, the keys and a first administrator; later starts
take seconds. Ctrl-C stops everything cleanly. Nothing is running that this did not
start, except the database of ``DATABASE_URL`` where one is given.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import typer
from rich.console import Console

from holdfast.cli import home, remember_address
from holdfast.run.postgres import EmbeddedPostgres
from holdfast.run.processes import Program, Supervisor

app = typer.Typer()
console = Console()


@app.callback()
def _several() -> None:
    """Keeps the command's name when it is the only one."""


@app.command()
def up(
    host: str = typer.Option("127.0.0.1", help="Address to listen on."),
    port: int = typer.Option(8300, help="Port to listen on."),
    workers: int = typer.Option(1, help="Worker processes."),
    url: str = typer.Option("", help="The address people use, if another."),
) -> None:
    """Run everything: database, web and worker. Data are under HOLDFAST_HOME."""
    folder = make_home()
    environment = {**os.environ, "HOLDFAST_HOME": str(folder)}
    environment["HOLDFAST_URL"] = url or os.environ.get(
        "HOLDFAST_URL", f"http://{host}:{port}"
    )
    with ExitStack() as stack:
        try:
            # The database is entered first, so that it is the last to stop.
            postgres = None
            if "DATABASE_URL" not in os.environ:
                postgres = stack.enter_context(EmbeddedPostgres(folder / "postgres"))
                environment["DATABASE_URL"] = postgres.url()
            supervisor = stack.enter_context(Supervisor(tell=console.print))
            if postgres is not None:
                supervisor.keep("database", postgres.is_running, postgres.start)
            prepare(environment)
            for program in programs(folder, environment, host, port, workers):
                supervisor.start(program)
            remember_address(folder, local_address(host, port))
            console.print(f"Portal     {environment['HOLDFAST_URL']}/")
            console.print(f"Console    {environment['HOLDFAST_URL']}/console/")
            console.print(f"API        {environment['HOLDFAST_URL']}/api/v1/docs")
            console.print("Ctrl-C stops everything.")
            supervisor.wait()
        except KeyboardInterrupt:
            console.print("Stopping.")


def make_home() -> Path:
    """The installation's folder; created, and entered only by its owner."""
    folder = home()
    if not folder.exists():
        folder.mkdir(parents=True)
        # As root the database runs as another system user, who has to pass through
        # here to its own folder; everybody else finds only closed doors inside.
        folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return folder


def local_address(host: str, port: int) -> str:
    """How programs of this machine reach what listens on ``host`` and ``port``."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    name = everywhere.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def prepare(environment: dict[str, str]) -> None:
    """Create or upgrade the database, in a process of its own."""
    subprocess.run([*holdfast(), "prepare"], env=environment, check=True)


def holdfast() -> list[str]:
    """How to run this very program again."""
    return [sys.executable, "-c", "from holdfast.cli import main; main()"]


def programs(
    folder: Path, environment: dict[str, str], host: str, port: int, workers: int
) -> list[Program]:
    """The web part and the workers, in the order in which they start."""
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    web = Program(
        "web",
        [*holdfast(), "web", "--host", host, "--port", str(port)],
        logs / "web.log",
        env=environment,
        ready=f"http://{host}:{port}/healthz",
    )
    return [
        web,
        *(
            Program(
                f"worker-{number}",
                [*holdfast(), "worker"],
                logs / f"worker-{number}.log",
                env=environment,
            )
            for number in range(1, workers + 1)
        ),
    ]
