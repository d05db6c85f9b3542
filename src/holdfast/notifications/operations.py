"""Telling reporters, from the one decision record.

Every message is a row. A message that asserts a review names the reveal and the
referral that make it true; without them the database refuses it, and so does the
transaction that would have decided.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from holdfast.authorities.models import Environment, Referral, ReferralState
from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.base.events import Event, Kind, emit, in_bulk
from holdfast.decisions.models import Decision
from holdfast.fingerprints.models import Fingerprint
from holdfast.intake.models import Report
from holdfast.items.models import ItemState
from holdfast.matching.models import BankState
from holdfast.matching.queries import decided_here
from holdfast.notifications.matrix import Audience, Cell, cell
from holdfast.notifications.models import Notification, Receipt
from holdfast.notifications.words import words
from holdfast.policy import queries as policies
from holdfast.review.models import Reveal
from holdfast.triage.models import Case, CaseItem, CaseState, CaseTarget, Deadline
from holdfast.triage.placing import living


def make_receipt(event: Event) -> None:
    """What is true at this moment, for the one who reported."""
    report = Report.objects.select_related("platform").get(id=event.about["report"])
    if Receipt.objects.filter(report=report).exists():
        return
    frozen = set(_frozen_by(event))
    standing = CaseItem.objects.filter(
        case__in=CaseTarget.objects.filter(target__report=report).values("case")
    ).exclude(item__state=ItemState.VISIBLE)
    names = dict(standing.values_list("item", "item__external_id"))
    before = [name for item, name in names.items() if item not in frozen]
    targets = [
        {
            "named_as": target.named_as,
            "located": target.located,
            "item": target.item.external_id if target.item else None,
            "state": target.item.state if target.item else None,
        }
        for target in report.targets.select_related("item").order_by("position")
    ]
    labels = {each.code: each.label for each in policies.current().clocks}
    body = {
        "number": report.number,
        "received_at": report.received_at.isoformat(),
        "targets": targets,
        "frozen": sorted(name for item, name in names.items() if item in frozen),
        "already_frozen": sorted(before),
        "deadlines": [
            {
                "code": each.code,
                "due_at": each.due_at.isoformat(),
                "label": labels.get(each.code, each.code),
            }
            for each in Deadline.objects.filter(
                report_id=report.id, shown_to_reporter=True
            ).order_by("due_at", "code")
        ],
        "words": words(
            "receipt",
            report.language,
            {
                "platform": report.platform.name,
                "told": len(frozen),
                "before": len(before),
                "located": any(target["located"] for target in targets),
            },
        ),
    }
    Receipt.objects.create(report=report, body=body, made_at=clock.now())


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
    decision = _last_decision(case)
    frozen = certain.filter(item__confirmed_state=ItemState.FROZEN)
    if decision is not None and not frozen.exists():
        told = cell(Kind.DELIVERY_CONFIRMED, Audience.REPORTER, "removed")
        _tell(case, told, decision=decision)
    elif case.state == CaseState.OPEN:
        # It says that people will decide now, so it is not said once they have.
        _tell(case, cell(Kind.DELIVERY_CONFIRMED, Audience.REPORTER, "hidden"))


def tell_of_decision(event: Event) -> None:
    """Tell every reporter of a case what people decided."""
    decision = Decision.objects.get(id=event.about["decision"])
    case = decision.case
    if _only_a_late_copy(decision):
        return
    # By the item and not by the case: what was opened in a case that was merged into
    # this one was opened.
    reveals = Reveal.objects.filter(item__place__case=case, entire=True)
    reveal = reveals.order_by("revealed_at").first()
    referral = Referral.objects.filter(decision=decision).order_by("opened_at").first()
    template = decision.outcome
    if reveal is None:
        # A report in words alone, a film, a file that cannot be shown: people decided,
        # and nobody says that they have seen it.
        known = decision.outcome == "violation" and _decided_before(case)
        template = "violation_known" if known else f"{decision.outcome}_unseen"
    _tell(
        case,
        cell(Kind.CASE_DECIDED, Audience.REPORTER, template),
        decision=decision,
        reveal=reveal,
        referral=referral,
        facts={"two": decision.second_reader_id is not None},
    )


def _decided_before(case: Case) -> bool:
    """Whether people have decided on the very bytes of some item in another case."""
    items = case.items.values("item")
    prints = Fingerprint.objects.filter(item__in=items).values("sha256")
    known = decided_here().filter(digest__in=prints, state=BankState.ACTIVE)
    return known.exclude(item__in=items).exists()


def tell_of_referral(event: Event) -> None:
    """The authority has been told; said only of a real filing (promise 16)."""
    referral = Referral.objects.select_related("case").get(id=event.about["referral"])
    if (
        referral.environment == Environment.PRODUCTION
        and referral.state == ReferralState.FINISHED
    ):
        _tell(
            living(referral.case_id),
            cell(Kind.REFERRAL_FINISHED, Audience.REPORTER, "referred"),
            decision=referral.decision,
            facts={"authority": referral.authority},
        )


def tell_looking_again(event: Event) -> None:
    """A case is open again, for a reason that its reporters should know of.

    A late copy, or somebody else's report, is no news to them: nothing hints who else
    reported.
    """
    if event.facts["because"] not in ("challenge", "new_facts", "staff"):
        return
    case = Case.objects.get(id=event.about["case"])
    told = cell(Kind.CASE_REOPENED, Audience.REPORTER, "looking_again")
    _tell(case, told, decision=_last_decision(case))


def mark_read(notification_ids: Iterable[UUID]) -> None:
    """The reporter has seen these."""
    Notification.objects.filter(id__in=list(notification_ids), read_at=None).update(
        read_at=clock.now()
    )


def _tell(
    case: Case,
    told: Cell,
    *,
    decision: Decision | None = None,
    reveal: Reveal | None = None,
    referral: Referral | None = None,
    facts: dict[str, object] | None = None,
) -> None:
    reports = Report.objects.filter(targets__place__case=case).distinct()
    for report in reports.select_related("platform").order_by("received_at"):
        with transaction.atomic():
            made, new = Notification.objects.get_or_create(
                report=report,
                template=told.template,
                decision=decision,
                case=case,
                defaults={
                    "language": report.language,
                    "words": words(
                        told.template,
                        report.language,
                        {"platform": report.platform.name, **(facts or {})},
                    ),
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
                    facts={"template": told.template},
                    by=SYSTEM,
                )


def _frozen_by(event: Event) -> list[UUID]:
    """The items that the freezing step froze because of this very event."""
    frozen = Event.objects.filter(cause=event, kind=Kind.ITEM_FROZEN)
    return [UUID(each.about["item"]) for each in frozen]


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


def _last_decision(case: Case) -> Decision | None:
    return case.decisions.order_by("-round").first()
