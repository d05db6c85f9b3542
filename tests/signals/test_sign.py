"""What a picture file is signed with: digests, its views, and an animation's frames."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from PIL import Image

from holdfast.signals import raster, sign
from holdfast.signals.media import decode_frames
from holdfast.signals.pdq import NO_PDQ, hamming
from holdfast.signals.refusal import MediaRefused, RefusalReason
from holdfast.signals.sign import MAX_FRAMES, Part, View, sign_picture
from tests.signals.photographs import PHOTOGRAPHS, encode, photograph, resize

NEAR_BITS = 24
"""What a turn and a smaller JPEG of a photograph may cost, well inside a match."""
ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
FRAME_MS = 100


def frames(count: int) -> list[Image.Image]:
    """A slow walk over a photograph: each frame shows something of its own."""
    wide = photograph("coffee").resize((900, 200))
    step = 600 // max(1, count - 1)
    return [wide.crop((step * n, 0, step * n + 300, 200)) for n in range(count)]


def animation(count: int, kind: str) -> bytes:
    first, *rest = frames(count)
    return encode(
        first, kind, save_all=True, append_images=rest, duration=FRAME_MS, loop=0
    )


def test_a_still_has_both_digests_and_eight_variants() -> None:
    data = encode(photograph("astronaut"), "JPEG")
    signed = sign_picture(data)
    assert signed.sha256 == hashlib.sha256(data).digest()
    assert signed.md5 == hashlib.md5(data).digest()
    [view] = signed.views
    assert (view.part, view.at_ms, len(view.variants)) == (Part.WHOLE, None, 8)
    assert signed.duration_ms is None
    assert signed.is_comparable


@pytest.mark.parametrize(("side", "compared"), [(24, False), (31, False), (32, True)])
def test_a_tiny_picture_is_compared_by_its_digest_alone(
    side: int, compared: bool
) -> None:
    tiny = photograph("astronaut").resize((side, 2 * side))
    assert sign_picture(encode(tiny, "PNG")).is_comparable is compared


def in_alpha(name: str, level: int) -> Image.Image:
    """A picture drawn in the alpha channel alone, over one that is plain."""
    shape = photograph(name).convert("L")
    clear = Image.new("RGBA", shape.size, (level, level, level, 255))
    clear.putalpha(shape)
    return clear


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_picture_that_is_seen_on_a_dark_page_alone_is_compared(kind: str) -> None:
    original = sign_picture(encode(photograph("coffee"))).views[0]
    data = encode(in_alpha("coffee", 255), kind, lossless=True, exact=True)
    over_white, over_black = sign_picture(data).views
    assert not over_white.is_comparable
    assert over_black.is_comparable
    assert hamming(over_black.pdq.bits, original.pdq.bits) <= 2
    assert over_white.at_ms is over_black.at_ms is None


def test_one_that_is_two_pictures_is_compared_as_both() -> None:
    """White in its colours where the one is seen, and alpha for the other."""
    bright, dark = (
        np.asarray(photograph(name).convert("L").resize((400, 300))).astype(float)
        for name in ("coffee", "astronaut")
    )
    # Over white it is bright (128 to 255), over black dark (0 to 127).
    bright, dark = 128 + bright / 2, dark / 2
    alpha = 255 - bright + dark
    pixels = np.rint(np.stack([255 * dark / alpha, alpha])).astype(np.uint8)
    clear = Image.merge("LA", [Image.fromarray(each) for each in pixels])
    found = sign_picture(encode(clear)).views
    for view, name in zip(found, ("coffee", "astronaut"), strict=True):
        shown = sign_picture(encode(photograph(name).resize((400, 300)))).views[0]
        assert hamming(view.pdq.bits, shown.pdq.bits) <= NEAR_BITS


def test_what_its_ground_does_not_change_is_compared_once() -> None:
    photo = photograph("astronaut")
    for alpha in (255, 200):
        clear = photo.copy()
        clear.putalpha(alpha)
        assert len(sign_picture(encode(clear)).views) == 1


@pytest.mark.parametrize("turn", list(Image.Transpose))
@pytest.mark.parametrize("name", PHOTOGRAPHS[:4])
def test_a_turned_copy_is_found_by_a_variant(name: str, turn: Image.Transpose) -> None:
    original = sign_picture(encode(photograph(name), "JPEG")).views[0]
    turned = resize(photograph(name).transpose(turn), 0.8)
    copy = sign_picture(encode(turned, "JPEG", quality=60)).views[0]
    assert min(hamming(original.pdq.bits, v.bits) for v in copy.variants) <= NEAR_BITS


@pytest.mark.parametrize("kind", ANIMATED)
@pytest.mark.parametrize("count", [2, 7])
def test_few_frames_are_all_kept(kind: str, count: int) -> None:
    signed = sign_picture(animation(count, kind))
    whole = [view for view in signed.views if view.part is Part.WHOLE]
    assert [view.at_ms for view in whole] == [FRAME_MS * n for n in range(count)]
    assert signed.duration_ms == FRAME_MS * count
    for view, frame in zip(whole, frames(count), strict=True):
        alone = sign_picture(encode(frame)).views[0].pdq
        assert hamming(view.pdq.bits, alone.bits) <= 20


@pytest.mark.parametrize("kind", ANIMATED)
@pytest.mark.parametrize(
    ("count", "place"), [(9, 1), (16, 1), (17, 16), (40, 11), (90, 0), (90, 77)]
)
def test_what_is_seen_nearly_all_the_time_is_kept(
    kind: str, count: int, place: int
) -> None:
    """Wherever it stands among others that nobody has the time to look at."""
    shown = [frame.resize((150, 100)) for frame in frames(count)]
    hidden = photograph("rocket").resize((150, 100))
    shown[place] = hidden
    lasts = [20] * count
    lasts[place] = 2_000
    first, *rest = shown
    options = {"save_all": True, "append_images": rest, "duration": lasts, "loop": 0}
    signed = sign_picture(encode(first, kind, **options))
    found = sign_picture(encode(hidden)).views[0].pdq
    nearest = min(signed.views, key=lambda view: hamming(view.pdq.bits, found.bits))
    assert hamming(nearest.pdq.bits, found.bits) <= NEAR_BITS
    assert nearest.at_ms == signed.longest_at_ms == 20 * place
    assert len({view.at_ms for view in signed.views}) <= MAX_FRAMES
    assert signed.views[0].at_ms == 0


def test_of_a_film_frames_from_everywhere_are_kept() -> None:
    signed = sign_picture(animation(2 * MAX_FRAMES, "GIF"))
    times = sorted({view.at_ms or 0 for view in signed.views})
    assert 16 <= len(times) <= MAX_FRAMES
    assert times[-1] > FRAME_MS * MAX_FRAMES
    assert max(np.diff(times)) < FRAME_MS * MAX_FRAMES / 4


def test_a_frame_that_says_it_lasts_no_time_is_shown_for_some() -> None:
    """Browsers show it for a tenth of a second: longer than one that says 20 ms."""
    first, second, third = frames(3)
    options = {"save_all": True, "append_images": [second, third], "loop": 0}
    signed = sign_picture(encode(first, "GIF", duration=[20, 0, 20], **options))
    assert (signed.duration_ms, signed.longest_at_ms) == (140, 20)


@pytest.mark.parametrize("kind", ANIMATED)
@pytest.mark.parametrize("bound", ["MAX_FRAMES_READ", "MAX_PIXELS_READ"])
def test_frames_that_are_not_looked_at_are_told_of(
    kind: str, bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = animation(7, kind)
    pixels = 1 if bound == "MAX_FRAMES_READ" else 300 * 200
    monkeypatch.setattr(raster, bound, 7 * pixels)
    assert sign_picture(data).incomplete is None
    monkeypatch.setattr(raster, bound, 6 * pixels)
    signed = sign_picture(data)
    assert signed.incomplete is RefusalReason.TOO_LONG
    assert signed.duration_ms == 6 * FRAME_MS


def test_more_scenes_than_are_kept_are_told_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sign, "MAX_FRAMES", 4)
    signed = sign_picture(animation(7, "GIF"))
    assert len({view.at_ms for view in signed.views}) <= 4
    assert signed.incomplete is RefusalReason.TOO_LONG


def test_a_canvas_that_grows_with_its_frames_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first frame says little of what the next ones take."""
    small, large = (encode(f, "GIF") for f in (Image.new("P", (8, 8)), frames(2)[1]))
    begin = large.rindex(b",", 0, large.index(b"\x2c\0\0\0\0") + 1)
    data = small[:-1] + large[begin:-1] * 5 + b";"
    assert len(list(decode_frames(data))) == 6
    monkeypatch.setattr(raster, "MAX_PIXELS_READ", 4 * 300 * 200)
    assert sign_picture(data).incomplete is RefusalReason.TOO_LONG
    monkeypatch.setitem(raster.MAX_PIXELS, "GIF", 300 * 200 - 1)
    with pytest.raises(MediaRefused):
        list(decode_frames(data))


