"""Reports by the API: frozen, answered, once, and never refused for their rate."""

from __future__ import annotations

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.db import connection

from holdfast.base import clock
from holdfast.base.by import SYSTEM, Permission
from holdfast.base.models import Event
from holdfast.intake.models import Codename, Report, Target
from holdfast.intake.not_taken import storable
from holdfast.intake.operations import open_by_codename
from holdfast.items import naming
from holdfast.items.keys import PlatformGiven, put_platform
from holdfast.items.models import Item, RememberedAnswer
from holdfast.notifications.models import Receipt
from holdfast.policy.operations import adopt_policy
from holdfast.web.api import limits
from tests.stages.api.calls import Api, json_of
from tests.world import POLICY, World, encoded, photograph

pytestmark = pytest.mark.django_db

CHILD = "child_sexual_abuse_material"
OTHER = "other"


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


def test_a_report_freezes_and_answers_with_all_of_the_contract(api: Api) -> None:
    api.world.post("1", encoded(photograph()))
    api.world.post("2", repost_of="1")
    answer = api.post(
        "/reports",
        {
            "targets": [{"item": "1"}, {"url": "https://plaza.example/p/nowhere"}],
            "category": CHILD,
            "reporter": "stranger",
            "claims": ["witness"],
            "wants_codename": True,
        },
    )
    assert answer.status_code == 201
    said = json_of(answer)
    assert set(said) == {
        "number", "received_at", "codename", "targets", "frozen", "already_frozen",
        "deadlines", "words", "not_taken", "legal_forms", "to_sign",
    }  # fmt: skip
    assert said["not_taken"] == []
    assert said["frozen"] == ["1", "2"]
    assert said["targets"] == [
        {"named_as": "1", "located": True, "item": "1", "state": "frozen"},
        {
            "named_as": "https://plaza.example/p/nowhere",
            "located": False,
            "item": None,
            "state": None,
        },
    ]
    assert said["deadlines"]
    assert open_by_codename(said["codename"]) == Report.objects.get().id
    assert answer.headers["Cache-Control"] == "no-store"
    assert json_of(api.get("/items/2"))["state"] == "frozen"


def test_the_codename_is_stored_nowhere_in_clear(api: Api) -> None:
    said = json_of(
        api.post("/reports", {"words": "x", "category": CHILD, "wants_codename": True})
    )
    kept = RememberedAnswer.objects.get()
    assert said["codename"] not in kept.body
    assert said["number"] not in kept.body
    assert said["codename"] not in str(Receipt.objects.values_list())
    assert said["codename"] not in str(Codename.objects.values_list())


def test_words_alone_are_a_report(api: Api) -> None:
    said = json_of(api.post("/reports", {"category": CHILD, "words": "On the wall"}))
    assert said["frozen"] == []
    assert said["targets"][0]["located"] is False


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"category": CHILD}, 422),
        ({"category": CHILD, "targets": [{}]}, 422),
        ({"category": CHILD, "targets": [{"item": 7}]}, 422),
        ({"category": CHILD, "targets": [{"item": ""}], "words": " "}, 422),
        ({"category": CHILD, "words": {"x": 1}}, 422),
        ([], 422),
        ("x", 422),
    ],
)
def test_what_makes_no_report_is_refused_with_a_reason(
    api: Api, wrong: Any, status: int
) -> None:
    answer = api.post("/reports", wrong)
    assert answer.status_code == status
    assert json_of(answer)["detail"]
    assert not Report.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"category": "no such"}, ["#/category"]),
        ({"category": None}, ["#/category"]),
        ({"claims": ["king", "shown"]}, ["#/claims/0"]),
        ({"claims": "shown"}, ["#/claims"]),
        ({"police_number": "4" * 101}, ["#/police_number"]),
        ({"language": "n" * 36}, ["#/language"]),
        ({"reporter": "r" * 201}, ["#/reporter"]),
        ({"contact": 5, "hold_contact": "maybe"}, ["#/contact", "#/hold_contact"]),
        ({"words": "w" * 20_001}, ["#/words"]),
        ({"words": "nul \x00"}, ["#/words"]),
        (
            {"targets": [{"url": "%00"}, {"item": "1"}, 4]},
            ["#/targets/0", "#/targets/2"],
        ),
        ({"targets": [{"item": "1"}] * 60}, ["#/targets/50"]),
    ],
)
def test_one_wrong_field_loses_no_report_and_is_named(
    api: Api, wrong: dict[str, Any], named: list[str]
) -> None:
    api.world.post("1", encoded(photograph()))
    said = {"category": CHILD, "targets": [{"item": "1"}], **wrong}
    answer = api.post("/reports", said)
    assert answer.status_code == 201, json_of(answer)
    receipt = json_of(answer)
    assert receipt["frozen"] == ["1"]
    assert sorted(each["pointer"] for each in receipt["not_taken"]) == named
    assert all(each["detail"] for each in receipt["not_taken"])
    stored = Report.objects.get()
    assert stored.additions.get().words.count("\n") + 1 == len(named)
    if "claims" in wrong:
        assert stored.claims == (["shown"] if wrong["claims"] != "shown" else [])
    if "words" in wrong:
        # What fits is in the report, and all of it is kept.
        assert wrong["words"][:4] in stored.words
        assert stored.additions.get().words.endswith(storable(wrong["words"]))


