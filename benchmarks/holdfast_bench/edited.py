"""What people do to pictures, and what cameras do to scenes.

``EDITS`` turn a picture into a copy of it, family by family; ``SCENES`` turn it into
two other pictures of the same scene, which are near-duplicates and not copies. Each
function takes the picture, a seeded source of chance and another photograph, and is
deterministic. Nothing here is measured: see :mod:`holdfast_bench.edits`.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from holdfast.signals.opencv import cv2

Picture = Image.Image
Edit = Callable[[Picture, Random, Picture], Picture]
Scene = Callable[[Picture, Random, Picture], tuple[Picture, Picture]]

WORDS = ("liked", "this", "photo", "by", "the", "sea", "again", "love", "and", "you")


def as_jpeg(picture: Picture, quality: int) -> bytes:
    """The file that such an edit ends as."""
    stream = io.BytesIO()
    picture.convert("RGB").save(stream, "JPEG", quality=quality)
    return stream.getvalue()


# Copies --------------------------------------------------------------------------


def _again(picture: Picture, quality: int) -> Picture:
    return Image.open(io.BytesIO(as_jpeg(picture, quality))).convert("RGB")


def _smaller(picture: Picture, share: float) -> Picture:
    size = (max(8, int(picture.width * share)), max(8, int(picture.height * share)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _crop(picture: Picture, share: float) -> Picture:
    x, y = int(picture.width * share), int(picture.height * share)
    return picture.crop((x, y, picture.width - x, picture.height - y))


def _cut_one_side(picture: Picture, chance: Random) -> Picture:
    left = int(picture.width * 0.3) * chance.randint(0, 1)
    return picture.crop((left, 0, left + int(picture.width * 0.7), picture.height))


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=max(10, int(size)))


def _caption(picture: Picture, chance: Random) -> Picture:
    bar = max(30, picture.height // 7)
    top = chance.randint(0, 1)
    made = Image.new("RGB", (picture.width, picture.height + bar), "white")
    made.paste(picture, (0, bar * top))
    at = (picture.width // 20, (0 if top else picture.height) + bar // 4)
    draw = ImageDraw.Draw(made)
    draw.text(at, "have you seen this one before?", "black", _font(bar / 2))
    return made


def _border(picture: Picture, chance: Random) -> Picture:
    colour = chance.choice(("white", "black", "#7a2040"))
    return ImageOps.expand(picture, max(picture.size) // 10, colour)


def _telephone(picture: Picture, chance: Random) -> Picture:
    """The picture as it stands on a telephone, with a page round it."""
    screen = Image.new("RGB", (720, 1560), "#101014")
    draw = ImageDraw.Draw(screen)
    draw.text((32, 18), "21:07", "white", _font(26))
    draw.text((30, 90), "< back", "#8ab4f8", _font(34))
    shown = ImageOps.contain(picture, (720, 1000))
    screen.paste(shown, ((720 - shown.width) // 2, 150 + (1000 - shown.height) // 2))
    for line in range(5):
        words = " ".join(chance.choice(WORDS) for _ in range(7))
        draw.text((30, 1170 + line * 46), words, "#c0c0c8", _font(28))
        x = 60 + line * 135
        draw.ellipse((x, 1480, x + 50, 1530), outline="white", width=4)
    return screen


def _picture_in_picture(picture: Picture, chance: Random, other: Picture) -> Picture:
    made = ImageOps.fit(other, (1280, 800))
    small = ImageOps.contain(picture, (576, 440))
    x = chance.randint(20, 1260 - small.width)
    made.paste(small, (x, chance.randint(20, 780 - small.height)))
    return made


def _sticker(picture: Picture, chance: Random) -> Picture:
    """A drawn face over the middle."""
    made = picture.copy()
    width, height = made.size
    r = min(width, height) * 0.19
    x = width * (0.5 + chance.uniform(-0.08, 0.08))
    y = height * (0.5 + chance.uniform(-0.08, 0.08))
    draw = ImageDraw.Draw(made)
    edge = max(2, int(r / 20))
    draw.ellipse((x - r, y - r, x + r, y + r), "#ffcc22", "#aa7700", edge)
    for eye in (x - 0.4 * r, x + 0.4 * r):
        box = (eye - 0.15 * r, y - 0.4 * r, eye + 0.15 * r, y - 0.05 * r)
        draw.ellipse(box, "#442200")
    mouth = (x - 0.6 * r, y - 0.4 * r, x + 0.6 * r, y + 0.65 * r)
    draw.arc(mouth, 20, 160, "#442200", max(3, int(r / 9)))
    return made


def _turned(picture: Picture, angle: float) -> Picture:
    return picture.rotate(
        angle, Image.Resampling.BICUBIC, expand=True, fillcolor="black"
    )


EDITS: dict[str, Edit] = {
    "jpeg_15": lambda p, c, o: _again(p, 15),
    "resize_33": lambda p, c, o: _smaller(p, 0.33),
    "blur": lambda p, c, o: p.filter(ImageFilter.GaussianBlur(max(p.size) / 512)),
    "grey": lambda p, c, o: p.convert("L").convert("RGB"),
    "crop_2": lambda p, c, o: _crop(p, 0.02),
    "crop_5": lambda p, c, o: _crop(p, 0.05),
    "crop_10": lambda p, c, o: _crop(p, 0.10),
    "crop_20": lambda p, c, o: _crop(p, 0.20),
    "cut_30": lambda p, c, o: _cut_one_side(p, c),
    "caption": lambda p, c, o: _caption(p, c),
    "border_10": lambda p, c, o: _border(p, c),
    "telephone": lambda p, c, o: _telephone(p, c),
    "picture_in_picture": _picture_in_picture,
    "sticker": lambda p, c, o: _sticker(p, c),
    "turned_2": lambda p, c, o: _turned(p, 2),
    "turned_10": lambda p, c, o: _turned(p, 10),
    "turned_90": lambda p, c, o: _turned(p, 90),
    "mirrored": lambda p, c, o: ImageOps.mirror(p),
}
"""Numbers are per cent a side, degrees, or JPEG quality."""
PDQ_FAMILIES = ("jpeg_15", "resize_33", "blur", "grey")
"""What PDQ is made to survive."""


# Near-duplicates -------------------------------------------------------------------

Field = NDArray[np.float32]


def _displaced(picture: Picture, dx: Field, dy: Field) -> Picture:
    pixels = np.asarray(picture)
    height, width = pixels.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    moved = cv2.remap(
        pixels, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return Image.fromarray(moved)


def _field(picture: Picture, chance: Random, knots: int) -> Field:
    """A smooth field of about unit size over the picture."""
    few = np.random.default_rng(chance.randrange(1 << 30)).standard_normal(
        (knots, knots)
    )
    wide = cv2.resize(
        few.astype(np.float32), picture.size, interpolation=cv2.INTER_CUBIC
    )
    return np.asarray(wide, dtype=np.float32)


def _breathing(
    picture: Picture, chance: Random, other: Picture
) -> tuple[Picture, Picture]:
    """Soft things that have given a little: cloth, leaves, water."""
    by = 0.015 * min(picture.size)
    dx, dy = _field(picture, chance, 5) * by, _field(picture, chance, 5) * by
    return picture, _displaced(picture, dx, dy)


def _aside(
    picture: Picture, chance: Random, other: Picture, share: float
) -> tuple[Picture, Picture]:
    """The camera a step aside: what is near moves against what is far."""
    near = _oval(picture, chance.uniform(0.35, 0.65), 0.6, 0.2, 0.33)
    depth = _field(picture, chance, 3) * 0.25 + near
    return picture, _displaced(picture, depth * share * picture.width, depth * 0)


def _oval(picture: Picture, x: float, y: float, rx: float, ry: float) -> Field:
    mask = np.zeros((picture.height, picture.width), np.float32)
    centre = (int(x * picture.width), int(y * picture.height))
    axes = (int(rx * picture.width), int(ry * picture.height))
    cv2.ellipse(mask, centre, axes, 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 2), dtype=np.float32)


def _frames(
    picture: Picture,
    chance: Random,
    other: Picture,
    step: float,
    turn: float = 0.0,
    grown: float = 1.0,
) -> tuple[Picture, Picture]:
    """A still camera; somebody (an oval of the other photograph) who has moved."""
    subject = other.resize(picture.size)
    where = _oval(picture, 0.5, 0.5, 0.18, 0.22)
    centre = (picture.width / 2, picture.height / 2)
    frames = []
    for moved in (False, True):
        motion = cv2.getRotationMatrix2D(centre, turn * moved, grown if moved else 1.0)
        motion[0, 2] += step * picture.width * moved
        onto = picture.size
        mask = cv2.warpAffine(where, motion, onto)[:, :, None]
        person = cv2.warpAffine(np.asarray(subject), motion, onto, borderMode=4)
        mixed = np.asarray(picture) * (1 - mask) + person * mask
        frames.append(Image.fromarray(mixed.astype(np.uint8)))
    return frames[0], frames[1]


def _other_light(
    picture: Picture, chance: Random, other: Picture
) -> tuple[Picture, Picture]:
    """The sun has gone round."""
    pixels = np.asarray(picture).astype(np.float32)
    x = np.linspace(-0.45, 0.45, picture.width)[None, :, None]
    y = np.linspace(-0.3, 0.3, picture.height)[:, None, None]
    lit = pixels * (1 + chance.choice((-1, 1)) * x) * (1 + y)
    return picture, Image.fromarray(lit.clip(0, 255).astype(np.uint8))


def _other_edition(
    picture: Picture, chance: Random, other: Picture
) -> tuple[Picture, Picture]:
    """Half of the colours turned round, as a wallpaper's light and dark editions."""
    hsv = np.asarray(picture.convert("HSV")).astype(np.int64)
    turned = (hsv[..., 0] // 43 + hsv[..., 2] // 86) % 2 == 1
    hsv[..., 2] = np.where(turned, (255 - hsv[..., 2]) * 0.8, hsv[..., 2])
    hsv[..., 0] = (hsv[..., 0] + chance.randint(60, 190)) % 256
    return picture, Image.fromarray(hsv.astype(np.uint8), "HSV").convert("RGB")


SCENES: dict[str, Scene] = {
    "breathing": _breathing,
    "aside_1": lambda p, c, o: _aside(p, c, o, 0.012),
    "aside_3": lambda p, c, o: _aside(p, c, o, 0.03),
    "moved_a_little": lambda p, c, o: _frames(p, c, o, 0.03),
    "moved": lambda p, c, o: _frames(p, c, o, 0.15),
    "turned_round": lambda p, c, o: _frames(p, c, o, 0.0, turn=25),
    "nearer": lambda p, c, o: _frames(p, c, o, 0.0, grown=1.2),
    "other_light": _other_light,
    "other_edition": _other_edition,
}
