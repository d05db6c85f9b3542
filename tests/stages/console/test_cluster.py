"""The copies of a case, what is perhaps one, and how it spread, through the pages."""

from __future__ import annotations

import re
from typing import Any

import pytest

from holdfast.items.models import Item
from holdfast.items.shares import shares_of
from holdfast.matching.rules import Basis, Likeness, Variant
from holdfast.review.queue import queue
from holdfast.triage.doubts import confirm_copy
from holdfast.triage.models import CaseItem
from holdfast.web.console import case_view, cluster, words
from tests.stages.console.desk import (
    case_of,
    colleague,
    look,
    read,
    reported,
    scattered,
    words_of,
)
from tests.stages.matching.test_videos import clip, scenes
from tests.stages.matching.test_videos import post as post_video
from tests.world import encoded, photograph

pytestmark = pytest.mark.django_db


def state(item: Item) -> str:
    return Item.objects.get(id=item.id).state


def page_of(answer: Any) -> str:
    return str(answer.content.decode())


def named(name: str) -> Item:
    return Item.objects.get(external_id=name)


def settle(who: Any, case: Any, item: Item, same: str) -> Any:
    """Say what a doubt is, and look at the page that follows."""
    answer = who.post(f"/console/case/{case.number}/copy/{item.id}", same=same)
    return who.get(answer["Location"]) if answer.status_code == 302 else answer


def test_copies_stand_in_groups_by_what_binds_them(world: Any) -> None:
    _, case = scattered(world)
    ada = colleague("Ada", "reviewer")
    answer = ada.get(f"/console/case/{case.number}")
    shown = answer.context["cluster"]
    groups = {group.code: group for group in shown.groups}
    assert {code: group.total for code, group in groups.items()} == {
        "digest": 1,
        "pdq": 1,
        "turned": 3,
        "video": 1,
        "features": 1,
        "repost": 1,
    }
    assert list(groups) == list(words.BINDS), "The surest first."
    assert (shown.total, shown.first, shown.last) == (8, 1, 8)
    assert groups["digest"].copies[0].near == "same bytes"
    how = {each.id: each.how for each in groups["turned"].copies}
    assert how[str(named("mirrored").id)] == ("mirrored",)
    assert how[str(named("turned").id)] == ("turned by 90° to the left",)
    assert how[str(named("border").id)] == ("a border added or cut",)
    bits = [int(each.near.split()[0]) for each in groups["turned"].copies]
    assert bits == sorted(bits)
    assert groups["video"].copies[0].how[-1] == "at 0:02 of the video"
    assert groups["features"].copies[0].near == "62 % of it"
    assert groups["repost"].copies[0].near == "of post near"
    said = words_of(answer)
    assert "All of these are decided together with what was reported." in said
    assert "@harbour9" in said


def test_every_copy_says_which_one_it_is(world: Any) -> None:
    data = encoded(photograph())
    _, case = reported(world)
    for name, actor in (("c1", "harbour9"), ("c2", "harbour9"), ("c3", "")):
        world.post(name, data, actor=actor)
    answer = colleague("Ada", "reviewer").get(f"/console/case/{case.number}")
    [group] = answer.context["cluster"].groups
    assert [(each.where, each.what) for each in group.copies] == [
        ("harbour9", "post c1"),
        ("harbour9", "post c2"),
        ("Post c3", ""),
    ]
    links = re.findall(r'class="copy-where".*?<a [^>]*>(.*?)</a>', page_of(answer))
    assert len({re.sub("<[^>]+>", "", each) for each in links}) == 3


def test_the_group_is_that_of_the_likeness() -> None:
    for like, code in (
        (Likeness(Basis.PDQ, distance_bits=4), "pdq"),
        (Likeness(Basis.PDQ, distance_bits=4, trimmed=True), "turned"),
        (Likeness(Basis.PDQ, distance_bits=4, variant=Variant.MIRRORED), "turned"),
        (Likeness(Basis.PDQ, distance_bits=4, trimmed=True, at_ms=0), "video"),
        (Likeness(Basis.VIDEO, share_percent=40), "video"),
        (Likeness(Basis.PDQ, distance_bits=4).of_repost(), "repost"),
    ):
        assert words.binds(like) == code
    assert set(words.VARIANTS) == set(Variant) - {Variant.AS_IS}
    assert {words.binds(Likeness(basis)) for basis in Basis} <= set(words.BINDS)


