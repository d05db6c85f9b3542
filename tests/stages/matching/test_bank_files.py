"""Banks come from files and go to files, and find what is registered already."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import InvalidInput, NotAllowed, NotFound
from holdfast.base.jobs import drain
from holdfast.base.models import Event
from holdfast.items.models import Item
from holdfast.matching import bank_files
from holdfast.matching.bank import revoke
from holdfast.matching.bank_files import export_bank, import_bank
from holdfast.matching.formats import Form, Kind, Problem
from holdfast.matching.models import Bank, BankEntry
from holdfast.matching.operations import bank_decided
from holdfast.signals.sign import sign_picture
from holdfast.triage.models import CaseItem
from tests.world import World, encoded, photograph

BY = By("operator", "test", frozenset({Permission.BANK_MANAGE}))
NOBODY = By("operator", "test")
CATEGORY = "child_sexual_abuse_material"
MD5 = "cab08b36195edb1a1231d2d09fa450e0"


def exported(slug: str, form: Form = Form.TYPED, kind: Kind | None = None) -> list[str]:
    out = io.StringIO()
    count = export_bank(slug, out, form, kind=kind, by=BY)
    lines = out.getvalue().splitlines()
    assert count == len(lines) - (form is Form.CSV)
    return lines


@pytest.mark.django_db(transaction=True)
def test_what_is_imported_is_searched_back_and_becomes_cases(
    world: World, tmp_path: Path
) -> None:
    astronaut, coffee, cat = (
        photograph(name) for name in ("astronaut", "coffee", "chelsea")
    )
    like = world.post("1", encoded(astronaut, quality=60))
    same = world.post("2", encoded(coffee))
    other = world.post("3", encoded(cat))
    pdq = sign_picture(encoded(astronaut)).views[0].pdq
    md5 = sign_picture(encoded(coffee)).md5
    path = tmp_path / "bank.txt"
    path.write_text(f"pdq {pdq.hex()},{pdq.quality}\nnonsense\nvideo_md5 {md5.hex()}\n")
    told = import_bank(path, slug="ours", category=CATEGORY, by=BY)
    assert (told.read, told.entered) == (2, 2)
    assert [each.line for each in told.problems] == [2]
    drain()
    assert Item.objects.get(id=other.id).state == "visible"
    for item in (like, same):
        assert Item.objects.get(id=item.id).state == "frozen"
        assert CaseItem.objects.get(item=item.id).case.category == CATEGORY
    # What comes later is found on arrival.
    late = world.post("4", encoded(astronaut, quality=70))
    drain()
    assert Item.objects.get(id=late.id).state == "frozen"


@pytest.mark.django_db
class TestImport:
    @pytest.fixture(autouse=True)
    def policy(self, world: World) -> None:
        """A policy is in force."""

    def test_again_changes_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "bank.md5"
        path.write_text(f"{MD5}\n{MD5}\n")
        told = import_bank(path, slug="ours", category=CATEGORY, by=BY)
        assert (told.read, told.entered) == (2, 1)
        told = import_bank(path, slug="ours", by=BY)
        assert (told.read, told.entered, told.problem_count) == (2, 0, 0)
        assert Bank.objects.get(slug="ours").source == "bank.md5"
        event = Event.objects.filter(kind="bank.imported").last()
        assert event is not None
        assert event.facts == {"read": 2, "entered": 0, "problems": 0}

    def test_what_was_revoked_stays_revoked(self, tmp_path: Path) -> None:
        path = tmp_path / "bank"
        path.write_text(MD5)
        import_bank(path, slug="ours", category=CATEGORY, by=BY)
        entry = BankEntry.objects.get()
        revoke([entry.id], "It is a football.", by=BY)
        assert import_bank(path, slug="ours", by=BY).entered == 0
        assert BankEntry.objects.get().state == "revoked"
        assert exported("ours") == []

    def test_more_than_one_batch_and_every_bad_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("holdfast.matching.bank.AT_ONCE", 50)
        monkeypatch.setattr(bank_files, "PROGRESS_EVERY", 10)
        path = tmp_path / "bank"
        path.write_text("".join(f"{n:032x}\n{n} is none\n" for n in range(120)))
        problems: list[Problem] = []
        at_bytes: list[int] = []
        told = import_bank(
            path,
            slug="ours",
            category=CATEGORY,
            on_problem=problems.append,
            progress=at_bytes.append,
            by=BY,
        )
        assert (told.read, told.entered) == (120, 120)
        assert told.problem_count == len(problems) == 120
        assert told.problems == problems[:20]
        assert at_bytes == sorted(at_bytes)
        assert at_bytes[-1] == path.stat().st_size

    def test_it_expires(self, tmp_path: Path) -> None:
        path = tmp_path / "bank"
        path.write_text(MD5)
        ends = clock.now() + timedelta(days=1)
        import_bank(path, slug="ours", category=CATEGORY, expires_at=ends, by=BY)
        assert BankEntry.objects.get().expires_at == ends
        assert len(exported("ours")) == 1
        BankEntry.objects.update(expires_at=clock.now())
        assert exported("ours") == []
        with pytest.raises(InvalidInput):
            import_bank(path, slug="ours", expires_at=clock.now(), by=BY)

    def test_what_cannot_be_meant_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "bank"
        path.write_text(MD5)
        Bank.objects.create(
            slug="decided-here", kind="decided", added_by="x", added_at=clock.now()
        )
        for slug, category in (
            ("ours", ""),
            ("ours", "no such category"),
            ("decided-here", CATEGORY),
        ):
            with pytest.raises(InvalidInput):
                import_bank(path, slug=slug, category=category, by=BY)
        with pytest.raises(InvalidInput):
            import_bank(tmp_path / "none", slug="ours", category=CATEGORY, by=BY)
        with pytest.raises(NotAllowed):
            import_bank(path, slug="ours", category=CATEGORY, by=NOBODY)
        assert not BankEntry.objects.exists()

    def test_what_is_exported_is_imported(self, tmp_path: Path) -> None:
        sha, pdq = "b5bb9d80" * 8, "f8f8f0ce" * 8
        path = tmp_path / "bank"
        path.write_text(f"sha256 {sha}\npdq {pdq}\nmd5 {MD5}\n")
        import_bank(path, slug="ours", category=CATEGORY, by=BY)
        for form in (Form.TYPED, Form.CSV):
            lines = exported("ours", form)
            copy = tmp_path / form
            copy.write_text("\n".join(lines))
            told = import_bank(copy, slug=f"from-{form}", category=CATEGORY, by=BY)
            assert (told.entered, told.problem_count) == (3, 0)
            assert exported(f"from-{form}") == exported("ours")
        assert exported("ours", Form.TEXT, Kind.PDQ) == [pdq]
        with pytest.raises(InvalidInput):
            exported("ours", Form.TEXT)

    def test_who_took_signals_out_is_written_down(self, tmp_path: Path) -> None:
        path = tmp_path / "bank"
        path.write_text(MD5)
        import_bank(path, slug="ours", category=CATEGORY, by=BY)
        exported("ours")
        event = Event.objects.get(kind="bank.exported")
        assert (event.by, event.facts) == ("operator:test", {"entries": 1})
        with pytest.raises(NotAllowed):
            export_bank("ours", io.StringIO(), Form.CSV, by=NOBODY)
        with pytest.raises(NotFound):
            export_bank("theirs", io.StringIO(), Form.CSV, by=BY)


@pytest.mark.django_db
def test_copies_of_one_picture_are_exported_once(world: World) -> None:
    picture = encoded(photograph())
    items = [world.post(str(number), picture) for number in range(2)]
    bank_decided(
        [each.id for each in items],
        violates=True,
        category=CATEGORY,
        case_id=uuid4(),
        decision_id=uuid4(),
        by=BY,
    )
    signed = sign_picture(picture)
    assert BankEntry.objects.count() == 4
    assert exported("decided-here") == [
        f"pdq {signed.views[0].pdq.hex()}",
        f"video_sha256 {signed.sha256.hex()}",
    ]
