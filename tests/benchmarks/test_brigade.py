"""The simulated brigade plays to its end, and its figures are of what happened."""

from __future__ import annotations

from holdfast_bench import brigade
from holdfast_bench.brigade_off import BY_PEOPLE, STAYS_ON, SWITCHES


def test_the_same_people_send_the_same_reports_every_time() -> None:
    arrivals = brigade.arrivals_of(400)
    assert arrivals == brigade.arrivals_of(400)
    assert sum(each.true for each in arrivals) == brigade.TRUE_REPORTS
    assert [each.at_s for each in arrivals] == sorted(each.at_s for each in arrivals)
    # By both doors, by people and by programs, and a few that claim to be the victim.
    false = [each for each in arrivals if not each.true]
    assert 0 < sum(bool(each.account) for each in false) < len(false)
    assert 0 < sum(each.is_program for each in false) < len(false)
    assert 0 < sum(bool(each.claims) for each in false) < 0.1 * len(false)
    for each in arrivals:
        assert bool(each.account) != bool(each.address)


def test_a_small_day_passes_twice_at_holdfast_itself() -> None:
    found = brigade.run(n=40, true_reports=4)
    assert found["brigade_reports"] == 40
    for day in (found["with"], found["without"]):
        assert set(day) == {
            "wrongful_freeze_hours",
            "true_report_delay_s",
            "reviews",
        }
        # Nobody decides before somebody has looked. While a report is taken in the
        # clock goes on, so that it is received a moment after it came.
        assert day["true_report_delay_s"] >= 0.9 * brigade.REVIEW_S
        assert day["reviews"] >= 4
        assert day["wrongful_freeze_hours"] > 0
    # What is switched off is off, and what is on is on.
    assert found["seen"]["with"]["marked_reports"] > 0
    assert found["seen"]["without"]["marked_reports"] == 0
    told = found["defences"]
    assert set(told["switched_off"]) == {*SWITCHES, *BY_PEOPLE}
    assert set(told["on_in_both_runs"]) == set(STAYS_ON)
    assert found["assumptions"]["review_s"] == brigade.REVIEW_S
