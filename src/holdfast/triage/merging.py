"""Cases that turn out to be one: the chosen one takes the others in.

Both stay findable. Nothing is reset by it: the clock runs from the earlier start, the
urgency is the higher one, and a breach stays recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from holdfast.base.by import SYSTEM
from holdfast.base.events import Kind, emit
from holdfast.policy.rules import faster
from holdfast.triage.models import Case, CaseState
from holdfast.triage.rules import Candidate, choose


def join(cases: Sequence[Case]) -> Case:
    """One case of several: the chosen one takes the others in."""
    by_id = {case.id: case for case in cases}
    chosen = choose(
        [
            Candidate(str(case.id), case.state == CaseState.OPEN, case.clock_from)
            for case in by_id.values()
        ]
    )
    assert chosen is not None
    case = by_id.pop(UUID(chosen.id))
    for other in by_id.values():
        _merge(other, into=case)
    return case


def _merge(other: Case, *, into: Case) -> None:
    """Move what stands in one case into another; both stay findable."""
    other.items.update(case=into)
    other.targets.update(case=into)
    _merge_clocks(other, into)
    into.clock_from = min(into.clock_from, other.clock_from)
    into.urgency = faster(into.urgency, other.urgency)
    into.save(update_fields=["clock_from", "urgency"])
    # What later stages keep about the case moves with the event that follows.
    other.state, other.merged_into = CaseState.MERGED, into
    other.save(update_fields=["state", "merged_into"])
    emit(
        Kind.CASE_MERGED,
        about={"platform": into.platform_id, "case": other.id, "into": into.id},
        by=SYSTEM,
    )


def _merge_clocks(other: Case, into: Case) -> None:
    """One report's clock of one kind runs once, from the earlier start.

    Two rows of one report become one, and a breach of either stays recorded.
    """
    for clock_ in other.deadlines.order_by("runs_from"):
        same = into.deadlines.filter(
            report_id=clock_.report_id, round=clock_.round, code=clock_.code
        ).first()
        if same is None:
            clock_.case = into
            clock_.save(update_fields=["case"])
            continue
        same.runs_from = min(same.runs_from, clock_.runs_from)
        same.due_at = min(same.due_at, clock_.due_at)
        same.breached_at = same.breached_at or clock_.breached_at
        same.save(update_fields=["runs_from", "due_at", "breached_at"])
        clock_.delete()
