"""A file of reports that somebody sent by the page: read, and each line taken in.

The same lines as ``POST /api/v1/flags:batch`` takes, by the same operation. A line that
cannot be taken in is named, and keeps no other from it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from pydantic import ValidationError

from holdfast.base.by import By
from holdfast.base.errors import HoldfastError, InvalidInput
from holdfast.intake.flag_files import COLUMNS, csv_lines, ndjson_lines
from holdfast.intake.flaggers import flag
from holdfast.policy import queries as policies
from holdfast.web.api.flags import given_of
from holdfast.web.api.schemas import FlagLine
from holdfast.web.flaggers.forms import MAX_FILE_LINES

Record = dict[str, Any] | None


@dataclass(frozen=True)
class LineTaken:
    """What became of one line: its report, or what is wrong with it."""

    place: int
    reference: str
    number: str = ""
    is_new: bool = False
    has_priority: bool = False
    fault: str = ""


def records_of(name: str, content: bytes) -> list[Record]:
    """The lines of a file. Raises ``InvalidInput`` for what is no such file at all."""
    text = content.decode("utf-8", errors="replace")
    lines = io.StringIO(text, newline="")
    is_csv = not name.lower().endswith((".ndjson", ".jsonl"))
    if is_csv and text.lstrip("\ufeff \r\n").startswith("{"):
        is_csv = False
    try:
        found: list[Record] = list(csv_lines(lines) if is_csv else ndjson_lines(lines))
    except (ValueError, csv.Error):
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


def take_in(flagger_id: UUID, records: list[Record], *, by: By) -> list[LineTaken]:
    """Each line in its place, as a report or with what is wrong."""
    return [
        _one(flagger_id, place, record, by)
        for place, record in enumerate(records, start=1)
    ]


def _one(flagger_id: UUID, place: int, record: Record, by: By) -> LineTaken:
    reference = str((record or {}).get("reference") or "")[:200]
    if record is None:
        return LineTaken(place, reference, fault=_("The line is no JSON object."))
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
        told = flag(flagger_id, given_of(line), by=by)
    except HoldfastError as error:
        return LineTaken(place, reference, fault=error.message)
    return LineTaken(place, reference, told.number, told.is_new, told.has_priority)


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
