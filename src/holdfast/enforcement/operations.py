"""What is done to items and actors after a freeze, a thaw or a decision.

Plans what a decision asks for, orders it when it may be done, undoes it when a later
decision says otherwise, and watches that it happens. Never removes what is not sealed
(promise 5), never suspends anybody but an offender that people named (promise 15).
Items are always locked in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet

from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.base.events import Kind, alarm, caused_by, emit, in_bulk
from holdfast.base.models import Event
from holdfast.base.rows import read
from holdfast.decisions.models import ActorPart, Decision, Part
from holdfast.enforcement import rules
from holdfast.enforcement.delivery import hand_over_what_is_due
from holdfast.enforcement.models import (
    Delivery,
    DeliveryState,
    Enforcement,
    EnforcementState,
    Verb,
)
from holdfast.enforcement.orders import (
    ORDERED,
    Order,
    about_subject,
    lock_subject,
    order,
    order_many,
)
from holdfast.enforcement.queries import feed_lag_s
from holdfast.freeze.models import Freeze
from holdfast.items.models import Actor, Item
from holdfast.items.queries import lock_items
from holdfast.review.models import Outcome
from holdfast.review.queries import family
from holdfast.triage.models import Case, CaseItem, CaseState
from holdfast.vault.models import SealedBlob

BATCH = 500
"""Enforcements that one tick takes up at most."""

_STANDS = Q(state__in=[EnforcementState.ORDERED, EnforcementState.CONFIRMED])


@in_bulk
def order_freeze(*events: Event) -> None:
    """Step: tell the platform to hide frozen items."""
    _order_once(events, Verb.FREEZE)


@in_bulk
def order_thaw(*events: Event) -> None:
    """Step: tell the platform to show thawed items again."""
    _order_once(events, Verb.THAW)


def _order_once(events: Sequence[Event], verb: Verb) -> None:
    """One delivery for each event's item, however often the step runs."""
    with transaction.atomic(savepoint=False):
        named = (UUID(event.about["item"]) for event in events)
        items = lock_items(named, only=ORDERED)
        by_id = {str(item.id): item for item in items}
        told = read(
            "SELECT cause_id FROM hf_event WHERE cause_id = ANY(%s) AND kind = %s",
            [event.id for event in events],
            Kind.DELIVERY_ORDERED,
        )
        order_many(
            [
                Order(
                    by_id[event.about["item"]],
                    verb,
                    cause=event,
                    case_id=UUID(case) if (case := event.about.get("case")) else None,
                )
                for event in events
                if (event.id,) not in told
            ],
            by=SYSTEM,
        )


def plan(event: Event) -> None:
    """Step: write down what a decision asks for, and undo what it no longer does."""
    undo_decision(event)
    decision = Decision.objects.select_related("case").get(id=event.about["decision"])
    if decision.outcome != Outcome.VIOLATION:
        return
    with transaction.atomic(), caused_by(event):
        done = Enforcement.objects.filter(
            _STANDS, decision__case__in=family(decision.case_id)
        )
        decided = Item.objects.filter(place__case=decision.case, place__certain=True)
        items = decided.exclude(id__in=done.filter(verb=Verb.REMOVE).values("item"))
        parts = _offenders(decision).exclude(
            actor__in=done.filter(verb=Verb.SUSPEND).values("actor")
        )
        now = clock.now()
        rows = [
            Enforcement(
                decision=decision, verb=Verb.REMOVE, item_id=item_id, planned_at=now
            )
            for item_id in items.order_by("id").values_list("id", flat=True)
        ] + [
            Enforcement(
                decision=decision,
                verb=Verb.SUSPEND,
                actor_id=part.actor_id,
                offender=part,
                planned_at=now,
            )
            for part in parts
        ]
        _plan(decision, rows)


def extend_decision(event: Event) -> None:
    """Step: a copy that joins a case decided as a violation shares its decision.

    Acts on ``copy.covered``. While the case is open nothing is planned: its next
    decision will cover the item.
    """
    decision = _decision_in_force(UUID(event.about["case"]))
    if decision is None or decision.outcome != Outcome.VIOLATION:
        return
    with transaction.atomic(), caused_by(event):
        removal = Enforcement(
            decision=decision,
            verb=Verb.REMOVE,
            item_id=UUID(event.about["item"]),
            planned_at=clock.now(),
        )
        _plan(decision, [removal], item=event.about["item"])


def _plan(decision: Decision, rows: list[Enforcement], item: str | None = None) -> None:
    """Store what is not stored yet, and one event if anything was."""
    before = Enforcement.objects.filter(decision=decision).count()
    Enforcement.objects.bulk_create(rows, ignore_conflicts=True)
    new = Enforcement.objects.filter(decision=decision).count() - before
    if new:
        emit(
            Kind.ENFORCEMENT_PLANNED,
            about={
                "platform": decision.case.platform_id,
                "case": decision.case_id,
                "decision": decision.id,
                "item": item,
            },
            facts={"planned": new},
            by=SYSTEM,
        )


