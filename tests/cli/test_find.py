"""``holdfast find``: what stands here of something, and what stands in its way."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageOps
from typer.testing import CliRunner

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By
from holdfast.base.errors import HoldfastError, NotAllowed
from holdfast.base.events import Kind
from holdfast.base.models import Event
from holdfast.cli import find as command
from holdfast.fingerprints.operations import fingerprint_whole_video
from holdfast.matching.bank import SignalGiven, enter, open_bank
from holdfast.matching.find import Sought, find_signals
from holdfast.matching.models import BankKind, Match
from holdfast.signals.sign import sign_picture
from holdfast.triage.models import CaseItem
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db

RATE = 10  # frames a second


def ask(sought: object, *options: str) -> dict[str, Any]:
    """What ``holdfast find SOUGHT --json`` prints."""
    said = CliRunner().invoke(command.app, ["find", str(sought), "--json", *options])
    assert said.exit_code == 0, said.exception
    answer: dict[str, Any] = json.loads(said.stdout)
    return answer


def refused(sought: object) -> HoldfastError:
    said = CliRunner().invoke(command.app, ["find", str(sought)])
    assert isinstance(said.exception, HoldfastError), said.exception
    return said.exception


def film(path: Path, pictures: list[Image.Image], seconds_each: int = 3) -> bytes:
    """A video that shows one picture after the other, each moving a little."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=RATE)
        stream.width = stream.height = 256
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 2_000_000
        for picture in pictures:
            wide = picture.resize((320, 256))
            for moment in range(seconds_each * RATE):
                seen = wide.crop((moment, 0, moment + 256, 256))
                frame = av.VideoFrame.from_ndarray(np.asarray(seen), format="rgb24")
                container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path.read_bytes()


def test_each_copy_is_listed_with_how_it_differs_and_where_it_stands(
    world: World, tmp_path: Path
) -> None:
    picture = photograph()
    original = encoded(picture)
    world.post("same", original)
    world.post("worse", encoded(picture, quality=40))
    world.post("mirrored", encoded(ImageOps.mirror(picture)))
    bars = ImageOps.expand(picture.resize((300, 300)), (0, 90), "black")
    world.post("bars", encoded(bars))
    world.post("passed on", repost_of="same")
    world.post("another", encoded(photograph("coffee")))
    world.report(items=("worse",))
    (tmp_path / "sought.jpg").write_bytes(original)

    found = ask(tmp_path / "sought.jpg")

    copies = {copy["item"]: copy for copy in found["copies"]}
    assert set(copies) == {"same", "worse", "mirrored", "bars", "passed on"}
    assert found["copies"][0]["item"] == "same"
    assert copies["same"]["basis"] == "digest"
    assert copies["worse"]["basis"] == "pdq"
    assert 0 <= copies["worse"]["distance_bits"] <= 31
    assert copies["mirrored"]["variant"] == "mirrored"
    assert copies["bars"]["trimmed"]
    assert copies["passed on"]["basis"] == "repost"
    assert {each["platform"] for each in copies.values()} == {"plaza"}
    # The report froze every copy, into one case, and its bank holds the reported one.
    assert {each["state"] for each in copies.values()} == {"frozen"}
    [number] = {each["case"] for each in copies.values()}
    assert number == CaseItem.objects.get(item__external_id="worse").case.number
    banks = {(each["bank"], each["state"]) for each in found["known"]}
    assert ("reported-here", "quarantined") in banks


def test_a_hash_is_told_by_its_length_or_by_the_word_before_it(world: World) -> None:
    data = encoded(photograph())
    world.post("a", data)
    signals = sign_picture(data)
    sha256, md5 = hashlib.sha256(data).hexdigest(), hashlib.md5(data).hexdigest()
    pdq = signals.views[0].pdq.hex()
    for asked, basis in (
        (sha256, "digest"),
        (sha256.upper(), "digest"),
        (f"sha256:{sha256}", "digest"),
        (md5, "digest"),
        (f"md5:{md5}", "digest"),
        (pdq, "pdq"),
        (f"pdq:{pdq}", "pdq"),
    ):
        [copy] = ask(asked)["copies"]
        assert (copy["item"], copy["basis"], copy["exact"]) == (
            "a",
            basis,
            len(asked.partition(":")[2] or asked) == 64 and basis == "digest",
        ), asked
    assert ask(f"pdq:{sha256}")["copies"] == []
    assert ask(f"sha256:{pdq}")["copies"] == []


def test_a_hash_alone_finds_what_was_turned(world: World) -> None:
    picture = photograph()
    world.post("mirrored", encoded(ImageOps.mirror(picture), quality=50))
    world.post("turned", encoded(picture.rotate(90, expand=True)))
    world.post("another", encoded(photograph("coffee")))
    pdq = sign_picture(encoded(picture)).views[0].pdq.hex()
    copies = {each["item"]: each for each in ask(f"pdq:{pdq}")["copies"]}
    assert {item: each["variant"] for item, each in copies.items()} == {
        "mirrored": "mirrored",
        "turned": "turned_90",
    }
    assert all(each["distance_bits"] <= 31 for each in copies.values())


