"""Local features of real photographs, how they are stored, and the index over them."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from holdfast.signals import features as module
from holdfast.signals.features import (
    INDEXED_POINTS,
    QUERY_POINTS,
    STORED_POINTS,
    BrokenFeatures,
    Features,
    extract,
    extract_query,
    query_from_stored,
)
from holdfast.signals.votes import _KEY_PLACES, RADIUS_BITS, FeatureIndex, _near, _words

Luma = NDArray[np.uint8]


def photograph(name: str) -> Luma:
    picture = getattr(skimage.data, name)()
    if picture.ndim == 3:
        picture = picture @ np.array([0.299, 0.587, 0.114])
    return np.asarray(picture).astype(np.uint8)


NAMES = ("astronaut", "camera", "chelsea", "coffee", "coins", "rocket")


@pytest.fixture(scope="module")
def stored() -> dict[str, Features]:
    return {name: extract(photograph(name)) for name in NAMES}


def test_points_are_many_spread_and_bounded(stored: dict[str, Features]) -> None:
    for found in stored.values():
        height, width = found.thumbnail.shape
        assert len(found) == STORED_POINTS
        assert len(found.indexed) == INDEXED_POINTS
        assert found.descriptors.shape == (STORED_POINTS, 32)
        assert (found.points[:, 0] < width).all()
        assert (found.points[:, 1] < height).all()
        assert 0.7 < height * width / module.THUMBNAIL_AREA_PIXELS < 1.1
    # A sky takes no points from the rocket, but all quarters of the cat have some.
    cat = stored["chelsea"].indexed
    height, width = cat.thumbnail.shape
    for right in (False, True):
        for low in (False, True):
            here = (cat.points[:, 0] > width / 2) == right
            here &= (cat.points[:, 1] > height / 2) == low
            assert np.count_nonzero(here) >= INDEXED_POINTS // 10


def test_a_query_sees_more() -> None:
    query = extract_query(photograph("coffee"))
    assert STORED_POINTS < len(query.plain) <= QUERY_POINTS
    assert STORED_POINTS < len(query.mirrored) <= QUERY_POINTS


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (8, 8), (31, 400), (200, 200)])
def test_tiny_and_flat_pictures_have_none(shape: tuple[int, int]) -> None:
    flat = extract(np.full(shape, 90, np.uint8))
    assert len(flat) == 0
    assert len(Features.from_bytes(flat.to_bytes())) == 0


def test_what_is_stored_comes_back(stored: dict[str, Features]) -> None:
    before = stored["astronaut"]
    data = before.to_bytes()
    after = Features.from_bytes(data)
    assert len(data) < 30_000
    assert (after.descriptors == before.descriptors).all()
    assert np.abs(after.points[:, :2] - before.points[:, :2]).max() <= 1 / 64 + 1e-4
    assert np.abs(np.log2(after.points[:, 2] / before.points[:, 2])).max() <= 1 / 31
    turn = np.abs((after.points[:, 3] - before.points[:, 3] + 180) % 360 - 180)
    assert turn.max() <= 0.71
    difference = after.thumbnail.astype(int) - before.thumbnail
    assert np.abs(difference).mean() < 4


@settings(max_examples=60)
@given(st.data())
def test_broken_bytes_are_refused_or_read(data: st.DataObject) -> None:
    """Nothing but BrokenFeatures comes out, whatever is done to the bytes."""
    whole = bytearray(_STORED)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1) | st.integers(0, 20))
        whole[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([len(whole), len(whole) - 1, 5, 0, 14]))
    try:
        found = Features.from_bytes(bytes(whole[:cut]))
    except BrokenFeatures:
        return
    assert len(found) <= STORED_POINTS
    assert np.isfinite(found.points).all()


_STORED = extract(photograph("coins")).to_bytes()


def test_a_cut_is_refused() -> None:
    for cut in (0, 3, 15, 100, len(_STORED) - 1):
        with pytest.raises(BrokenFeatures):
            Features.from_bytes(_STORED[:cut])
    with pytest.raises(BrokenFeatures):
        Features.from_bytes(_STORED + b"\0")


def test_without_opencv_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "cv2", None)
    assert not module.available()
    with pytest.raises(ImportError, match=r"holdfast\[features\]"):
        extract(photograph("coins"))
    assert len(Features.from_bytes(_STORED)) > 0


# The index -----------------------------------------------------------------------


def cut(luma: Luma) -> Luma:
    """Its middle, 10 % off each side, and half as large."""
    height, width = luma.shape
    return luma[height // 10 : -height // 10 : 2, width // 10 : -width // 10 : 2]


def test_cuts_are_found_and_first(stored: dict[str, Features]) -> None:
    index = FeatureIndex()
    for place, name in enumerate(NAMES):
        index.add([(1000 + place, extract(cut(photograph(name))))])
    assert len(index) == len(NAMES)
    for place, name in enumerate(NAMES):
        for query in (
            extract_query(photograph(name)),
            query_from_stored(stored[name]),
        ):
            found = index.candidates(query, 3)
            assert found[0].picture_id == 1000 + place
            assert not found[0].mirrored


def test_a_mirrored_one_is_found_as_such() -> None:
    index = FeatureIndex()
    index.add([(7, extract(np.ascontiguousarray(photograph("camera")[:, ::-1])))])
    found = index.candidates(extract_query(photograph("camera")), 3)
    assert (found[0].picture_id, found[0].mirrored) == (7, True)


def test_together_or_one_by_one_is_the_same(stored: dict[str, Features]) -> None:
    together, singly = FeatureIndex(), FeatureIndex()
    pictures = list(enumerate(stored.values()))
    together.add(pictures)
    for each in pictures:
        singly.add([each])
    for index in (together, singly):
        assert sum(len(block.words) for block in index.blocks) == 6 * INDEXED_POINTS
    query = query_from_stored(stored["rocket"])
    best = (together.candidates(query, 1)[0], singly.candidates(query, 1)[0])
    assert [each.picture_id for each in best] == [5, 5]
    assert FeatureIndex().candidates(query, 5) == []


def test_what_the_tables_find_is_near_and_the_same_point_surely() -> None:
    """Beside a plain scan: nothing that is further, and everything that is equal."""
    index = FeatureIndex()
    index.add([(1, extract(photograph("coins"))), (2, extract(photograph("camera")))])
    (block,) = index.blocks
    query = _words(extract(cut(photograph("coins"))))
    asked = np.concatenate((query, block.words))
    apart = np.bitwise_count(asked[:, None] ^ block.words[None]).sum(axis=2)
    near = {(int(row), int(q)) for q, row in np.argwhere(apart <= RADIUS_BITS)}
    equal = {(int(row), int(q)) for q, row in np.argwhere(apart == 0)}
    places = _places(block.key_bits)
    pairs = _near(asked, block.words, block.heads, block.lists, places, RADIUS_BITS)
    found = {(int(row), int(q)) for row, q in pairs}
    assert found <= near
    assert equal <= found
    assert len(found) > 0.6 * len(near)


def _places(bits: int) -> NDArray[np.int64]:
    return np.ascontiguousarray(_KEY_PLACES[:, :bits])
