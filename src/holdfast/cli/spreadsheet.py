"""Rows of a CSV file that people open: what stands in a cell is text, and stays text.

A spreadsheet runs a cell that begins with ``=`` and some other signs as a formula, and
a file may be called ``=HYPERLINK(…)`` by whoever uploaded it. An apostrophe before it
says that it is text. Only for files that people open: what programs read again, such as
a bank's file (``matching.formats``), keeps every byte. Source: OWASP, "CSV Injection".
"""

from __future__ import annotations

from collections.abc import Iterable

# The wide ones are read as the narrow ones where Chinese or Japanese is written; the
# apostrophe is among them so that taking one off always gives the cell back.
_READ_AS_MORE = tuple("=+-@\t\r\n＝＋－＠'")  # noqa: RUF001  # As said above.


def as_text(row: Iterable[str]) -> list[str]:
    """A row whose cells no spreadsheet takes for more than text."""
    return [f"'{cell}" if cell.startswith(_READ_AS_MORE) else cell for cell in row]