def test_a_category_of_an_earlier_policy_is_still_one(api: Api) -> None:
    text = POLICY.read_text().replace("2026-11", "later")
    adopt_policy(text.replace("code: sextortion", "code: extortion"), by=SYSTEM)
    api.world.post("1", encoded(photograph()))
    said = {"category": "sextortion", "targets": [{"item": "1"}]}
    receipt = json_of(api.post("/reports", said))
    assert (receipt["frozen"], receipt["not_taken"]) == (["1"], [])


def test_a_target_named_twice_over_keeps_the_reporters_words(api: Api) -> None:
    api.post(
        "/reports",
        {
            "category": CHILD,
            "targets": [{"url": "https://plaza.example/p/9", "actor": "poster"}],
        },
    )
    target = Target.objects.get()
    assert target.named_as == "https://plaza.example/p/9"
    assert target.actor is not None


def test_a_report_that_joins_two_cases_of_one_report_is_taken_in(api: Api) -> None:
    first = [{"conversation": "x"}, {"actor": "a", "conversation": "x"}]
    api.post("/reports", {"category": CHILD, "targets": first})
    said = {"category": CHILD, "targets": [{"conversation": "x"}]}
    assert api.post("/reports", said).status_code == 201


def test_where_a_report_stands(api: Api) -> None:
    api.world.post("1", encoded(photograph()))
    number = json_of(
        api.post("/reports", {"targets": [{"item": "1"}], "category": CHILD})
    )["number"]
    said = json_of(api.get(f"/reports/{number.lower()}"))
    assert (said["number"], said["status"]) == (number, "received")
    assert (said["frozen"], said["confirmed"]) == (["1"], 0)
    there = PlatformGiven(slug="agora", name="Agora", url="https://agora.example")
    other = Api(World(put_platform(there, by=SYSTEM)))
    assert other.get(f"/reports/{number}").status_code == 404


def test_categories_put_child_safety_first(api: Api) -> None:
    said = json_of(api.get("/categories"))
    first = [each["child_safety"] for each in said]
    assert first == sorted(first, reverse=True)
    assert first[0] is True


class _LookUp(BaseHTTPRequestHandler):
    """A platform's look-up that notes whether a transaction was open meanwhile."""

    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = b'{"item": "1"}' if "short" in self.path else b'{"item": null}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.django_db(transaction=True)
