"""The policy in force, and earlier ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from django.db.models import QuerySet

from holdfast.base.errors import NotFound
from holdfast.base.rows import read
from holdfast.policy.models import PolicyVersion
from holdfast.policy.rules import Category, Policy, read_policy

_held: ContextVar[Policy | None] = ContextVar("holdfast_policy", default=None)


@contextmanager
def held() -> Iterator[None]:
    """Within this block one policy rules: the one that is in force when it begins.

    A report is placed, frozen and clocked under one version, though another be adopted
    meanwhile.
    """
    token = _held.set(current())
    try:
        yield
    finally:
        _held.reset(token)


def current() -> Policy:
    """The policy adopted last, or the one that is held."""
    if (ruling := _held.get()) is not None:
        return ruling
    newest = read(
        "SELECT digest FROM hf_policy_version ORDER BY adopted_at DESC, id DESC LIMIT 1"
    )
    if not newest:
        raise NotFound("No policy has been adopted. Run: holdfast up")
    return _read(newest[0][0])


def version(name: str) -> Policy:
    """The policy of that version."""
    found = _adopted().filter(version=name).first()
    if found is None:
        raise NotFound("There is no policy of that version.", version=name)
    return _read(found)


def category_of(code: str, in_force: Policy | None = None) -> Category:
    """A category by the policy in force, or as the newest policy had that knew it.

    A policy can drop a category that open cases still have; a report that joins such a
    case is not refused for it. Raises ``InvalidInput`` for a code that none ever had.
    ``in_force``: that policy, for a caller who has it.
    """
    newest = in_force or current()
    if not _knows(newest, code):
        for digest in _adopted():
            if _knows(_read(digest), code):
                return _read(digest).category(code)
    return newest.category(code)


def _knows(policy: Policy, code: str) -> bool:
    return any(each.code == code for each in policy.categories)


def _adopted() -> QuerySet[PolicyVersion, str]:
    """The digests of all versions, the one adopted last first."""
    newest_first = PolicyVersion.objects.order_by("-adopted_at", "-id")
    return newest_first.values_list("digest", flat=True)


@lru_cache(maxsize=16)
def _read(digest: str) -> Policy:
    # What has this digest is this text for ever.
    return read_policy(PolicyVersion.objects.filter(digest=digest)[0].document)
