"""A small scene for the desk's tests: a platform, a case with a picture, colleagues."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

import holdfast.policy
from holdfast.base import clock, events
from holdfast.base.by import SYSTEM, By
from holdfast.base.events import Kind, On, emit
from holdfast.base.ids import case_number
from holdfast.decisions import operations as decisions
from holdfast.fingerprints.models import Fingerprint
from holdfast.freeze import operations as freeze
from holdfast.freeze.models import Freeze
from holdfast.items.models import Actor, Item, Media, Platform
from holdfast.policy.operations import adopt_policy
from holdfast.review import claims, readings
from holdfast.review import operations as review
from holdfast.staff.models import Person
from holdfast.staff.queries import by_of
from holdfast.triage import operations as triage
from holdfast.triage.models import Case, CaseItem

CSAM = "child_sexual_abuse_material"
GROUND = "child_sexual_abuse_illegal"
REASON = "Written after looking at it."
_numbers = count(1)

FLOW = (
    events.on(Kind.CASE_MERGED, at_once=(claims.follow_merge,)),
    events.on(Kind.CASE_READ, at_once=(decisions.decide_when_ripe,)),
    events.on(
        Kind.CASE_DECIDED,
        at_once=(
            triage.settle_decided_case,
            freeze.thaw_what_was_cleared,
            decisions.state_decision_reasons,
        ),
    ),
    events.on(Kind.ITEM_FROZEN, at_once=(decisions.state_freeze_reasons,)),
    events.on(Kind.ITEM_THAWED, at_once=(decisions.state_thaw_reasons,)),
)


@contextmanager
def only(flow: tuple[On, ...] = FLOW) -> Iterator[None]:
    """Within this block the flow is these lines and no other."""
    flow_before, steps_before = dict(events._flow), dict(events._steps)
    events.register(flow)
    try:
        yield
    finally:
        events._flow.clear()
        events._flow.update(flow_before)
        events._steps.clear()
        events._steps.update(steps_before)


@pytest.fixture
def desk(db: None) -> Iterator[None]:
    """A database with the policy that Holdfast ships, and the steps of the desk."""
    with only():
        document = Path(holdfast.policy.__path__[0]) / "default.yaml"
        adopt_policy(document.read_text(), by=SYSTEM)
        yield


def person(*roles: str) -> By:
    """A colleague who has a second factor and these roles."""
    row = Person.objects.create(
        email=f"p{next(_numbers)}@example.org",
        name=f"Colleague {next(_numbers)}",
        roles=list(roles),
        totp_secret="set up",
        added_at=clock.now(),
    )
    return by_of(row.id)


def platform() -> Platform:
    return Platform.objects.get_or_create(
        slug="plaza",
        defaults={
            "name": "Plaza",
            "url": "https://p.test",
            "registered_at": clock.now(),
        },
    )[0]


def actor() -> Actor:
    return Actor.objects.create(
        platform=platform(),
        external_id=f"a{next(_numbers)}",
        registered_at=clock.now(),
    )


def item(*, picture: bytes | None = b"harmless", text: str = "", **more: Any) -> Item:
    """An item with a picture, or with words alone."""
    row = Item.objects.create(
        platform=platform(),
        external_id=f"i{next(_numbers)}",
        kind=more.pop("kind", "image"),
        actor=more.pop("actor", None) or actor(),
        text=text,
        posted_at=clock.now() - timedelta(days=9),
        registered_at=clock.now(),
        **more,
    )
    if picture is not None:
        media = Media.objects.create(
            item=row,
            position=0,
            media_type="image/jpeg",
            state="signed",
            added_at=clock.now(),
        )
        Fingerprint.objects.create(
            media=media,
            item=row,
            platform=row.platform,
            sha256=hashlib.sha256(picture).digest(),
            made_at=clock.now(),
        )
    return row


def case(category: str = CSAM, **more: Any) -> Case:
    now = clock.now()
    return Case.objects.create(
        number=case_number(),
        platform=platform(),
        category=category,
        child_safety=more.pop("child_safety", category == CSAM),
        urgency=more.pop("urgency", "immediate"),
        policy_version="2026-11",
        clock_from=more.pop("clock_from", now),
        opened_at=more.pop("opened_at", now),
        **more,
    )


def put(row: Case, *items: Item, role: str = "reported", **more: Any) -> None:
    for each in items:
        CaseItem.objects.create(
            case=row, item=each, role=role, placed_at=clock.now(), **more
        )


def case_with_picture(category: str = CSAM, **more: Any) -> tuple[Case, Item]:
    row, shown = case(category, **more), item()
    put(row, shown)
    return row, shown


def freeze_item(row: Case, shown: Item, because: str = "report") -> None:
    """Freeze as the freeze stage does, with its event."""
    with transaction.atomic():
        Freeze.objects.create(
            item=shown,
            case=row,
            because=because,
            frozen_at=clock.now(),
            frozen_by="system",
        )
        Item.objects.filter(id=shown.id).update(state="frozen")
        emit(
            Kind.ITEM_FROZEN,
            about={"item": shown.id, "case": row.id, "platform": row.platform_id},
            facts={"because": because},
            by=SYSTEM,
        )


def picture_of(shown: Item) -> UUID:
    return Media.objects.get(item=shown, replaced_at=None).id


def look(row: Case, shown: Item, by: By) -> None:
    """Claim the case and open the picture."""
    claims.claim(case_id=row.id, by=by)
    review.reveal(
        case_id=row.id,
        item_id=shown.id,
        media_id=picture_of(shown),
        reason=REASON,
        by=by,
    )


def read(row: Case, outcome: str, by: By, **more: Any) -> readings.ReadingResult:
    """Write a reading, with everything that a good one has unless told otherwise."""
    violates = outcome == "violation"
    given: dict[str, Any] = {
        "category": row.category,
        "ground": GROUND if violates else "",
        "reason": REASON,
        "parts": {},
        "refer": violates,
        "why_not_refer": "" if violates else "Nothing to refer.",
        **more,
    }
    return readings.record_reading(case_id=row.id, outcome=outcome, by=by, **given)


def look_and_read(
    row: Case, shown: Item, outcome: str, by: By, **more: Any
) -> readings.ReadingResult:
    look(row, shown, by)
    return read(row, outcome, by, **more)


def reopen(row: Case, because: str = "challenge") -> None:
    """A new round, as triage opens it."""
    with transaction.atomic():
        row.refresh_from_db()
        triage.open_again(row, because=because, by=SYSTEM)


def ago(**span: float) -> datetime:
    return clock.now() - timedelta(**span)
