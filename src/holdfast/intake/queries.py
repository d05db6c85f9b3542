"""What a reporter has told in all: the report, its answers, what was added later."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from holdfast.base.errors import NotFound
from holdfast.base.events import Event, alarm_stands
from holdfast.intake import questions
from holdfast.intake.contacts import of_report
from holdfast.intake.legal_forms import FormFacts, FormState, forms_of
from holdfast.intake.models import Answer, Codename, Report, Target
from holdfast.intake.rules import Way, read_police_number
from holdfast.items.queries import platform_of_url
from holdfast.policy import queries as policies
from holdfast.policy.rules import Category

TELLING = ("answers", "additions", "signatures", "targets", "contacts")
"""What belongs to a report and is read to know what its reporter has told."""


@dataclass(frozen=True)
class Told:
    """What weighs in a report. Later answers count as the report itself does."""

    category: str
    """What it is about, as far as is known now: an answer can say more than the first
    page did, and what was done to a child is not a matter of adults."""
    claims: tuple[str, ...]
    police_number: str
    in_danger_now: bool
    channel: str
    answers: Mapping[str, str] = field(default_factory=dict)
    """What was answered; where nothing was, what the report itself said of it."""
    said_at_first: frozenset[str] = frozenset()
    """Which of the answers the report itself said: it is changed by another answer,
    and cannot be taken back."""
    forms: tuple[FormState, ...] = ()


@dataclass(frozen=True)
class Place:
    """One reported thing as the reporter named it, and whether it was found."""

    named_as: str
    located: bool
    elsewhere: bool
    """Whether it is an address on none of the sites that this door serves."""


@dataclass(frozen=True)
class Reported:
    """A report as its reporter may look it over."""

    id: UUID
    number: str
    platform_id: UUID
    platform: str
    received_at: datetime
    category: Category
    told: Told
    words: tuple[str, ...]
    places: tuple[Place, ...]
    email: str
    signed_as: str


def report_of(event: Event) -> Report:
    """The report that an event is about, with what its reporter has told.

    Read once for all steps of the event: they may ask for it without a thought.
    """
    report = event.kept.get("report")
    if report is None:
        rows = Report.objects.select_related("platform").prefetch_related(*TELLING)
        report = event.kept["report"] = rows.get(id=event.about["report"])
    assert isinstance(report, Report)
    return report


def as_new(
    report: Report, targets: Sequence[Target], answers: Sequence[Answer] = ()
) -> Report:
    """A report of this very moment, of which there is nothing else to read.

    As Django's ``prefetch_related`` leaves it, without asking for what cannot be.
    """
    known: dict[str, Sequence[object]] = {"targets": targets, "answers": answers}
    kept = {name: getattr(report, name).none() for name in TELLING if name not in known}
    for name, rows in known.items():
        kept[name] = getattr(report, name).all()
        vars(kept[name]).update(_result_cache=list(rows), _prefetch_done=True)
    vars(report)["_prefetched_objects_cache"] = kept
    codename = Report._meta.get_field("codename")
    if not codename.is_cached(report):
        codename.set_cached_value(report, None)
    return report


def read_again(report: Report, name: str) -> None:
    """Of a report as :func:`as_new` left it: what has been added since."""
    del vars(report)["_prefetched_objects_cache"][name]


def by_fingerprint_alone(report: Report) -> bool:
    """Whether all that a report names is a fingerprint.

    Such a reporter has shown nothing of where it stands, and is told nothing of that.
    """
    targets = [each.pdq for each in report.targets.all()]
    return bool(targets) and all(pdq is not None for pdq in targets)


def codename_unconfirmed(report_id: UUID) -> bool:
    """Whether nobody has come back yet and said that the words are kept."""
    return Codename.objects.filter(report=report_id, confirmed_at=None).exists()


def is_open(report_id: UUID, lookup: str, opened_at: datetime) -> bool:
    """Whether a report is still open to whoever opened it with its words then.

    It is not once it has other words than those of this ``lookup``, or was closed.
    """
    opened = Codename.objects.filter(report=report_id, lookup=lookup)
    return opened.exclude(closed_at__gte=opened_at).exists()


def being_called(report_id: UUID) -> bool:
    """Whether people are called about danger in a report, and none has answered yet."""
    return alarm_stands("report.danger", {"report": str(report_id)})


def told_by(report: Report) -> Told:
    """What this report's reporter has told so far.

    Whoever asks more than once reads the report with ``prefetch_related(*TELLING)``.
    """
    given, at_first = answers_of(report), _said_at_first(report)
    answers = at_first | given
    about = answers.get("about", "")
    claims = {*report.claims, *({about} if about in questions.CLAIMED else ())}
    danger = answers.get("danger", "")
    category = _category(report, answers)
    return Told(
        category=category.code,
        claims=tuple(sorted(claims)),
        police_number=read_police_number(report.police_number)
        or read_police_number(answers.get("police", "")),
        in_danger_now=danger in questions.DANGERS
        or (report.in_danger_now and danger != "no"),
        channel=report.channel,
        answers=answers,
        said_at_first=frozenset(at_first.keys() - given.keys()),
        forms=_forms(report, category, answers),
    )


def answers_of(report: Report) -> dict[str, str]:
    """The answers that count, by the code of their question."""
    return {
        each.question: each.value
        for each in report.answers.all()
        if each.replaced_at is None and each.erased_at is None
    }


def _said_at_first(report: Report) -> dict[str, str]:
    """What a report said when it came, as the answers to what would be asked.

    The police and whoever enters a call say so on one page, without these questions.
    """
    said = {
        "danger": "hurt" if report.in_danger_now else "",
        "about": _claimed(report),
        "police": report.police_number,
    }
    return {code: answer for code, answer in said.items() if answer}


def _claimed(report: Report) -> str:
    return next((each for each in questions.CLAIMED if each in report.claims), "")


def reported(report_id: UUID) -> Reported:
    """One report, to be looked over by its reporter. Raises ``NotFound``."""
    report = Report.objects.select_related("platform").filter(id=report_id).first()
    if report is None:
        raise NotFound("There is no such report.")
    told = told_by(report)
    added = report.additions.filter(kind="words", erased_at=None).order_by("added_at")
    signed = report.signatures.filter(erased_at=None).order_by("-signed_at").first()
    return Reported(
        id=report.id,
        number=report.number,
        platform_id=report.platform_id,
        platform=report.platform.name,
        received_at=report.received_at,
        category=policies.category_of(told.category),
        told=told,
        words=tuple(
            filter(None, [report.words, *added.values_list("words", flat=True)])
        ),
        places=tuple(
            Place(each.named_as, each.located, _is_elsewhere(each))
            for each in report.targets.exclude(named_as="").order_by("position")
        ),
        email=_masked_email(report),
        signed_as=signed.name if signed else "",
    )


def _category(report: Report, answers: Mapping[str, str]) -> Category:
    category = policies.category_of(answers.get("category") or report.category)
    if category.if_under_18 and questions.is_minor(answers):
        return policies.category_of(category.if_under_18)
    return category


def _forms(
    report: Report, category: Category, answers: Mapping[str, str]
) -> tuple[FormState, ...]:
    policy = policies.current()
    if not policy.legal_forms:
        return ()
    left = [each for each in report.contacts.all() if each.withdrawn_at is None]
    ways = {each.way for each in left}
    facts = FormFacts(
        child_safety=category.child_safety,
        alleges_illegal=policy.alleges_illegal(category),
        intimate=category.intimate,
        about=_said(answers, "about") or _claimed(report),
        pictured=_said(answers, "pictured"),
        unlawful=_said(answers, "unlawful"),
        may_act=_said(answers, "may_act"),
        consent=_said(answers, "consent"),
        has_address=any(_is_address(each) for each in report.targets.all()),
        has_reasons=bool(report.words)
        or any(
            each.kind == "words" and each.erased_at is None
            for each in report.additions.all()
        ),
        has_email=Way.EMAIL in ways,
        has_contact=bool(ways),
        signed=frozenset(
            form for each in report.signatures.all() for form in each.forms
        ),
    )
    return forms_of(facts, policy.legal_forms)


def _said(answers: Mapping[str, str], code: str) -> str:
    """An answer; "I don't know" says as much as none."""
    answer = answers.get(code, "")
    return "" if answer == questions.UNKNOWN.code else answer


def _is_address(target: Target) -> bool:
    """Whether a place is given so that somebody else can find it."""
    named = target.named_as.strip()
    return target.located or ("." in named and not re.search(r"\s|^@", named))


def _is_elsewhere(target: Target) -> bool:
    if target.located or not _is_address(target):
        return False
    return platform_of_url(target.named_as.strip()) is None


def _masked_email(report: Report) -> str:
    """The address as its owner knows it again; somebody else may look at the screen."""
    left = of_report(report.id)
    return left.masked if left is not None and left.way == Way.EMAIL else ""
