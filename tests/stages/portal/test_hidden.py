"""The page for whoever had something hidden: true, and the same for everybody."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from holdfast.decisions.models import StatementOfReasons
from holdfast.decisions.reasons import EXPLAINED_AT, OBJECT_WITHIN_MONTHS
from holdfast.policy import queries as policies
from holdfast.triage.models import Case
from tests.stages.portal import walk
from tests.stages.report.test_whole_way import violate
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db


def page(language: str = "en") -> str:
    """What somebody sees who comes with nothing, but for the mark of its forms."""
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    found = client.get(EXPLAINED_AT)
    assert found["Cache-Control"] == "no-store"
    assert found.cookies.keys() <= {"csrf", "portal"}
    return re.sub(r'(name="csrfmiddlewaretoken" value=")[^"]+', r"\1", found.text)


def test_it_says_the_same_whatever_was_reported_hidden_or_decided(
    world: World,
) -> None:
    item = world.post("1", encoded(photograph("coffee")))
    before = page()
    walk.report(Client())
    assert page() == before
    violate(Case.objects.get(), item)
    assert page() == before


def test_a_statement_leads_to_it_and_promises_no_less(world: World) -> None:
    item = world.post("1", encoded(photograph("coffee")))
    walk.report(Client())
    violate(Case.objects.get(), item)
    said = StatementOfReasons.objects.values_list("words", flat=True)
    assert said
    for words in said:
        assert f"http://127.0.0.1:8300{EXPLAINED_AT}" in words
        assert f"{OBJECT_WITHIN_MONTHS} months" in words
        assert "out-of-court" in words
    assert reverse("portal:hidden") == EXPLAINED_AT
    shown = page()
    for promised in (f"{OBJECT_WITHIN_MONTHS} months", "out-of-court", "It is free"):
        assert promised in shown


@pytest.mark.parametrize(("language", "days"), [("en", "days"), ("nb", "dager")])
def test_it_tells_the_longest_time_and_so_not_what_a_thing_was_taken_for(
    world: World, language: str, days: str
) -> None:
    policy = policies.current()
    hours = {clock.hours for clock in policy.clocks if clock.code == "decision"}
    assert policy.decided_within_h() == max(hours)
    with translation.override(language):
        assert f"{max(hours) / 24:.0f} {days}" in page(language)


def test_it_stands_last_on_the_first_page_below_everything_for_who_reports(
    world: World,
) -> None:
    first = Client().get("/").text
    main = first[first.index("<main") : first.index("</main")]
    links = re.findall(r'href="([^"]+)"', main)
    assert links[-1] == EXPLAINED_AT
    assert main.count(EXPLAINED_AT) == 1


def test_it_takes_no_objection_and_asks_for_nothing(world: World) -> None:
    shown = page()
    main = shown[shown.index("<main") : shown.index("</main")]
    assert "<form" not in main
    assert "<input" not in main
    assert 'id="helplines-title"' in shown, "Help near by is for them, too."
    assert Client().post(EXPLAINED_AT).status_code == 405
