"""The people of a flagger: who they are, and what they do on their page.

They are guests (``staff.guests``): a password and a second factor, and no permission of
the console. Each sees what their own organisation sent and nothing else; another's
report is answered like one that there is not.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.deadlock import again_after_deadlock
from holdfast.base.errors import InvalidInput, NotAllowed, NotFound, Refused
from holdfast.base.events import Kind, emit
from holdfast.base.ids import read_number
from holdfast.intake.flaggers import MIN_WHY
from holdfast.intake.models import Addition, Flag, Flagger, FlaggerPerson
from holdfast.intake.once import add_once
from holdfast.intake.operations import MAX_WORDS
from holdfast.staff.guests import add_guest, end_guest, reset_guest
from holdfast.staff.queries import GUEST, guest_of
from holdfast.staff.rows import Added


def add_person(flagger_id: UUID, *, email: str, name: str, by: By) -> Added:
    """Somebody of this organisation, with a password for the first sign-in alone."""
    by.require(Permission.PLATFORM_MANAGE)
    with transaction.atomic():
        flagger = Flagger.objects.filter(id=flagger_id).first()
        if flagger is None:
            raise NotFound("There is no such flagger.", flagger=flagger_id)
        if flagger.ended_at is not None:
            raise Refused("This account has ended. Open a new one.")
        added = add_guest(email=email, name=name, by=by)
        FlaggerPerson.objects.create(flagger=flagger, person_id=added.person_id)
        emit(
            Kind.FLAGGER_CHANGED,
            about={"flagger": flagger.id, "person": added.person_id},
            facts={"what": "person_added"},
            by=by,
        )
    return added


def reset_person(flagger_id: UUID, person_id: UUID, *, by: By) -> Added:
    """A new one-time password for one of its people, who lost what they had."""
    by.require(Permission.PLATFORM_MANAGE)
    _of(flagger_id, person_id)
    return reset_guest(person_id, by=by)


def end_person(flagger_id: UUID, person_id: UUID, *, by: By) -> None:
    """End the access of one of its people at once. Twice changes nothing."""
    by.require(Permission.PLATFORM_MANAGE)
    _of(flagger_id, person_id)
    end_guest(person_id, by=by)


def flagger_of(by: By) -> UUID:
    """For whom a guest works. Raises ``NotAllowed`` once that account has ended."""
    found = FlaggerPerson.objects.filter(
        person=guest_of(by), person__is_active=True, flagger__ended_at=None
    ).first()
    if found is None:
        raise NotAllowed(_("Please sign in."), by=str(by))
    return found.flagger_id


def report_of_number(number: str, *, by: By) -> UUID:
    """A report that this guest's organisation sent. Raises ``NotFound`` for others."""
    return _flag(number, by).report_id


@again_after_deadlock
def add(number: str, kind: str, words: str, pressed: str = "", *, by: By) -> None:
    """Add words or a link to one of its own reports; see ``add_once``."""
    add_once(_flag(number, by).report_id, kind, words, pressed, by=following(by))


@again_after_deadlock
def withdraw(number: str, why: str, *, by: By) -> None:
    """Say that one of its own reports was wrong. Twice changes nothing.

    It thaws nothing and closes nothing: whoever holds an account could be made to take
    reports back. The people who decide see it, and the account is measured by what they
    decide, as ever.
    """
    flag = _flag(number, by)
    if not MIN_WHY <= len(why.strip()) <= MAX_WORDS:
        raise InvalidInput(_("Write why, in a sentence."))
    with transaction.atomic():
        rows = Flag.objects.filter(id=flag.id, withdrawn_at=None)
        if not rows.update(withdrawn_at=clock.now()):
            return
        Addition.objects.create(
            report_id=flag.report_id,
            kind="withdrawal",
            words=why.strip(),
            added_at=clock.now(),
        )
        emit(
            Kind.REPORTER_WROTE,
            about={"platform": flag.flagger.platform_id, "report": flag.report_id},
            facts={"what": "withdrawal"},
            by=by,
        )


def _flag(number: str, by: By) -> Flag:
    by.require(Permission.REPORTS_FLAG)
    own = Flag.objects.select_related("flagger").filter(flagger=flagger_of(by))
    found = own.filter(report__number=read_number(number)).first()
    if found is None:
        raise NotFound(_("There is no such report."))
    return found


def following(by: By) -> By:
    """The same guest, on a report that has been found to be their organisation's."""
    return By(GUEST, by.id, frozenset({Permission.REPORT_FOLLOW}))


def _of(flagger_id: UUID, person_id: UUID) -> None:
    if not FlaggerPerson.objects.filter(flagger=flagger_id, person=person_id).exists():
        raise NotFound("There is no such person.", person=person_id)
