"""Short films made from photographs, and what people do to a film they post again.

A camera moves over a photograph, closer and past, for a few seconds, then comes the
next one; a little grain makes the encoder work as it does on a real film. An edit
starts from the decoded frames of the encoded original, so each copy has lost what a
real one loses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Frame = NDArray[np.uint8]
"""(H, W, 3), RGB."""
Frames = Iterable[Frame]

SCENE_S = 5.0
"""How long the camera stays on one photograph, in seconds."""
GRAIN_LEVELS = 3.0
"""Standard deviation of the grain, of 255 levels."""
NEAREST, FARTHEST = 0.55, 0.95
"""Share of a photograph's sides that is in the picture, closest and farthest."""
FPS = 30
FAST = {"preset": "veryfast", "crf": "23"}


def photographs(media: Path | None = None) -> list[Image.Image]:
    """Photographs from a folder, else those that scikit-image ships."""
    if media is not None:
        names = sorted(
            p for p in media.iterdir() if p.suffix.lower() in (".jpg", ".png")
        )
        return [Image.open(name).convert("RGB") for name in names]
    # Imported by name: scikit-image is an extra that a bench over a folder needs not.
    data: Any = import_module("skimage.data")

    makers = (
        data.astronaut, data.coffee, data.chelsea, data.rocket, data.camera,
        data.retina, data.hubble_deep_field, data.immunohistochemistry, data.moon,
        data.coins, data.brick, data.text,
    )  # fmt: skip
    return [Image.fromarray(make()).convert("RGB") for make in makers]


def film(
    photos: Sequence[Image.Image],
    *,
    size: tuple[int, int] = (1280, 720),
    fps: int = FPS,
    seconds: float = 30,
    seed: int = 1,
) -> Iterator[Frame]:
    """Frames of ``size`` (width, height); the same for the same arguments."""
    chance = np.random.default_rng(seed)
    grain = chance.normal(0, GRAIN_LEVELS, (size[1] + 64, size[0] + 64, 1))
    grain = grain.astype(np.int16)
    per_scene = round(SCENE_S * fps)
    for number in range(round(seconds * fps)):
        scene, step = divmod(number, per_scene)
        if step == 0:
            ways = chance.uniform(0, 1, 4), chance.uniform(NEAREST, FARTHEST, 2)
        photo = photos[scene % len(photos)]
        box = _window(photo, *ways, step / per_scene)
        picture = np.asarray(photo.resize(size, Image.Resampling.BILINEAR, box))
        y, x = chance.integers(0, 64, 2)
        grainy = picture + grain[y : y + size[1], x : x + size[0]]
        yield np.clip(grainy, 0, 255).astype(np.uint8)


def _window(
    photo: Image.Image, ends: NDArray[np.float64], zoom: NDArray[np.float64], at: float
) -> tuple[float, float, float, float]:
    share = zoom[0] + (zoom[1] - zoom[0]) * at
    width, height = photo.width * share, photo.height * share
    left = (photo.width - width) * (ends[0] + (ends[1] - ends[0]) * at)
    top = (photo.height - height) * (ends[2] + (ends[3] - ends[2]) * at)
    return left, top, left + width, top + height


def write(
    path: Path,
    frames: Frames,
    *,
    fps: int = FPS,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    size: tuple[int, int] | None = None,
) -> Path:
    """Encode; the container by the file's name. Returns ``path``."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=fps)
        stream.pix_fmt = "yuv420p"
        stream.options = FAST if options is None else options
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            if number == 0:
                stream.width, stream.height = size or (frame.width, frame.height)
            frame = frame.reformat(stream.width, stream.height, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def read(path: Path) -> Iterator[Frame]:
    """Every frame of a film as RGB."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


# What is done to a film; each takes the original's file, another film, and a name.

Edit = Callable[[Path, Path, Path], Path]


def part(frames: Frames, first: float, end: float, count: int) -> Iterator[Frame]:
    """From ``first`` to ``end``, as shares of ``count`` frames."""
    for number, frame in enumerate(frames):
        if first * count <= number < end * count:
            yield frame


def letterbox(frames: Frames, share: float = 0.12) -> Iterator[Frame]:
    """Black bars of ``share`` of the height above and below, the film kept whole."""
    for frame in frames:
        bar = np.zeros((round(len(frame) * share) // 2 * 2, *frame.shape[1:]), np.uint8)
        yield np.concatenate([bar, frame, bar])


def count(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for packet in container.demux(video=0) if packet.size)


def slower(frames: Frames, keep: int = 4, of: int = 5) -> Iterator[Frame]:
    """``keep`` of every ``of`` frames."""
    for number, frame in enumerate(frames):
        if number % of < keep:
            yield frame


EDITS: dict[str, Edit] = {
    "re-encoded": lambda film, _, to: write(
        to, read(film), options={"preset": "veryfast", "crf": "35"}
    ),
    "resized": lambda film, _, to: write(to, read(film), size=(640, 360)),
    "trimmed": lambda film, _, to: write(
        to, part(read(film), 0.213, 0.787, count(film))
    ),
    "letterboxed": lambda film, _, to: write(to, letterbox(read(film))),
    "contained": lambda film, other, to: write(
        to,
        chain(
            part(read(other), 0, 0.41, count(other)),
            read(film),
            part(read(other), 0.6, 1, count(other)),
        ),
    ),
    "frame rate": lambda film, _, to: write(to, slower(read(film)), fps=24),
    "other codec": lambda film, _, to: write(
        to.with_suffix(".avi"), read(film), codec="mpeg4", options={"q": "6"}
    ),
}
"""Name of the edit: (original, another film, new file) -> the file written."""
