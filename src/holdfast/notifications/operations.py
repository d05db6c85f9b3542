"""Telling reporters, from the one decision record.

Every message is a row. A message that asserts a review names the reveal and the
referral that make it true; without them the database refuses it, and so does the
transaction that would have decided. A text whose facts do not hold is refused before
that (``words.compose``), and one that the table is silent on cannot be sent at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from holdfast.authorities.models import Referral
from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.errors import NotFound
from holdfast.base.events import Event, Kind, emit, in_bulk
from holdfast.base.rows import read
from holdfast.decisions.models import Decision
from holdfast.intake.models import Report
from holdfast.items.models import ItemState
from holdfast.notifications import facts as so
from holdfast.notifications.knowing import may_know
from holdfast.notifications.matrix import cell
from holdfast.notifications.models import Notification
from holdfast.notifications.words import compose
from holdfast.triage.models import Case, CaseState, Deadline
from holdfast.triage.placing import living

UNKNOWN = {
    "violation": "violation_unseen",
    "violation_known": "violation_unseen",
    "violation_unseen": "violation_unseen",
    "no_violation": "no_violation_unseen",
    "no_violation_unseen": "no_violation_unseen",
    "looking_again": "looking_again",
}
"""How a decision is told to who must not learn that something stands in private; what
is not here is not told to them."""


def tell_decided_before(event: Event) -> None:
    """Somebody reports what people have decided on already: that is the answer.

    Nobody will decide again, so they would wait for a message that never comes.
    """
    report = UUID(str(event.about["report"]))
    decided = read(
        "SELECT id FROM hf_case WHERE state = %s AND outcome = %s"
        " AND id IN (SELECT case_id FROM hf_case_target place"
        " JOIN hf_target target ON target.id = place.target_id"
        " WHERE target.report_id = %s) ORDER BY id",
        CaseState.DECIDED,
        "violation",
        report,
    )
    for case in (Case.objects.get(id=case_id) for (case_id,) in decided):
        decision = so.newest_decision(case)
        if not Notification.objects.filter(report=report, decision=decision).exists():
            _tell(
                case,
                Kind(event.kind),
                "violation_before",
                decision=decision,
                only=[report],
            )


@in_bulk
def tell_hidden(*events: Event) -> None:
    """The platform has confirmed; when it has for all of a case, reporters are told."""
    items = [
        event.about["item"]
        for event in events
        if event.facts["verb"] in ("freeze", "remove") and "item" in event.about
    ]
    for case in Case.objects.filter(items__item__in=items).distinct().order_by("id"):
        _tell_hidden(case)


def _tell_hidden(case: Case) -> None:
    certain = case.items.filter(certain=True)
    if certain.filter(item__confirmed_state=ItemState.VISIBLE).exists():
        return
    decision = so.newest_decision(case)
    frozen = certain.filter(item__confirmed_state=ItemState.FROZEN)
    if decision is not None and not frozen.exists():
        _tell(case, Kind.DELIVERY_CONFIRMED, "removed", decision=decision)
    elif case.state == CaseState.OPEN:
        # It says that people will decide now, so it is not said once they have.
        _tell(case, Kind.DELIVERY_CONFIRMED, "hidden")


def tell_of_decision(event: Event) -> None:
    """Tell every reporter of a case what people decided."""
    decision = Decision.objects.get(id=event.about["decision"])
    case = decision.case
    if _only_a_late_copy(decision):
        return
    facts = so.of_case(case)
    template = decision.outcome
    if not facts.viewed:
        # A report in words alone, a film, a file that cannot be shown: people decided,
        # and nobody says that they have seen it.
        known = decision.outcome == "violation" and facts.decided_before
        template = "violation_known" if known else f"{decision.outcome}_unseen"
    _tell(case, Kind.CASE_DECIDED, template, decision=decision)


def tell_of_referral(event: Event) -> None:
    """The authority has been told; said only of a real filing (promise 16)."""
    referral = Referral.objects.select_related("case").get(id=event.about["referral"])
    if so.filed_with(referral):
        _tell(
            living(referral.case_id),
            Kind.REFERRAL_FINISHED,
            "referred",
            decision=referral.decision,
            filed_with=referral.authority,
        )


def tell_shown_again(event: Event) -> None:
    """What was hidden is shown again before people decided: who reported it is told.

    After a decision its own message says so.
    """
    case = living(UUID(str(event.about["case"])))
    if case.state == CaseState.OPEN:
        reports = Report.objects.filter(targets__item=event.about["item"])
        _tell(
            case,
            Kind.ITEM_THAWED,
            "shown_again",
            only=reports.values_list("id", flat=True),
        )


def tell_of_misuse(event: Event) -> None:
    """A warning, or that work on somebody's reports is suspended: they are told."""
    kind = Kind(event.kind)
    template = "misuse_warned" if kind == Kind.MISUSE_WARNED else "reporting_suspended"
    report = UUID(str(event.about["report"]))
    for case in Case.objects.filter(targets__target__report=report).distinct():
        _tell(
            living(case.id),
            kind,
            template,
            decision=so.newest_decision(case),
            only=[report],
        )


