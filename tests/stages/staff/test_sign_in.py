"""Signing in, for real: PostgreSQL, Argon2, TOTP."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from uuid import UUID

import pyotp
import pytest
from django.db import connection

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import HoldfastError, InvalidInput, NotAllowed, Refused
from holdfast.base.models import Event
from holdfast.staff import operations as staff
from holdfast.staff.models import Person, RecoveryCode
from holdfast.staff.queries import (
    by_of,
    by_of_session,
    is_specialist,
    people,
    person_of,
)

ADMIN = By("staff", "0" * 32, frozenset({Permission.STAFF_MANAGE}))
EMAIL = "ada@example.org"
PASSWORD = "seven quiet herons 41"

pytestmark = pytest.mark.django_db


def added(email: str = EMAIL, roles: tuple[str, ...] = ("reviewer",)) -> staff.Added:
    return staff.add_person(email=email, name="Ada", roles=roles, by=ADMIN)


def enrolled(
    email: str = EMAIL, roles: tuple[str, ...] = ("reviewer",)
) -> tuple[UUID, str, tuple[str, ...]]:
    """Somebody who has signed in once and set up the second factor."""
    person = added(email, roles)
    first = staff.sign_in(email=email, password=person.one_time_password)
    assert first.must_enrol
    by = by_of(first.person_id)
    start = staff.start_enrolment(by=by)
    result = staff.confirm_enrolment(
        token=start.token, code=code_of(start.secret), new_password=PASSWORD, by=by
    )
    return person.person_id, start.secret, result.recovery_codes


def code_of(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(clock.now(), counter_offset=steps)


def test_the_first_administrator_is_made_once() -> None:
    first = staff.create_first_administrator(email="Root@Example.org", name="Root")
    assert Person.objects.get().email == "root@example.org"
    with pytest.raises(Refused):
        staff.create_first_administrator(email="b@example.org", name="B")
    assert not by_of(first.person_id).permissions


def test_nothing_is_allowed_before_the_second_factor() -> None:
    person = added(roles=("reviewer", "specialist"))
    assert by_of(person.person_id).permissions == frozenset()
    person_id, _, _ = enrolled("b@example.org", ("reviewer", "specialist"))
    by = by_of(person_id)
    by.require(Permission.CASE_DECIDE)
    assert is_specialist(by)
    assert person_of(by) == person_id


def test_password_and_code_let_in() -> None:
    person_id, secret, _ = enrolled()
    signed = staff.sign_in(
        email=" ADA@example.org ", password=PASSWORD, code=code_of(secret, 1)
    )
    assert signed.person_id == person_id
    assert not signed.must_enrol
    by_of_session(person_id, signed.session_hash)
    kinds = Event.objects.order_by("id").values_list("kind", flat=True)
    assert list(kinds)[-1] == "staff.signed_in"


def test_the_one_time_password_ends_with_enrolment() -> None:
    person = added()
    first = staff.sign_in(email=EMAIL, password=person.one_time_password)
    by = by_of(first.person_id)
    start = staff.start_enrolment(by=by)
    with pytest.raises(InvalidInput, match="not the one"):
        staff.confirm_enrolment(
            token=start.token,
            code=code_of(start.secret),
            new_password=person.one_time_password,
            by=by,
        )
    staff.confirm_enrolment(
        token=start.token, code=code_of(start.secret), new_password=PASSWORD, by=by
    )
    with pytest.raises(NotAllowed):
        staff.sign_in(email=EMAIL, password=person.one_time_password)
    with pytest.raises(NotAllowed):
        by_of_session(person.person_id, first.session_hash)


@pytest.mark.parametrize(
    "cause", ["unknown", "password", "code", "no code", "inactive", "huge"]
)
def test_every_refusal_reads_the_same(cause: str) -> None:
    person_id, secret, _ = enrolled()
    given = {"email": EMAIL, "password": PASSWORD, "code": code_of(secret, 1)}
    if cause == "unknown":
        given["email"] = "nobody@example.org"
    elif cause == "password":
        given["password"] = "another long password"
    elif cause == "code":
        given["code"] = "000000" if given["code"] != "000000" else "111111"
    elif cause == "no code":
        given["code"] = ""
    elif cause == "huge":
        given["password"] = "x" * 2_000_000
    else:
        Person.objects.filter(id=person_id).update(is_active=False)
    with pytest.raises(NotAllowed) as refused:
        staff.sign_in(
            email=given["email"], password=given["password"], code=given["code"]
        )
    assert refused.value.message == str(staff.NOT_SIGNED_IN)
    assert not refused.value.details
    last = Event.objects.order_by("-id")[0]
    assert last.kind == "staff.sign_in_refused"
    assert "@" not in f"{last.about}{last.facts}{last.by}"


@pytest.mark.usefixtures("real_hashes")
def test_an_unknown_address_takes_as_long_as_a_known_one() -> None:
    enrolled()

    def took(email: str) -> float:
        # Of the processor: other programs on this machine take none of it.
        start = time.process_time()
        with pytest.raises(NotAllowed):
            staff.sign_in(email=email, password="not the password at all")
        return time.process_time() - start

    took("warm@example.org")
    unknown = min(took("nobody@example.org") for _ in range(3))
    known = min(took(EMAIL) for _ in range(3))
    # An Argon2 check takes tens of milliseconds; without it, it would be under five.
    assert unknown > known / 3


def test_a_code_works_once() -> None:
    _, secret, _ = enrolled()
    code = code_of(secret, 1)
    staff.sign_in(email=EMAIL, password=PASSWORD, code=code)
    with pytest.raises(NotAllowed):
        staff.sign_in(email=EMAIL, password=PASSWORD, code=code)


def test_a_wrong_password_does_not_use_the_code_up() -> None:
    _, secret, _ = enrolled()
    code = code_of(secret, 1)
    with pytest.raises(NotAllowed):
        staff.sign_in(email=EMAIL, password="wrong", code=code)
    staff.sign_in(email=EMAIL, password=PASSWORD, code=code)


def test_wrong_tries_pause_the_account_and_the_pause_ends() -> None:
    person_id, secret, _ = enrolled()
    for _ in range(5):
        with pytest.raises(NotAllowed):
            staff.sign_in(email=EMAIL, password="wrong")
    with pytest.raises(NotAllowed):
        staff.sign_in(email=EMAIL, password=PASSWORD, code=code_of(secret, 1))
    # What is tried during the pause does not make it longer.
    until = Person.objects.get(id=person_id).locked_until
    with pytest.raises(NotAllowed):
        staff.sign_in(email=EMAIL, password="wrong")
    assert Person.objects.get(id=person_id).locked_until == until
    with clock.shifted(timedelta(seconds=31)):
        staff.sign_in(email=EMAIL, password=PASSWORD, code=code_of(secret, 1))
    assert Person.objects.get(id=person_id).failed_sign_ins == 0


def test_a_recovery_code_gets_through_a_pause_once() -> None:
    _, _, codes = enrolled()
    assert len(set(codes)) == 8
    for _ in range(6):
        with pytest.raises(NotAllowed):
            staff.sign_in(email=EMAIL, password="wrong", code=codes[0])
    staff.sign_in(email=EMAIL, password=PASSWORD, code=codes[0].lower())
    with pytest.raises(NotAllowed):
        staff.sign_in(email=EMAIL, password=PASSWORD, code=codes[0])
    assert RecoveryCode.objects.exclude(used_at=None).count() == 1


def test_somebody_elses_recovery_code_is_none() -> None:
    _, _, codes = enrolled()
    enrolled("b@example.org")
    with pytest.raises(NotAllowed):
        staff.sign_in(email="b@example.org", password=PASSWORD, code=codes[0])


def test_secrets_are_not_in_the_rows() -> None:
    person_id, secret, codes = enrolled()
    person = Person.objects.get(id=person_id)
    assert secret not in person.totp_secret
    assert PASSWORD not in person.password
    hashes = " ".join(RecoveryCode.objects.values_list("code_hash", flat=True))
    assert not any(code.replace("-", "") in hashes for code in codes)
    # A secret that is copied into another row does not open there.
    other_id, _, _ = enrolled("b@example.org")
    Person.objects.filter(id=other_id).update(totp_secret=person.totp_secret)
    with pytest.raises(HoldfastError):
        staff.sign_in(email="b@example.org", password=PASSWORD, code=code_of(secret, 1))


def test_enrolment_cannot_be_lent_delayed_or_repeated() -> None:
    person, other = added(), added("b@example.org")
    by = By("staff", str(person.person_id))
    start = staff.start_enrolment(by=by)
    good = {"token": start.token, "new_password": PASSWORD}
    with pytest.raises(InvalidInput):
        staff.confirm_enrolment(
            **good, code=code_of(start.secret), by=By("staff", str(other.person_id))
        )
    with pytest.raises(InvalidInput, match="present code"):
        staff.confirm_enrolment(**good, code=code_of(start.secret, 9), by=by)
    with clock.shifted(timedelta(minutes=16)), pytest.raises(InvalidInput):
        staff.confirm_enrolment(**good, code=code_of(start.secret), by=by)
    staff.confirm_enrolment(**good, code=code_of(start.secret), by=by)
    with pytest.raises(Refused):
        staff.start_enrolment(by=by)
    with pytest.raises(Refused):
        staff.confirm_enrolment(**good, code=code_of(start.secret), by=by)


@pytest.mark.parametrize("weak", ["short", "passwordpassword"[:8], "1234567890"])
def test_weak_passwords_are_refused(weak: str) -> None:
    with pytest.raises(InvalidInput):
        staff.add_person(
            email=EMAIL, name="Ada", roles=["reviewer"], password=weak, by=ADMIN
        )


def test_what_makes_no_person_is_refused() -> None:
    for email, name, roles in [
        ("not an address", "Ada", ["reviewer"]),
        (EMAIL, "  ", ["reviewer"]),
        (EMAIL, "Ada", ["king"]),
        (EMAIL, "Ada", []),
    ]:
        with pytest.raises(InvalidInput):
            staff.add_person(email=email, name=name, roles=roles, by=ADMIN)
    added()
    with pytest.raises(Refused):
        added(EMAIL.upper())
    with pytest.raises(NotAllowed):
        staff.add_person(
            email="c@example.org", name="C", roles=["lead"], by=By("public", "portal")
        )


def test_a_new_password_ends_other_sessions() -> None:
    person_id, secret, _ = enrolled()
    old = staff.sign_in(email=EMAIL, password=PASSWORD, code=code_of(secret, 1))
    by = by_of(person_id)
    with pytest.raises(NotAllowed):
        staff.change_password(old_password="wrong", new_password="x" * 20, by=by)
    assert Person.objects.get(id=person_id).failed_sign_ins == 1
    new_hash = staff.change_password(
        old_password=PASSWORD, new_password="eleven loud geese 7", by=by
    )
    by_of_session(person_id, new_hash)
    with pytest.raises(NotAllowed):
        by_of_session(person_id, old.session_hash)


def test_who_leaves_can_do_nothing_at_once() -> None:
    enrolled("root@example.org", ("administrator",))
    person_id, _, _ = enrolled()
    staff.deactivate(person_id=person_id, by=ADMIN)
    staff.deactivate(person_id=person_id, by=ADMIN)
    with pytest.raises(NotAllowed):
        by_of(person_id)
    left = Event.objects.filter(kind="staff.changed", facts__what="deactivated")
    assert left.count() == 1


def test_one_administrator_stays_and_nobody_promotes_themself() -> None:
    root = staff.create_first_administrator(email="root@example.org", name="Root")
    with pytest.raises(Refused, match="last administrator"):
        staff.deactivate(person_id=root.person_id, by=ADMIN)
    with pytest.raises(Refused, match="last administrator"):
        staff.give_roles(person_id=root.person_id, roles=["auditor"], by=ADMIN)
    by = By("staff", str(root.person_id), ADMIN.permissions)
    with pytest.raises(Refused):
        staff.give_roles(person_id=root.person_id, roles=["specialist"], by=by)
    assert Person.objects.get().roles == ["administrator"]


def test_a_reset_starts_again_from_a_one_time_password() -> None:
    person_id, secret, codes = enrolled()
    again = staff.reset_sign_in(person_id=person_id, by=ADMIN)
    for code in (code_of(secret, 1), codes[0]):
        with pytest.raises(NotAllowed):
            staff.sign_in(email=EMAIL, password=PASSWORD, code=code)
    assert staff.sign_in(email=EMAIL, password=again.one_time_password).must_enrol
    assert not by_of(person_id).permissions
    line = people(ADMIN)[0]
    assert (line.enrolled, line.recovery_codes_left) == (False, 0)


@pytest.mark.django_db(transaction=True)
def test_two_sign_ins_at_the_same_instant_cannot_share_a_code() -> None:
    _, secret, _ = enrolled()
    code, start = code_of(secret, 1), threading.Barrier(4)
    outcomes: list[str] = []

    def attempt() -> None:
        start.wait()
        try:
            staff.sign_in(email=EMAIL, password=PASSWORD, code=code)
            outcomes.append("in")
        except NotAllowed:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", "refused", "refused", "refused"]


@pytest.mark.django_db(transaction=True)
def test_guesses_in_parallel_are_all_counted() -> None:
    person_id, _, _ = enrolled()
    start = threading.Barrier(8)

    def guess() -> None:
        start.wait()
        try:
            with pytest.raises(NotAllowed):
                staff.sign_in(email=EMAIL, password="a guess")
        finally:
            connection.close()

    threads = [threading.Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    person = Person.objects.get(id=person_id)
    assert person.failed_sign_ins == 5
    assert person.locked_until is not None
