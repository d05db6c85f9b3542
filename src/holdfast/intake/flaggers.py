"""Trusted flaggers and hotlines: organisations that report with an account.

An account has a key for the API, people who sign in (``flagger_people``), a scope (the
categories it is expert in), the public list that names it, and a day by which that list
has to be looked up again. Within its scope, until that day and while it is not
suspended, its reports have weight and go first (DSA Article 22(1)); outside of it they
are everybody's. A hotline without a listing has no priority, and sends files all the
same. Suspending an account, or forgetting to renew it, ends its priority and never its
voice: a report is not refused. Only a person ends an account, with a reason.

Each report has the organisation's own reference, so that a file can be sent again from
its beginning and nothing is reported twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.deadlock import again_after_deadlock
from holdfast.base.errors import InvalidInput, NotFound, Refused
from holdfast.base.events import Event, Kind, alarm, emit
from holdfast.intake import references
from holdfast.intake.flag_files import Fault
from holdfast.intake.models import Channel, Flag, Flagger
from holdfast.intake.operations import (
    TRUSTED,
    ReportGiven,
    TargetGiven,
    receive_report,
)
from holdfast.intake.references import Flagged as Flagged
from holdfast.intake.references import FlagGiven as FlagGiven
from holdfast.intake.targets import named_in
from holdfast.items.keys import authenticate, create_key, revoke_key
from holdfast.policy import queries as policies
from holdfast.staff.guests import end_guest

MIN_WHY = 10  # characters of a written reason.
MAX_REFERENCE = 200  # characters; the width of the column.
LONGEST_LISTED = timedelta(days=366)
"""A listing is looked up again after a year at the latest."""
FAULTS: Final[Mapping[Fault, str | Promise]] = {
    Fault.NO_OBJECT: gettext_lazy("The line is no JSON object."),
    Fault.QUOTE: gettext_lazy(
        "A quotation mark in this line is not closed, or stands in the wrong place."
    ),
    Fault.LONG: gettext_lazy("The line is too long."),
    Fault.SPACE: gettext_lazy(
        "An address has a space in it. Write %20 for the space, and a space only "
        "between two addresses."
    ),
    Fault.UNFIT: gettext_lazy(
        "This address is too long, or holds what no address does."
    ),
    Fault.MANY: gettext_lazy(
        "There are more addresses in this line than one report holds."
    ),
}
"""What is wrong with a line of a file, or with an address of one, in words."""
EXPIRED = "flagger.listing_expired"
"""The alarm for a listing that nobody has looked up again in time."""


@dataclass(frozen=True)
class FlaggerGiven:
    """What is said of an organisation when it gets an account."""

    platform_id: UUID
    name: str
    contact: str
    scope: Sequence[str] = ()
    """Categories it is expert in."""
    listed_as: str = ""
    """Where a public list names it, such as its address in the Commission's list."""
    listed_until: datetime | None = None
    """When that is to be looked up again; needed with a scope."""


def add_flagger(given: FlaggerGiven, *, by: By) -> str:
    """Open an account; returns its key, this once.

    Raises ``InvalidInput`` for a scope without a public listing, or the reverse:
    priority rests on both (DSA Article 22(2) and (5)).
    """
    by.require(Permission.PLATFORM_MANAGE)
    if not given.name.strip() or not given.contact.strip():
        raise InvalidInput("Give the organisation's name and how to reach it.")
    listing = _listing(given.scope, given.listed_as, given.listed_until)
    with transaction.atomic():
        token = create_key(
            given.platform_id, given.name[:120], (Permission.REPORTS_FLAG,), by=by
        )
        flagger = Flagger.objects.create(
            platform_id=given.platform_id,
            name=given.name.strip(),
            contact=given.contact.strip(),
            **listing,
            key_id=authenticate(token).key_id,
            added_at=clock.now(),
        )
        emit(
            Kind.FLAGGER_ADDED,
            about={"platform": given.platform_id, "flagger": flagger.id},
            facts={"scope": flagger.scope, "listed": bool(flagger.listed_as)},
            by=by,
        )
    return token


