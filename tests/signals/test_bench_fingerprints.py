"""The measurement runs and says what it promises. Times are never asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.base.errors import Unavailable
from holdfast_bench.fingerprints import run

pytest.importorskip("pdqhash", reason="the peer is not installed (holdfast[bench])")


def test_every_key_is_there_and_drift_is_small() -> None:
    lines: list[str] = []
    result = run(n=2, sizes=((640, 480), (1600, 1200)), rounds=1, progress=lines.append)
    assert list(result["sizes"]) == ["640x480", "1600x1200"]
    for size in result["sizes"].values():
        assert size["ratio_vs_pdqhash"] > 0
        assert size["drift_counted"] == size["pictures"] == 2
        assert size["drift_mean_bits"] <= size["drift_max_bits"] <= 10
        assert size["libjpeg_turbo_alone_ms"] > 0
    assert len(lines) == 2


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        run(media=tmp_path)
