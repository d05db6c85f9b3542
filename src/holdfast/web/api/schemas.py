"""The shapes of the platform API, as its document shows them.

Fields that are not known are passed over: a client may be newer than the server.
Reports and the questions to them are in ``report_schemas``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field

from holdfast.web.api.field_types import (
    MAX_TEXT,
    MOST,
    MOST_CHANGES,
    ActorId,
    ChangeId,
    ConversationId,
    Id,
    ItemKind,
    Language,
    Moment,
    Text,
    Url,
    Visibility,
    example,
)


class ActorIn(Schema):
    """An account. What is left out stays as it is known."""

    model_config = example(
        screen_name="sunny",
        profile_url="https://plaza.example/@sunny",
        created_at="2026-03-01T09:30:00Z",
    )

    screen_name: Annotated[Text, Field(max_length=256)] | None = None
    display_name: Annotated[Text, Field(max_length=256)] | None = None
    profile_url: Url | None = None
    email: Annotated[Text, Field(max_length=255)] | None = None
    age_years: Annotated[int, Field(ge=0, le=150)] | None = None
    created_at: Moment | None = None
    closed_at: Moment | None = None


class MediaIn(Schema):
    """One picture or clip that Holdfast fetches from an allowed host."""

    url: Url
    media_type: Annotated[Text, Field(max_length=100)] | None = None
    name: Annotated[Text, Field(max_length=400)] | None = None


class ItemIn(Schema):
    """A piece of content. Ids are the platform's own."""

    model_config = example(
        kind="image",
        actor="account-17",
        url="https://plaza.example/p/88213",
        text="The harbour at dawn",
        language="en",
        posted_at="2026-11-22T07:12:00Z",
        media=[
            {
                "url": "https://media.plaza.example/88213.jpg",
                "media_type": "image/jpeg",
            }
        ],
    )

    kind: ItemKind
    posted_at: Moment
    actor: ActorId | None = None
    conversation: ConversationId | None = None
    parent: (
        Annotated[Id, Field(description="The item that this one answers.")] | None
    ) = None
    repost_of: (
        Annotated[Id, Field(description="The item that this one shows again.")] | None
    ) = None
    url: Url | None = None
    text: Annotated[Text, Field(max_length=MAX_TEXT)] | None = None
    language: Language | None = None
    deleted_at: Moment | None = None
    media: Annotated[list[MediaIn], Field(max_length=32)] | None = Field(
        None,
        description="Left out: the media stay as they are. Empty: there are none.",
    )


class ActorLine(ActorIn):
    """An account in a batch."""

    model_config = example(id="account-17", screen_name="sunny")

    id: ActorId


class ItemLine(ItemIn):
    """An item in a batch; its media by address only."""

    model_config = example(
        id="post-88214",
        kind="image",
        posted_at="2026-11-22T07:15:00Z",
        actor="account-17",
        media=[{"url": "https://media.plaza.example/88214.jpg"}],
    )

    id: Id


class ShareLine(Schema):
    """Somebody passed an item on without making a new one."""

    model_config = example(
        id="share-3",
        item="post-88213",
        shared_at="2026-11-22T08:02:00Z",
        actor="account-4",
    )

    id: Annotated[Id, Field(examples=["share-3"])]
    item: Id
    shared_at: Moment
    actor: ActorId | None = None


class ViewsLine(Schema):
    """How often an item had been seen by then, in all: a repeat does no harm."""

    model_config = example(
        item="post-88213", views_total=412, counted_at="2026-11-22T09:00:00Z"
    )

    item: Id
    views_total: Annotated[int, Field(ge=0, le=MOST)]
    counted_at: Moment


class PlacementLine(Schema):
    """An advert that stood beside an item, and what it earned."""

    model_config = example(
        id="advert-9",
        item="post-88213",
        shown_at="2026-11-22T08:30:00Z",
        earned_micros=1200,
        currency="EUR",
    )

    id: Annotated[Id, Field(examples=["advert-9"])]
    item: Id
    shown_at: Moment
    earned_micros: Annotated[int, Field(ge=0, le=MOST)] = Field(
        description="Millionths of the currency's unit."
    )
    currency: Annotated[str, Field(pattern=r"^[A-Za-z]{3}$")] = Field(
        description="As in ISO 4217."
    )


class ItemState(Schema):
    """What Holdfast holds about an item. Obey ``state`` at once."""

    id: str
    state: Visibility
    confirmed_state: Visibility = Field(
        description="The state that the platform has last confirmed."
    )
    advertising_hold: bool
    may_delete: bool = Field(
        description="False while frozen: what the poster deletes is kept, hidden."
    )
    pending: bool = Field(
        description="Some of its media are not compared yet; a freeze may follow."
    )
    case_open: bool


class ActorState(Schema):
    """What Holdfast holds about an account."""

    id: str
    state: Literal["active", "suspended"]


class ChangeOut(Schema):
    """One thing to do. Ignore a number that is not above the last one applied."""

    id: str
    number: int = Field(description="Counts per item, or per actor, from 1.")
    verb: Literal[
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
    item: str | None = None
    actor: str | None = None
    ordered_at: datetime
    body: dict[str, Any]


class PageIn(Schema):
    """Which page of the feed."""

    cursor: Annotated[Text, Field(max_length=200)] = Field(
        "", description="The next_cursor of the page before; none for the first."
    )
    limit: Annotated[int, Field(ge=1, le=MOST_CHANGES)] = 100


class ChangesOut(Schema):
    """One page of the feed, in the order of commits."""

    data: list[ChangeOut]
    next_cursor: str | None = Field(
        description="Where the next page begins; keep it, also when data is empty."
    )


class ConfirmIn(Schema):
    """Changes that the platform has carried out."""

    model_config = example(confirmed=["019ab9c1-7e0a-7d2e-9b51-3f6a0c8d4e21"])

    confirmed: Annotated[list[ChangeId], Field(max_length=MOST_CHANGES)] = Field(
        description="The ids of changes."
    )


class ConfirmOut(Schema):
    """What was taken as confirmed, and what is no delivery to this platform."""

    confirmed: list[str]
    unknown: list[str]


class HealthOut(Schema):
    """Whether Holdfast can do its work."""

    status: Literal["ok"]


class BatchAnswer(Schema):
    """What became of one line of a batch."""

    id: str | None
    status: int
    state: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None


class FaultOut(Schema):
    """One field that is wrong: a pointer into the body, or a parameter's name."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None


class ProblemOut(Schema):
    """A problem document (RFC 9457)."""

    model_config = example(
        type="urn:holdfast:problem:invalid-input",
        title="Unprocessable Entity",
        status=422,
        detail="Some fields cannot be used as they are: see errors.",
        instance="/api/v1/reports",
        errors=[{"pointer": "#/targets/0/url", "detail": "An address holds no %00."}],
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FaultOut] | None = None
    reference: str | None = Field(
        None, description="Only with 500: what to tell who runs this installation."
    )
