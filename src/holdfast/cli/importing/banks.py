"""``holdfast import bank``: a file of known hashes, with a progress bar."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from holdfast.cli.operator import OPERATOR
from holdfast.matching.bank_files import ImportResult, import_bank
from holdfast.matching.formats import Kind

words = Console(stderr=True)


def import_file(
    file: Path,
    slug: str,
    category: str,
    name: str,
    source: str,
    kind: Kind | None,
    expires_at: datetime | None,
) -> ImportResult:
    """Enter the file's signals into the bank, and tell what came of it."""
    with Progress(
        TextColumn("reading"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=words,
        disable=not words.is_terminal,
    ) as progress:
        total = file.stat().st_size if os.path.isfile(file) else None
        task = progress.add_task("reading", total=total)
        told = import_bank(
            file,
            slug=slug,
            category=category,
            name=name,
            source=source,
            kind=kind,
            expires_at=expires_at,
            progress=lambda read: progress.update(task, completed=read),
            by=OPERATOR,
        )
    _say(told, slug)
    return told


def _say(told: ImportResult, slug: str) -> None:
    for problem in told.problems:
        words.print(f"  line {problem.line}: {escape(problem.why)}", highlight=False)
    if told.problem_count > len(told.problems):
        words.print(
            f"  and {told.problem_count - len(told.problems)} more.", highlight=False
        )
    words.print(
        f"{told.read} signals read, {told.entered} of them new to {slug};"
        f" {told.problem_count} lines not taken.",
        highlight=False,
    )
