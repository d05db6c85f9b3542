"""The CyberTipline fails in every way: one report is filed in the end, and only one.

Against the double's real HTTP: a refusal, a lost answer, silence. Silence takes a
minute, which is our own time-out, so it begins first and is looked at last.
"""

from __future__ import annotations

import pytest

from tests.journeys.town import Town

SILENCE_S = 110.0
"""A minute until the client gives up, and the attempts after it."""
FAILURES = (
    ("submit", "http_500"),
    ("submit", "drop_after"),
    ("upload", "damaged"),
    ("fileinfo", "busy"),
    ("finish", "drop_after"),
)


@pytest.mark.timeout(280)
def test_one_report_is_filed_in_the_end(town: Town) -> None:
    silent = _decided(town, "upload", "hang_after")
    town.until(lambda: _tried(town, silent), "it was begun")
    for step, kind in FAILURES:
        item = _decided(town, step, kind)
        _wait_until_filed(town, item, f"{step} {kind}")
        _filed_once(town, item)
    _wait_until_filed(town, silent, "a silence")
    _filed_once(town, silent)


def _decided(town: Town, step: str, kind: str) -> str:
    item = town.post()
    town.report(item)
    town.until(lambda: town.confirmed(item, "frozen"), "the freeze is confirmed")
    town.stage.double.fail(step, kind)
    town.decide(item)
    return item


def _wait_until_filed(town: Town, item: str, after: str) -> None:
    town.until(
        lambda: bool(town.finished_referrals(item)), f"filed after {after}", SILENCE_S
    )


def _tried(town: Town, item: str) -> bool:
    return bool(_exchanges(town, item))


def _filed_once(town: Town, item: str) -> None:
    assert len(town.finished_referrals(item)) == 1
    # Every other report that was begun for it stays unfinished, and so is filed with
    # nobody: the double deletes it after its hour, or it was withdrawn.
    assert any(failure for failure in _exchanges(town, item)), "nothing failed"


def _exchanges(town: Town, item: str) -> list[bool]:
    """Every request to the authority about this item: whether it failed."""
    rows = town.rows(
        "select e.failure <> '' or coalesce(e.response_code, 0) <> 0 or"
        " coalesce(e.status, 0) <> 200 from hf_exchange e"
        " join hf_referral r on r.id = e.referral_id"
        " join hf_case_item p on p.case_id = r.case_id"
        " join hf_item i on i.id = p.item_id where i.external_id = %s",
        item,
    )
    return [bool(row[0]) for row in rows]
