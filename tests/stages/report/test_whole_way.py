"""From the report to what follows a decision, with the real flow and the real jobs.

Each test here is a failure that was found by trying to break the wired product: the
stages were right by themselves.
"""

from __future__ import annotations

import threading
from itertools import count
from uuid import UUID

import pytest
from django.db import connection

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.errors import Refused
from holdfast.base.jobs import drain
from holdfast.enforcement.confirming import confirm_delivery
from holdfast.enforcement.models import Delivery
from holdfast.fingerprints.models import Fingerprint
from holdfast.intake.models import Report
from holdfast.intake.operations import locate_late
from holdfast.items.models import Actor, Item, Media, MediaState
from holdfast.items.operations import ItemGiven, MediaGiven, put_item
from holdfast.items.queries import families_of, family
from holdfast.notifications.models import Notification
from holdfast.policy.operations import adopt_policy
from holdfast.review import claims, readings
from holdfast.review import operations as review
from holdfast.review.challenges import challenge
from holdfast.staff.models import Person
from holdfast.staff.queries import by_of
from holdfast.triage.models import Case
from tests.world import PLATFORM_BY, POLICY, World, encoded, photograph

pytestmark = pytest.mark.django_db(transaction=True)
FOLLOWER = By("public", "portal", frozenset({Permission.REPORT_FOLLOW}))
REASON = "Written after looking at it."
_numbers = count(1)


def address(name: str) -> str:
    return f"https://plaza.example/p/{name}"


def state(item: Item) -> str:
    return Item.objects.get(id=item.id).state


def living_case() -> Case:
    return Case.objects.exclude(state="merged").get()


def specialist() -> By:
    person = Person.objects.create(
        email=f"whole-way-{next(_numbers)}@example.org",
        name="Colleague",
        roles=["reviewer", "specialist"],
        totp_secret="set up",
        added_at=clock.now(),
    )
    return by_of(person.id)


def look(case: Case, by: By, *items: Item) -> None:
    claims.claim(case_id=case.id, by=by)
    for item in items:
        media = Media.objects.filter(item=item, replaced_at=None).first()
        review.reveal(
            case_id=case.id,
            item_id=item.id,
            media_id=media.id if media else None,
            reason=REASON,
            by=by,
        )


def read(case: Case, outcome: str, by: By, **parts: str) -> None:
    violates = outcome == "violation"
    named: dict[UUID | str, str] = {
        Actor.objects.get(external_id=name).id: part for name, part in parts.items()
    }
    readings.record_reading(
        case_id=case.id,
        outcome=outcome,
        category=case.category,
        ground="child_sexual_abuse_illegal" if violates else "",
        reason=REASON,
        parts=named,
        refer=violates,
        why_not_refer="" if violates else "There is nothing to refer.",
        by=by,
    )


def violate(case: Case, item: Item, **parts: str) -> None:
    by = specialist()
    look(case, by, item)
    read(case, "violation", by, **parts)
    drain()


def clear(case: Case, *items: Item) -> None:
    for by in (specialist(), specialist()):
        look(case, by, *items)
        read(case, "no_violation", by)
    drain()


def messages() -> set[str]:
    return set(Notification.objects.values_list("template", flat=True))


@pytest.mark.parametrize("how", ["the same bytes", "a repost"])
def test_what_a_decision_covers_is_removed_without_another(
    world: World, how: str
) -> None:
    first = world.post("1", encoded(photograph()))
    world.report(address("1"))
    drain()
    violate(Case.objects.get(), first)
    if how == "a repost":
        late = world.post("2", repost_of="1", actor="fan")
    else:
        late = world.post("2", encoded(photograph()), actor="fan")
    drain()
    assert (state(first), state(late)) == ("removed", "removed")
    assert Case.objects.get().state == "decided"
    # A decision about somebody else's item says nothing about this account.
    assert Actor.objects.get(external_id="fan").state == "active"


def test_what_was_put_in_after_a_clearance_is_frozen_by_any_report(
    world: World,
) -> None:
    item = world.post("1", encoded(photograph()))
    world.report(address("1"))
    drain()
    clear(Case.objects.get(), item)
    assert state(item) == "visible"
    world.post("1", encoded(photograph("coffee")))
    drain()
    world.report(address("1"))
    assert state(item) == "frozen"


def test_words_changed_after_a_clearance_are_frozen_by_any_report(
    world: World,
) -> None:
    item = world.post("1", text="harmless")
    world.report(address("1"))
    clear(Case.objects.get(), item)
    world.post("1", text="something else")
    world.report(address("1"))
    assert state(item) == "frozen"


def test_a_cleared_picture_does_not_clear_the_unknown_one_beside_it(
    world: World,
) -> None:
    item = world.post("1", encoded(photograph()))
    world.report(address("1"))
    drain()
    clear(Case.objects.get(), item)
    both = world.post("2", encoded(photograph()), encoded(photograph("coffee")))
    waiting = Media.objects.get(item=both, position=1)
    # As in the moment in which the first is fingerprinted and the second is not.
    Fingerprint.objects.filter(media=waiting).delete()
    Media.objects.filter(id=waiting.id).update(state=MediaState.WAITING)
    world.report(address("2"))
    assert state(both) == "frozen"


