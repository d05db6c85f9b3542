"""A file of reports that somebody sent by the page: read, and each line taken in.

The same lines as ``POST /api/v1/flags:batch`` takes, by the same operation. A line that
cannot be taken in is named, and keeps no other from it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _
from pydantic import ValidationError

from holdfast.base.by import By
from holdfast.base.errors import HoldfastError, InvalidInput
from holdfast.intake.flag_files import (
    COLUMNS,
    WESTERN,
    FileLine,
    csv_lines,
    ndjson_lines,
)
from holdfast.intake.flaggers import FAULTS, flag
from holdfast.intake.not_taken import NotTaken
from holdfast.policy import queries as policies
from holdfast.web.api.flags import given_of
from holdfast.web.api.report_schemas import FlagLine
from holdfast.web.flaggers.forms import MAX_FILE_LINES


@dataclass(frozen=True)
class LineTaken:
    """What became of one line: its report, or what is wrong with it."""

    place: int
    """The line of the file."""
    reference: str
    number: str = ""
    is_new: bool = False
    added: int = 0
    """Addresses that a corrected line added to a report that was known."""
    has_priority: bool = False
    fault: str = ""
    not_taken: Sequence[NotTaken] = ()
    """Addresses of a line that was taken in, but for these."""


def lines_of(name: str, content: bytes) -> list[FileLine]:
    """The lines of a file. Raises ``InvalidInput`` for what is no such file at all."""
    text = content.decode("utf-8", errors=WESTERN)
    lines = io.StringIO(text, newline="")
    is_csv = not name.lower().endswith((".ndjson", ".jsonl"))
    if is_csv and text.lstrip("\ufeff \r\n").startswith("{"):
        is_csv = False
    try:
        found = list(csv_lines(lines) if is_csv else ndjson_lines(lines))
    except ValueError:
        raise InvalidInput(
            _("The first line names the columns: %(columns)s.")
            % {"columns": ", ".join(COLUMNS)}
        ) from None
    if not found:
        raise InvalidInput(_("There is no report in this file."))
    if len(found) > MAX_FILE_LINES:
        raise InvalidInput(
            _(
                "A file here holds up to %(most)d reports. Split it, or send it through"
                " the API. Nothing of it has been taken in."
            )
            % {"most": MAX_FILE_LINES}
        )
    return found


def take_in(flagger_id: UUID, lines: Sequence[FileLine], *, by: By) -> list[LineTaken]:
    """Each line as a report, or with what is wrong with it."""
    return [_one(flagger_id, each, by) for each in lines]


def _one(flagger_id: UUID, read: FileLine, by: By) -> LineTaken:
    place, record = read.number, read.record or {}
    reference = str(record.get("reference") or "")[:200]
    if read.fault:
        return LineTaken(place, reference, fault=str(FAULTS[read.fault]))
    try:
        line = FlagLine.model_validate(record)
    except ValidationError as error:
        return LineTaken(place, reference, fault=" ".join(_faults(error)))
    known = {each.code for each in policies.current().categories}
    if line.category not in known:
        return LineTaken(
            place,
            reference,
            fault=_("There is no category %(code)s: see the list of them.")
            % {"code": line.category},
        )
    try:
        given = given_of(line)
        told = flag(flagger_id, given, by=by)
    except HoldfastError as error:
        return LineTaken(place, reference, fault=error.message)
    return LineTaken(
        place,
        reference,
        told.number,
        told.is_new,
        told.added,
        told.has_priority,
        not_taken=given.not_taken,
    )


def _faults(error: ValidationError) -> Iterator[str]:
    for each in error.errors(include_url=False, include_input=False):
        words = {
            "missing": _("%(field)s is missing."),
            "extra_forbidden": _("%(field)s is no column of these files."),
            "string_too_short": _("%(field)s is missing."),
            "string_too_long": _("%(field)s is too long."),
            "too_long": _("%(field)s is too long."),
        }.get(each["type"], _("%(field)s cannot be used as it is."))
        yield words % {"field": str(each["loc"][0]) if each["loc"] else ""}
