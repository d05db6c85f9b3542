"""A policy, read from its document: pure, and the same answer for the same question.

A policy says which categories there are, which of them freeze, how urgent a report is,
which clocks run, and on which grounds people may decide. It never sees how many people
reported. Conditions are CEL (Common Expression Language), the language that gateways
and clusters already use for policy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cel
import yaml

from holdfast.base.errors import InvalidInput

URGENCIES = ("immediate", "urgent", "standard")
"""From the fastest to the slowest."""

# A condition is tried once when the policy is read, on a case that has every field.
_SAMPLE = {
    "report": {
        "claims": ["shown"],
        "police_number": "",
        "in_danger_now": False,
        "channel": "portal",
        "forms": ["dsa_notice"],
    },
    "category": {
        "code": "other",
        "child_safety": False,
        "urgency": "standard",
        "refer_to": ["nobody"],
    },
    "part": "unknown",
}


DECISION_CLOCK = "decision"
"""The code of the clock that ends when people decide; each category has one."""


@dataclass(frozen=True)
class Category:
    """What somebody can report, and what follows from the choice alone."""

    code: str
    label: str
    child_safety: bool
    freeze: bool
    urgency: str
    refer_to: tuple[str, ...]
    grounds: tuple[str, ...]
    dsa_category: str
    dsa_keyword: str
    intimate: bool = False
    """Whether it is about intimate pictures that stand on the platform."""
    if_under_18: str = ""
    """The category that it is in truth when the person shown was a child."""

    def seen(self) -> dict[str, Any]:
        """The category as a condition sees it."""
        return {
            "code": self.code,
            "child_safety": self.child_safety,
            "if_under_18": self.if_under_18,
            "urgency": self.urgency,
            "refer_to": list(self.refer_to),
        }


@dataclass(frozen=True)
class Ground:
    """On what a decision may rest: a law, or the platform's terms."""

    code: str
    kind: Literal["illegal", "terms"]
    reference: str
    words: str


@dataclass(frozen=True)
class Clock:
    """A deadline that a report starts."""

    code: str
    when: str
    hours: float
    shown: bool
    label: str
    form: str = ""
    """The legal form whose clock this is: it runs for reports that are one."""


@dataclass(frozen=True)
class Withholding:
    """When a statement of reasons waits, on which ground, and for how long."""

    when: str
    ground: str
    days: int


@dataclass(frozen=True)
class ReportFacts:
    """What a condition may know of a report."""

    claims: Sequence[str] = ()
    police_number: str = ""
    in_danger_now: bool = False
    channel: str = "portal"
    forms: Sequence[str] = ()
    """The legal forms that the report is."""

    def seen(self) -> dict[str, Any]:
        """The report as a condition sees it."""
        return {
            "claims": list(self.claims),
            "police_number": self.police_number,
            "in_danger_now": self.in_danger_now,
            "channel": self.channel,
            "forms": list(self.forms),
        }


@dataclass(frozen=True)
class Policy:
    """One version of the rules."""

    version: str
    digest: str
    categories: tuple[Category, ...]
    grounds: tuple[Ground, ...]
    urgency_rules: tuple[tuple[str, str], ...]
    clocks: tuple[Clock, ...]
    warn_at_share: float
    withhold_at_freeze: Withholding
    withhold_at_decision: Withholding
    keep_days: Mapping[str, int]
    wave_reports_per_hour: int
    fingerprint_freezes_at_most: int
    """Items that reporters' fingerprints of one picture hide before people look."""
    contact_hold_days: int
    """How long an account cannot write to whoever reported it."""
    contact_holds_at_most: int
    """Holds on one account that its platform does not vouch for."""
    watch_days: int
    """How long later uploads are held against a reporter's fingerprint."""
    mail_category: str
    """What a report is taken for that does not say what it is about: each mail, and one
    of a platform whose category no policy ever had."""
    legal_forms: tuple[str, ...] = ()
    """The legal forms that reports to this installation can be."""

    def category(self, code: str) -> Category:
        """The category of that code; raises ``InvalidInput`` with those there are."""
        for category in self.categories:
            if category.code == code:
                return category
        known = ", ".join(each.code for each in self.categories)
        raise InvalidInput(f"There is no category of that code. There are: {known}.")

    def ground(self, code: str) -> Ground:
        """The ground of that code; raises ``InvalidInput``."""
        for ground in self.grounds:
            if ground.code == code:
                return ground
        known = ", ".join(each.code for each in self.grounds)
        raise InvalidInput(f"There is no ground of that code. There are: {known}.")

    def urgency(self, category: Category, report: ReportFacts) -> str:
        """How urgent a report is: the first rule that holds, or the category's own."""
        for when, urgency in self.urgency_rules:
            if holds(when, report=report.seen(), category=category.seen()):
                return urgency
        return category.urgency

    def clocks_of(self, category: Category, report: ReportFacts) -> list[Clock]:
        """The clocks that a report of this category starts."""
        return [
            clock
            for clock in self.clocks
            if (not clock.form or clock.form in report.forms)
            and holds(clock.when, report=report.seen(), category=category.seen())
        ]

    def decided_within_h(self) -> float:
        """Hours within which people decide, whatever it is about: the longest promise.

        For those who must not learn what a thing was taken for.
        """
        return max(
            clock.hours
            for category in self.categories
            for clock in self.clocks_of(category, ReportFacts())
            if clock.code == DECISION_CLOCK
        )

    def alleges_illegal(self, category: Category) -> bool:
        """Whether a category rests on a law, and not on the terms alone."""
        laws = {each.code for each in self.grounds if each.kind == "illegal"}
        return bool(laws & set(category.grounds))


