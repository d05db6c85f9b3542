"""``holdfast verify-log`` and ``export-log``: nobody has to believe us."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console

from holdfast.vault.sequencer import append_to_log, export_log, verify_log

app = typer.Typer()
console = Console()


@app.command("verify-log")
def verify(
    folder: Path | None = typer.Argument(
        None, help="An exported log; without it, this installation's database."
    ),
    checkpoint: Path | None = typer.Option(
        None, help="Checkpoints that you kept elsewhere, to hold it against."
    ),
    key: str = typer.Option("", help="The public key that you kept, as text."),
) -> None:
    """Prove that no event was changed. Exit code 1 if one was, and which."""
    kept = checkpoint.read_text("utf-8") if checkpoint else ""
    found = verify_log(folder, key, kept)
    for problem in found.problems:
        console.print(
            f"[bold red]{problem.message}[/] (event {problem.event_id}, {problem.code})"
        )
    console.print(
        f"{found.events} events, {found.proved_size} of them under a signed checkpoint:"
        f" {'nothing was changed' if found.ok else 'NOT AS THEY WERE WRITTEN'}."
    )
    raise typer.Exit(0 if found.ok else 1)


@app.command("export-log")
def export(folder: Path) -> None:
    """Write the log, its checkpoints and the public key into a folder."""
    append_to_log()
    export_log(folder)
    console.print(f"Written to {folder}. Verify it with: holdfast verify-log {folder}")