def test_a_large_cluster_is_turned_over_page_by_page(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "COPIES_SHOWN", 3)
    _, case = scattered(world)
    ada = colleague("Ada", "reviewer")
    page = f"/console/case/{case.number}"
    seen: list[str] = []
    url, pages = page, 0
    while url:
        shown = ada.get(url).context["cluster"]
        seen += [each.id for group in shown.groups for each in group.copies]
        url, pages = shown.next_url.partition("#")[0], pages + 1
    assert pages == 3
    assert len(seen) == len(set(seen)) == shown.total == 8
    assert shown.previous_url.startswith(f"{page}?copies=2#")
    # Each group is found from the first page, wherever it begins.
    for group in shown.groups:
        there = ada.get(group.url.partition("#")[0])
        assert f'id="copies-{group.code}"' in there.content.decode()
    for odd in ("99", "0", "-1", "x", "²", "9" * 5000):
        assert ada.get(page, copies=odd).status_code == 200


def test_a_doubt_stands_apart_and_counts_for_nothing(world: Any) -> None:
    item, case = scattered(world)
    ada = colleague("Ada", "reviewer")
    answer = ada.get(f"/console/case/{case.number}")
    first, second = answer.context["doubts"]
    assert first.like == "video, 22 % of it, at 1:07 of the video"
    assert first.what == "Post doubt2, perhaps a copy of post p1"
    assert second.like == "a crop or an edit, 31 % of it"
    assert first.where == "@quay"
    said = words_of(answer)
    assert "Perhaps copies 2" in said
    assert "Not hidden until somebody says so." in said
    copies = {
        each.id for group in answer.context["cluster"].groups for each in group.copies
    }
    assert not copies & {first.id, second.id}
    assert "post doubt" not in {step.what for step in answer.context["steps"]}
    [line] = queue(ada.by)
    assert (line.copies, line.reposts, line.doubts, line.items) == (7, 1, 2, 9)
    assert "8 2 in doubt" in words_of(ada.get("/console/"))
    assert state(item) == "frozen"


def test_said_to_be_a_copy_it_is_frozen_and_joins_the_cluster(world: Any) -> None:
    _, case = scattered(world)
    ada, doubt = colleague("Ada", "reviewer"), named("doubt")
    answer = settle(ada, case, doubt, "yes")
    assert "It is a copy, and is decided with the rest." in words_of(answer)
    assert state(doubt) == "frozen"
    groups = {each.code: each for each in answer.context["cluster"].groups}
    assert str(doubt.id) in {each.id for each in groups["features"].copies}
    assert [each.id for each in answer.context["doubts"]] == [str(named("doubt2").id)]


def test_said_to_be_none_it_leaves(world: Any) -> None:
    _, case = scattered(world)
    ada, doubt = colleague("Ada", "reviewer"), named("doubt")
    answer = settle(ada, case, doubt, "no")
    assert "It is no copy." in words_of(answer)
    assert state(doubt) == "visible"
    assert not CaseItem.objects.filter(item=doubt).exists()


def test_what_somebody_else_said_stands_and_is_told(world: Any) -> None:
    _, case = scattered(world)
    ada, ben = colleague("Ada", "reviewer"), colleague("Ben", "specialist")
    doubt, other = named("doubt"), named("doubt2")
    settle(ada, case, doubt, "no")
    late = words_of(settle(ben, case, doubt, "yes"))
    assert "Ada has said already: It is no copy." in late
    assert state(doubt) == "visible"
    settle(ben, case, other, "yes")
    assert "Ben has said already: It is a copy" in words_of(
        settle(ada, case, other, "no")
    )
    assert state(other) == "frozen"


