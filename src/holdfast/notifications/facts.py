"""What is so of a case and a report, read from the rows, for the texts to be made from.

Never changes anything and never decides what is said: ``matrix.py`` says which facts a
text claims, ``words.py`` turns them into words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from holdfast.authorities.models import Environment, Referral, ReferralState
from holdfast.decisions.models import Decision
from holdfast.fingerprints.models import Fingerprint
from holdfast.freeze.models import Freeze
from holdfast.intake.models import MisuseWarning, Report, Target
from holdfast.intake.queries import told_by
from holdfast.intake.suspension import in_force
from holdfast.items.models import ItemState
from holdfast.matching.models import BankState
from holdfast.matching.queries import decided_here
from holdfast.notifications.matrix import Audience
from holdfast.notifications.rules import Facts
from holdfast.policy import queries as policies
from holdfast.review.models import Reveal
from holdfast.triage.models import Case, CaseState, CaseTarget, Deadline

SAID = "said_of"
"""What of a receipt holds the facts that its words were made from, beside its lists."""


def audience_of(report: Report) -> Audience:
    """Who is behind a report: a reporter, a trusted flagger, or a police officer."""
    if report.channel == "police":
        return Audience.POLICE
    if report.channel == "flagger" or "trusted_flagger" in told_by(report).claims:
        return Audience.FLAGGER
    return Audience.REPORTER


def of_receipt(platform: str, body: Mapping[str, Any], *, has_codename: bool) -> Facts:
    """What the receipt of a report says, from what it holds itself."""
    return Facts(
        platform=platform,
        has_codename=has_codename,
        located=any(target["located"] for target in body["targets"]),
        **body[SAID],
    )


def set_aside_until(report: Report) -> datetime | None:
    """Until when this reporter's reports are only kept; None where nobody said so."""
    if report.reporter_actor_id is None:
        return None
    running = in_force(report.reporter_actor_id)
    return running.ends_at if running else None


def warned_of(report: Report) -> int:
    """How many unfounded reports the newest warning to who reported was about."""
    if report.reporter_actor_id is None:
        return 0
    made = MisuseWarning.objects.filter(reporter_actor=report.reporter_actor_id)
    newest = made.order_by("-warned_at").first()
    return int(newest.factors["unfounded"]) if newest else 0


def of_case(case: Case) -> Facts:
    """What is so of a case, whoever reported it. Its newest decision counts."""
    certain = case.items.filter(certain=True)
    total = certain.count()
    decision = newest_decision(case)
    facts = Facts(
        platform=case.platform.name,
        case_open=case.state == CaseState.OPEN,
        was_hidden=Freeze.objects.filter(item__place__case=case).exists(),
        certain=total,
        confirmed_hidden=total
        - certain.filter(item__confirmed_state=ItemState.VISIBLE).count(),
        confirmed_removed=certain.filter(
            item__confirmed_state=ItemState.REMOVED
        ).count(),
        viewed=entire_reveals(case).exists(),
        thawed=_thawed(case).exists(),
    )
    return _decided(facts, case, decision) if decision else facts


def for_report(facts: Facts, case: Case, report: Report) -> Facts:
    """The same, with what is so of one of the case's reports alone."""
    targets = list(report.targets.order_by("position").values_list("id", flat=True))
    here = set(
        CaseTarget.objects.filter(case=case, target__report=report).values_list(
            "target", flat=True
        )
    )
    late = _broken_promise(case, report)
    return replace(
        facts,
        has_codename=hasattr(report, "codename"),
        # All that a report is about can stand in one case; then it is one thing.
        parts=len(targets) if len(here) < len(targets) else 1,
        part=_first_place(targets, here),
        thawed_in_open_case=_shown_again(case, report),
        late_with=_label_of(late) if late else "",
        late_since=late.due_at if late else None,
        set_aside_until=set_aside_until(report),
        warned_of=warned_of(report),
    )


def newest_decision(case: Case) -> Decision | None:
    """The decision of the last round that had one."""
    return case.decisions.order_by("-round").first()


def entire_reveals(case: Case) -> Any:
    """The openings in which all of an item of the case was seen.

    By the item and not by the case: what was opened in a case that was merged into this
    one was opened.
    """
    return Reveal.objects.filter(item__place__case=case, entire=True)


def filed_with(referral: Referral) -> str:
    """The authority that has a referral for real; empty for a test (promise 16)."""
    real = (
        referral.environment == Environment.PRODUCTION
        and referral.state == ReferralState.FINISHED
    )
    return referral.authority if real else ""


def _decided(facts: Facts, case: Case, decision: Decision) -> Facts:
    readers = {decision.first_reader_id, decision.second_reader_id} - {None}
    opened = set(entire_reveals(case).values_list("person", flat=True))
    referrals = Referral.objects.filter(decision=decision)
    return replace(
        facts,
        outcome=decision.outcome,
        two_readers=len(readers) > 1,
        both_viewed=len(readers) > 1 and readers <= opened,
        specialist=decision.by_specialist,
        authority_answered=referrals.exists(),
        decided_before=_decided_before(case),
        filed_with=next(filter(None, map(filed_with, referrals)), ""),
    )


def _decided_before(case: Case) -> bool:
    """Whether people have decided on the very bytes of some item in another case."""
    items = case.items.values("item")
    prints = Fingerprint.objects.filter(item__in=items).values("sha256")
    known = decided_here().filter(digest__in=prints, state=BankState.ACTIVE)
    return known.exclude(item__in=items).exists()


def _first_place(targets: Sequence[UUID], here: set[UUID]) -> int:
    places = [place for place, target in enumerate(targets, 1) if target in here]
    return min(places, default=1)


def _shown_again(case: Case, report: Report) -> bool:
    reported = Target.objects.filter(report=report, place__case=case).values("item")
    return _thawed(case).filter(item__in=reported).exists()


def _thawed(case: Case) -> QuerySet[Freeze]:
    """The freezes of a case that have ended, where the item is shown now."""
    ended = Freeze.objects.filter(item__place__case=case).exclude(thawed_at=None)
    return ended.filter(item__state=ItemState.VISIBLE)


def _broken_promise(case: Case, report: Report) -> Deadline | None:
    broken = Deadline.objects.filter(
        case=case, report_id=report.id, shown_to_reporter=True, met_at=None
    ).exclude(breached_at=None)
    return broken.order_by("due_at", "code").first()


def _label_of(deadline: Deadline) -> str:
    labels = {each.code: each.label for each in policies.current().clocks}
    return labels.get(deadline.code, deadline.code)
