"""What the desk's pages are made of: plain, frozen data without any behaviour.

Nothing here is a stored row, and nothing holds a picture or an item's words; the one
exception is :class:`RevealGrant`, which is what a reveal is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from holdfast.matching.rules import Likeness


@dataclass(frozen=True)
class QueueFilters:
    """Which cases of the queue to show. Blank or None: all."""

    platform_id: UUID | None = None
    category: str = ""
    urgency: str = ""
    child_safety: bool | None = None
    claimed: str = ""
    """``mine``, ``free`` or blank."""
    needs: str = ""
    """A value of ``rules.Need`` or blank."""
    language: str = ""
    """A language tag, ``mine`` (what the one who asks reads, and what nobody reads),
    or blank."""


@dataclass(frozen=True)
class QueueLine:
    """One open case as the queue shows it."""

    case_id: UUID
    number: str
    platform_id: UUID
    category: str
    child_safety: bool
    urgency: str
    state: str
    round: int
    needs: str
    reports: int
    items: int
    copies: int
    reposts: int
    doubts: int
    """What is only possibly a copy and waits for somebody's word; in no other count."""
    clock_from: datetime
    deadline_code: str
    """The earliest clock still running; blank when none runs."""
    due_at: datetime | None
    elapsed: float
    """The share of its span that has passed: 0 at receipt, above 1 when late."""
    claimed_by: UUID | None
    claimed_by_name: str
    languages: tuple[str, ...]
    """Of its reports."""
    unread: bool
    """Whether nobody here says that they read any of them."""


@dataclass(frozen=True)
class RevealGrant:
    """That somebody may see one thing, for a while. ``words`` only when words were
    opened; a picture is fetched by ``media_id``."""

    reveal_id: UUID
    case_id: UUID
    item_id: UUID
    media_id: UUID | None
    person_id: UUID
    words: str
    media_type: str
    upload: UUID | None
    fetch_url: str
    revealed_at: datetime
    open_until: datetime


@dataclass(frozen=True)
class Viewed:
    """That a member of staff has seen the whole of an item, or of one picture."""

    reveal_id: UUID
    case_id: UUID
    item_id: UUID
    media_id: UUID | None
    person_id: UUID
    revealed_at: datetime


@dataclass(frozen=True)
class AdditionLine:
    """What a reporter added later; ``words`` are blank once erased."""

    kind: str
    words: str
    added_at: datetime
    erased_at: datetime | None


@dataclass(frozen=True)
class AnswerLine:
    """What a reporter answered to a question of the front door, in words."""

    question: str
    answer: str
    answered_at: datetime
    state: str
    """``counts``, ``replaced`` by a later one, or ``erased``: then without a word."""


@dataclass(frozen=True)
class LegalFormLine:
    """A legal form that a report is, and what it lacks by the law's own list."""

    code: str
    name: str
    lacking: tuple[str, ...]
    """Values of ``intake.legal_forms.Element``."""
    complete: bool


@dataclass(frozen=True)
class ReportLine:
    """One report, as it was said."""

    report_id: UUID
    number: str
    channel: str
    category: str
    language: str
    words: str
    words_erased_at: datetime | None
    named_as: tuple[str, ...]
    claims: tuple[str, ...]
    police_number: str
    """As it was said; words without a digit are no number, and count for nothing."""
    is_police_number: bool
    police_agency: str
    police_contact: str
    in_danger_now: bool
    can_be_answered: bool
    """Whether the reporter left a contact or has a codename; neither is shown."""
    additions: tuple[AdditionLine, ...]
    answers: tuple[AnswerLine, ...]
    forms: tuple[LegalFormLine, ...]
    signed_as: str
    signature_erased_at: datetime | None
    received_at: datetime
    attachments: int = 0
    """Files that came with it by e-mail: sealed, and opened by nobody."""
    names: str = ""
    """The number of another report that its subject names, without being shown to come
    from that report's sender."""


