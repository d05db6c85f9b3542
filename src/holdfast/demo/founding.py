"""Sets an installation up for the demo, as an administrator would with the commands.

The platform with its key, the way to the authority's test double (a TEST environment:
what goes there is NOT FILED), and the staff with their second factors. Runs inside the
installation; see ``inside.py``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pyotp

from holdfast.authorities.operations import add_account
from holdfast.base.by import By, Permission
from holdfast.items.keys import PlatformGiven, create_key, put_platform
from holdfast.staff.operations import add_person, confirm_enrolment, start_enrolment
from holdfast.staff.queries import by_of
from holdfast.staff.rules import TOTP_STEP_S

ADMINISTRATOR = By(
    "operator",
    "demo",
    frozenset(
        {
            Permission.PLATFORM_MANAGE,
            Permission.STAFF_MANAGE,
            Permission.AUTHORITY_GO_LIVE,
        }
    ),
)


def run(given: Mapping[str, Any]) -> dict[str, Any]:
    """``{platform, authority, people}`` → ``{key, people}``.

    ``platform`` has the fields of ``PlatformGiven``; ``authority`` those of
    ``add_account`` without the platform, or is None; ``people`` is a list of ``{email,
    name, roles, password}``. Each answered person also has ``secret``, of the second
    factor.
    """
    platform_id = put_platform(PlatformGiven(**given["platform"]), by=ADMINISTRATOR)
    key = create_key(platform_id, "demo", by=ADMINISTRATOR)
    if given.get("authority"):
        add_account(platform_id=platform_id, **given["authority"], by=ADMINISTRATOR)
    return {
        "platform_id": str(platform_id),
        "key": key,
        "people": [{**each, **_enrol(each)} for each in given["people"]],
    }


def _enrol(person: Mapping[str, Any]) -> dict[str, str]:
    """Add somebody, with a second factor that has been confirmed."""
    added = add_person(
        email=person["email"],
        name=person["name"],
        roles=person["roles"],
        by=ADMINISTRATOR,
    )
    by = by_of(added.person_id)
    enrolment = start_enrolment(by=by)
    # The code of the step before: a code works once, and the present one shall still
    # be good for the first sign-in.
    code = pyotp.TOTP(enrolment.secret).at(int(time.time()) - TOTP_STEP_S)
    confirm_enrolment(
        token=enrolment.token, code=code, new_password=person["password"], by=by
    )
    return {
        "id": str(added.person_id),
        "secret": enrolment.secret,
        "otpauth": enrolment.otpauth_uri,
    }
