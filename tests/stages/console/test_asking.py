"""Staff ask a reporter a set question, and see what was taken back."""

from __future__ import annotations

import pytest

from holdfast.base.by import anyone
from holdfast.intake.models import Report
from holdfast.intake.operations import add_to_report
from holdfast.intake.returning import erase_addition
from holdfast.notifications.models import Notification
from tests.stages.console.desk import case_of, colleague, words_of
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db


def test_a_question_is_asked_from_the_page_of_the_case(world: World) -> None:
    item = world.post("p1", encoded(photograph()))
    world.report("https://plaza.example/p/p1", wants_codename=True)
    report, case = Report.objects.get(), case_of(item)
    ada = colleague("Ada", "reviewer")
    shown = words_of(ada.get(f"/console/case/{case.number}"))
    assert "Is there a grown-up you trust who knows about it?" in shown
    ask = f"/console/case/{case.number}/ask/{report.id}"
    assert ada.post(ask, question="trusted_adult").status_code == 302
    assert Notification.objects.get(template="asked_trusted_adult").report == report
    again = words_of(ada.get(f"/console/case/{case.number}"))
    assert "Is there a grown-up you trust who knows about it?" not in again
    ada.post(ask, question="Send me a picture")
    assert Notification.objects.count() == 1
    guard = colleague("Gil", "administrator")
    guard.post(ask, question="more")
    assert Notification.objects.count() == 1


def test_what_was_erased_is_seen_to_have_been(world: World) -> None:
    item = world.post("p1", encoded(photograph()))
    world.report("https://plaza.example/p/p1", wants_codename=True)
    report, case = Report.objects.get(), case_of(item)
    reporter = anyone("portal")
    add_to_report(report.id, "words", "My name is Kim.", by=reporter)
    ada = colleague("Ada", "reviewer")
    assert "My name is Kim." in words_of(ada.get(f"/console/case/{case.number}"))
    erase_addition(report.id, report.additions.get().id, by=reporter)
    shown = words_of(ada.get(f"/console/case/{case.number}"))
    assert "My name is Kim." not in shown
    assert "erased by the reporter" in shown
