"""A day at the desk, through the pages: queue, claim, read, disagree, thaw, alarms."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from holdfast.authorities.models import Referral
from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.events import alarm
from holdfast.intake.answering import give_answer, sign, take_back
from holdfast.intake.models import Report
from holdfast.items.queries import views_over_time
from holdfast.review.models import Claim
from tests.stages.console.desk import (
    REASON,
    busy_desk,
    colleague,
    look,
    nine_days_of_views,
    read,
    reported,
    words_of,
)

pytestmark = pytest.mark.django_db

CLEARS = {
    "decide-outcome": "no_violation",
    "decide-ground": "",
    "decide-refer": "no",
    "decide-why_not_refer": "There is nothing to tell anybody.",
    "decide-reason": REASON,
}


def test_the_queue_is_by_urgency_and_then_by_the_clock(world: Any) -> None:
    ada, ben = colleague("Ada", "reviewer"), colleague("Ben", "reviewer")
    with clock.shifted(timedelta(hours=-1)):
        _, calm = reported(world, "q1", photo="cat", category="other")
    _, first = reported(world, "q2", photo="coffee")
    _, second = reported(world, "q3", photo="rocket")
    rows = ada.get("/console/").context["rows"]
    assert [row.number for row in rows] == [first.number, second.number, calm.number]
    answer = ada.post(f"/console/case/{second.number}/claim")
    assert answer["Location"] == f"/console/case/{second.number}"
    for query, expected in (
        ({"claimed": "mine"}, [second]),
        ({"claimed": "free"}, [first, calm]),
        ({"urgency": "standard"}, [calm]),
        ({"needs": "first reader", "urgency": "immediate"}, [first, second]),
        ({"needs": "second reader"}, []),
    ):
        rows = ada.get("/console/", **query).context["rows"]
        assert [row.number for row in rows] == [case.number for case in expected]
    # Somebody else's claim stands, and is said to be so.
    ben.post(f"/console/case/{second.number}/claim")
    assert Claim.objects.get().person_id == ada.person_id
    shown = words_of(ben.get(f"/console/case/{second.number}"))
    assert "Somebody else is working on this case." in shown


def test_the_next_case_is_taken_and_shown(world: Any) -> None:
    ada, ben = colleague("Ada", "reviewer"), colleague("Ben", "reviewer")
    _, first = reported(world, "q1", photo="coffee")
    assert "Take the next case" in words_of(ada.get("/console/"))
    answer = ada.post("/console/next")
    assert answer["Location"] == f"/console/case/{first.number}"
    assert Claim.objects.get().person_id == ada.person_id
    # It is no use to anybody else, and they are told so.
    assert ben.post("/console/next")["Location"] == "/console/"
    assert "There is no case that you can take now." in words_of(ben.get("/console/"))


def test_an_empty_queue_says_so(world: Any) -> None:
    ada = colleague("Ada", "reviewer")
    assert "Nothing is waiting here." in words_of(ada.get("/console/"))


def test_no_violation_takes_two_people(world: Any) -> None:
    ada, sam = colleague("Ada", "reviewer"), colleague("Sam", "specialist")
    ben = colleague("Ben", "reviewer")
    item, case = reported(world)
    page, given = (
        f"/console/case/{case.number}",
        {
            **CLEARS,
            "decide-category": case.category,
        },
    )
    look(case, item, ada)
    said = words_of(
        ada.client.post(
            f"{page}/read",
            {**given, "csrfmiddlewaretoken": ada.client.cookies["csrf"].value},
            follow=True,
        )
    )
    assert "a specialist must read next" in said
    assert "somebody else decides" in said
    assert "Told to hide it" in said
    # Neither the first reader nor one without the specialist's right reads now.
    assert "You have read this case" in words_of(ada.get(page))
    assert "waits for a specialist" in words_of(ben.get(page))
    assert ben.post(f"{page}/read", **given).status_code == 422
    assert not case.decisions.exists()
    look(case, item, sam)
    answer = sam.post(f"{page}/read", **given)
    assert answer.status_code == 302, words_of(answer)
    decided = words_of(sam.get(page))
    assert "No violation" in decided
    assert "two readers" in decided
    assert case.decisions.get().second_reader_id is not None


def test_a_disagreement_is_shown_and_a_third_settles_it(world: Any) -> None:
    ben, sam = colleague("Ben", "reviewer"), colleague("Sam", "specialist")
    ada = colleague("Ada", "specialist")
    item, case = reported(world)
    look(case, item, ben)
    read(case, ben, "no_violation")
    look(case, item, sam)
    read(case, sam)
    shown = words_of(ada.get(f"/console/case/{case.number}"))
    assert "The readers disagree" in shown
    assert "Ben" in shown
    assert "Sam" in shown


def test_what_is_missing_is_said_beside_it(world: Any) -> None:
    ada = colleague("Ada", "reviewer")
    item, case = reported(world)
    look(case, item, ada)
    answer = ada.post(
        f"/console/case/{case.number}/read",
        **{
            "decide-outcome": "violation",
            "decide-category": case.category,
            "decide-refer": "no",
            "decide-why_not_refer": "short",
            "decide-reason": REASON,
        },
    )
    assert answer.status_code == 422
    errors = answer.context["decide"].errors
    assert set(errors) == {"ground", "why_not_refer", "part0"}
    assert REASON in words_of(answer)


def test_a_referral_to_a_test_environment_is_not_filed(world: Any) -> None:
    ada = colleague("Ada", "reviewer")
    item, case = reported(world)
    look(case, item, ada)
    read(case, ada, parts={item.actor_id: "offender"})
    assert Referral.objects.get().environment == "test"
    shown = words_of(ada.get(f"/console/case/{case.number}"))
    assert "NOT FILED" in shown
    assert "This went to" not in shown, "It has not gone anywhere yet."


def test_thaw_takes_a_lead_a_reason_and_no_child(world: Any) -> None:
    lead, ada = colleague("Lea", "lead"), colleague("Ada", "reviewer")
    child, child_case = reported(world)
    item, case = reported(world, "p2", photo="cat", category="intimate_image")
    page = f"/console/case/{case.number}"
    assert "Thaw" not in words_of(lead.get(f"/console/case/{child_case.number}"))
    refused = lead.post(
        f"/console/case/{child_case.number}/thaw", item=str(child.id), reason=REASON
    )
    assert refused.status_code == 409
    # An item of another case cannot be named here.
    assert (
        lead.post(f"{page}/thaw", item=str(child.id), reason=REASON).status_code == 422
    )
    assert lead.post(f"{page}/thaw", item=str(item.id), reason="no").status_code == 422
    assert ada.post(f"{page}/thaw", item=str(item.id), reason=REASON).status_code == 403
    assert "Thaw" not in words_of(ada.get(page))
    done = lead.post(f"{page}/thaw", item=str(item.id), reason=REASON)
    assert done.status_code == 302
    item.refresh_from_db()
    child.refresh_from_db()
    assert (item.state, child.state) == ("visible", "frozen")


def test_notes_are_kept_and_drawn_as_text(world: Any) -> None:
    ada = colleague("Ada", "reviewer")
    _, case = reported(world, words="<script>alert(1)</script>")
    page = f"/console/case/{case.number}"
    assert ada.post(f"{page}/note", words=" ").status_code == 422
    assert ada.post(f"{page}/note", words="<b>Look</b> at it").status_code == 302
    answer = ada.get(page)
    assert b"&lt;b&gt;Look" in answer.content
    assert b"<script>alert" not in answer.content


def test_answers_and_the_forms_of_the_law_stand_with_the_report(world: Any) -> None:
    ada = colleague("Ada", "reviewer")
    _, case = reported(world, category="intimate_image")
    report = Report.objects.get()
    follower = By("public", "portal", frozenset({Permission.REPORT_FOLLOW}))
    for code, value in (("age_now", "adult"), ("about", "parent"), ("about", "shown")):
        give_answer(report.id, code, value, by=follower)
    give_answer(report.id, "police", "2020-881", by=follower)
    take_back(report.id, "police", by=follower)
    sign(report.id, "Kari Nordmann", by=follower)
    answer = ada.get(f"/console/case/{case.number}")
    shown = words_of(answer)
    for words in (
        "Age today 18 or over",
        "My child (changed)",
        "Number from the police (withdrawn)",
        "A request under US law to take a picture down: lacks",
        "Signed: Kari Nordmann",
        "says: I am the person shown",
    ):
        assert words in shown, words
    assert "2020-881" not in shown


def test_a_case_is_put_together(world: Any) -> None:
    ben, ada = colleague("Ben", "reviewer"), colleague("Ada", "reviewer")
    _, case = busy_desk(world, ben)
    answer = ada.get(f"/console/case/{case.number}")
    shown = words_of(answer)
    for words in (
        "says: I am the person shown",
        "PD 44-1187",
        "This is me. I was 13.",
        "bits",
        "repost",
        "10,877 views before the report",
        "4 are not confirmed by the site yet.",
    ):
        assert words in shown, words
    states = {fact.term: fact.value for fact in answer.context["items"][0].facts}
    assert states["State"] == "Hidden"
    assert states["Views before the report"] == "9,411"
    # What the site has not confirmed is not called hidden (promise 16).
    assert "10,877 views before the report, 0 since." in shown
    assert answer.context["frozen_at"] is None
    groups = answer.context["cluster"].groups
    assert {each.state for group in groups for each in group.copies} == {
        "Told to hide it, not confirmed"
    }
    sunny = next(each for each in answer.context["actors"] if each["name"] == "@sunny")
    assert [each["outcome"] for each in sunny["earlier"]] == ["Violation"]


def test_views_over_time_add_up_and_never_fall(world: Any) -> None:
    ada = colleague("Ada", "reviewer", signed_in=False)
    one, _ = reported(world)
    two, _ = reported(world, "p2", photo="cat")
    nine_days_of_views(one, 900)
    nine_days_of_views(two, 90)
    points = views_over_time([one.id, two.id], by=ada.by)
    totals = [views for _, views in points]
    assert totals == sorted(totals)
    assert totals[-1] == 990


def test_alarms_are_taken_by_who_may(world: Any) -> None:
    ada, lead = colleague("Ada", "reviewer"), colleague("Lea", "lead")
    _, case = reported(world)
    alarm("deadline.near", about={"case": str(case.id)})
    listed = ada.get("/console/alarms")
    row = listed.context["alarms"][0]
    assert row["number"] == case.number
    assert row["acknowledge_url"] == ""
    taken = lead.get("/console/alarms").context["alarms"][0]["acknowledge_url"]
    assert ada.post(taken).status_code == 403
    assert lead.post(taken).status_code == 302
    assert "No alarm is ringing." in words_of(lead.get("/console/alarms"))
