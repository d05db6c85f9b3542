"""The whole story once, as a newcomer runs it, and what it measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from holdfast.demo.pictures import Album, make_album

TIMEOUT_S = 280
PICTURES = 150
"""Fewer than a visitor sees, so that the journey leaves time for the others."""


class Run:
    """What one run left behind."""

    def __init__(self, folder: Path) -> None:
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.temporary.chmod(0o711)
        file = folder / "demo.json"
        environment = {**os.environ, "TMPDIR": str(self.temporary)}
        program = [sys.executable, "-c", "from holdfast.cli import main; main()"]
        options = ["--no-serve", "--json", str(file), "--pictures", str(PICTURES)]
        self.done = subprocess.run(
            [*program, "demo", *options],
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert self.done.returncode == 0, self.done.stdout + self.done.stderr
        self.told: dict[str, Any] = json.loads(file.read_text())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The demo, once."""
    folder = tmp_path_factory.mktemp("nine-days")
    # The database runs as another user when the tests run as root.
    for each in (folder, folder.parent, folder.parent.parent):
        each.chmod(each.stat().st_mode | 0o011)
    return Run(folder)


@pytest.fixture(scope="module")
def planted() -> Album:
    """The same pictures, made again: they are the same on every machine."""
    return make_album(1)


@pytest.mark.timeout(TIMEOUT_S + 20)
def test_everything_the_platform_could_find_is_frozen_and_nothing_else(
    run: Run, planted: Album
) -> None:
    copies = run.told["copies"]
    within = sum(each.within_reach or each.seen_closer for each in planted.planted)
    assert any(each.seen_closer for each in planted.planted)
    assert copies["planted"] == len(planted.planted)
    # What only may be a copy stays up until people have said that it is one.
    assert copies["found"] == within
    # The reported one, its copies in reach, a re-upload that was born frozen, and
    # what the crowd reposted.
    assert copies["frozen"] >= within + 2
    assert copies["wrongly_frozen"] == 0
    assert copies["registered_pictures"] >= PICTURES + copies["planted"] + 1


def test_nothing_is_seen_passed_on_or_earned_after_the_freeze(run: Run) -> None:
    exposure = run.told["exposure"]
    assert exposure["views"]["before_report"] > 0
    assert exposure["reposts"]["before_report"] > 0
    assert exposure["advert_earnings"]["before_report"] > 0
    for kind in ("views", "reposts", "advert_earnings"):
        assert exposure[kind]["after_freeze"] == 0


def test_three_reports_are_one_case_and_people_decide_it(run: Run) -> None:
    assert run.told["reports"] == {"received": 3, "cases": 1}
    assert run.told["reveals"] == 3
    assert run.told["messages_sent"] >= 3
    seconds = run.told["seconds"]
    assert 0 < seconds["report_to_frozen"] < seconds["report_to_decision"]
    assert 0 < seconds["report_to_confirmed"] < seconds["report_to_decision"]
    assert seconds["decision_to_referral_finished"] > 0


def test_the_referral_is_valid_and_says_truly_that_staff_viewed_the_file(
    run: Run,
) -> None:
    referral = run.told["referral"]
    assert referral["number"]
    assert referral["xml_valid"] is True
    assert referral["file_viewed_by_esp"] is True
    assert "NOT FILED" in run.done.stdout


def test_the_log_proves_every_event(run: Run) -> None:
    assert run.told["log"]["events"] > 100
    assert run.told["log"]["verified"] is True


def test_the_first_reader_alone_cannot_clear_it(run: Run) -> None:
    said = " ".join(run.done.stdout.split())
    assert "takes two people here" in said
    assert "nightowl suspended, sam_16 active, classmate active" in said


def test_nothing_is_left_running_or_lying_about(run: Run) -> None:
    assert list(run.temporary.iterdir()) == []
    place = str(run.temporary).encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found = (process / "cmdline").read_bytes() + (
                process / "environ"
            ).read_bytes()
        except OSError:
            continue  # It ended meanwhile, or is not ours to look into.
        assert place not in found, process.name
