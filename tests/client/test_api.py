"""The client says what the contract wants to hear, and reads what it answers."""

from __future__ import annotations

import ast
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import holdfast.client
from holdfast.client import (
    Actor,
    ActorState,
    File,
    Holdfast,
    Item,
    ItemState,
    Legal,
    MediaUrl,
    Placement,
    Receipt,
    Refused,
    Share,
    Spooled,
    Target,
    Unreachable,
    Views,
)
from tests.client.conftest import until
from tests.client.contract import KEY, Contract, problem

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_an_actor_and_an_item_with_pictures_arrive_whole(
    contract: Contract, client: Holdfast
) -> None:
    actor = Actor("a/1 ü", screen_name="ann", created_at=NOW)
    assert client.put_actor(actor) == ActorState("a/1 ü", "active")
    assert contract.actors["a/1 ü"] == {
        "screen_name": "ann",
        "created_at": "2026-01-02T03:04:05+00:00",
    }

    item = Item("p 1", "post", NOW, actor="a/1 ü", text="Hallo")
    pictures = [
        File(b"\x00\r\n--one", "image/jpeg", 'a "b".jpg'),
        File(b"2", "image/png"),
    ]
    state = client.put_item(item, pictures)
    assert isinstance(state, ItemState)
    assert (state.id, state.state) == ("p 1", "visible")
    assert contract.items["p 1"]["text"] == "Hallo"
    assert len(contract.media["p 1"]) == 2
    assert all(len(each.key) == 32 for each in contract.requests)


def test_a_copy_of_something_frozen_is_born_frozen(
    contract: Contract, client: Holdfast
) -> None:
    client.put_item(Item("p1", "post", NOW), [File(b"same", "image/png")])
    receipt = client.report(Target(item="p1"), "child_other", claims=["parent"])
    assert isinstance(receipt, Receipt)
    assert (receipt.frozen, receipt.codename) == (["p1"], "amber river seven")
    assert receipt.clocks[0].label == "People decide"
    copy = client.put_item(Item("p2", "post", NOW), [File(b"same", "image/png")])
    assert isinstance(copy, ItemState)
    assert copy.state == "frozen"
    assert client.item_state("p1").advertising_hold


def test_a_report_says_all_it_was_given_and_nothing_else(
    contract: Contract, client: Holdfast
) -> None:
    client.report(
        [Target(url="https://m.plaza.example/p/1"), Target(actor="a1")],
        "child_other",
        words="Bitte",
        language="de",
        reporter="a2",
        claims=("shown",),
        police_number="7",
        wants_codename=False,
    )
    assert contract.reports == [
        {
            "targets": [{"url": "https://m.plaza.example/p/1"}, {"actor": "a1"}],
            "category": "child_other",
            "words": "Bitte",
            "language": "de",
            "reporter": "a2",
            "claims": ["shown"],
            "police_number": "7",
            "wants_codename": False,
        }
    ]


def test_the_same_key_is_the_same_report(contract: Contract, client: Holdfast) -> None:
    first = client.report(Target(item="x"), "child_other", key="k" * 32)
    again = client.report(Target(item="x"), "child_other", key="k" * 32)
    assert first == again
    assert len(contract.reports) == 1


def test_a_batch_answers_line_by_line_and_one_bad_line_spoils_no_other(
    contract: Contract, client: Holdfast
) -> None:
    items = [
        Item("b1", "post", NOW, repost_of="x"),
        Item("b2", "post", NOW, text="refuse me"),
        Item("b3", "post", NOW, text="stumble"),
        Item("b4", "image", NOW, media=(MediaUrl("https://x.example/1"),)),
    ]
    answers = client.put_items(items)
    assert not isinstance(answers, Spooled)
    assert [type(each) for each in answers] == [ItemState, Refused, Refused, ItemState]
    assert contract.items["b4"]["media"] == [{"url": "https://x.example/1"}]
    until(lambda: "b3" in contract.items)  # A passing error is tried again alone.
    assert client.spool is not None
    [aside] = client.spool.problems()
    assert aside.problem["detail"] == "This cannot be read."


