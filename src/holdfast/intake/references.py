"""What an organisation sent under one of its references, and may send again.

A line that was refused left nothing, so its reference is still free. One that was taken
is the same report whenever it comes again. Where some of its addresses could not be
used it is corrected under the same reference: those addresses alone may differ or be
gone, and what is new is added to the report and frozen as the first were. Any other
line under a reference that was taken is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypedDict
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from holdfast.base.by import By, Permission
from holdfast.base.deadlock import again_after_deadlock
from holdfast.base.errors import InvalidInput
from holdfast.intake.models import Flag
from holdfast.intake.not_taken import NotTaken
from holdfast.intake.operations import TargetGiven, add_targets


class ReferenceUsedOtherwise(InvalidInput):
    """A reference came back with another report."""

    code = "reference-used-otherwise"


class Hashes(TypedDict):
    """The columns of :class:`Flag` by which a line is known again."""

    said_hash: str
    taken: list[str]
    left_out: list[str]


@dataclass(frozen=True)
class FlagGiven:
    """One report of an organisation."""

    reference: str
    """Its own case number, different for each report."""
    category: str
    urls: Sequence[str] = ()
    words: str = ""
    language: str = "en"
    not_taken: Sequence[NotTaken] = ()
    """Addresses of it that cannot be used; the rest is reported all the same."""

    def hashes(self) -> Hashes:
        """What is kept of the line beside its report, to know it again by."""
        return {
            "said_hash": _hash(json.dumps([self.category, self.words, self.language])),
            "taken": _hashes(self.urls),
            "left_out": _hashes(each.said for each in self.not_taken),
        }


@dataclass(frozen=True)
class Flagged:
    """The receipt of one report: ``is_new`` is false when it was known already."""

    report_id: UUID
    number: str
    reference: str
    has_priority: bool
    is_new: bool
    added: int = 0
    """Addresses that a corrected line added to a report that was known."""


def known(flagger_id: UUID, reference: str, given: FlagGiven) -> Flagged | None:
    """The report of this reference, with how many addresses a line would add to it.

    None while there is none. Nothing is changed. Raises ``ReferenceUsedOtherwise`` for
    a line that is neither the one that was taken nor a correction of it.
    """
    flag = _flags(flagger_id, reference).select_related("report").first()
    return None if flag is None else _receipt(flag, len(_added(flag, given)))


@again_after_deadlock
def corrected(
    flagger_id: UUID, reference: str, given: FlagGiven, targets: Sequence[TargetGiven]
) -> Flagged:
    """Add what a corrected line brings to its report; the same line brings nothing.

    ``targets`` are those of ``given.urls``. Raises as :func:`known` does, and as
    ``add_targets``.
    """
    with transaction.atomic():
        # Two corrections at the same moment are one after the other.
        flag = _flags(flagger_id, reference).select_for_update(no_key=True).get()
        new = _added(flag, given)
        fresh = {each.url: each for each in targets if _hash(each.url) in new}
        if fresh:
            may = frozenset({Permission.REPORT_FOLLOW})
            by = By("flagger", str(flagger_id), may)
            add_targets(flag.report_id, list(fresh.values()), by=by)
            Flag.objects.filter(id=flag.id).update(**given.hashes())
    return _receipt(flag, len(fresh))


def _added(flag: Flag, given: FlagGiven) -> set[str]:
    """The hashes of the addresses that are new in a line.

    Raises ``ReferenceUsedOtherwise``: what was taken has to stand in it, and no more
    may be new, or unusable still, than could not be used before.
    """
    said = given.hashes()
    taken, urls = set(flag.taken), set(said["taken"])
    others = (urls | set(said["left_out"])) - taken
    is_repeat = urls == taken and set(said["left_out"]) == set(flag.left_out)
    is_correction = taken <= urls and len(others) <= len(flag.left_out)
    if said["said_hash"] != flag.said_hash or not (is_repeat or is_correction):
        raise ReferenceUsedOtherwise(
            _(
                "This reference was used for another report, which stays as it was "
                "taken. Under it a line can only come again unchanged, or with other "
                "addresses in place of those that were not taken. Give another report "
                "a reference of its own."
            )
        )
    return urls - taken


def _receipt(flag: Flag, added: int) -> Flagged:
    return Flagged(
        flag.report_id,
        flag.report.number,
        flag.reference,
        flag.had_priority,
        is_new=False,
        added=added,
    )


def _flags(flagger_id: UUID, reference: str) -> QuerySet[Flag]:
    return Flag.objects.filter(flagger=flagger_id, reference=reference)


def _hashes(said: Iterable[str]) -> list[str]:
    return sorted({_hash(each) for each in said})


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
