"""A real Chromium for the browser tests: finding it, and looking at a page with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Request,
    expect,
)

from tests.browser.hearing import assert_can_be_heard

MISSING = (
    "Chromium is missing. Run: make test (it installs chromium), "
    "or apt-get install chromium"
)
_NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
"""Keep Chromium from calling home while it is being tested."""
WIDE, NARROW = 1280, 320
"""Pixels: a desk, and the narrowest page that WCAG 2.2 (1.4.10) asks for."""
PATIENCE_MS = 30_000
"""How long something on a page may take on a machine with other work."""
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

expect.set_options(timeout=PATIENCE_MS)


def find_chromium() -> str:
    """The program; ``AssertionError`` with what to do when there is none."""
    names = [os.environ.get("HOLDFAST_CHROMIUM", ""), *_NAMES]
    found = next((path for name in names if name and (path := shutil.which(name))), "")
    assert found, MISSING
    return found


def arguments() -> list[str]:
    """How Chromium is started. As root it cannot put itself into its sandbox."""
    return [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


@dataclass
class Visitor:
    """One person at one browser: their pages, and all that these asked for."""

    browser: Browser
    base_url: str
    contexts: list[BrowserContext] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    refused_by_policy: list[str] = field(default_factory=list)

    def open(
        self,
        path: str = "/",
        *,
        width: int = WIDE,
        scripts: bool = True,
        zone: str = "UTC",
    ) -> Page:
        """A page in a fresh browser profile, at ``path``, somewhere on earth."""
        context = self.browser.new_context(
            base_url=self.base_url,
            viewport={"width": width, "height": 800},
            java_script_enabled=scripts,
            timezone_id=zone,
        )
        context.set_default_timeout(PATIENCE_MS)
        self.contexts.append(context)
        context.on("request", lambda asked: self.requests.append(asked))
        context.on("console", lambda said: self._listen(said.text))
        page = context.new_page()
        page.goto(path)
        return page

    def _listen(self, text: str) -> None:
        if "Content Security Policy" in text or "Content-Security-Policy" in text:
            self.refused_by_policy.append(text)

    def pages(self) -> Iterator[Page]:
        """Every page that is open."""
        for context in self.contexts:
            yield from context.pages

    def outside(self) -> list[str]:
        """The addresses of other hosts that were asked for: there should be none."""
        ours = (self.base_url, "data:", "about:")
        return [each.url for each in self.requests if not each.url.startswith(ours)]

    def screenshots(self, folder: Path) -> list[Path]:
        """A picture of every open page, for whoever looks into a failure."""
        folder.mkdir(parents=True, exist_ok=True)
        taken = []
        for place, page in enumerate(self.pages()):
            path = folder / f"page-{place}.png"
            page.screenshot(path=path, full_page=True)
            taken.append(path)
        return taken

    def close(self) -> None:
        """Leave nothing open.

        Chromium may never close a page that is on its way to another, and closing has
        no time limit; going somewhere has one.
        """
        for context in self.contexts:
            for page in context.pages:
                page.goto("about:blank")
            context.close()


def follow(leads: Locator) -> None:
    """Press what leads to another page, and wait until that page has come.

    A click ends before. Whoever looks at the page, leaves it or closes it would do so
    with the old one, or in the middle.
    """
    with leads.page.expect_navigation():
        leads.click()


def assert_accessible(page: Page) -> None:
    """No rule of axe is broken: WCAG 2.2 A and AA, and what is held to be good.

    And a screen reader has something sensible to say of all of it.
    """
    page.wait_for_load_state()
    options = {
        "runOnly": {"type": "tag", "values": _TAGS},
        # What is right is not described: that takes longer than finding out.
        "resultTypes": ["violations"],
    }
    found = Axe().run(page, options=options)
    assert not found.violations_count, f"{page.url}\n{found.generate_report()}"
    assert_can_be_heard(page)


def assert_fits(page: Page) -> None:
    """Nothing makes the page scroll sideways."""
    page.wait_for_load_state()
    width = page.viewport_size["width"] if page.viewport_size else 0
    needed = page.evaluate("document.documentElement.scrollWidth")
    assert needed <= width, f"{page.url} needs {needed} px of {width}"


class Weighed:
    """A first visit of ``path``, and the bytes that it brings over the wire."""

    def __init__(self, page: Page, path: str) -> None:
        self.page = page
        self._requests: list[Request] = []
        # Routing them keeps the browser from using what it has already.
        page.route("**", lambda route: route.continue_())
        page.on("requestfinished", lambda request: self._requests.append(request))
        page.goto(path)

    def weight(self) -> int:
        """All of it, once nothing more has come for half a second."""
        self.page.wait_for_load_state("networkidle")
        return sum(_size(each) for each in self._requests)


def _size(request: Request) -> int:
    sizes = request.sizes()
    return sizes["responseBodySize"] + sizes["responseHeadersSize"]
