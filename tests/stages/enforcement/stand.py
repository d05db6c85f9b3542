"""A real platform behind HTTP, and the rows that enforcement acts upon.

The platform is a program of its own as far as Holdfast can tell: it verifies each
signature, applies what is new by number, ignores what is not, and confirms both. A
test module takes the fixtures by naming this one as a plugin: a ``conftest.py`` would
be imported before Django is set up.
"""

from __future__ import annotations

import base64
import json
import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

import pytest
from django.db import transaction
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from holdfast.base import clock, events
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.events import Kind, emit, on
from holdfast.base.ids import case_number, uuid7
from holdfast.base.models import Event
from holdfast.decisions.models import ActorPart, Decision, Part
from holdfast.enforcement import delivery, operations
from holdfast.items.keys import PlatformGiven, put_platform
from holdfast.items.models import Actor, Item, ItemState, Media, Platform
from holdfast.review.models import Outcome, Reading
from holdfast.staff.models import Person
from holdfast.triage.models import Case, CaseItem, CaseState, ItemRole, Urgency
from holdfast.vault.models import SealedBlob

Received = dict[str, Any]
Answer = tuple[int, bytes]


@dataclass
class Network:
    """A small platform that takes webhooks. ``behave`` may replace its answer."""

    secret: str
    port: int
    applied: list[Received] = field(default_factory=list)
    ignored: list[Received] = field(default_factory=list)
    refused: int = 0
    raw: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    last_number: dict[str, int] = field(default_factory=dict)
    behave: Callable[[Received], Answer | None] | None = None
    at_once: int = 0
    most_at_once: int = 0
    _lock: Lock = field(default_factory=Lock)
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/holdfast"

    def start(self) -> None:
        network = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status, answer = network.take(dict(self.headers), body)
                try:
                    self.send_response(status)
                    if status == 302:
                        self.send_header("location", network.url)
                    self.send_header("content-length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    self.close_connection = True  # Holdfast has hung up.

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def take(self, headers: dict[str, str], body: bytes) -> Answer:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return self._take(headers, body)
        finally:
            with self._lock:
                self.at_once -= 1

    def _take(self, headers: dict[str, str], body: bytes) -> Answer:
        try:
            message = Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError:
            self.refused += 1
            return 401, b"{}"
        self.raw.append((headers, body))
        if self.behave is not None and (answer := self.behave(message)) is not None:
            return answer
        self.apply(message)
        return 200, json.dumps({"confirmed": [message["data"]["id"]]}).encode()

    def apply(self, message: Received) -> None:
        change = message["data"]
        name = change.get("item") or change.get("actor")
        with self._lock:
            if change["number"] > self.last_number.get(name, 0):
                self.last_number[name] = change["number"]
                self.applied.append(message)
            else:
                self.ignored.append(message)

    def numbers(self, name: str) -> list[int]:
        """What was applied to one item, in the order in which it came."""
        changes = [each["data"] for each in self.applied]
        mine = [
            each for each in changes if name in (each.get("item"), each.get("actor"))
        ]
        return [each["number"] for each in mine]

    def verbs(self) -> list[str]:
        return [each["data"]["verb"] for each in self.applied]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def network() -> Iterator[Network]:
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    started = Network(secret, free_port())
    started.start()
    delivery._rests_until.clear()
    yield started
    started.stop()
    delivery._rests_until.clear()


@pytest.fixture
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform that did not answer may be asked again at once."""
    monkeypatch.setattr(delivery, "REST_S", 0.0)


@pytest.fixture
def enforcement_flow() -> Iterator[None]:
    """The lines of the flow that concern enforcement, and no others."""
    lines, steps = dict(events._flow), dict(events._steps)
    events.register(
        [
            on(Kind.ITEM_FROZEN, at_once=[operations.order_freeze]),
            on(Kind.ITEM_THAWED, at_once=[operations.order_thaw]),
            on(
                Kind.CASE_DECIDED,
                at_once=[operations.plan],
                soon=[operations.carry_out],
            ),
            on(Kind.ORIGINAL_SEALED, soon=[operations.carry_out]),
            on(Kind.COPY_COVERED, at_once=[operations.extend_decision]),
            on(Kind.DELIVERY_ORDERED, soon=[delivery.hand_over]),
            on(Kind.DELIVERY_CONFIRMED, at_once=[operations.mark_confirmed]),
        ]
    )
    yield
    events._flow.clear()
    events._flow.update(lines)
    events._steps.clear()
    events._steps.update(steps)


def poll_key() -> By:
    return By("platform", "key", frozenset({Permission.CHANGES_READ}))


@dataclass
class Site:
    """One platform and what is needed to decide about its items."""

    platform: Platform
    people: list[Person]

    def item(self, name: str, actor: Actor | None = None) -> Item:
        return Item.objects.create(
            platform=self.platform,
            external_id=name,
            kind="image",
            actor=actor,
            posted_at=clock.now(),
            registered_at=clock.now(),
        )

    def actor(self, name: str) -> Actor:
        return Actor.objects.create(
            platform=self.platform, external_id=name, registered_at=clock.now()
        )

    def platform_actor(self, name: str) -> Actor:
        """The account of that name, read anew."""
        return Actor.objects.get(platform=self.platform, external_id=name)

    def picture(self, item: Item, state: str = "waiting") -> Media:
        return Media.objects.create(
            item=item,
            position=0,
            state=state,
            refusal="broken" if state == "refused" else "",
            added_at=clock.now(),
        )

    def case(self, *items: Item) -> Case:
        now = clock.now()
        case = Case.objects.create(
            number=case_number(),
            platform=self.platform,
            category="child_sexual_abuse",
            child_safety=True,
            urgency=Urgency.IMMEDIATE,
            policy_version="test",
            clock_from=now,
            opened_at=now,
        )
        for item in items:
            CaseItem.objects.create(
                case=case, item=item, role=ItemRole.REPORTED, placed_at=now
            )
        return case

    def freeze(self, item: Item) -> Event:
        item.state = ItemState.FROZEN
        item.save(update_fields=["state"])
        return emit(
            Kind.ITEM_FROZEN,
            about={"item": item.id, "platform": self.platform.id},
            facts={"because": "report"},
            by=SYSTEM,
        )

    def thaw(self, item: Item) -> Event:
        item.state = ItemState.VISIBLE
        item.save(update_fields=["state"])
        return emit(
            Kind.ITEM_THAWED,
            about={"item": item.id, "platform": self.platform.id},
            by=SYSTEM,
        )

    def decide(
        self,
        case: Case,
        outcome: Outcome = Outcome.VIOLATION,
        parts: Sequence[tuple[Actor, Part]] = (),
    ) -> Event:
        """Decide the present round of a case; the caller holds the transaction."""
        now = clock.now()
        readings = [
            Reading.objects.create(
                case=case,
                round=case.round,
                person=person,
                as_specialist=True,
                outcome=outcome,
                category=case.category,
                ground="test",
                reason="A reason.",
                refer=True,
                read_at=now,
            )
            for person in self.people
        ]
        decision = Decision.objects.create(
            case=case,
            round=case.round,
            outcome=outcome,
            child_safety=True,
            category=case.category,
            ground="test",
            policy_version="test",
            reading=readings[0],
            second_reading=readings[1],
            first_reader=self.people[0],
            second_reader=self.people[1],
            by_specialist=True,
            decided_at=now,
        )
        for actor, part in parts:
            ActorPart.objects.create(decision=decision, actor=actor, part=part)
        case.state, case.outcome, case.decided_at = CaseState.DECIDED, outcome, now
        case.save(update_fields=["state", "outcome", "decided_at"])
        return emit(
            Kind.CASE_DECIDED,
            about={
                "case": case.id,
                "decision": decision.id,
                "platform": self.platform.id,
            },
            facts={"outcome": outcome.value},
            by=SYSTEM,
        )

    def reopen(self, case: Case, because: str = "challenge") -> None:
        """A new round, told as triage tells it."""
        case.state = CaseState.OPEN
        case.round += 1
        with transaction.atomic():
            case.save(update_fields=["state", "round"])
            emit(
                Kind.CASE_REOPENED,
                about={"platform": case.platform_id, "case": case.id},
                facts={"because": because, "round": case.round},
                by=SYSTEM,
            )

    def seal(
        self, subject: Item | Media, kind: str = "original", sha256: str = "a"
    ) -> SealedBlob:
        """As evidence does it: the item's original, and that of each piece of media."""
        return SealedBlob.objects.create(
            subject_id=subject.id,
            kind=kind,
            sha256=sha256 * 64,
            md5="b" * 32,
            size_bytes=1,
            media_type="image/jpeg",
            location="test",
            sealed_at=clock.now(),
        )


def make_site(slug: str, webhook_url: str, secret: str) -> Site:
    administrator = By("staff", "test", frozenset({Permission.PLATFORM_MANAGE}))
    platform_id = put_platform(
        PlatformGiven(
            slug=slug,
            name="Plaza",
            url="https://plaza.test",
            webhook_url=webhook_url,
            webhook_secret=secret,
        ),
        by=administrator,
    )
    people = [
        Person.objects.create(
            email=f"{uuid7()}@holdfast.test", name="Reader", added_at=clock.now()
        )
        for _ in range(2)
    ]
    return Site(Platform.objects.get(id=platform_id), people)


@pytest.fixture
def site(network: Network, db: None) -> Site:
    return make_site("plaza", network.url, network.secret)


@pytest.fixture
def sites() -> Callable[[str, str, str], Site]:
    """More platforms: ``sites(slug, webhook_url, secret)``."""
    return make_site


@pytest.fixture
def polling(db: None) -> Site:
    """A platform without a webhook: it reads the feed."""
    return make_site("poller", "", "")


@pytest.fixture
def platform_key() -> By:
    return poll_key()
