"""Which event tells whom what: one table, tested cell by cell.

A cell names a template of ``words.py``. An audience without a cell is not told. What a
template may claim is said here too: ``asserts_review`` templates are refused by the
database unless somebody viewed what was reported and a referral, or a recorded reason
for none, exists (promise 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from holdfast.base.events import Kind


class Audience(StrEnum):
    """Who is told."""

    REPORTER = "reporter"
    POSTER = "poster"
    STAFF = "staff"


@dataclass(frozen=True)
class Cell:
    """What one audience is told of one event."""

    template: str
    asserts_review: bool = False


MATRIX: dict[tuple[Kind, Audience], tuple[Cell, ...]] = {
    (Kind.REPORT_RECEIVED, Audience.REPORTER): (Cell("receipt"),),
    (Kind.DELIVERY_CONFIRMED, Audience.REPORTER): (Cell("hidden"), Cell("removed")),
    (Kind.CASE_REOPENED, Audience.REPORTER): (Cell("looking_again"),),
    (Kind.CASE_DECIDED, Audience.REPORTER): (
        Cell("violation", asserts_review=True),
        Cell("violation_known"),
        Cell("violation_unseen"),
        Cell("no_violation", asserts_review=True),
        Cell("no_violation_unseen"),
    ),
    (Kind.REFERRAL_FINISHED, Audience.REPORTER): (Cell("referred"),),
    # The poster is told by a statement of reasons, which has rules of its own.
    (Kind.ITEM_FROZEN, Audience.POSTER): (Cell("statement_freeze"),),
    (Kind.ITEM_THAWED, Audience.POSTER): (Cell("statement_thaw"),),
    (Kind.CASE_DECIDED, Audience.POSTER): (Cell("statement_decision"),),
    (Kind.ALARM_RAISED, Audience.STAFF): (Cell("alarm"),),
}


def cell(kind: Kind, audience: Audience, template: str) -> Cell:
    """The cell of a template. Raises ``KeyError`` if the matrix has none."""
    for each in MATRIX[(kind, audience)]:
        if each.template == template:
            return each
    raise KeyError(template)
