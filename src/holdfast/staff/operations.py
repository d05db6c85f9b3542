"""People come, sign in, change what they know, and leave.

A sign-in needs the password and a code that has not been used. Every refused sign-in
reads the same and takes the same time, whatever was wrong. Nothing here logs an e-mail
address, a name, a password or a code, and nobody is locked out for ever: a pause ends
by itself, and a recovery code gets through it.

Rules: RFC 6238 (TOTP), NIST SP 800-63B section 5 (throttling, one-time use).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

import pyotp
from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission, anyone
from holdfast.base.errors import (
    HoldfastError,
    InvalidInput,
    NotAllowed,
    Refused,
)
from holdfast.base.events import Kind, emit
from holdfast.staff.models import Person
from holdfast.staff.queries import GUEST, person_of
from holdfast.staff.rows import (
    MAX_PASSWORD_CHARS,
    ONE_TIME_PASSWORD_CHARS,
    address_of,
    begin_again,
    known_roles,
    new_person,
    one_at_a_time,
    own_row,
    person_row,
    set_password,
    tell,
)
from holdfast.staff.rows import Added as Added
from holdfast.staff.rules import Role, is_language_tag, pause_after
from holdfast.staff.second_factor import (
    is_device_code,
    keep_secret,
    new_recovery_codes,
    paused,
    random_text,
    step_of,
    use_second_factor,
)

ISSUER = "Holdfast"
ENROLMENT_VALID_S = 900
"""How long a second factor that was started can be confirmed; seconds."""
NOT_SIGNED_IN = _(
    "This did not work. Check the e-mail address, the password and the code. After"
    " several tries, wait a quarter of an hour or use a recovery code."
)
NOT_HERE = (
    "The colleague's address and code do not fit. A code works once: after signing in,"
    " wait for the next one."
)


@dataclass(frozen=True)
class SignedIn:
    """A sign-in that worked. With ``must_enrol`` nothing is allowed but enrolment."""

    person_id: UUID
    session_hash: str
    must_enrol: bool


@dataclass(frozen=True)
class Enrolment:
    """A second factor that waits to be confirmed.

    ``otpauth_uri`` is for the QR picture, ``secret`` for typing; ``token`` goes back to
    :func:`confirm_enrolment` and is encrypted, so a page can carry it.
    """

    otpauth_uri: str
    secret: str
    token: str
    valid_until: datetime


@dataclass(frozen=True)
class Enrolled:
    """A second factor that works. The recovery codes are here and nowhere else."""

    recovery_codes: tuple[str, ...]
    session_hash: str


def create_first_administrator(
    *, email: str, name: str, password: str | None = None
) -> Added:
    """Make the administrator of a new installation, when nobody works here yet.

    Nobody can allow this, so it is allowed once: raises ``Refused`` from then on.
    """
    with transaction.atomic():
        one_at_a_time()
        if Person.objects.exists():
            raise Refused("Somebody works here already. An administrator adds people.")
        return new_person(email, name, [Role.ADMINISTRATOR], password, by=SYSTEM)


def add_person(
    *,
    email: str,
    name: str,
    roles: Sequence[str],
    password: str | None = None,
    by: By,
) -> Added:
    """Add a member of staff, with a password for the first sign-in alone.

    The password (made here unless given) is replaced at enrolment. Raises
    ``InvalidInput`` for no address, an unknown role or a weak password, and ``Refused``
    for an address that is in use.
    """
    by.require(Permission.STAFF_MANAGE)
    with transaction.atomic():
        one_at_a_time()
        return new_person(email, name, roles, password, by=by)


def sign_in(
    *, email: str, password: str, code: str = "", guest: bool = False
) -> SignedIn:
    """Let somebody in, by password and a code of the second factor.

    ``code`` is six digits, or a recovery code; nothing before enrolment. ``guest``:
    at the door for guests, where nobody of staff is known, as no guest is at theirs.
    Raises ``NotAllowed`` with the same words for every cause.
    """
    known = Person.guests if guest else Person.objects
    person = known.filter(email=address_of(email)).first()
    kept = person.password if person else _nobodys_password()
    # The password is checked before the row is locked: the check takes its time, and
    # a flood of wrong ones must not queue up behind one lock.
    right = len(password) <= MAX_PASSWORD_CHARS and check_password(password, kept)
    with transaction.atomic():
        signed = _let_in(person, kept, right, code) if person else None
        if person is None:
            emit(Kind.SIGN_IN_REFUSED, about={}, by=anyone(_door(guest=guest)))
    # Raised after the commit, so that the wrong try stays counted.
    if signed is None:
        raise NotAllowed(str(NOT_SIGNED_IN))
    return signed


def start_enrolment(*, by: By) -> Enrolment:
    """Begin a second factor for the one who asks. Stores nothing until confirmed.

    Raises ``Refused`` when there is one: an administrator resets it first.
    """
    person = own_row(by)
    _refuse_enrolled(person)
    secret = pyotp.random_base32()
    until = clock.now() + timedelta(seconds=ENROLMENT_VALID_S)
    token = settings.HOLDFAST_KEYS.encrypt_secret(
        json.dumps({"secret": secret, "until": until.isoformat()}),
        bound_to=f"staff-enrolment:{person.id}",
    )
    return _enrolment(person, secret, token, until)


def resume_enrolment(*, token: str, by: By) -> Enrolment:
    """What :func:`start_enrolment` answered, to be shown again after a wrong code.

    Raises ``InvalidInput`` when it is too old, and ``Refused`` when it is done.
    """
    person = own_row(by)
    _refuse_enrolled(person)
    secret, until = _started(token, person)
    return _enrolment(person, secret, token, until)


def confirm_enrolment(*, token: str, code: str, new_password: str, by: By) -> Enrolled:
    """Finish what :func:`start_enrolment` began, and replace the one-time password.

    Raises ``InvalidInput`` for a wrong code, an enrolment that is too old, or a
    password that is weak or the old one.
    """
    with transaction.atomic():
        person = own_row(by, lock=True)
        _refuse_enrolled(person)
        secret, _ = _started(token, person)
        step = step_of(secret, code, last_step=0)
        if step is None:
            raise InvalidInput(
                gettext(
                    "This is not the present code. Check that the clock of your device"
                    " is right, and type the code it shows now."
                )
            )
        set_password(person, new_password)
        keep_secret(person, secret, used_step=step)
        person.save(update_fields=["password", "totp_secret", "totp_last_step"])
        codes = new_recovery_codes(person)
        tell(person, "enrolled", by)
    return Enrolled(codes, person.get_session_auth_hash())


def change_password(*, old_password: str, new_password: str, by: By) -> str:
    """Change one's own password; every other session ends. Answers the session hash.

    Raises ``NotAllowed`` for a wrong old one (which counts as a wrong sign-in) and
    ``InvalidInput`` for a weak new one.
    """
    with transaction.atomic():
        person = own_row(by, lock=True)
        right = not paused(person) and check_password(
            old_password[:MAX_PASSWORD_CHARS], person.password
        )
        if right:
            set_password(person, new_password)
            person.save(update_fields=["password"])
            tell(person, "password", by)
        else:
            _count_wrong_try(person)
    if not right:
        raise NotAllowed(gettext("The old password is not right."), person=person.id)
    return person.get_session_auth_hash()


def confirm_presence(*, email: str, code: str, by: By) -> UUID:
    """That a colleague stands beside the one who asks, by a code of their own device.

    For what takes two people. A recovery code does not serve: it could have been
    written down by anybody. A wrong code counts as a wrong sign-in of the colleague.
    Raises ``Refused`` for oneself and ``NotAllowed``, in the same words, for any code
    that does not fit.
    """
    asking = person_of(by)
    found = Person.objects.filter(email=address_of(email)).first()
    if found is not None and found.id == asking:
        raise Refused("The second person is somebody else.", person=asking)
    with transaction.atomic():
        present = found is not None and _is_here(found.id, code)
    # Raised after the commit, so that the wrong try stays counted.
    if found is None or not present:
        raise NotAllowed(NOT_HERE, person=asking)
    return found.id


def reset_sign_in(*, person_id: UUID, by: By) -> Added:
    """Give somebody who lost everything a new one-time password, to enrol again."""
    by.require(Permission.STAFF_MANAGE)
    _refuse_self(person_id, by)
    with transaction.atomic():
        return begin_again(person_row(person_id, lock=True), by=by)


def give_roles(*, person_id: UUID, roles: Sequence[str], by: By) -> None:
    """Replace somebody's roles. Nobody changes their own; one administrator stays."""
    by.require(Permission.STAFF_MANAGE)
    _refuse_self(person_id, by)
    with transaction.atomic():
        one_at_a_time()
        person = person_row(person_id, lock=True)
        person.roles = known_roles(roles)
        person.save(update_fields=["roles"])
        _refuse_without_administrator()
        tell(person, "roles", by)


