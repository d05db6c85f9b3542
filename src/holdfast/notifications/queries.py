"""What a reporter may read: the receipt, the messages, where the case stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from holdfast.base.by import By, Permission
from holdfast.base.errors import NotFound
from holdfast.base.ids import read_number
from holdfast.intake import statements
from holdfast.intake.models import Channel, Report
from holdfast.intake.queries import by_fingerprint_alone, told_by
from holdfast.intake.returning import ERASABLE, FIRST_WORDS, SIGNATURE
from holdfast.items.models import ItemState
from holdfast.notifications.knowing import counted, hidden
from holdfast.notifications.models import Notification
from holdfast.notifications.receipts import receipt_of as receipt_of
from holdfast.policy import queries as policies
from holdfast.triage.models import Case, CaseItem, CaseState, CaseTarget, Deadline


@dataclass(frozen=True)
class Message:
    """One message of a thread: from us, or the reporter's own words."""

    id: UUID
    from_reporter: bool
    kind: str
    words: str
    at: datetime
    unread: bool
    erasable: bool
    """Whether the reporter can take it off their page."""


@dataclass(frozen=True)
class ClockLine:
    """One promised deadline."""

    code: str
    label: str
    runs_from: datetime
    due_at: datetime
    met_at: datetime | None
    breached: bool


@dataclass(frozen=True)
class ReportStatus:
    """Where a report stands, as its reporter may know it."""

    id: UUID
    number: str
    platform: str
    received_at: datetime
    status: str
    """``received``, ``being_looked_at`` or ``decided``."""
    category_label: str
    told_to_hide: int
    confirmed_hidden: int
    by_fingerprint: bool
    """Whether it names a fingerprint alone: then both numbers are 0 or 1, and say
    whether anything is hidden that everybody could see."""
    may_challenge: bool
    clocks: tuple[ClockLine, ...]
    messages: tuple[Message, ...]
    receipt_words: str


def report_status(number: str, platform_id: UUID, *, by: By) -> dict[str, Any]:
    """A platform's view of one of its reports. Raises ``NotFound``."""
    report = _of_platform(number, platform_id, by)
    known = status_of(report.id)
    receipt = receipt_of(report.id)
    return {
        "number": known.number,
        "received_at": known.received_at.isoformat(),
        "status": known.status,
        "frozen": receipt["frozen"],
        "frozen_since": _frozen_since(report, receipt),
        "told_to_hide": known.told_to_hide,
        "confirmed": known.confirmed_hidden,
        "deadlines": receipt["deadlines"],
        "messages": [
            {"template": each.kind, "words": each.words, "at": each.at.isoformat()}
            for each in known.messages
            if not each.from_reporter
        ],
        **_legal(report),
    }


def report_of_platform(number: str, platform_id: UUID, *, by: By) -> UUID:
    """The id of one of a platform's own reports. Raises ``NotFound``."""
    return _of_platform(number, platform_id, by).id


def legal_of(report_id: UUID) -> dict[str, Any]:
    """What the law makes of a report by now, as a platform is told it."""
    return _legal(Report.objects.get(id=report_id))


def _legal(report: Report) -> dict[str, Any]:
    return statements.request(told_by(report).forms, report.language)


def _of_platform(number: str, platform_id: UUID, by: By) -> Report:
    if Permission.REPORTS_FLAG not in by.permissions:
        by.require(Permission.REPORTS_WRITE)
    report = Report.objects.filter(
        number=read_number(number), platform=platform_id
    ).first()
    if report is None:
        raise NotFound("This platform has no report of that number.")
    return report


def status_of(report_id: UUID) -> ReportStatus:
    """Where a report stands. Says nothing of other reports, places or people."""
    report = Report.objects.select_related("platform").get(id=report_id)
    places = CaseTarget.objects.filter(target__report=report).select_related("case")
    cases = [place.case for place in places]
    told, confirmed = hidden(report)
    open_ = [case for case in cases if case.state == CaseState.OPEN]
    status = "decided" if cases and not open_ else "received"
    if any(_being_looked_at(case) for case in open_):
        status = "being_looked_at"
    return ReportStatus(
        id=report.id,
        number=report.number,
        platform=report.platform.name,
        received_at=report.received_at,
        status=status,
        category_label=policies.category_of(report.category).label,
        told_to_hide=told,
        confirmed_hidden=confirmed,
        by_fingerprint=by_fingerprint_alone(report),
        may_challenge=status == "decided",
        clocks=_clocks(report),
        messages=_messages(report),
        receipt_words=receipt_of(report.id)["words"],
    )


def _being_looked_at(case: Case) -> bool:
    """Whether somebody works on an open case, or has since it was last decided."""
    if case.claims.filter(released_at=None).exists():
        return True
    opened = case.reveals.all()
    if case.decided_at is not None:
        opened = opened.filter(revealed_at__gt=case.decided_at)
    return opened.exists()


def _frozen_since(report: Report, receipt: dict[str, Any]) -> list[str]:
    """What else of its cases was hidden after the receipt was made."""
    cases = CaseTarget.objects.filter(target__report=report).values("case")
    standing = CaseItem.objects.filter(case__in=cases, certain=True).exclude(
        item__state=ItemState.VISIBLE
    )
    if report.channel == Channel.FLAGGER:
        standing = standing.filter(item__in=counted(report))
    said = {*receipt["frozen"], *receipt["already_frozen"]}
    return sorted(set(standing.values_list("item__external_id", flat=True)) - said)


def _clocks(report: Report) -> tuple[ClockLine, ...]:
    labels = {each.code: each.label for each in policies.current().clocks}
    rows = Deadline.objects.filter(report_id=report.id, shown_to_reporter=True)
    return tuple(
        ClockLine(
            code=row.code,
            label=labels.get(row.code, row.code),
            runs_from=row.runs_from,
            due_at=row.due_at,
            met_at=row.met_at,
            breached=row.breached_at is not None,
        )
        for row in rows.order_by("due_at", "code")
    )


def _messages(report: Report) -> tuple[Message, ...]:
    ours = [
        Message(
            row.id,
            False,
            row.template,
            row.words,
            row.made_at,
            unread=row.read_at is None,
            erasable=True,
        )
        for row in Notification.objects.filter(report=report, put_away_at=None)
    ]
    theirs = [
        Message(
            row.id,
            True,
            row.kind,
            row.words,
            row.added_at,
            unread=False,
            erasable=row.kind in ERASABLE,
        )
        for row in report.additions.filter(erased_at=None)
    ]
    told = [*_first_words(report), *_signatures(report), *ours, *theirs]
    return tuple(sorted(told, key=lambda each: (each.at, str(each.id))))


def _first_words(report: Report) -> Iterator[Message]:
    """What the reporter wrote when they reported, for as long as it is there."""
    if report.words:
        yield _of_reporter(report.id, FIRST_WORDS, report.words, report.received_at)


def _signatures(report: Report) -> Iterator[Message]:
    for row in report.signatures.filter(erased_at=None):
        yield _of_reporter(row.id, SIGNATURE, row.name, row.signed_at)


def _of_reporter(row: UUID, kind: str, words: str, at: datetime) -> Message:
    return Message(row, True, kind, words, at, unread=False, erasable=True)
