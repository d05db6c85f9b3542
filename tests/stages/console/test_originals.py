"""No original without a reveal: for nobody, by no address, and not for long."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pillow_heif
import pytest
from django.db import connection
from PIL import Image

from holdfast.base import clock
from holdfast.evidence.originals import PREVIEW_SIDE_PIXELS, blurred, drawable
from holdfast.review.models import Reveal
from holdfast.review.queries import REVEAL_OPEN_S
from holdfast.signals.refusal import MediaRefused
from tests.stages.console.desk import (
    REASON,
    Colleague,
    colleague,
    look,
    reported,
    words_of,
)
from tests.world import encoded, photograph

pytestmark = pytest.mark.django_db

WHY = {"reason": "To decide this case", "note": ""}
SECRET_WORDS = "Some words."


def reveal_url(case: Any, item: Any) -> str:
    return f"/console/case/{case.number}/reveal/{item.id}/{item.media.get().id}"


def opened(ada: Colleague, case: Any, item: Any) -> str:
    """Claim, open, and answer with the address of the original."""
    ada.post(f"/console/case/{case.number}/claim")
    answer = ada.post(reveal_url(case, item), **WHY)
    assert answer.status_code == 302, words_of(answer)
    return str(ada.get(answer["Location"]).context["media"].original_url)


def test_a_preview_is_tiny_grey_and_blurred() -> None:
    picture = photograph("astronaut")
    small = Image.open(io.BytesIO(blurred(encoded(picture))))
    assert small.mode == "L"
    assert max(small.size) == PREVIEW_SIDE_PIXELS
    assert not small.getexif()
    assert small.info.get("exif") is None
    # Blurred beyond making it small: neighbouring pixels differ less.
    sharp = picture.convert("L").resize(small.size)
    assert _steps(small) < 0.6 * _steps(sharp)


def _steps(picture: Image.Image) -> float:
    wide, high = picture.size
    pixels = picture.tobytes()
    steps = [
        abs(pixels[y * wide + x] - pixels[y * wide + x + 1])
        for y in range(high)
        for x in range(wide - 1)
    ]
    return sum(steps) / len(steps)


def test_a_page_of_a_case_holds_no_original_and_no_words(world: Any) -> None:
    item, case = reported(world, words="Please look.")
    ada = colleague("Ada", "reviewer", "specialist", "lead")
    ada.post(f"/console/case/{case.number}/claim")
    answer = ada.get(f"/console/case/{case.number}")
    assert "Please look." in words_of(answer)
    assert SECRET_WORDS not in words_of(answer)
    assert b"/console/original/" not in answer.content
    preview = ada.get(f"/console/preview/{item.media.get().id}")
    assert len(preview.content) < 1500
    assert preview["Cache-Control"] == "no-store"
    assert not Reveal.objects.exists()


def test_an_original_is_shown_for_a_reveal_and_cannot_be_kept(world: Any) -> None:
    data = encoded(photograph("astronaut"))
    item, case = reported(world)
    ada = colleague("Ada", "reviewer")
    answer = ada.get(opened(ada, case, item))
    assert answer.content == data
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == "inline"
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    row = Reveal.objects.get()
    assert (row.person_id, row.item_id) == (ada.person_id, item.id)
    assert row.reason == "To decide this case"


def test_no_original_without_a_reveal_row(world: Any) -> None:
    item, case = reported(world)
    ada = colleague("Ada", "reviewer")
    url = opened(ada, case, item)
    assert ada.get(url).status_code == 200
    with connection.cursor() as cursor:
        # Rows of the reveal log cannot be deleted; here somebody breaks that, too.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE hf_reveal DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM hf_reveal")
        cursor.execute("ALTER TABLE hf_reveal ENABLE TRIGGER USER")
    assert ada.get(url).status_code == 403
    # Neither the id of the media nor that of the item opens anything.
    for guess in (item.media.get().id, item.id, case.id):
        answer = ada.get(f"/console/original/{guess}")
        assert (answer.status_code, answer.content) == (403, b"")


def test_a_reveal_serves_nobody_else_and_no_other_case(world: Any) -> None:
    item, case = reported(world)
    _, other = reported(world, "p2", photo="rocket")
    ada, ben = colleague("Ada", "reviewer"), colleague("Ben", "specialist", "lead")
    url = opened(ada, case, item)
    reveal = Reveal.objects.get().id
    assert ben.get(url).status_code == 403
    assert ben.get(f"/console/case/{case.number}/opened/{reveal}").status_code == 403
    assert ada.get(f"/console/case/{case.number}/opened/{reveal}").status_code == 200
    assert ada.get(f"/console/case/{other.number}/opened/{reveal}").status_code == 403


def test_a_reveal_ends(world: Any) -> None:
    item, case = reported(world)
    ada = colleague("Ada", "reviewer")
    url = opened(ada, case, item)
    with clock.shifted(timedelta(seconds=REVEAL_OPEN_S + 1)):
        assert ada.get(url).status_code == 403


def test_who_lost_the_right_to_open_loses_what_is_open(world: Any) -> None:
    item, case = reported(world)
    ada, root = colleague("Ada", "reviewer"), colleague("Root", "administrator")
    url = opened(ada, case, item)
    root.post(f"/console/people/{ada.person_id}", roles=["auditor"])
    assert ada.get(url).status_code == 403


def test_a_reveal_needs_a_reason(world: Any) -> None:
    item, case = reported(world)
    ada = colleague("Ada", "reviewer")
    ada.post(f"/console/case/{case.number}/claim")
    answer = ada.post(reveal_url(case, item), reason="", note="")
    assert answer.status_code == 422
    assert ada.post(reveal_url(case, item), reason="x", note="").status_code == 422
    assert not Reveal.objects.exists()


def test_words_are_opened_like_a_picture(world: Any) -> None:
    item, case = reported(world)
    ada = colleague("Ada", "reviewer")
    ada.post(f"/console/case/{case.number}/claim")
    url = f"/console/case/{case.number}/reveal/{item.id}/words"
    assert SECRET_WORDS not in words_of(ada.get(url))
    answer = ada.post(url, **WHY)
    assert SECRET_WORDS in words_of(ada.get(answer["Location"]))
    assert Reveal.objects.get().media_id is None


def test_without_the_claim_it_takes_a_second_person(world: Any) -> None:
    item, case = reported(world)
    ada, ben = colleague("Ada", "reviewer"), colleague("Ben", "reviewer")
    url = reveal_url(case, item)
    assert ada.post(url, **WHY).status_code == 422
    alone = ada.post(url, **WHY, second_email=ada.email, second_code=ada.device_code())
    assert "somebody else" in words_of(alone)
    wrong = ada.post(url, **WHY, second_email=ben.email, second_code="000000")
    assert "do not fit" in words_of(wrong)
    paper = ada.post(
        url, **WHY, second_email=ben.email, second_code=ben.recovery_codes[-1]
    )
    assert paper.status_code == 422
    assert not Reveal.objects.exists()
    code = ben.device_code()
    done = ada.post(url, **WHY, second_email=ben.email, second_code=code)
    assert done.status_code == 302, words_of(done)
    row = Reveal.objects.get()
    assert (row.person_id, row.second_person_id) == (ada.person_id, ben.person_id)
    again = ada.post(url, **WHY, second_email=ben.email, second_code=code)
    assert again.status_code == 422, "A code works once."


def test_the_second_person_may_open_originals_too(world: Any) -> None:
    item, case = reported(world)
    ada, root = colleague("Ada", "reviewer"), colleague("Root", "administrator")
    answer = ada.post(
        reveal_url(case, item),
        **WHY,
        second_email=root.email,
        second_code=root.device_code(),
    )
    assert answer.status_code == 422
    assert not Reveal.objects.exists()


def test_guesses_at_a_colleagues_code_are_slowed(world: Any) -> None:
    item, case = reported(world)
    ada, ben = colleague("Ada", "reviewer"), colleague("Ben", "reviewer")
    for guess in range(6):
        ada.post(
            reveal_url(case, item),
            **WHY,
            second_email=ben.email,
            second_code=f"{guess:06}",
        )
    right = ada.post(
        reveal_url(case, item),
        **WHY,
        second_email=ben.email,
        second_code=ben.device_code(),
    )
    assert right.status_code == 422


@pytest.mark.parametrize(
    "data",
    [
        b"<!doctype html><script>alert(1)</script>",
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b"%PDF-1.7",
        b"\0\0\0\x18ftypheic\0\0\0\0heicmif1",
        b"",
    ],
)
def test_what_is_no_picture_is_never_handed_to_a_browser(data: bytes) -> None:
    with pytest.raises(MediaRefused):
        drawable(data)


def test_a_telephones_picture_is_drawn() -> None:
    picture = photograph("coffee", 64)
    out = io.BytesIO()
    pillow_heif.from_pillow(picture).save(out, quality=90)
    shown = drawable(out.getvalue())
    assert shown.media_type == "image/png"
    assert Image.open(io.BytesIO(shown.data)).size == picture.size


def test_a_film_is_handed_out_only_if_browsers_play_it() -> None:
    assert drawable(b"\0\0\0\x18ftypisom" + bytes(16)).media_type == "video/mp4"
    with pytest.raises(MediaRefused):
        drawable(b"FLV\x01" + bytes(64))


def test_a_tiff_is_drawn_pixel_by_pixel() -> None:
    picture = photograph("coffee", 64)
    shown = drawable(encoded(picture, "TIFF"))
    assert shown.media_type == "image/png"
    assert Image.open(io.BytesIO(shown.data)).tobytes() == picture.tobytes()


def test_what_cannot_be_drawn_is_not_seen(world: Any) -> None:
    """Opening a file that no browser draws is not "viewed by staff"."""
    item = world.post("h1", b"<!doctype html><script>alert(1)</script>")
    world.report("https://plaza.example/p/h1")
    case = item.place.case
    ada = colleague("Ada", "reviewer")
    answer = ada.get(opened(ada, case, item))
    assert answer.status_code == 302
    assert answer["Location"].endswith("no-original.svg")
    assert not Reveal.objects.get().entire


def test_a_refusal_to_read_unseen_is_said_in_the_form(world: Any) -> None:
    item, case = reported(world)
    ada = colleague("Ada", "reviewer")
    ada.post(f"/console/case/{case.number}/claim")
    given = {
        "decide-outcome": "violation",
        "decide-category": case.category,
        "decide-ground": "child_sexual_abuse_illegal",
        "decide-part0": "offender",
        "decide-refer": "yes",
        "decide-reason": REASON,
    }
    answer = ada.post(f"/console/case/{case.number}/read", **given)
    assert answer.status_code == 422
    assert "have not seen" in words_of(answer)
    assert REASON in words_of(answer)
    look(case, item, ada)
    answer = ada.post(f"/console/case/{case.number}/read", **given)
    assert answer.status_code == 302
    page = ada.get(answer["Location"])
    assert "The case is decided." in words_of(page)
    assert "Offender" in words_of(page)