def test_counts_arrive_without_being_waited_for(
    contract: Contract, client: Holdfast
) -> None:
    client.put_item(Item("p", "post", NOW))
    client.views([Views("p", 7, NOW)])
    client.shares([Share("s1", "p", NOW, actor="a")])
    client.placements([Placement("e1", "p", NOW, 1200, "EUR")])
    client.views([])
    until(lambda: len(contract.requests) == 4)
    [views] = contract.seen("views:batch")
    assert views.lines == [
        {"item": "p", "views_total": 7, "counted_at": "2026-01-02T03:04:05+00:00"}
    ]
    [placed] = contract.seen("placements:batch")
    assert placed.lines[0]["earned_micros"] == 1200


def test_the_change_feed_is_read_page_by_page(
    contract: Contract, client: Holdfast
) -> None:
    for number in range(3):
        contract.order("freeze", f"item:{number}")
    page = client.changes()
    assert [each.item for each in page.data] == ["0", "1"]
    rest = client.changes(page.next_cursor)
    assert [each.subject for each in rest.data] == ["item:2"]
    client.confirm([rest.data[0].id])
    assert contract.confirmed == {rest.data[0].id}


def test_the_menu_outlives_holdfast(contract: Contract, client: Holdfast) -> None:
    assert client.categories()[0].child_safety
    contract.down()
    assert [each.code for each in client.categories()][-2:] == ["copyright", "other"]
    with pytest.raises(Unreachable):
        client.item_state("p")


def test_a_receipt_names_what_was_not_taken_and_what_is_to_be_signed(
    contract: Contract, client: Holdfast
) -> None:
    answers = {"about": "shown", "shoe_size": "38"}
    receipt = client.report(Target(item="s"), "intimate_image", answers=answers)
    assert isinstance(receipt, Receipt)
    [left] = receipt.not_taken
    assert left["pointer"] == "#/answers/shoe_size"
    assert receipt.legal_forms[0]["missing"] == [{"code": "signature"}]
    assert receipt.to_sign is not None
    after = client.sign(receipt.number, "Kari", receipt.to_sign, key="s" * 32)
    assert after == Legal([], None)
    assert client.sign(receipt.number, "Kari", receipt.to_sign, key="s" * 32) == after
    said = {"name": "Kari", "statement": receipt.to_sign}
    assert contract.signed == [(receipt.number, said)]


def test_the_questions_outlive_holdfast_and_answers_go_with_the_report(
    contract: Contract, client: Holdfast
) -> None:
    asked = client.questions("nb")
    assert (asked.language, asked.questions[0]["code"]) == ("nb", "about")
    client.report(
        Target(item="p"),
        "child_other",
        answers={"about": "shown"},
        questions=asked.digest,
    )
    [sent] = contract.seen("reports")
    assert sent.lines[0]["answers"] == {"about": "shown"}
    assert sent.lines[0]["questions"] == asked.digest
    client.report(Target(item="q"), "child_other", questions=asked.digest)
    assert "questions" not in contract.seen("reports")[1].lines[0]
    contract.down()
    assert client.questions("nb") == asked
    with pytest.raises(Unreachable):
        client.questions("en")


def test_without_a_spool_what_cannot_be_delivered_raises(contract: Contract) -> None:
    with Holdfast(contract.url, KEY) as plain:
        with pytest.raises(Refused, match="cannot be read"):
            plain.put_item(Item("p", "post", NOW, text="refuse me"))
        contract.fail = lambda request: problem(503, "Not now.")
        with pytest.raises(Unreachable, match="503"):
            plain.report(Target(item="p"), "child_other")
        contract.down()
        with pytest.raises(Unreachable):
            plain.put_item(Item("p", "post", NOW))


def test_a_time_without_a_zone_is_refused(client: Holdfast) -> None:
    with pytest.raises(ValueError, match="zone"):
        client.put_item(Item("p", "post", datetime(2026, 1, 1)))


def test_the_client_stands_alone() -> None:
    allowed = {"httpx", "standardwebhooks", *sys.stdlib_module_names}
    for file in Path(holdfast.client.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = (
                [each.name for each in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                assert (
                    name.startswith("holdfast.client") or name.split(".")[0] in allowed
                ), f"{file.name} imports {name}"
