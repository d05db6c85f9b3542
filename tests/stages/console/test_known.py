"""What a bank found, on its case's page: one block, and the rest as its copies."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from PIL import ImageOps

from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.base.errors import Refused
from holdfast.base.events import Kind
from holdfast.base.models import Event
from holdfast.fingerprints.models import Fingerprint
from holdfast.items.models import Item
from holdfast.matching.bank import SignalGiven, enter, open_bank, revoke, search_back
from holdfast.matching.models import BankEntry, BankKind
from holdfast.matching.operations import look_again
from holdfast.review.queue import queue
from holdfast.signals.pdq import hamming
from holdfast.signals.sign import sign_picture
from holdfast.triage.models import Case, CaseItem
from holdfast.web.components.charts import SpreadPoint, spread_chart, spread_in_words
from tests.stages.console.desk import (
    CSAM,
    case_of,
    colleague,
    look,
    read,
    words_of,
)
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db
WHY = "The source has taken it back."


def told(kind: Kind) -> Event:
    return Event.objects.filter(kind=kind).latest("id")


def pdq_of(data: bytes) -> bytes:
    return sign_picture(data).views[0].pdq.bits


def picture(data: bytes) -> SignalGiven:
    return SignalGiven("pdq", pdq_of(data))


def bank_of(slug: str, known: SignalGiven) -> UUID:
    """A bank that knows one thing, searched back over what is registered."""
    bank = open_bank(slug, slug.title(), BankKind.IMPORTED, category=CSAM, by=SYSTEM)
    enter(bank, [known], by=SYSTEM)
    search_back(told(Kind.BANK_ENTERED))
    return bank


def taken_back(bank: UUID) -> None:
    entries = BankEntry.objects.filter(bank=bank).values_list("id", flat=True)
    revoke(list(entries), WHY, by=SYSTEM)


def found(world: World) -> tuple[UUID, Case]:
    """Four pictures and a repost that a bank knows, and nobody has reported."""
    whole = photograph()
    for name, shown, quality in (
        ("near", whole, 15),
        ("nearest", whole, 90),
        ("mirrored", ImageOps.mirror(whole), 90),
        ("border", ImageOps.expand(whole, 60, "black"), 90),
    ):
        world.post(name, encoded(shown, quality=quality), actor=name)
    world.post("again", actor="again", repost_of="near")
    bank = bank_of("listed", picture(encoded(whole, quality=92)))
    return bank, case_of(Item.objects.get(external_id="near"))


def page_of(case: Case, name: str = "Ada") -> Any:
    return colleague(name, "reviewer").get(f"/console/case/{case.number}")


def copies_of(answer: Any) -> dict[str, Any]:
    """The cards of the cluster, by the name of their item."""
    groups = answer.context["cluster"].groups
    return {each.what: each for group in groups for each in group.copies}


def test_one_block_stands_for_all_that_a_bank_knows(world: World) -> None:
    _, case = found(world)
    answer = page_of(case)
    assert answer.context["items"] == []
    assert [each.title for each in answer.context["known"]] == ["Post nearest"]
    assert answer.content.decode().count('<figure class="tile') == 1
    said = words_of(answer)
    assert "What a bank knows" in said
    assert "What was reported" not in said
    assert "Known by Listed: looks alike" in said
    assert "decided together with what a bank knows" in said
    copies = copies_of(answer)
    assert set(copies) == {"post near", "post mirrored", "post border", "post again"}
    assert copies["post mirrored"].how == ("mirrored", "known by Listed")
    assert copies["post border"].how == ("a border added or cut", "known by Listed")
    for name in ("post near", "post mirrored", "post border"):
        assert copies[name].near.split()[1].startswith("bit")
    assert copies["post again"].near == "of post near"
    assert answer.context["actors"][0]["name"] == "nearest"


def test_the_queue_counts_what_the_page_shows_as_copies(world: World) -> None:
    _, case = found(world)
    ada = colleague("Ada", "reviewer")
    [line] = queue(ada.by)
    shown = ada.get(f"/console/case/{case.number}").context["cluster"]
    assert (line.copies, line.reposts) == (3, 1)
    assert line.copies + line.reposts == shown.total
    world.report("https://plaza.example/p/near")
    [line] = queue(ada.by)
    shown = ada.get(f"/console/case/{case.number}").context["cluster"]
    assert line.copies + line.reposts == shown.total == 4


def test_the_chart_says_found_until_somebody_reports(world: World) -> None:
    _, case = found(world)
    answer = page_of(case)
    drawn = answer.content.decode().partition('class="spread-chart')[2]
    assert ">Found " in drawn
    assert ">Reported " not in drawn
    assert "Views before it was found" in words_of(answer)
    world.report("https://plaza.example/p/near")
    answer = page_of(case, "Ben")
    drawn = answer.content.decode().partition('class="spread-chart')[2]
    assert ">Reported " in drawn
    assert ">Found " not in drawn
    now = clock.now()
    points = [SpreadPoint(now, 3)]
    assert spread_in_words(points, found_at=now) == (
        "3 views before it was found, 0 since."
    )
    assert "from then until it was hidden" in spread_in_words(
        points, found_at=now, frozen_at=now
    )
    assert "the report" not in spread_chart(points * 2, found_at=now, frozen_at=now)


def test_what_a_bank_takes_back_is_said_to_be(world: World) -> None:
    bank, case = found(world)
    taken_back(bank)
    answer = page_of(case)
    assert "Known by Listed (taken back): looks alike" in words_of(answer)
    assert copies_of(answer)["post near"].how[-1] == "known by Listed (taken back)"


def test_another_bank_that_knows_it_still_is_named(world: World) -> None:
    bank, case = found(world)
    bank_of("other", picture(encoded(photograph(), quality=80)))
    taken_back(bank)
    answer = page_of(case)
    said = words_of(answer)
    assert "Known by Other: looks alike" in said
    assert "taken back" not in said.partition("What happened")[0]
    assert copies_of(answer)["post near"].how[-1] == "known by Other"


def test_reported_later_the_copies_are_measured_against_that(world: World) -> None:
    bank, case = found(world)
    world.report("https://plaza.example/p/near")
    at_once = copies_of(page_of(case, "Cleo"))["post nearest"].near
    look_again(told(Kind.REPORT_RECEIVED))
    answer = page_of(case)
    assert [each.title for each in answer.context["items"]] == ["Post near"]
    assert answer.context["known"] == []
    assert "What was reported" in words_of(answer)
    lines = {each.external_id: each for each in answer.context["page"].items}
    near = lines["near"].item_id
    others = [each for name, each in lines.items() if name != "near"]
    assert {each.against for each in others} == {near}
    copies = copies_of(answer)
    bits = hamming(*(pdq_of(encoded(photograph(), quality=each)) for each in (15, 90)))
    assert copies["post nearest"].near == f"{bits} bits" != at_once
    assert copies["post mirrored"].how[0] == "mirrored"
    taken_back(bank)
    assert copies_of(page_of(case, "Ben"))["post nearest"].near == f"{bits} bits"


def test_who_opened_one_decides_them_all_together(world: World) -> None:
    _, case = found(world)
    ada = colleague("Ada", "reviewer")
    look(case, Item.objects.get(external_id="nearest"), ada)
    read(case, ada)
    case.refresh_from_db()
    assert case.outcome == "violation"


def test_what_another_entry_knows_is_opened_too(world: World) -> None:
    """Two entries may show two things; nothing here says that these are one."""
    _, case = found(world)
    world.post("other", encoded(photograph("coffee")), actor="quay")
    bank_of("second", picture(encoded(photograph("coffee"))))
    other = Item.objects.get(external_id="other")
    CaseItem.objects.filter(item=other).update(case=case)
    ada = colleague("Ada", "reviewer")
    look(case, Item.objects.get(external_id="nearest"), ada)
    with pytest.raises(Refused, match="Open each of them"):
        read(case, ada)


def test_two_files_with_one_md5_are_opened_each(world: World) -> None:
    one = world.post("one", encoded(photograph()), actor="sunny")
    other = world.post("other", encoded(photograph("coffee")), actor="quay")
    md5 = bytes(Fingerprint.objects.get(item=one).md5)
    Fingerprint.objects.filter(item=other).update(md5=md5)
    bank_of("listed", SignalGiven("md5", md5))
    case = case_of(one)
    assert case == case_of(other)
    ada = colleague("Ada", "reviewer")
    look(case, one, ada)
    with pytest.raises(Refused, match="Open each of them"):
        read(case, ada)