def tell_late(event: Event) -> None:
    """A promise to a reporter is broken: they are told, once for each round.

    Each further promise that breaks in that round stands on the page of the report.
    """
    deadline = Deadline.objects.get(id=event.about["deadline"])
    case = deadline.case
    if (
        deadline.shown_to_reporter
        and deadline.report_id
        and case.state == CaseState.OPEN
    ):
        _tell(
            case,
            Kind.DEADLINE_BREACHED,
            "late",
            decision=so.newest_decision(case),
            only=[deadline.report_id],
        )


def tell_looking_again(event: Event) -> None:
    """A case is open again, for a reason that its reporters should know of.

    A late copy, or somebody else's report, is no news to them: nothing hints who else
    reported.
    """
    if event.facts["because"] not in ("challenge", "new_facts", "staff"):
        return
    case = Case.objects.get(id=event.about["case"])
    newest = so.newest_decision(case)
    _tell(case, Kind.CASE_REOPENED, "looking_again", decision=newest)


def mark_read(notification_ids: Iterable[UUID]) -> None:
    """The reporter has seen these."""
    Notification.objects.filter(id__in=list(notification_ids), read_at=None).update(
        read_at=clock.now()
    )


def put_away(report_id: UUID, notification_id: UUID, *, by: By) -> None:
    """The reporter takes one of our messages off their page; what was said stays said.

    Raises ``NotFound`` for what is not this report's.
    """
    by.require(Permission.REPORT_FOLLOW)
    mine = Notification.objects.filter(id=notification_id, report=report_id)
    if not mine.exists():
        raise NotFound(_("There is no such message."))
    mine.filter(put_away_at=None).update(put_away_at=clock.now())


def _tell(
    case: Case,
    kind: Kind,
    template: str,
    *,
    decision: Decision | None = None,
    only: Iterable[UUID] | None = None,
    filed_with: str = "",
) -> None:
    """Tell those who reported what stands in a case; each text once."""
    reports = Report.objects.filter(targets__place__case=case).distinct()
    if only is not None:
        reports = reports.filter(id__in=only)
    told_already = Notification.objects.filter(
        report=OuterRef("id"), case=case, template=template, decision=decision
    )
    reports = reports.exclude(Exists(told_already))
    facts = so.of_case(case)
    if filed_with:
        facts = replace(facts, filed_with=filed_with)
    reveal = so.entire_reveals(case).order_by("revealed_at").first()
    referral = Referral.objects.filter(decision=decision).order_by("opened_at").first()
    rows = reports.select_related("platform", "codename").order_by("received_at")
    for report in rows:
        # Whoever named a fingerprint alone does not learn what stands in private.
        may = may_know(report, case)
        if not may and template not in UNKNOWN:
            continue
        about = template if may else UNKNOWN[template]
        told = cell(kind, so.audience_of(report), about)
        of_report = so.for_report(facts, case, report)
        if not may:
            # Nor that it was hidden, and is shown again.
            of_report = replace(of_report, was_hidden=False)
        text = compose(told, report.language, of_report)
        with transaction.atomic():
            made, new = Notification.objects.get_or_create(
                report=report,
                template=told.template,
                decision=decision,
                case=case,
                defaults={
                    "kind": kind,
                    "language": report.language,
                    "words": text,
                    "facts": asdict(of_report),
                    "asserts_review": told.asserts_review,
                    "reveal": reveal if told.asserts_review else None,
                    "referral": referral if told.asserts_review else None,
                    "made_at": clock.now(),
                },
            )
            if new:
                emit(
                    Kind.NOTIFICATION_MADE,
                    about={
                        "case": case.id,
                        "report": report.id,
                        "notification": made.id,
                    },
                    facts={"template": template},
                    by=SYSTEM,
                )


def _only_a_late_copy(decision: Decision) -> bool:
    """Whether this round was opened by a late copy and ended as the one before."""
    before = decision.case.decisions.filter(round__lt=decision.round).order_by("-round")
    reopened = Event.objects.filter(
        kind=Kind.CASE_REOPENED,
        about__case=str(decision.case_id),
        facts__round=decision.round,
    ).first()
    earlier = before.first()
    return (
        reopened is not None
        and reopened.facts["because"] == "copy"
        and earlier is not None
        and earlier.outcome == decision.outcome
    )
