"""Addresses in what people write: one reader for every door. Pure.

People put an address into a sentence, in quotation marks or brackets, before a mark of
exclamation or a smiley, without its scheme; programs wrap it in a link of their own
that leads there, or break it over two lines. All of that is read here. What is taken
for an address without saying so (``https://``), or from inside another one, is only one
on a host that the caller names, so that nothing is made up of ordinary words. Reading
takes time that grows with the length of the text and no faster.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final
from urllib.parse import unquote

from holdfast.items.rules import host_allowed, normal_url

MAX_WRAPPED = 3
"""Links around an address that are looked into: a search engine's within the one that a
mail program put around it, and one more. As often what each holds is decoded."""
MAX_BROKEN_LINES = 40
"""Over how many lines an address in brackets goes on; the longest that is taken has 28
of a mail's 76 characters."""
_LETTERS = r"[A-Za-z0-9._~:/?#\[\]@!$&()*+,;=%\u0080-\U0010ffff-]+"
_WITH_SCHEME = rf"https?://{_LETTERS}"
_FIRST = r"(?:(?<![\w@./%=?&#+~-])|(?<=://))"
"""What a host without a scheme follows: no letter of a longer host's name or of another
address, and not the name before an ``@``."""
_MOBILE = r"(?:(?:www|m|mobile|amp|touch)\.)?"
_BEGINS: Final = re.compile(r"(?=https?://)", re.IGNORECASE)
_BEGINS_ANOTHER: Final = re.compile(r"(?<![=/?&#:_@])(?=https?://)", re.IGNORECASE)
"""Where one address goes over into the next: not where it stands as an argument or in
a path, for there it belongs to the first."""
_HOLDS: Final = re.compile("http|%", re.IGNORECASE)
"""What stands in any address that holds another one."""
_LINE_END: Final = re.compile(r"[ \t]?\r?\n[> \t]*")
_BROKEN: Final = re.compile(
    rf"<(https?://[^\s<>]+(?:{_LINE_END.pattern}[^\s<>]+){{1,{MAX_BROKEN_LINES}}})\s?>",
    re.IGNORECASE,
)
_PAIRS: Final = {")": "(", "]": "["}


class _Plain(dict[int, int | str | None]):
    """For ``translate``: signs that no address has end it, and what is not seen goes.

    Quotation marks of all kinds, the marks of other scripts, smileys; not letters,
    which an address may have as they are. Marks that only say in which direction
    letters run, or where a line may break, are put around addresses and into them.
    """

    def __missing__(self, code: int) -> int | str | None:
        kind = unicodedata.category(chr(code))
        if code < 0x80:
            return code
        return None if kind == "Cf" else " " if kind[0] in "PSZC" else code


def addresses_in(text: str, hosts: tuple[str, ...] = ()) -> list[str]:
    """The addresses in a text, each once, in order, without what only stands by them.

    ``hosts`` (in their normal form) are those of platforms. Of an address elsewhere
    that holds one of theirs, as the links of mail programs do, the inner one is given
    in its place. An address of theirs stands for itself, whatever it holds: it may name
    where somebody came from.
    """
    plain = joined(text if text.isascii() else text.translate(_Plain()))
    found: list[str] = []
    for match in _pattern(hosts).finditer(plain):
        mark = plain[match.start() - 1 : match.start()]
        # *Bold*, _slanted_ and ~struck out~, as messengers write it.
        whole = match[0].rstrip(mark) if mark and mark in "*_~" else match[0]
        for part in filter(None, _BEGINS_ANOTHER.split(whole)):
            address = trimmed(part)
            if is_on(address, hosts):
                found.append(address)
            elif _BEGINS.match(address):
                found += _inside(address, hosts) or [address]
    return list(dict.fromkeys(found))


def joined(text: str) -> str:
    """The text with each address whole that was broken over lines in ``<…>``.

    RFC 3986, appendix C. Only there is it known that the next line belongs to it.
    """
    if "\n" not in text:
        return text
    return _BROKEN.sub(lambda match: f"<{_LINE_END.sub('', match[1])}>", text)


def is_on(address: str, hosts: tuple[str, ...]) -> bool:
    """Whether an address, with its scheme or without, is on one of the hosts."""
    lower = address.lower()
    # The first look is quick, for a mail can hold a million addresses of others.
    return any(host in lower for host in hosts) and host_allowed(
        f"https://{normal_url(address)}", hosts
    )


def names_a_place(address: str) -> bool:
    """Whether it names something on a site, and not only the site."""
    return bool(set("/?") & set(normal_url(address)))


def trimmed(address: str) -> str:
    """Without the marks of the sentence behind it, and a bracket closed around it."""
    surplus = {
        closing: address.count(closing) - address.count(opening)
        for closing, opening in _PAIRS.items()
    }
    end = len(address)
    while end:
        last = address[end - 1]
        if last in _PAIRS.values():
            closing = next(each for each, opening in _PAIRS.items() if opening == last)
            surplus[closing] += 1
        elif surplus.get(last, 0) > 0:
            surplus[last] -= 1
        elif last not in ".,;:!?*":
            break
        end -= 1
    return address[:end]


@cache
def _pattern(hosts: tuple[str, ...]) -> re.Pattern[str]:
    if not hosts:
        return re.compile(_WITH_SCHEME, re.IGNORECASE)
    named = "|".join(re.escape(each) for each in hosts)
    bare = rf"{_FIRST}{_MOBILE}(?:{named})(?::\d{{1,5}})?(?=[/?]\S){_LETTERS}"
    return re.compile(f"{_WITH_SCHEME}|{bare}", re.IGNORECASE)


def _inside(
    address: str, hosts: tuple[str, ...], levels: int = MAX_WRAPPED
) -> list[str]:
    """The addresses on these hosts that an address of another one holds."""
    held = address.partition("://")[2]
    if not (hosts and levels and _HOLDS.search(held)):
        return []
    found: list[str] = []
    for argument in held.split("&"):
        for inner in _decoded(argument):
            is_known = is_on(inner, hosts)
            found += [inner] if is_known else _inside(inner, hosts, levels - 1)
    return found


def _decoded(argument: str) -> list[str]:
    """The addresses in one argument, decoded no further than it takes to find any."""
    for _level in range(MAX_WRAPPED):
        plain = argument if argument.isascii() else argument.translate(_Plain())
        parts = (_pattern(()).match(each) for each in _BEGINS.split(plain))
        if found := [trimmed(each[0]) for each in parts if each]:
            return found
        if "%" not in argument:
            break
        argument = unquote(argument)
    return []
