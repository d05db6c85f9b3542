"""Proofs of passwords and codenames that cost next to nothing, while tests run.

Argon2 is slow on purpose: a fifth of a second of a processor for each password, less
for each codename, and most tests have several. ``tests/stages/staff/test_hashes.py``
holds what they cost where Holdfast is used.
"""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from django.contrib.auth.hashers import Argon2PasswordHasher

from holdfast.intake import codename
from holdfast.staff import operations as staff

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""The least that Argon2 takes."""


def quicken(patch: pytest.MonkeyPatch) -> None:
    """Until the patch is undone."""
    for name in ("time_cost", "memory_cost", "parallelism"):
        patch.setattr(Argon2PasswordHasher, name, getattr(QUICK, name))
    patch.setattr(codename, "_hasher", QUICK)
    forget()


def forget() -> None:
    """What nobody's password and codename are compared with, to be made anew."""
    codename.nobodys_verifier.cache_clear()
    staff._nobodys_password.cache_clear()
