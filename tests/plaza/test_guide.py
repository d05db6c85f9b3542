"""The guide says what Plaza does, word for word, and what the client promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import plaza
from holdfast.client import PATIENCE_S, REPORT_PATIENCE_S

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "integrate.md"
TEXT = GUIDE.read_text()
EXCERPTS = re.findall(r"```python\n(.*?)\n```", TEXT, re.DOTALL)
SOURCES = [each.read_text() for each in Path(str(plaza.__file__)).parent.glob("*.py")]


def test_the_guide_has_excerpts_for_every_step() -> None:
    assert len(EXCERPTS) >= 12
    assert TEXT.count("```") == 2 * len(EXCERPTS)


@pytest.mark.parametrize("excerpt", EXCERPTS, ids=lambda each: each.split("\n")[0][:40])
def test_every_excerpt_is_plazas_own_code(excerpt: str) -> None:
    assert any(f"{excerpt}\n" in source for source in SOURCES)


def test_the_latencies_in_the_guide_are_those_of_the_client() -> None:
    assert f"`PATIENCE_S` = {PATIENCE_S} s" in TEXT
    assert f"`REPORT_PATIENCE_S` = {REPORT_PATIENCE_S} s" in TEXT