def undo_decision(event: Event) -> None:
    """Step: take back what earlier decisions on the case did and this one does not.

    After "no violation" that is everything: removed items are restored, suspended
    accounts reinstated. After another violation it is the suspension of an account that
    is no offender any more, and what was planned and not yet ordered.
    """
    decision = Decision.objects.select_related("case").get(id=event.about["decision"])
    if decision != _newest_decision(decision.case_id):
        return
    earlier = (
        # What was decided in a case that has been merged into this one is undone, too.
        Enforcement.objects.filter(decision__case__in=family(decision.case_id))
        .exclude(decision=decision)
        .exclude(state=EnforcementState.UNDONE)
    )
    if decision.outcome == Outcome.VIOLATION:
        offenders = _offenders(decision).values("actor")
        acquitted = Q(verb=Verb.SUSPEND) & ~Q(actor__in=offenders)
        earlier = earlier.filter(acquitted | Q(state=EnforcementState.PLANNED))
    with transaction.atomic(), caused_by(event):
        _undo(decision.case_id, list(earlier.values_list("id", flat=True)))


def _undo(case_id: UUID, enforcement_ids: Iterable[UUID]) -> None:
    """Undo these enforcements of a case, each once."""
    ids = list(enforcement_ids)
    if not ids:
        return
    # All items of the case, because the thaw that may follow locks them, too.
    lock_items(CaseItem.objects.filter(case=case_id).values_list("item", flat=True))
    list(
        Actor.objects.select_for_update(no_key=True)
        .filter(enforcements__in=ids)
        .order_by("id")
        .values_list("id")
    )
    for each in (
        Enforcement.objects.select_for_update(of=("self",), no_key=True)
        .select_related("item", "actor", "decision")
        .filter(id__in=ids)
        .exclude(state=EnforcementState.UNDONE)
        .order_by("id")
    ):
        was_ordered = each.state != EnforcementState.PLANNED
        each.state = EnforcementState.UNDONE
        each.save(update_fields=["state"])
        subject = _subject(each)
        others = Enforcement.objects.filter(
            _STANDS, verb=each.verb, **about_subject(subject)
        )
        # Another case may have suspended the same account; that decision stands.
        if was_ordered and not others.exists():
            _order_and_set(subject, Verb(rules.REVERSE[each.verb]), each)


def carry_out(event: Event) -> None:
    """Step: order what was planned, as far as it may be done now."""
    planned = Enforcement.objects.filter(state=EnforcementState.PLANNED)
    if "item" in event.about:
        planned = planned.filter(item=event.about["item"])
    else:
        planned = planned.filter(decision=event.about["decision"])
    with caused_by(event):
        _carry_out_all(planned.order_by("id").values_list("id", flat=True))


def _carry_out_all(enforcement_ids: Iterable[UUID]) -> None:
    for enforcement_id in list(enforcement_ids):
        with transaction.atomic():
            _carry_out(enforcement_id)


def _carry_out(enforcement_id: UUID) -> None:
    """Order one planned enforcement, unless it must wait or was withdrawn."""
    subject = lock_subject(
        _subject(
            Enforcement.objects.select_related("item", "actor").get(id=enforcement_id)
        )
    )
    each = (
        Enforcement.objects.select_for_update(of=("self",), no_key=True)
        .select_related("decision")
        .get(id=enforcement_id)
    )
    if (
        each.state != EnforcementState.PLANNED
        or _decision_in_force(each.decision.case_id) != each.decision
    ):
        return
    if each.verb == Verb.REMOVE:
        assert isinstance(subject, Item)
        each.sealed_blob = _sealed(subject)
        if each.sealed_blob is None:
            return
    each.state = EnforcementState.ORDERED
    each.save(update_fields=["state", "sealed_blob"])
    _order_and_set(subject, Verb(each.verb), each)


@in_bulk
def mark_confirmed(*events: Event) -> None:
    """Step: an enforcement is confirmed when the platform has confirmed its order."""
    Enforcement.objects.filter(
        deliveries__in=[event.about["delivery"] for event in events],
        deliveries__verb=F("verb"),
        state=EnforcementState.ORDERED,
    ).update(state=EnforcementState.CONFIRMED, confirmed_at=clock.now())


def hand_over_due() -> None:
    """Tick: whatever waits is looked at again, so that nothing waits for ever."""
    _alarm_unconfirmed_freezes()
    _alarm_waiting_removals()
    _alarm_feed()
    sealed = SealedBlob.objects.filter(subject_id=OuterRef("item_id"))
    ready = Enforcement.objects.filter(
        Q(verb=Verb.SUSPEND) | Exists(sealed),
        state=EnforcementState.PLANNED,
        decision__case__state=CaseState.DECIDED,
    )
    _carry_out_all(ready.order_by("planned_at").values_list("id", flat=True)[:BATCH])
    hand_over_what_is_due()