def test_a_video_and_a_still_of_it_find_each_other(
    world: World, tmp_path: Path
) -> None:
    scenes = [photograph(name) for name in ("astronaut", "coffee", "chelsea")]
    whole = film(tmp_path / "whole.mp4", scenes)
    world.post("whole", whole, kind="video")
    for event in Event.objects.filter(kind__startswith="video."):
        fingerprint_whole_video(event)
    film(tmp_path / "part.mp4", scenes[1:])
    [copy] = ask(tmp_path / "part.mp4")["copies"]
    assert (copy["item"], copy["basis"]) == ("whole", "video")
    assert copy["share_percent"] >= 80
    assert 2000 <= copy["at_ms"] <= 4000, "where the part begins in the whole"
    # The same file: known by its bytes, with no need to compare.
    [same] = ask(tmp_path / "whole.mp4")["copies"]
    assert same["basis"] == "digest"
    still = scenes[2].resize((320, 256)).crop((0, 0, 256, 256))
    (tmp_path / "still.png").write_bytes(encoded(still, "PNG"))
    [seen] = ask(tmp_path / "still.png")["copies"]
    assert (seen["item"], seen["basis"]) == ("whole", "pdq")
    assert 5000 <= seen["at_ms"] <= 9000


def test_what_banks_know_is_told_with_its_state(world: World, tmp_path: Path) -> None:
    picture = encoded(photograph())
    signals = sign_picture(picture)
    pdq = signals.views[0].pdq
    bank = open_bank("partner", "A partner", BankKind.IMPORTED, by=SYSTEM)
    ended = clock.now() - timedelta(days=1)
    given = [
        SignalGiven("pdq", pdq.bits, pdq.quality, category="child_other"),
        SignalGiven("md5", signals.md5, category="child_other", expires_at=ended),
    ]
    enter(bank, given, by=SYSTEM)
    (tmp_path / "a.jpg").write_bytes(picture)
    found = ask(tmp_path / "a.jpg")
    assert found["copies"] == []
    told = [
        (each["bank"], each["basis"], each["expired"], each["entries"])
        for each in found["known"]
    ]
    assert told == [("partner", "digest", True, 1), ("partner", "pdq", False, 1)]


def test_the_table_says_the_same_to_people(world: World, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded(photograph()))
    nothing = CliRunner().invoke(command.app, ["find", str(tmp_path / "a.jpg")])
    assert "0 copies registered" in nothing.stdout
    assert "No bank knows it" in nothing.stdout
    world.post("[i]7", encoded(photograph(), quality=50))
    said = CliRunner().invoke(command.app, ["find", str(tmp_path / "a.jpg")])
    assert "[i]7" in said.stdout
    assert "1 copy registered" in said.stdout


def test_a_crop_is_found_and_called_one(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = photograph("coffee")
    width, height = whole.size
    crop = whole.crop((width // 5, height // 5, width, height))
    world.post("cropped", encoded(crop))
    world.post("other", encoded(photograph("rocket")))
    path = tmp_path / "whole.jpg"
    path.write_bytes(encoded(whole))
    [copy] = ask(str(path))["copies"]
    assert (copy["item"], copy["basis"]) == ("cropped", "features")
    assert 40 <= copy["share_percent"] <= 90
    assert ask(str(path), "--no-closely")["copies"] == []
    monkeypatch.setattr(command.console, "_width", 80)
    said = CliRunner().invoke(command.app, ["find", str(path)]).stdout
    assert "made of the same picture" in said
    assert max(map(len, said.splitlines())) <= 80
    assert Match.objects.count() == 0, "to ask changes nothing"


def test_a_plain_picture_is_said_to_be_too_plain(world: World, tmp_path: Path) -> None:
    flat = encoded(Image.new("RGB", (300, 300), "white"))
    world.post("flat", flat)
    (tmp_path / "flat.jpg").write_bytes(flat)
    said = CliRunner().invoke(command.app, ["find", str(tmp_path / "flat.jpg")])
    assert "too plain" in said.stdout
    assert "1 copy registered" in said.stdout


def test_what_cannot_be_looked_for_is_refused_by_name(
    world: World, tmp_path: Path
) -> None:
    whole = encoded(photograph())
    files = {
        "words.jpg": (b"no picture at all", "not_a_picture"),
        "cut.jpg": (whole[: len(whole) // 40], "truncated"),
        "empty.png": (b"", "not_a_picture"),
    }
    for name, (data, reason) in files.items():
        (tmp_path / name).write_bytes(data)
        assert refused(tmp_path / name).details["reason"] == reason, name
    with (tmp_path / "large.jpg").open("wb") as large:
        large.write(b"\xff\xd8\xff")
        large.truncate(65 * 1024 * 1024)
    assert refused(tmp_path / "large.jpg").details["reason"] == "too_large_file"
    assert refused(tmp_path / "nothing.jpg").code == "not-found"
    assert "Name a picture" in refused("").message
    assert refused(tmp_path).code == "invalid-input"
    assert refused("sha256:abc").code == "invalid-input"
    assert refused("SHA256:abc").code == "invalid-input"
    # Longer than the name of any file may be.
    assert refused("a" * 300).code == "not-found"
    assert refused("md5:" + "g" * 32).code == "invalid-input"
    cut = CliRunner().invoke(command.app, ["find", str(tmp_path / "cut.jpg")])
    assert hashlib.sha256(whole[: len(whole) // 40]).hexdigest() in cut.stderr


def test_looking_is_written_down_and_not_open_to_everybody(world: World) -> None:
    data = encoded(photograph())
    world.post("a", data)
    ask(hashlib.sha256(data).hexdigest())
    [event] = Event.objects.filter(kind=Kind.COPIES_SOUGHT)
    assert event.by.startswith("operator:")
    assert (event.about, event.facts) == ({}, {"copies": 1, "known": 0})
    with pytest.raises(NotAllowed):
        find_signals(Sought(md5=bytes(16)), by=By("staff", "0" * 32))
