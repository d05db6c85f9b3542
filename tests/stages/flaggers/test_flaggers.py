"""Trusted flaggers and hotlines: scope, priority, measured precision, files."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from typer.testing import CliRunner

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.errors import InvalidInput, NotFound
from holdfast.cli.flag import app
from holdfast.intake import flaggers as accounts
from holdfast.intake.models import Flag, Flagger, Report
from holdfast.intake.operations import MAX_TARGETS
from holdfast.items.keys import authenticate, create_key
from holdfast.items.models import Item, ItemState
from holdfast.policy.queries import current
from holdfast.policy.rules import URGENCIES, ReportFacts, read_policy
from holdfast.triage.flaggers import flaggers
from holdfast.triage.models import Case
from holdfast.web.flaggers.files import lines_of, take_in
from tests.stages.console.desk import CSAM, colleague, look, read, words_of
from tests.stages.flaggers.analysts import ADMIN, LISTED, account
from tests.stages.report.test_clearance import clear
from tests.world import POLICY, World, encoded, photograph

pytestmark = pytest.mark.django_db


RAW = "text/csv; bytes"
"""Text of which each letter stands for a byte."""


def send(key: str, *lines: Any, idempotency: str = "", **more: Any) -> list[Any]:
    """A file by the API; its answers."""
    body = "".join(
        (each if isinstance(each, str) else json.dumps(each)) + "\n" for each in lines
    )
    answer = Client().post(
        "/api/v1/flags:batch",
        body.encode("latin-1" if more.get("kind") == RAW else "utf-8"),
        content_type=more.get("kind", "application/x-ndjson").partition(";")[0],
        headers={
            "Authorization": f"Bearer {key}",
            "Idempotency-Key": idempotency or str(len(body)) + str(hash(body)),
        },
    )
    if answer.status_code != 200:
        return [answer.json()]
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]  # A stream.
    return [json.loads(line) for line in text.splitlines()]


def line(reference: str, post: str = "1", **more: Any) -> dict[str, Any]:
    return {
        "reference": reference,
        "category": CSAM,
        "urls": [f"https://plaza.example/p/{post}"],
        **more,
    }


def test_a_flagger_is_not_told_what_stands_in_private(world: World) -> None:
    for name, kind in (("1", "post"), ("2", "post"), ("m", "message")):
        world.post(name, encoded(photograph()), kind=kind)
    key = account(world, CSAM)
    [said] = send(key, line("A-1"))
    assert said["state"]["frozen"] == ["1", "2"]
    assert set(Item.objects.values_list("state", flat=True)) == {ItemState.FROZEN}
    world.post("n", encoded(photograph(), quality=60), kind="message")
    world.post("3", encoded(photograph(), quality=70))
    asked = (
        Client()
        .get("/api/v1/flags/A-1", headers={"Authorization": f"Bearer {key}"})
        .json()
    )
    assert (asked["frozen"], asked["frozen_since"]) == (["1", "2"], ["3"])


def test_each_line_is_a_report_with_a_receipt(world: World) -> None:
    item = world.post("1", encoded(photograph()))
    key = account(world, CSAM)
    first, second = send(key, line("A-1"), line("A-2", "2"))
    assert (first["id"], first["status"]) == ("A-1", 201)
    assert first["state"]["number"] != second["state"]["number"]
    assert first["state"]["frozen"] == ["1"]
    assert first["state"]["has_priority"] is True
    item.refresh_from_db()
    assert item.state == ItemState.FROZEN
    report = Report.objects.get(number=first["state"]["number"])
    assert (report.channel, report.claims) == ("flagger", ["trusted_flagger"])
    assert report.received_by == f"flagger:{Flagger.objects.get().id}"


def test_a_bad_line_is_named_and_loses_nothing(world: World) -> None:
    key = account(world, CSAM)
    said = send(
        key,
        line("A-1"),
        "{not json",
        {"reference": "A-2", "category": CSAM},
        line("A-3", category="nonsense"),
        line("A-4", colour="red"),
        {"category": CSAM, "words": "no reference"},
        line("A-5", "2"),
    )
    assert [each["status"] for each in said] == [201, 400, 422, 422, 422, 422, 201]
    assert said[2]["id"] == "A-2"
    assert said[2]["problem"]["detail"].startswith("Say where it is")
    assert said[6]["id"] == "A-5"
    assert Report.objects.count() == 2


def test_a_file_sent_again_reports_nothing_twice(world: World) -> None:
    key = account(world, CSAM)
    before = send(key, line("A-1"))
    again = send(key, line("A-1"), line("A-2", "2"))
    assert [each["status"] for each in again] == [200, 201]
    assert again[0]["state"]["number"] == before[0]["state"]["number"]
    assert Report.objects.count() == 2
    other = send(key, line("A-1", "9"))
    assert other[0]["problem"]["type"].endswith("reference-used-otherwise")
    assert Report.objects.count() == 2


def test_a_line_that_was_refused_may_come_again_under_its_reference(
    world: World,
) -> None:
    key = account(world, CSAM)
    wrong = (
        line("A-1", category="nonsense"),
        {"reference": "A-1", "category": CSAM},
        line("A-1", urls=["x" * 3000]),
        line("A-1", colour="red"),
    )
    refused = [send(key, each)[0]["status"] for each in wrong]
    assert refused == [422, 422, 422, 422]
    assert not Report.objects.exists()
    [taken] = send(key, line("A-1"))
    assert taken["status"] == 201
    # From now on it stands, and nothing that was refused before takes its place.
    [again] = send(key, line("A-1"), idempotency="a-new-key-for-the-same-line")
    assert (again["status"], again["state"]["number"]) == (
        200,
        taken["state"]["number"],
    )
    for other in (line("A-1", words="More."), line("A-1", category="copyright")):
        [said] = send(key, other)
        assert said["problem"]["type"].endswith("reference-used-otherwise")
        assert "stays as it was taken" in said["problem"]["detail"]
    assert Report.objects.get().words == ""


def test_an_address_that_was_not_taken_is_corrected_under_its_reference(
    world: World,
) -> None:
    first, last = world.post("1", encoded(photograph())), world.post("3", text="words")
    key, post = account(world, CSAM), "https://plaza.example/p/"
    broken = [f"{post}1", "x" * 3000, "y" * 3000]
    [said] = send(key, line("A-1", urls=broken))
    [mended] = send(key, line("A-1", urls=[f"{post}1", f"{post}3", "y" * 3000]))
    assert mended["status"] == 200
    assert mended["state"]["number"] == said["state"]["number"]
    assert len(mended["state"]["not_taken"]) == 1
    for item in (first, last):
        item.refresh_from_db()
        assert item.state == ItemState.FROZEN
    for urls in (
        # What was taken is gone, or more is new than could not be used.
        [f"{post}1", f"{post}9"],
        [f"{post}3", f"{post}9"],
        [f"{post}{each}" for each in (1, 3, 8, 9)],
    ):
        [refused] = send(key, line("A-1", urls=urls))
        assert refused["problem"]["type"].endswith("reference-used-otherwise")
    # What is still wrong is left away, or corrected; either is the same report.
    whole = line("A-1", urls=[f"{post}1", f"{post}3"])
    assert send(key, whole)[0]["status"] == 200
    send(key, line("A-1", urls=[*whole["urls"], f"{post}4"]))
    named = Report.objects.get().targets.values_list("named_as", flat=True)
    assert sorted(named) == [f"{post}{each}" for each in (1, 3, 4)]
    assert Flag.objects.get().left_out == []


def test_csv_as_spreadsheets_write_it(world: World) -> None:
    world.post("1", encoded(photograph()))
    key = account(world, CSAM)
    text = (
        "\ufeffreference;category;urls;words\r\n"
        f'"B-1";{CSAM};https://plaza.example/p/1 https://plaza.example/p/2;'
        '"Two lines,\r\nin one cell; æ"\r\n'
        ";;;\r\n"
        "B-2;nonsense;https://plaza.example/p/3;\r\n"
        f"B-3;{CSAM};;Only words;too;many\r\n"
    )
    said = send(key, text, kind="text/csv")
    assert [each["status"] for each in said] == [201, 422, 422]
    assert [each["id"] for each in said] == ["B-1", "B-2", "B-3"]
    report = Report.objects.get()
    assert report.words == "Two lines,\r\nin one cell; æ"
    assert report.targets.count() == 2


def test_an_address_that_cannot_be_used_takes_no_other_along(
    world: World, tmp_path: Path
) -> None:
    """At every door: the key, with both forms of file, the command, and the page."""
    first, last = world.post("1", encoded(photograph())), world.post("3", text="words")
    key, post = account(world, CSAM), "https://plaza.example/p/"
    urls = [f"{post}1", f"{post}{'x' * 2083}", f"{post}\x00", 7, f"{post}3"]
    [said] = send(key, line("A-1", urls=urls))
    assert said["status"] == 201
    assert sorted(said["state"]["frozen"]) == ["1", "3"]
    assert [each["pointer"] for each in said["state"]["not_taken"]] == [
        "#/urls/1",
        "#/urls/2",
        "#/urls/3",
    ]
    for item in (first, last):
        item.refresh_from_db()
        assert item.state == ItemState.FROZEN
    [again] = send(key, line("A-1", urls=urls), idempotency="another-key-of-32-signs")
    assert again["status"] == 200
    assert again["state"]["not_taken"] == said["state"]["not_taken"]
    file = tmp_path / "reports.csv"
    cell = f"{post}5 {post}my picture.jpg {post}6"
    file.write_text(f"reference,category,urls\nB-1,{CSAM},{cell}\n")
    [said] = send(key, file.read_text(), kind="text/csv")
    assert said["status"] == 201
    [named] = said["state"]["not_taken"]
    assert named["pointer"] == "#/urls/1"
    assert "%20" in named["detail"]
    report = Report.objects.get(flag__reference="B-1")
    places = report.targets.order_by("position")
    assert list(places.values_list("named_as", flat=True)) == [f"{post}5", f"{post}6"]
    kept = report.additions.get(kind="not_taken")
    assert kept.words == f"urls/1: {post}my picture.jpg", "No word is lost."
    done = run(str(file), "--by", "Hotline")
    assert done.exit_code == 1
    assert "line 2 (B-1), address 2: An address has a space" in done.stderr
    [receipt] = [json.loads(each) for each in done.stdout.splitlines()]
    assert receipt["not_taken"] == [f"{post}my picture.jpg"]
    flagger = Flagger.objects.get()
    by = By("flagger", str(flagger.id), frozenset({Permission.REPORTS_FLAG}))
    [page] = take_in(flagger.id, lines_of(file.name, file.read_bytes()), by=by)
    assert (page.number, page.is_new) == (report.number, False)
    assert [each.said for each in page.not_taken] == receipt["not_taken"]
    # Corrected, it is the same report; the address that stands in it now is added.
    file.write_text(file.read_text().replace("my picture", "my%20picture"))
    done = run(str(file), "--by", "Hotline")
    assert done.exit_code == 0
    [receipt] = [json.loads(each) for each in done.stdout.splitlines()]
    assert (receipt["number"], receipt["added"]) == (report.number, 1)
    assert report.targets.filter(named_as=f"{post}my%20picture.jpg").exists()


def test_more_addresses_than_a_report_holds_are_named(world: World) -> None:
    key, post = account(world, CSAM), "https://plaza.example/p/"
    urls = [f"{post}{each}" for each in range(MAX_TARGETS + 2)]
    [said] = send(key, line("A-1", urls=urls))
    assert said["status"] == 201
    assert Report.objects.get().targets.count() == MAX_TARGETS
    assert [each["pointer"] for each in said["state"]["not_taken"]] == [
        f"#/urls/{MAX_TARGETS}",
        f"#/urls/{MAX_TARGETS + 1}",
    ]


def test_csv_without_a_heading_is_refused_whole(world: World) -> None:
    said = send(account(world), "A-1,other\n", kind="text/csv")
    assert "The first line names the columns" in said[0]["detail"]


def test_a_broken_line_of_csv_takes_no_other_along(
    world: World, tmp_path: Path
) -> None:
    """Said with the line of the file, at every door: the key, the page, the command."""
    lines = (
        "reference,category,urls,words",
        f"B-1,{CSAM},https://plaza.example/p/1,",
        f'B-2,{CSAM},https://plaza.example/p/2,"never closed',
        "",
        f'B-3,{CSAM},https://plaza.example/p/3,"in two',
        'lines, and closed"',
        f"B-4,{CSAM},https://plaza.example/p/a b,",
        f'B-5,{CSAM},https://plaza.example/p/5,"also ""never"" closed',
        f"B-6,{CSAM},https://plaza.example/p/6,Bl\u00e5 \u20ac",
    )
    file = tmp_path / "reports.csv"
    file.write_bytes("\r\n".join(lines).encode("cp1252"))
    said = send(account(world, CSAM), file.read_bytes().decode("latin-1"), kind=RAW)
    good = [each["id"] for each in said if each["status"] == 201]
    assert good == ["B-1", "B-3", "B-6"]
    wrong = [each["problem"] for each in said if each["status"] != 201]
    places = [each["instance"].partition("#")[2] for each in wrong]
    assert places == ["line=3", "line=7", "line=8"]
    assert said[3]["id"] == "B-4"
    assert "%20" in wrong[1]["detail"]
    assert Report.objects.get(flag__reference="B-6").words == "Blå €"
    done = run(str(file), "--by", "Hotline")
    assert [each.partition(":")[0] for each in done.stderr.splitlines()][:3] == [
        "line 3",
        "line 7 (B-4)",
        "line 8",
    ]
    assert Report.objects.count() == 3
    flagger = Flagger.objects.get()
    by = By("flagger", str(flagger.id), frozenset({Permission.REPORTS_FLAG}))
    page = take_in(flagger.id, lines_of(file.name, file.read_bytes()), by=by)
    assert [each.place for each in page if each.fault] == [3, 7, 8]
    assert [each.reference for each in page if each.number] == good


def test_priority_is_within_the_scope_only(world: World) -> None:
    key = account(world, "copyright")
    inside, outside = send(
        key,
        line("A-1", "1", category="copyright"),
        line("A-2", "2", category="scam"),
    )
    assert inside["state"]["has_priority"] is True
    assert outside["state"]["has_priority"] is False
    urgencies = dict(Case.objects.values_list("category", "urgency"))
    assert urgencies == {"copyright": "urgent", "scam": "standard"}


@pytest.mark.parametrize(
    ("category", "state"),
    [(CSAM, ItemState.FROZEN), ("copyright", ItemState.VISIBLE)],
)
def test_what_was_cleared_is_frozen_again_within_the_scope_only(
    world: World, category: str, state: str
) -> None:
    """By the category that it reports, whatever the case was made by others."""
    item = world.post("1", encoded(photograph()))
    world.report("https://plaza.example/p/1", category=CSAM)
    clear(Case.objects.get())
    [said] = send(account(world, category), line("A-1", category=category))
    assert said["state"]["has_priority"] is True
    item.refresh_from_db()
    assert item.state == state
    assert Case.objects.get().state == "open", "People look again all the same."


def test_priority_never_makes_anything_slower() -> None:
    policy = read_policy(POLICY.read_text())
    trusted = ReportFacts(claims=("trusted_flagger",))
    for category in policy.categories:
        plain = URGENCIES.index(policy.urgency(category, ReportFacts()))
        given = URGENCIES.index(policy.urgency(category, trusted))
        assert given == max(0, plain - 1), category.code


def test_nobody_can_say_of_themself_that_they_are_trusted(world: World) -> None:
    with pytest.raises(InvalidInput):
        world.report("https://plaza.example/p/1", claims=("trusted_flagger",))
    token = create_key(world.platform_id, "platform", by=SYSTEM)
    assert send(token, line("A-1"))[0]["status"] == 403
    flagger_key = account(world, CSAM)
    answer = Client().post(
        "/api/v1/reports",
        {"category": CSAM, "targets": [{"url": "https://plaza.example/p/1"}]},
        content_type="application/json",
        headers={"Authorization": f"Bearer {flagger_key}", "Idempotency-Key": "1"},
    )
    assert answer.status_code == 403


def test_a_suspended_one_is_heard_without_priority(world: World) -> None:
    key = account(world, CSAM)
    flagger = Flagger.objects.get()
    accounts.suspend(flagger.id, "Wrong three times in a row.", by=ADMIN)
    accounts.suspend(flagger.id, "Wrong three times in a row.", by=ADMIN)
    assert send(key, line("A-1"))[0]["state"]["has_priority"] is False
    accounts.resume(flagger.id, by=ADMIN)
    assert send(key, line("A-2", "2"))[0]["state"]["has_priority"] is True


def test_scope_and_listing_go_together(world: World) -> None:
    until, late = (clock.now() + timedelta(days=each) for each in (300, 400))
    for scope, listed, by_then in (
        ((CSAM,), "", until),
        ((), LISTED, until),
        (("nonsense",), LISTED, until),
        ((CSAM,), LISTED, None),
        ((CSAM,), LISTED, clock.now()),
        ((CSAM,), LISTED, late),
    ):
        with pytest.raises(InvalidInput):
            accounts.add_flagger(
                accounts.FlaggerGiven(
                    world.platform_id, "A", "b@c.example", scope, listed, by_then
                ),
                by=ADMIN,
            )
    assert not Flagger.objects.exists()


def test_precision_is_what_people_decided(world: World) -> None:
    ada = colleague("Ada", "reviewer", "specialist", signed_in=False)
    items = [
        world.post(name, encoded(photograph(photo)))
        for name, photo in (("1", "astronaut"), ("2", "cat"), ("3", "coffee"))
    ]
    key = account(world, CSAM)
    send(key, *(line(f"A-{item.external_id}", item.external_id) for item in items))
    [told] = flaggers(by=ADMIN)
    assert (told.within.reports, told.within.decided) == (3, 0)
    assert told.within.precision is None
    case = Case.objects.get(items__item=items[0])
    look(case, items[0], ada)
    read(case, ada)
    [told] = flaggers(by=ADMIN)
    assert (told.within.decided, told.within.precision) == (1, 1.0)
    # What is decided otherwise counts against it. Two people are needed for that.
    bo = colleague("Bo", "specialist", signed_in=False)
    case = Case.objects.get(items__item=items[1])
    for who in (ada, bo):
        look(case, items[1], who)
        read(case, who, "no_violation")
    [told] = flaggers(by=ADMIN)
    assert (told.within.decided, told.within.violating) == (2, 1)
    assert told.within.precision == 0.5
    assert told.outside.reports == 0


def test_where_a_report_stands_by_its_reference(world: World) -> None:
    mine, other = account(world, CSAM), account(world, name="Other")
    [told] = send(mine, line("A-1"))
    headers = {"Authorization": f"Bearer {mine}"}
    answer = Client().get("/api/v1/flags/A-1", headers=headers)
    assert answer.json()["number"] == told["state"]["number"]
    assert Client().get("/api/v1/flags/A-9", headers=headers).status_code == 404
    # Many number their cases so.
    [told] = send(mine, line("2026/417 (b)", "2"))
    answer = Client().get("/api/v1/flags/2026%2F417%20(b)", headers=headers)
    assert answer.json()["number"] == told["state"]["number"]
    headers = {"Authorization": f"Bearer {other}"}
    assert Client().get("/api/v1/flags/A-1", headers=headers).status_code == 404


def test_a_platforms_key_is_no_flaggers(world: World) -> None:
    token = create_key(world.platform_id, "x", (Permission.REPORTS_FLAG,), by=SYSTEM)
    with pytest.raises(NotFound):
        accounts.flagger_of_key(authenticate(token).key_id)


def run(*given: str) -> Any:
    return CliRunner().invoke(app, ["flag", *given])


def test_the_command_takes_a_file_in_and_goes_on_where_it_was(
    world: World, tmp_path: Path
) -> None:
    account(world, CSAM)
    file = tmp_path / "reports.ndjson"
    lines = [json.dumps(line(f"A-{each}", str(each))) for each in range(4)]
    file.write_text("\n".join([lines[0], "{broken", lines[1], lines[2]]))
    done = run(str(file), "--by", "Hotline")
    assert done.exit_code == 1
    receipts = [json.loads(each) for each in done.stdout.splitlines()]
    assert [each["reference"] for each in receipts] == ["A-0", "A-1", "A-2"]
    assert "line 2: The line is no JSON object." in done.stderr
    file.write_text("\n".join(lines))
    done = run(str(file), "--by", "Hotline")
    assert done.exit_code == 0
    receipts = [json.loads(each) for each in done.stdout.splitlines()]
    assert [each["is_new"] for each in receipts] == [False, False, False, True]
    assert Flag.objects.count() == Report.objects.count() == 4


def test_the_command_names_what_is_wrong(world: World, tmp_path: Path) -> None:
    account(world, CSAM)
    file = tmp_path / "reports.csv"
    file.write_text(f"reference,category,urls\n,{CSAM},https://plaza.example/p/1\n")
    done = run(str(file), "--by", "Hotline")
    assert done.exit_code == 1
    assert "line 2: reference:" in done.stderr
    assert "There are: Hotline." in str(run(str(file), "--by", "Nobody").exception)
    assert "cannot be read" in str(run("/nowhere.csv", "--by", "Hotline").exception)


def test_the_console_opens_an_account_and_shows_the_key_once(world: World) -> None:
    ada = colleague("Ada", "administrator")
    given = {
        "name": "Hotline Nord",
        "contact": "desk@hotline.example",
        "platform": str(world.platform_id),
        "listed_as": LISTED,
        "listed_until": (clock.now() + timedelta(days=300)).date().isoformat(),
        "scope": [CSAM],
    }
    answer = ada.post("/console/flaggers", **given)
    assert "hf_" in words_of(answer)
    page = words_of(ada.get("/console/flaggers"))
    label = current().category(CSAM).label
    assert "Hotline Nord" in page
    assert label in page
    assert "not yet" in page
    flagger = Flagger.objects.get()
    path = f"/console/flaggers/{flagger.id}"
    assert ada.post(f"{path}/suspend", why="short").status_code == 422
    ada.post(f"{path}/suspend", why="Its reports were wrong many times.")
    assert "many times" in words_of(ada.get("/console/flaggers"))
    ada.post(f"{path}/resume")
    assert "many times" not in words_of(ada.get("/console/flaggers"))
    assert colleague("Bo", "lead").get("/console/flaggers").status_code == 403
    answer = ada.post("/console/flaggers", **{**given, "listed_as": ""})
    assert "Priority takes both" in words_of(answer)