@pytest.mark.parametrize("outcome", ["violation", "no_violation"])
def test_a_report_that_shows_nothing_can_be_decided_and_nobody_says_they_saw_it(
    world: World, outcome: str
) -> None:
    world.report(address("nobody-knows"))
    case = Case.objects.get()
    for by in (specialist(), specialist()):
        case.refresh_from_db()
        if case.state == "open":
            claims.claim(case_id=case.id, by=by)
            read(case, outcome, by)
    case.refresh_from_db()
    assert case.state == "decided"
    assert messages() == {f"{outcome}_unseen"}


@pytest.mark.parametrize("outcome", ["violation", "no_violation"])
def test_a_file_that_cannot_be_shown_can_be_decided(world: World, outcome: str) -> None:
    item = world.post("1", b"no picture at all")
    world.report(address("1"))
    drain()
    (violate if outcome == "violation" else clear)(Case.objects.get(), item)
    assert messages() == {f"{outcome}_unseen"}


def merge(world: World) -> None:
    """One post shows the pictures of two cases: they turn out to be one."""
    world.post("3", encoded(photograph()), encoded(photograph("coffee")), actor="third")
    world.report(address("3"))
    drain()


def two_cases(world: World) -> tuple[Item, Item]:
    items = (
        world.post("1", encoded(photograph()), actor="author"),
        world.post("2", encoded(photograph("coffee")), actor="other"),
    )
    world.report(address("1"))
    world.report(address("2"))
    drain()
    return items


def test_what_was_opened_before_a_merge_was_opened(world: World) -> None:
    items = two_cases(world)
    by = specialist()
    for item in items:
        look(Case.objects.get(items__item=item), by, item)
    merge(world)
    read(living_case(), "violation", by)
    assert messages() == {"violation"}


def test_nobody_decides_about_the_half_of_a_merged_case_that_they_opened(
    world: World,
) -> None:
    items = two_cases(world)
    by = specialist()
    merge(world)
    look(living_case(), by, items[0])
    for outcome in ("violation", "no_violation"):
        with pytest.raises(Refused, match="Open each"):
            read(living_case(), outcome, by)
    look(living_case(), by, items[1])
    read(living_case(), "violation", by)
    assert living_case().state == "decided"


def test_a_reading_before_a_merge_says_nothing_about_what_came_in(
    world: World,
) -> None:
    items = two_cases(world)
    early = specialist()
    case = Case.objects.get(items__item=items[0])
    look(case, early, items[0])
    read(case, "no_violation", early)
    merge(world)
    assert living_case().id == case.id
    by = specialist()
    look(living_case(), by, *items)
    read(living_case(), "no_violation", by)
    assert living_case().state == "open"
    assert state(items[1]) == "frozen"


@pytest.mark.parametrize("first", ["the challenge", "another report", "a merge"])
def test_who_touched_a_challenged_case_before_is_barred(
    world: World, first: str
) -> None:
    if first == "a merge":
        world.post("2", encoded(photograph("coffee")), actor="other")
        world.report(address("2"))
    item = world.post("1", encoded(photograph()))
    report = world.report(address("1"))
    drain()
    case = Case.objects.get(items__item=item)
    readers = [specialist(), specialist()]
    for by in readers:
        look(case, by, item)
        read(case, "no_violation", by)
    if first == "another report":
        world.report(address("1"))
    challenge(report.report_id, by=FOLLOWER)
    if first == "a merge":
        merge(world)
        assert living_case().id != case.id
    for by in readers:
        with pytest.raises(Refused, match="has not touched"):
            claims.claim(case_id=living_case().id, by=by)
    claims.claim(case_id=living_case().id, by=specialist())


def test_what_could_not_be_fetched_was_not_seen(world: World) -> None:
    item = world.post("1", encoded(photograph()))
    Fingerprint.objects.filter(item=item).delete()
    Media.objects.filter(item=item).update(state=MediaState.WAITING)
    world.report(address("1"))
    by = specialist()
    look(Case.objects.get(), by, item)
    read(Case.objects.get(), "violation", by)
    assert messages() == {"violation_unseen"}


def test_a_reversal_takes_back_what_a_merged_case_had_done(world: World) -> None:
    first = world.post("1", encoded(photograph()), actor="author")
    world.report(address("1"))
    drain()
    violate(Case.objects.get(), first, author="offender")
    assert Actor.objects.get(external_id="author").state == "suspended"
    second = world.post("2", encoded(photograph("coffee")), actor="other")
    world.report(address("2"))
    merge(world)
    clear(living_case(), first, second)
    assert state(first) == "visible"
    assert Actor.objects.get(external_id="author").state == "active"
    told = Delivery.objects.filter(item=first).order_by("-number")
    assert told[0].verb == "restore"


