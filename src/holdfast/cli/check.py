"""``holdfast check``: is everything well, and whom does this installation talk to?

Nothing outside is contacted. Exit code 1 when something needs a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import typer
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from rich.console import Console
from rich.table import Table

from holdfast.authorities.queries import accounts
from holdfast.base import clock
from holdfast.base.errors import HoldfastError
from holdfast.cli.operator import OPERATOR
from holdfast.intake.connectors.mailbox.client import place_of
from holdfast.items.queries import platforms
from holdfast.matching.exchange_list import exchanges
from holdfast.notifications import letters
from holdfast.notifications.alarms import on_call_problems
from holdfast.oversight.queries import promises
from holdfast.policy.queries import current
from holdfast.signals.features import available
from holdfast.vault.installation import blobs

app = typer.Typer()
console = Console()
ALIVE_WITHIN = timedelta(seconds=30)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    well: bool
    says: str


@app.callback()
def _several() -> None:
    """Keeps the command's name when it is the only one."""


@app.command()
def check() -> None:
    """Health, configuration, and every outbound host."""
    findings = list(look())
    table = Table("", "what", "says")
    for each in findings:
        table.add_row("ok" if each.well else "[bold red]SEE[/]", each.what, each.says)
    console.print(table)
    if any(each.what == "tables" and not each.well for each in findings):
        raise typer.Exit(1)
    console.print("Every host this installation may call:")
    for who, address in outbound():
        console.print(f"  {who}: {address}", highlight=False)
    raise typer.Exit(0 if all(each.well for each in findings) else 1)


def look() -> Iterator[Finding]:
    """Everything that can be looked at from inside."""
    yield Finding("home", True, str(settings.HOLDFAST_HOME))
    yield Finding("address", True, settings.HOLDFAST_URL)
    proxies = str(settings.HOLDFAST_TRUSTED_PROXIES)
    yield Finding("trusted proxies", True, proxies or "none: no header is believed")
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield Finding("tables", False, "not as this version needs: holdfast prepare")
        return
    yield Finding("tables", True, "as this version needs them")
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = str((cursor.fetchone() or ["?"])[0])
        yield Finding("database", True, f"PostgreSQL {version}")
        cursor.execute(
            "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > %s",
            [clock.now() - ALIVE_WITHIN],
        )
        alive = (cursor.fetchone() or [0])[0]
        # Each worker has a lane for slow steps beside that for all others.
        yield Finding("workers", bool(alive), f"{alive} lanes alive, two a worker")
        cursor.execute(
            "SELECT count(*), min(scheduled_at) FROM procrastinate_jobs"
            " WHERE status = 'todo'"
        )
        waiting = (cursor.fetchone() or [0])[0]
        yield Finding("steps", True, f"{waiting} waiting")
    yield _policy()
    for line in promises(OPERATOR):
        # Promise 10 counts breaches for ever; they are told of, not mended.
        yield Finding(line.promise, not line.broken or line.number == 10, line.says)
    yield Finding(
        "crops",
        True,
        "crops, captions and screenshots are looked for"
        if available()
        else "crops and screenshots are NOT looked for: install holdfast[features]",
    )
    yield Finding("sealed store", blobs() is not None, settings.HOLDFAST_BLOBS)
    yield _mailbox()
    problems = on_call_problems()
    yield Finding("on-call list", not problems, "; ".join(problems) or "set up")
    revealing = letters.problems()
    able = ", ".join(letters.ways()) or "nobody is written to outside the portal"
    yield Finding("letters", not revealing, "; ".join(revealing) or able)
    live = [each for each in accounts(by=OPERATOR) if each.environment == "production"]
    yield Finding(
        "authorities",
        bool(live),
        ", ".join(f"{each.authority} is live" for each in live)
        or "none is live: referrals are NOT FILED",
    )


def outbound() -> Iterator[tuple[str, str]]:
    """Who may be called, and where. There is no other address in the product."""
    for platform in platforms():
        for address in platform.outbound:
            yield f"platform {platform.slug}", address
    for account in accounts(by=OPERATOR):
        yield f"authority {account.authority} ({account.environment})", account.base_url
    for exchange in exchanges(by=OPERATOR):
        if exchange.url:
            yield f"exchange {exchange.slug}", exchange.url
    if settings.HOLDFAST_IMAP:
        yield "mailbox for reports", place_of(settings.HOLDFAST_IMAP).outbound
    if settings.EMAIL_HOST:
        yield "e-mail", f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    if settings.HOLDFAST_ON_CALL_WEBHOOK:
        yield "on-call webhook", settings.HOLDFAST_ON_CALL_WEBHOOK
    if settings.HOLDFAST_TEXT_WEBHOOK:
        yield "text messages", settings.HOLDFAST_TEXT_WEBHOOK
    if not settings.HOLDFAST_BLOBS.startswith("file:"):
        yield "sealed store", settings.HOLDFAST_BLOBS


def _mailbox() -> Finding:
    if not settings.HOLDFAST_IMAP:
        return Finding("mailbox", True, "none: reports by e-mail are not taken")
    try:
        place = place_of(settings.HOLDFAST_IMAP)
    except HoldfastError as error:
        return Finding("mailbox", False, error.message)
    if not settings.EMAIL_HOST:
        return Finding("mailbox", False, "HOLDFAST_SMTP is not set: nobody is answered")
    proof = ", ".join(settings.HOLDFAST_IMAP_AUTHSERV_IDS) or "nobody"
    ours = f"{place.folder}, as {settings.HOLDFAST_IMAP_ADDRESS}"
    return Finding("mailbox", True, f"{ours}; who says who sent a mail: {proof}")


def _policy() -> Finding:
    try:
        return Finding("policy", True, current().version)
    except HoldfastError as error:
        return Finding("policy", False, error.message)
