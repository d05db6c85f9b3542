"""The largest pictures stay inside the stated memory, each in a process of its own.

Decoders allocate outside Python's sight, so the kernel is asked: VmHWM begins anew
with each process, which getrusage's maximum does not.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from holdfast.signals.jpeg import MAX_JPEG_PIXELS
from holdfast.signals.media import MAX_MEMORY_BYTES
from holdfast.signals.raster import MAX_PIXELS
from tests.signals.colours import INK_PROFILE

MEASURE = """
import pathlib, sys
from holdfast.signals.sign import sign_picture
def peak_kib():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])
small, large = (pathlib.Path(name).read_bytes() for name in sys.argv[1:])
sign_picture(small)
before = peak_kib()
signed = sign_picture(large)
print(peak_kib() - before, signed.width * signed.height)
"""


def write(folder: Path, name: str, pixels: int, mode: str, **options: Any) -> Path:
    """A picture of nearly ``pixels``, at four to three, from a small one enlarged."""
    width = int((pixels * 4 / 3) ** 0.5) // 16 * 16
    tile = np.random.default_rng(3).integers(0, 256, (12, 16, 3), np.uint8)
    small = Image.fromarray(tile).convert("RGB").convert(mode)
    if mode == "RGBA":
        # Its ground is seen, so it is looked at on two of them.
        small.putalpha(Image.fromarray(tile[..., 0]))
    large = small.resize((width, width * 3 // 4), Image.Resampling.NEAREST)
    path = folder / name
    large.save(path, **options)
    return path


def damage(png: Path) -> None:
    """Make the checksum of its pixels wrong, so that they are written anew."""
    data = bytearray(png.read_bytes())
    data[-17] ^= 1
    png.write_bytes(data)


def cut(picture: Path) -> None:
    """Leave out the end, which is filled up then."""
    data = picture.read_bytes()
    picture.write_bytes(data[: int(len(data) * 0.95)])


@pytest.mark.parametrize(
    ("name", "pixels", "mode", "options"),
    [
        ("baseline.jpg", MAX_JPEG_PIXELS, "RGB", {}),
        ("progressive.jpg", MAX_JPEG_PIXELS, "RGB",
         {"progressive": True, "subsampling": 0}),
        ("cmyk.jpg", MAX_PIXELS["JPEG"], "CMYK", {"progressive": True}),
        ("inked.jpg", MAX_PIXELS["JPEG"], "CMYK",
         {"progressive": True, "icc_profile": INK_PROFILE}),
        ("clear.png", MAX_PIXELS["PNG"], "RGBA", {"compress_level": 1}),
        ("damaged.png", MAX_PIXELS["PNG"], "RGBA", {"compress_level": 1}),
        ("picture.webp", MAX_PIXELS["WEBP"], "RGBA", {"quality": 1, "method": 0}),
        # HEIC takes too long to write.
        ("picture.avif", MAX_PIXELS["AVIF"], "RGB", {"speed": 10, "quality": 30}),
        ("clear.avif", MAX_PIXELS["AVIF"], "RGBA", {"speed": 10, "quality": 30}),
        ("picture.tif", MAX_PIXELS["TIFF"], "CMYK", {"compression": "tiff_lzw"}),
        ("picture.gif", MAX_PIXELS["GIF"], "P", {}),
        ("cut.gif", MAX_PIXELS["GIF"], "P", {"interlace": 0}),
        ("cut.bmp", MAX_PIXELS["BMP"], "P", {}),
    ],
)  # fmt: skip
def test_the_largest_picture_of_each_kind(
    tmp_path: Path, name: str, pixels: int, mode: str, options: dict[str, Any]
) -> None:
    large = write(tmp_path, name, pixels, mode, **options)
    if name == "damaged.png":
        damage(large)
    if name.startswith("cut"):
        cut(large)
    small = write(tmp_path, f"small.{name}", 5000, mode, **options)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(small), str(large)],
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr
    grown_kib, decoded = (int(each) for each in done.stdout.split())
    assert decoded > pixels * 0.98
    assert grown_kib * 1024 < MAX_MEMORY_BYTES
