"""What a reporter has told in all: the report, and what was added to it later."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from holdfast.intake.models import Codename, Report


@dataclass(frozen=True)
class Told:
    """What weighs in a report. Later additions count as the report itself does."""

    claims: tuple[str, ...]
    police_number: str
    in_danger_now: bool
    channel: str


def by_fingerprint_alone(report: Report) -> bool:
    """Whether all that a report names is a fingerprint.

    Such a reporter has shown nothing of where it stands, and is told nothing of that.
    """
    targets = list(report.targets.values_list("pdq", flat=True))
    return bool(targets) and all(pdq is not None for pdq in targets)


def codename_unconfirmed(report_id: UUID) -> bool:
    """Whether nobody has come back yet and said that the words are kept."""
    return Codename.objects.filter(report=report_id, confirmed_at=None).exists()


def told_by(report: Report) -> Told:
    """What this report's reporter has told so far."""
    later = sorted(report.additions.all(), key=lambda each: each.added_at)
    added = [(each.kind, each.words) for each in later if each.erased_at is None]
    claims = {*report.claims, *(words for kind, words in added if kind == "claim")}
    numbers = [words for kind, words in added if kind == "police_number"]
    return Told(
        claims=tuple(sorted(claims)),
        police_number=report.police_number or (numbers[0] if numbers else ""),
        in_danger_now=report.in_danger_now
        or any(kind == "danger" for kind, _words in added),
        channel=report.channel,
    )