def _alarm_unconfirmed_freezes() -> None:
    """One alarm for each platform with freezes that have just become overdue."""
    now = clock.now()
    overdue = Delivery.objects.filter(
        verb=Verb.FREEZE,
        state=DeliveryState.PENDING,
        alarmed_at=None,
        ordered_at__lt=now - timedelta(seconds=rules.FREEZE_ALARM_AFTER_S),
    )
    for platform_id in overdue.order_by().values_list("platform", flat=True).distinct():
        with transaction.atomic():
            late = overdue.select_for_update(skip_locked=True, no_key=True)
            rows = list(late.filter(platform=platform_id).order_by("ordered_at"))
            if not rows:
                continue
            first = rows[0]
            alarm(
                "freeze.unconfirmed",
                about={
                    "platform": platform_id,
                    "item": first.item_id,
                    "delivery": first.id,
                },
                facts={"freezes": len(rows), "attempts": first.attempts},
            )
            Delivery.objects.filter(id__in=[each.id for each in rows]).update(
                alarmed_at=now
            )


def _alarm_waiting_removals() -> None:
    """An alarm for each platform whose removals have waited too long for their seal."""
    waiting = (
        Enforcement.objects.filter(
            verb=Verb.REMOVE,
            state=EnforcementState.PLANNED,
            decision__case__state=CaseState.DECIDED,
            planned_at__lt=clock.now() - timedelta(seconds=rules.REMOVAL_ALARM_AFTER_S),
        )
        .order_by()
        .values("item__platform")
        .annotate(number=Count("id"), since=Min("planned_at"))
    )
    for each in waiting:
        _alarm_if_not_lately(
            "removal.waiting_for_seal",
            {"platform": str(each["item__platform"])},
            {
                "removals": each["number"],
                "oldest_s": int((clock.now() - each["since"]).total_seconds()),
            },
        )


def _alarm_feed() -> None:
    lag_s = feed_lag_s()
    if lag_s > rules.FEED_ALARM_AFTER_S:
        _alarm_if_not_lately("feed.held_back", {}, {"lag_s": int(lag_s)})


def _alarm_if_not_lately(
    code: str, about: dict[str, str], facts: dict[str, int]
) -> None:
    """Raise an alarm about what lasts, unless that was done within the hour."""
    since = clock.now() - timedelta(seconds=rules.ALARM_AGAIN_AFTER_S)
    lately = Event.objects.filter(
        kind=Kind.ALARM_RAISED, at__gte=since, facts__code=code, about__contains=about
    )
    if not lately.exists():
        alarm(code, about=about, facts=facts)


def _order_and_set(subject: Item | Actor, verb: Verb, enforcement: Enforcement) -> None:
    """Order it and set the state that the platform is now told, in one transaction."""
    order(subject, verb, enforcement=enforcement, by=SYSTEM)
    subject.state = rules.STATE_AFTER[verb]
    subject.save(update_fields=["state"])


def _sealed(item: Item) -> SealedBlob | None:
    """The sealed original of an item, once all of it is sealed.

    Each of its pictures and films must be in the vault by itself, also a file that no
    decoder takes, and what its poster replaced after it was frozen. An item without any
    is preserved by the snapshot of its words and facts.
    """
    frozen = Freeze.objects.filter(item=item).aggregate(at=Min("frozen_at"))["at"]
    replaced_later = Q(replaced_at__gte=frozen) if frozen else Q()
    media = item.media.filter(Q(replaced_at=None) | replaced_later)
    originals = SealedBlob.objects.filter(kind="original")
    if media.exclude(id__in=originals.values("subject_id")).exists():
        return None
    kind = "original" if media.exists() else "snapshot"
    blobs = SealedBlob.objects.filter(subject_id=item.id, kind=kind)
    return blobs.order_by("sealed_at", "id").first()


def _offenders(decision: Decision) -> QuerySet[ActorPart]:
    return ActorPart.objects.filter(decision=decision, part=Part.OFFENDER)


def _newest_decision(case_id: UUID) -> Decision | None:
    found = Decision.objects.select_related("case").filter(case=case_id)
    return found.order_by("-round").first()


def _decision_in_force(case_id: UUID) -> Decision | None:
    """The newest decision of a case; None while people look at it again.

    A case that is open only because something like a copy came late is decided as far
    as it was: an upload must not hold up what follows for everything before it.
    """
    newest = _newest_decision(case_id)
    if newest is None:
        return None
    if newest.case.state == CaseState.DECIDED or _open_for_a_copy(newest.case):
        return newest
    return None


def _open_for_a_copy(case: Case) -> bool:
    if case.state != CaseState.OPEN or case.outcome != "violation":
        return False
    opened = Event.objects.filter(
        kind=Kind.CASE_REOPENED, about__contains={"case": str(case.id)}
    )
    last = opened.order_by("-id").first()
    return last is not None and bool(last.facts["because"] == "copy")


def _subject(enforcement: Enforcement) -> Item | Actor:
    subject = enforcement.item or enforcement.actor
    assert subject is not None  # The database holds one of the two.
    return subject
