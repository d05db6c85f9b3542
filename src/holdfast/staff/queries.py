"""Who somebody is and what they may do.

Somebody who has not set up a second factor, or who left, may do nothing: their ``By``
has no permissions, or there is none. Never hands out a password, a secret or a hash of
one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.crypto import constant_time_compare

from holdfast.base.by import By, Permission
from holdfast.base.errors import NotAllowed, NotFound
from holdfast.staff.models import Person, RecoveryCode
from holdfast.staff.rules import permissions_of


@dataclass(frozen=True)
class PersonLine:
    """One member of staff as the list of people shows them."""

    id: UUID
    email: str
    name: str
    roles: tuple[str, ...]
    is_active: bool
    enrolled: bool
    on_call: bool
    locked_until: datetime | None
    recovery_codes_left: int
    added_at: datetime


def by_of(person_id: UUID | str) -> By:
    """Who acts, with what their roles allow now. Read it anew for each request.

    Raises ``NotAllowed`` for somebody unknown or deactivated. Before the second factor
    is set up the answer carries no permission at all.
    """
    person = Person.objects.filter(id=person_id, is_active=True).first()
    if person is None:
        raise NotAllowed("Please sign in.")
    return _by(person)


def by_of_session(person_id: UUID | str, session_hash: str) -> By:
    """Like :func:`by_of` for a session; a session from before a new password ends.

    ``session_hash`` is what ``sign_in`` (or ``change_password``) answered.
    """
    person = Person.objects.filter(id=person_id, is_active=True).first()
    if person is None or not constant_time_compare(
        person.get_session_auth_hash(), session_hash
    ):
        raise NotAllowed("Please sign in.")
    return _by(person)


def is_specialist(by: By) -> bool:
    """Whether this person's reading counts as a specialist's (promise 3)."""
    return Permission.CASE_DECIDE_AS_SPECIALIST in by.permissions


def person_of(by: By) -> UUID:
    """The member of staff behind a ``By``; raises ``NotAllowed`` for anybody else.

    What people must do, neither the system nor a platform's key can do.
    """
    if by.kind != "staff":
        raise NotAllowed("Only a member of staff can do this.", by=str(by))
    return UUID(by.id)


def person_name(person_id: UUID, by: By) -> str:
    """What to call somebody on a page for staff."""
    if by.kind != "staff" and by.kind != "system":
        raise NotAllowed("Only a member of staff can see this.", by=str(by))
    person = Person.objects.filter(id=person_id).first()
    if person is None:
        raise NotFound("There is no such person.", person=person_id)
    return person.name


def people(by: By) -> list[PersonLine]:
    """Everybody who works or worked here, by name."""
    by.require(Permission.STAFF_MANAGE)
    unused = RecoveryCode.objects.filter(used_at=None).values_list("person", flat=True)
    left = list(unused)
    return [
        _line(person, left.count(person.id))
        for person in Person.objects.order_by("name", "id")
    ]


def myself(by: By) -> PersonLine:
    """What the one who asks may see about themself."""
    person = Person.objects.get(id=person_of(by))
    left = RecoveryCode.objects.filter(person=person, used_at=None).count()
    return _line(person, left)


def anybody_works_here() -> bool:
    """Whether the first administrator has been made."""
    return Person.objects.exists()


def _line(person: Person, recovery_codes_left: int) -> PersonLine:
    return PersonLine(
        id=person.id,
        email=person.email,
        name=person.name,
        roles=tuple(person.roles),
        is_active=person.is_active,
        enrolled=bool(person.totp_secret),
        on_call=person.on_call,
        locked_until=person.locked_until,
        recovery_codes_left=recovery_codes_left,
        added_at=person.added_at,
    )


def _by(person: Person) -> By:
    allowed = permissions_of(person.roles) if person.totp_secret else frozenset()
    return By("staff", str(person.id), allowed)
