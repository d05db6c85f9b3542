"""Adopting a policy."""

from __future__ import annotations

from django.db import transaction

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import Refused
from holdfast.base.events import Kind, emit
from holdfast.policy.models import PolicyVersion
from holdfast.policy.rules import Policy, read_policy


def adopt_policy(document: str, *, by: By) -> Policy:
    """Put a policy in force. The same document twice changes nothing.

    Raises ``InvalidInput`` for a policy that cannot be carried out and ``Refused`` for
    another text under a version that has been used.
    """
    by.require(Permission.STAFF_MANAGE)
    policy = read_policy(document)
    with transaction.atomic():
        known = PolicyVersion.objects.filter(version=policy.version).first()
        if known and known.digest != policy.digest:
            raise Refused(
                "This version has been adopted with another text. Decisions quote it: "
                "give the new text a version of its own.",
                version=policy.version,
            )
        if not known:
            PolicyVersion.objects.create(
                version=policy.version,
                digest=policy.digest,
                document=document,
                adopted_at=clock.now(),
                adopted_by=str(by),
            )
            emit(
                Kind.POLICY_ADOPTED,
                about={},
                facts={"version": policy.version, "digest": policy.digest},
                by=by,
            )
    return policy
