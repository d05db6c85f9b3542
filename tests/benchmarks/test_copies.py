"""The benchmark of the search runs, and what it compares finds the same."""

from __future__ import annotations

import json

import pytest

from holdfast.base.errors import Unavailable
from holdfast_bench import copies
from holdfast_bench.report import RESULTS

pytest.importorskip("faiss", reason="FAISS is a peer, and not needed to run Holdfast")
pytest.importorskip("threatexchange", reason="a peer, and not needed to run Holdfast")


def test_all_engines_find_what_was_planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "FIRST_SIZE", 2_500)
    monkeypatch.setattr(copies, "SINGLES", 20)
    monkeypatch.setattr(copies, "ROUNDS", 1)
    lines: list[str] = []
    result = copies.run(n=25_000, progress=lines.append)
    assert json.loads(json.dumps(result)) == result
    assert [each["n"] for each in result["growth"]] == [2_500, 25_000]
    # The smaller is scanned and the larger has tables.
    assert [each["words"] for each in result["growth"]] == [0, 16]
    for each in (result, *result["growth"]):
        assert each["recall"] == 1.0
        assert set(each["recalls"].values()) == {1.0}
        assert each["all_agree"]
        assert set(each["single_ms"]) == {"p50", "p99"}
        for key in (
            "ratio_vs_threatexchange",
            "ratio_vs_faiss_flat",
            "bytes_per_fingerprint",
            "start_s",
            "flat_scan_bound_ms",
        ):
            assert each[key] > 0
    assert result["n"] == 25_000
    assert lines


def test_at_the_head_is_the_largest_size_that_every_peer_was_measured_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copies, "FIRST_SIZE", 500)
    monkeypatch.setattr(copies, "SINGLES", 2)
    monkeypatch.setattr(copies, "ROUNDS", 1)
    # Its memory is enough for the second size, and not for the third.
    room = 5_001 * copies.THREATEXCHANGE_ROW_BYTES
    monkeypatch.setattr(copies, "available_bytes", lambda: room)
    result = copies.run(n=6_000)
    assert [each["n"] for each in result["growth"]] == [500, 5_000, 6_000]
    assert result["growth"][-1]["ratio_vs_threatexchange"] is None
    assert (result["n"], result["largest_n"]) == (5_000, 6_000)
    assert result["growth"][1].items() <= result.items()
    assert copies.assembled_anew(result) == result


def test_the_head_of_what_was_kept_has_every_ratio() -> None:
    kept = json.loads((RESULTS / "copies.json").read_text())
    assert copies.assembled_anew(kept) == kept
    assert kept["ratio_vs_threatexchange"] > 0
    assert kept["largest_n"] >= kept["n"]


def test_a_missing_peer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_missing", "faiss")
    with pytest.raises(Unavailable, match=r"holdfast\[bench\]") as refused:
        copies.run(n=10)
    assert "missing=faiss" in refused.value.diagnostics()
