"""Answers by the API: published questions, held to as asked, at once in the report."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from holdfast.base.by import By, Permission
from holdfast.intake import archive, questions
from holdfast.intake.models import Answer, Questionnaire, Report
from holdfast.intake.not_taken import KIND
from holdfast.intake.queries import told_by
from holdfast.intake.returning import erase_addition
from holdfast.notifications.models import Alarm
from holdfast.notifications.queries import status_of
from holdfast.review.told import report_line
from holdfast.triage.models import Case
from holdfast.web.portal.standing import message
from tests.stages.api.calls import Api, body_of, json_of
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db

CHILD = "child_sexual_abuse_material"


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


def report(api: Api, status: int = 201, **more: Any) -> Any:
    answer = api.post("/reports", {"category": CHILD, "words": "There.", **more})
    assert answer.status_code == status, json_of(answer)
    return json_of(answer)


def test_the_questions_are_published_word_for_word_with_their_hash(api: Api) -> None:
    said = json_of(api.get("/questions?language=nb-NO"))
    assert said["language"] == "nb"
    assert [each["code"] for each in said["questions"]] == [
        each.code for each in questions.QUESTIONS
    ]
    [about] = [each for each in said["questions"] if each["code"] == "about"]
    assert about["choices"][0] == {"code": "shown", "words": "Meg", "hint": ""}
    # Anybody can make the hash again.
    document = {name: said[name] for name in ("language", "questions")}
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    assert said["digest"] == hashlib.sha256(text.encode()).hexdigest()
    assert Questionnaire.objects.get().document == document
    assert json_of(api.get("/questions"))["language"] == "en"
    assert json_of(api.get("/questions?language=tlh"))["language"] == "en"


def test_answers_are_part_of_the_report_from_the_start(api: Api) -> None:
    said = json_of(api.get("/questions?language=nb"))
    answers = {"about": "shown", "age_now": "13_15", "police": "PD 44-1187"}
    report(api, answers=answers, questions=said["digest"], language="nb")
    stored = Report.objects.get()
    assert dict(stored.answers.values_list("question", "value")) == answers
    asked = {each.questionnaire.digest for each in stored.answers.all()}
    assert asked == {said["digest"]}
    told = told_by(stored)
    assert told.claims == ("shown",)
    assert told.police_number == "PD 44-1187"


def test_what_an_answer_says_rules_urgency_and_category_at_once(api: Api) -> None:
    report(api, category="harassment", answers={"danger": "no"})
    report(api, category="harassment", answers={"police": "PD 44-1187"})
    report(api, category="harassment", answers={"police": "I don't know"})
    report(api, category="harassment", police_number="no")
    report(api, category="intimate_image", answers={"age_then": "16_17"})
    found = Case.objects.order_by("opened_at").values_list("category", "urgency")
    assert list(found) == [
        ("harassment", "urgent"),
        ("harassment", "immediate"),
        ("harassment", "urgent"),
        ("harassment", "urgent"),
        (CHILD, "immediate"),
    ]


@pytest.mark.parametrize("answer", questions.DANGERS)
def test_danger_now_pages_the_people_on_call(api: Api, answer: str) -> None:
    report(api, category="scam", answers={"danger": answer}, in_danger_now=True)
    assert [each.code for each in Alarm.objects.all()] == ["report.danger"]
    assert Case.objects.get().urgency == "immediate"


def test_no_danger_pages_nobody(api: Api) -> None:
    for answer in ("no", "unknown"):
        report(api, category="scam", answers={"danger": answer})
    assert not Alarm.objects.exists()


def not_taken(said: Any) -> dict[str, str]:
    return {each["pointer"]: each["detail"] for each in said["not_taken"]}


def test_a_wrong_answer_is_named_and_kept_and_the_report_is_frozen(api: Api) -> None:
    api.world.post("1", encoded(photograph()))
    wrong = {
        "age_now": "14",
        "favourite/colour": "blue",
        "words": "These have a field.",
        "police": "PD 1",
    }
    said = report(api, targets=[{"item": "1"}], answers=wrong)
    assert said["frozen"] == ["1"]
    ages = ", ".join(each["code"] for each in _question("age_now")["choices"])
    assert not_taken(said) == {
        "#/answers/age_now": f"The answer is one of: {ages}.",
        "#/answers/favourite~1colour": "There is no such question. Ask GET /questions.",
        "#/answers/words": "This question has a field of its own in the report.",
    }
    stored = Report.objects.get()
    assert list(stored.answers.values_list("question", "value")) == [("police", "PD 1")]
    kept = stored.additions.get()
    assert kept.kind == "not_taken"
    assert kept.words.splitlines() == [
        "answers/age_now: 14",
        "answers/favourite/colour: blue",
        "answers/words: These have a field.",
    ]
    # They are the reporter's own words, so that they can be taken back.
    by = By("reporter", "1", frozenset({Permission.REPORT_FOLLOW}))
    erase_addition(stored.id, kept.id, by=by)
    assert not stored.additions.get().words


@pytest.mark.parametrize(
    ("answers", "named"),
    [
        ({"police": "x" * 401, "about": "shown"}, "#/answers/police"),
        ({"age_now": 13, "about": "shown"}, "#/answers/age_now"),
        ({"age_now": None, "about": "shown"}, "#/answers/age_now"),
        ({"age_now": "\x00\ud800", "about": "shown"}, "#/answers/age_now"),
        ({"\x00": "x", "about": "shown"}, "#/answers/\ufffd"),
        (["about", "shown"], "#/answers"),
        ("shown", "#/answers"),
    ],
)
def test_answers_of_any_shape_lose_no_report(
    api: Api, answers: Any, named: str
) -> None:
    assert list(not_taken(report(api, answers=answers))) == [named]
    stored = Report.objects.get()
    assert stored.additions.get().words.startswith(named.removeprefix("#/"))
    about = stored.answers.filter(question="about").values_list("value", flat=True)
    assert list(about) == (["shown"] if isinstance(answers, dict) else [])


@pytest.mark.parametrize("hash_", ["0" * 64, "no hash", 7])
def test_without_the_questions_that_were_asked_the_answers_count(
    api: Api, hash_: Any
) -> None:
    said = report(api, answers={"about": "shown"}, questions=hash_)
    assert list(not_taken(said)) == ["#/questions"]
    assert told_by(Report.objects.get()).claims == ("shown",)


@pytest.mark.parametrize(
    "unclear", [{"answers": {"danger": "yes!"}}, {"in_danger_now": "perhaps"}]
)
def test_a_word_of_danger_that_nobody_can_read_pages_people(
    api: Api, unclear: dict[str, Any]
) -> None:
    report(api, category="scam", **unclear)
    assert [each.code for each in Alarm.objects.all()] == ["report.danger"]
    assert Case.objects.get().urgency == "immediate"


def test_an_app_of_last_year_is_held_to_the_questions_that_it_asked(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = json_of(api.get("/questions"))["digest"]
    fewer = tuple(each for each in questions.QUESTIONS if each.code != "age_now")
    monkeypatch.setattr(questions, "QUESTIONS", fewer)
    assert json_of(api.get("/questions"))["digest"] != old
    answers = {"age_now": "13_15", "about": "shown"}
    assert list(not_taken(report(api, answers=answers))) == ["#/answers/age_now"]
    assert not_taken(report(api, answers=answers, questions=old)) == {}
    assert Answer.objects.count() == 3


def test_an_answer_that_is_left_blank_is_none(api: Api) -> None:
    report(api, answers={"about": "", "danger": " "})
    assert not Answer.objects.exists()
    assert not Questionnaire.objects.exists()


def test_the_same_request_again_is_the_same_report(api: Api) -> None:
    body = {"category": CHILD, "words": "x", "answers": {"danger": "hurt"}}
    first = json_of(api.post("/reports", body, key="k1"))
    again = json_of(api.post("/reports", body, key="k1"))
    assert first["number"] == again["number"]
    assert (Answer.objects.count(), Alarm.objects.count()) == (1, 1)


def test_the_page_and_the_document_tell_of_them(api: Api) -> None:
    page = body_of(api.get("/docs")).decode()
    assert "/api/v1/questions" in page
    assert "pages the people on call" in page


def _question(code: str) -> Any:
    [found] = [
        each for each in archive.published("en")["questions"] if each["code"] == code
    ]
    return found


def test_the_reporter_and_the_desk_see_what_was_not_used(api: Api) -> None:
    report(api, answers={"age_now": "14"}, language="nb")
    stored = Report.objects.get()
    messages = status_of(stored.id).messages
    [told] = [each for each in messages if each.kind == KIND]
    assert told.erasable
    with translation.override("nb"):
        shown = message(told)
    assert shown.text.splitlines() == [
        "Nettstedet sendte dette sammen med meldingen din, men vi kunne ikke bruke "
        "det:",
        "answers/age_now: 14",
    ]
    line = report_line(stored, (), 0, "")
    page = render_to_string(
        "console/parts/reports.html",
        {"reports": [{"line": line}], "page": {"number": "C-1"}},
    )
    assert "sent with the report and not used:" in page
    assert "answers/age_now: 14" in page


def test_the_desk_sees_words_in_place_of_a_police_number_as_no_number(api: Api) -> None:
    report(api, police_number="no")
    line = report_line(Report.objects.get(), (), 0, "")
    page = render_to_string(
        "console/parts/reports.html",
        {"reports": [{"line": line, "police": line.police_number}]},
    )
    assert "police, no number: no" in page
    assert "police number no" not in page
