"""``holdfast bank``, ``exchange`` and ``export``: known hashes from elsewhere.

Credentials come by the prompt or the environment, never among the arguments, and are
kept encrypted.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from holdfast.base.errors import InvalidInput, NotFound
from holdfast.cli.find import read_sought
from holdfast.cli.operator import OPERATOR
from holdfast.matching import exchange as exchange_operations
from holdfast.matching.bank_files import export_bank
from holdfast.matching.blocks import block, blocks, lift, open_to_blocking, stop
from holdfast.matching.connectors.connect import KINDS
from holdfast.matching.exchange_list import exchanges
from holdfast.matching.find import banked
from holdfast.matching.formats import Form, Kind
from holdfast.matching.sources import BankLine, precision_by_bank

app = typer.Typer()
bank = typer.Typer(help="Known hashes: how good each bank is; revoke.")
exchange = typer.Typer(help="Hash exchanges: set up, list, sync.")
export = typer.Typer(help="Write what Holdfast has to a file.")
app.add_typer(bank, name="bank")
app.add_typer(exchange, name="exchange")
app.add_typer(export, name="export")
console = Console()
CREDENTIALS_VARIABLE = "HOLDFAST_EXCHANGE_CREDENTIALS"
"""Arguments are everybody's to list; this and the prompt are not."""


