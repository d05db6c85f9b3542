"""The program ``holdfast``.

Commands are loaded when they are called, so that ``holdfast --help`` answers at once
and starts nothing: loading by name is the way that Click documents for this ("Lazily
Loading Subcommands"). Commands that touch the database are given Django ready to use.
Typer carries a Click of its own, so its classes are used and the package's are not.
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
import typer
from django.apps import apps
from django.db import OperationalError
from typer.core import TyperGroup

from holdfast import __version__
from holdfast.base.errors import HoldfastError
from holdfast.run.postgres import EmbeddedPostgres

ADDRESS_FILE = "address"
"""In HOLDFAST_HOME: where ``holdfast up`` listens, for commands of this machine."""


@dataclass(frozen=True)
class Lazy:
    """Where a command lives, what it does, and whether it needs the database."""

    module: str
    help: str
    django: bool = True


COMMANDS = {
    "up": Lazy("start", "Run everything: database, web and worker.", django=False),
    "demo": Lazy("demo", "Replay the nine days on a sample network.", django=False),
    "web": Lazy("serve", "Run the web part only."),
    "worker": Lazy("serve", "Run the worker only."),
    "prepare": Lazy("prepare", "Create or upgrade the database; safe to repeat."),
    "check": Lazy("check", "Health, configuration, and every outbound host."),
    "verify-log": Lazy("log", "Prove that no event was changed, offline."),
    "export-log": Lazy("log", "Write the log to files, for somebody else to verify."),
    "keys": Lazy("keys", "The key ring as one text, for machines that share it."),
    "platform": Lazy("manage", "Register platforms, and their keys."),
    "staff": Lazy("manage", "Add staff."),
    "policy": Lazy("manage", "Adopt a policy."),
    "authority": Lazy("manage", "Set up the way to an authority."),
    "find": Lazy("find", "Where copies of a picture, a video or a hash stand."),
    "import": Lazy("importing", "Bring what you have: media, banks.", django=False),
    "describe": Lazy("describe", "Find crops among what was there before, too."),
    "bank": Lazy("banks", "Known hashes: how good each bank is; revoke."),
    "flag": Lazy("flag", "Take in a hotline's file of reports; safe to repeat."),
    "exchange": Lazy("banks", "Hash exchanges: NCMEC, StopNCII, ThreatExchange."),
    "export": Lazy("banks", "Write a bank to a file."),
    "bench": Lazy("bench", "Measure speed and memory beside the peers.", django=False),
}


class Commands(TyperGroup):
    """Loads a command's module when the command is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All commands, in the order in which somebody meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, with Django ready if it needs that."""
        lazy = COMMANDS.get(cmd_name)
        if lazy is None:
            return None
        if lazy.django:
            prepare_django()
        module = importlib.import_module(f"holdfast.cli.{lazy.module}")
        app: typer.Typer = module.app
        return typer.main.get_group(app).commands[cmd_name]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in COMMANDS.items()])


def home() -> Path:
    """Where this installation keeps its data (``HOLDFAST_HOME``, default ``./var``)."""
    return Path(os.environ.get("HOLDFAST_HOME", "var")).resolve()


def remember_address(folder: Path, address: str) -> None:
    """Note in an installation's folder where its web part listens."""
    (folder / ADDRESS_FILE).write_text(address)


def running_at() -> str:
    """Where the installation of this folder was last started; blank if never."""
    file = home() / ADDRESS_FILE
    return file.read_text().strip() if file.is_file() else ""


def prepare_django() -> None:
    """Point Django at this installation's database and load it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "holdfast.settings")
    embedded = home() / "postgres"
    if "DATABASE_URL" not in os.environ and embedded.exists():
        os.environ["DATABASE_URL"] = EmbeddedPostgres(embedded).url()
    # Once: each time binds the log anew to where errors go at that moment, which for
    # a command that runs inside another program is open only until its end.
    if not apps.ready:
        django.setup()


holdfast = typer.Typer(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    # Rich's help would load every command, and with them Django.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"holdfast, version {__version__}")
        raise typer.Exit


@holdfast.callback()
def _holdfast(
    version: bool = typer.Option(
        False,
        "--version",
        help="Show the version.",
        is_eager=True,
        callback=_say_version,
    ),
) -> None:
    """Holdfast: a report of abuse is never ignored."""


def main() -> None:
    """Run the program; a refusal is one clear line and exit code 1."""
    try:
        holdfast()
    except HoldfastError as error:
        typer.echo(error.diagnostics(), err=True)
        sys.exit(1)
    except OperationalError as error:
        first = str(error).partition("\n")[0]
        typer.echo(
            "The database does not answer. `holdfast up` starts the embedded one; "
            f"DATABASE_URL names another. ({first})",
            err=True,
        )
        sys.exit(1)
