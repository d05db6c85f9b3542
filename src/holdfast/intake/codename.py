"""Codenames: how somebody without an account comes back to their report.

A codename is five words from the EFF's list of short words, drawn at random: 1,295 to
the fifth power, over 51 bits. It is shown once. What is kept is a keyed hash
that finds the report and an Argon2 hash that proves the words; neither gives the words
back, and neither is enough without this installation's key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
from collections import deque
from collections.abc import Iterator
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from xkcdpass import xkcd_password

from holdfast.vault.installation import keys

WORDS = 5
PROOFS_AT_ONCE: Final = 2
"""Of one process: Argon2 takes a processor each, and reports need them, too."""

# OWASP's Password Storage Cheat Sheet: 7 MiB five times is as hard as more memory less
# often. A tenth of what a password costs here, for nobody chose these words: see
# docs/decisions/0020-what-a-codename-costs.md. A hash names its own cost, so that the
# words of older reports stay good.
_hasher = PasswordHasher(time_cost=5, memory_cost=7 * 1024, parallelism=1)
_proofs = threading.BoundedSemaphore(PROOFS_AT_ONCE)


@cache
def word_list() -> tuple[str, ...]:
    """The words a codename is made of: short, distinct, and easy to say."""
    found = xkcd_password.generate_wordlist(
        xkcd_password.locate_wordfile("eff-short"), min_length=3, max_length=6
    )
    return tuple(sorted({word for word in found if word.isalpha()}))


def new_codename() -> str:
    """A new codename, such as ``plank otter mango drum stir``."""
    words = word_list()
    return " ".join(secrets.choice(words) for _ in range(WORDS))


def codename_from(random: bytes) -> str:
    """The codename that random bytes stand for, always the same; of 64 or more, so that
    every word is as likely as every other."""
    words, number = word_list(), int.from_bytes(random)
    found = []
    for _ in range(WORDS):
        number, place = divmod(number, len(words))
        found.append(words[place])
    return " ".join(found)


def folded(codename: str) -> str:
    """A codename as somebody typed it, with case and separators folded away."""
    return " ".join(re.findall(r"[^\W\d_]+", codename.lower()))


def windows(text: str) -> Iterator[tuple[int, int]]:
    """Where in a text five words stand that could be a codename: from, to."""
    known = set(word_list())
    lately: deque[re.Match[str]] = deque(maxlen=WORDS)
    for word in re.finditer(r"[^\W\d_]+", text):
        if word[0].lower() not in known:
            lately.clear()
            continue
        lately.append(word)
        if len(lately) == WORDS:
            yield lately[0].start(), word.end()


def lookup(codename: str) -> str:
    """The keyed hash that finds a codename's report: 64 hexadecimal digits."""
    key = keys().hmac_key("codename-lookup")
    return hmac.new(key, folded(codename).encode(), hashlib.sha256).hexdigest()


def verifier(codename: str) -> str:
    """The slow hash that proves a codename."""
    return _hasher.hash(folded(codename))


@cache
def nobodys_verifier() -> str:
    """A verifier that no codename proves: a miss takes as long as a hit."""
    return _hasher.hash(secrets.token_hex())


def proves(codename: str, verifier_kept: str) -> bool:
    """Whether a codename is the one behind a verifier. Slow on purpose.

    Who comes while others are being proven waits for a turn, and nobody is refused.
    """
    with _proofs:
        try:
            return _hasher.verify(verifier_kept, folded(codename))
        except VerificationError:
            return False
