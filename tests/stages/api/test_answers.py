"""Answers by the API: published questions, held to as asked, at once in the report."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from holdfast.intake import archive, questions
from holdfast.intake.models import Answer, Questionnaire, Report
from holdfast.intake.queries import told_by
from holdfast.notifications.models import Alarm
from holdfast.triage.models import Case
from tests.stages.api.calls import Api, body_of, json_of
from tests.world import World

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
    report(api, category="intimate_image", answers={"age_then": "16_17"})
    found = Case.objects.order_by("opened_at").values_list("category", "urgency")
    assert list(found) == [
        ("harassment", "urgent"),
        ("harassment", "immediate"),
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


def test_each_wrong_answer_is_named_and_nothing_is_stored(api: Api) -> None:
    wrong = {
        "age_now": "14",
        "favourite/colour": "blue",
        "words": "These have a field.",
        "police": "PD 1",
    }
    said = report(api, 422, answers=wrong)
    told = {each["pointer"]: each["detail"] for each in said["errors"]}
    ages = ", ".join(each["code"] for each in _question("age_now")["choices"])
    assert told == {
        "#/answers/age_now": f"The answer is one of: {ages}.",
        "#/answers/favourite~1colour": "There is no such question. Ask GET /questions.",
        "#/answers/words": "This question has a field of its own in the report.",
    }
    assert not Report.objects.exists()
    said = report(api, 422, answers={"police": "x" * 401})
    assert said["errors"][0]["pointer"] == "#/answers/police"
    said = report(api, 422, answers={"about": "shown"}, questions="0" * 64)
    assert said["errors"][0]["pointer"] == "#/questions"


def test_an_app_of_last_year_is_held_to_the_questions_that_it_asked(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = json_of(api.get("/questions"))["digest"]
    fewer = tuple(each for each in questions.QUESTIONS if each.code != "age_now")
    monkeypatch.setattr(questions, "QUESTIONS", fewer)
    assert json_of(api.get("/questions"))["digest"] != old
    answers = {"age_now": "13_15", "about": "shown"}
    report(api, 422, answers=answers)
    report(api, answers=answers, questions=old)
    assert Answer.objects.count() == 2


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
