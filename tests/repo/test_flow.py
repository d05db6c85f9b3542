"""The flow is whole, and ``docs/flow.md`` shows it as it is.

``HOLDFAST_REDRAW=1 pytest tests/repo/test_flow.py`` draws the picture anew.
"""

from __future__ import annotations

import inspect
import os
from pathlib import Path

from holdfast.base.events import Every, Kind, On, step_name
from holdfast.flow import FLOW

PAGE = Path(__file__).parents[2] / "docs" / "flow.md"
_ARROWS = {False: "-.->", True: "-. slow .->"}
BEGIN, END = "<!-- drawn from flow.py -->", "<!-- end of drawing -->"


def drawn() -> str:
    """The flow as a picture (Mermaid) and a table."""
    lines = ["```mermaid", "flowchart LR"]
    rows = ["| event | at once, in its transaction | soon, as durable jobs | slow |"]
    rows.append("|---|---|---|---|")
    for line in FLOW:
        if isinstance(line, On):
            box = line.kind.replace(".", "_")
            lines.append(f'  {box}(["{line.kind}"])')
            for step in (*line.at_once, *line.soon):
                arrow = "-->" if step in line.at_once else _ARROWS[line.slow]
                name = step_name(step).replace(".operations", "")
                lines.append(f'  {box} {arrow} {box}_{step.__name__}["{name}"]')
            soon = "" if line.slow else _names(line.soon)
            slow = _names(line.soon) if line.slow else ""
            rows.append(f"| `{line.kind}` | {_names(line.at_once)} | {soon} | {slow} |")
    lines.append("```")
    ticks = [
        f"- every {line.seconds} s: {_names(line.steps)}"
        for line in FLOW
        if isinstance(line, Every)
    ]
    return "\n".join([*rows, "", *ticks, "", *lines])


def _names(steps: tuple[object, ...]) -> str:
    return ", ".join(
        f"`{step_name(step).replace('.operations', '')}`"  # type: ignore[arg-type]  # Steps and ticks are both functions.
        for step in steps
    )


def test_the_page_shows_the_flow_as_it_is() -> None:
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    _old, after = rest.split(END)
    new = f"{before}{BEGIN}\n{drawn()}\n{END}{after}"
    if os.environ.get("HOLDFAST_REDRAW"):
        PAGE.write_text(new)
    assert page == new, "Draw it anew: HOLDFAST_REDRAW=1 pytest tests/repo/test_flow.py"


def test_what_is_slow_is_drawn_in_a_lane_of_its_own() -> None:
    [line] = [line for line in drawn().splitlines() if "`item.compared`" in line]
    assert line == "| `item.compared` |  |  | `matching.closer.look_closer` |"
    assert "item_compared -. slow .-> item_compared_look_closer" in drawn()


def test_every_kind_stands_once_and_every_step_says_what_it_is_for() -> None:
    kinds = [line.kind for line in FLOW if isinstance(line, On)]
    assert len(kinds) == len(set(kinds))
    assert set(kinds) <= set(Kind)
    for line in FLOW:
        for step in line.steps if isinstance(line, Every) else line.at_once + line.soon:
            assert inspect.getdoc(step), step_name(step)
