"""What is frozen is sealed, once and whole, and kept as long as was promised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.authorities.models import Referral
from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.errors import NotAllowed, Unavailable
from holdfast.base.events import Kind
from holdfast.base.models import Event
from holdfast.evidence import operations, queries, rules
from holdfast.evidence.models import Preservation
from holdfast.items.models import Item, ItemVersion, Media, ViewCount
from holdfast.vault.models import SealedBlob
from holdfast.vault.queries import open_blob, sealed_for
from tests.stages.authorities.scene import Scene, alarms, drawn

pytestmark = pytest.mark.django_db
READER = By("staff", "one", frozenset({Permission.CASE_READ}))


class Site(ThreadingHTTPServer):
    """The platform's own server, which may serve its media or not."""

    files: dict[str, bytes]
    asked = 0

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class Handler(BaseHTTPRequestHandler):
    server: Site

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        self.server.asked += 1
        data = self.server.files.get(self.path.strip("/"))
        self.send_response(404 if data is None else 200)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site(("127.0.0.1", 0), Handler)
    server.files = {}
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def frozen(scene: Scene, item: Item) -> Event:
    about = {"item": item.id, "case": scene.case.id, "platform": scene.platform.id}
    return Event.objects.create(
        kind=Kind.ITEM_FROZEN,
        by=str(SYSTEM),
        at=clock.now(),
        about={name: str(value) for name, value in about.items()},
    )


def sealed_events() -> list[dict[str, Any]]:
    rows = Event.objects.filter(kind=Kind.ORIGINAL_SEALED).order_by("id")
    return list(rows.values_list("facts", flat=True))


def fetched(scene: Scene, site: Site, picture: bytes, name: str = "a") -> Item:
    """An item whose picture has to be fetched, as it was when it was registered."""
    site.files[name] = picture
    item = scene.item(picture, sealed=False)
    Media.objects.filter(item=item).update(upload=None, fetch_url=site.url(name))
    return item


def test_the_original_and_the_words_are_sealed() -> None:
    scene = Scene()
    item = scene.item(drawn(1), text="Look at this.", sealed=False)
    ItemVersion.objects.create(item=item, text="Before.", replaced_at=clock.now())
    ViewCount.objects.create(item=item, views_total=167_000, counted_at=clock.now())
    operations.seal_original(frozen(scene, item))
    (original,) = sealed_for(item.id, "original")
    assert open_blob(original.id) == drawn(1)
    (words,) = sealed_for(item.id, "snapshot")
    told = json.loads(open_blob(words.id))
    assert told["text"] == "Look at this."
    assert told["versions"][0]["text"] == "Before."
    assert told["views"][0]["total"] == 167_000
    assert (told["actor"], told["url"]) == ("poster", item.url)
    assert sealed_events() == [
        {"media": 1, "snapshot": True, "missing": 0, "differs": 0}
    ]
    event = Event.objects.get(kind=Kind.ORIGINAL_SEALED)
    assert set(event.about) == {"item", "case", "platform"}


def test_sealing_twice_changes_nothing() -> None:
    scene = Scene()
    item = scene.item(drawn(1), sealed=False)
    event = frozen(scene, item)
    operations.seal_original(event)
    ViewCount.objects.create(item=item, views_total=5, counted_at=clock.now())
    before = SealedBlob.objects.count(), Preservation.objects.count()
    operations.seal_original(event)
    assert (SealedBlob.objects.count(), Preservation.objects.count()) == before
    assert len(sealed_events()) == 1


def test_a_later_event_seals_what_is_new() -> None:
    scene = Scene()
    item = scene.item(drawn(1), sealed=False)
    operations.seal_original(frozen(scene, item))
    item.media.update(replaced_at=clock.now())
    scene.media(item, drawn(2), sealed=False)
    operations.seal_original(frozen(scene, item))
    assert len(sealed_for(item.id, "original")) == 2
    assert [each["media"] for each in sealed_events()] == [1, 1]


def test_replaced_media_are_sealed_too() -> None:
    scene = Scene()
    item = scene.item(drawn(1), sealed=False)
    item.media.update(replaced_at=clock.now())
    scene.media(item, drawn(2), sealed=False)
    operations.seal_original(frozen(scene, item))
    assert len(sealed_for(item.id, "original")) == 2


def test_the_same_picture_twice_is_preserved_for_each_place() -> None:
    scene = Scene()
    item = scene.item(drawn(1), drawn(1), sealed=False)
    operations.seal_original(frozen(scene, item))
    assert Preservation.objects.exclude(media=None).count() == 2
    assert len(sealed_for(item.id, "original")) == 1


def test_words_alone_are_preserved() -> None:
    scene = Scene()
    item = scene.item(text="Send me your address.", kind="message")
    operations.seal_original(frozen(scene, item))
    (line,) = queries.sealed_originals(item.id, by=READER)
    assert line.media_id is None
    with pytest.raises(NotAllowed):
        queries.sealed_originals(item.id, by=By("public", ""))


