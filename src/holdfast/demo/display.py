"""What the visitor sees: each thing as it happens, and the ledger beside it.

In a terminal the ledger stays below the lines and is kept fresh; without one, plain
lines are printed and the ledger follows each scene. Shows numbers that were measured
and nothing else; the column of the real case is what its complaint alleges, and says
so. Source of that column: Doe v. Twitter (N.D. Cal. 3:21-cv-00485), complaint, 89-91.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from holdfast.base.errors import HoldfastError

ALLEGED_DAYS = 9
ALLEGED_VIEWS = 167_000
ALLEGED_REPOSTS = 2_223
"""What the complaint alleges of the real case; no trial has found facts."""
ALLEGED_WORDS = "alleged in the real case"
LEDGER_EVERY_S = 0.5
MICROS = 1_000_000

Ledger = Mapping[str, Any]
PHASES = (
    ("before_report", "before the report"),
    ("report_to_freeze", "report to freeze"),
    ("after_freeze", "after the freeze"),
)


class Display:
    """Use as a context manager. ``ask`` gives the ledger's numbers, or raises."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self._began = time.monotonic()
        self._ask: Callable[[], Ledger] | None = None
        self._ledger: Ledger | None = None
        self._stop = threading.Event()
        self._live = Live(
            console=self.console,
            refresh_per_second=4,
            get_renderable=self._renderable,
            transient=True,
        )
        self._asker = threading.Thread(target=self._keep_asking, daemon=True)

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live.start()
            self._asker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self.console.is_terminal:
            self._asker.join(2)
            self._live.stop()

    def scene(self, when: str, title: str) -> None:
        """A new scene: when it was in the real case, and what happens."""
        if not self.console.is_terminal and self._ask is not None:
            self.refresh()
            if self._ledger is not None:
                self.console.print(self._plain(self._ledger), highlight=False)
        self.console.print()
        self.console.print(Text.assemble((when, "bold reverse"), "  ", (title, "bold")))

    def tell(self, words: str, seconds: float | None = None) -> None:
        """One thing that happened; ``seconds`` is how long it took, if measured."""
        at = time.monotonic() - self._began
        line = Text(f"  {at:6.1f} s  ", style="dim")
        line.append(words, style="default")
        if seconds is not None:
            line.append(f"  [{span(seconds)}]", style="bold green")
        self.console.print(line, highlight=False)

    def watch(self, ask: Callable[[], Ledger]) -> None:
        """From now on show the ledger that ``ask`` answers."""
        self._ask = ask

    def refresh(self) -> None:
        """Ask for the ledger now."""
        if self._ask is not None:
            # The network may be busy; the last numbers stand until it answers.
            with suppress(HoldfastError, OSError, ValueError):
                self._ledger = self._ask()

    def _keep_asking(self) -> None:
        while not self._stop.wait(LEDGER_EVERY_S):
            self.refresh()

    def _renderable(self) -> Group:
        if self._ledger is None:
            return Group()
        return Group(Text(), ledger_table(self._ledger))

    def _plain(self, ledger: Ledger) -> str:
        return "  ledger:  " + ";  ".join(
            f"{label}: {ledger['views'][phase]} views, {ledger['reposts'][phase]}"
            f" reposts, {euros(ledger['advert_earnings_micros'][phase])}"
            for phase, label in PHASES
        )


def ledger_table(ledger: Ledger) -> Table:
    """Views, reposts and earnings by phase, beside what the complaint alleges."""
    table = Table(
        title="The ledger, as the network itself counts", title_justify="left"
    )
    table.add_column("")
    for _, label in PHASES:
        table.add_column(label, justify="right")
    table.add_column(ALLEGED_WORDS, justify="right", style="dim")
    rows: tuple[tuple[str, str, Callable[[int], str], str], ...] = (
        ("views", "views", _number, f"{ALLEGED_VIEWS:,} in {ALLEGED_DAYS} days"),
        ("reposts", "reposts", _number, f"{ALLEGED_REPOSTS:,}"),
        ("advert earnings", "advert_earnings_micros", euros, "adverts beside them"),
    )
    for label, kind, shown, alleged in rows:
        numbers = [shown(ledger[kind][phase]) for phase, _ in PHASES]
        table.add_row(label, *numbers, alleged)
    return table


def summary_table(told: Mapping[str, Any]) -> Table:
    """The JSON object for people."""
    table = Table(title="What was measured", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    seconds, copies = told["seconds"], told["copies"]
    for label, value in (
        ("report to frozen", span(seconds["report_to_frozen"])),
        ("report to confirmed by the network", span(seconds["report_to_confirmed"])),
        (f"  {ALLEGED_WORDS}", f"{ALLEGED_DAYS} days"),
        (
            "  what a closer look found",
            span(seconds["report_to_closer_confirmed"]),
        ),
        ("report to decision by people", span(seconds["report_to_decision"])),
        (
            "decision to referral finished (test double: NOT FILED)",
            span(seconds["decision_to_referral_finished"]),
        ),
        ("pictures registered", copies["registered_pictures"]),
        ("copies planted / found", f"{copies['planted']} / {copies['found']}"),
        ("frozen / wrongly frozen", f"{copies['frozen']} / {copies['wrongly_frozen']}"),
        ("reports / cases", "{received} / {cases}".format(**told["reports"])),
        ("originals opened by people", told["reveals"]),
        ("messages to reporters", told["messages_sent"]),
        ("events in the log, verified", "{events}, {verified}".format(**told["log"])),
    ):
        table.add_row(label, "not measured" if value is None else str(value))
    return table


def span(seconds: float | None) -> str:
    """A span as people say it."""
    if seconds is None:
        return "not measured"
    return f"{seconds * 1000:.0f} ms" if seconds < 2 else f"{seconds:.1f} s"


def euros(micros: int) -> str:
    """Earnings in euros."""
    return f"{micros / MICROS:.4f} EUR"


def _number(value: int) -> str:
    return f"{value:,}"
