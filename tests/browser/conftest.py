"""Fixtures of the browser tests: a Chromium, and a visitor for each test.

Every test, whatever it is about, also fails when a page asked another host for
something or broke its own content security policy. When a test fails, pictures of its
pages are left where the report says.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.browser import Visitor, arguments, find_chromium

PICTURES = Path(os.environ.get("HOLDFAST_SCREENSHOTS", "var/failed-pages"))
_failed = pytest.StashKey[bool]()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium, once for a module. It fails, and does not skip, when there is none.

    Playwright's loop runs in this thread until the module is done, and Django would
    refuse its database for that; the tests themselves are not asynchronous.
    """
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=arguments()
        )
        yield browser
        browser.close()


@pytest.fixture
def visitor(
    chromium: Browser, live_server: Any, request: pytest.FixtureRequest
) -> Iterator[Visitor]:
    """Somebody with a browser, in front of the running program."""
    visitor = Visitor(chromium, live_server.url)
    yield visitor
    if request.node.stash.get(_failed, False):
        for path in visitor.screenshots(PICTURES / request.node.name):
            print(f"Screenshot: {path}")  # noqa: T201  # Shown with the failure.
    visitor.close()
    assert not visitor.outside()
    assert not visitor.refused_by_policy


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Note a failure, for the fixtures to see when they are taken down."""
    report = yield
    if report.when == "call":
        item.stash[_failed] = report.failed
    return report
