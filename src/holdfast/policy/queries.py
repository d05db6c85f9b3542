"""The policy in force, and earlier ones."""

from __future__ import annotations

from functools import lru_cache

from holdfast.base.errors import NotFound
from holdfast.policy.models import PolicyVersion
from holdfast.policy.rules import Category, Policy, read_policy


def current() -> Policy:
    """The policy adopted last."""
    newest = PolicyVersion.objects.order_by("-adopted_at", "-id").first()
    if newest is None:
        raise NotFound("No policy has been adopted. Run: holdfast up")
    return _read(newest.document)


def version(name: str) -> Policy:
    """The policy of that version."""
    found = PolicyVersion.objects.filter(version=name).first()
    if found is None:
        raise NotFound("There is no policy of that version.", version=name)
    return _read(found.document)


def category_of(code: str) -> Category:
    """A category by the policy in force, or as the newest policy had that knew it.

    A policy can drop a category that open cases still have; a report that joins such a
    case is not refused for it. Raises ``InvalidInput`` for a code that none ever had.
    """
    for each in PolicyVersion.objects.order_by("-adopted_at", "-id"):
        policy = _read(each.document)
        if any(known.code == code for known in policy.categories):
            return policy.category(code)
    return current().category(code)


@lru_cache(maxsize=16)
def _read(document: str) -> Policy:
    return read_policy(document)
