"""Guests: people of another organisation, who sign in here and do not work here.

They have a password and a second factor as staff have, no role, and nothing of the
console: see ``Person.guests``. To which organisation somebody belongs is not known
here. An administrator adds, resets and ends them.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from holdfast.base.by import By, Permission
from holdfast.base.errors import NotFound
from holdfast.base.events import Kind, emit
from holdfast.staff.models import Person
from holdfast.staff.rows import Added, begin_again, new_person


def add_guest(*, email: str, name: str, by: By) -> Added:
    """Add a guest, with a password for the first sign-in alone.

    Raises as ``operations.add_person`` does.
    """
    by.require(Permission.PLATFORM_MANAGE)
    with transaction.atomic():
        return new_person(email, name, (), guest=True, by=by)


def reset_guest(person_id: UUID, *, by: By) -> Added:
    """Give a guest who lost everything a new one-time password, to enrol again."""
    by.require(Permission.PLATFORM_MANAGE)
    with transaction.atomic():
        return begin_again(_locked(person_id), by=by)


def end_guest(person_id: UUID, *, by: By) -> None:
    """End a guest's access at once, with all sessions. Twice changes nothing."""
    by.require(Permission.PLATFORM_MANAGE)
    with transaction.atomic():
        if Person.guests.filter(id=person_id, is_active=True).update(is_active=False):
            emit(
                Kind.GUEST_CHANGED,
                about={"person": person_id},
                facts={"what": "ended"},
                by=by,
            )


def _locked(person_id: UUID) -> Person:
    rows = Person.guests.select_for_update(no_key=True)
    person = rows.filter(id=person_id, is_active=True).first()
    if person is None:
        raise NotFound("There is no such person.", person=person_id)
    return person
