"""Whether a mail comes from where it says, as the mail server that took it says.

Anybody can write any sender into a mail. A server that takes one in looks that up (SPF,
DKIM, DMARC) and writes what it found above everything that came with it, under a name
of its own, in ``Authentication-Results`` (RFC 8601). Only the first such header of a
name that the operator trusts is read: whatever stands below may have come with the
mail. What cannot be read proves nothing. Pure.

Read here and not by a library: the one on PyPI (``authres``) is of 2019, before this
RFC, and refuses a header for a letter outside ASCII in a comment.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from email.utils import getaddresses

HEADER = "authentication-results"
MAX_READ = 10_000
"""Characters of the header; one of a large mail provider has a thousand."""


@dataclass(frozen=True)
class _Result:
    """What one method found: ``dkim``, ``pass``, ``{"header.d": "example.org"}``."""

    method: str
    result: str
    about: dict[str, str]


def is_proven(
    fields: Sequence[tuple[str, str]], sender: str, trusted: Collection[str]
) -> bool:
    """Whether the domain of ``sender`` is shown to have sent a mail.

    ``fields`` are all its headers in their order, ``trusted`` the names under which
    our own mail server writes (its "authserv-id").
    """
    domain = _domain(sender)
    senders = [value for name, value in fields if name.lower() == "from"]
    # Of several senders, the server may have looked at another than the one we see.
    if not domain or len(senders) != 1 or len(getaddresses(senders)) != 1:
        return False
    found = _results(fields, {each.lower() for each in trusted})
    verdicts = [each for each in found if each.method == "dmarc"]
    if any(each.result != "none" for each in verdicts):
        return all(
            each.result == "pass" and _domain(each.about.get("header.from")) == domain
            for each in verdicts
        )
    # A domain that has published no policy, or a server that does not ask for one. The
    # very same domain, as in DMARC's strict alignment: the relaxed one needs a list of
    # who may give out names beneath which.
    return any(
        each.result == "pass" and domain in _proves(each)
        for each in found
        if each.method in ("dkim", "spf")
    )


def _proves(found: _Result) -> set[str]:
    """The domains that SPF or DKIM speak for."""
    named = ("header.d", "header.i") if found.method == "dkim" else ("smtp.mailfrom",)
    return {_domain(found.about[each]) for each in named if each in found.about}


def _results(
    fields: Sequence[tuple[str, str]], trusted: Collection[str]
) -> list[_Result]:
    """What the first header of a trusted name says; nothing if it cannot be read."""
    for name, value in fields:
        if name.lower() != HEADER:
            continue
        (first, *rest), is_whole = _statements(value[:MAX_READ])
        if first and first[0].lower() in trusted:
            is_known = len(value) <= MAX_READ and first[1:] in ([], ["1"])
            found = [_result(each) for each in rest if each]
            return found if is_whole and is_known else []
    return []


def _result(words: Sequence[str]) -> _Result:
    method, _equals, result = words[0].partition("=")
    pairs = (each.partition("=") for each in words[1:])
    about = {name.lower(): value for name, _sign, value in pairs}
    return _Result(method.partition("/")[0].lower(), result.lower(), about)


def _statements(value: str) -> tuple[list[list[str]], bool]:
    """What stands between semicolons, word by word; and whether it is well-formed.

    Comments are left out, and within quotation marks nothing has a meaning of its own:
    a sender writes what some of these words are made of.
    """
    statements: list[list[str]] = [[]]
    word: list[str] = []
    depth, is_quoted, is_whole = 0, False, True
    letters = iter(value)
    for letter in letters:
        if letter == "\\" and (depth or is_quoted):
            following = next(letters, "")
            word += [] if depth else [following]
        elif is_quoted:
            is_quoted = letter != '"'
            word += [letter] if is_quoted else []
        elif letter in "()":
            depth += 1 if letter == "(" else -1
            is_whole, depth = is_whole and depth >= 0, max(depth, 0)
            _end(word, statements)
        elif depth > 0:
            continue
        elif letter == '"':
            is_quoted = True
        elif letter == ";":
            _end(word, statements)
            statements.append([])
        elif letter.isspace():
            _end(word, statements)
        else:
            word.append(letter)
    _end(word, statements)
    return statements, is_whole and not depth and not is_quoted


def _end(word: list[str], statements: list[list[str]]) -> None:
    if word:
        statements[-1].append("".join(word))
        word.clear()


def _domain(address: str | None) -> str:
    """Of an address, or of a domain by itself."""
    return (address or "").rpartition("@")[2].strip().rstrip(".").lower()
