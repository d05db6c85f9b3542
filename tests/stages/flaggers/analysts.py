"""People of flaggers, with a browser each: all made by real operations."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pyotp
from django.test import Client

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.intake import flagger_people
from holdfast.intake import flaggers as accounts
from holdfast.intake.models import Flagger
from holdfast.staff import operations as staff
from holdfast.staff.queries import by_of_guest
from tests.stages.console.desk import PASSWORD, words_of
from tests.world import World

ADMIN = By("staff", "admin", frozenset({Permission.PLATFORM_MANAGE}))
LISTED = "https://lists.example/trusted-flaggers#17"


def account(world: World, *scope: str, name: str = "Hotline") -> str:
    """A key of a new account, listed if it has a scope."""
    return accounts.add_flagger(
        accounts.FlaggerGiven(
            platform_id=world.platform_id,
            name=name,
            contact="desk@hotline.example",
            scope=scope,
            listed_as=LISTED if scope else "",
            listed_until=clock.now() + timedelta(days=300) if scope else None,
        ),
        by=ADMIN,
    )


@dataclass
class Analyst:
    """Somebody who signs in for a flagger."""

    person_id: UUID
    flagger_id: UUID
    email: str
    name: str
    one_time_password: str
    recovery_codes: list[str] = field(default_factory=list)
    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    @property
    def by(self) -> By:
        """What they may do now."""
        return by_of_guest(self.person_id)

    def get(self, path: str, **query: Any) -> Any:
        """Look at a page."""
        return self.client.get(f"/flaggers/{path}", query)

    def post(self, path: str, **given: Any) -> Any:
        """Send a form, with the token that any page of the site gives out."""
        return post(self.client, f"/flaggers/{path}", **given)

    def sign_in(self, **instead: str) -> Any:
        """Through the page, with a recovery code so that no test waits 30 seconds."""
        given = {"email": self.email, "password": PASSWORD}
        given["code"] = self.recovery_codes.pop()
        return self.post("sign-in", **{**given, **instead})

    def enrol(self) -> None:
        """The second factor and a password of one's own, without a browser."""
        start = staff.start_enrolment(by=self.by)
        done = staff.confirm_enrolment(
            token=start.token,
            code=pyotp.TOTP(start.secret).at(clock.now()),
            new_password=PASSWORD,
            by=self.by,
        )
        self.recovery_codes = list(done.recovery_codes)


def post(client: Client, path: str, **given: Any) -> Any:
    """Send a form with a token, wherever it goes."""
    client.get("/flaggers/sign-in")
    token = client.cookies["csrf"].value
    return client.post(path, {**given, "csrfmiddlewaretoken": token})


def analyst(
    world: World, *scope: str, name: str = "Hotline", signed_in: bool = True
) -> Analyst:
    """Somebody of a new account, enrolled and signed in unless told otherwise."""
    account(world, *scope, name=name)
    return another(Flagger.objects.get(name=name).id, "Kari", signed_in=signed_in)


def another(flagger_id: UUID, name: str, *, signed_in: bool = True) -> Analyst:
    """One more of its people."""
    email = f"{name.lower()}-{str(flagger_id)[-6:]}@hotline.example"
    added = flagger_people.add_person(flagger_id, email=email, name=name, by=ADMIN)
    made = Analyst(added.person_id, flagger_id, email, name, added.one_time_password)
    if signed_in:
        made.enrol()
        answer = made.sign_in()
        assert answer.status_code == 302, words_of(answer)
    return made


def report_of(answer: Any) -> str:
    """The report's number, from where a form led to."""
    found = re.search(r"/reports/([^/]+)", answer.headers["Location"])
    assert found, answer
    return found[1]