def renew(
    flagger_id: UUID,
    scope: Sequence[str],
    listed_as: str,
    listed_until: datetime | None,
    *,
    by: By,
) -> None:
    """What the public list says of it now: the scope, where, and until when that holds.

    Raises as :func:`add_flagger` does. Reports that were sent keep what they had.
    """
    by.require(Permission.PLATFORM_MANAGE)
    listing = _listing(scope, listed_as, listed_until)
    with transaction.atomic():
        flagger = _open(flagger_id)
        Flagger.objects.filter(id=flagger.id).update(**listing)
        emit(
            Kind.FLAGGER_CHANGED,
            about={"flagger": flagger.id},
            facts={"what": "renewed", "scope": listing["scope"]},
            by=by,
        )


def end(flagger_id: UUID, why: str, *, by: By) -> None:
    """Close an account for good: its key and its people open nothing from now on.

    What it reported stays, is decided, and runs on its clocks. Twice changes nothing.
    """
    by.require(Permission.PLATFORM_MANAGE)
    if len(why.strip()) < MIN_WHY:
        raise InvalidInput("Write why, in a sentence.")
    with transaction.atomic():
        flagger = _flagger(flagger_id)
        rows = Flagger.objects.filter(id=flagger.id, ended_at=None)
        if rows.update(ended_at=clock.now(), ended_why=why.strip()):
            revoke_key(flagger.key_id, by=by)
            for person in flagger.people.values_list("person", flat=True):
                end_guest(person, by=by)
            emit(
                Kind.FLAGGER_CHANGED,
                about={"flagger": flagger.id},
                facts={"what": "ended"},
                by=by,
            )


def suspend(flagger_id: UUID, why: str, *, by: By) -> None:
    """End an account's priority, with a written reason; its reports are still taken.

    Twice changes nothing. The authority that gave the status is told by people.
    """
    by.require(Permission.PLATFORM_MANAGE)
    if len(why.strip()) < MIN_WHY:
        raise InvalidInput("Write why, in a sentence.")
    _change(flagger_id, "suspended", clock.now(), why.strip(), by)


def resume(flagger_id: UUID, *, by: By) -> None:
    """Give an account its priority back. Twice changes nothing."""
    by.require(Permission.PLATFORM_MANAGE)
    _change(flagger_id, "resumed", None, "", by)


def flagger_of_key(key_id: UUID) -> UUID:
    """Whose key this is. Raises ``NotFound``."""
    found = Flagger.objects.filter(key=key_id).first()
    if found is None or found.ended_at is not None:
        raise NotFound("This key belongs to no flagger.", key=key_id)
    return found.id


def flag(flagger_id: UUID, given: FlagGiven, *, by: By) -> Flagged:
    """Take in one report of an organisation; the same again is the same report.

    A line of which some addresses could not be used may come again corrected: see
    ``references``. Raises ``InvalidInput`` for what makes no report, and
    ``ReferenceUsedOtherwise``.
    """
    by.require(Permission.REPORTS_FLAG)
    if given.not_taken and not (given.urls or given.words.strip()):
        raise InvalidInput(given.not_taken[0].why)
    flagger = _flagger(flagger_id)
    reference = given.reference.strip()
    if not reference or len(reference) > MAX_REFERENCE:
        raise InvalidInput(
            _("A reference has 1 to %(most)d characters.") % {"most": MAX_REFERENCE}
        )
    before = references.known(flagger.id, reference, given)
    if before is not None and not before.added:
        return before
    # Addresses are looked up before the transaction: the platform may be asked.
    targets = [_target(flagger.platform_id, each) for each in given.urls]
    if before is None:
        located = [each.find(flagger.platform_id) for each in targets]
        said = named_in(given.words, flagger.platform_id, given.urls, located)
        try:
            return _file(flagger, reference, given, [*targets, *said], str(by))
        except IntegrityError:
            # The same line came at this moment by another way, and was committed first.
            if references.known(flagger.id, reference, given) is None:
                raise
    return references.corrected(flagger.id, reference, given, targets)