@bank.command("list")
def banks() -> None:
    """All banks: whose they are, what they hold, and how much of what they found
    people have found to be what they say."""
    table = Table(show_lines=True)
    # A name that is cut off is of no use to the other commands.
    for name in ("bank", "from", "signals"):
        table.add_column(name, overflow="fold")
    for name in ("found", "decided", "precision"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in precision_by_bank(by=OPERATOR):
        table.add_row(
            f"{line.slug}\n{line.kind}",
            "\n".join(escape(each) for each in _origin(line)),
            "\n".join(_signals(line)),
            f"{line.found:,}",
            f"{line.decided:,}",
            "" if line.precision is None else f"{line.precision:.0%}",
        )
    console.print(table)


def _origin(line: BankLine) -> Iterator[str]:
    if line.source:
        yield line.source
    if line.category:
        yield line.category
    yield f"{line.added_by}, {line.added_at:%Y-%m-%d}"


def _signals(line: BankLine) -> Iterator[str]:
    yield f"{line.entries:,}"
    if line.expired:
        yield f"{line.expired:,} expired"
    if line.revoked:
        yield f"{line.revoked:,} revoked"


@bank.command("revoke")
def revoke_entries(
    content: list[str] = typer.Argument(metavar="PICTURE|VIDEO|HASH..."),
    reason: str = typer.Option(..., help="Why, in a sentence; it is kept."),
    slug: str = typer.Option("", "--bank", help="In this bank only."),
    yes: bool = typer.Option(False, "--yes", help="Do not ask first."),
) -> None:
    """Take back what banks have of some content; what it touched goes to people again.

    For good: no file and no exchange brings it back until somebody lifts that (holdfast
    bank lift). What an exchange has taken back itself is blocked as well. Given a
    picture or a video, everything that would match it is taken back. A hash may begin
    with sha256:, md5: or pdq:.
    """
    found = {
        entry.id: entry
        for each in content
        for entry, _ in banked(read_sought(each))
        if slug in ("", entry.bank.slug)
    }
    ids = open_to_blocking(found.values())
    if not ids:
        raise NotFound("No bank has anything of it that is not revoked for good.")
    names = Counter(found[each].bank.slug for each in ids)
    for name, count in sorted(names.items()):
        console.print(f"{name}: {count}", highlight=False)
    if not yes:
        typer.confirm("Take these back?", abort=True)
    count = block(ids, reason, by=OPERATOR)
    console.print(f"{count} revoked.", highlight=False)


@bank.command("blocks")
def list_blocks() -> None:
    """What people said never comes again, and why; the newest first."""
    for line in blocks(by=OPERATOR):
        what = f"{line.kind}:{line.signal}" if line.signal else "all that comes"
        # Not in a table, where what the next command needs would be cut up.
        typer.echo(f"{line.id}  {line.bank}  {what}")
        typer.echo(f"    {line.reason} ({line.blocked_by}, {line.blocked_at:%Y-%m-%d})")


@bank.command("lift")
def lift_block(
    block_id: UUID = typer.Argument(metavar="BLOCK", help="See: holdfast bank blocks"),
    reason: str = typer.Option(..., help="Why, in a sentence; it is kept."),
) -> None:
    """End a block: what its source has still is looked for again at once."""
    lift(block_id, reason, by=OPERATOR)
    console.print("Lifted.")


@export.command("bank")
def export_file(
    slug: str = typer.Argument(help="The bank."),
    file: Path = typer.Argument(help="Where to; - for standard output."),
    form: Form = typer.Option(
        Form.CSV, help="text: hashes; typed: 'pdq HASH'; csv: ThreatExchange's columns."
    ),
    kind: Kind | None = typer.Option(None, help="Only signals of this kind."),
) -> None:
    """Write a bank's signals as python-threatexchange reads them."""
    with _opened(file) as target:
        count = export_bank(slug, target, form, kind=kind, by=OPERATOR)
    typer.echo(f"{count} signals.", err=True)


ADD = f"""Set up an exchange, or change how it is reached. Nothing is sent yet.

Credentials are asked for, or taken from the environment variable
{CREDENTIALS_VARIABLE}; they are never an argument. What to write, for each kind:

""" + "\n\n".join(
    f"{kind}: {each.words if each.is_remote else 'none'}."
    for kind, each in KINDS.items()
)


@exchange.command("add", help=ADD)
def add(
    kind: str = typer.Argument(help=f"One of: {', '.join(KINDS)}."),
    slug: str = typer.Argument(help="What it is to be called here."),
    category: str = typer.Option(..., help="What its hashes are, by the policy."),
    url: str = typer.Option("", help="Its address, with the path before /v2, /v1…"),
    name: str = typer.Option("", help="As people know it."),
    setting: list[str] = typer.Option(
        [], help="members=1,2 · privacy_group=3 · tags=a,b · path=/a/folder; repeat."
    ),
) -> None:
    spoken = KINDS.get(kind)
    credentials = os.environ.get(CREDENTIALS_VARIABLE, "")
    if spoken is not None and spoken.is_remote and not credentials:
        credentials = typer.prompt(spoken.words, hide_input=True)
    exchange_operations.add_exchange(
        slug,
        kind,
        name=name or slug,
        url=url,
        credentials=credentials,
        settings=dict(_setting(each) for each in setting),
        category=category,
        by=OPERATOR,
    )
    console.print(f"{slug} is set up. Next: holdfast exchange sync {slug}")


@exchange.command("stop")
def stop_exchange(
    slug: str,
    reason: str = typer.Option(..., help="Why, in a sentence; it is kept."),
) -> None:
    """Pull nothing more from an exchange until somebody lifts that.

    What it brought stays until it is taken back.
    """
    stop(slug, reason, by=OPERATOR)
    console.print(
        f"Nothing more comes from {slug}. To end that: holdfast bank lift",
        highlight=False,
    )


@exchange.command("list")
def list_() -> None:
    """All exchanges, and when each was last pulled to its end."""
    table = Table()
    # A name that is cut off is of no use to the other commands.
    for name in ("exchange", "kind", "address"):
        table.add_column(name, overflow="fold")
    for name in ("records", "synced", "failures"):
        table.add_column(name)
    for line in exchanges(by=OPERATOR):
        address = line.url or str(line.settings.get("path", ""))
        table.add_row(
            line.slug,
            line.kind,
            escape(address),
            f"{line.records:,}",
            _at(line.synced_at),
            str(line.failures or ""),
        )
    console.print(table)


@exchange.command("sync")
def sync(
    slug: str,
    accept_loss: bool = typer.Option(
        False, help="Pull all anew, and take back all that does not come."
    ),
) -> None:
    """Pull what is new. The worker does this every ten minutes by itself."""
    told = exchange_operations.sync(slug, accept_loss=accept_loss, by=OPERATOR)
    console.print(
        f"{told.entered} entered, {told.revoked} revoked, "
        f"{told.malformed_count} malformed, in {told.pages} pages.",
        highlight=False,
    )
    for each in told.malformed:
        console.print(f"  {escape(each.key)}: {escape(each.why)}", highlight=False)
    if told.lost:
        console.print(
            f"{told.lost} records did not come any more, which is most of them. They "
            f"are kept. If this is right: holdfast exchange sync {slug} --accept-loss",
            highlight=False,
        )


def _setting(text: str) -> tuple[str, Any]:
    """``name=value``; numbers and lists where the setting is one."""
    name, equals, value = text.partition("=")
    if not equals or not value:
        raise InvalidInput("A setting is written name=value.")
    if name == "members":
        try:
            return name, [int(each) for each in value.split(",")]
        except ValueError as error:
            raise InvalidInput("Members are numbers: members=1,2.") from error
    return name, value.split(",") if name == "tags" else value


def _at(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


@contextmanager
def _opened(file: Path) -> Iterator[TextIO]:
    if str(file) == "-":
        yield sys.stdout
        return
    try:
        target = file.open("x", encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"The file cannot be written: {error.strerror}.") from error
    with target:
        try:
            yield target
        except BaseException:
            # Half a bank looks like a whole one.
            file.unlink()
            raise
