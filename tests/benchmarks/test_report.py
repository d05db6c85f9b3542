"""The page about speed says what was measured, and nothing else."""

from __future__ import annotations

from holdfast_bench.report import PAGE, RESULTS, SECTIONS, page


def test_the_page_is_made_from_the_measurements() -> None:
    assert PAGE.read_text() == page()


def test_every_benchmark_has_been_measured_and_is_on_the_page() -> None:
    assert {file.stem for file in RESULTS.glob("*.json")} == set(SECTIONS)
