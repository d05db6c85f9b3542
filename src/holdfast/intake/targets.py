"""What a report is about: each thing by whatever its reporter has of it.

Looked up on the platform before any transaction, and then written down. What is found
of nothing is kept as it was named, and looked for again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from holdfast.base import clock
from holdfast.intake.fingerprint import FingerprintGiven
from holdfast.intake.models import Report, Target
from holdfast.items.models import Actor, Conversation
from holdfast.items.naming import Found, find_named
from holdfast.items.queries import actor_registered, addresses_on, item_registered
from holdfast.items.rules import normal_url

MAX_TARGETS = 50


@dataclass(frozen=True)
class TargetGiven:
    """One reported thing, by whatever the reporter has of it."""

    item: str = ""
    url: str = ""
    actor: str = ""
    conversation: str = ""
    account: str = ""
    """The name of an account as people see it, such as ``@sunny``."""
    description: str = ""
    fingerprint: FingerprintGiven | None = None
    looked_up: Found | None = None
    """What was found, where it was looked up before; then nobody is asked again."""

    @property
    def named_as(self) -> str:
        """The reporter's own way of naming it."""
        if self.fingerprint is not None:
            return self.fingerprint.named_as
        return (
            self.url
            or self.item
            or self.actor
            or self.conversation
            or self.account
            or self.description
        )

    def find(self, platform_id: UUID) -> Found:
        """What it names; the platform may be asked, so no transaction has begun."""
        if self.looked_up is not None:
            return self.looked_up
        if self.item:
            known = item_registered(platform_id, self.item)
            if known is not None:
                return Found(item=known)
        named = self.url or self.account
        return find_named(platform_id, named) if named else Found()

    def look_up(self, platform_id: UUID) -> TargetGiven:
        """The same, looked up now, and not again."""
        return replace(self, looked_up=self.find(platform_id))


def named_in(
    words: str,
    platform_id: UUID,
    names: Collection[str] = (),
    located: Collection[Found] = (),
) -> list[TargetGiven]:
    """What words name on a platform beside what is reported already, looked up.

    An address counts wherever somebody writes it: in the box that asks for one, or in
    a sentence. No more than a report has room for. The platform may be asked.
    """
    known = {normal_url(each, keep_sharing=True) for each in names}
    found = {each for each in located if each}
    room = MAX_TARGETS - len(names)
    fresh: list[TargetGiven] = []
    for address in addresses_on(platform_id, words):
        if len(fresh) >= room:
            break
        if normal_url(address, keep_sharing=True) in known:
            continue
        target = TargetGiven(url=address).look_up(platform_id)
        if target.looked_up in found:
            continue
        fresh.append(target)
        found |= {target.looked_up} if target.looked_up else set()
    return fresh


def picture_columns(given: FingerprintGiven | None, *, tells: bool) -> dict[str, Any]:
    """The columns of a target that is a picture's fingerprint; none of another."""
    if given is None:
        return {}
    return {
        "pdq": given.forms,
        "quality": given.quality,
        "watched": given.watch,
        "tells": tells,
    }


def keep_targets(
    report: Report,
    targets: Sequence[TargetGiven],
    located: Sequence[Found],
    *,
    first: int,
    tells: bool = True,
) -> list[Target]:
    """Write down what a report is about; ``located`` is what was found of each."""
    return Target.objects.bulk_create(
        Target(
            report=report,
            position=position,
            named_as=target.named_as,
            item_id=found.item,
            actor_id=None
            if found.item
            else found.actor or actor_of(report.platform_id, target.actor),
            conversation_id=None
            if found.item
            else found.conversation or _conversation_id(report, target),
            **picture_columns(target.fingerprint, tells=tells),
        )
        for position, (target, found) in enumerate(
            zip(targets, located, strict=True), start=first
        )
    )


def _conversation_id(report: Report, target: TargetGiven) -> UUID | None:
    if not target.conversation:
        return None
    found, _new = Conversation.objects.get_or_create(
        platform_id=report.platform_id,
        external_id=target.conversation,
        defaults={"registered_at": clock.now()},
    )
    return found.id


def actor_of(platform_id: UUID, external_id: str) -> UUID | None:
    """An account by the platform's own id, written down where it is new."""
    if not external_id:
        return None
    return actor_registered(platform_id, external_id) or _new_actor(
        platform_id, external_id
    )


def _new_actor(platform_id: UUID, external_id: str) -> UUID:
    return Actor.objects.get_or_create(
        platform_id=platform_id,
        external_id=external_id,
        defaults={"registered_at": clock.now()},
    )[0].id
