"""What people write around an address, and what programs make of it."""

from __future__ import annotations

import time
import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from holdfast.items.addresses import MAX_WRAPPED, addresses_in, names_a_place
from holdfast.items.rules import normal_url

HOSTS = ("plaza.example", "other.example:8300")
POST = "https://plaza.example/p/1"
BARE = "plaza.example/p/1"
TAKES_AT_MOST_S = 4.0
"""For 300,000 characters; what grows with their square takes minutes."""


def meant(text: str) -> list[str]:
    """What a text names, in its normal form."""
    return [normal_url(each) for each in addresses_in(text, HOSTS)]


@pytest.mark.parametrize(
    "text",
    [
        f"Look at this {POST}!",
        f"is it {POST}?",
        f"{POST}: this one",
        f"{POST}…",
        f"{POST}😭",
        f"{POST}😭 please",
        f"{POST}❤️",
        f"{POST}\u200b",
        f"\u200e{POST}",
        f"\u2066{POST}\u2069 של",
        f"see {POST}—help",
        f"看{POST}。请帮助",
        f"«{POST}»",
        f"“{POST}”",
        f"„{POST}“",
        f"\u2018{POST}\u2019",
        f'"{POST}"',
        f"'{POST}'",
        f"[{POST}]",
        f"({POST}).",
        f"{{{POST}}}",
        f"<{POST}>",
        f"*{POST}*",
        f"_{POST}_",
        f"**{POST}**, now",
        f"[{POST}]({POST})",
        f"[here]({POST})",
        f"| {POST}|Kim |",
        "HTTPS://Plaza.Example/p/1!",
        "https://plaza.example/\u200bp/1",
        BARE,
        f"{BARE}!",
        f"see {BARE} please",
        f"Here:{BARE}.",
        f"(www.{BARE})",
        f"M.{BARE} it is",
        f"hxxps://{BARE}",
        f"x😭{BARE}",
        "<https://plaza.example/\np/1>",
        "> see <https://plaza.exam\r\n> ple/p/1 >",
        "<https://plaza.\n  example\n/p/1>",
    ],
)
def test_an_address_is_read_whatever_stands_around_it(text: str) -> None:
    assert meant(text) == [BARE]


@pytest.mark.parametrize(
    "link",
    [
        "https://eur01.safelinks.protection.outlook.com/?url={once}&data=05%7C02&x=0",
        "https://www.google.com/url?q={once}&sa=D&source=x",
        "https://www.google.com/url?q={plain}&sa=D",
        "https://l.site.example/l.php?u={once}&h=AT",
        "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2F"
        "www.google.com%2Furl%3Fq%3D{twice}%26sa%3DD&data=1",
        "https://archive.example/web/2026/{plain}",
        "https://{plain}",
        "https://urls.example/v3/__{plain}",
        "https://share.example/?text=Look%20at%20{once}%21%20please",
        "https://share.example/?text=%C2%AB{once}%C2%BB",
    ],
)
def test_a_link_that_leads_there_is_read_as_where_it_leads(link: str) -> None:
    once = quote(POST, safe="")
    wrapped = link.format(plain=POST, once=once, twice=quote(once, safe=""))
    assert meant(f"See {wrapped}.") == [BARE]
    # With no platform known nothing is taken out of it.
    assert addresses_in(wrapped) == [wrapped]


def test_what_an_address_of_a_platform_holds_is_not_meant() -> None:
    came_from = f"{POST}?ref={quote('https://plaza.example/p/2', safe='')}"
    assert addresses_in(came_from, HOSTS) == [came_from]
    within = f"https://share.example/?u={quote(came_from, safe='')}"
    assert addresses_in(within, HOSTS) == [came_from]


@pytest.mark.parametrize(
    "text",
    [
        "I saw it on plaza.example yesterday.",
        "plaza.example/",
        "me@plaza.example/p/1",
        "notplaza.example/p/1",
        "evil-plaza.example/p/1",
        "éplaza.example/p/1",
        "x.plaza.example/p/1",
        "plaza.example.evil.example/p/1",
        "plaza.example:x/p/1",
        "evil.example/plaza.example/p/1",
        "evil.example?u=plaza.example/p/1",
        "file.php and/or example/p/1",
    ],
)
def test_ordinary_words_are_no_address(text: str) -> None:
    assert addresses_in(text, HOSTS) == []