@dataclass(frozen=True)
class MediaLine:
    """One piece of media, by its facts."""

    media_id: UUID
    position: int
    media_type: str
    state: str
    refusal: str
    replaced: bool


@dataclass(frozen=True)
class ItemLine:
    """One item of the case."""

    item_id: UUID
    external_id: str
    kind: str
    actor_id: UUID | None
    account_id: str
    """The platform's own id of the account behind it; blank when nobody is known."""
    screen_name: str
    role: str
    against: UUID | None
    like: Likeness | None
    """How it is like that, or like what a bank knows; None for what was reported."""
    bank: str
    """The name of the bank that knows it; blank where none is the reason."""
    taken_back: bool
    """Whether that bank has taken back what it knew it by."""
    repost_of: UUID | None
    """The item that this passes on, as the platform says."""
    state: str
    confirmed_state: str
    frozen_at: datetime | None
    has_words: bool
    media: tuple[MediaLine, ...]
    shares: int
    view_counts: tuple[tuple[datetime, int], ...]
    """Views in total at each time the platform counted them, in that order."""
    posted_at: datetime
    deleted_at: datetime | None

    @property
    def possible(self) -> bool:
        """Whether somebody has still to say that it is a copy: nothing is hidden."""
        return self.like is not None and not self.like.certain


@dataclass(frozen=True)
class EarlierCase:
    """Another case of an actor, and what people found; blank while it is open."""

    case_id: UUID
    number: str
    category: str
    state: str
    outcome: str
    opened_at: datetime


@dataclass(frozen=True)
class ActorLine:
    """Somebody behind an item of the case, and what came before."""

    actor_id: UUID
    external_id: str
    screen_name: str
    display_name: str
    age_years: int | None
    state: str
    created_at: datetime | None
    closed_at: datetime | None
    items: int
    earlier_count: int
    earlier: tuple[EarlierCase, ...]


@dataclass(frozen=True)
class ReadingLine:
    """What one reader found."""

    reading_id: UUID
    round: int
    person_id: UUID
    person_name: str
    as_specialist: bool
    outcome: str
    category: str
    ground: str
    reason: str
    parts: Mapping[str, str]
    refer: bool
    why_not_refer: str
    read_at: datetime


@dataclass(frozen=True)
class NoteLine:
    """A colleague's remark."""

    note_id: UUID
    person_id: UUID
    person_name: str
    words: str
    noted_at: datetime


@dataclass(frozen=True)
class RevealLine:
    """Who opened what, when and why."""

    reveal_id: UUID
    item_id: UUID
    media_id: UUID | None
    person_id: UUID
    person_name: str
    second_person_name: str
    reason: str
    entire: bool
    revealed_at: datetime


@dataclass(frozen=True)
class DeadlineLine:
    """One clock."""

    code: str
    runs_from: datetime
    due_at: datetime
    elapsed: float
    shown_to_reporter: bool
    met_at: datetime | None
    breached_at: datetime | None


@dataclass(frozen=True)
class TimelineLine:
    """One step of the case, by ids and numbers."""

    event_id: int
    kind: str
    at: datetime
    by: str
    about: Mapping[str, Any]
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class CasePage:
    """One case, whole."""

    case_id: UUID
    number: str
    merged_numbers: tuple[str, ...]
    platform_id: UUID
    platform_name: str
    category: str
    child_safety: bool
    urgency: str
    state: str
    round: int
    policy_version: str
    needs: str
    clock_from: datetime
    opened_at: datetime
    claimed_by: UUID | None
    claimed_by_name: str
    reports: tuple[ReportLine, ...]
    items: tuple[ItemLine, ...]
    actors: tuple[ActorLine, ...]
    readings: tuple[ReadingLine, ...]
    notes: tuple[NoteLine, ...]
    reveals: tuple[RevealLine, ...]
    deadlines: tuple[DeadlineLine, ...]
    timeline: tuple[TimelineLine, ...]
