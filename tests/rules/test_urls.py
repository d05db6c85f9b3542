"""One item has one normal address, however it was written down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.items.rules import host_allowed, normal_url

ALIASES = [{"pattern": r"short\.example/([a-z0-9]+)", "url": r"site.example/p/\1"}]


@pytest.mark.parametrize(
    "written",
    [
        "https://site.example/p/7",
        "http://www.site.example/p/7/",
        "m.site.example/p/7#comments",
        "HTTPS://Site.Example:443/p/7?utm_source=mail&fbclid=1",
        "https://short.example/7",
        "  https://someone@site.example/p/%37 ",
    ],
)
def test_forms_of_one_address(written: str) -> None:
    assert normal_url(written, ALIASES) == "site.example/p/7"


@pytest.mark.parametrize(
    "written",
    ["", "javascript:alert(1)", "ftp://site.example/x", "http://[::1", "http://"],
)
def test_what_is_no_address(written: str) -> None:
    assert normal_url(written) == ""


def test_arguments_that_name_the_item_count() -> None:
    assert normal_url("site.example/watch?v=1") != normal_url("site.example/watch?v=2")


@given(st.text(max_size=200))
def test_any_text_is_folded_once_and_for_all(text: str) -> None:
    folded = normal_url(text, ALIASES)
    assert folded == "" or normal_url(folded, ALIASES) == folded or "%" in text


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://media.example/a.jpg", True),
        ("https://media.example:8443/a.jpg", True),
        ("https://media.example@evil.example/a.jpg", False),
        ("https://evil.example/media.example", False),
        ("https://media.example.evil.example/a.jpg", False),
        ("nonsense", False),
    ],
)
def test_only_named_hosts_are_asked(url: str, allowed: bool) -> None:
    assert host_allowed(url, ["media.example"]) is allowed