def test_a_lesser_report_does_not_keep_what_freezes_from_freezing(
    world: World,
) -> None:
    item = world.post("1", encoded(photograph()))
    world.report(address("1"), category="copyright")
    assert state(item) == "visible"
    world.report(address("1"), category="intimate_image")
    assert state(item) == "frozen"


def test_a_report_is_taken_when_the_policy_no_longer_has_the_cases_category(
    world: World,
) -> None:
    item = world.post("1", encoded(photograph()))
    world.report(address("1"), category="child_other")
    text = POLICY.read_text().replace("2026-11", "later").replace("child_other", "new")
    adopt_policy(text, by=SYSTEM)
    world.report(address("1"))
    late = world.post("2", encoded(photograph()))
    drain()
    assert (state(item), state(late)) == ("frozen", "frozen")


def test_reposts_of_reposts_of_a_late_copy_are_frozen_with_it(world: World) -> None:
    world.post("1", encoded(photograph()))
    world.report(address("1"))
    drain()
    given = ItemGiven(
        kind="post",
        posted_at=clock.now(),
        media=[MediaGiven(data=encoded(photograph()))],
    )
    copy = put_item(world.platform_id, "2", given, by=PLATFORM_BY)
    repost = world.post("3", repost_of="2")
    deeper = world.post("4", repost_of="3")
    drain()
    assert Item.objects.get(id=copy.id).state == "frozen"
    assert (state(repost), state(deeper)) == ("frozen", "frozen")


def test_reposts_that_lead_back_to_themselves_do_not_hold_a_report_up(
    world: World,
) -> None:
    items = [world.post(name, text=name) for name in "123"]
    world.post("1", text="1", repost_of="3")
    world.post("2", text="2", repost_of="1")
    world.post("3", text="3", repost_of="2")
    world.report(address("1"))
    assert {state(item) for item in items} == {"frozen"}
    ids = {item.id for item in items}
    assert family(items[1].id) == ids
    assert all(ids == each for each in families_of(ids).values())


def test_what_is_reported_before_it_is_registered_is_found_afterwards(
    world: World,
) -> None:
    world.report(items=("by-id",))
    Report.objects.update(channel="api")
    world.report(address("by-address"))
    drain()
    by_id = world.post("by-id", encoded(photograph()))
    by_address = world.post("by-address", encoded(photograph("coffee")))
    locate_late()
    locate_late()
    assert (state(by_id), state(by_address)) == ("frozen", "frozen")
    assert Case.objects.filter(state="open").count() == 2


def test_what_a_person_describes_is_not_taken_for_an_id(world: World) -> None:
    item = world.post("123", text="harmless")
    world.report(words="123")
    locate_late()
    assert state(item) == "visible"


def test_arguments_that_say_what_is_shown_tell_items_apart(world: World) -> None:
    for name in "12":
        given = ItemGiven(
            kind="post",
            posted_at=clock.now(),
            url=f"https://plaza.example/view?t={name}",
        )
        put_item(world.platform_id, name, given, by=PLATFORM_BY)
    world.report("https://m.plaza.example/view?utm_source=x&t=1")
    states = Item.objects.order_by("external_id").values_list("state", flat=True)
    assert list(states) == ["frozen", "visible"]


def test_nobody_is_told_that_people_will_decide_when_they_have(world: World) -> None:
    item = world.post("1", encoded(photograph()))
    world.report(address("1"))
    drain()
    violate(Case.objects.get(), item)
    freeze = Delivery.objects.get(item=item, verb="freeze")
    confirm_delivery(freeze.id, by=SYSTEM)
    assert messages() == {"violation"}


def test_reports_of_the_same_items_in_any_order_wait_and_none_is_lost(
    world: World,
) -> None:
    for name, picture in (("1", "astronaut"), ("2", "coffee"), ("3", "chelsea")):
        world.post(name, encoded(photograph(picture)))
    errors: list[Exception] = []
    ready = threading.Barrier(6)

    def report(number: int) -> None:
        names = ["1", "2", "3"] if number % 2 else ["3", "2", "1"]
        try:
            for _ in range(4):
                ready.wait(20)
                world.report(*[address(name) for name in names])
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=report, args=(each,)) for each in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert Report.objects.count() == 24
    assert Case.objects.filter(state="open").count() == 3


def test_where_reports_freeze_nothing_a_decision_does(world: World) -> None:
    """Found by people in a category that freezes nothing: hidden, sealed, removed."""
    first = world.post("1", encoded(photograph()))
    copy = world.post("2", encoded(photograph().resize((200, 200))), actor="fan")
    world.report(address("1"), category="harassment")
    drain()
    assert state(first) == "visible"
    case = Case.objects.get()
    by = specialist()
    look(case, by, first)
    readings.record_reading(
        case_id=case.id,
        outcome="violation",
        category="harassment",
        ground="harassment_terms",
        reason=REASON,
        parts={Actor.objects.get(external_id="poster").id: "offender"},
        refer=False,
        why_not_refer="This is no matter for an authority.",
        by=by,
    )
    drain()
    assert (state(first), state(copy)) == ("removed", "removed")
    late = world.post("3", encoded(photograph()), actor="other")
    drain()
    assert state(late) == "removed"
