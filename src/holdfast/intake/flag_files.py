"""Files of reports, as hotlines send them: CSV or NDJSON, a report in each line.

Pure. A line that cannot be read is an error in its place and stops nothing.

CSV has a heading with these columns, in any order: ``reference``, ``category``,
``urls`` (with spaces between them), ``words``, ``language``; UTF-8, comma or semicolon.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

COLUMNS = ("reference", "category", "urls", "words", "language")
NEEDED = ("reference", "category")
_LARGEST_FIELD = 1024 * 1024  # characters of one field of CSV.


def csv_lines(text: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Each record as the object that NDJSON would have; raises ``ValueError``.

    The heading is read when the first record is asked for.
    """
    csv.field_size_limit(_LARGEST_FIELD)
    lines = iter(text)
    heading = next(lines, "").lstrip("\ufeff")
    marks = ";" if heading.count(";") > heading.count(",") else ","
    found = next(csv.reader([heading], delimiter=marks), [])
    names = [each.strip().lower() for each in found]
    if not set(NEEDED) <= set(names) or set(names) - set(COLUMNS):
        raise ValueError(f"The first line names the columns: {', '.join(COLUMNS)}.")
    for values in csv.reader(lines, delimiter=marks):
        if any(each.strip() for each in values):
            yield _record(names, values)


def ndjson_lines(text: Iterable[str]) -> Iterator[dict[str, Any] | None]:
    """Each line that is not blank; None for one that is no JSON object."""
    for line in text:
        if line.strip():
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                value = None
            yield value if isinstance(value, dict) else None


def _record(names: list[str], values: list[str]) -> dict[str, Any]:
    record: dict[str, Any] = dict(zip(names, values, strict=False))
    if len(values) > len(names):
        # Shown as a fault of this line: an unknown field.
        record["more than the heading names"] = values[len(names) :]
    urls = record.pop("urls", "").split()
    kept = {name: value for name, value in record.items() if value}
    return {**kept, "urls": urls}
