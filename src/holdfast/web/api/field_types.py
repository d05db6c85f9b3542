"""What a text, an id, an address, a time of the platform API may be, and how long.

Lengths are those of the columns, so that what passes here can be stored.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import unquote_to_bytes

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


def example(**said: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": said})
