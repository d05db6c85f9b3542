"""From the bytes of a JPEG to its PDQ fingerprint, beside ``pdqhash`` with Pillow.

The peer is what python-threatexchange does: Pillow decodes to RGB, ``pdqhash`` hashes
the array. One thread each, the same bytes, rounds interleaved, medians; each picture's
ratio is taken from its own medians. Beside them stands libjpeg-turbo, which decodes the
same bytes at the same reduced scale and does nothing else. The photographs come with
scikit-image, or from a folder; enlarged ones get the grain of a sensor, since without
it there would be less to decode than in a photograph of that size.
"""

from __future__ import annotations

import io
import os
import platform
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
import simplejpeg
import skimage.data
from numpy.typing import NDArray
from PIL import Image

from holdfast.base.errors import Unavailable
from holdfast.signals.jpeg import MIN_SIDE_PIXELS
from holdfast.signals.media import decode_luma
from holdfast.signals.pdq import PDQ, hamming, pdq
from holdfast_bench.machine import processor

SIZES = ((1920, 1080), (4000, 3000))
"""Width and height in pixels: what a screen shows and what a telephone writes."""
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "retina", "camera")
"""Names in ``skimage.data``, all in its wheel."""
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
DEFAULT_PICTURES = 6
ROUNDS = 5
QUALITY = 88
"""Of the JPEGs, as telephones write them; colour is halved (4:2:0)."""
GRAIN_LEVELS = 5.0
"""Standard deviation of the grain, in grey levels of 255."""
MIN_PDQ_QUALITY = 80
"""Drift is counted from this PDQ quality on, as Meta's rule of conformance does."""


def run(
    *,
    n: int | None = None,
    media: Path | None = None,
    progress: Callable[[str], None] = lambda line: None,
    sizes: tuple[tuple[int, int], ...] = SIZES,
    rounds: int = ROUNDS,
) -> dict[str, Any]:
    """Measure ``n`` photographs (of ``media``, a folder, where given) at each size.

    Raises :class:`~holdfast.base.errors.HoldfastError` where the peer is not installed
    or the folder holds no picture.
    """
    peer = _peer()
    measured = {}
    for width, height in sizes:
        name = f"{width}x{height}"
        jpegs = [
            _jpeg(picture, (width, height))
            for picture in _photographs(n or DEFAULT_PICTURES, media)
        ]
        progress(f"{name}: {len(jpegs)} photographs, {rounds} rounds")
        measured[name] = _measure(jpegs, peer, rounds)
    return {
        "sizes": measured,
        "peer": f"Pillow {version('pillow')} + pdqhash {version('pdqhash')}",
        "threads": 1,
        "jpeg_quality": QUALITY,
        "rounds": rounds,
        "photographs": "scikit-image" if media is None else "a folder",
        "machine": {"processor": processor(), "cores": os.cpu_count()},
        "python": platform.python_version(),
        "versions": {
            each: version(each) for each in ("simplejpeg", "numba", "numpy", "pillow")
        },
    }


def _peer() -> Callable[[bytes], PDQ]:
    try:
        pdqhash = import_module("pdqhash")
    except ImportError as error:
        raise Unavailable(
            "The peer of this measurement is missing: pip install 'holdfast[bench]'.",
            package="pdqhash",
        ) from error

    def hash_(data: bytes) -> PDQ:
        with Image.open(io.BytesIO(data)) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        bits, quality = pdqhash.compute(pixels)
        return PDQ(np.packbits(bits).tobytes(), int(quality))

    return hash_


def _ours(data: bytes) -> PDQ:
    luma = decode_luma(data)
    return pdq(luma.pixels, luma.axes)


def _libjpeg_alone(data: bytes) -> NDArray[np.uint8]:
    grey: NDArray[np.uint8] = simplejpeg.decode_jpeg(
        data, "GRAY", min_height=MIN_SIDE_PIXELS, min_width=MIN_SIDE_PIXELS
    )
    return grey


def _measure(
    jpegs: list[bytes], peer: Callable[[bytes], PDQ], rounds: int
) -> dict[str, float | int]:
    ways: dict[str, Callable[[bytes], object]] = {
        "ours": _ours,
        "pdqhash": peer,
        "libjpeg": _libjpeg_alone,
    }
    times_ms: dict[str, list[float]] = {name: [] for name in ways}
    drifts = []
    for data in jpegs:
        # The first call, which may compile and fills caches, is looked at, not timed.
        ours, theirs = _ours(data), peer(data)
        if theirs.quality >= MIN_PDQ_QUALITY:
            drifts.append(hamming(ours.bits, theirs.bits))
        rounds_ms = [
            {name: _time_ms(way, data) for name, way in ways.items()}
            for _ in range(rounds)
        ]
        for name, medians in times_ms.items():
            medians.append(median(each[name] for each in rounds_ms))
    ratios = [p / o for p, o in zip(times_ms["pdqhash"], times_ms["ours"], strict=True)]
    return {
        "ratio_vs_pdqhash": round(median(ratios), 2),
        "drift_mean_bits": round(mean(drifts), 2) if drifts else 0.0,
        "drift_max_bits": max(drifts, default=0),
        "drift_counted": len(drifts),
        "pictures": len(jpegs),
        "jpeg_bytes_mean": round(mean(len(data) for data in jpegs)),
        "holdfast_ms": round(median(times_ms["ours"]), 2),
        "pdqhash_ms": round(median(times_ms["pdqhash"]), 2),
        "libjpeg_turbo_alone_ms": round(median(times_ms["libjpeg"]), 2),
    }


def _time_ms(way: Callable[[bytes], object], data: bytes) -> float:
    begin = time.perf_counter()
    way(data)
    return (time.perf_counter() - begin) * 1000


def _photographs(n: int, media: Path | None) -> Iterator[Image.Image]:
    """``n`` pictures, or as many as the folder has."""
    if media is None:
        for index in range(n):
            name = PHOTOGRAPHS[index % len(PHOTOGRAPHS)]
            picture = Image.fromarray(getattr(skimage.data, name)()).convert("RGB")
            # From the second time round they are turned: other blocks, other bits.
            yield picture.rotate(90 * (index // len(PHOTOGRAPHS)), expand=True)
        return
    paths = [p for p in sorted(media.rglob("*")) if p.suffix.lower() in SUFFIXES]
    if not paths:
        raise Unavailable("There are no pictures in that folder.", folder=str(media))
    # Evenly over the folder, which often has one kind of picture after another.
    for path in paths[:: max(1, len(paths) // n)][:n]:
        with Image.open(path) as picture:
            yield picture.convert("RGB")


def _jpeg(picture: Image.Image, size: tuple[int, int]) -> bytes:
    enlarged = picture.width < size[0] or picture.height < size[1]
    pixels = np.asarray(picture.resize(size, Image.Resampling.LANCZOS))
    if enlarged:
        grain = np.random.default_rng(1).normal(0, GRAIN_LEVELS, pixels.shape[:2])
        pixels = (pixels + grain[:, :, None]).clip(0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
