"""SIGKILL at any point: nothing is lost, nothing is done twice that may not be.

A bare installation, no crowd. Each moment is held open by stopping (SIGSTOP) whoever
would end it, so that the kill surely falls into it. How long it took until everything
was done again is measured, asserted, and kept as a property of the test.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.journeys.town import Town

AGAIN_WITHIN_S = 45.0
"""From the kill until everything is done, on a busy machine with two cores. A dead
worker is noticed after 6 s (``base.jobs.STALLED_AFTER_S``), the supervisor waits up to
4 s more after several deaths in a row, and a process starts in a few."""
IN_THE_MIDDLE_S = 0.4
"""Long enough for the worker to be waiting for an answer that does not come."""

Kill = Callable[[], None]


@pytest.mark.parametrize("victim", ["worker", "web", "database"])
def test_after_the_report_was_accepted_and_before_its_delivery(
    town: Town, victim: str, record_property: Callable[[str, object], None]
) -> None:
    item = town.post()
    with town.held("worker"):
        number = town.report(item)
        assert town.shown(item)
        town.kill(victim)
    record_property("seconds", _frozen_again(town, item))
    _one_case(town, item, number)


@pytest.mark.parametrize("victim", ["worker", "database"])
def test_during_the_delivery(
    town: Town, victim: str, record_property: Callable[[str, object], None]
) -> None:
    item = town.post()
    with town.held("plaza"):
        number = town.report(item)
        time.sleep(IN_THE_MIDDLE_S)
        town.kill(victim)
    record_property("seconds", _frozen_again(town, item))
    _one_case(town, item, number)


def test_during_the_sealing(
    town: Town, record_property: Callable[[str, object], None]
) -> None:
    item = town.post()
    number = town.report(item)
    # The steps that follow from the report have begun by now, and not all have ended.
    town.kill("worker")
    record_property("seconds", _frozen_again(town, item))
    town.until(lambda: _sealed(town, item) > 0, "the original is sealed")
    _one_case(town, item, number)
    town.decide(item)
    _all_done(town, item)


@pytest.mark.parametrize("victim", ["worker", "web", "database"])
def test_between_the_decision_and_the_end_of_its_referral(
    town: Town, victim: str, record_property: Callable[[str, object], None]
) -> None:
    item = town.post()
    town.report(item)
    town.until(lambda: town.confirmed(item, "frozen"), "the freeze is confirmed")
    with town.held("double"):
        town.decide(item)
        time.sleep(IN_THE_MIDDLE_S)
        town.kill(victim)
    record_property("seconds", _all_done(town, item))


def _frozen_again(town: Town, item: str) -> float:
    took = town.until(lambda: town.confirmed(item, "frozen"), "the freeze is confirmed")
    assert took < AGAIN_WITHIN_S
    assert not town.shown(item)
    # It may be told twice; the network does it once, by its number.
    assert town.happened(item, "frozen") == 1
    return took


def _one_case(town: Town, item: str, number: str) -> None:
    assert town.value("select count(*) from hf_report where number = %s", number) == 1
    cases = town.rows(
        "select distinct p.case_id from hf_case_target p"
        " join hf_target t on t.id = p.target_id join hf_report r on r.id = t.report_id"
        " where r.number = %s",
        number,
    )
    assert len(cases) == 1
    freezes = town.value(
        "select count(*) from hf_freeze f join hf_item i on i.id = f.item_id"
        " where i.external_id = %s",
        item,
    )
    assert freezes == 1


def _sealed(town: Town, item: str) -> int:
    return int(
        town.value(
            "select count(*) from hf_preservation p join hf_item i on i.id = p.item_id"
            " where i.external_id = %s and p.media_id is not null",
            item,
        )
    )


def _all_done(town: Town, item: str) -> float:
    """Removed, and one referral finished: seconds until both were so."""
    took = town.until(
        lambda: town.confirmed(item, "removed") and bool(town.finished_referrals(item)),
        "removed and referred",
    )
    assert took < AGAIN_WITHIN_S
    assert len(town.finished_referrals(item)) == 1
    assert town.happened(item, "removed") == 1
    decisions = town.value(
        "select count(*) from hf_decision d join hf_case_item p on p.case_id ="
        " d.case_id join hf_item i on i.id = p.item_id where i.external_id = %s",
        item,
    )
    assert decisions == 1
    return took
