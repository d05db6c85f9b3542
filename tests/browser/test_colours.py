"""What a colour profile makes of a picture is compared as Chromium shows it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from holdfast.signals.media import decode_luma
from tests.browser.test_damaged_pictures import PLACE, shown
from tests.signals.colours import (
    BROKEN,
    JPEGS,
    NEGATIVE,
    PNGS,
    UNUSUAL,
    bmp,
    iccp,
    jpeg,
    part,
    png,
    stored,
)

SAME_LEVELS = 3
"""On average, of 255: Little CMS and Skia round otherwise, and colours that a screen
cannot show are bent into it otherwise."""
FILES = {
    **{f"PNG: {name}": data for name, data in PNGS.items()},
    **{f"JPEG: {name}": data for name, data in JPEGS.items()},
    **{f"PNG: {name}": png(iccp(profile)) for name, profile in UNUSUAL.items()},
    **{f"broken: {name}": jpeg(part(profile)) for name, profile in BROKEN.items()},
    **{f"broken PNG: {name}": png(iccp(profile)) for name, profile in BROKEN.items()},
    "BMP": bmp(NEGATIVE),
    "BMP of sRGB": bmp(NEGATIVE, b"BGRs"),
    **{kind: stored(kind, NEGATIVE) for kind in ("WEBP", "AVIF")},
}


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page()
    page.route("**/*", lambda route: route.fulfill(content_type="text/html", body=""))
    page.goto(PLACE)
    yield page
    page.close()


@pytest.mark.parametrize("name", FILES)
def test_colours_are_compared_as_chromium_shows_them(page: Page, name: str) -> None:
    [seen] = shown(page, FILES[name])
    assert np.abs(decode_luma(FILES[name]).pixels - seen.luma).mean() <= SAME_LEVELS
