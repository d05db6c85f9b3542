"""The commands ``holdfast bank``, ``exchange`` and ``export``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from holdfast.base import clock
from holdfast.base.errors import HoldfastError, InvalidInput, NotFound
from holdfast.cli import COMMANDS, banks
from holdfast.cli.banks import CREDENTIALS_VARIABLE
from holdfast.cli.check import outbound
from holdfast.cli.operator import OPERATOR
from holdfast.matching.bank import open_bank, revoke
from holdfast.matching.bank_files import import_bank
from holdfast.matching.connectors.connect import KINDS
from holdfast.matching.formats import Signal, read
from holdfast.matching.models import BankBlock, BankEntry, BankKind, HashExchange
from holdfast.signals.sign import sign_picture
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db
CATEGORY = "intimate_image"
MD5 = "cab08b36195edb1a1231d2d09fa450e0"
WHY = "It is a picture of a football."


def run(*arguments: object, **more: Any) -> str:
    """What the command prints. Raises what it raises."""
    result = CliRunner().invoke(
        banks.app, [str(each) for each in arguments], catch_exceptions=True, **more
    )
    if isinstance(result.exception, HoldfastError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def bank(world: World, tmp_path: Path) -> str:
    picture = sign_picture(encoded(photograph())).views[0].pdq
    path = tmp_path / "bank.txt"
    path.write_text(f"pdq {picture.hex()}\nmd5 {MD5}\n")
    import_bank(path, slug="ours", category=CATEGORY, by=OPERATOR)
    return "ours"


def test_the_program_knows_them() -> None:
    for name in ("bank", "exchange", "export"):
        assert COMMANDS[name].module == "banks"


def test_banks_are_listed(bank: str) -> None:
    """Whose each bank is, and what it holds, in 80 columns and with nothing cut off."""
    long = "a-list-with-a-name-that-is-as-long-as-people-give-them"
    open_bank(long, "Long", BankKind.IMPORTED, category=CATEGORY, by=OPERATOR)
    [entry, _] = BankEntry.objects.order_by("id")
    revoke([entry.id], WHY, by=OPERATOR)
    BankEntry.objects.exclude(id=entry.id).update(expires_at=clock.now())
    listed = run("bank", "list")
    for said in (bank, "bank.txt", CATEGORY, str(OPERATOR), "1 expired", "1 revoked"):
        assert said in listed
    assert "…" not in listed
    assert max(len(line) for line in listed.splitlines()) <= 80


def test_a_bank_is_revoked_by_what_it_would_match(bank: str, tmp_path: Path) -> None:
    picture = tmp_path / "another copy.jpg"
    picture.write_bytes(encoded(photograph(), quality=40))
    unlike = tmp_path / "other.jpg"
    unlike.write_bytes(encoded(photograph("coffee")))
    with pytest.raises(NotFound):
        run("bank", "revoke", unlike, "--reason", WHY, "--yes")
    with pytest.raises(NotFound):
        run("bank", "revoke", picture, "--reason", WHY, "--bank", "theirs", "--yes")
    assert "1 revoked" in run("bank", "revoke", picture, "--reason", WHY, input="y\n")
    entry = BankEntry.objects.get(kind="pdq")
    assert (entry.state, entry.revoke_reason) == ("revoked", WHY)
    assert "1 revoked" in run("bank", "revoke", f"md5:{MD5}", "--reason", WHY, "--yes")
    with pytest.raises(NotFound):
        run("bank", "revoke", MD5, "--reason", WHY, "--yes")


def test_what_was_taken_back_is_listed_and_lifted(bank: str) -> None:
    run("bank", "revoke", MD5, "--reason", WHY, "--yes")
    row = BankBlock.objects.get()
    listed = run("bank", "blocks").splitlines()
    assert listed[0] == f"{row.id}  {bank}  md5:{MD5}"
    assert WHY in listed[1]
    run("bank", "lift", row.id, "--reason", WHY)
    assert BankEntry.objects.get(kind="md5").state == "active"
    assert MD5 not in run("bank", "blocks")
    run("exchange", "stop", bank, "--reason", WHY)
    assert "all that comes" in run("bank", "blocks")


def test_a_bank_is_exported(bank: str, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    run("export", "bank", bank, file)
    with file.open("rb") as source:
        found = [each for each in read(source) if isinstance(each, Signal)]
    assert {each.kind for each in found} == {"pdq", "md5"}
    with pytest.raises(InvalidInput):
        run("export", "bank", bank, file)  # It is not written over.
    printed = run("export", "bank", bank, "-", "--form", "typed", "--kind", "md5")
    assert f"video_md5 {MD5}" in printed.splitlines()
    half = tmp_path / "half.txt"
    with pytest.raises(InvalidInput):
        run("export", "bank", bank, half, "--form", "text")
    assert not half.exists()


def test_a_folder_is_set_up_and_synced(world: World, tmp_path: Path) -> None:
    (tmp_path / "list.md5").write_text(f"{MD5}\nnonsense\n")
    run(
        "exchange", "add", "folder", "post", "--category", CATEGORY,
        "--setting", f"path={tmp_path}",
    )  # fmt: skip
    told = run("exchange", "sync", "post")
    assert "1 entered, 0 revoked, 1 malformed" in told
    assert "list.md5, line 2" in told
    assert "post" in run("exchange", "list")


def test_the_help_says_where_each_kinds_credentials_come_from() -> None:
    told = " ".join(run("exchange", "add", "--help").replace("│", " ").split())
    assert CREDENTIALS_VARIABLE in told
    for kind, each in KINDS.items():
        assert f"{kind}: {each.words if each.is_remote else 'none'}" in told


def test_credentials_are_asked_for_and_hosts_are_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("threatexchange")
    url = "https://exchange.example/hashsharing"
    arguments = (
        "exchange", "add", "ncmec", "ncmec", "--category", CATEGORY, "--url", url,
        "--setting", "members=1,2",
    )  # fmt: skip
    assert "secret" not in run(*arguments, input="us:a-secret\n")
    exchange = HashExchange.objects.get()
    assert exchange.settings == {"members": [1, 2]}
    assert ("exchange ncmec", url) in list(outbound())
    monkeypatch.setenv(banks.CREDENTIALS_VARIABLE, "us:another")
    run(*arguments)
    assert HashExchange.objects.get().credentials != exchange.credentials
    listed = run("exchange", "list")
    assert "a-secret" not in listed
    # A name that is cut off is of no use to the other commands.
    assert "…" not in listed
    for wrong in ("members", "members=a", "=3"):
        with pytest.raises(InvalidInput):
            run(*arguments[:-1], wrong)
