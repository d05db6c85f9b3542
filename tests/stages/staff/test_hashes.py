"""What it costs to try a password or a codename where Holdfast is used."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from django.contrib.auth.hashers import make_password

from holdfast.intake import codename
from holdfast.staff import operations as staff

pytestmark = pytest.mark.usefixtures("real_hashes")

WORDS = "plank otter mango drum stir"
PASSWORD, CODENAME = (46 * 1024, 1), (7 * 1024, 5)
"""KiB, and how often: the first and the last of the lines that OWASP's Password Storage
Cheat Sheet gives for Argon2id, as hard as each other."""


@pytest.mark.parametrize(
    ("kept", "least"),
    [
        (lambda: make_password("seven quiet herons").removeprefix("argon2"), PASSWORD),
        (lambda: staff._nobodys_password().removeprefix("argon2"), PASSWORD),
        (lambda: codename.verifier(WORDS), CODENAME),
        (codename.nobodys_verifier, CODENAME),
    ],
    ids=["password", "nobody's password", "codename", "nobody's codename"],
)
def test_one_try_takes_the_memory_that_argon2_is_recommended_with(
    kept: Callable[[], str], least: tuple[int, int]
) -> None:
    cost = extract_parameters(kept())
    assert cost.type.name == "ID"
    assert (cost.memory_cost, cost.time_cost) >= least
    assert cost.time_cost >= least[1]


def test_words_that_were_kept_at_another_cost_stay_good() -> None:
    dearer = PasswordHasher().hash(WORDS)
    assert extract_parameters(dearer) != extract_parameters(codename.verifier(WORDS))
    assert codename.proves(WORDS, dearer)
    assert not codename.proves("plank otter mango drum stirs", dearer)


def test_a_few_are_proven_at_once_and_everybody_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many press at once, the rest of the processor is for reports."""
    proving, most, lock = 0, 0, threading.Lock()

    class Counted(PasswordHasher):
        def verify(self, *given: Any) -> Any:
            nonlocal proving, most
            with lock:
                proving += 1
                most = max(most, proving)
            try:
                return super().verify(*given)
            finally:
                with lock:
                    proving -= 1

    kept = codename.verifier(WORDS)
    monkeypatch.setattr(codename, "_hasher", Counted())
    with ThreadPoolExecutor(8) as pool:
        tried = [WORDS, "plank otter mango drum"] * 12
        found = list(pool.map(lambda words: codename.proves(words, kept), tried))
    assert found == [True, False] * 12
    assert most == codename.PROOFS_AT_ONCE
