"""Beside Meta's ``vpdq``: the same fingerprints, and no copy that it alone finds."""

from __future__ import annotations

import json

import pytest

from holdfast.signals.pdq import hamming
from holdfast.signals.video import sign_video
from tests.signals import films

vpdq = pytest.importorskip(
    "vpdq", reason="vpdq, an extra that needs a compiler, is not installed"
)


def test_frames_have_the_fingerprints_that_vpdq_gives_them() -> None:
    theirs = vpdq.computeHash(str(films.first()), seconds_per_hash=1)
    ours = {view.at_ms: view.pdq for view in sign_video(films.first()).views}
    pairs = [
        (ours[round(each.timestamp * 1000)], each)
        for each in theirs
        if round(each.timestamp * 1000) in ours
    ]
    assert len(pairs) >= 6
    drift = [hamming(mine.bits, bytes.fromhex(each.hex)) for mine, each in pairs]
    assert max(drift) <= 10
    assert sum(drift) / len(drift) <= 4
    assert max(abs(mine.quality - each.quality) for mine, each in pairs) <= 3


def test_the_bench_runs_tiny() -> None:
    from holdfast_bench.video import run  # noqa: PLC0415

    result = run(n=1)
    assert json.loads(json.dumps(result)) == result
    assert result["ratio_vs_vpdq"] > 0
    assert result["copies_planted"] == 14
    assert result["copies_found"] >= result["vpdq_copies_found"]
    assert result["copies_only_vpdq_found"] == 0
    assert result["wrongly_found"] == 0
    assert result["pairs_unrelated"] == 12
    assert result["keyframes_ratio_vs_vpdq"] > 0
    assert result["ratio_vs_vpdq_per_cpu_second"] > 0
    assert result["cores_busy"].keys() == result["median_ms"].keys()
    assert 0 < result["cores_busy"]["holdfast_one_thread"] <= 1.1
    # Both are measured once, and other work may fall on either.
    assert 0 < result["share_of_bound"]["holdfast_one_thread"] < 10
    assert result["one_slice"]["ratio_vs_vpdq"] > 0
    assert result["keyframes_often"]["every_s"] == 2
