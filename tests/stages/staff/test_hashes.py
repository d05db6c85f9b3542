"""What it costs to try a password or a codename where Holdfast is used."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from argon2 import extract_parameters
from django.contrib.auth.hashers import make_password

from holdfast.intake import codename
from holdfast.staff import operations as staff

pytestmark = pytest.mark.usefixtures("real_hashes")

LEAST_KIB, LEAST_TIMES = 46 * 1024, 1
"""OWASP's Password Storage Cheat Sheet: Argon2id with 46 MiB once, or with less memory
and more often."""


@pytest.mark.parametrize(
    "kept",
    [
        lambda: make_password("seven quiet herons 41").removeprefix("argon2"),
        lambda: staff._nobodys_password().removeprefix("argon2"),
        lambda: codename.verifier("plank otter mango drum stir"),
        codename.nobodys_verifier,
    ],
    ids=["password", "nobody's password", "codename", "nobody's codename"],
)
def test_one_try_takes_the_memory_that_argon2_is_recommended_with(
    kept: Callable[[], str],
) -> None:
    cost = extract_parameters(kept())
    assert cost.type.name == "ID"
    assert cost.memory_cost >= LEAST_KIB
    assert cost.time_cost >= LEAST_TIMES
