"""The benchmark of the freeze runs, and everything that was reported is frozen."""

from __future__ import annotations

import json

import pytest

from holdfast_bench import freeze, registered
from holdfast_bench.registered import COPIES, FARTHEST_BITS, Pictures


def test_reports_freeze_what_was_planted(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {
        "WARM_UP": 1,
        "REPORTS": 3,
        "LOOKED_AT": 1,
        "IN_A_ROW": 1,
        "WITH_CODENAME": 1,
    }
    for name, size in sizes.items():
        monkeypatch.setattr(freeze, name, size)
    monkeypatch.setattr(registered, "BATCH_ROWS", 900)
    lines: list[str] = []
    result = freeze.run(n=2_000, progress=lines.append)
    assert json.loads(json.dumps(result)) == result
    assert result["frozen_all"] is True
    assert (result["n"], result["copies"], result["reports"]) == (2_000, 20, 3)
    for kind in ("ms", "ms_looked_at", "ms_in_a_row", "ms_with_codename"):
        assert 0 < result[kind]["p50"] <= result[kind]["p99"]
    assert result["bytes_per_picture"]["postgresql"] > 0
    assert result["web_peak_bytes"] > 0
    assert lines


def test_copies_are_as_far_as_they_are_said_to_be() -> None:
    pictures = Pictures(1_000, 4)
    members = [
        number
        for group in pictures.groups
        for number in (group.original, *group.copies)
    ]
    assert len(set(members)) == 4 * (1 + COPIES)
    made = pictures.fingerprints(range(1_000))[:, 0]
    for group in pictures.groups:
        apart = [
            (
                int.from_bytes(made[copy].tobytes())
                ^ int.from_bytes(made[group.original].tobytes())
            ).bit_count()
            for copy in group.copies
        ]
        assert apart == sorted(apart)
        assert (apart[0], apart[-1]) == (0, FARTHEST_BITS)


def test_few_pictures_mean_few_reports() -> None:
    sizes = freeze.sizes_for(1_000)
    assert all(sizes.values())
    assert sum(sizes.values()) * (1 + COPIES) <= 1_000
