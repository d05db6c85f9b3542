"""``holdfast prepare``: the database as this version needs it. Safe to repeat."""

from __future__ import annotations

from pathlib import Path

import typer
from django.core.management import call_command
from django.db import connection
from rich.console import Console

import holdfast
from holdfast.base.by import SYSTEM
from holdfast.base.errors import NotFound, Refused, Unavailable
from holdfast.policy.operations import adopt_policy
from holdfast.policy.queries import current
from holdfast.signals.warm import warm
from holdfast.staff.operations import create_first_administrator

app = typer.Typer()
console = Console()
OLDEST_POSTGRES = 150000
"""PostgreSQL 15: the oldest with NULLS NOT DISTINCT, which some constraints need."""
FIRST_POLICY = Path(holdfast.__file__).parent / "policy" / "default.yaml"


@app.callback()
def _several() -> None:
    """Keeps the command's name when it is the only one."""


@app.command()
def prepare(
    email: str = typer.Option("admin@localhost", help="The first administrator."),
) -> None:
    """Create or upgrade the database; make the first administrator and policy."""
    connection.ensure_connection()
    if connection.connection.info.server_version < OLDEST_POSTGRES:
        raise Unavailable("Holdfast needs PostgreSQL 15 or newer.")
    call_command("migrate", interactive=False, verbosity=0)
    warm()
    try:
        current()
    except NotFound:
        adopt_policy(FIRST_POLICY.read_text(), by=SYSTEM)
    try:
        added = create_first_administrator(email=email, name="First administrator")
    except Refused:
        return
    console.print("[bold]First start.[/bold] The first administrator signs in with:")
    console.print(f"  e-mail    {email}")
    console.print(f"  password  {added.one_time_password}   (shown this once)")
    console.print("and is asked to set up a second factor. Add staff with:")
    console.print("  holdfast staff add EMAIL NAME --role reviewer")
