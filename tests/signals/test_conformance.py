"""Our PDQ is Meta's: the package ``pdqhash`` compiles their own C++.

Recorded from it once and kept beside this file, so that the tests hold where it is not
installed; ``HOLDFAST_RECORD=1`` in the environment writes the record anew. Meta's own
rule of conformance: the same from the same bytes, and within 10 bits where quality is
at least 80 when a picture was decoded another way.
"""

from __future__ import annotations

import io
import json
import os
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from holdfast.signals.media import decode_luma
from holdfast.signals.pdq import PDQ, dihedral, hamming, pdq, pdq_reference
from tests.signals.photographs import encode, photograph, resize

RECORD = Path(__file__).with_name("pdqhash.json")
NAMES = (
    "astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel",
    "hubble_deep_field", "immunohistochemistry", "moon", "retina", "rocket",
)  # fmt: skip
DRIFT_SIDES = (400, 640, 720, 900, 1081, 1440, 1603, 2160, 3000)
"""Longer sides in pixels to which photographs are re-encoded."""
FULL = {"subsampling": "4:4:4"}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "progressive": ("RGB", {"progressive": True}),
    "progressive, colours at full size": ("RGB", {"progressive": True, **FULL}),
    "in ink": ("CMYK", {}),
    "in ink, progressive": ("CMYK", {"progressive": True}),
    "grey": ("L", {}),
    "grey, progressive": ("L", {"progressive": True}),
    "colours at a quarter": ("RGB", {"subsampling": "4:1:1"}),
    "a marker after each row": ("RGB", {"restart_marker_rows": 1}),
    "a marker after each block": ("RGB", {"restart_marker_blocks": 1}),
    "codes of its own": ("RGB", {"optimize": True, **FULL}),
}
"""Kinds of JPEG, by mode of the pixels and how they are saved. Arithmetic codes are
refused as an unsupported format: libjpeg-turbo as browsers build it has none."""
KIND_SIDES = (400, 1081)
"""Longer sides: decoded at full size, and at a smaller scale."""
MEAN_DRIFT_BITS, MAX_DRIFT_BITS, FROM_QUALITY = 1.2, 10, 80

needs_pdqhash = pytest.mark.skipif(
    find_spec("pdqhash") is None,
    reason="Meta's own program is not installed (pip install pdqhash)",
)


def peer(pixels: NDArray[np.uint8]) -> PDQ:
    bits, quality = pytest.importorskip("pdqhash").compute(pixels)
    return PDQ(np.packbits(bits).tobytes(), int(quality))


def peer_dihedral(pixels: NDArray[np.uint8]) -> list[str]:
    variants, _ = pytest.importorskip("pdqhash").compute_dihedral(pixels)
    return [np.packbits(bits).tobytes().hex() for bits in variants]


def pixels(name: str) -> NDArray[np.uint8]:
    return np.asarray(photograph(name))


@lru_cache(maxsize=1)
def recorded() -> dict[str, Any]:
    if os.environ.get("HOLDFAST_RECORD"):
        made = {}
        for name in NAMES:
            quality = peer(pixels(name)).quality
            made[name] = {"quality": quality, "dihedral": peer_dihedral(pixels(name))}
        RECORD.write_text(json.dumps(made, indent=1) + "\n")
    held: dict[str, Any] = json.loads(RECORD.read_text())
    return held


def luma(name: str) -> NDArray[np.float64]:
    """As Meta's program makes it of the colours: no rounding in between."""
    return np.asarray(pixels(name) @ np.array([0.299, 0.587, 0.114]))


@pytest.mark.parametrize("name", NAMES)
def test_the_record_is_what_we_compute(name: str) -> None:
    held = recorded()[name]
    ours = dihedral(luma(name))
    for one, other in zip(ours, held["dihedral"], strict=True):
        # Two bits change together when two frequencies at the median are as good as
        # equal: a turned picture is as often a transpose in single precision.
        assert hamming(one.bits, bytes.fromhex(other)) <= 2
    assert abs(ours[0].quality - held["quality"]) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_the_plain_reference_is_what_the_record_says(name: str) -> None:
    held = recorded()[name]
    plain = pdq_reference(luma(name))
    assert hamming(plain.bits, bytes.fromhex(held["dihedral"][0])) <= 2
    assert abs(plain.quality - held["quality"]) <= 1


@needs_pdqhash
@pytest.mark.parametrize("name", NAMES)
def test_the_record_is_what_metas_program_says(name: str) -> None:
    assert peer_dihedral(pixels(name)) == recorded()[name]["dihedral"]
    assert peer(pixels(name)).quality == recorded()[name]["quality"]


def drifts(jpegs: list[bytes]) -> list[int]:
    found = []
    for data in jpegs:
        theirs = peer(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
        decoded = decode_luma(data)
        if theirs.quality >= FROM_QUALITY:
            ours = pdq(decoded.pixels, decoded.axes)
            found.append(hamming(ours.bits, theirs.bits))
    return found


@needs_pdqhash
def test_photographs_at_many_sizes_drift_little() -> None:
    jpegs = []
    for name in NAMES:
        original = photograph(name)
        for side in DRIFT_SIDES:
            picture = resize(original, side / max(original.size))
            jpegs.append(encode(picture, "JPEG", quality=70 + side % 25))
    found = drifts(jpegs)
    assert len(found) > len(jpegs) // 2
    assert mean(found) <= MEAN_DRIFT_BITS
    assert max(found) <= MAX_DRIFT_BITS


@lru_cache(maxsize=1)
def resized() -> list[Image.Image]:
    """The photographs at each of :data:`KIND_SIDES`, made once for all kinds."""
    return [
        resize(original, side / max(original.size))
        for original in map(photograph, NAMES)
        for side in KIND_SIDES
    ]


@needs_pdqhash
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_jpeg_drifts_little(kind: str) -> None:
    """Most of them go the long way, through libjpeg: there is no stepping over."""
    mode, options = KINDS[kind]
    jpegs = []
    for picture in resized():
        quality = 80 + picture.width % 15
        data = encode(picture.convert(mode), "JPEG", quality=quality, **options)
        jpegs.append(data)
    found = drifts(jpegs)
    assert len(found) > len(jpegs) // 2
    assert mean(found) <= MEAN_DRIFT_BITS
    assert max(found) <= MAX_DRIFT_BITS


@needs_pdqhash
def test_generated_pictures_drift_little() -> None:
    """Shapes of all sizes with the grain of a sensor, as photographs have both."""
    random = np.random.default_rng(8)
    jpegs = []
    for number in range(12):
        size = (1280 + 131 * number, 720 + 97 * number)
        total = np.zeros((size[1], size[0], 3))
        for octave in range(2, 8):
            patch = random.integers(0, 256, (2**octave, 2**octave, 3), np.uint8)
            large = Image.fromarray(patch).resize(size, Image.Resampling.BICUBIC)
            total += np.asarray(large) / octave
        grainy = total / total.max() * 230 + random.normal(0, 8, total.shape)
        picture = Image.fromarray(grainy.clip(0, 255).astype(np.uint8))
        jpegs.append(encode(picture, "JPEG", quality=85))
    found = drifts(jpegs)
    assert len(found) == len(jpegs)
    assert mean(found) <= MEAN_DRIFT_BITS
    assert max(found) <= MAX_DRIFT_BITS
