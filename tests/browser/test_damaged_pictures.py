"""Of a damaged picture that is compared which Chromium shows, frame by frame.

Chromium is the oracle: what it shows of a file is what people see of it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

from holdfast.signals.luma import MAX_MISSING_SHARE
from holdfast.signals.media import MEDIA_TYPES, decode_frames, sniff
from tests.signals.damaged import DAMAGED, gif, gif_ends, gif_harmed, gif_whole

PLACE = "https://pictures.example/"
"""Answered by the test itself. Only pages of safe places may ask for frames."""

LOOK = """async ([text, type]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const seen = (picture, width, height) => {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    return { width, height,
             pixels: Array.from(context.getImageData(0, 0, width, height).data) };
  };
  const image = new Image();
  await new Promise((done) => {
    image.onload = image.onerror = done;
    image.src = URL.createObjectURL(new Blob([bytes], { type }));
  });
  const shown = [seen(image, image.naturalWidth, image.naturalHeight)];
  const decoder = new ImageDecoder({ data: bytes, type });
  await decoder.tracks.ready;
  await decoder.completed;
  const count = decoder.tracks.selectedTrack.frameCount;
  for (let frameIndex = 1; frameIndex < count; frameIndex++) {
    const options = { frameIndex, completeFramesOnly: false };
    const { image: frame } = await decoder.decode(options);
    shown.push(seen(frame, frame.displayWidth, frame.displayHeight));
  }
  return shown;
}"""


class Shown(NamedTuple):
    """A frame: its brightness, and how many rows of it are shown at all."""

    luma: NDArray[np.float64]
    rows: int


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page()
    page.route("**/*", lambda route: route.fulfill(content_type="text/html", body=""))
    page.goto(PLACE)
    yield page
    page.close()


def shown(page: Page, data: bytes) -> list[Shown]:
    text = base64.b64encode(data).decode()
    frames: list[dict[str, Any]] = page.evaluate(LOOK, [text, MEDIA_TYPES[sniff(data)]])
    return [_shown(frame) for frame in frames]


def _shown(frame: dict[str, Any]) -> Shown:
    pixels = np.array(frame["pixels"], np.uint8)
    pixels = pixels.reshape(frame["height"], frame["width"], 4)
    rows = int((pixels[..., 3] > 0).all(axis=1).sum())
    return Shown(pixels[..., :3] @ np.array([0.299, 0.587, 0.114]), rows)


@pytest.mark.parametrize("kind", DAMAGED)
def test_what_chromium_shows_is_compared(page: Page, kind: str) -> None:
    seen = shown(page, DAMAGED[kind])
    ours = list(decode_frames(DAMAGED[kind]))
    assert len(ours) == len(seen)
    for one, other in zip(ours, seen, strict=True):
        missing = len(other.luma) - other.rows
        is_whole = missing <= MAX_MISSING_SHARE * len(other.luma)
        assert one.height == (len(other.luma) if is_whole else other.rows)
        difference = one.pixels[: other.rows] - other.luma[: other.rows]
        assert abs(difference).max() <= 1


@pytest.mark.parametrize(
    "data",
    [
        gif(gif_ends(30, b"\x55" * 600), interlaced=True),
        gif(gif_harmed(30), gif_whole, interlaced=True),
    ],
    ids=["that ends", "harmed"],
)
def test_of_an_interlaced_gif_the_passes_are_compared(page: Page, data: bytes) -> None:
    """Chromium shows the pass that is not whole, too: the rest is as coarse."""
    for one, other in zip(decode_frames(data), shown(page, data), strict=True):
        assert one.pixels.shape == other.luma.shape
        assert abs(one.pixels - other.luma).mean() < 12
