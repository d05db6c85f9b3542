"""A case that people decided, ready to be told to an authority. Pictures are drawn."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from uuid import uuid4

from django.db import transaction
from PIL import Image

import holdfast.policy
from holdfast.authorities import operations, outbox
from holdfast.authorities.connectors.cybertipline.fake import FakeServer, running
from holdfast.authorities.connectors.cybertipline.fake_state import State
from holdfast.authorities.connectors.cybertipline.schema import own_schema
from holdfast.authorities.models import Referral, ReferralState
from holdfast.base import clock, events
from holdfast.base.by import SYSTEM
from holdfast.base.events import Kind, On, emit, on
from holdfast.base.ids import case_number, report_number
from holdfast.base.models import Event
from holdfast.decisions.models import ActorPart, Decision
from holdfast.fingerprints.models import Fingerprint
from holdfast.intake.models import Report, Target
from holdfast.items.models import Actor, Item, Media, MediaState, Platform
from holdfast.policy.operations import adopt_policy
from holdfast.policy.queries import current
from holdfast.review.models import Reading, Reveal
from holdfast.staff.models import Person
from holdfast.triage.models import Case, CaseItem, CaseTarget
from holdfast.vault.operations import seal

CSAM = "child_sexual_abuse_material"
GROUND = "child_sexual_abuse_illegal"
USERNAME = "platform"
PASSWORD = "not-a-real-secret"
_numbers = count(1)


@contextmanager
def only(*flow: On) -> Iterator[None]:
    """Within this block the flow is these lines and no other."""
    before = dict(events._flow), dict(events._steps)
    events.register(flow)
    try:
        yield
    finally:
        events._flow.clear()
        events._flow.update(before[0])
        events._steps.clear()
        events._steps.update(before[1])


def drawn(shade: int) -> bytes:
    """A square of one colour, as a file."""
    out = io.BytesIO()
    Image.new("RGB", (32, 32), (shade, 120, 200)).save(out, "PNG")
    return out.getvalue()


def person() -> Person:
    return Person.objects.create(
        email=f"p{next(_numbers)}@example.org",
        name="Colleague",
        roles=["specialist"],
        totp_secret="set up",
        added_at=clock.now(),
    )


@dataclass
class Scene:
    """One case on one platform, its items, and the people who decide it."""

    category: str = CSAM
    platform: Platform = field(init=False)
    case: Case = field(init=False)
    reader: Person = field(init=False)

    def __post_init__(self) -> None:
        policy = Path(holdfast.policy.__path__[0]) / "default.yaml"
        adopt_policy(policy.read_text(), by=SYSTEM)
        self.posted_at = clock.now() - timedelta(days=9)
        self.platform = Platform.objects.create(
            slug="plaza",
            name="Plaza",
            url="https://plaza.example",
            media_hosts=["127.0.0.1"],
            registered_at=clock.now(),
        )
        self.case = Case.objects.create(
            number=case_number(),
            platform=self.platform,
            category=self.category,
            child_safety=True,
            urgency="immediate",
            policy_version=current().version,
            clock_from=clock.now() - timedelta(hours=1),
            opened_at=clock.now(),
        )
        self.reader = person()

    def actor(self, name: str = "poster", age: int | None = None) -> Actor:
        return Actor.objects.get_or_create(
            platform=self.platform,
            external_id=name,
            defaults={
                "screen_name": f"name of {name}",
                "email": f"{name}@example.org",
                "age_years": age,
                "registered_at": clock.now(),
            },
        )[0]

    def item(
        self,
        *pictures: bytes,
        text: str = "",
        kind: str = "image",
        against: Item | None = None,
        sealed: bool = True,
    ) -> Item:
        number = next(_numbers)
        item = Item.objects.create(
            platform=self.platform,
            external_id=f"i{number}",
            kind=kind,
            actor=self.actor(),
            url=f"https://plaza.example/p/{number}",
            text=text,
            posted_at=self.posted_at,
            registered_at=clock.now(),
        )
        CaseItem.objects.create(
            case=self.case,
            item=item,
            role="copy" if against else "reported",
            basis="digest" if against else "",
            exact=bool(against),
            against=against,
            placed_at=clock.now(),
        )
        for position, picture in enumerate(pictures):
            self.media(item, picture, position, sealed=sealed)
        return item

    def media(
        self, item: Item, picture: bytes, position: int = 0, *, sealed: bool = True
    ) -> Media:
        upload = seal(uuid4(), "upload", picture, "image/png")
        media = Media.objects.create(
            item=item,
            position=position,
            upload=upload.id,
            media_type="image/png",
            original_name=f"picture {position}.png",
            state=MediaState.SIGNED,
            added_at=clock.now(),
        )
        Fingerprint.objects.create(
            media=media,
            item=item,
            platform=self.platform,
            sha256=hashlib.sha256(picture).digest(),
            made_at=clock.now(),
        )
        if sealed:
            seal(media.id, "original", picture, "image/png")
        return media

    def report(self, item: Item, **more: str) -> Report:
        report = Report.objects.create(
            number=report_number(),
            platform=self.platform,
            channel="portal",
            category=self.category,
            language="en",
            received_at=self.case.clock_from,
            received_by="public:portal",
            **more,
        )
        target = Target.objects.create(report=report, position=0, item=item)
        CaseTarget.objects.create(case=self.case, target=target, placed_at=clock.now())
        return report

    def reading(self, outcome: str, reader: Person, why_not: str) -> Reading:
        return Reading.objects.create(
            case=self.case,
            round=self.case.round,
            person=reader,
            as_specialist=True,
            outcome=outcome,
            category=self.category,
            ground=GROUND,
            reason="Looked at it.",
            refer=not why_not,
            why_not_refer=why_not,
            read_at=clock.now(),
        )

    def decide(
        self,
        outcome: str = "violation",
        parts: dict[Actor, str] | None = None,
        why_not: str = "",
    ) -> Decision:
        """People decide, and what follows at once follows."""
        two = outcome == "no_violation"
        second = person() if two else None
        with transaction.atomic():
            decision = Decision.objects.create(
                case=self.case,
                round=self.case.round,
                outcome=outcome,
                child_safety=True,
                category=self.category,
                ground=GROUND,
                policy_version=self.case.policy_version,
                reading=self.reading(outcome, self.reader, why_not),
                second_reading=self.reading(outcome, second, why_not)
                if second
                else None,
                first_reader=self.reader,
                second_reader=second,
                by_specialist=True,
                decided_at=clock.now(),
            )
            for actor, part in (parts or {}).items():
                ActorPart.objects.create(decision=decision, actor=actor, part=part)
            Case.objects.filter(id=self.case.id).update(
                state="decided", outcome=outcome, decided_at=clock.now()
            )
            with only(on(Kind.CASE_DECIDED, at_once=(operations.open_referral,))):
                emit(
                    Kind.CASE_DECIDED,
                    about={
                        "case": self.case.id,
                        "decision": decision.id,
                        "platform": self.platform.id,
                    },
                    facts={"outcome": outcome, "category": self.category},
                    by=SYSTEM,
                )
        return decision

    def reveal(self, media: Media, *, entire: bool) -> None:
        Reveal.objects.create(
            case=self.case,
            item=media.item,
            media=media,
            person=self.reader,
            reason="To decide.",
            entire=entire,
            revealed_at=clock.now(),
        )

    def account(self, url: str, password: str = PASSWORD) -> None:
        """Access to the test double as a test environment."""
        operations.add_account(
            platform_id=self.platform.id,
            authority="cybertipline",
            environment="test",
            base_url=url,
            username=USERNAME,
            password=password,
            reporting_email="trust@plaza.example",
            reporting_person="Casey Example",
            by=SYSTEM,
        )


@contextmanager
def double(folder: Path) -> Iterator[FakeServer]:
    """The CyberTipline's test double, a real HTTP server in this process."""
    state = State(folder / "double.sqlite", own_schema())
    server = FakeServer(state, USERNAME, PASSWORD, hang_s=0.2)
    with running(server):
        yield server


def drive(rounds: int = 25, step: timedelta = timedelta(minutes=61)) -> None:
    """Tick until every referral is settled, an hour and a bit between two ticks."""
    passed = timedelta(0)
    for _ in range(rounds):
        with clock.shifted(passed):
            operations.advance_due()
        if not Referral.objects.exclude(state__in=outbox.SETTLED).exists():
            return
        passed += step
    raise AssertionError([(r.state, r.blocked) for r in Referral.objects.all()])


def the_referral() -> Referral:
    return Referral.objects.exclude(state=ReferralState.DECLINED).get()


def statuses(server: FakeServer) -> Sequence[object]:
    """What became of every report that the double was sent, the oldest first."""
    return [report["status"] for report in server.state.reports()]


def alarms(code: str) -> int:
    """How often an alarm of this code was raised."""
    return Event.objects.filter(kind=Kind.ALARM_RAISED, facts__code=code).count()
