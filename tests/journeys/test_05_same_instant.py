"""Many reports of one item at the same instant: one case, every report in it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.journeys.town import Town

AT_ONCE = 12


def test_reports_at_the_same_instant_are_one_case(town: Town) -> None:
    item = town.post()
    together = Barrier(AT_ONCE)

    def report(_: int) -> str:
        together.wait()
        return town.report(item)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        numbers = list(pool.map(report, range(AT_ONCE)))
    assert len(set(numbers)) == AT_ONCE
    placed = town.rows(
        "select r.number, p.case_id from hf_report r join hf_target t on"
        " t.report_id = r.id join hf_case_target p on p.target_id = t.id"
        " where r.number = any(%s)",
        numbers,
    )
    assert {row[0] for row in placed} == set(numbers)
    assert len({row[1] for row in placed}) == 1
    town.until(lambda: town.confirmed(item, "frozen"), "the freeze is confirmed")
    assert town.happened(item, "frozen") == 1
    # The clock runs from the first of them.
    from_first = town.value(
        "select c.clock_from = (select min(received_at) from hf_report where number ="
        " any(%s)) from hf_case c where c.id = %s",
        numbers,
        placed[0][1],
    )
    assert from_first is True
