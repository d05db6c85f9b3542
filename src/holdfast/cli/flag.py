"""``holdfast flag``: take in a hotline's file of reports, a receipt for each line.

The same as ``POST /api/v1/flags:batch``, for a file that somebody sent. Run it again
after anything went wrong: what was taken in before is told again and not reported
twice. A line that cannot be taken in is named, and keeps no other from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import typer
from pydantic import ValidationError

from holdfast.base.errors import HoldfastError, InvalidInput, NotFound
from holdfast.cli.operator import OPERATOR
from holdfast.intake.flag_files import WESTERN, FileLine, csv_lines, ndjson_lines
from holdfast.intake.flaggers import FAULTS, FlagGiven
from holdfast.intake.flaggers import flag as take_in
from holdfast.triage.flaggers import FlaggerLine, flaggers
from holdfast.web.api.flags import given_of
from holdfast.web.api.report_schemas import FlagLine

app = typer.Typer()


@app.callback()
def _several() -> None:
    """Keeps the command's name when it is the only one."""


@app.command()
def flag(
    file: Path = typer.Argument(help="CSV with a heading, or NDJSON (*.ndjson)."),
    by: str = typer.Option(help="Name of the organisation, as the console has it."),
) -> None:
    """Take in a hotline's file of reports; prints a receipt for each line.

    One JSON object a line on standard output, faults on standard error; the exit code
    is 1 when a line, or an address of one, was not taken in.
    """
    flagger = _named(by)
    bad = in_part = 0
    for line in _lines(file):
        try:
            given = _given(line)
            told = take_in(flagger.id, given, by=OPERATOR)
        except (HoldfastError, ValidationError) as error:
            bad += 1
            typer.echo(f"{_name(line)}: {_fault(error)}", err=True)
            continue
        receipt = {
            "reference": told.reference,
            "number": told.number,
            "is_new": told.is_new,
            "added": told.added,
            "has_priority": told.has_priority,
            "not_taken": [each.said for each in given.not_taken],
        }
        typer.echo(json.dumps(receipt))
        for part in given.not_taken:
            place = int(part.place[1]) + 1
            typer.echo(f"{_name(line)}, address {place}: {part.why}", err=True)
        in_part += bool(given.not_taken)
    _tell(bad, in_part)


def _tell(bad: int, in_part: int) -> None:
    if bad:
        typer.echo(
            f"{bad} not taken in. Correct them and send the file again.", err=True
        )
    if in_part:
        typer.echo(
            f"{in_part} taken in but for the addresses named above. Correct these and "
            "send the file again, with the same references.",
            err=True,
        )
    if bad or in_part:
        raise typer.Exit(1)


def _named(name: str) -> FlaggerLine:
    accounts = [each for each in flaggers(by=OPERATOR) if each.ended_at is None]
    found = [each for each in accounts if each.name == name]
    if len(found) != 1:
        known = ", ".join(each.name for each in accounts) or "nobody"
        raise NotFound(f"There is no one account of this name. There are: {known}.")
    return found[0]


def _lines(file: Path) -> Iterator[FileLine]:
    try:
        with file.open(encoding="utf-8", errors=WESTERN, newline="") as text:
            is_ndjson = file.suffix in (".ndjson", ".jsonl")
            yield from ndjson_lines(text) if is_ndjson else csv_lines(text)
    except OSError as error:
        raise InvalidInput("The file cannot be read.", why=error.strerror) from None
    except ValueError as error:
        raise InvalidInput(f"The file cannot be read on. {error}") from None


def _given(line: FileLine) -> FlagGiven:
    if line.fault:
        raise InvalidInput(str(FAULTS[line.fault]))
    return given_of(FlagLine.model_validate(line.record))


def _name(line: FileLine) -> str:
    reference = (line.record or {}).get("reference")
    return f"line {line.number}" + (f" ({reference})" if reference else "")


def _fault(error: HoldfastError | ValidationError) -> str:
    if isinstance(error, HoldfastError):
        return error.message
    faults = error.errors(include_url=False, include_input=False)
    named = [(".".join(map(str, each["loc"])), each["msg"]) for each in faults]
    return "; ".join(f"{place}: {what}" for place, what in named)
