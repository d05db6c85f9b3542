"""Promises 1 and 2: a report freezes in the transaction that stores it."""

from __future__ import annotations

import pytest

from holdfast.base.by import SYSTEM
from holdfast.base.errors import InvalidInput, Refused
from holdfast.freeze.models import Freeze
from holdfast.freeze.operations import thaw
from holdfast.items.models import Item, ItemState
from holdfast.notifications.queries import receipt_of, status_of
from holdfast.triage.models import Case, CaseItem, CaseTarget, Deadline
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db


def states(*items: Item) -> set[str]:
    return set(
        Item.objects.filter(id__in=[each.id for each in items]).values_list(
            "state", flat=True
        )
    )


def test_item_reposts_and_copies_are_frozen_with_the_report(world: World) -> None:
    picture = photograph()
    reported = world.post("1", encoded(picture))
    repost = world.post("2", repost_of="1", actor="fan")
    same = world.post("3", encoded(picture), actor="other")
    small = world.post("4", encoded(picture.resize((200, 200)), quality=40))
    repost_of_copy = world.post("5", repost_of="4")
    other = world.post("6", encoded(photograph("coffee")))

    received = world.report("https://plaza.example/p/1", wants_codename=True)

    assert states(reported, repost, same, small, repost_of_copy) == {ItemState.FROZEN}
    assert states(other) == {ItemState.VISIBLE}
    case = Case.objects.get()
    assert case.urgency == "immediate"
    assert case.items.count() == 5
    assert Deadline.objects.filter(case=case, code="decision").exists()
    receipt = receipt_of(received.report_id)
    assert receipt["frozen"] == ["1", "2", "3", "4", "5"]
    told = "We have told Plaza to hide this and 4 copies that everybody could see."
    assert told in receipt["words"]
    assert received.codename
    assert len(received.codename.split()) == 5
    assert status_of(received.report_id).told_to_hide == 5


@pytest.mark.parametrize("private", [0, 2])
def test_copies_that_stand_in_private_are_hidden_and_not_told(
    world: World, private: int
) -> None:
    """Anybody can post somebody's picture themself, report it, and count."""
    picture = photograph()
    world.post("mine", encoded(picture))
    world.post("other's", encoded(picture, quality=60))
    for number in range(private):
        world.post(f"m{number}", encoded(picture, quality=70 + number), kind="message")
    received = world.report("https://plaza.example/p/mine")
    assert Item.objects.filter(state=ItemState.FROZEN).count() == 2 + private
    receipt = receipt_of(received.report_id)
    assert receipt["words"] == (
        "We have told Plaza to hide this and 1 copy that everybody could see. "
        "You do not have to do anything more."
    )
    assert status_of(received.report_id).told_to_hide == 2
    later = receipt_of(world.report("https://plaza.example/p/mine").report_id)
    assert later["words"].startswith("2 posts are already kept from view. You")
    # The platform itself is told which they are.
    assert len(receipt["frozen"]) == len(later["already_frozen"]) == 2 + private


def test_what_somebody_reports_in_private_themself_is_told(world: World) -> None:
    picture = photograph()
    message = world.post("m1", encoded(picture), kind="message")
    world.post("m2", encoded(picture, quality=60), kind="message")
    received = world.report(items=("m1",))
    assert states(message) == {ItemState.FROZEN}
    words = receipt_of(received.report_id)["words"]
    assert words.startswith("We have told Plaza to hide this. ")
    # Nor is a private copy counted later, or to whoever reports after that.
    again = world.report(items=("m1",))
    assert receipt_of(again.report_id)["words"].startswith("1 post is already kept")
    Item.objects.update(confirmed_state=ItemState.FROZEN)
    for each in (received, again):
        told = status_of(each.report_id)
        assert (told.told_to_hide, told.confirmed_hidden) == (1, 1)


def test_of_several_reported_posts_each_is_counted(world: World) -> None:
    for number in range(3):
        world.post(str(number), text=f"post {number}")
    urls = [f"https://plaza.example/p/{number}" for number in range(3)]
    words = receipt_of(world.report(*urls).report_id)["words"]
    assert words.startswith("We have told Plaza to hide 3 posts that you told us of.")


