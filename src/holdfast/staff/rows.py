"""Rows of people: made, found, given a password. Whether that may be, callers know.

For ``operations`` and ``guests``, which ask who may. Nothing here logs an e-mail
address, a name or a password.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection
from django.utils.translation import gettext

from holdfast.base import clock
from holdfast.base.by import By
from holdfast.base.errors import InvalidInput, NotFound, Refused
from holdfast.base.events import Kind, emit
from holdfast.staff.models import Person, RecoveryCode
from holdfast.staff.queries import GUEST, guest_of, person_of
from holdfast.staff.rules import Role
from holdfast.staff.second_factor import random_text

ONE_TIME_PASSWORD_CHARS = 20  # 100 random bits in the same alphabet.
MAX_PASSWORD_CHARS = 1024
"""Argon2 reads all of what it is given; more than this is not a password."""


@dataclass(frozen=True)
class Added:
    """A new member of staff. The one-time password is here and nowhere else."""

    person_id: UUID
    one_time_password: str


def begin_again(person: Person, *, by: By) -> Added:
    """A new one-time password for a locked row; whether that may be, callers know."""
    password = random_text(ONE_TIME_PASSWORD_CHARS)
    person.password = make_password(password)
    person.totp_secret, person.totp_last_step = "", 0
    person.failed_sign_ins, person.locked_until = 0, None
    person.save()
    RecoveryCode.objects.filter(person=person).delete()
    tell(person, "reset", by)
    return Added(person.id, password)


def new_person(
    email: str,
    name: str,
    roles: Sequence[str],
    password: str | None = None,
    *,
    guest: bool = False,
    by: By,
) -> Added:
    """A new row with a first password; whether that may be, callers know."""
    address = address_of(email)
    try:
        validate_email(address)
    except ValidationError:
        raise InvalidInput("This is not an e-mail address.") from None
    if not name.strip():
        raise InvalidInput("Give the name that colleagues will see.")
    if Person.everybody.filter(email=address).exists():
        raise Refused("Somebody with this e-mail address has been added already.")
    person = Person(
        email=address,
        name=name.strip(),
        roles=[] if guest else known_roles(roles),
        is_guest=guest,
        added_at=clock.now(),
    )
    first_password = password or random_text(ONE_TIME_PASSWORD_CHARS)
    set_password(person, first_password)
    person.save()
    if guest:
        tell(person, "person_added", by)
    else:
        emit(
            Kind.STAFF_ADDED,
            about={"person": person.id},
            facts={"roles": person.roles},
            by=by,
        )
    return Added(person.id, first_password)


def set_password(person: Person, password: str) -> None:
    """Give a row a password; raises ``InvalidInput`` for a weak one or the old one."""
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages)) from None
    if len(password) > MAX_PASSWORD_CHARS:
        raise InvalidInput(
            gettext("A password has at most %(most)d characters.")
            % {"most": MAX_PASSWORD_CHARS}
        )
    if person.password and check_password(password, person.password):
        raise InvalidInput(
            gettext("Choose a password that is not the one you have now.")
        )
    person.password = make_password(password)


def address_of(email: str) -> str:
    """An e-mail address as it is kept."""
    return email.strip().lower()


def known_roles(roles: Sequence[str]) -> list[str]:
    """Roles, each once; raises ``InvalidInput`` for one that there is not."""
    unknown = [role for role in roles if role not in set(Role)]
    if unknown or not roles:
        raise InvalidInput(f"A role is one or more of: {', '.join(Role)}.")
    return sorted({str(role) for role in roles})


def person_row(person_id: UUID, *, lock: bool = False, active: bool = True) -> Person:
    """A member of staff; raises ``NotFound``, as it does for a guest."""
    rows = (
        Person.objects.select_for_update(no_key=True) if lock else Person.objects.all()
    )
    person = rows.filter(id=person_id).first()
    if person is None or (active and not person.is_active):
        raise NotFound("There is no such person.", person=person_id)
    return person


def own_row(by: By, *, lock: bool = False) -> Person:
    """The one who asks: a member of staff, or a guest, for what both do alike."""
    if by.kind != GUEST:
        return person_row(person_of(by), lock=lock)
    rows = Person.guests.select_for_update(no_key=True) if lock else Person.guests.all()
    person = rows.filter(id=guest_of(by), is_active=True).first()
    if person is None:
        raise NotFound("There is no such person.", person=by.id)
    return person


def one_at_a_time() -> None:
    """Changes to who works here wait for each other until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('holdfast.staff'))")


def tell(person: Person, what: str, by: By) -> None:
    """Write down that somebody, or what they sign in with, was changed."""
    kind = Kind.GUEST_CHANGED if person.is_guest else Kind.STAFF_CHANGED
    emit(kind, about={"person": person.id}, facts={"what": what}, by=by)
