"""Readings become a decision, and posters are told why.

The steps of this stage follow from events and act for nobody: a decision is made the
moment that enough people have written the same, and it says what they wrote. With it
its statements of reasons are written; those of a freeze follow soon after it, because
the person who reported waits for the freeze. They are handed over now or when their
withholding ends; one that is no longer true by then is not sent.

Rules: promise 3, promise 4, promise 15; Digital Services Act, Article 17.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.base.events import Event, Kind, emit, in_bulk
from holdfast.base.rows import insert
from holdfast.decisions.models import (
    ActorPart,
    Decision,
    Part,
    StatementKind,
    StatementOfReasons,
)
from holdfast.decisions.reasons import (
    Finding,
    Thing,
    decision_words,
    freeze_words,
    thaw_words,
)
from holdfast.decisions.rules import Ripe, Waiting, Withheld, ripe, withheld
from holdfast.freeze.models import Freeze
from holdfast.items.models import Item, ItemKind, ItemState
from holdfast.items.queries import hold_items
from holdfast.policy import queries as policies
from holdfast.policy.rules import Policy
from holdfast.review.models import Claim, Outcome, Reading
from holdfast.review.queries import round_readings
from holdfast.triage.models import Case, CaseItem, CaseState, ItemRole
from holdfast.triage.placing import living

_FOUND_AS: dict[str, str] = {ItemRole.REPORTED: "notice", ItemRole.KNOWN: "known"}
STATEMENTS_A_TICK = 200
"""How many withheld statements are handed over at a time; the rest follow at once."""


def decide_when_ripe(event: Event) -> None:
    """Somebody read a case: write the decision if enough people have."""
    with transaction.atomic():
        case = living(UUID(str(event.about["case"])), lock=True)
        if case.state != CaseState.OPEN:
            return
        readings, child_safety = round_readings(case)
        found = ripe(readings, child_safety=child_safety)
        if isinstance(found, Waiting):
            return
        decision = _decide(case, found, child_safety=child_safety)
        emit(
            Kind.CASE_DECIDED,
            about={
                "case": case.id,
                "decision": decision.id,
                "platform": case.platform_id,
            },
            facts={
                "outcome": decision.outcome,
                "category": decision.category,
                "round": decision.round,
            },
            by=SYSTEM,
        )


@in_bulk
def state_freeze_reasons(*events: Event) -> None:
    """Items were hidden: write to their posters, neutrally, or say why that waits.

    Enqueued once for all that was frozen together: looks itself for what of the case
    is frozen and not stated. What arrives in a case that people have decided falls
    under their decision, and gets the reasons of it.
    """
    for case_id in {event.about["case"] for event in events}:
        case = living(UUID(case_id))
        with transaction.atomic():
            hold_items(_unstated(case).values_list("id", flat=True))
            # Once more, under their locks: somebody may have stated or thawed one.
            items = list(_unstated(case).select_related("platform").order_by("id"))
            decision = _decision_in_force(case)
            if decision and decision.outcome == Outcome.VIOLATION:
                for item in items:
                    _state_decision(case, decision, item)
            else:
                _state_freezes(case, items)


def _unstated(case: Case) -> QuerySet[Item]:
    """The frozen items of a case whose poster has not been told why."""
    since = StatementOfReasons.objects.exclude(kind=StatementKind.THAW).filter(
        item_id=OuterRef("item"), made_at__gte=OuterRef("frozen_at")
    )
    freezes = Freeze.objects.filter(~Exists(since), case=case, thawed_at=None)
    return Item.objects.filter(id__in=freezes.values("item"), actor__isnull=False)


def _state_freezes(case: Case, items: Sequence[Item]) -> None:
    policy = policies.current()
    wait = withheld(
        policy.withhold_at_freeze,
        category=policies.category_of(case.category).seen(),
        part=Part.UNKNOWN,
        at=clock.now(),
    )
    statements = insert(
        StatementOfReasons(
            actor_id=item.actor_id,
            case=case,
            kind=StatementKind.FREEZE,
            item_id=item.id,
            words=freeze_words(thing_of(item)),
            withheld_ground=wait.ground if wait else "",
            withheld_until=wait.until if wait else None,
            made_at=clock.now(),
        )
        for item in items
        if item.actor_id is not None
    )
    if wait is None:
        for statement in statements:
            _hand_over(statement)


def state_decision_reasons(event: Event) -> None:
    """People found a violation: give the poster of each item the reasons.

    A case that was cleared needs none here: its items are thawed, and the thaw says so.
    """
    decision = Decision.objects.get(id=event.about["decision"])
    if decision.outcome != Outcome.VIOLATION:
        return
    case = Case.objects.get(id=decision.case_id)
    placed = Item.objects.filter(place__case=case, place__certain=True)
    for item in placed.select_related("platform").order_by("registered_at", "id"):
        _state_decision(case, decision, item)


def state_thaw_reasons(event: Event) -> None:
    """An item is shown again: say so, and that the account was not affected."""
    item = _item(event)
    last = Freeze.objects.filter(item=item).order_by("-frozen_at").first()
    shown = item.state == ItemState.VISIBLE
    if last is None or last.thawed_at is None or not shown:
        return
    case = living(UUID(str(event.about["case"])))
    decision = _decision_in_force(case)
    cleared = decision is not None and decision.outcome == Outcome.NO_VIOLATION
    _state(
        case,
        item,
        StatementKind.THAW,
        words=thaw_words(thing_of(item), cleared=cleared),
        decision=decision if cleared else None,
        not_again=Q(item_id=item.id, made_at__gte=last.thawed_at),
    )


def send_due_statements() -> None:
    """Hand over the statements whose withholding has ended, as far as still true."""
    for statement_id in _due().values_list("id", flat=True)[:STATEMENTS_A_TICK]:
        with transaction.atomic():
            row = _due().select_for_update(skip_locked=True, of=("self",), no_key=True)
            statement = row.filter(id=statement_id).first()
            if statement:
                _hand_over(statement)


def _decide(case: Case, found: Ripe, *, child_safety: bool) -> Decision:
    reading = Reading.objects.get(id=found.reading.id)
    second = Reading.objects.get(id=found.second.id) if found.second else None
    decision = Decision.objects.create(
        case=case,
        round=case.round,
        outcome=reading.outcome,
        child_safety=child_safety,
        category=reading.category,
        ground=reading.ground,
        policy_version=policies.current().version,
        reading=reading,
        second_reading=second,
        first_reader_id=reading.person_id,
        second_reader_id=second.person_id if second else None,
        by_specialist=found.by_specialist,
        decided_at=clock.now(),
    )
    ActorPart.objects.bulk_create(
        ActorPart(decision=decision, actor_id=actor, part=part)
        for actor, part in sorted(reading.parts.items())
    )
    case.state, case.outcome = CaseState.DECIDED, decision.outcome
    case.decided_at = decision.decided_at
    case.save(update_fields=["state", "outcome", "decided_at"])
    Claim.objects.filter(case=case, released_at=None).update(
        released_at=decision.decided_at
    )
    return decision


def _state_decision(case: Case, decision: Decision, item: Item) -> None:
    policy = policies.version(decision.policy_version)
    category = policy.category(decision.category)
    part = ActorPart.objects.filter(decision=decision, actor=item.actor_id).first()
    role = part.part if part else Part.UNKNOWN
    # The ground for waiting is a referral: where nobody is told, nothing can be harmed.
    wait = decision.reading.refer and withheld(
        policy.withhold_at_decision,
        category=category.seen(),
        part=role,
        at=clock.now(),
    )
    _state(
        case,
        item,
        StatementKind.DECISION,
        words=decision_words(thing_of(item), finding_of(policy, decision, item, role)),
        decision=decision,
        wait=wait or None,
        not_again=Q(item_id=item.id, decision=decision),
    )


def finding_of(policy: Policy, decision: Decision, item: Item, part: str) -> Finding:
    """What people decided about an item, for the words to its poster."""
    category = policy.category(decision.category)
    ground = policy.ground(decision.ground)
    place = CaseItem.objects.get(item=item)
    return Finding(
        part=part,
        category=category.label,
        child_safety=decision.child_safety,
        ground_kind=ground.kind,
        ground_reference=ground.reference,
        ground_words=ground.words,
        found_as=_FOUND_AS.get(place.role, "copy"),
        decided_before=place.placed_at > decision.decided_at,
        was_frozen=Freeze.objects.filter(item=item).exists(),
    )


def _state(
    case: Case,
    item: Item,
    kind: StatementKind,
    *,
    words: str,
    not_again: Q,
    wait: Withheld | None = None,
    decision: Decision | None = None,
) -> None:
    """Store a statement once, and hand it over unless it waits.

    An item without an actor has nobody to be told.
    """
    if item.actor_id is None:
        return
    with transaction.atomic():
        Item.objects.select_for_update(no_key=True).get(id=item.id)
        if StatementOfReasons.objects.filter(not_again, kind=kind).exists():
            return
        statement = StatementOfReasons.objects.create(
            actor_id=item.actor_id,
            case=case,
            decision=decision,
            kind=kind,
            item_id=item.id,
            words=words,
            withheld_ground=wait.ground if wait else "",
            withheld_until=wait.until if wait else None,
            made_at=clock.now(),
        )
        if wait is None:
            _hand_over(statement)


def _hand_over(statement: StatementOfReasons) -> None:
    """Let the enforcement stage bring it to the platform; once."""
    statement.sent_at = clock.now()
    statement.save(update_fields=["sent_at"])
    emit(
        Kind.STATEMENT_DUE,
        about={
            "statement": statement.id,
            "actor": statement.actor_id,
            "item": statement.item_id,
            "platform": statement.case.platform_id,
            "case": statement.case_id,
        },
        facts={"kind": statement.kind, "withheld": bool(statement.withheld_ground)},
        by=SYSTEM,
    )


def _due() -> QuerySet[StatementOfReasons]:
    """Statements to hand over now. One that would be untrue by now is not among them:
    a freeze that ended or was decided on, a decision that was challenged or replaced,
    the end of a freeze where the item was hidden again.
    """
    frozen = Freeze.objects.filter(item=OuterRef("item_id"), thawed_at=None)
    still_open = CaseItem.objects.filter(
        item=OuterRef("item_id"), case__state=CaseState.OPEN
    )
    newer = Decision.objects.filter(
        case=OuterRef("decision__case"), round__gt=OuterRef("decision__round")
    )
    true_freeze = Q(kind=StatementKind.FREEZE) & Exists(frozen) & Exists(still_open)
    true_decision = (
        Q(kind=StatementKind.DECISION)
        & Q(decision__case__state=CaseState.DECIDED)
        & ~Exists(newer)
    )
    shown = Item.objects.filter(id=OuterRef("item_id"), state=ItemState.VISIBLE)
    true_thaw = Q(kind=StatementKind.THAW) & Exists(shown)
    return StatementOfReasons.objects.filter(
        true_freeze | true_decision | true_thaw,
        Q(withheld_until=None) | Q(withheld_until__lte=clock.now()),
        sent_at=None,
    ).order_by("made_at", "id")


def _decision_in_force(case: Case) -> Decision | None:
    if case.state != CaseState.DECIDED:
        return None
    return Decision.objects.filter(case=case).order_by("-round").first()


def _item(event: Event) -> Item:
    return Item.objects.select_related("platform").get(id=event.about["item"])


def thing_of(item: Item) -> Thing:
    """An item, by what its poster knows of it."""
    return Thing(
        kind=item.kind,
        posted_at=item.posted_at,
        platform=item.platform.name,
        language=item.language,
        private=item.kind == ItemKind.MESSAGE or item.conversation_id is not None,
    )