def read_languages(*, languages: Sequence[str], by: By) -> None:
    """Say which languages one reads oneself; none: one has not said.

    Raises ``InvalidInput`` for what is no language tag.
    """
    tags = sorted({each.strip().lower() for each in languages if each.strip()})
    if not all(is_language_tag(each) for each in tags):
        raise InvalidInput("Write languages as codes, such as: en, nb, pt-BR.")
    with transaction.atomic():
        person = person_row(person_of(by), lock=True)
        person.languages = tags
        person.save(update_fields=["languages"])
        tell(person, "languages", by)


def deactivate(*, person_id: UUID, by: By) -> None:
    """End somebody's access at once. What they did stays, with their name on it."""
    by.require(Permission.STAFF_MANAGE)
    with transaction.atomic():
        one_at_a_time()
        person = person_row(person_id, lock=True, active=False)
        if not person.is_active:
            return
        person.is_active = False
        person.save(update_fields=["is_active"])
        _refuse_without_administrator()
        tell(person, "deactivated", by)


def _let_in(person: Person, kept: str, right: bool, code: str) -> SignedIn | None:
    person = Person.everybody.select_for_update(no_key=True).get(id=person.id)
    factor = ""
    if right and person.is_active and person.password == kept:
        factor = use_second_factor(person, code)
    if not factor:
        _count_wrong_try(person)
        return None
    person.failed_sign_ins, person.locked_until = 0, None
    person.last_login = clock.now()
    person.save(update_fields=["failed_sign_ins", "locked_until", "last_login"])
    by = By(GUEST if person.is_guest else "staff", str(person.id))
    emit(
        Kind.GUEST_SIGNED_IN if person.is_guest else Kind.STAFF_SIGNED_IN,
        about={"person": person.id},
        facts={"factor": factor},
        by=by,
    )
    return SignedIn(
        person.id, person.get_session_auth_hash(), must_enrol=not person.totp_secret
    )


