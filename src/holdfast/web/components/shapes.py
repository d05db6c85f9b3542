"""The plain data that the component templates draw, with the names they look for.

For what: one typed place that says what a partial needs; the gallery is filled from
these. Never does: come from or go to the database. A page may hand a template any
object or dict with the same names, so that a query's own data class serves as it is.
Times are aware datetimes; ``url`` is a path on this site.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.utils.safestring import SafeString


@dataclass(frozen=True, slots=True)
class NavItem:
    """A place in the console's top bar."""

    label: str
    url: str
    current: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Me:
    """The person signed in."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One case in a queue. ``urgency``: a key of ``hf.URGENCIES``."""

    number: str
    url: str
    urgency: str
    category: str
    started_at: datetime
    due_at: datetime
    reports: int
    copies: int
    claimed_by: str = ""
    claim_url: str = ""
    platform: str = ""
    waits_for: str = ""
    doubts: int = 0
    """How many wait for somebody to say whether they are copies."""
    languages: str = ""
    """In which it was reported, by name."""
    unread: bool = False
    """Whether nobody here says that they read them."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a key and value list; ``value`` may be safe markup."""

    term: str
    value: str | int | SafeString


@dataclass(frozen=True, slots=True)
class Media:
    """One picture or video of a case.

    ``preview_url`` is a tiny blurred grey picture made by the server.
    ``original_url`` is empty until this person has revealed it.
    """

    id: str
    name: str
    kind: str
    preview_url: str
    reveal_url: str
    original_url: str = ""
    hide_url: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy in the cluster. ``near``: how near it is; ``how``: what was changed."""

    id: str
    preview_url: str
    where: str
    near: str
    state: str
    views: int
    url: str = ""
    how: tuple[str, ...] = ()
    what: str = ""
    """The item, where ``where`` is the account behind it."""


@dataclass(frozen=True, slots=True)
class Group:
    """Copies that one thing binds to what was reported; ``copies`` of this page."""

    code: str
    title: str
    total: int
    url: str
    """The page of the cluster on which the group begins."""
    copies: tuple[Copy, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """All copies of a case by what binds them, and which of them this page shows."""

    total: int
    groups: tuple[Group, ...]
    first: int = 0
    last: int = 0
    previous_url: str = ""
    next_url: str = ""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is perhaps a copy: nothing happens to it until somebody says so."""

    id: str
    preview_url: str
    where: str
    what: str
    like: str
    views: int
    url: str = ""
    settle_url: str = ""
    """Where somebody says what it is; blank for who may not."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as the console lists it."""

    at: datetime
    what: str
    who: str = ""
    detail: str = ""
    each: tuple[str, ...] = ()
    """What it happened to, where one line stands for several of the same."""


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm. It stands until ``acknowledged_by`` is somebody's name."""

    number: str
    what: str
    since_at: datetime
    url: str
    acknowledged_by: str = ""
    acknowledge_url: str = ""


@dataclass(frozen=True, slots=True)
class FrozenThing:
    """What a report froze. ``confirmed_at`` is set when the platform confirmed."""

    what: str
    confirmed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Deadline:
    """What is promised, and by when."""

    what: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the reporter is handed. ``codename`` is empty when none was wanted."""

    number: str
    codename: str = ""
    frozen: tuple[FrozenThing, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    status_url: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the reporter's timeline. ``state``: done, now or later."""

    name: str
    state: str
    at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message between the reporter and the people who work on the report."""

    text: str
    at: datetime
    from_us: bool
    erase_url: str = ""
    """Where the reporter takes it off their page; blank when that cannot be."""


@dataclass(frozen=True, slots=True)
class Helpline:
    """Somewhere to turn to. ``phone`` is as it should be read and dialled."""

    name: str
    phone: str = ""
    hours: str = ""
    url: str = ""
    who: str = ""
    language: str = ""
    """Of the name, for a voice to say it in."""
    text: str = ""
    """A number for text messages, which cannot be called."""


@dataclass(frozen=True, slots=True)
class HelpNear:
    """Help in one country. ``emergency`` is the number for danger, or blank."""

    country: str
    emergency: str = ""
    lines: tuple[Helpline, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a page cannot be shown, and what to do."""

    title: str
    detail: str
    what_to_do: str = ""
    reference: str = ""
    actions: tuple[NavItem, ...] = field(default=())
