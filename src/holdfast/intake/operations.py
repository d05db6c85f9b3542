"""Receiving a report. Every door calls :func:`receive_report`; there is no other way.

Nothing is asked that the report can do without: no account, no identity, no proof, no
file. A report that locates nothing is a report all the same, and goes to a person.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.deadlock import again_after_deadlock
from holdfast.base.errors import InvalidInput, NotFound
from holdfast.base.events import Event, Kind, alarm, emit
from holdfast.base.ids import report_number, uuid7
from holdfast.base.rows import planned_once
from holdfast.intake import archive, contacts, not_taken
from holdfast.intake import codename as codenames
from holdfast.intake.arrival import Mark, note_arrival
from holdfast.intake.fingerprint import FingerprintGiven as FingerprintGiven
from holdfast.intake.models import WORDS_NAMED, Addition, Codename, Report, Target
from holdfast.intake.models import Channel as Channel
from holdfast.intake.not_taken import NotTaken
from holdfast.intake.queries import Told, as_new, being_called, read_again, told_by
from holdfast.intake.questions import DANGERS
from holdfast.intake.rules import Frequency
from holdfast.intake.suspension import is_set_aside, tell_extended
from holdfast.intake.targets import MAX_TARGETS as MAX_TARGETS
from holdfast.intake.targets import TargetGiven as TargetGiven
from holdfast.intake.targets import actor_of, keep_targets, named_in, picture_columns
from holdfast.items.models import Item, Platform
from holdfast.items.naming import Found, actors_named, find_named
from holdfast.items.queries import (
    items_at,
)
from holdfast.policy import queries as policy

MAX_WORDS = 20_000  # characters
LATE_TARGETS = 1000
"""Things not located yet that one tick looks for, those of the newest reports."""
CLAIMS = ("shown", "parent", "relative", "witness", "professional")
"""What somebody may say of themself. Never checked before the freeze."""
TRUSTED = "trusted_flagger"
"""What nobody may say of themself: it follows from an account and its scope."""


ADDITIONS = ("words", "link")
"""What can be added to a report later, beside answers (``answering``)."""


@dataclass(frozen=True)
class ReportGiven:
    """A report as it comes in through any door."""

    platform_id: UUID
    channel: Channel
    category: str
    targets: Sequence[TargetGiven]
    words: str = ""
    language: str = "en"
    reporter_actor: str = ""
    contact: str = ""
    claims: Sequence[str] = field(default=())
    police_number: str = ""
    police_agency: str = ""
    police_contact: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    """To the questions, by their codes; see ``questions``."""
    questions: str = ""
    """The hash of the questions as they were asked; blank: those of now."""
    shown: Mapping[str, Any] | None = None
    """The pages on which it was asked for, word for word: ``language``, ``questions``.
    They are archived with it. None: it was not asked for on pages of ours."""
    in_danger_now: bool = False
    wants_contact_hold: bool = False
    wants_codename: bool = False
    report_id: UUID | None = None
    codename: str = ""
    """Both only of a press that may come twice: see ``once``."""
    address: str = ""
    """The network address it came from, which is not stored: see ``arrival``."""
    marks: Collection[Mark] = field(default=())
    received_at: datetime | None = None
    """When it reached us, for what lay in a mailbox or on a desk; None: now."""
    not_taken: Sequence[NotTaken] = ()
    """What the door could not use of it."""
    tells: bool = True
    """Whether what a fingerprint found may be told: see ``models.Target``."""
    words_are_read: bool = False
    """Whether the door has looked for addresses in the words, and gives all of them."""


@dataclass(frozen=True)
class Received:
    """What a report became. The codename is here and nowhere else."""

    report_id: UUID
    number: str
    codename: str | None
    told: Told
    """What it says, as it is weighed."""
    not_taken: Sequence[NotTaken] = ()
    """What could not be used of it, answers to questions that were not asked too."""


@again_after_deadlock
def receive_report(given: ReportGiven, *, by: By) -> Received:
    """Store a report and do at once what follows: case, freeze, clocks, receipt.

    Raises ``InvalidInput`` only for what would make no report at all: an unknown
    category, no target and no words, or more targets than one report can hold. An
    answer that is none to the questions asked is named and kept beside the report.
    """
    if by.kind == "platform":
        by.require(Permission.REPORTS_WRITE)
    else:
        by.require(Permission.REPORT_FILE)
    targets = _check(given)
    # Addresses are resolved before the transaction: the platform may be asked, and no
    # lock is held while a network answers.
    targets = list(read_words(replace(given, targets=targets)).targets)
    # A report in words alone still is about something: the words.
    targets = targets or [TargetGiven(description=given.words[:WORDS_NAMED])]
    located = [target.find(given.platform_id) for target in targets]
    held = archive.hold(given.answers, given.questions, given.language)
    left = (*given.not_taken, *held.not_taken)
    in_danger = given.in_danger_now or not_taken.may_mean_danger(left)
    secret = (
        (given.codename or codenames.new_codename()) if given.wants_codename else None
    )
    derived = (codenames.lookup(secret), codenames.verifier(secret)) if secret else None
    with policy.held(), transaction.atomic(savepoint=False):
        planned_once()
        report = Report.objects.create(
            id=given.report_id or uuid7(),
            number=report_number(),
            platform_id=given.platform_id,
            channel=given.channel,
            category=given.category,
            language=given.language or "en",
            words=given.words,
            reporter_actor_id=actor_of(given.platform_id, given.reporter_actor),
            claims=list(given.claims),
            police_number=given.police_number.strip(),
            police_agency=given.police_agency.strip(),
            police_contact=given.police_contact.strip(),
            in_danger_now=in_danger,
            wants_contact_hold=given.wants_contact_hold,
            asked=archive.kept_for_good(given.shown) if given.shown else None,
            received_at=min(given.received_at or clock.now(), clock.now()),
            received_by=str(by),
        )
        added = keep_targets(report, targets, located, first=0, tells=given.tells)
        said = archive.keep(report, held)
        not_taken.keep(report, left)
        if derived:
            Codename.objects.create(
                report=report,
                lookup=derived[0],
                verifier=derived[1],
                made_at=clock.now(),
            )
        if given.address or given.marks:
            note_arrival(report.id, given.address, given.marks)
        fresh = as_new(report, added, said)
        emit(
            Kind.REPORT_SET_ASIDE if is_set_aside(fresh) else Kind.REPORT_RECEIVED,
            about={"platform": report.platform_id, "report": report.id},
            facts={
                "channel": report.channel,
                "category": report.category,
                "language": report.language,
                "targets": len(targets),
                "located": sum(each.item is not None for each in located),
            },
            by=by,
            kept={"report": fresh},
        )
        if given.contact.strip():
            contacts.keep(report.id, given.contact, Frequency.DECISIONS_ONLY, by=by)
            read_again(fresh, "contacts")
        if in_danger or held.taken.get("danger") in DANGERS:
            call_people(report)
        return Received(report.id, report.number, secret, told_by(fresh), left)


def locate_again(event: Event) -> None:
    """Look once more for what a report names and nobody could find at first."""
    report = Report.objects.get(id=event.about["report"])
    missing = report.targets.filter(item=None, actor=None, conversation=None, pdq=None)
    for target in missing.exclude(named_as=""):
        _located(target, find_named(report.platform_id, target.named_as))


def locate_late() -> None:
    """Tick: find what was reported before its platform registered it.

    A platform can be about to tell of an item, or be catching up, while a report about
    it comes in. An id counts only where the platform itself named it.
    """
    missing = Target.objects.filter(item=None, actor=None, conversation=None, pdq=None)
    missing = missing.exclude(named_as="")
    newest = missing.select_related("report__platform").order_by("-report__received_at")
    by_platform: dict[Platform, list[Target]] = {}
    for target in newest[:LATE_TARGETS]:
        by_platform.setdefault(target.report.platform, []).append(target)
    for platform, targets in by_platform.items():
        names = {target.named_as for target in targets}
        at = items_at(platform, names)
        named = Item.objects.filter(platform=platform, external_id__in=names)
        by_id = dict(named.values_list("external_id", "id"))
        accounts = actors_named(platform, names)
        for target in targets:
            item_id = at.get(target.named_as)
            if item_id is None and target.report.channel == Channel.API:
                item_id = by_id.get(target.named_as)
            _located(target, Found(item_id, accounts.get(target.named_as)))


def _located(target: Target, found: Found) -> None:
    """What a report named has been found: it is placed and frozen as if it had been."""
    if not found:
        return
    with transaction.atomic():
        missing = Target.objects.filter(id=target.id, item=None, actor=None)
        if missing.update(
            item=found.item,
            actor=None if found.item else found.actor,
            conversation=found.conversation,
        ):
            tell_extended(target.report, "located", by=SYSTEM)


@again_after_deadlock
def add_to_report(
    report_id: UUID, kind: str, words: str, *, addition_id: UUID | None = None, by: By
) -> None:
    """What the reporter tells later in their own words; see ``ADDITIONS``.

    A link becomes one more target, and is frozen as the report itself was; so does
    each address on the report's platform that stands in words.
    ``addition_id`` only of a press that may come twice: see ``once``.
    """
    by.require(Permission.REPORT_FOLLOW)
    if kind not in ADDITIONS:
        raise InvalidInput(f"What is added is one of: {', '.join(ADDITIONS)}.")
    if not words.strip() or len(words) > MAX_WORDS:
        raise InvalidInput(
            _("Write something, up to %(most)d characters.") % {"most": MAX_WORDS}
        )
    report = _report(report_id)
    if kind == "link":
        return add_targets(report_id, [TargetGiven(url=words.strip())], by=by)
    known = list(report.targets.all())
    fresh = named_in(
        words,
        report.platform_id,
        [each.named_as for each in known],
        [Found(each.item_id, each.actor_id, each.conversation_id) for each in known],
    )
    with transaction.atomic():
        told = {"report": report, "kind": kind, "words": words.strip()}
        _added, is_new = Addition.objects.get_or_create(
            id=addition_id or uuid7(), defaults={**told, "added_at": clock.now()}
        )
        if not is_new:
            return
        if fresh:
            _add_later(report, fresh, by)
        emit(
            Kind.REPORTER_WROTE,
            about={"platform": report.platform_id, "report": report.id},
            facts={"what": kind},
            by=by,
        )


@again_after_deadlock
def add_fingerprint(
    report_id: UUID, given: FingerprintGiven, *, tells: bool = True, by: By
) -> None:
    """The reporter has the picture itself, and gives its fingerprint later.

    It is one more thing that the report is about. The same one again changes nothing
    but that it is watched for from now on, if that is asked. ``tells``: whether they
    may be told what it found, as for ``ReportGiven``.
    """
    by.require(Permission.REPORT_FOLLOW)
    with transaction.atomic():
        report = Report.objects.select_for_update(no_key=True).get(
            id=_report(report_id).id
        )
        known = report.targets.filter(named_as=given.named_as).first()
        if known is not None and (known.watched or not given.watch):
            return
        if known is None and report.targets.count() >= MAX_TARGETS:
            raise InvalidInput(
                _("One report holds up to %(most)d things.") % {"most": MAX_TARGETS}
            )
        Target.objects.create(
            report=report,
            position=report.targets.count(),
            named_as=given.named_as,
            **picture_columns(given, tells=tells),
        )
        tell_extended(report, "fingerprint", by=by)


@again_after_deadlock
def add_targets(report_id: UUID, targets: Sequence[TargetGiven], *, by: By) -> None:
    """More things that a report is about, found and frozen as the first ones were.

    Raises ``InvalidInput`` when a report would hold more than ``MAX_TARGETS``.
    """
    by.require(Permission.REPORT_FOLLOW)
    report = _report(report_id)
    known = set(report.targets.values_list("named_as", flat=True))
    new = [each for each in targets if each.named_as not in known]
    if len(known) + len(new) > MAX_TARGETS:
        raise InvalidInput(
            _("One report holds up to %(most)d things.") % {"most": MAX_TARGETS}
        )
    new = [each.look_up(report.platform_id) for each in new]
    with transaction.atomic():
        for each in new:
            Addition.objects.create(
                report=report, kind="link", words=each.named_as, added_at=clock.now()
            )
        _add_later(report, new, by)


def _add_later(report: Report, targets: Sequence[TargetGiven], by: By) -> None:
    """What has been looked up becomes part of a report that is in."""
    # Two pages that add at the same moment do not take the same places.
    Report.objects.select_for_update(no_key=True).get(id=report.id)
    located = [each.find(report.platform_id) for each in targets]
    keep_targets(report, targets, located, first=report.targets.count())
    tell_extended(report, "link", by=by, targets=len(targets))


def call_people(report: Report) -> None:
    """Somebody is in danger: the people on call are paged until one answers.

    While nobody has, calling again changes nothing, so that no reporter can flood them.
    """
    if not being_called(report.id):
        about = {"platform": report.platform_id, "report": report.id}
        alarm("report.danger", about=about)


def open_by_codename(words: str) -> UUID:
    """The report of a codename. Slow on purpose, and never locks anybody out.

    Raises ``NotFound`` for words that are not one: the same answer, in the same time,
    whether or not a lookup value exists.
    """
    found = Codename.objects.filter(lookup=codenames.lookup(words)).first()
    kept = found.verifier if found else codenames.nobodys_verifier()
    if not codenames.proves(words, kept) or found is None:
        raise NotFound(_("We could not find a report with these words. Check them."))
    Codename.objects.filter(id=found.id).update(last_used_at=clock.now())
    return found.report_id


def new_codename(report_id: UUID, *, by: By) -> str:
    """Other words for a report, shown this once; those there were open nothing more.

    For whoever was told their words by somebody else, and for a report that came by
    e-mail, whose words are made when it is answered.
    """
    by.require(Permission.REPORT_FOLLOW)
    secret = codenames.new_codename()
    derived = {
        "lookup": codenames.lookup(secret),
        "verifier": codenames.verifier(secret),
        "made_at": clock.now(),
        "last_used_at": None,
    }
    with transaction.atomic():
        Codename.objects.update_or_create(
            report_id=_report(report_id).id, defaults=derived
        )
        emit(Kind.CODENAME_CHANGED, about={"report": report_id}, by=by)
    return secret


def _check(given: ReportGiven) -> list[TargetGiven]:
    policy.category_of(given.category)
    targets = [target for target in given.targets if target.named_as.strip()]
    if not targets and not given.words.strip():
        raise InvalidInput(_("Say where it is or what it is; either is enough."))
    if len(targets) > MAX_TARGETS:
        raise InvalidInput(
            _("One report holds up to %(most)d things.") % {"most": MAX_TARGETS}
        )
    if len(given.words) > MAX_WORDS:
        raise InvalidInput(
            _("The text is longer than %(most)d characters.") % {"most": MAX_WORDS}
        )
    unknown = set(given.claims) - set(CLAIMS)
    if given.channel == Channel.FLAGGER:
        unknown -= {TRUSTED}
    if unknown:
        raise InvalidInput(f"A claim is one of: {', '.join(CLAIMS)}.")
    return targets


def read_words(given: ReportGiven) -> ReportGiven:
    """The report with what its words name on its platform among what it is about.

    All of it is looked up, for which the platform may be asked: whoever files it inside
    a transaction of their own reads the words before that.
    """
    if given.words_are_read:
        return given
    targets = [each.look_up(given.platform_id) for each in given.targets]
    names = [each.named_as for each in targets]
    located = [each.find(given.platform_id) for each in targets]
    said = named_in(given.words, given.platform_id, names, located)
    return replace(given, targets=[*targets, *said], words_are_read=True)


def _report(report_id: UUID) -> Report:
    report = Report.objects.filter(id=report_id).first()
    if report is None:
        raise NotFound(_("There is no such report."))
    return report
