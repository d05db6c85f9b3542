"""The network's pictures: hundreds cut from real photographs, and the planted copies.

Every photograph is harmless. One of them stands for the one that is reported; the
planted copies are what people make of such a picture, each labelled with its family.
All others differ from it, from its copies and from each other by more than PDQ's
distance, however they are turned, mirrored or trimmed, which is measured here, so that
whatever is frozen wrongly is surely wrong.
The photographs ship with scikit-image; a visitor's own can take their place.
"""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps
from skimage import data as photographs

from holdfast.base.errors import InvalidInput
from holdfast.signals.alignment import Verdict, align
from holdfast.signals.features import available, decoded, extract, extract_query
from holdfast.signals.hamming import search, to_words
from holdfast.signals.media import sniff
from holdfast.signals.pdq import hamming
from holdfast.signals.refusal import MediaRefused
from holdfast.signals.sign import MATCH_DISTANCE_BITS, View, sign_picture

PICTURES = 300
"""Pictures that stand on the network beside the planted ones, unless told another."""
SEED = 20200125
"""Where the pseudo-random cuts begin: the same pictures on every machine."""
REPORTED = "coffee"
"""The photograph that stands for the reported one: a cup of coffee."""
OTHERS = (
    "astronaut",
    "camera",
    "chelsea",
    "coins",
    "hubble_deep_field",
    "immunohistochemistry",
    "moon",
    "retina",
    "rocket",
)
"""Photographs that the others are cut from; the two of the motorcycle come on top."""
CUT_SHARES = (0.3, 0.75)
"""The shortest and longest side of a cut, as a share of the photograph's."""
CUT_LONGEST_PIXELS = 420
CUT_QUALITY = 88
TRIES_PER_PICTURE = 40
"""Cuts that are tried for each picture wanted before giving up."""

TURNS = {
    "mirrored": Image.Transpose.FLIP_LEFT_RIGHT,
    "upside-down": Image.Transpose.ROTATE_180,
    "on-its-side": Image.Transpose.ROTATE_90,
}
TAKEN = frozenset({"JPEG", "PNG", "WEBP", "GIF"})
"""The kinds of picture that the sample network takes, as Pillow names them."""


