"""The words of the console: what a code in a row means to the one who reads it.

One place, so that a thing has one name on every page. Never says more than is so:
"hidden" stands only beside what the platform has confirmed (promise 16).
"""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.review.rules import Need

ROLES: Mapping[str, str] = {
    "reviewer": "Reviewer",
    "specialist": "Specialist",
    "lead": "Lead",
    "legal": "Legal",
    "administrator": "Administrator",
    "auditor": "Auditor",
}
ROLE_HINTS: Mapping[str, str] = {
    "reviewer": "claims, opens and reads cases",
    "specialist": "reads child-safety cases that take a specialist",
    "lead": "thaws, takes alarms, reopens",
    "legal": "reads, opens no original",
    "administrator": "people, platforms, authorities; opens no case",
    "auditor": "reads everything, opens no original",
}
OUTCOMES: Mapping[str, str] = {
    "violation": "Violation",
    "no_violation": "No violation",
    "": "not decided",
}
PARTS: Mapping[str, str] = {
    "offender": "Offender",
    "person_shown": "Person shown",
    "peer": "Peer who passed it on",
    "unknown": "Not known",
}
CHANNELS: Mapping[str, str] = {
    "portal": "front door",
    "api": "the platform",
    "staff": "staff",
}
CLAIMS: Mapping[str, str] = {
    "shown": "says: I am the person shown",
    "parent": "says: I am the parent",
    "relative": "says: I am a relative",
    "witness": "witness",
    "professional": "professional",
    "trusted_flagger": "trusted flagger",
}
BASES: Mapping[str, str] = {
    "digest": "same file",
    "pdq": "looks alike",
    "repost": "repost",
}
REFUSALS: Mapping[str, str] = {
    "not_a_picture": "no picture",
    "truncated": "ends too early",
    "too_many_pixels": "too many pixels",
    "too_large_file": "file too large",
    "unsupported_format": "kind not known",
    "broken": "damaged",
}
VERBS: Mapping[str, str] = {
    "freeze": "Hide",
    "thaw": "Show again",
    "remove": "Remove",
    "restore": "Restore",
    "suspend": "Suspend the account",
    "reinstate": "Reinstate the account",
    "statement": "Give the reasons",
}
NEEDS: Mapping[str, str] = {
    Need.FIRST_READER: "First reader",
    Need.SECOND_READER: "Second reader",
    Need.SECOND_SPECIALIST: "Second reader, a specialist",
    Need.SETTLING_SPECIALIST: "Specialist, to settle a disagreement",
}
WHAT_NEXT: Mapping[str, str] = {
    Need.FIRST_READER: "Your reading is recorded. The case waits for its first reader.",
    Need.SECOND_READER: (
        "“No violation” takes two people here. Your reading is recorded; somebody else"
        " must read next. Everything stays frozen."
    ),
    Need.SECOND_SPECIALIST: (
        "“No violation” takes two people here. Your reading is recorded; a specialist"
        " must read next. Everything stays frozen."
    ),
    Need.SETTLING_SPECIALIST: (
        "You and the first reader disagree. Your reading is recorded; a specialist who"
        " has not read settles it. Everything stays frozen."
    ),
}
EVENTS: Mapping[str, str] = {
    "report.received": "Report received",
    "report.extended": "Reporter added something",
    "report.challenged": "Reporter challenged the decision",
    "match.found": "Copy found",
    "case.opened": "Case opened",
    "case.joined": "Report joined the case",
    "case.merged": "Another case was merged into it",
    "case.reopened": "Opened again",
    "case.reclassified": "Category changed",
    "copy.covered": "A copy came under the decision",
    "deadline.near": "Clock is running out",
    "deadline.breached": "Clock ran out",
    "item.frozen": "Frozen",
    "item.thawed": "Thawed",
    "case.claimed": "Claimed",
    "case.released": "Released",
    "item.revealed": "Opened",
    "case.noted": "Note written",
    "case.read": "Read",
    "case.decided": "Decided",
    "enforcement.planned": "Consequences planned",
    "delivery.ordered": "Platform told",
    "delivery.confirmed": "Platform confirmed",
    "referral.opened": "Referral opened",
    "referral.declined": "No referral, with a reason",
    "referral.finished": "Referral finished",
    "original.sealed": "Original sealed",
    "notification.made": "Message written",
    "statement.due": "Statement of reasons due",
    "alarm.raised": "Alarm",
    "alarm.acknowledged": "Alarm taken",
    "alarm.escalated": "Alarm escalated",
}
REASONS = (
    ("To decide this case", "To decide this case"),
    ("To read it as the second reader", "To read it as the second reader"),
    ("To compare it with a copy", "To compare it with a copy"),
    ("To answer an authority", "To answer an authority"),
)
"""Why somebody opens an original: what is logged is what was chosen, in words."""


def state(told: str, confirmed: str) -> str:
    """How an item stands, said as far as the platform has confirmed it."""
    if told == confirmed:
        return {"frozen": "Hidden", "removed": "Removed"}.get(told, "Visible")
    return {
        "frozen": "Told to hide it, not confirmed",
        "removed": "Told to remove it, not confirmed",
    }.get(told, "Told to show it again, not confirmed")


def event(kind: str) -> str:
    """What happened; a kind without words of its own is shown as it is called."""
    return EVENTS.get(kind, kind.replace(".", " ").replace("_", " ").capitalize())