def test_the_platform_is_asked_once_and_outside_the_transaction(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    _LookUp.asked.clear()
    server = HTTPServer(("127.0.0.1", 0), _LookUp)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    inside: list[bool] = []
    look_up = naming.find_named

    def watched(*args: Any) -> naming.Found:
        inside.append(connection.in_atomic_block)
        return look_up(*args)

    monkeypatch.setattr("holdfast.intake.targets.find_named", watched)
    try:
        put_platform(
            PlatformGiven(
                slug="plaza",
                name="Plaza",
                url="https://plaza.example",
                lookup_url=f"http://127.0.0.1:{server.server_port}/lookup",
            ),
            by=SYSTEM,
        )
        api.world.post("1", encoded(photograph()))
        urls = ["https://plz.example/short", "https://plz.example/unknown"]
        said = json_of(
            api.post(
                "/reports",
                {"category": CHILD, "targets": [{"url": url} for url in urls]},
            )
        )
    finally:
        server.shutdown()
        server.server_close()
    assert [each["located"] for each in said["targets"]] == [True, False]
    assert [each["named_as"] for each in said["targets"]] == urls
    assert said["frozen"] == ["1"]
    assert len(_LookUp.asked) == 2
    assert inside == [False, False]


class Killed(BaseException):
    """As if the process ended here: no handler may catch it."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "dies_in",
    [
        "holdfast.web.api.reports.intake.TargetGiven.look_up",
        "holdfast.web.api.reports.notifications.receipt_of",
        "holdfast.web.api.idempotency.remember",
    ],
)
def test_a_crash_leaves_neither_report_nor_answer(
    api: Api, monkeypatch: pytest.MonkeyPatch, dies_in: str
) -> None:
    api.world.post("1", encoded(photograph()))
    said = {"targets": [{"item": "1"}], "category": CHILD, "wants_codename": True}

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(dies_in, die)
        with pytest.raises(Killed):
            api.post("/reports", said, key="k")
    assert not Report.objects.exists()
    assert not RememberedAnswer.objects.exists()
    assert Item.objects.get().state == "visible"
    assert api.post("/reports", said, key="k").status_code == 201
    assert Report.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_crash_after_the_commit_repeats_the_answer(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"category": CHILD, "words": "x", "wants_codename": True}

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        # The answer is on its way out when the process ends.
        dying.setattr("holdfast.web.middleware.HeadersMiddleware.__call__", _late(die))
        with pytest.raises(Killed):
            api.post("/reports", said, key="k")
    assert Report.objects.count() == 1
    again = api.post("/reports", said, key="k")
    assert again.status_code == 201
    assert again.headers["Idempotent-Replay"] == "true"
    assert json_of(again)["number"] == Report.objects.get().number
    assert Codename.objects.count() == 1
    assert open_by_codename(json_of(again)["codename"]) == Report.objects.get().id


def _late(die: Any) -> Any:
    def answer(self: Any, request: Any) -> Any:
        self.get_response(request)
        die()

    return answer


def test_above_the_rate_child_safety_is_slowed_and_alarmed_once(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("holdfast.web.waiting.time.sleep", slept.append)
    monkeypatch.setattr(limits, "REPORTS_BURST", 1.0)
    monkeypatch.setattr(limits, "REPORTS_PER_S", 0.01)

    def report(category: str) -> int:
        said = {"category": category, "words": "x"}
        return api.post("/reports", said).status_code

    assert [report(CHILD) for _ in range(4)] == [201] * 4
    assert slept == [limits.SLOWDOWN_S] * 3
    alarms = Event.objects.filter(
        kind="alarm.raised", facts__code="rate.child_safety_slowed"
    )
    assert alarms.count() == 1
    with clock.shifted(timedelta(seconds=61)):
        monkeypatch.setattr(limits, "REPORTS_PER_S", 1e-9)
        assert report(CHILD) == 201
    assert alarms.count() == 2


def test_each_waits_behind_those_before_once_its_report_is_in(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    there: list[int] = []

    def sleep(wait_s: float) -> None:
        waits.append(wait_s)
        there.append(Report.objects.count())

    monkeypatch.setattr("holdfast.web.waiting.time.sleep", sleep)
    monkeypatch.setattr(limits, "REPORTS_BURST", 1.0)
    monkeypatch.setattr(limits, "REPORTS_PER_S", 4.0)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    for _ in range(11):
        assert (
            api.post("/reports", {"category": CHILD, "words": "x"}).status_code == 201
        )
    assert waits[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert waits[-2:] == [limits.SLOWDOWN_S] * 2
    assert there == list(range(2, 12))


def test_above_the_rate_other_reports_wait(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REPORTS_BURST", 1.0)
    monkeypatch.setattr(limits, "REPORTS_PER_S", 0.1)
    assert api.post("/reports", {"category": OTHER, "words": "x"}).status_code == 201
    refused = api.post("/reports", {"category": OTHER, "words": "x"})
    assert refused.status_code == 429
    wait_s = int(refused.headers["Retry-After"])
    assert 9 <= wait_s <= 10
    with clock.shifted(timedelta(seconds=wait_s)):
        again = api.post("/reports", {"category": OTHER, "words": "x"})
    assert again.status_code == 201


def test_a_key_without_the_scope_files_no_report(world: World) -> None:
    reader = Api(world, [Permission.ITEMS_READ])
    answer = reader.post("/reports", {"category": CHILD, "words": "x"})
    assert answer.status_code == 403
    assert "reports.write" in json_of(answer)["detail"]
