"""How a statement of reasons for a case would read, in any language. Sends nothing.

Made by the functions that make the real ones, from the same rows, for staff to see
before anybody else does.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from holdfast.base.by import By, Permission
from holdfast.decisions.models import (
    ActorPart,
    Decision,
    Part,
    StatementKind,
    StatementOfReasons,
)
from holdfast.decisions.operations import finding_of, thing_of
from holdfast.decisions.reasons import decision_words, freeze_words, thaw_words
from holdfast.items.models import Item
from holdfast.policy import queries as policies


def statement_preview(case_id: UUID, kind: str, language: str, *, by: By) -> str:
    """The text that the poster of the case's first item would get; empty without one.

    ``kind`` is one of ``StatementKind``. The reasons of a decision need a decision.
    """
    by.require(Permission.CASE_READ)
    placed = Item.objects.filter(place__case=case_id, actor__isnull=False)
    item = placed.select_related("platform").order_by("place__placed_at", "id").first()
    decision = Decision.objects.filter(case=case_id).order_by("-round").first()
    if item is None or (kind == StatementKind.DECISION and decision is None):
        return ""
    thing = replace(thing_of(item), language=language)
    if kind == StatementKind.FREEZE:
        return freeze_words(thing)
    if kind == StatementKind.THAW:
        cleared = decision is not None and decision.outcome == "no_violation"
        return thaw_words(thing, cleared=cleared)
    assert decision is not None
    part = ActorPart.objects.filter(decision=decision, actor=item.actor_id).first()
    policy = policies.version(decision.policy_version)
    role = part.part if part else Part.UNKNOWN
    return decision_words(thing, finding_of(policy, decision, item, role))


def withholdings(case_id: UUID, *, by: By) -> dict[str, str]:
    """Why statements of a case wait, by their kind; only those that wait still."""
    by.require(Permission.CASE_READ)
    waiting = StatementOfReasons.objects.filter(case=case_id, sent_at=None)
    rows = waiting.exclude(withheld_until=None).order_by("withheld_until")
    return {
        row.kind: f"waits until {row.withheld_until:%Y-%m-%d %H:%M} UTC:"
        f" {row.withheld_ground}"
        for row in rows
    }
