"""The receipt: what is true at the moment of a report, for the one who reported.

It stands as it was told. Only that of a report which was set aside is told anew when
it is looked at, as things stand then: "we do not work on it" ends to be so when what
is added makes it a matter of a child, or when the time of its sender is over.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from holdfast.base import clock
from holdfast.base.errors import NotFound
from holdfast.base.events import Event, Kind
from holdfast.base.rows import insert_missing, read
from holdfast.intake.models import Channel, Report, Target
from holdfast.intake.queries import by_fingerprint_alone, report_of
from holdfast.intake.returning import FIRST_WORDS
from holdfast.intake.suspension import is_worked_on
from holdfast.items.models import ItemState
from holdfast.matching.watches import public
from holdfast.notifications import facts as so
from holdfast.notifications.knowing import counted
from holdfast.notifications.matrix import cell
from holdfast.notifications.models import Receipt
from holdfast.notifications.words import compose
from holdfast.policy import queries as policies

ASIDE = "set_aside"
"""What of a receipt says that its report was set aside."""


def make_receipt(event: Event) -> None:
    """What is true at this moment, for the one who reported."""
    report = report_of(event)
    body = _body(report, set(_frozen_by(event)))
    if Kind(event.kind) == Kind.REPORT_SET_ASIDE:
        body[ASIDE] = True
        body["words"] = _words_aside(report, body)
    else:
        body["words"] = _words(report, body)
    # The first one stands.
    insert_missing([Receipt(report=report, body=body, made_at=clock.now())])


def forget_words(event: Event) -> None:
    """The first words were taken back: the receipt repeats none of them."""
    if event.facts["what"] != FIRST_WORDS:
        return
    gone = {
        each.position
        for each in Target.objects.filter(report=event.about["report"], named_as="")
    }
    for receipt in Receipt.objects.filter(report=event.about["report"]):
        for place, target in enumerate(receipt.body["targets"]):
            if place in gone:
                target["named_as"] = ""
        receipt.save(update_fields=["body"])


def receipt_of(report_id: UUID) -> dict[str, Any]:
    """What the reporter was told at once. Raises ``NotFound``."""
    found = read("SELECT body FROM hf_receipt WHERE report_id = %s", report_id)
    if not found:
        raise NotFound("There is no receipt for this report.")
    receipt: dict[str, Any] = json.loads(found[0][0])
    if receipt.pop(ASIDE, False):
        receipt = _as_it_stands(report_id, receipt)
    # From what its words were made; with a fingerprint they tell less than that.
    receipt.pop(so.SAID, None)
    return receipt


def _as_it_stands(report_id: UUID, receipt: dict[str, Any]) -> dict[str, Any]:
    report = Report.objects.select_related("platform").get(id=report_id)
    if not is_worked_on(report.id):
        return {**receipt, "words": _words_aside(report, receipt)}
    body = _body(report, _frozen_since(report), only_hidden=True)
    return {**body, "words": _words(report, body)}


def _words(report: Report, body: Mapping[str, Any]) -> str:
    told = cell(Kind.REPORT_RECEIVED, so.audience_of(report), "receipt")
    facts = so.of_receipt(
        report.platform.name, body, has_codename=hasattr(report, "codename")
    )
    return compose(told, report.language, facts)


def _words_aside(report: Report, body: Mapping[str, Any]) -> str:
    kind, who = Kind.REPORT_SET_ASIDE, so.audience_of(report)
    facts = replace(
        so.of_receipt(
            report.platform.name, body, has_codename=hasattr(report, "codename")
        ),
        kept_aside=not is_worked_on(report.id),
        set_aside_until=so.set_aside_until(report),
        warned_of=so.warned_of(report),
    )
    return compose(cell(kind, who, "receipt_set_aside"), report.language, facts)


def _body(
    report: Report, frozen: Collection[UUID], *, only_hidden: bool = False
) -> dict[str, Any]:
    """All of a receipt but its words. ``frozen``: what was, because of this report."""
    standing = _standing(report)
    hidden = {
        item: name
        for item, (name, state) in standing.items()
        if state != ItemState.VISIBLE
    }
    told = set(frozen) & hidden.keys() if only_hidden else set(frozen)
    counting = counted(report)
    # To its own platform nothing is secret; a flagger is told as much as a reporter.
    listed = {
        item: name
        for item, name in hidden.items()
        if item in counting or report.channel != Channel.FLAGGER
    }
    named = {each.item_id for each in report.targets.all()}
    labels = {each.code: each.label for each in policies.current().clocks}
    alone = by_fingerprint_alone(report)
    tells = all(each.tells for each in report.targets.all())
    return {
        "number": report.number,
        "received_at": report.received_at.isoformat(),
        "targets": _targets(report, standing),
        "frozen": sorted(name for item, name in listed.items() if item in told),
        "already_frozen": sorted(
            name for item, name in listed.items() if item not in told
        ),
        "deadlines": [
            {
                "code": code,
                "due_at": due_at.isoformat(),
                "label": labels.get(code, code),
            }
            for code, due_at in _deadlines(report)
        ],
        so.SAID: {
            "told_to_hide": len(told & counting & named),
            "copies_told_to_hide": len(told & counting - named),
            "hidden_before": len(hidden.keys() & counting - told),
            "fingerprint_alone": alone,
            "tells": tells,
            "found_in_public": alone and tells and public(told).exists(),
        },
    }


def _frozen_by(event: Event) -> list[UUID]:
    """The items that the freezing step froze because of this very event."""
    frozen = read(
        "SELECT about->>'item' FROM hf_event WHERE cause_id = %s AND kind = %s",
        event.id,
        Kind.ITEM_FROZEN,
    )
    return [UUID(item) for (item,) in frozen]


def _frozen_since(report: Report) -> list[UUID]:
    """The items that were frozen because of what was added to a report."""
    frozen = read(
        "SELECT about->>'item' FROM hf_event WHERE kind = %s AND cause_id IN ("
        " SELECT id FROM hf_event WHERE kind = %s AND about @> %s::jsonb)",
        Kind.ITEM_FROZEN,
        Kind.REPORT_EXTENDED,
        json.dumps({"report": str(report.id)}),
    )
    return [UUID(item) for (item,) in frozen]


def _standing(report: Report) -> dict[UUID, tuple[str, str]]:
    """The platform's id and the state of what a report names or leads to."""
    found = read(
        "SELECT id, external_id, state FROM hf_item WHERE id IN ("
        " SELECT item_id FROM hf_target WHERE report_id = %s"
        " UNION SELECT beside.item_id FROM hf_target target"
        " JOIN hf_case_target place ON place.target_id = target.id"
        " JOIN hf_case_item beside ON beside.case_id = place.case_id"
        " WHERE target.report_id = %s)",
        report.id,
        report.id,
    )
    return {item: (name, state) for item, name, state in found}


def _targets(
    report: Report, standing: Mapping[UUID, tuple[str, str]]
) -> list[dict[str, object]]:
    targets = []
    for target in sorted(report.targets.all(), key=lambda each: each.position):
        item, state = standing[target.item_id] if target.item_id else (None, None)
        targets.append(
            {
                "named_as": target.named_as,
                "located": target.located,
                "item": item,
                "state": state,
            }
        )
    return targets


def _deadlines(report: Report) -> list[tuple[str, datetime]]:
    """What is promised to who reported, each promise once, the earliest first."""
    found = read(
        "SELECT DISTINCT code, due_at FROM hf_deadline"
        " WHERE report_id = %s AND shown_to_reporter ORDER BY due_at, code",
        report.id,
    )
    return [(code, due_at) for code, due_at in found]
