"""Which frames stand for an animation, in whatever order somebody puts them."""

from __future__ import annotations

from random import Random

import pytest

from holdfast.signals.pdq import hamming
from holdfast.signals.shown import MOVED_BITS, Chosen, Shown, choose

MOST = 8


def prints(count: int, seed: int = 1) -> list[bytes]:
    """About 128 bits from each other."""
    random = Random(seed)
    return [random.randbytes(32) for _ in range(count)]


def moved(bits: bytes, by: int, seed: int = 0) -> bytes:
    number = int.from_bytes(bits)
    for place in Random(seed).sample(range(256), by):
        number ^= 1 << place
    return number.to_bytes(32)


def whole(bits: bytes, lasts_ms: int = 20) -> Shown:
    return Shown((bits, None), lasts_ms)


FLAT = Shown((None, None), 60_000)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_shown_long_is_never_left_out_for_what_flashes_by(seed: int) -> None:
    random = Random(seed)
    different = prints(200, seed)
    long = [whole(bits, 1_000) for bits in different[: MOST - 2]]
    flashes = [whole(bits) for bits in different[MOST - 2 :]]
    frames = long + flashes + [FLAT] * 20
    random.shuffle(frames)
    chosen = choose(frames, MOST)
    assert set(long) <= {frames[place] for place in chosen.kept}
    assert len(chosen.kept) <= MOST
    assert not chosen.is_all
    assert frames[chosen.longest] in long
    assert chosen == choose(frames, MOST)


@pytest.mark.parametrize("seed", range(5))
def test_many_short_looks_at_one_scene_count_together(seed: int) -> None:
    """Flashed between others, and a little different each time."""
    scene, *others = prints(40, seed)
    frames = [whole(bits, 500) for bits in others]
    frames += [whole(moved(scene, MOVED_BITS // 2, each)) for each in range(60)]
    Random(seed).shuffle(frames)
    chosen = choose(frames, MOST)
    nearest = min(hamming(frames[p].prints[0] or b"", scene) for p in chosen.kept)
    assert nearest == MOVED_BITS // 2


def test_of_one_scene_the_frame_that_is_shown_longest_is_kept() -> None:
    scene, other = prints(2)
    frames = [whole(moved(scene, each)) for each in range(1, 9)] + [whole(other)]
    frames[5] = whole(moved(scene, 6), 900)
    assert 5 in choose(frames, MOST).kept
    assert choose(frames, MOST).longest == 5


def test_the_first_and_the_last_are_kept_however_short() -> None:
    frames = [whole(bits, 900) for bits in prints(30)]
    frames[0], frames[-1] = (each._replace(lasts_ms=1) for each in (FLAT, frames[-1]))
    kept = choose(frames, MOST).kept
    assert (kept[0], kept[-1], len(kept)) == (0, 29, MOST)


def test_what_cannot_be_compared_takes_no_place() -> None:
    frames = [FLAT] * 20 + [whole(bits) for bits in prints(3)] + [FLAT] * 20
    assert choose(frames, MOST) == Chosen([0, 20, 21, 22], 20, True)
    assert choose([FLAT] * 9, MOST) == Chosen([0], 0, True)


def test_a_frame_stands_for_one_of_which_it_has_all_parts() -> None:
    """Two pictures in the same large border are two scenes."""
    border, one, two = prints(3)
    frames = [Shown((border, inside), 20) for inside in (None, one, two, one)]
    chosen = choose(frames, MOST)
    assert chosen.kept == [0, 1, 2]
    assert choose(frames[1:], MOST).kept == [0, 1]
    assert chosen.longest == 1


def test_frames_that_differ_on_a_dark_page_are_two_scenes() -> None:
    """What lies in transparency shows there, and over white both are one decoy."""
    decoy, first, second = prints(3)
    frames = [Shown((decoy, None, dark), 20) for dark in (first, second)]
    assert choose([*frames, whole(decoy, 900)], MOST) == Chosen([0, 1], 0, True)
