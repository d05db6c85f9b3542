"""The simulated brigade plays to its end, and its figures are of what happened."""

from __future__ import annotations

from holdfast_bench import brigade


def test_the_same_people_send_the_same_reports_every_time() -> None:
    arrivals = brigade.arrivals_of(50)
    assert arrivals == brigade.arrivals_of(50)
    assert sum(each.true for each in arrivals) == brigade.TRUE_REPORTS
    assert [each.at_s for each in arrivals] == sorted(each.at_s for each in arrivals)


def test_a_small_day_ends_with_every_true_report_decided() -> None:
    found = brigade.run(n=60)
    assert found["brigade_reports"] == 60
    for desk in (found["with"], found["without"]):
        # Nobody decides before somebody has looked.
        assert desk["true_report_delay_s"] >= brigade.REVIEW_S
        assert desk["reviews"] >= brigade.TRUE_REPORTS
        assert desk["wrongful_freeze_hours"] > 0
    # One look at a post answers all its reports, and counts move nothing.
    assert found["with"]["reviews"] <= found["without"]["reviews"]
    hidden = [found[desk]["wrongful_freeze_hours"] for desk in ("with", "without")]
    assert hidden[0] < hidden[1]
