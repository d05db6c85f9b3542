"""The second factor: codes of the hour, and codes for when the device is lost.

Every code works once, and the database decides which of two sign-ins was first. The
secret lies encrypted in its person's row and opens in no other; recovery codes are kept
as keyed hashes. Never says why a code was not taken.

Rules: RFC 6238 (TOTP), RFC 4226 section 7 (throttling).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

import pyotp
from django.conf import settings

from holdfast.base import clock
from holdfast.base.ids import CROCKFORD
from holdfast.staff.models import Person, RecoveryCode
from holdfast.staff.rules import steps_to_try

TOTP_DIGITS = 6  # RFC 4226, section 5.3; what authenticator apps show.
RECOVERY_CODES = 8
RECOVERY_CODE_CHARS = 16
"""80 random bits in Crockford's base 32: no throttle is needed against guessing."""


def keep_secret(person: Person, secret: str, *, used_step: int) -> None:
    """Put a confirmed TOTP secret into the row; the caller saves it."""
    person.totp_secret = settings.HOLDFAST_KEYS.encrypt_secret(
        secret, bound_to=_bound(person)
    )
    person.totp_last_step = used_step


def use_second_factor(person: Person, code: str) -> str:
    """Which factor this code is, used up by asking; blank for none."""
    cleaned = _cleaned(code)
    if len(cleaned) == RECOVERY_CODE_CHARS:
        used = RecoveryCode.objects.filter(
            person=person, code_hash=_recovery_hash(person, cleaned), used_at=None
        ).update(used_at=clock.now())
        return "recovery" if used else ""
    if paused(person):
        return ""
    if not person.totp_secret:
        return "none"
    secret = settings.HOLDFAST_KEYS.decrypt_secret(
        person.totp_secret, bound_to=_bound(person)
    )
    step = step_of(secret, cleaned, person.totp_last_step)
    # The comparison is made by the database, so that of two sign-ins with one code,
    # wherever they run, one is too late.
    taken = step is not None and Person.everybody.filter(
        id=person.id, totp_last_step__lt=step
    ).update(totp_last_step=step)
    return "totp" if taken else ""


def is_device_code(code: str) -> bool:
    """Whether this could be six digits of a device, and not a recovery code."""
    cleaned = _cleaned(code)
    return len(cleaned) == TOTP_DIGITS and cleaned.isdecimal()


def step_of(secret: str, code: str, last_step: int) -> int | None:
    """The time step whose code this is, or None. ``last_step`` was used before."""
    totp = pyotp.TOTP(secret)
    given = _cleaned(code).encode()
    for step in steps_to_try(clock.now().timestamp(), last_step):
        if hmac.compare_digest(totp.generate_otp(step).encode(), given):
            return step
    return None


def new_recovery_codes(person: Person) -> tuple[str, ...]:
    """Replace somebody's recovery codes; they are here and nowhere else."""
    codes = [random_text(RECOVERY_CODE_CHARS) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(person=person).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(person=person, code_hash=_recovery_hash(person, code))
        for code in codes
    )
    return tuple(
        "-".join(code[at : at + 4] for at in range(0, 16, 4)) for code in codes
    )


def _recovery_hash(person: Person, cleaned: str) -> str:
    key = settings.HOLDFAST_KEYS.hmac_key("recovery-codes")
    return hmac.new(key, f"{person.id}:{cleaned}".encode(), hashlib.sha256).hexdigest()


def _cleaned(code: str) -> str:
    return "".join(each for each in code.upper() if each.isalnum())


def random_text(length: int) -> str:
    """That many characters of five random bits each, none of which look alike."""
    return "".join(secrets.choice(CROCKFORD) for _ in range(length))


def _bound(person: Person) -> str:
    return f"staff-totp:{person.id}"


def paused(person: Person) -> bool:
    """Whether wrong tries have stopped sign-ins for a while."""
    return person.locked_until is not None and person.locked_until > clock.now()