def test_settling_takes_the_right_a_word_and_a_doubt(world: Any) -> None:
    item, case = scattered(world)
    ada, doubt = colleague("Ada", "reviewer"), named("doubt")
    lex = colleague("Lex", "auditor")
    assert settle(lex, case, doubt, "yes").status_code == 403
    assert b"/copy/" not in lex.get(f"/console/case/{case.number}").content
    assert settle(ada, case, doubt, "perhaps").status_code == 422
    # What was reported is no doubt, nor is what stands in another case.
    assert settle(ada, case, item, "no").status_code == 404
    address = f"/console/case/{case.number}/copy/{doubt.id}"
    assert ada.client.post(address, {"same": "yes"}).status_code == 403, "No token."
    assert ada.get(address).status_code == 405
    assert state(doubt) == "visible"
    assert not CaseItem.objects.get(item=doubt).certain


def test_a_doubt_of_videos_from_upload_to_word(world: Any) -> None:
    """Nothing here is put in by hand: three seconds of a longer clip."""
    ours = scenes("astronaut")
    item = post_video(world, "v1", clip(ours[:1], seconds_each=3))
    longer = clip([*scenes("coffee", 4), ours[0]], seconds_each=3)
    copy = post_video(world, "v2", longer)
    world.report("https://plaza.example/p/v1")
    ada = colleague("Ada", "reviewer")
    case = case_of(item)
    [doubt] = ada.get(f"/console/case/{case.number}").context["doubts"]
    assert doubt.id == str(copy.id)
    assert doubt.like.startswith("video")
    settle(ada, case, copy, "yes")
    assert state(copy) == "frozen"


def test_after_the_decision_a_doubt_can_still_be_settled(world: Any) -> None:
    item, case = scattered(world)
    ada = colleague("Ada", "reviewer")
    look(case, item, ada)
    read(case, ada)
    warned = "opens this decided case again"
    assert warned in words_of(ada.get(f"/console/case/{case.number}"))
    answer = settle(ada, case, named("doubt"), "yes")
    assert answer.context["page"].state == "open"
    assert warned not in words_of(answer)


def test_who_spread_it_and_when_is_told_in_a_table(world: Any) -> None:
    item, case = scattered(world)
    ada = colleague("Ada", "reviewer")
    answer = ada.get(f"/console/case/{case.number}")
    steps = answer.context["steps"]
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert steps[0].what == "post p1, reported"
    assert {step.kind for step in steps} == {"upload", "repost", "share"}
    views = {step.what: step.views for step in steps}
    assert views["post p1, reported"] == 151 * 40
    assert views["post turned, a copy"] is None, "The platform told no number."
    shares = shares_of([item.id], by=ada.by)
    assert len(shares) == sum(step.kind == "share" for step in steps) == 10
    said = words_of(answer)
    assert "8 uploads, 1 repost, 10 shares by 5 accounts." in said
    assert "nobody known" in said
    assert "share of post p1" in said
    assert answer.content.decode().count('class="step"') >= 12


def test_a_case_without_views_still_shows_who_put_it_there(world: Any) -> None:
    _, case = reported(world)
    said = words_of(colleague("Ada", "reviewer").get(f"/console/case/{case.number}"))
    assert "1 upload by 1 account. No views have been counted yet." in said


def test_nothing_is_in_doubt_where_nothing_is(world: Any) -> None:
    item, case = reported(world)
    world.post("c1", encoded(photograph()))
    ada = colleague("Ada", "reviewer")
    assert "Perhaps copies" not in words_of(ada.get(f"/console/case/{case.number}"))
    with pytest.raises(Exception, match="no possible copy"):
        confirm_copy(case.id, item.id, by=ada.by)


def test_of_many_accounts_the_page_shows_some_and_says_how_many_more(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those behind what was reported, then those that stood in cases before."""
    monkeypatch.setattr(case_view, "ACTORS_SHOWN", 3)
    world.post("other", encoded(photograph("coffee")), actor="again")
    world.report("https://plaza.example/p/other")
    data = encoded(photograph())
    for number in range(4):
        world.post(f"c{number}", data, actor=f"account-{number}")
    world.post("c4", data, actor="again")
    _, case = reported(world)
    answer = colleague("Ada", "reviewer").get(f"/console/case/{case.number}")
    names = [actor["name"] for actor in answer.context["actors"]]
    assert names[:2] == ["poster", "again"]
    assert len(names) == 3
    assert "and 3 more" in words_of(answer)
