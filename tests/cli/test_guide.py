"""What the guide tells people to type is understood, and what it says is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from holdfast.cli import find, importing
from holdfast.cli.importing.manifest import read_manifest
from holdfast.cli.importing.work import MAX_UPLOAD_BYTES
from holdfast.policy.queries import current
from holdfast.web.api.limits import PER_S
from tests.world import World

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "integrate.md").read_text()
COMMANDS = re.findall(r"^    holdfast (.+)$", GUIDE, re.MULTILINE)


def understood(command: str) -> dict[str, Any]:
    """The options of a command as the program reads them; raises for unknown ones."""
    name, *rest = shlex.split(command)
    module: Any = {"find": find, "import": importing}[name]
    found: Any = typer.main.get_group(module.app).commands[name]
    if name == "import":
        found = found.commands[rest.pop(0)]
    context = found.make_context(name, rest)
    values: dict[str, Any] = context.params
    return values


@pytest.mark.parametrize("command", COMMANDS)
def test_what_the_guide_types_is_understood(command: str) -> None:
    assert any(value for value in understood(command).values())


def test_the_guide_shows_every_way() -> None:
    ways = {" ".join(command.split()[:2]) for command in COMMANDS}
    assert {"import media", "import bank", "find picture.jpg"} <= ways
    for option in ("--problems", "--no-check", "--platform"):
        understood(f"import media x {option} y".replace("--no-check y", "--no-check"))


def test_the_manifest_in_the_guide_is_one(tmp_path: Path) -> None:
    lines = GUIDE[GUIDE.index("    path,id") :].partition("\n\n")[0]
    manifest = tmp_path / "which.csv"
    manifest.write_text("\n".join(line.strip() for line in lines.splitlines()))
    [(path, item, facts)] = read_manifest(manifest)
    assert (path, item) == (b"2019/12/a.jpg", "post-88213")
    assert set(facts) == {"actor", "url", "posted_at", "kind"}


def test_the_numbers_in_the_guide_are_those_of_the_code() -> None:
    assert f"up to {MAX_UPLOAD_BYTES // 2**20} MiB an item" in GUIDE
    assert f"one key makes {PER_S:.0f} requests a second" in GUIDE


@pytest.mark.django_db
def test_the_category_in_the_guide_is_the_policys(world: World) -> None:
    [command] = [each for each in COMMANDS if each.startswith("import bank")]
    codes = {category.code for category in current().categories}
    assert understood(command)["category"] in codes
