"""Who somebody is and what they may do.

Somebody who has not set up a second factor, or who left, may do nothing: their ``By``
has no permissions, or there is none. Never hands out a password, a secret or a hash of
one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext

from holdfast.base.by import By, Permission
from holdfast.base.errors import NotAllowed, NotFound
from holdfast.staff.models import Person, RecoveryCode
from holdfast.staff.rules import GUEST_PERMISSIONS, permissions_of

GUEST = "guest"
"""The kind of a ``By`` who signs in for another organisation."""


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
    languages: tuple[str, ...]
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
        raise NotAllowed(gettext("Please sign in."))
    return _by(person)


def by_of_session(person_id: UUID | str, session_hash: str) -> By:
    """Like :func:`by_of` for a session; a session from before a new password ends.

    ``session_hash`` is what ``sign_in`` (or ``change_password``) answered.
    """
    person = Person.objects.filter(id=person_id, is_active=True).first()
    if person is None or not constant_time_compare(
        person.get_session_auth_hash(), session_hash
    ):
        raise NotAllowed(gettext("Please sign in."))
    return _by(person)


def by_of_guest(person_id: UUID | str) -> By:
    """A guest, with what guests may do once they have two factors. Else as
    :func:`by_of`."""
    person = Person.guests.filter(id=person_id, is_active=True).first()
    if person is None:
        raise NotAllowed(gettext("Please sign in."))
    return _by(person)


def by_of_guest_session(person_id: UUID | str, session_hash: str) -> By:
    """Like :func:`by_of_session`, for guests and nobody else."""
    person = Person.guests.filter(id=person_id, is_active=True).first()
    if person is None or not constant_time_compare(
        person.get_session_auth_hash(), session_hash
    ):
        raise NotAllowed(gettext("Please sign in."))
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


def guest_of(by: By) -> UUID:
    """The guest behind a ``By``; raises ``NotAllowed`` for anybody else."""
    if by.kind != GUEST:
        raise NotAllowed("Only a guest can do this.", by=str(by))
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


def guests(ids: Collection[UUID], by: By) -> list[PersonLine]:
    """Guests of these ids, by name."""
    by.require(Permission.PLATFORM_MANAGE)
    rows = Person.guests.filter(id__in=ids).order_by("name", "id")
    return [_line(person, 0) for person in rows]


def myself(by: By) -> PersonLine:
    """What the one who asks may see about themself."""
    person = (
        Person.guests.get(id=guest_of(by))
        if by.kind == GUEST
        else Person.objects.get(id=person_of(by))
    )
    left = RecoveryCode.objects.filter(person=person, used_at=None).count()
    return _line(person, left)


def languages_read() -> frozenset[str]:
    """Every language that somebody who works on cases says they read."""
    rows = Person.objects.filter(is_active=True).values_list("roles", "languages")
    return frozenset(
        tag
        for roles, tags in rows
        if Permission.CASE_CLAIM in permissions_of(roles)
        for tag in tags
    )


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
        languages=tuple(person.languages),
        locked_until=person.locked_until,
        recovery_codes_left=recovery_codes_left,
        added_at=person.added_at,
    )


def _by(person: Person) -> By:
    allowed = GUEST_PERMISSIONS if person.is_guest else permissions_of(person.roles)
    return By(
        GUEST if person.is_guest else "staff",
        str(person.id),
        allowed if person.totp_secret else frozenset(),
    )
