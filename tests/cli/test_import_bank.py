"""``holdfast import bank``: known hashes from a file, or a word of what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from holdfast.base.errors import InvalidInput
from holdfast.cli import importing
from holdfast.matching.models import Bank, BankEntry
from holdfast.signals.sign import sign_picture
from tests.world import World, encoded, photograph


@pytest.mark.django_db
def test_a_bank_comes_from_a_file(world: World, tmp_path: Path) -> None:
    picture = encoded(photograph())
    pdq = sign_picture(picture).views[0].pdq.hex()
    hashes = tmp_path / "hashes.txt"
    hashes.write_text(f"{pdq}\nnot a hash\n")
    options = ["--bank", "partner", "--category", "child_other", "--kind", "pdq"]
    command = ["import", "bank", str(hashes), *options]
    said = CliRunner().invoke(importing.app, command)
    assert said.exit_code == 1, said.output
    assert "line 2" in said.stderr
    assert "1 of them new to partner" in " ".join(said.stderr.split())
    assert BankEntry.objects.filter(bank__slug="partner").count() == 1
    hashes.write_text(f"{pdq}\n")
    assert CliRunner().invoke(importing.app, command).exit_code == 0
    assert BankEntry.objects.filter(bank__slug="partner").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "options", "why"),
    [
        ("", ["--bank", "new", "--category", "child_other"], "The file is empty"),
        ("no hash\n", ["--bank", "new", "--category", "child_other"], "bad line is 1"),
        ("MD5", ["--bank", "new"], "with --category.*child_other"),
        ("MD5", ["--bank", "New one", "--category", "child_other"], "lower-case"),
        ("MD5", ["--bank", "x" * 81, "--category", "child_other"], "up to 80"),
        ("MD5", ["--bank", "new", "--category", "nonsense"], "no category of"),
    ],
)
def test_what_is_wrong_is_said_and_leaves_no_bank(
    world: World, tmp_path: Path, text: str, options: list[str], why: str
) -> None:
    file = tmp_path / "hashes.txt"
    file.write_text(text.replace("MD5", "0" * 31 + "1\n"))
    before = set(Bank.objects.values_list("slug", flat=True))
    said = CliRunner().invoke(importing.app, ["import", "bank", str(file), *options])
    assert isinstance(said.exception, InvalidInput), said.output
    with pytest.raises(InvalidInput, match=why):
        raise said.exception
    assert set(Bank.objects.values_list("slug", flat=True)) == before


@pytest.mark.django_db
def test_a_name_that_no_file_can_have_is_refused_with_a_word(world: World) -> None:
    command = ["import", "bank", "a" * 300, "--bank", "b", "--category", "child_other"]
    said = CliRunner().invoke(importing.app, command)
    assert isinstance(said.exception, InvalidInput), said.exception
