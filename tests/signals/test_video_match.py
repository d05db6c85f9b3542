"""The rule for videos: fast and plain are equal, and each guard holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.signals.hamming import search, to_words
from holdfast.signals.pdq import PDQ
from holdfast.signals.sign import Part, Signals, View
from holdfast.signals.video_match import (
    FrameHit,
    Question,
    Relation,
    compare,
    compare_reference,
    extent,
    find_still,
)


def bits(scene: int, flips: int = 0, where: int = 0) -> bytes:
    """Fingerprint of a scene, with some bits flipped; scenes are far apart."""
    chance = np.random.default_rng(scene)
    whole = np.unpackbits(np.frombuffer(chance.bytes(32), np.uint8))
    whole[(where + np.arange(flips)) % 256] ^= 1
    return np.packbits(whole).tobytes()


def view(
    scene: int, at_s: int | None = 0, flips: int = 0, quality: int = 100, where: int = 0
) -> View:
    at_ms = None if at_s is None else at_s * 1000
    return View(Part.WHOLE, (PDQ(bits(scene, flips, where), quality),), at_ms)


def video(*views: View) -> Signals:
    return Signals(bytes(32), bytes(16), views, 1, 1, "video/mp4", 1000)


def scenes(*numbers: int, flips: int = 0) -> Signals:
    return video(*(view(n, at_s, flips) for at_s, n in enumerate(numbers)))


@st.composite
def videos(draw: st.DrawFn) -> Signals:
    """Few scenes and many flips near the threshold, so that much is just near."""
    views = []
    for at_s in range(draw(st.integers(0, 6))):
        for part in draw(st.sampled_from([[Part.WHOLE], [Part.WHOLE, Part.TRIMMED]])):
            quality = draw(st.sampled_from([0, 49, 50, 100]))
            count = draw(st.sampled_from([1, 8]))
            variants = tuple(
                PDQ(
                    bits(
                        draw(st.integers(0, 2)),
                        draw(st.sampled_from([0, 1, 15, 16, 31, 32])),
                        draw(st.sampled_from([0, 0, 8, 100])),
                    ),
                    quality,
                )
                for _ in range(count)
            )
            views.append(View(part, variants, at_s * 400))
    return video(*views)


@settings(max_examples=150)
@given(videos(), videos())
def test_fast_and_plain_are_equal(query: Signals, stored: Signals) -> None:
    assert compare(query, stored) == compare_reference(query, stored)


@settings(max_examples=100)
@given(videos(), videos(), st.randoms())
def test_what_an_index_found_gives_the_same(
    query: Signals, stored: Signals, chance: object
) -> None:
    question = Question(query)
    views = [each for each in stored.views if each.is_comparable]
    rows = to_words([each.pdq.bits for each in views])
    found = search(to_words(question.fingerprints), rows, 31)
    hits = [
        FrameHit(int(q), views[r].at_ms or 0, views[r].part, int(d))
        for q, r, d in zip(*found, strict=True)
    ]
    hits += hits[:3]
    chance.shuffle(hits)  # type: ignore[attr-defined]  # Hypothesis's own Random.
    overlap = question.overlap(extent(stored), hits)
    assert overlap == compare_reference(query, stored)


def test_many_frames_of_one_standing_scene_are_compared_in_blocks() -> None:
    long = video(*(view(1, s, s % 7, where=s % 200) for s in range(1500)))
    overlap = compare(long, long)
    assert (overlap.query_matched, overlap.stored_matched) == (1500, 1500)
    assert overlap.is_copy
    assert overlap.scenes == 1


@pytest.mark.parametrize(
    ("query", "stored", "relation"),
    [
        (range(10), range(10), Relation.SAME),
        (range(2, 8), range(10), Relation.QUERY_INSIDE),
        (range(20), range(5, 11), Relation.STORED_INSIDE),
        (range(10), range(7, 17), Relation.NEITHER),
        (range(10), range(20, 30), Relation.NEITHER),
    ],
)
def test_relation(query: range, stored: range, relation: Relation) -> None:
    overlap = compare(scenes(*query, flips=20), scenes(*stored))
    assert overlap.relation is relation
    assert overlap.is_copy == (relation is not Relation.NEITHER)
    assert not overlap.is_doubtful


def test_four_of_five_is_enough_and_three_is_not() -> None:
    assert compare(scenes(1, 2, 3, 4, 90), scenes(1, 2, 3, 4, 91)).is_copy
    assert not compare(scenes(1, 2, 3, 90, 92), scenes(1, 2, 3, 91, 93)).is_copy


def test_distance_is_inclusive() -> None:
    assert compare(scenes(1, 2, flips=31), scenes(1, 2)).is_copy
    assert not compare(scenes(1, 2, flips=32), scenes(1, 2)).pairs


def test_black_frames_count_for_nothing() -> None:
    black = [view(0, s, quality=0, where=s, flips=s) for s in range(1, 20)]
    assert not compare(video(*black), video(*black)).pairs
    title = video(view(5, 0), *black)
    overlap = compare(title, video(view(5, 0), *black))
    assert overlap.relation is Relation.SAME
    assert overlap.is_doubtful
    assert not overlap.is_copy


def test_a_title_card_makes_no_copy() -> None:
    card = [view(5, s, flips=s) for s in range(4)]
    one = video(*card, *(view(100 + s, 4 + s) for s in range(30)))
    two = video(*card, *(view(200 + s, 4 + s) for s in range(30)))
    assert compare(one, two).relation is Relation.NEITHER
    clip = compare(video(*card), one)
    assert clip.relation is Relation.QUERY_INSIDE
    assert clip.is_doubtful
    assert compare(one, video(*card)).is_doubtful


def test_a_clip_of_one_frame_inside_a_longer_one_is_for_people() -> None:
    assert compare(scenes(3), scenes(*range(30))).is_doubtful
    assert compare(scenes(3), scenes(3)).is_copy


def test_a_camera_that_stands_still_counts_after_ten_frames() -> None:
    long = video(
        *(view(5, s, s % 5) for s in range(12)),
        *(view(9 + s, s) for s in range(12, 40)),
    )
    nine = video(*(view(5, s, s % 5, where=50) for s in range(9)))
    ten = video(*(view(5, s, s % 5, where=50) for s in range(10)))
    assert compare(nine, long).is_doubtful
    assert compare(ten, long).is_copy


def test_a_turned_copy_names_the_variant() -> None:
    turned = tuple(PDQ(bits(n), 100) for n in range(40, 48))
    query = video(View(Part.WHOLE, turned, 0))
    pair = compare(query, scenes(45)).pairs[0]
    assert (pair.variant, pair.distance_bits) == (5, 0)


def test_a_still_is_found_in_a_video() -> None:
    still = video(view(3, None, flips=12))
    pair = find_still(still, scenes(1, 2, 3, 4))
    assert pair is not None
    assert (pair.stored_at_ms, pair.distance_bits) == (2000, 12)
    assert find_still(still, scenes(1, 2, 4)) is None
    assert find_still(video(view(3, None, quality=49)), scenes(3)) is None


def test_an_empty_share_is_zero() -> None:
    overlap = compare(video(), scenes(1))
    assert (overlap.query_share, overlap.stored_share) == (0.0, 0.0)
    assert not overlap.is_copy
