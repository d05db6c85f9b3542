"""Commands and the log of the program that they run in."""

from __future__ import annotations

import logging

from typer.testing import CliRunner

from holdfast.cli import holdfast


def test_a_command_inside_another_program_leaves_its_log_alone() -> None:
    before = list(logging.getLogger().handlers)
    said = CliRunner().invoke(holdfast, ["find", "--help"])
    assert said.exit_code == 0
    assert logging.getLogger().handlers == before