def test_a_still_of_an_animation_is_found_in_it() -> None:
    still = sign_picture(encode(frames(7)[5], "JPEG")).views[0].pdq
    views = sign_picture(animation(7, "GIF")).views
    nearest = min(views, key=lambda view: hamming(view.pdq.bits, still.bits))
    assert nearest.at_ms == 5 * FRAME_MS
    assert hamming(nearest.pdq.bits, still.bits) <= 20


def test_a_broken_end_leaves_the_frames_before_it() -> None:
    data = animation(7, "GIF")
    signed = sign_picture(data[: len(data) * 2 // 3])
    assert 2 <= len(signed.views) < 7


def test_an_end_that_cannot_be_decoded_is_told_of() -> None:
    data = bytearray(animation(7, "AVIF"))
    for at in range(len(data) * 2 // 3, len(data)):
        data[at] ^= 0x5A
    signed = sign_picture(bytes(data))
    assert 1 <= len(signed.views) < 7
    assert signed.incomplete in (RefusalReason.BROKEN, RefusalReason.TRUNCATED)


@pytest.mark.parametrize("count", [0, 2, 7])
def test_a_view_has_one_variant_or_eight(count: int) -> None:
    with pytest.raises(ValueError, match="all eight"):
        View(Part.WHOLE, (NO_PDQ,) * count)