@again_after_deadlock
def _file(
    flagger: Flagger,
    reference: str,
    given: FlagGiven,
    targets: list[TargetGiven],
    sent_by: str,
) -> Flagged:
    priority = has_priority(flagger, given.category)
    with transaction.atomic():
        received = receive_report(
            ReportGiven(
                platform_id=flagger.platform_id,
                channel=Channel.FLAGGER,
                category=given.category,
                targets=targets,
                words=given.words,
                words_are_read=True,
                language=given.language,
                claims=(TRUSTED if priority else "professional",),
                not_taken=given.not_taken,
            ),
            by=By("flagger", str(flagger.id), frozenset({Permission.REPORT_FILE})),
        )
        Flag.objects.create(
            flagger=flagger,
            reference=reference,
            report_id=received.report_id,
            **given.hashes(),
            had_priority=priority,
            sent_by=sent_by,
        )
    return Flagged(received.report_id, received.number, reference, priority, True)


def has_priority(flagger: Flagger, category: str) -> bool:
    """Within its scope, while its listing holds and it is not suspended."""
    return is_trusted(flagger) and category in flagger.scope


def is_trusted(flagger: Flagger) -> bool:
    """Whether a public list that was looked up names it, and nobody suspended it."""
    until = flagger.listed_until
    return (
        bool(flagger.listed_as)
        and flagger.ended_at is None
        and flagger.suspended_at is None
        and until is not None
        and clock.now() < until
    )


def watch_listings() -> None:
    """Tick: tell staff of each listing that has to be looked up again.

    Until somebody does, the account goes on without priority.
    """
    due = Flagger.objects.filter(
        ended_at=None, suspended_at=None, listed_until__lte=clock.now()
    )
    told = Event.objects.filter(kind=Kind.ALARM_RAISED, facts__code=EXPIRED)
    for flagger in due:
        # Told once for each time that it was looked up.
        if not told.filter(
            about__flagger=str(flagger.id), at__gte=flagger.listed_until
        ).exists():
            alarm(EXPIRED, about={"flagger": flagger.id})


def _listing(
    scope: Sequence[str], listed_as: str, listed_until: datetime | None
) -> dict[str, Any]:
    known = {each.code for each in policies.current().categories}
    if set(scope) - known:
        raise InvalidInput("The scope is made of categories of the policy in force.")
    if bool(scope) != bool(listed_as.strip()):
        raise InvalidInput(
            "Priority takes both a scope and the public list that names them. Without "
            "either it is a hotline, whose reports are like everybody's."
        )
    if not scope:
        return {"scope": [], "listed_as": "", "listed_until": None}
    now = clock.now()
    if listed_until is None or not now < listed_until <= now + LONGEST_LISTED:
        raise InvalidInput(
            "Say by which day the list is to be looked up again: within a year."
        )
    return {
        "scope": sorted(set(scope)),
        "listed_as": listed_as.strip(),
        "listed_until": listed_until,
    }


def _target(platform_id: UUID, url: str) -> TargetGiven:
    return TargetGiven(url=url).look_up(platform_id)


def _flagger(flagger_id: UUID) -> Flagger:
    found = Flagger.objects.filter(id=flagger_id).first()
    if found is None:
        raise NotFound("There is no such flagger.", flagger=flagger_id)
    return found


def _open(flagger_id: UUID) -> Flagger:
    flagger = _flagger(flagger_id)
    if flagger.ended_at is not None:
        raise Refused("This account has ended. Open a new one.", flagger=flagger_id)
    return flagger


def _change(flagger_id: UUID, what: str, at: object, why: str, by: By) -> None:
    with transaction.atomic():
        rows = Flagger.objects.filter(id=_open(flagger_id).id)
        changed = rows.filter(suspended_at__isnull=at is not None)
        if changed.update(suspended_at=at, suspended_why=why):
            emit(
                Kind.FLAGGER_CHANGED,
                about={"flagger": flagger_id},
                facts={"what": what},
                by=by,
            )