def faster(one: str, other: str) -> str:
    """The more urgent of two urgencies."""
    return min(one, other, key=URGENCIES.index)


def holds(when: str, **seen: Any) -> bool:
    """Whether a condition holds. Raises ``InvalidInput`` if it is no condition."""
    try:
        answer = cel.evaluate(when, {**_SAMPLE, **seen})
    except (ValueError, TypeError, RuntimeError) as error:
        raise InvalidInput(f"The condition {when!r} cannot be read: {error}") from error
    if not isinstance(answer, bool):
        raise InvalidInput(f"The condition {when!r} does not say yes or no.")
    return answer


def read_policy(document: str) -> Policy:
    """A policy from its YAML document, checked whole.

    Raises ``InvalidInput`` with the place that is wrong: a policy that cannot be
    carried out is refused when it is adopted, and not when a child reports.
    """
    try:
        raw = yaml.safe_load(document)
        policy = _policy(raw, hashlib.sha256(document.encode()).hexdigest())
    except yaml.YAMLError as error:
        raise InvalidInput(f"The policy is not YAML: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"The policy lacks something: {error!r}") from error
    _check(policy)
    return policy


def _policy(raw: Mapping[str, Any], digest: str) -> Policy:
    said = raw["statements"]
    return Policy(
        version=str(raw["version"]),
        digest=digest,
        categories=tuple(_category(each) for each in raw["categories"]),
        grounds=tuple(Ground(**each) for each in raw["grounds"]),
        urgency_rules=tuple((each["when"], each["urgency"]) for each in raw["urgency"]),
        clocks=tuple(Clock(**each) for each in raw["deadlines"]),
        warn_at_share=float(raw["warn_at_share"]),
        withhold_at_freeze=Withholding(
            said["withhold_freeze_when"],
            said["withhold_freeze_ground"],
            int(said["withhold_freeze_days"]),
        ),
        withhold_at_decision=Withholding(
            said["withhold_decision_when"],
            said["withhold_decision_ground"],
            int(said["withhold_decision_days"]),
        ),
        keep_days={name: int(days) for name, days in raw["keep_days"].items()},
        wave_reports_per_hour=int(raw["wave_reports_per_hour"]),
        fingerprint_freezes_at_most=int(raw["fingerprint_freezes_at_most"]),
        contact_hold_days=int(raw["contact_hold_days"]),
        contact_holds_at_most=int(raw["contact_holds_at_most"]),
        watch_days=int(raw["watch_days"]),
        mail_category=str(raw["mail_category"]),
        legal_forms=tuple(raw.get("legal_forms", ())),
    )


def _category(raw: Mapping[str, Any]) -> Category:
    return Category(
        code=raw["code"],
        label=raw["label"],
        child_safety=raw["child_safety"],
        freeze=raw["freeze"],
        urgency=raw["urgency"],
        refer_to=tuple(raw["refer_to"]),
        grounds=tuple(raw["grounds"]),
        dsa_category=raw["dsa"]["category"],
        dsa_keyword=raw["dsa"]["keyword"],
        intimate=raw.get("intimate", False),
        if_under_18=raw.get("if_under_18", ""),
    )


def _check(policy: Policy) -> None:
    """What must hold of every policy, whatever an installation wants."""
    first_other = [each.child_safety for each in policy.categories]
    if first_other != sorted(first_other, reverse=True):
        raise InvalidInput("The categories of child safety come first.")
    for category in policy.categories:
        for code in category.grounds:
            policy.ground(code)
        if category.urgency not in URGENCIES:
            raise InvalidInput(f"{category.code} has no such urgency.")
        if category.child_safety and not category.freeze:
            raise InvalidInput(
                f"{category.code} is about a child's safety and must freeze."
            )
        if category.if_under_18 and not (
            policy.category(category.if_under_18).child_safety
        ):
            raise InvalidInput(f"{category.code} names no category of child safety.")
        if not any(
            clock.code == DECISION_CLOCK
            for clock in policy.clocks_of(category, ReportFacts())
        ):
            raise InvalidInput(f"{category.code} has no clock for its decision.")
    for form in policy.legal_forms:
        if not any(clock.form == form for clock in policy.clocks):
            raise InvalidInput(f"The legal form {form} has no clock.")
    for when, urgency in policy.urgency_rules:
        holds(when)
        if urgency not in URGENCIES:
            raise InvalidInput(f"There is no urgency {urgency!r}.")
    limits = (
        policy.fingerprint_freezes_at_most,
        policy.watch_days,
        policy.contact_hold_days,
        policy.contact_holds_at_most,
    )
    if min(limits) < 0:
        raise InvalidInput("What a reporter may ask for has no limit below zero.")
    policy.category(policy.mail_category)
    holds(policy.withhold_at_freeze.when)
    holds(policy.withhold_at_decision.when)
