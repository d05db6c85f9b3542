"""From a decision to what the platform has done, and back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError, transaction

from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.base.events import Kind, emit
from holdfast.base.jobs import drain as run_jobs
from holdfast.base.models import Event
from holdfast.decisions.models import Decision, Part
from holdfast.enforcement import operations, rules
from holdfast.enforcement.models import Delivery, Enforcement
from holdfast.freeze.models import Freeze
from holdfast.items.models import Item, Media
from holdfast.review.models import Outcome
from holdfast.triage.models import Case, CaseItem, ItemRole

if TYPE_CHECKING:
    from tests.stages.enforcement.stand import Network, Site

pytest_plugins = ["tests.stages.enforcement.stand"]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("enforcement_flow"),
]

NO = Outcome.NO_VIOLATION


def decide(
    site: Site, case: Case, outcome: Outcome = Outcome.VIOLATION, **parts: Part
) -> Event:
    """Decide, and do what follows. ``parts`` are actors by their external ids."""
    named = [(site.platform_actor(name), part) for name, part in parts.items()]
    with transaction.atomic():
        event = site.decide(case, outcome, named)
    run_jobs()
    return event


def sealed(
    site: Site, case: Case, item: Item, kind: str = "original", *media: Media
) -> None:
    with transaction.atomic():
        site.seal(item, kind)
        for each in media:
            site.seal(each)
        emit(Kind.ORIGINAL_SEALED, about={"item": item.id, "case": case.id}, by=SYSTEM)
    run_jobs()


def told(item: Item) -> list[str]:
    mine = Delivery.objects.filter(item=item).order_by("number")
    return list(mine.values_list("verb", flat=True))


def enforced() -> list[tuple[str, str]]:
    rows = Enforcement.objects.order_by("planned_at", "verb", "id")
    return list(rows.values_list("verb", "state"))


def test_nothing_is_removed_before_its_original_is_sealed(
    site: Site, network: Network
) -> None:
    item = site.item("post-1")
    picture = site.picture(item)
    case = site.case(item)
    decide(site, case)
    operations.hand_over_due()
    assert enforced() == [("remove", "planned")]
    sealed(site, case, item, "snapshot")  # The words alone are not the picture.
    assert told(item) == []
    sealed(site, case, item, "original", picture)
    assert enforced() == [("remove", "confirmed")]
    removal = Enforcement.objects.get()
    assert removal.sealed_blob is not None
    assert removal.sealed_blob.kind == "original"
    item.refresh_from_db()
    assert (item.state, item.confirmed_state) == ("removed", "removed")
    assert network.applied[0]["data"]["body"] == {
        "advertising_hold": True,
        "forbid_delete": False,
    }


def test_the_database_itself_refuses_a_removal_without_a_seal(site: Site) -> None:
    case = site.case(site.item("post-1"))
    decide(site, case)
    for state in ("ordered", "confirmed"):
        with pytest.raises(IntegrityError, match="preserved_before_removed"):
            Enforcement.objects.update(state=state)


def test_words_alone_are_preserved_by_their_snapshot(
    site: Site, network: Network
) -> None:
    item = site.item("post-1")
    case = site.case(item)
    decide(site, case)
    sealed(site, case, item, "snapshot")
    assert told(item) == ["remove"]


def test_a_film_that_no_decoder_takes_is_sealed_before_removal(
    site: Site, network: Network
) -> None:
    item = site.item("post-1")
    film = site.picture(item, state="refused")
    case = site.case(item)
    decide(site, case)
    sealed(site, case, item, "snapshot")
    assert told(item) == []
    sealed(site, case, item, "original", film)
    assert told(item) == ["remove"]


def test_what_its_poster_replaced_after_the_freeze_is_sealed_before_removal(
    site: Site, network: Network
) -> None:
    item = site.item("post-1")
    replaced, harmless = site.picture(item), site.picture(item)
    case = site.case(item)
    Freeze.objects.create(
        item=item,
        case=case,
        because="report",
        frozen_at=clock.now(),
        frozen_by="system",
    )
    replaced.replaced_at = clock.now()
    replaced.save()
    decide(site, case)
    sealed(site, case, item, "original", harmless)
    assert told(item) == []
    site.seal(replaced)
    operations.hand_over_due()
    assert told(item) == ["remove"]


def test_every_picture_of_an_item_must_be_sealed(site: Site, network: Network) -> None:
    item = site.item("post-1")
    first, second = site.picture(item), site.picture(item)
    Media.objects.create(
        item=item, position=1, added_at=clock.now(), replaced_at=clock.now()
    )
    case = site.case(item)
    decide(site, case)
    sealed(site, case, item, "original", first)
    # The same picture again, served with other bytes, does not stand for the second.
    site.seal(first, sha256="c")
    site.seal(item, sha256="c")
    operations.hand_over_due()
    assert told(item) == []
    site.seal(second)
    operations.hand_over_due()  # Without the event, too: nothing waits for ever.
    assert told(item) == ["remove"]


def test_a_removal_that_waits_too_long_is_an_alarm(site: Site) -> None:
    items = [site.item("post-1"), site.item("post-2")]
    decide(site, site.case(*items))
    raised = Event.objects.filter(
        kind=Kind.ALARM_RAISED, facts__code="removal.waiting_for_seal"
    )
    operations.hand_over_due()
    assert not raised.exists()
    with clock.shifted(timedelta(seconds=rules.REMOVAL_ALARM_AFTER_S + 1)):
        operations.hand_over_due()
        operations.hand_over_due()
    event = raised.get()
    assert event.facts["removals"] == 2
    assert event.about == {"platform": str(site.platform.id)}


def test_only_offenders_are_suspended(site: Site, network: Network) -> None:
    for name in ("offender", "shown", "peer", "unknown"):
        site.actor(name)
    case = site.case(site.item("post-1"))
    decide(
        site,
        case,
        offender=Part.OFFENDER,
        shown=Part.PERSON_SHOWN,
        peer=Part.PEER,
        unknown=Part.UNKNOWN,
    )
    suspensions = Enforcement.objects.filter(verb="suspend")
    assert [each.actor.external_id for each in suspensions if each.actor] == [
        "offender"
    ]
    assert suspensions.get().state == "confirmed"
    assert network.last_number == {"offender": 1}
    assert network.applied[0]["type"] == "actor.suspend"
    states = {name: site.platform_actor(name).state for name in ("offender", "shown")}
    assert states == {"offender": "suspended", "shown": "active"}


def test_no_violation_plans_nothing(site: Site) -> None:
    decide(site, site.case(site.item("post-1")), NO)
    assert enforced() == []
    assert not Event.objects.filter(kind=Kind.ENFORCEMENT_PLANNED).exists()


def test_every_step_may_run_twice(site: Site, network: Network) -> None:
    site.actor("joe")
    item = site.item("post-1")
    site.seal(item, "snapshot")
    event = decide(site, site.case(item), joe=Part.OFFENDER)
    confirmed = Event.objects.filter(kind=Kind.DELIVERY_CONFIRMED)
    for _ in range(2):
        operations.plan(event)
        operations.carry_out(event)
        for each in confirmed:
            operations.mark_confirmed(each)
    operations.hand_over_due()
    assert sorted(enforced()) == [("remove", "confirmed"), ("suspend", "confirmed")]
    assert Delivery.objects.count() == 2
    assert Event.objects.filter(kind=Kind.ENFORCEMENT_PLANNED).count() == 1


def test_a_later_clearance_gives_everything_back(site: Site, network: Network) -> None:
    joe = site.actor("joe")
    item, waiting = site.item("post-1"), site.item("post-2")
    site.seal(item, "snapshot")
    case = site.case(item, waiting)
    decide(site, case, joe=Part.OFFENDER)
    site.reopen(case)
    event = decide(site, case, NO)
    operations.undo_decision(event)
    operations.plan(event)
    operations.hand_over_due()
    assert {state for _, state in enforced()} == {"undone"}
    assert told(item) == ["remove", "restore"]
    assert told(waiting) == []
    assert network.numbers("post-1") == [1, 2]
    item.refresh_from_db()
    joe.refresh_from_db()
    assert (item.state, item.confirmed_state) == ("visible", "visible")
    assert joe.state == "active"
    assert network.verbs().count("reinstate") == 1
    # What waited for its original is not removed when that is sealed after all.
    sealed(site, case, waiting, "snapshot")
    assert told(waiting) == []


def test_a_late_confirmation_does_not_turn_an_undone_removal_back(
    site: Site, network: Network
) -> None:
    item = site.item("post-1")
    site.seal(item, "snapshot")
    case = site.case(item)
    network.behave = lambda _: (503, b"")
    decide(site, case)
    site.reopen(case)
    decide(site, case, NO)
    assert told(item) == ["remove", "restore"]
    network.behave = None
    with clock.shifted(timedelta(minutes=5)):
        operations.hand_over_due()
    assert enforced() == [("remove", "undone")]
    item.refresh_from_db()
    assert (item.state, item.confirmed_state) == ("visible", "visible")


def test_while_a_case_is_open_again_nothing_more_is_removed(
    site: Site, network: Network
) -> None:
    item = site.item("post-1")
    case = site.case(item)
    decide(site, case)
    site.reopen(case)
    sealed(site, case, item, "snapshot")
    operations.hand_over_due()
    assert told(item) == []
    decide(site, case)
    assert told(item) == ["remove"]
    assert sorted(state for _, state in enforced()) == ["confirmed", "undone"]


def test_a_late_copy_opens_a_case_again_and_holds_up_nothing_decided(
    site: Site, network: Network
) -> None:
    """An upload that only resembles what was decided must not shield the offender."""
    joe = site.actor("joe")
    item = site.item("post-1")
    case = site.case(item)
    network.behave = lambda _: (503, b"")
    decide(site, case, joe=Part.OFFENDER)
    case.refresh_from_db()
    site.reopen(case, because="copy")
    network.behave = None
    sealed(site, case, item, "snapshot")
    with clock.shifted(timedelta(minutes=5)):
        operations.hand_over_due()
        run_jobs()
    assert told(item) == ["remove"]
    joe.refresh_from_db()
    assert joe.state == "suspended"
    # A challenge does: then people look at everything again.
    other = site.item("post-2")
    second = site.case(other)
    decide(site, second)
    second.refresh_from_db()
    site.reopen(second)
    sealed(site, second, other, "snapshot")
    assert told(other) == []


def test_a_second_violation_removes_nothing_twice_and_frees_who_is_no_offender(
    site: Site, network: Network
) -> None:
    joe, ann = site.actor("joe"), site.actor("ann")
    item = site.item("post-1")
    site.seal(item, "snapshot")
    case = site.case(item)
    decide(site, case, joe=Part.OFFENDER, ann=Part.OFFENDER)
    site.reopen(case)
    decide(site, case, joe=Part.PEER, ann=Part.OFFENDER)
    assert told(item) == ["remove"]
    joe.refresh_from_db()
    ann.refresh_from_db()
    assert (joe.state, ann.state) == ("active", "suspended")
    assert network.numbers("joe") == [1, 2]
    assert network.numbers("ann") == [1]


def test_a_suspension_by_another_case_stands(site: Site, network: Network) -> None:
    joe = site.actor("joe")
    first, second = site.case(site.item("post-1")), site.case(site.item("post-2"))
    decide(site, first, joe=Part.OFFENDER)
    decide(site, second, joe=Part.OFFENDER)
    site.reopen(first)
    decide(site, first, NO)
    joe.refresh_from_db()
    assert joe.state == "suspended"
    site.reopen(second)
    decide(site, second, NO)
    joe.refresh_from_db()
    assert joe.state == "active"
    assert network.verbs() == ["suspend", "suspend", "reinstate"]


def join(
    site: Site, case: Case, name: str, *, covered: bool = True
) -> tuple[Item, Event | None]:
    """An item that joins a case after it was opened; the decision may cover it."""
    item = site.item(name)
    with transaction.atomic():
        CaseItem.objects.create(
            case=case,
            item=item,
            role=ItemRole.COPY,
            basis="digest",
            exact=True,
            against=Item.objects.get(external_id="post-1"),
            placed_at=clock.now(),
        )
        event = (
            emit(
                Kind.COPY_COVERED,
                about={"item": item.id, "case": case.id},
                facts={"basis": "digest"},
                by=SYSTEM,
            )
            if covered
            else None
        )
    run_jobs()
    return item, event


def test_a_late_copy_shares_the_decision(site: Site, network: Network) -> None:
    case = site.case(site.item("post-1"))
    early, _ = join(site, case, "early")
    assert enforced() == []  # Still open: the decision will cover it.
    decide(site, case)
    copy, event = join(site, case, "copy")
    assert event is not None
    operations.extend_decision(event)
    other, _ = join(site, case, "other", covered=False)
    sealed(site, case, copy, "snapshot")
    sealed(site, case, other, "snapshot")
    assert told(copy) == ["remove"]
    assert told(other) == []
    planned = Enforcement.objects.filter(decision=Decision.objects.get())
    assert planned.count() == 3
    assert planned.filter(item=early).exists()
    removal = Delivery.objects.get(item=copy)
    assert removal.enforcement is not None
    assert removal.enforcement.decision == Decision.objects.get()


def test_a_late_copy_of_what_was_cleared_is_left_alone(site: Site) -> None:
    case = site.case(site.item("post-1"))
    decide(site, case, NO)
    join(site, case, "copy")
    assert enforced() == []
