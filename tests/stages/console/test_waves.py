"""The picture of a wave, and misuse decided by people, through the pages."""

from __future__ import annotations

import pytest

from holdfast.base.events import Kind
from holdfast.base.models import Event
from holdfast.intake.models import Report
from holdfast.items.models import Actor
from holdfast.notifications.alarms import open_alarm
from holdfast.triage.waves import MOST_SHOWN, watch_waves
from tests.stages.console.desk import colleague, words_of
from tests.stages.door.test_waves_and_misuse import (
    INTENTION,
    REASON,
    report,
    unfounded,
)
from tests.world import World

pytestmark = pytest.mark.django_db


def test_an_alarm_leads_to_the_picture_of_its_wave(world: World) -> None:
    world.post("1", text="words", actor="harmless")
    for number in range(25):
        report(world, "1", reporter=f"r{number}")
    watch_waves(Event.objects.filter(kind=Kind.REPORT_RECEIVED).latest("id"))
    lead = colleague("Lea", "lead")
    url = f"/console/waves/{Actor.objects.get(external_id='harmless').id}"
    open_alarm(Event.objects.get(facts__code="report.wave"))
    assert url in lead.get("/console/alarms").content.decode()
    said = words_of(lead.get(url))
    assert "25 reports in the last day, 0 of them marked" in said
    assert "does not move the queue" in said
    assert f"/console/reporters/{Actor.objects.get(external_id='r0').id}" in (
        lead.get(url).content.decode()
    )
    assert "/console/reporters/" not in (
        colleague("Ada", "reviewer").get(url).content.decode()
    )


def test_an_alarm_of_one_place_leads_to_all_that_came_from_there(world: World) -> None:
    for number in range(25):
        world.post(f"{number}", text="words", actor=f"a{number}")
        report(world, f"{number}", address="81.2.69.160")
        watch_waves(Event.objects.filter(kind=Kind.REPORT_RECEIVED).latest("id"))
    raised = Event.objects.filter(facts__code="report.wave_from_one_place")
    assert raised.count() > 1
    for each in raised:
        open_alarm(each)
    lead = colleague("Lea", "lead")
    url = f"/console/waves/from/{Report.objects.earliest('received_at').id}"
    # One wave is one alarm, whoever it is about.
    assert lead.get("/console/alarms").content.decode().count(url) == 1
    said = words_of(lead.get(url))
    assert "25 reports in the last day, 0 of them marked" in said
    about = Actor.objects.get(external_id="a24").id
    assert lead.get(url).content.decode().count('href="/console/waves/') == MOST_SHOWN
    unknown = lead.get(f"/console/waves/from/{about}")
    assert unknown.status_code == 404


def test_a_warning_then_a_suspension_then_it_is_lifted(world: World) -> None:
    actor, before = unfounded(world, 3)
    lead = colleague("Lea", "lead")
    url = f"/console/reporters/{actor}"
    assert colleague("Ada", "reviewer").get(url).status_code == 403
    given = {"intention": INTENTION, "reason": REASON}
    refused = lead.post(url, unfounded=[str(before[0])], **given)
    assert refused.status_code == 422
    assert "frequent" in words_of(refused)
    assert INTENTION in refused.content.decode()
    lead.post(url, unfounded=[str(each) for each in before], **given)
    _actor, after = unfounded(world, 3, start=10)
    page = lead.get(url)
    assert "Warned:" in words_of(page)
    assert str(before[0]) not in page.content.decode()
    lead.post(url, unfounded=[str(each) for each in after], days="14", **given)
    said = words_of(lead.get(url))
    assert "kept and not worked on, except those about a child" in said
    suspension = lead.get(url).context["standing"].suspension_id
    lead.post(f"{url}/lift/{suspension}")
    assert lead.get(url).context["standing"].suspended_until is None
