"""Who did something.

Every operation ends with ``by=``. A :class:`By` says who acts (a member of staff, a
platform's key, a reporter, the system itself) and what they may do; it is stored as
text, such as ``staff:0192…``, and never as a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from holdfast.base.errors import NotAllowed


class Permission(StrEnum):
    """Everything a caller can be allowed to do. Nothing is allowed by default."""

    CASE_READ = "case.read"
    CASE_CLAIM = "case.claim"
    CASE_DECIDE = "case.decide"
    CASE_DECIDE_AS_SPECIALIST = "case.decide_as_specialist"
    CASE_REOPEN = "case.reopen"
    ITEM_REVEAL = "item.reveal"
    ITEM_THAW = "item.thaw"
    REPORTER_ANSWER = "reporter.answer"
    ALARM_ACKNOWLEDGE = "alarm.acknowledge"
    PLATFORM_MANAGE = "platform.manage"
    STAFF_MANAGE = "staff.manage"
    AUTHORITY_GO_LIVE = "authority.go_live"
    BANK_MANAGE = "bank.manage"
    COPIES_FIND = "copies.find"
    MISUSE_DECIDE = "misuse.decide"
    OVERSIGHT_READ = "oversight.read"
    # What a platform's API key may do: its scopes.
    ITEMS_WRITE = "items.write"
    ITEMS_READ = "items.read"
    REPORTS_WRITE = "reports.write"
    REPORTS_FLAG = "reports.flag"
    CHANGES_READ = "changes.read"
    # What anybody at the front door may do.
    REPORT_FILE = "report.file"
    REPORT_FOLLOW = "report.follow"


@dataclass(frozen=True)
class By:
    """Somebody who acts: a ``kind``, the ``id`` behind it, and what they may do."""

    kind: str
    id: str
    permissions: frozenset[Permission] = frozenset()

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind

    def require(self, permission: Permission) -> None:
        """Raise :class:`NotAllowed` unless this caller may do that."""
        if self.kind != "system" and permission not in self.permissions:
            raise NotAllowed(
                "You are not allowed to do this. An administrator can change that.",
                permission=permission.value,
                by=str(self),
            )


SYSTEM = By("system", "")
"""Holdfast itself, in a step that follows from an event."""


def anyone(channel: str) -> By:
    """Somebody at the front door, of whom nothing is known and nothing asked."""
    return By(
        "public", channel, frozenset({Permission.REPORT_FILE, Permission.REPORT_FOLLOW})
    )
