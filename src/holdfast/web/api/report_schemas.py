"""The shapes of reports in the platform API, and of the questions to them.

A report is refused for its form only where nothing could be stored.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from holdfast.web.api.field_types import (
    MAX_ANSWER,
    MAX_TARGETS,
    MAX_WORDS,
    ActorId,
    Claim,
    ConversationId,
    FlagReference,
    Id,
    Language,
    LongUrl,
    Text,
    Visibility,
    example,
)
from holdfast.web.api.flag_addresses import FlaggedUrl


class FingerprintIn(Schema):
    """A picture that the reporter has and does not send."""

    model_config = example(
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

    model_config = example(
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

    model_config = example(
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
    urls: list[FlaggedUrl] | None = Field(
        None,
        description="Up to 50 of them. One that cannot be used is left out and named in"
        " `not_taken` of the answer.",
    )
    words: Annotated[Text, Field(max_length=20_000)] | None = None
    language: Language | None = None
