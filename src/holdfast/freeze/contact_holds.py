"""Contact holds: an account that extorts somebody cannot write to them meanwhile.

Extortion in progress often has no post yet, so there is nothing to freeze but the
contact. A hold is asked for by the reporter, reversible, towards them alone, and ends
by policy. It says nothing of guilt: it hides no item, costs the account nothing else,
and the platform is to tell the account nothing of it (promise 15). Who asks through the
portal is not known to be who they say, so one report asks for few, and releases only
what it asked for. It is never refused for what others asked: whoever extorts could ask
first, and in many names. Where many ask about one account people are paged (promise 7).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.deadlock import again_after_deadlock
from holdfast.base.errors import InvalidInput, NotAllowed, NotFound
from holdfast.base.events import Event, Kind, alarm, emit
from holdfast.freeze.models import ContactHold
from holdfast.intake.models import Report
from holdfast.intake.queries import report_of
from holdfast.items.models import Actor
from holdfast.items.queries import actor_named
from holdfast.policy import queries as policies

MAX_NAME = 2083
"""Characters of an account's name or address, as an address may have."""


def hold_when_asked(event: Event) -> None:
    """Step: a platform's report asked for it, and named who reports."""
    report = report_of(event)
    if report.wants_contact_hold and report.reporter_actor is not None:
        _hold(report, report.reporter_actor, reported_actors(report), vouched=True)


@again_after_deadlock
def hold_contact(report_id: UUID, mine: str, theirs: str = "", *, by: By) -> int:
    """Stop who was reported from writing to the reporter; returns how many are held.

    ``mine`` and ``theirs`` are names or addresses of accounts as people know them.
    Without ``theirs``, those that the report is about are held. Raises
    ``InvalidInput`` with what is missing.
    """
    by.require(Permission.REPORT_FOLLOW)
    report = Report.objects.filter(id=report_id).first()
    if report is None:
        raise NotFound("There is no such report.")
    toward = _known(report, mine, _("We do not find your account. Check its name."))
    if theirs.strip():
        unknown = _("We do not find their account. Check it.")
        actors = [_known(report, theirs, unknown)]
    else:
        actors = reported_actors(report)
    if toward.id in {actor.id for actor in actors}:
        raise InvalidInput(_("These are the same account. Give yours, and theirs."))
    if not actors:
        raise InvalidInput(_("Give the name or the address of their account."))
    with transaction.atomic():
        # Two pages that ask at the same moment do not both find room.
        Report.objects.select_for_update(no_key=True).get(id=report.id)
        return _hold(report, toward, actors, vouched=False)


def reported_actors(report: Report) -> list[Actor]:
    """The accounts that a report is about: named, behind an item, in a conversation."""
    named = report.targets.all()
    found = Actor.objects.filter(
        Q(id__in=named.values("actor"))
        | Q(items__in=named.values("item"))
        | Q(items__conversation__in=named.values("conversation"))
    )
    if report.reporter_actor_id is not None:
        found = found.exclude(id=report.reporter_actor_id)
    return list(found.distinct().order_by("id"))


def release_contact(hold_id: UUID, *, by: By) -> None:
    """Let an account write to its reporter again. Twice changes nothing.

    The reporter and staff may say so.
    """
    if Permission.CASE_DECIDE in by.permissions:
        because = "staff"
    elif Permission.REPORT_FOLLOW in by.permissions:
        because = "asked"
    else:
        raise NotAllowed("You are not allowed to do this.", by=str(by))
    _release(ContactHold.objects.filter(id=hold_id), by=by, because=because)


def release_of_report(report_id: UUID, *, by: By) -> None:
    """The reporter says that whoever they reported may write to them again."""
    by.require(Permission.REPORT_FOLLOW)
    held = ContactHold.objects.filter(report=report_id)
    _release(held, by=by, because="asked")


def release_what_was_cleared(event: Event) -> None:
    """Step: people found no violation, so nothing is held any more."""
    if event.facts["outcome"] != "no_violation":
        return
    reports = Report.objects.filter(targets__place__case=event.about["case"])
    held = ContactHold.objects.filter(report__in=reports)
    _release(held, by=SYSTEM, because="decision")


def release_ended() -> None:
    """Tick: what policy gave an end has reached it."""
    ended = ContactHold.objects.filter(ends_at__lte=clock.now())
    _release(ended, by=SYSTEM, because="expired")


def _hold(
    report: Report, toward: Actor, actors: Iterable[Actor], *, vouched: bool
) -> int:
    policy, now = policies.current(), clock.now()
    held = 0
    for actor in _locked(actors, toward):
        about = {"platform": report.platform_id, "actor": actor.id}
        standing = ContactHold.objects.filter(actor=actor, released_at=None)
        if standing.filter(toward=toward, report=report).exists():
            held += 1
            continue
        mine = ContactHold.objects.filter(report=report, released_at=None)
        if not vouched and mine.count() >= policy.contact_holds_at_most:
            alarm("contact.not_held", about=about | {"report": report.id})
            continue
        # A second report of the same two cuts nobody off from one more.
        known = standing.filter(toward=toward).exists()
        others = standing.filter(vouched=False).values("toward").distinct().count()
        if not (vouched or known) and others >= policy.contact_holds_at_most:
            alarm("contact.many_held", about=about)
        hold = ContactHold.objects.create(
            report=report,
            actor=actor,
            toward=toward,
            vouched=vouched,
            held_at=now,
            held_by=report.received_by,
            ends_at=now + timedelta(days=policy.contact_hold_days),
        )
        emit(Kind.CONTACT_HELD, about=_about(hold), by=SYSTEM)
        held += 1
    return held


def _locked(actors: Iterable[Actor], toward: Actor) -> list[Actor]:
    wanted = [actor.id for actor in actors if actor.id != toward.id]
    rows = Actor.objects.select_for_update(no_key=True).filter(id__in=wanted)
    return list(rows.order_by("id"))


@again_after_deadlock
def _release(holds: QuerySet[ContactHold], *, by: By, because: str) -> None:
    with transaction.atomic():
        standing = holds.filter(released_at=None)
        # Accounts before holds, and in the order of their ids, as when they are held.
        actors = Actor.objects.filter(id__in=standing.values("actor"))
        list(actors.select_for_update(no_key=True).order_by("id"))
        for hold in (
            standing.select_for_update(of=("self",), no_key=True)
            .select_related("report")
            .order_by("id")
        ):
            hold.released_at, hold.released_by = clock.now(), str(by)
            hold.because = because
            hold.save(update_fields=["released_at", "released_by", "because"])
            emit(
                Kind.CONTACT_RELEASED,
                about=_about(hold),
                facts={"because": because},
                by=by,
            )


def _known(report: Report, name: str, otherwise: str) -> Actor:
    if not name.strip() or len(name) > MAX_NAME:
        raise InvalidInput(otherwise)
    actor = actor_named(report.platform_id, name)
    if actor is None:
        raise InvalidInput(otherwise)
    return actor


def _about(hold: ContactHold) -> dict[str, UUID]:
    return {
        "platform": hold.report.platform_id,
        "report": hold.report_id,
        "hold": hold.id,
        "actor": hold.actor_id,
    }
