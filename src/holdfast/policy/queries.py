"""The policy in force, and earlier ones."""

from __future__ import annotations

from functools import lru_cache

from holdfast.base.errors import NotFound
from holdfast.policy.models import PolicyVersion
from holdfast.policy.rules import Policy, read_policy


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


@lru_cache(maxsize=16)
def _read(document: str) -> Policy:
    return read_policy(document)
