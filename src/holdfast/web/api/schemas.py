"""The shapes of the platform API, as its document shows them.

Lengths are those of the columns, so that what passes here can be stored. Fields that
are not known are passed over: a client may be newer than the server. A report is
refused for its form only where nothing could be stored.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import unquote_to_bytes

from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field

FIRST_YEAR, LAST_YEAR = 1970, 2200
"""Times outside are mistakes of a clock or a unit."""
MOST = 2**63 - 1
"""The largest number that the database holds."""
MAX_TEXT = 100_000  # characters of an item; longer than any platform's own limit.
MAX_TARGETS = 50
MAX_WORDS = 20_000  # characters of what a reporter says in their own words.
MAX_ANSWER = 400  # characters of one answer.
MOST_CHANGES = 1000


def _storable(text: str) -> str:
    if "\x00" in text or any("\ud800" <= each <= "\udfff" for each in text):
        raise ValueError("Text holds no NUL and no half of a surrogate pair.")
    return text


def _address(url: str) -> str:
    if b"\x00" in unquote_to_bytes(url):
        raise ValueError("An address holds no %00.")
    return url


def _written(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("A time is text in the form of RFC 3339 with its zone.")
    return value


def _in_range(value: datetime) -> datetime:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"A time lies between {FIRST_YEAR} and {LAST_YEAR}.")
    return value


Text = Annotated[str, AfterValidator(_storable)]
Id = Annotated[
    str,
    AfterValidator(_storable),
    Field(min_length=1, max_length=200, examples=["post-88213"]),
]
"""The platform's own id of something."""
ActorId = Annotated[Id, Field(examples=["account-17"])]
ConversationId = Annotated[Id, Field(examples=["chat-5"])]
ChangeId = Annotated[Id, Field(examples=["019ab9c1-7e0a-7d2e-9b51-3f6a0c8d4e21"])]
FlagReference = Annotated[Id, Field(examples=["2026-00417"])]
"""A flagger's own case number."""
ReportNumber = Annotated[Id, Field(examples=["R-7K2M9-QX4TB"])]
LongUrl = Annotated[str, AfterValidator(_storable), AfterValidator(_address)]
Url = Annotated[LongUrl, Field(max_length=2083)]
Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_in_range)]
Language = Annotated[
    str,
    AfterValidator(_storable),
    Field(max_length=35, description="As in BCP 47.", examples=["en", "pt-BR"]),
]

ItemKind = Literal["post", "image", "video", "message", "profile", "comment"]
Visibility = Literal["visible", "frozen", "removed"]
Claim = Literal["shown", "parent", "relative", "witness", "professional"]


