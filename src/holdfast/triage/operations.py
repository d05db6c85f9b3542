"""Placing: every reported thing, and every match, stands in exactly one case.

All rows that a placing touches are locked first, items before cases and always in the
order of their ids, so that two reports of one item at the same instant wait for each
other and end in one case.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.events import Event, Kind, emit
from holdfast.base.ids import case_number
from holdfast.intake.models import Report, Target
from holdfast.intake.queries import report_of, told_by
from holdfast.items.models import Item
from holdfast.matching import operations as matching
from holdfast.matching.models import BankEntry, Match
from holdfast.matching.queries import Copy, find_copies
from holdfast.matching.rules import Basis
from holdfast.matching.watches import (
    end_watches,
    find_pictures,
    public,
    same_pictures,
)
from holdfast.policy import queries as policies
from holdfast.policy.rules import Category, Policy, ReportFacts, faster
from holdfast.triage.clocks import bring_forward, facts_of, start_clocks
from holdfast.triage.fingerprint_limit import page_beyond_limit, within_limit
from holdfast.triage.merging import join
from holdfast.triage.models import (
    FOUND_FIRST,
    Case,
    CaseItem,
    CaseState,
    CaseTarget,
    Deadline,
    ItemRole,
)
from holdfast.triage.placing import (
    cases_of,
    cases_of_entry,
    cases_of_targets,
    living,
    lock_places,
    place_items,
    placed_target,
    reposts_of,
    stands,
)
from holdfast.triage.rules import speaks_with_weight


def place_report_in_case(event: Event) -> None:
    """Place each thing that a report names, with its reposts and known copies."""
    report = report_of(event)
    targets = sorted(report.targets.all(), key=lambda each: each.position)
    copies = {each.id: _copies_of(each) for each in targets}
    lock_places(
        {
            *(each.item_id for each in targets if each.item_id),
            *(copy.item for found in copies.values() for copy in found),
        },
        report,
    )
    for target in targets:
        _place_target(report, target, copies[target.id])


def place_match_in_case(event: Event) -> None:
    """Place a match in the case of what it was measured against.

    What a bank knows opens a case of its own, which later copies of it join.
    """
    match = Match.objects.select_related("entry").get(id=event.about["match"])
    found = Copy(match.item_id, match.against_id, match.likeness, match.entry_id)
    copies = [found, *reposts_of(found)]
    items = {copy.item for copy in copies} | {match.against_id or match.item_id}
    lock_places(items, entry=match.entry)
    by_fingerprint = match.entry is not None and match.entry.target_id is not None
    if match.entry is not None and by_fingerprint:
        same = cases_of_entry(match.entry, match.item.platform_id)
        copies = within_limit(copies, same)
    cases = cases_of(copy.item for copy in copies if copy.like.certain)
    is_new = False
    if match.entry is not None:
        cases = [*cases, *cases_of_entry(match.entry, match.item.platform_id)]
        is_new = not cases
        case = _open_known(match.item, match.entry) if is_new else join(cases)
    else:
        against = CaseItem.objects.filter(item=found.against).select_related("case")
        place = against.first()
        if place is None:
            # The report that this was measured for was not stored after all.
            return
        case = join([place.case, *cases])
    new = place_items(case, copies)
    if match.entry is not None and is_new and match.basis == Basis.DIGEST:
        # The bank has nothing but bytes: what has them shows what to look for.
        matching.quarantine(match.item_id, category=case.category, case_id=case.id)
    _after_new_items(case, new, report=None)
    if by_fingerprint:
        page_beyond_limit(case, new)
    elif match.entry is not None:
        _look_again_at_cleared(case, found.item, new)


def catch_up(event: Event) -> None:
    """An item was reported before it was fingerprinted: look for its copies now."""
    place = (
        CaseItem.objects.filter(item=event.about["item"], role=ItemRole.REPORTED)
        .select_related("case")
        .first()
    )
    if place is None:
        return
    case = place.case
    with transaction.atomic():
        matching.quarantine(place.item_id, category=case.category, case_id=case.id)
    matching.look_for_copies(case.platform_id, place.item_id)


def look_for_copies(event: Event) -> None:
    """A case has been decided: look for copies once more, where no report froze them.

    An upload that crossed the decision is found by whichever of the two commits last.
    """
    reported = CaseItem.objects.filter(
        case=event.about["case"], role__in=FOUND_FIRST
    ).values_list("item", flat=True)
    for item_id in reported:
        matching.look_for_copies(event.about["platform"], item_id)


def settle_decided_case(event: Event) -> None:
    """A case has been decided: stop its clocks and bank what people decided on."""
    case = Case.objects.select_for_update(no_key=True).get(id=event.about["case"])
    case.state = CaseState.DECIDED
    case.outcome = event.facts["outcome"]
    case.decided_at = event.at
    case.save(update_fields=["state", "outcome", "decided_at"])
    case.deadlines.filter(met_at=None).update(met_at=event.at)
    matching.bank_decided(
        case.items.filter(certain=True).values_list("item", flat=True),
        violates=case.outcome == "violation",
        category=event.facts["category"],
        case_id=case.id,
        decision_id=UUID(str(event.about["decision"])),
        by=SYSTEM,
    )
    if case.outcome == "no_violation":
        end_watches(case.targets.values_list("target", flat=True))


def meet_first_look(event: Event) -> None:
    """Somebody opened the case: the clock of the first look stops."""
    Deadline.objects.filter(
        case=event.about["case"], code="first_look", met_at=None
    ).update(met_at=event.at)


def reopen_challenged(event: Event) -> None:
    """A reporter says that a decision is wrong: somebody new looks, in a new round."""
    places = CaseTarget.objects.filter(target__report=event.about["report"])
    report = Report.objects.get(id=event.about["report"])
    for case_id in places.values_list("case", flat=True).distinct():
        case = living(case_id, lock=True)
        if case.state == CaseState.DECIDED:
            open_again(
                case, because="challenge", by=SYSTEM, report=report, runs_from=event.at
            )


def reopen(case_id: UUID, *, by: By) -> None:
    """Open a decided case again, by a member of staff, who writes a note why."""
    by.require(Permission.CASE_REOPEN)
    with transaction.atomic():
        case = living(case_id, lock=True)
        if case.state == CaseState.DECIDED:
            open_again(case, because="staff", by=by)


def _place_target(report: Report, target: Target, copies: Sequence[Copy]) -> None:
    if target.pdq is not None:
        same = cases_of_targets(same_pictures(target))
        copies = within_limit(copies, same)
        cases = [*cases_of(copy.item for copy in copies if copy.like.certain), *same]
    elif target.item_id:
        certain = (copy.item for copy in copies if copy.like.certain)
        cases = cases_of([target.item_id, *certain])
    else:
        cases = _cases_of_named(report, target)
    placed = placed_target(target.id)
    if placed is not None:
        if target.item_id is None or stands(target.item_id, placed.case_id):
            _take_in_what_was_added(placed.case, report)
            return
        cases = [placed.case, *cases]
    policy = policies.current()
    category = policies.category_of(told_by(report).category, policy)
    is_new = not cases
    case = _open(report, category, policy) if is_new else join(cases)
    if placed is None:
        CaseTarget.objects.create(case=case, target=target, placed_at=clock.now())
    elif placed.case_id != case.id:
        CaseTarget.objects.filter(id=placed.id).update(case=case)
    if not is_new:
        _raise_to(case, report, category)
    new = place_items(case, copies, reported=target.item_id)
    start_clocks(case, category, policy, report, runs_from=report.received_at)
    emit(
        Kind.CASE_OPENED if is_new else Kind.CASE_JOINED,
        about={
            "platform": case.platform_id,
            "case": case.id,
            "report": report.id,
            "item": target.item_id,
        },
        facts={"category": case.category, "urgency": case.urgency},
        by=SYSTEM,
    )
    _after_new_items(case, new, report=report, unseen=_is_unseen(case, target))
    if target.pdq is not None:
        page_beyond_limit(case, new)


def _is_unseen(case: Case, target: Target) -> bool:
    """Whether its reporter may not learn that a case has anything to do with it.

    Who has a picture's fingerprint alone is told of what everybody could see, and of
    nothing once too many have asked.
    """
    if target.pdq is None:
        return False
    certain = case.items.filter(certain=True).values_list("item", flat=True)
    return not (target.tells and public(certain).exists())


def _copies_of(target: Target) -> list[Copy]:
    if target.pdq is not None:
        return find_pictures(target)
    return find_copies(target.item_id) if target.item_id else []


def _cases_of_named(report: Report, target: Target) -> list[Case]:
    """An open case about the same account or conversation, when no item is named."""
    same = CaseTarget.objects.filter(
        case__state=CaseState.OPEN,
        case__platform=report.platform_id,
        target__item=None,
    )
    if target.actor_id:
        same = same.filter(target__actor=target.actor_id)
    elif target.conversation_id:
        same = same.filter(target__conversation=target.conversation_id)
    else:
        return []
    return list(
        Case.objects.select_for_update(no_key=True)
        .filter(id__in=same.values("case"))
        .order_by("id")
    )


def _open(report: Report, category: Category, policy: Policy) -> Case:
    return Case.objects.create(
        number=case_number(),
        platform_id=report.platform_id,
        category=category.code,
        child_safety=category.child_safety,
        urgency=policy.urgency(category, facts_of(report)),
        policy_version=policy.version,
        clock_from=report.received_at,
        opened_at=clock.now(),
    )


def _open_known(item: Item, entry: BankEntry) -> Case:
    """A case about what a bank knows, which nobody here has reported."""
    policy = policies.current()
    category = policies.category_of(entry.category, policy)
    now = clock.now()
    case = Case.objects.create(
        number=case_number(),
        platform_id=item.platform_id,
        category=category.code,
        child_safety=category.child_safety,
        urgency=policy.urgency(category, ReportFacts()),
        policy_version=policy.version,
        clock_from=now,
        opened_at=now,
    )
    start_clocks(case, category, policy, None, runs_from=now)
    emit(
        Kind.CASE_OPENED,
        about={"platform": item.platform_id, "case": case.id, "item": item.id},
        facts={"category": case.category, "urgency": case.urgency},
        by=SYSTEM,
    )
    return case


def _raise_to(case: Case, report: Report, category: Category) -> None:
    """A report can make a case more urgent or a matter of child safety, never less.

    Nor can an earlier report of a lesser category keep what freezes from freezing.
    """
    urgency = policies.current().urgency(category, facts_of(report))
    case.urgency = faster(case.urgency, urgency)
    case.clock_from = min(case.clock_from, report.received_at)
    if (category.child_safety and not case.child_safety) or (
        category.freeze and not policies.category_of(case.category).freeze
    ):
        emit(
            Kind.CASE_RECLASSIFIED,
            about={"platform": case.platform_id, "case": case.id},
            facts={"from": case.category, "to": category.code},
            by=SYSTEM,
        )
        case.category = category.code
        case.child_safety = case.child_safety or category.child_safety
    case.save(update_fields=["urgency", "clock_from", "category", "child_safety"])


def _after_new_items(
    case: Case, new: Sequence[CaseItem], *, report: Report | None, unseen: bool = False
) -> None:
    """What arrives in a decided case opens it again, unless the decision covers it.

    A decision that found a violation covers byte-identical copies and reposts. One
    that found none covers nothing that somebody reports: people look again. They do,
    too, where the decision cannot be told to the reporter (``unseen``), who was told
    that a person reads the report: an answer at once would say that it is known here.
    """
    if case.state != CaseState.DECIDED:
        return
    violates = case.outcome == "violation"
    strange = [row for row in new if not row.exact]
    for row in new:
        if violates and row not in strange:
            emit(
                Kind.COPY_COVERED,
                about={
                    "platform": case.platform_id,
                    "case": case.id,
                    "item": row.item_id,
                },
                facts={"basis": str(row.basis)},
                by=SYSTEM,
            )
    if strange or unseen or (report is not None and not violates):
        open_again(
            case,
            because="report" if report else "copy",
            by=SYSTEM,
            report=report,
            runs_from=report.received_at if report else None,
        )


def _look_again_at_cleared(case: Case, item_id: UUID, new: Sequence[CaseItem]) -> None:
    """A bank says otherwise than people did: they look again, and nothing is frozen."""
    cleared = case.state == CaseState.DECIDED and case.outcome == "no_violation"
    if cleared and item_id not in {row.item_id for row in new}:
        open_again(case, because="bank", by=SYSTEM)


def open_again(
    case: Case,
    *,
    because: str,
    by: By,
    report: Report | None = None,
    category: Category | None = None,
    runs_from: datetime | None = None,
) -> None:
    """Open a locked, decided case in a new round, and start the clocks of that."""
    case.state = CaseState.OPEN
    case.round += 1
    case.save(update_fields=["state", "round"])
    emit(
        Kind.CASE_REOPENED,
        about={"platform": case.platform_id, "case": case.id},
        facts={"because": because, "round": case.round},
        by=by,
    )
    policy = policies.current()
    start_clocks(
        case,
        category or policies.category_of(case.category, policy),
        policy,
        report,
        runs_from=runs_from or clock.now(),
    )


def _take_in_what_was_added(case: Case, report: Report) -> None:
    """A reporter told more: the case may become more urgent, or open again."""
    case = Case.objects.select_for_update(no_key=True).get(id=case.id)
    told = told_by(report)
    category = policies.category_of(told.category)
    _raise_to(case, report, category)
    bring_forward(case, category, report)
    if (
        case.state == CaseState.DECIDED
        and case.outcome == "no_violation"
        and speaks_with_weight(told.claims, told.police_number)
    ):
        open_again(
            case, because="new_facts", by=SYSTEM, report=report, category=category
        )
