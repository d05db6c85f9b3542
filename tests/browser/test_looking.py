"""That what the browser tests look with does see: a planted fault is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import browser
from tests.browser.browser import Visitor, assert_accessible, assert_fits


def test_a_field_without_a_label_is_found(chromium: Browser) -> None:
    page = chromium.new_page()
    page.set_content("<main><h1>Title</h1><input></main>")
    with pytest.raises(AssertionError, match="label"):
        assert_accessible(page)
    page.close()


def test_a_page_that_is_too_wide_is_found(chromium: Browser) -> None:
    page = chromium.new_page(viewport={"width": 320, "height": 600})
    page.set_content("<p style='width: 400px'>Wide</p>")
    with pytest.raises(AssertionError, match="320"):
        assert_fits(page)
    page.close()


def test_a_question_to_another_host_is_found(chromium: Browser) -> None:
    visitor = Visitor(chromium, "http://127.0.0.1:1")
    page = visitor.open("about:blank")
    page.route("**/*", lambda route: route.abort())
    page.set_content("<img alt='' src='http://elsewhere.example/x.png'>")
    assert visitor.outside() == ["http://elsewhere.example/x.png"]
    visitor.close()


def test_without_chromium_it_is_said_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HOLDFAST_CHROMIUM", raising=False)
    with pytest.raises(AssertionError, match="make test"):
        browser.find_chromium()
