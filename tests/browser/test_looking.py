"""That what the browser tests look with does see: a planted fault is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import browser
from tests.browser.browser import Visitor, assert_accessible, assert_fits
from tests.browser.zoomed import assert_holds_at_400_percent


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


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ("<p style='position: sticky; top: 0; height: 120px'>Away</p>", "stick"),
        (
            "<style>nav { position: sticky; top: 0; height: 80px; background: white }"
            "</style><nav>Away</nav><a href='#'>One</a>"
            "<p style='height: 900px'>Much</p><a href='#'>Two</a>",
            "covered",
        ),
        ("<button style='width: 60px; height: 20px'>Send it</button>", "cut off"),
        (
            "<p style='height: 1.2em; overflow: hidden'>Words that are many</p>",
            "cut off",
        ),
        ("<table><td style='white-space: nowrap'>" + "Wide " * 8 + "</table>", "needs"),
    ],
)
def test_what_does_not_hold_at_400_percent_is_found(
    chromium: Browser, part: str, fault: str
) -> None:
    page = chromium.new_page()
    page.set_content("<h1>Title</h1><p>Words.</p>")
    assert_holds_at_400_percent(page)
    page.set_content(f"<body>{part}<p style='height: 900px'>More</p></body>")
    with pytest.raises(AssertionError, match=fault):
        assert_holds_at_400_percent(page)
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
