"""What holds for every address of the API, in words: once for the document, as
Markdown, and once for the page at ``/api/v1/docs``.

Every number is a constant of the code that keeps to it. Never says what one address
does: that is the document's.
"""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.items.answers import KEEP_DAYS
from holdfast.items.keys import SCOPES
from holdfast.web.api import field_types, idempotency, limits, ndjson, problems, schemas

INTRODUCTION = """
A platform tells Holdfast of its accounts and items, hands on reports, and obeys the
changes that come back.
"""


@dataclass(frozen=True)
class Section:
    """One matter. ``anchor``: its place on the page; ``text``: Markdown."""

    anchor: str
    title: str
    text: str


_SCOPES = ", ".join(f"`{scope.value}`" for scope in SCOPES)
_PAGE = schemas.PageIn.model_json_schema()["properties"]["limit"]

SECTIONS = (
    Section(
        "authentication",
        "Authentication",
        f"""
Send your key with every request: `Authorization: Bearer hf_…`. An administrator makes
keys in the console, under Platforms; a key is shown once. It belongs to one platform
and has scopes: {_SCOPES}. The examples take it from the variable `HOLDFAST_KEY`.
""",
    ),
    Section(
        "idempotency",
        "Idempotency-Key",
        f"""
Every write takes an `{idempotency.HEADER}`: a new random value for each new request,
the same one to repeat it, 1 to {idempotency.MAX_KEY} printable ASCII characters. A POST
without one is refused; a PUT may go without.

* The same request with the same key gets the same answer for {KEEP_DAYS} days, with
  `{idempotency.REPLAY_HEADER}: true`. Nothing is done twice.
* While the first one is being carried out the second gets 409 with
  `Retry-After: {problems.AGAIN_S}`.
* Another request with a key that was used gets 422.
* A refusal changed nothing and is not kept.
""",
    ),
    Section(
        "fields",
        "Ids, times and fields",
        f"""
Ids are your platform's own; in an address they are URL-encoded. Times are text as in
RFC 3339 with their zone, between {field_types.FIRST_YEAR} and {field_types.LAST_YEAR}.

A field that is not marked as required may be left out. Fields that Holdfast does not
know are passed over.
""",
    ),
    Section(
        "pages",
        "Pages",
        f"""
A list that may be long comes in pages: `?limit=` asks for up to {_PAGE["maximum"]:,}
entries ({_PAGE["default"]} when it is left out), and `next_cursor` of the answer is
the `?cursor=` of the next request.
""",
    ),
    Section(
        "rates",
        "Rates",
        f"""
* One key may make {limits.PER_S:,.0f} requests a second for long, and
  {limits.BURST:,.0f} at once after a quiet time.
  {limits.LINES_PER_TOKEN} lines of a batch count as one.
* Reports have an allowance of their own: {limits.REPORTS_PER_S:,.0f} a second, and
  {limits.REPORTS_BURST:,.0f} at once.
* Above that you get 429; `Retry-After` says in how many seconds to ask again.
* A report about a child's safety is never refused for its rate. It is slowed by
  {limits.SLOWDOWN_S:.0f} seconds at most, and people are alarmed.
""",
    ),
    Section(
        "sizes",
        "Sizes",
        f"""
* A JSON body has up to {limits.in_words(limits.MAX_JSON_BYTES)}, an item with its
  files up to {limits.in_words(limits.MAX_BODY_BYTES)}.
* A batch is `{ndjson.MEDIA_TYPE}`, one object a line: up to {limits.MAX_LINES:,} lines
  and {limits.in_words(limits.MAX_BODY_BYTES)}, a line up to
  {limits.in_words(limits.MAX_LINE_BYTES)}. A batch may come in chunks; every other body
  says its `Content-Length`.
""",
    ),
    Section(
        "problems",
        "Errors",
        f"""
Every refusal is a problem document as in RFC 9457, `{problems.MEDIA_TYPE}`, and says
what is wrong and what to do. `type` begins with `{problems.TYPE}` and stays the same
wherever Holdfast runs; `errors` names each field that is wrong; `reference`, with 500,
is what the operator finds in the log.
""",
    ),
)


def markdown() -> str:
    """All of it, as the document's description."""
    parts = [f"## {each.title}\n{each.text}" for each in SECTIONS]
    return "\n".join([INTRODUCTION, *parts]).strip() + "\n"