@dataclass(frozen=True)
class Picture:
    """A picture as a file.

    ``family`` is blank for what is unrelated, "reported" for the reported one, and for
    a planted copy what was done to it. ``views`` are what it can be compared by, none
    where there is too little to see for a fingerprint to say anything.
    ``distance_bits`` is a planted copy's distance from the reported one, the least over
    all turned and mirrored forms with and without a border; None where either has no
    view. ``resembles`` is what its local features say beside the reported one's; None
    where they say nothing, and without OpenCV.
    """

    name: str
    data: bytes
    media_type: str
    views: tuple[View, ...]
    family: str = ""
    distance_bits: int | None = None
    resembles: Verdict | None = None

    @property
    def sha256(self) -> str:
        """The file's digest: how the same picture is known wherever it turns up."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def within_reach(self) -> bool:
        """Whether PDQ is bound to find this copy, at once."""
        return (
            self.distance_bits is not None and self.distance_bits <= MATCH_DISTANCE_BITS
        )

    @property
    def seen_closer(self) -> bool:
        """Whether a closer look is bound to find it, soon after."""
        return not self.within_reach and self.resembles is Verdict.SAME

    @property
    def left_to_people(self) -> bool:
        """Whether it is found, and stays up until people have said what it is."""
        return not self.within_reach and self.resembles is Verdict.SIMILAR


@dataclass(frozen=True)
class Album:
    """Everything that goes up: ``planted`` are the copies of ``reported``."""

    reported: Picture
    planted: tuple[Picture, ...]
    others: tuple[Picture, ...]
    skipped: tuple[str, ...] = field(default=())
    """One line for each file that could not be used."""

    @property
    def related(self) -> frozenset[str]:
        """The digests of the reported picture and of all its planted copies."""
        return frozenset(each.sha256 for each in (self.reported, *self.planted))


def make_album(count: int = PICTURES, media: Path | None = None) -> Album:
    """``count`` unrelated pictures, a reported one, and its planted copies.

    With ``media`` the pictures in that folder are used instead: the first one that can
    be read is the reported one. Raises ``InvalidInput`` if none can.
    """
    if media is None:
        source = Image.fromarray(getattr(photographs, REPORTED)())
        reported = _picture("reported.jpg", _file(source, quality=92), "reported")
        planted = tuple(plant(source, reported))
        others = tuple(_cuts(count, (reported, *planted)))
        return Album(reported, planted, others)
    return _visitors_album(media)


def _visitors_album(media: Path) -> Album:
    skipped: list[str] = []
    found = list(_visitors(media, skipped))
    if not found:
        raise InvalidInput(f"No picture in {media} can be read.")
    reported = replace(found[0], family="reported")
    planted = tuple(plant(Image.open(io.BytesIO(reported.data)), reported))
    taken = (reported, *planted)
    others = []
    for each in found[1:]:
        if not each.views or _is_far(each, taken):
            others.append(each)
        else:
            skipped.append(f"{each.name}: too like the reported one, left out")
    return Album(reported, planted, tuple(others), tuple(skipped))


def plant(source: Image.Image, reported: Picture) -> Iterator[Picture]:
    """What people make of a picture, family by family."""
    source = ImageOps.exif_transpose(source).convert("RGB")
    asked = extract_query(decoded(reported.data)) if available() else None
    for family, name, data in _variants(source):
        made = _picture(name, data, family)
        if made.views and reported.views:
            made = replace(made, distance_bits=_distance(reported, made))
        if asked is not None and not made.within_reach:
            found = align(asked, extract(decoded(data)))
            made = replace(made, resembles=found.verdict if found else None)
        yield made


def _variants(source: Image.Image) -> Iterator[tuple[str, str, bytes]]:
    """(family, name, file) of every planted copy."""
    width, height = source.size
    for quality in (95, 75, 50, 30, 15):
        yield "re-encoded", f"quality-{quality}.jpg", _file(source, quality=quality)
    for percent in (200, 75, 50, 25):
        size = (max(8, width * percent // 100), max(8, height * percent // 100))
        yield "resized", f"size-{percent}.jpg", _file(source.resize(size))
    for percent in (1, 2, 5, 10):
        cut = (width * percent // 200, height * percent // 200)
        box = (cut[0], cut[1], width - cut[0], height - cut[1])
        yield "cropped", f"crop-{percent}.jpg", _file(source.crop(box))
    yield "caption", "caption.jpg", _file(_captioned(source))
    yield "grey", "grey.jpg", _file(source.convert("L"))
    for percent, colour in ((2, "white"), (6, "black")):
        framed = ImageOps.expand(source, width * percent // 100, colour)
        yield "border", f"border-{percent}.jpg", _file(framed)
    for name, turn in TURNS.items():
        yield "turned", f"{name}.jpg", _file(source.transpose(turn))
    yield "format", "format.png", _file(source, "PNG")
    yield "format", "format.webp", _file(source, "WEBP", quality=80)
    yield "phone screen", "phone.jpg", _file(_phone_screen(source))


def _captioned(source: Image.Image) -> Image.Image:
    """A line of words over the lower edge, as people write them into pictures."""
    picture = source.copy()
    width, height = picture.size
    draw = ImageDraw.Draw(picture)
    band = max(10, height // 10)
    draw.rectangle((0, height - band, width, height), fill="black")
    draw.text((8, height - band + band // 4), "have you seen this?", fill="white")
    return picture


def _phone_screen(source: Image.Image) -> Image.Image:
    """The picture as it stands on a telephone's screen, bars and all."""
    screen = Image.new("RGB", (540, 1170), "#101014")
    draw = ImageDraw.Draw(screen)
    draw.text((24, 14), "21:07", fill="white")
    draw.rectangle((470, 16, 510, 30), outline="white")
    draw.text((24, 70), "< back", fill="#8ab4f8")
    shown = ImageOps.contain(source, (540, 760))
    screen.paste(shown, ((540 - shown.width) // 2, (1170 - shown.height) // 2))
    draw.rectangle((0, 1100, 540, 1170), fill="#1c1c22")
    return screen


def _cuts(count: int, related: Sequence[Picture]) -> Iterator[Picture]:
    """``count`` cuts, each far from all that went before."""
    chance = random.Random(SEED)
    sources = [
        Image.fromarray(getattr(photographs, name)()).convert("RGB") for name in OTHERS
    ]
    left, right, _ = getattr(photographs, "stereo_motorcycle")()  # noqa: B009  # Untyped.
    sources += [Image.fromarray(left), Image.fromarray(right)]
    taken = list(related)
    made = 0
    for _ in range(count * TRIES_PER_PICTURE):
        if made == count:
            return
        cut = _cut(chance.choice(sources), chance)
        picture = _picture(f"picture-{made:04}.jpg", _file(cut, quality=CUT_QUALITY))
        if picture.views and _is_far(picture, taken):
            taken.append(picture)
            made += 1
            yield picture
    raise InvalidInput(f"Only {made} pictures far enough apart can be cut; ask fewer.")


def _cut(source: Image.Image, chance: random.Random) -> Image.Image:
    width, height = source.size
    cut_width = int(width * chance.uniform(*CUT_SHARES))
    cut_height = int(height * chance.uniform(*CUT_SHARES))
    x = chance.randint(0, width - cut_width)
    y = chance.randint(0, height - cut_height)
    cut = source.crop((x, y, x + cut_width, y + cut_height))
    cut.thumbnail((CUT_LONGEST_PIXELS, CUT_LONGEST_PIXELS))
    return cut


def _visitors(folder: Path, skipped: list[str]) -> Iterator[Picture]:
    """The visitor's pictures that can be read; a line in ``skipped`` for the others."""
    seen: set[str] = set()
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        try:
            data = path.read_bytes()
            picture = _picture(path.name, data)
        except (MediaRefused, OSError) as refusal:
            skipped.append(f"{path.name}: {refusal}")
            continue
        if picture.sha256 in seen:
            skipped.append(f"{path.name}: the same file as another")
            continue
        seen.add(picture.sha256)
        yield picture


def _is_far(picture: Picture, others: Sequence[Picture]) -> bool:
    """Whether it is near none of the others, asked for in any of its forms."""
    asked = [pdq.bits for view in picture.views for pdq in view.variants]
    there = [view.pdq.bits for each in others for view in each.views]
    near = search(to_words(asked), to_words(there), MATCH_DISTANCE_BITS)
    return not len(near.row_index)


def _distance(one: Picture, other: Picture) -> int:
    """The least distance of any form of the one from the other, in bits."""
    return min(
        hamming(pdq.bits, view.pdq.bits)
        for asked in one.views
        for pdq in asked.variants
        for view in other.views
    )


def _picture(name: str, data: bytes, family: str = "") -> Picture:
    """A file with its fingerprint; raises ``MediaRefused`` for what is none."""
    signed = sign_picture(data)
    if sniff(data) not in TAKEN:
        # The network does not take this kind of file, as most do not.
        data = _file(Image.open(io.BytesIO(data)), quality=90)
        signed = sign_picture(data)
    views = tuple(view for view in signed.views if view.is_comparable)
    return Picture(name, data, signed.media_type, views, family)


def _file(picture: Image.Image, kind: str = "JPEG", quality: int = 85) -> bytes:
    out = io.BytesIO()
    picture = picture if picture.mode in ("RGB", "L") else picture.convert("RGB")
    picture.save(out, kind, quality=quality)
    return out.getvalue()
