"""The platform is down: freezes wait, retry and alarm, and are confirmed afterwards."""

from __future__ import annotations

import pytest

from tests.journeys.town import Town

ALARM_WITHIN_S = 60.0
"""Half a minute until an unconfirmed freeze alarms, and the ticks that look for it."""
BACK_WITHIN_S = 45.0


@pytest.mark.timeout(200)
def test_a_freeze_waits_for_the_platform_and_alarms(town: Town) -> None:
    item = town.post()
    assert town.shown(item)
    town.stage.supervisor.end("plaza")
    try:
        town.report(item)
        town.until(lambda: _tries(town, item) >= 2, "it is tried again")
        assert not town.confirmed(item, "frozen")
        town.until(
            lambda: _alarms(town, item) > 0, "people are alarmed", ALARM_WITHIN_S
        )
        # What is not confirmed is never said to be hidden (promise 16).
        assert _state(town, item) == ("frozen", "visible")
    finally:
        town.stage.supervisor.start(town.stage.programs["plaza"])
    town.until(lambda: town.confirmed(item, "frozen"), "it is confirmed", BACK_WITHIN_S)
    assert not town.shown(item)
    assert town.happened(item, "frozen") == 1


def _tries(town: Town, item: str) -> int:
    return int(
        town.value(
            "select max(d.attempts) from hf_delivery d join hf_item i on"
            " i.id = d.item_id where i.external_id = %s and d.verb = 'freeze'",
            item,
        )
    )


def _alarms(town: Town, item: str) -> int:
    """Alarms about an unconfirmed freeze, since this one was ordered."""
    return int(
        town.value(
            "select count(*) from hf_event e where e.kind = 'alarm.raised'"
            " and e.facts->>'code' = 'freeze.unconfirmed'"
            " and e.at >= (select min(d.ordered_at) from hf_delivery d"
            " join hf_item i on i.id = d.item_id where i.external_id = %s)",
            item,
        )
    )


def _state(town: Town, item: str) -> tuple[str, str]:
    told = town.api("GET", f"/items/{item}").json()
    return told["state"], told["confirmed_state"]