def _is_here(person_id: UUID, code: str) -> bool:
    person = Person.objects.select_for_update(no_key=True).get(id=person_id)
    enrolled = person.is_active and bool(person.totp_secret)
    # Asked in this order: asking for the factor uses the code up.
    here = (
        enrolled and is_device_code(code) and use_second_factor(person, code) == "totp"
    )
    if not here:
        _count_wrong_try(person)
    return here


def _count_wrong_try(person: Person) -> None:
    already = paused(person)
    if not already:
        person.failed_sign_ins += 1
        pause = pause_after(person.failed_sign_ins)
        person.locked_until = clock.now() + pause if pause else None
        person.save(update_fields=["failed_sign_ins", "locked_until"])
    emit(
        Kind.SIGN_IN_REFUSED,
        about={"person": person.id},
        facts={"paused": already, "failed": person.failed_sign_ins},
        by=anyone(_door(guest=person.is_guest)),
    )


def _enrolment(person: Person, secret: str, token: str, until: datetime) -> Enrolment:
    uri = pyotp.TOTP(secret).provisioning_uri(name=person.email, issuer_name=ISSUER)
    return Enrolment(uri, secret, token, until)


def _started(token: str, person: Person) -> tuple[str, datetime]:
    """The secret of an enrolment that was started, and until when it can be used."""
    try:
        raw = settings.HOLDFAST_KEYS.decrypt_secret(
            token, bound_to=f"staff-enrolment:{person.id}"
        )
    except HoldfastError:
        raise InvalidInput(gettext("Please begin again with a new code.")) from None
    facts = json.loads(raw)
    until = datetime.fromisoformat(facts["until"])
    if clock.now() > until:
        raise InvalidInput(
            gettext("This took too long. Please begin again with a new code.")
        )
    return str(facts["secret"]), until


@cache
def _nobodys_password() -> str:
    """What an unknown address is checked against, so that it takes as long."""
    return make_password(random_text(ONE_TIME_PASSWORD_CHARS))


def _door(*, guest: bool) -> str:
    return "guests" if guest else "console"


def _refuse_enrolled(person: Person) -> None:
    if person.totp_secret:
        raise Refused(
            gettext(
                "You have a second factor. If you lost it, an administrator resets it."
            ),
            person=person.id,
        )


def _refuse_self(person_id: UUID, by: By) -> None:
    if by.kind == "staff" and by.id == str(person_id):
        raise Refused("Another administrator has to do this for you.", person=person_id)


def _refuse_without_administrator() -> None:
    if not Person.objects.filter(
        is_active=True, roles__contains=[Role.ADMINISTRATOR]
    ).exists():
        raise Refused("This is the last administrator. Make another one first.")
