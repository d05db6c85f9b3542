"""The words of the console: what a code in a row means to the one who reads it.

One place, so that a thing has one name on every page. Never says more than is so:
"hidden" stands only beside what the platform has confirmed (promise 16).
"""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.matching.rules import Basis, Likeness
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
    "email": "e-mail",
    "phone": "telephone, taken down by staff",
    "letter": "letter, entered by staff",
    "flagger": "trusted flagger or hotline",
    "police": "police, not verified yet",
}
TOLD_BY: Mapping[str, str] = {
    "receipt": "the receipt, in the answer to the report",
    "thread": "a message on the page of the report",
    "letter": "e-mail or phone, if an address was left",
    "statement": "a statement of reasons, which the platform hands over",
    "order": "signed webhook and change feed",
    "referral": "the authority's own system",
    "page": "e-mail and webhook to the people on call",
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
    "video": "video",
    "features": "a crop or an edit",
    "repost": "repost",
}
VARIANTS: Mapping[str, str] = {
    "turned_90": "turned by 90° to the left",
    "turned_180": "upside down",
    "turned_270": "turned by 90° to the right",
    "mirrored": "mirrored",
    "mirrored_180": "mirrored and upside down",
    "mirrored_90": "mirrored and turned by 90° to the left",
    "mirrored_270": "mirrored and turned by 90° to the right",
}
ITEM_ROLES: Mapping[str, str] = {
    "reported": "reported",
    "known": "known to a bank",
    "copy": "a copy",
    "repost": "a repost",
}
BINDS: Mapping[str, tuple[str, str]] = {
    "digest": ("The same file", ""),
    "pdq": (
        "Looks the same",
        "Bits: in how many of 256 the fingerprints differ. The fewer, the nearer.",
    ),
    "turned": (
        "Turned, mirrored, or a border added or cut",
        "Bits: in how many of 256 the fingerprints differ, once that is undone.",
    ),
    "video": ("In a video", "The share is how much of the one is in the other."),
    "features": ("Part of it: a crop or an edit", ""),
    "repost": ("Reposts", "They pass on what the case is about, or a copy of it."),
}
"""What binds a copy to what was reported: a heading and what its numbers mean; the
surest first."""
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
    "hold_contact": "Stop the account from writing to its reporter",
    "release_contact": "Let the account write to its reporter again",
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
CLOCKS: Mapping[str, str] = {
    "first_look": "Our promise: somebody opens it",
    "decision": "Our promise to the reporter: people decide",
    "take_it_down_48h": "TAKE IT DOWN Act (US): it and its copies are gone, for the"
    " person shown",
    "uk_intimate_image_48h": "Online Safety Act (UK): it and its copies are gone, for"
    " the person shown",
    "dsa_notice": "DSA Article 16 (EU): the reporter hears what was decided",
}
"""What is due to whom, and by which law. The policy's labels are for reporters."""
LACKING: Mapping[str, str] = {
    "address": "where it is, exactly",
    "reasons": "why it is held to be illegal",
    "who": "who is shown",
    "may_act": "that the reporter may act for the person shown",
    "not_agreed": "that the person shown did not agree",
    "unlawful": "that it is held to be against the law",
    "email": "the reporter's e-mail address",
    "signature": "the reporter's signature",
}
"""What a statute wants to be in a request, and nobody has told: to staff. The reporter
is asked in other words."""
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
    "match.withdrawn": "A bank took back what this was known by",
    "copy.confirmed": "Somebody said that it is a copy",
    "copy.rejected": "Somebody said that it is no copy",
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
    "watch.started": "A picture is watched for",
    "watch.ended": "A picture is watched for no more",
    "contact.held": "An account is kept from writing to its reporter",
    "contact.released": "An account may write to its reporter again",
}
SETTLED: Mapping[str, str] = {
    "copy.confirmed": "It is a copy, and is decided with the rest.",
    "copy.rejected": "It is no copy. It has left the case and does not come back.",
}
"""What became of a doubt, by the event that settled it."""
REASONS = (
    ("To decide this case", "To decide this case"),
    ("To read it as the second reader", "To read it as the second reader"),
    ("To compare it with a copy", "To compare it with a copy"),
    ("To answer an authority", "To answer an authority"),
)
"""Why somebody opens an original: what is logged is what was chosen, in words."""


def account(screen_name: str, account_id: str) -> str:
    """What an account is called on its platform."""
    return f"@{screen_name}" if screen_name else account_id or "nobody known"


def bank(name: str, *, taken_back: bool) -> str:
    """A bank that knows something; or knew it, which its source has taken back."""
    return f"{name} (taken back)" if taken_back else name


def likeness(found: Likeness) -> str:
    """How something is a copy: on what that rests, how near, how it was turned."""
    return ", ".join([BASES[found.basis], *measures(found), *changes(found)])


def measures(found: Likeness) -> list[str]:
    """How near it is: the bits that differ, the share that is in it."""
    bits, share = found.distance_bits, found.share_percent
    said = [] if bits is None else [f"{bits} bit" if bits == 1 else f"{bits} bits"]
    return said if share is None else [*said, f"{share} % of it"]


def changes(found: Likeness) -> list[str]:
    """What was done to it, and where in a video it begins (minutes:seconds)."""
    said = [VARIANTS[found.variant]] if found.variant in VARIANTS else []
    if found.trimmed:
        said.append("a border added or cut")
    if found.at_ms is not None:
        minutes, seconds = divmod(found.at_ms // 1000, 60)
        said.append(f"at {minutes}:{seconds:02} of the video")
    return said


def sameness(found: Likeness) -> str:
    """What is said of a copy that nothing is measured of: it is the very same."""
    return "same bytes" if found.exact else BASES[found.basis]


def binds(found: Likeness) -> str:
    """What binds it to what was reported: a key of ``BINDS``."""
    if found.basis != Basis.PDQ:
        return found.basis.value
    if found.at_ms is not None:
        return "video"
    return "turned" if found.trimmed or found.variant in VARIANTS else "pdq"


def state(told: str, confirmed: str) -> str:
    """How an item stands, said as far as the platform has confirmed it."""
    if told == confirmed:
        return {"frozen": "Hidden", "removed": "Removed"}.get(told, "Visible")
    return {
        "frozen": "Told to hide it, not confirmed",
        "removed": "Told to remove it, not confirmed",
    }.get(told, "Told to show it again, not confirmed")


def clock(code: str, labels: Mapping[str, str]) -> str:
    """A clock in the words of those who must meet it; else the policy's own label."""
    return CLOCKS.get(code) or labels.get(code, code)


def event(kind: str) -> str:
    """What happened; a kind without words of its own is shown as it is called."""
    return EVENTS.get(kind, kind.replace(".", " ").replace("_", " ").capitalize())