def test_a_later_upload_of_a_frozen_picture_is_born_frozen(world: World) -> None:
    picture = photograph()
    world.post("1", encoded(picture))
    world.report("https://plaza.example/p/1")
    late = world.post("2", encoded(picture, quality=50), actor="other")
    assert states(late) == {ItemState.FROZEN}
    assert CaseItem.objects.get(item=late).case == Case.objects.get()


def test_every_form_of_an_address_finds_the_item(world: World) -> None:
    item = world.post("abc", encoded(photograph()))
    for url in (
        "plaza.example/p/abc/",
        "http://m.plaza.example/p/abc?utm_source=x",
        "https://PLAZA.example/s/abc#top",
    ):
        world.report(url)
    assert states(item) == {ItemState.FROZEN}
    assert Case.objects.count() == 1
    assert CaseTarget.objects.count() == 3


def test_an_unknown_address_is_kept_and_goes_to_a_person(world: World) -> None:
    received = world.report("https://plaza.example/p/nobody-knows")
    case = Case.objects.get()
    assert case.state == "open"
    assert case.deadlines.filter(met_at=None).exists()
    assert "not found the post by ourselves" in receipt_of(received.report_id)["words"]


def test_a_category_that_does_not_freeze_only_opens_a_case(world: World) -> None:
    item = world.post("1", encoded(photograph()))
    world.report("https://plaza.example/p/1", category="copyright")
    assert states(item) == {ItemState.VISIBLE}
    world.report("https://plaza.example/p/1")
    assert states(item) == {ItemState.FROZEN}
    assert Case.objects.get().child_safety


def test_counts_do_not_move_the_queue(world: World) -> None:
    world.post("1", text="one")
    world.post("2", text="two")
    for _ in range(30):
        world.report("https://plaza.example/p/1", category="hate")
    world.report("https://plaza.example/p/2", category="hate")
    assert set(Case.objects.values_list("urgency", flat=True)) == {"standard"}


def test_two_cases_that_turn_out_to_be_one_are_merged(world: World) -> None:
    picture = photograph()
    world.post("1", text="no picture yet")
    world.post("2", encoded(picture))
    first = world.report("https://plaza.example/p/1")
    second = world.report("https://plaza.example/p/2")
    assert Case.objects.filter(state="open").count() == 2
    world.post("1", encoded(picture), text="no picture yet")
    living = Case.objects.get(state="open")
    merged = Case.objects.get(state="merged")
    assert merged.merged_into == living
    assert living.targets.count() == 2
    assert status_of(first.report_id).told_to_hide == 2
    assert status_of(second.report_id).told_to_hide == 2


def test_a_broken_picture_is_refused_with_a_reason_and_the_report_stands(
    world: World,
) -> None:
    broken = world.post("1", encoded(photograph())[:2000])
    assert broken.media.get().refusal == "truncated"
    world.report("https://plaza.example/p/1")
    assert states(broken) == {ItemState.FROZEN}
    same_bytes = world.post("2", encoded(photograph())[:2000])
    assert states(same_bytes) == {ItemState.FROZEN}


def test_a_child_safety_freeze_is_not_thawed_by_one_person(world: World) -> None:
    item = world.post("1", encoded(photograph()))
    world.report("https://plaza.example/p/1")
    with pytest.raises(Refused):
        thaw(item.id, "I think this is all right.", by=SYSTEM)
    with pytest.raises(InvalidInput):
        thaw(item.id, "no", by=SYSTEM)
    assert Freeze.objects.get().thawed_at is None


def test_bad_reports_are_refused_clearly_and_leave_nothing(world: World) -> None:
    with pytest.raises(InvalidInput, match="no category of that code"):
        world.report("https://plaza.example/p/1", category="nonsense")
    with pytest.raises(InvalidInput, match="Say where it is or what it is"):
        world.report()
    assert not Case.objects.exists()


def test_a_repost_of_a_frozen_item_is_born_frozen(world: World) -> None:
    world.post("1", encoded(photograph()))
    world.report("https://plaza.example/p/1")
    late = world.post("2", repost_of="1", actor="fan")
    later = world.post("3", repost_of="2", actor="other")
    assert states(late, later) == {ItemState.FROZEN}