def test_an_item_of_no_case_is_left_alone() -> None:
    scene = Scene()
    item = scene.item(drawn(1), sealed=False)
    item.place.delete()
    operations.seal_original(frozen(scene, item))
    assert not Preservation.objects.exists()


def test_media_are_fetched_from_the_platform(site: Site) -> None:
    scene = Scene()
    item = fetched(scene, site, drawn(1))
    operations.seal_original(frozen(scene, item))
    (original,) = sealed_for(item.id, "original")
    assert open_blob(original.id) == drawn(1)
    operations.seal_original(frozen(scene, item))
    assert site.asked == 1


def test_other_bytes_than_were_fingerprinted_are_sealed_and_alarmed(
    site: Site,
) -> None:
    scene = Scene()
    item = fetched(scene, site, drawn(1))
    site.files["a"] = drawn(2)
    operations.seal_original(frozen(scene, item))
    (original,) = sealed_for(item.id, "original")
    assert open_blob(original.id) == drawn(2)
    assert sealed_events()[0]["differs"] == 1
    assert alarms("original.differs") == 1
    operations.seal_original(frozen(scene, item))
    assert alarms("original.differs") == 1


def test_media_that_are_gone_are_asked_for_again_for_ever(site: Site) -> None:
    scene = Scene()
    item = fetched(scene, site, drawn(1))
    scene.media(item, drawn(2), 1, sealed=False)
    picture = site.files.pop("a")
    event = frozen(scene, item)
    for _ in range(2):
        with pytest.raises(Unavailable):
            operations.seal_original(event)
    # What could be sealed is, and it was told once.
    assert sealed_events() == [
        {"media": 1, "snapshot": True, "missing": 1, "differs": 0}
    ]
    assert alarms("media.unreachable") == 0
    with clock.shifted(timedelta(seconds=rules.UNREACHABLE_AFTER_S + 1)):
        for _ in range(2):
            with pytest.raises(Unavailable):
                operations.seal_original(event)
    assert alarms("media.unreachable") == 1
    site.files["a"] = picture
    operations.seal_original(event)
    assert [each["media"] for each in sealed_events()] == [1, 1]
    assert len(sealed_for(item.id, "original")) == 2


def decided(scene: Scene) -> Event:
    return Event.objects.get(kind=Kind.CASE_DECIDED)


@pytest.mark.parametrize(
    ("category", "outcome", "why_not", "days"),
    [
        ("child_sexual_abuse_material", "violation", "", 365),
        ("child_sexual_abuse_material", "violation", "Not for them.", 180),
        ("child_sexual_abuse_material", "no_violation", "A swimming lesson.", 30),
    ],
)
def test_a_decision_says_how_long(
    category: str, outcome: str, why_not: str, days: int
) -> None:
    scene = Scene(category=category)
    item = scene.item(drawn(1), sealed=False)
    operations.seal_original(frozen(scene, item))
    assert {line.keep_until for line in lines(item)} == {None}
    decision = scene.decide(outcome, why_not=why_not)
    operations.set_retention(decided(scene))
    until = decision.decided_at + timedelta(days=days)
    assert {line.keep_until for line in lines(item)} == {until}


def lines(item: Item) -> tuple[queries.SealedOriginal, ...]:
    return queries.sealed_originals(item.id, by=READER)


def test_what_is_sealed_after_the_decision_is_kept_as_long() -> None:
    scene = Scene()
    item = scene.item(drawn(1), sealed=False)
    decision = scene.decide()
    operations.seal_original(frozen(scene, item))
    until = decision.decided_at + timedelta(days=365)
    assert {line.keep_until for line in lines(item)} == {until}


def test_the_year_begins_anew_with_the_receipt_and_is_never_shortened() -> None:
    scene = Scene()
    item = scene.item(drawn(1), sealed=False)
    operations.seal_original(frozen(scene, item))
    scene.decide()
    operations.set_retention(decided(scene))
    finished_at = clock.now() + timedelta(days=3)
    Referral.objects.update(
        state="finished", finished_at=finished_at, external_id="4000001"
    )
    operations.set_retention(decided(scene))
    kept = {finished_at + timedelta(days=365)}
    assert {line.keep_until for line in lines(item)} == kept
    Referral.objects.all().update(finished_at=None, state="open")
    operations.set_retention(decided(scene))
    assert {line.keep_until for line in lines(item)} == kept


@given(st.datetimes(), st.datetimes(), st.sampled_from(["referred", "violation"]))
def test_no_term_is_ever_shortened(before: Any, start: Any, span: str) -> None:
    days = {"referred": 365, "violation": 180}
    try:
        until = rules.keep_until(before, start, span, days)
    except OverflowError:
        return
    assert until >= before
    assert until >= start + timedelta(days=days[span])