@pytest.mark.parametrize(
    "text",
    [
        "https://plaza.example@evil.example/p/1",
        "https://evil.example/plaza.example/p/1",
        "https://evil.example/?u=plaza.example%2Fp%2F1",
        "https://evil.example/?u=https%3A%2F%2Fplaza.example.evil.example%2Fp",
        "https://plaza.example.evil.example/p/1",
        "https://evil.example/plaza.example@",
    ],
)
def test_an_address_elsewhere_stays_one_elsewhere(text: str) -> None:
    assert addresses_in(text, HOSTS) == [text]


def test_several_in_order_and_each_once() -> None:
    text = f"{POST},{POST}2{POST}3\n{POST} and {BARE}4, other.example:8300/a"
    assert addresses_in(text, HOSTS) == [
        POST,
        f"{POST}2",
        f"{POST}3",
        f"{BARE}4",
        "other.example:8300/a",
    ]


def test_a_bracket_of_the_address_itself_is_kept() -> None:
    assert addresses_in(f"({POST}_(a))") == [f"{POST}_(a)"]


def test_only_in_brackets_does_a_line_go_on() -> None:
    assert meant(f"{POST}\n2") == [BARE]
    assert meant(f"<{POST}\n2>") == [f"{BARE}2"]
    assert meant(f"<{POST}\nand two words>") == [BARE]


def test_a_front_page_is_no_place() -> None:
    assert not names_a_place("https://plaza.example/")
    assert not names_a_place("https://plaza.example?utm_source=x#y")
    assert names_a_place("plaza.example/p")
    assert names_a_place("plaza.example?p=1")


SIGNS = st.characters(
    categories=("Pi", "Pf", "Po", "Ps", "Pe", "Sc", "So", "Sm", "Cf", "Zs"),
    exclude_characters="#%&*/@\\=+$@:._~",
)


@given(st.text(SIGNS, max_size=5), st.text(SIGNS, max_size=5), st.booleans())
def test_no_sign_around_an_address_hides_it(
    before: str, after: str, with_scheme: bool
) -> None:
    address = POST if with_scheme else BARE
    # What begins a query or an argument in the middle is part of the address.
    tail = "".join(each for each in after if not each.isascii() or each in ".,;:!?)]")
    assume(not before.endswith(("?", "<")))
    assert meant(f"{before}{address}{tail}") == [BARE]


@given(
    st.integers(0, MAX_WRAPPED), st.sampled_from(["", "x", "p%C3%A5/1", "1?a=b&c=d"])
)
def test_wrapped_as_often_as_mails_do(times: int, more: str) -> None:
    address = wrapped = f"{POST}{more}"
    for level in range(times):
        wrapped = f"https://s{level}.example/?u={quote(wrapped, safe='')}&d=1"
    assert addresses_in(wrapped, HOSTS) == [address]


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    for address in addresses_in(text, HOSTS):
        assert not any(unicodedata.category(each) == "Cf" for each in address)


@pytest.mark.parametrize(
    "piece",
    [
        "https://",
        "http://a ",
        "http://a/http://",
        "http://a?https%3A%2F%2F",
        "http://a?%2525252525 ",
        "https://plaza.example/&",
        "https%3A%2F%2Fplaza.example%2F&",
        "plaza.example/",
        "plaza.example/ ",
        "www.",
        "<http://a\n",
        "<https://a\nb",
        "\n> ",
        "(",
        "http://(",
        "http://a)",
        "*http://*",
        "http://😭",
        "\u200b",
        "a" * 1000 + ".",
    ],
)
def test_no_text_is_so_broken_that_reading_it_takes_long(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    for tried in (text, f"https://a.example/?{text}", f"<https://a\n{text}"):
        began = time.process_time()
        addresses_in(tried, HOSTS)
        assert time.process_time() - began < TAKES_AT_MOST_S
