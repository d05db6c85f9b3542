"""People at the console, and something for them to do: all made by real operations."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pyotp
from django.test import Client
from PIL import Image, ImageOps

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.enforcement.confirming import confirm_delivery
from holdfast.enforcement.models import Delivery
from holdfast.items.models import Item, ViewCount
from holdfast.items.operations import record_share, record_views
from holdfast.matching.operations import write_down
from holdfast.matching.queries import Copy
from holdfast.matching.rules import Basis, Likeness
from holdfast.review import claims, readings
from holdfast.review import operations as desk
from holdfast.staff import operations as staff
from holdfast.staff.queries import by_of
from holdfast.triage.models import Case
from tests.stages.matching.test_videos import clip, scenes
from tests.stages.matching.test_videos import post as post_video
from tests.world import PLATFORM_BY, World, encoded, photograph

ADMIN = By("staff", "0" * 32, frozenset({Permission.STAFF_MANAGE}))
PASSWORD = "seven quiet herons 41"
REASON = "Written after looking at it, in a sentence."
GROUND = "child_sexual_abuse_illegal"
CSAM = "child_sexual_abuse_material"


@dataclass
class Colleague:
    """Somebody who works here, with a browser of their own."""

    person_id: UUID
    name: str
    email: str
    secret: str
    recovery_codes: list[str]
    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    @property
    def by(self) -> By:
        """What they may do now."""
        return by_of(self.person_id)

    def device_code(self) -> str:
        """The code that their device shows next; it works once."""
        return pyotp.TOTP(self.secret).at(clock.now(), counter_offset=1)

    def sign_in(self, **instead: str) -> Any:
        """Through the page, with a recovery code so that no test waits 30 seconds."""
        given = {"email": self.email, "password": PASSWORD}
        given["code"] = self.recovery_codes.pop()
        return self.post("/console/sign-in", **{**given, **instead})

    def sign_in_first(self, one_time_password: str) -> Any:
        """With the password that an administrator handed over, and no code."""
        return self.post(
            "/console/sign-in", email=self.email, password=one_time_password
        )

    def get(self, path: str, **query: Any) -> Any:
        """Look at a page."""
        return self.client.get(path, query)

    def post(self, path: str, **given: Any) -> Any:
        """Send a form, with the token that any page of the site gives out."""
        self.client.get("/console/sign-in")
        token = self.client.cookies["csrf"].value
        return self.client.post(path, {**given, "csrfmiddlewaretoken": token})


def colleague(name: str, *roles: str, signed_in: bool = True) -> Colleague:
    """Somebody with a second factor, signed in unless told otherwise."""
    email = f"{name.split()[0].lower()}@example.org"
    added = staff.add_person(email=email, name=name, roles=roles, by=ADMIN)
    by = by_of(added.person_id)
    start = staff.start_enrolment(by=by)
    done = staff.confirm_enrolment(
        token=start.token,
        code=pyotp.TOTP(start.secret).at(clock.now()),
        new_password=PASSWORD,
        by=by,
    )
    made = Colleague(
        added.person_id, name, email, start.secret, list(done.recovery_codes)
    )
    if signed_in:
        answer = made.sign_in()
        assert answer.status_code == 302, words_of(answer)
    return made


def words_of(answer: Any) -> str:
    """What a page says, without its markup."""
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(text.split())


def case_of(item: Item) -> Case:
    """The case that an item stands in."""
    return Case.objects.get(items__item=item)


def reported(world: World, name: str = "p1", **more: Any) -> tuple[Item, Case]:
    """A post with a photograph and words, reported once."""
    item = world.post(
        name, encoded(photograph(more.pop("photo", "astronaut"))), text="Some words."
    )
    world.report(f"https://plaza.example/p/{name}", **more)
    return item, case_of(item)


def look(case: Case, item: Item, who: Colleague) -> None:
    """Claim a case and open its first picture."""
    claims.claim(case_id=case.id, by=who.by)
    desk.reveal(
        case_id=case.id,
        item_id=item.id,
        media_id=item.media.order_by("position")[0].id,
        reason=REASON,
        by=who.by,
    )


def read(case: Case, who: Colleague, outcome: str = "violation", **more: Any) -> Any:
    """Write down what somebody found."""
    violation = outcome == "violation"
    given: dict[str, Any] = {
        "category": case.category,
        "ground": GROUND if violation else "",
        "reason": REASON,
        "parts": {},
        "refer": violation,
        "why_not_refer": "" if violation else "There is nothing to tell anybody.",
    }
    return readings.record_reading(
        case_id=case.id, outcome=outcome, by=who.by, **{**given, **more}
    )


def nine_days_of_views(item: Item, last: int = 9_411) -> None:
    """Views that grow day by day until now."""
    for day in range(10):
        ViewCount.objects.create(
            item=item,
            views_total=int(last * (day / 9) ** 2),
            counted_at=clock.now() - timedelta(days=9 - day, minutes=5),
        )


def busy_desk(world: World, decider: Colleague) -> tuple[Item, Case]:
    """A desk in the middle of a day: a large case, small ones, and a decided one."""
    for name in ("sunny", "harbour9", "lime"):
        world.actor(name)
    old = world.post("old", encoded(photograph("coffee")), actor="sunny")
    world.report("https://plaza.example/p/old")
    look(case_of(old), old, decider)
    read(case_of(old), decider, parts={old.actor_id: "offender"})
    item = world.post(
        "p1", encoded(photograph()), actor="sunny", text="Words that nobody sees yet."
    )
    nine_days_of_views(item)
    for at, quality in enumerate((70, 45, 20)):
        who = ("harbour9", "lime", "sunny")[at]
        copy = world.post(f"c{at}", encoded(photograph(), quality=quality), actor=who)
        nine_days_of_views(copy, 800 // (at + 1))
    world.post("r1", actor="lime", repost_of="p1")
    world.report(
        "https://plaza.example/p/p1",
        words="I saw this and it is not right. Please look.",
    )
    world.report(
        "https://plaza.example/p/p1",
        claims=("shown",),
        police_number="PD 44-1187",
        words="This is me. I was 13. Take it down, please.",
    )
    for delivery in Delivery.objects.filter(item=item):
        confirm_delivery(delivery.id, by=SYSTEM)
    for at, category in enumerate(("intimate_image", "harassment", "other")):
        photo = ("rocket", "cat", "camera")[at]
        reported(world, f"q{at}", photo=photo, category=category)
    return item, case_of(item)


CROP = Likeness(Basis.FEATURES, share_percent=62)
PERHAPS = Likeness(Basis.FEATURES, certain=False, share_percent=31)
PERHAPS_A_FILM = Likeness(Basis.VIDEO, certain=False, share_percent=22, at_ms=67_400)


def scattered(world: World) -> tuple[Item, Case]:
    """A picture that spread for eight days in every way, reported; and two doubts."""
    for name in ("sunny", "harbour9", "lime", "quay"):
        world.actor(name)
    whole = photograph()
    changed = {
        "same": (whole, 90, "harbour9"),
        "near": (whole, 25, "lime"),
        "mirrored": (ImageOps.mirror(whole), 90, "harbour9"),
        "turned": (whole.transpose(Image.Transpose.ROTATE_90), 90, "quay"),
        "border": (ImageOps.expand(whole, 60, "black"), 90, "lime"),
    }
    with clock.shifted(timedelta(days=-8)):
        item = world.post("p1", encoded(whole), actor="sunny", text="Nobody sees it.")
    for day, (name, (picture, quality, actor)) in enumerate(changed.items(), start=1):
        with clock.shifted(timedelta(days=day - 8)):
            world.post(name, encoded(picture, quality=quality), actor=actor)
    with clock.shifted(timedelta(days=-2)):
        world.post("again", actor="lime", repost_of="near")
        still = photograph(size=256)
        post_video(world, "film", clip([*scenes("coffee", 2), still], seconds_each=1))
        for name, photo in (("crop", "cat"), ("doubt", "coffee"), ("doubt2", "rocket")):
            world.post(name, encoded(photograph(photo)), actor="quay")
    _shared_and_seen(world)
    world.report("https://plaza.example/p/p1")
    for name, like in (("crop", CROP), ("doubt", PERHAPS), ("doubt2", PERHAPS_A_FILM)):
        other = Item.objects.get(external_id=name)
        write_down(world.platform_id, Copy(other.id, item.id, like), arrived=False)
    return item, case_of(item)


def _shared_and_seen(world: World) -> None:
    for hour in (3, 5, 6, 30, 31, 32, 33, 90, 150, 151):
        at = clock.now() - timedelta(days=8) + timedelta(hours=hour)
        who = ("lime", "quay", "")[hour % 3]
        record_share(world.platform_id, f"s{hour}", "p1", at, who, by=PLATFORM_BY)
        for name, times in (("p1", 40), ("near", 5)):
            record_views(world.platform_id, name, hour * times, at, by=PLATFORM_BY)
