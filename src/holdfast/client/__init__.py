"""The client that ships with Holdfast: what a platform uses to be integrated.

Read ``docs/guides/integrate.md`` first. This package stands alone: httpx,
standardwebhooks and SQLite, nothing else of Holdfast.
"""

from holdfast.client.api import PATIENCE_S, REPORT_PATIENCE_S, Holdfast
from holdfast.client.spool import Problem, Spool, SpoolInUse
from holdfast.client.types import (
    Actor,
    ActorState,
    Category,
    Change,
    Claim,
    ClientError,
    Deadline,
    File,
    Item,
    ItemState,
    Legal,
    MediaUrl,
    Page,
    Placement,
    Questions,
    Receipt,
    Refused,
    Share,
    Spooled,
    Target,
    Unreachable,
    Views,
)
from holdfast.client.webhooks import BadSignature, Receiver, Store, replay

__all__ = [
    "PATIENCE_S",
    "REPORT_PATIENCE_S",
    "Actor",
    "ActorState",
    "BadSignature",
    "Category",
    "Change",
    "Claim",
    "ClientError",
    "Deadline",
    "File",
    "Holdfast",
    "Item",
    "ItemState",
    "Legal",
    "MediaUrl",
    "Page",
    "Placement",
    "Problem",
    "Questions",
    "Receipt",
    "Receiver",
    "Refused",
    "Share",
    "Spool",
    "SpoolInUse",
    "Spooled",
    "Store",
    "Target",
    "Unreachable",
    "Views",
    "replay",
]
