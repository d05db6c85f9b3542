"""What goes to Holdfast and what comes back, as plain frozen values.

Nothing here talks to a network or keeps anything. Shapes and words are those of the
platform API, version 1 (``/api/v1/openapi.json`` of any Holdfast). Ids are always the
platform's own ids, 1 to 200 characters; times are aware datetimes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal, Self

ItemKind = Literal["post", "image", "video", "message", "profile", "comment"]
Visibility = Literal["visible", "frozen", "removed"]
Verb = Literal[
    "freeze",
    "thaw",
    "remove",
    "restore",
    "suspend",
    "reinstate",
    "hold_contact",
    "release_contact",
    "statement",
]
Claim = Literal["shown", "parent", "relative", "witness", "professional"]


class Answer:
    """What Holdfast says. Fields that are not known here are passed over."""

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        """Read one JSON object; raises ``TypeError`` when a field is missing."""
        known = {each.name for each in fields(cls)}  # type: ignore[arg-type]  # subclasses are dataclasses
        return cls(**{name: value for name, value in raw.items() if name in known})


@dataclass(frozen=True)
class Actor:
    """An account. Leave out what you do not know or may not pass on."""

    id: str
    screen_name: str | None = None
    display_name: str | None = None
    profile_url: str | None = None
    email: str | None = None
    age_years: int | None = None
    created_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True)
class File:
    """The bytes of one picture or clip, sent along with its item."""

    data: bytes
    media_type: str
    name: str = "media"


@dataclass(frozen=True)
class MediaUrl:
    """One picture or clip that Holdfast fetches from you with a signed request."""

    url: str
    media_type: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Item:
    """A piece of content. ``repost_of`` and ``parent`` are ids of other items."""

    id: str
    kind: ItemKind
    posted_at: datetime
    actor: str | None = None
    conversation: str | None = None
    parent: str | None = None
    repost_of: str | None = None
    url: str | None = None
    text: str | None = None
    language: str | None = None
    deleted_at: datetime | None = None
    media: tuple[MediaUrl, ...] | None = None


@dataclass(frozen=True)
class Share:
    """Somebody passed an item on without making a new one."""

    id: str
    item: str
    shared_at: datetime
    actor: str | None = None


@dataclass(frozen=True)
class Views:
    """How often an item was seen *so far*, so that telling it twice does no harm."""

    item: str
    views_total: int
    counted_at: datetime


@dataclass(frozen=True)
class Placement:
    """One advert shown beside an item, and what it earned (millionths of a unit)."""

    id: str
    item: str
    shown_at: datetime
    earned_micros: int
    currency: str


@dataclass(frozen=True)
class Target:
    """What a report is about: give one of these, or words that describe it."""

    item: str | None = None
    url: str | None = None
    actor: str | None = None
    conversation: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class ItemState(Answer):
    """What Holdfast holds about one item. Obey ``state`` at once."""

    id: str
    state: Visibility
    confirmed_state: Visibility = "visible"
    advertising_hold: bool = False
    may_delete: bool = True
    pending: bool = False
    case_open: bool = False


@dataclass(frozen=True)
class ActorState(Answer):
    """What Holdfast holds about one account."""

    id: str
    state: Literal["active", "suspended"]


@dataclass(frozen=True)
class Deadline(Answer):
    """One clock, running from the receipt of the report."""

    code: str
    due_at: str
    label: str


@dataclass(frozen=True)
class Legal(Answer):
    """What the law makes of a report, and the statement to be signed, if any.

    Each form says what it still lacks (``missing``). Show ``to_sign`` word for word,
    and hand the name that the reporter types under it to ``Holdfast.sign``.
    """

    legal_forms: list[dict[str, Any]] = field(default_factory=list)
    to_sign: str | None = None


@dataclass(frozen=True)
class Receipt(Answer):
    """Holdfast has the report for good. Show all of this to the reporter.

    ``not_taken`` is for you, and no part of that: what you sent and Holdfast could not
    use, each by a ``pointer`` into the body with the reason as ``detail``.

    ``codename`` is shown once and kept nowhere in clear: whoever holds it can follow
    the case without an account, so do not store it.
    """

    number: str
    received_at: str
    words: str = ""
    codename: str | None = None
    frozen: list[str] = field(default_factory=list)
    already_frozen: list[str] = field(default_factory=list)
    targets: list[dict[str, Any]] = field(default_factory=list)
    deadlines: list[dict[str, Any]] = field(default_factory=list)
    not_taken: list[dict[str, str]] = field(default_factory=list)
    legal_forms: list[dict[str, Any]] = field(default_factory=list)
    to_sign: str | None = None

    @property
    def clocks(self) -> list[Deadline]:
        """The deadlines, typed."""
        return [Deadline.of(each) for each in self.deadlines]


@dataclass(frozen=True)
class Spooled:
    """Not delivered yet, but kept on this disk and sent until it is accepted.

    ``key`` is the write's ``Idempotency-Key``; ``Holdfast.receipt(key)`` gives the
    receipt of a report once there is one.
    """

    key: str


@dataclass(frozen=True)
class Change(Answer):
    """One thing to do, in order of ``number`` for its item or actor."""

    id: str
    number: int
    verb: Verb
    ordered_at: str
    item: str | None = None
    actor: str | None = None
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """What the number counts for: ``item:<id>`` or ``actor:<id>``."""
        return f"item:{self.item}" if self.item is not None else f"actor:{self.actor}"


@dataclass(frozen=True)
class Page:
    """One page of the change feed."""

    data: list[Change]
    next_cursor: str | None


@dataclass(frozen=True)
class Category(Answer):
    """One reason to report, in the order to show them."""

    code: str
    label: str
    child_safety: bool


@dataclass(frozen=True)
class Questions(Answer):
    """What can be asked with a report; each question is as the API document says.

    Send ``digest`` with the answers, so that they are held to these questions.
    """

    digest: str
    language: str
    questions: list[dict[str, Any]]


class ClientError(Exception):
    """Holdfast could not be asked, or said no."""


class Unreachable(ClientError):
    """No answer, or none that Holdfast gives for good. Trying again is right."""


class Refused(ClientError):
    """Holdfast will never accept this write as it is (an RFC 9457 problem)."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        said = problem.get("detail") or problem.get("title") or "refused"
        super().__init__(str(said))
        self.problem = dict(problem)