def _example(**said: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": said})


class ActorIn(Schema):
    """An account. What is left out stays as it is known."""

    model_config = _example(
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

    model_config = _example(
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

    model_config = _example(id="account-17", screen_name="sunny")

    id: ActorId


class ItemLine(ItemIn):
    """An item in a batch; its media by address only."""

    model_config = _example(
        id="post-88214",
        kind="image",
        posted_at="2026-11-22T07:15:00Z",
        actor="account-17",
        media=[{"url": "https://media.plaza.example/88214.jpg"}],
    )

    id: Id


class ShareLine(Schema):
    """Somebody passed an item on without making a new one."""

    model_config = _example(
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

    model_config = _example(
        item="post-88213", views_total=412, counted_at="2026-11-22T09:00:00Z"
    )

    item: Id
    views_total: Annotated[int, Field(ge=0, le=MOST)]
    counted_at: Moment


class PlacementLine(Schema):
    """An advert that stood beside an item, and what it earned."""

    model_config = _example(
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


class FingerprintIn(Schema):
    """A picture that the reporter has and does not send."""

    model_config = _example(
        pdq="f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22",
        quality=100,
    )

    pdq: Annotated[str, Field(pattern="^([0-9a-f]{64}|[0-9a-f]{512})$")] = Field(
        description="Its PDQ in hexadecimal; or all eight, turned in Meta's order."
    )
    quality: Annotated[int, Field(ge=0, le=100)]
    watch: bool = Field(
        False, description="Hide later uploads that show it, until people decide."
    )


class TargetIn(Schema):
    """One reported thing, by whatever the reporter has of it."""

    item: Id | None = None
    url: Annotated[LongUrl, Field(max_length=4000)] | None = None
    actor: ActorId | None = None
    conversation: ConversationId | None = None
    description: Annotated[Text, Field(max_length=20_000)] | None = None
    fingerprint: FingerprintIn | None = None

    @property
    def names_something(self) -> bool:
        """Whether it says what it is about in any way."""
        return any(getattr(self, name) for name in type(self).model_fields)


class ReportIn(Schema):
    """A report. Nothing is needed beside a category and what it is about. A field, an
    answer or a target that cannot be used is left out, named in `not_taken` of the
    answer, and kept for people to read; the report is taken in all the same.
    """

    model_config = _example(
        targets=[{"item": "post-88213"}],
        category="child_other",
        language="en",
        reporter="account-4",
        answers={"about": "shown", "age_now": "13_15", "danger": "no"},
        wants_codename=True,
    )

    targets: Annotated[list[TargetIn], Field(max_length=MAX_TARGETS)] = Field(
        default_factory=list,
        description="May be left out only when words say what it is about.",
    )
    category: Annotated[Text, Field(max_length=64)] = Field(
        description="A code of GET /categories. One that is not known is taken as the"
        " category of the policy for reports that do not say what they are about."
    )
    words: Annotated[Text, Field(max_length=MAX_WORDS)] | None = None
    language: Language | None = None
    reporter: (
        Annotated[ActorId, Field(description="The reporter's account, if any.")] | None
    ) = None
    claims: Annotated[list[Claim], Field(max_length=6)] | None = Field(
        None, description="What the reporter says of themself; never checked first."
    )
    police_number: Annotated[Text, Field(max_length=100)] | None = None
    police_agency: Annotated[Text, Field(max_length=255)] | None = None
    answers: dict[str, Annotated[Text, Field(max_length=MAX_ANSWER)]] | None = Field(
        None,
        description="Answers to the questions of GET /questions: the code of a question"
        " and the code of its choice, or what was written. None is needed. Somebody in"
        " danger (`danger`: `hurt` or `suicide`) pages the people on call.",
    )
    questions: (
        Annotated[
            str,
            Field(
                pattern="^[0-9a-f]{64}$",
                description="The `digest` of the questions as they were asked: answers"
                " are held to those, also after they have changed here. Left out, or"
                " never published here: to those of now.",
            ),
        ]
        | None
    ) = None
    in_danger_now: bool | None = None
    contact: Annotated[Text, Field(max_length=400)] | None = Field(
        None,
        description="An e-mail address, or a phone number with its country's, of a"
        " reporter who wants to hear when people have decided. Whoever reads it is"
        " asked first, and messages say only that there is news.",
    )
    hold_contact: bool | None = Field(
        None,
        description="Whoever is reported shall not write to the reporter until people "
        "have decided: a `hold_contact` follows, towards `reporter`. Without a "
        "`reporter` nothing can be held.",
    )
    wants_codename: bool | None = None


class TargetOut(Schema):
    """What became of one reported thing."""

    named_as: str
    located: bool
    item: str | None = None
    state: Visibility | None = None


class DeadlineOut(Schema):
    """One clock; it runs from the receipt of the report."""

    code: str
    due_at: datetime
    label: str


class NotTakenOut(Schema):
    """One part of a report that was not used; the rest of it was."""

    pointer: str = Field(
        description="The way to it in the body: the answer to a question by its code.",
        examples=["#/answers/age_now"],
    )
    detail: str = Field(description="Why, and what would be taken.")


class LackingOut(Schema):
    """One thing that a law wants and the report does not have yet."""

    code: Literal[
        "address", "reasons", "who", "may_act", "not_agreed", "email", "signature"
    ]
    words: str


class LegalFormOut(Schema):
    """A request under a law that the report is, by what it says so far."""

    code: Literal["dsa_notice", "take_it_down", "uk_intimate_image"]
    name: str
    law: str
    complete: bool = Field(
        description="Nothing is missing; or it is about a child, and counts as full."
    )
    missing: list[LackingOut]


class LegalOut(Schema):
    """What the law makes of a report. Nothing is refused for what is missing."""

    legal_forms: list[LegalFormOut]
    to_sign: str | None = Field(
        description="The statement that a signature is wanted under, in the language of"
        " the report: show it, and send the name that the reporter types under it to"
        " `/reports/{number}/signature`. Null: nothing is to be signed."
    )


class ReportOut(LegalOut):
    """The receipt. The codename is here and nowhere else: show it, do not store it."""

    number: str
    received_at: datetime
    codename: str | None
    targets: list[TargetOut]
    frozen: list[str] = Field(description="Items that this report froze.")
    already_frozen: list[str]
    deadlines: list[DeadlineOut]
    words: str = Field(description="What is true at this moment, for the reporter.")
    not_taken: list[NotTakenOut] = Field(
        description="What could not be used of what was sent. The report is in."
    )


class SignatureIn(Schema):
    """A name that the reporter typed under a statement, with their own hands."""

    model_config = _example(
        name="Kari Nordmann",
        statement="What I have told is true, as far as I know.\nI believe in good faith"
        " that what I report is against the law.",
    )

    name: Annotated[Text, Field(min_length=1, max_length=200)]
    statement: Annotated[Text, Field(max_length=4000)] = Field(
        description="Word for word what stood above the name: `to_sign`."
    )


class MessageOut(Schema):
    """One message to the reporter."""

    template: str
    words: str
    at: datetime


class ReportStatusOut(LegalOut):
    """Where a report stands."""

    number: str
    received_at: datetime
    status: Literal["received", "being_looked_at", "decided"]
    frozen: list[str] = Field(description="Items that this report froze at once.")
    frozen_since: list[str] = Field(
        description="Items found and hidden later: crops, screenshots, new uploads."
    )
    confirmed: int = Field(description="How many items the platform has confirmed.")
    deadlines: list[DeadlineOut]
    messages: list[MessageOut]


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

    model_config = _example(confirmed=["019ab9c1-7e0a-7d2e-9b51-3f6a0c8d4e21"])

    confirmed: Annotated[list[ChangeId], Field(max_length=MOST_CHANGES)] = Field(
        description="The ids of changes."
    )


class ConfirmOut(Schema):
    """What was taken as confirmed, and what is no delivery to this platform."""

    confirmed: list[str]
    unknown: list[str]


class CategoryOut(Schema):
    """One reason to report, in the order to show them."""

    code: str
    label: str
    child_safety: bool


class QuestionsIn(Schema):
    """In which language the questions are wanted."""

    language: Language = "en"


class ChoiceOut(Schema):
    """One answer that can be chosen: send its code."""

    code: str
    words: str
    hint: str


class QuestionOut(Schema):
    """One question. None has to be asked, and none has to be answered."""

    code: str = Field(description="Its name in `answers`.")
    kind: Literal["choice", "text", "message", "places", "email", "signature"] = Field(
        description="`choice` and `text` go into `answers`; a `message` into `words`,"
        " `places` into `targets`, `email` into `contact`. A `signature` is given"
        " under the law's own words, once the report is in: see `to_sign`."
    )
    words: str
    words_to_shown: str = Field(
        description="The same for somebody who answered `about` with `shown`; blank"
        " where `words` fit everybody."
    )
    hint: str
    when: str = Field(
        description="When Holdfast asks it, in CEL: of `category` (code, child_safety),"
        " `answers` (blank where there is none), `missing` (what a legal form lacks)."
        " An answer to a question that was asked in another case is taken, too."
    )
    choices: list[ChoiceOut]


class QuestionsOut(Schema):
    """The questions word for word, in the language nearest to the one wanted."""

    digest: str = Field(
        description="SHA-256 of `language` and `questions` as canonical JSON. Send it"
        " with the answers, as `questions`."
    )
    language: str
    questions: list[QuestionOut]


class HealthOut(Schema):
    """Whether Holdfast can do its work."""

    status: Literal["ok"]


class FlagLine(Schema):
    """One report of a trusted flagger or a hotline. Addresses or words are needed."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "reference": "2026-00417",
                "category": "child_sexual_abuse_material",
                "urls": ["https://plaza.example/p/88213"],
                "words": "Seen by two analysts.",
                "language": "en",
            }
        },
    )

    reference: FlagReference
    category: Annotated[Text, Field(max_length=64)]
    urls: Annotated[list[Url], Field(max_length=50)] | None = None
    words: Annotated[Text, Field(max_length=20_000)] | None = None
    language: Language | None = None


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

    model_config = _example(
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
