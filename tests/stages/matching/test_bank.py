"""Banks from elsewhere: found on arrival and searched back, ended, taken back."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from PIL import Image, ImageOps

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By
from holdfast.base.errors import InvalidInput, NotAllowed
from holdfast.base.events import Kind
from holdfast.base.models import Event
from holdfast.fingerprints.sources import media_bytes
from holdfast.items.models import Item
from holdfast.matching.bank import (
    SignalGiven,
    enter,
    open_bank,
    renew,
    revoke,
    search_back,
)
from holdfast.matching.models import BankEntry, BankKind, Match
from holdfast.matching.queries import is_known_violation
from holdfast.matching.rules import Basis
from holdfast.matching.sources import precision_by_bank
from holdfast.signals.pdq import hamming
from holdfast.signals.sign import Part, sign_picture
from holdfast.triage.models import Case, CaseItem, Deadline
from holdfast.triage.operations import settle_decided_case
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db
CATEGORY = "child_sexual_abuse_material"
WHY = "The source has taken it back."


@pytest.fixture
def bank(world: World) -> UUID:
    return open_bank(
        "a-list", "A list", BankKind.IMPORTED, category=CATEGORY, by=SYSTEM
    )


def pdq_of(data: bytes, **more: object) -> SignalGiven:
    return SignalGiven("pdq", sign_picture(data).views[0].pdq.bits, **more)  # type: ignore[arg-type]  # The fields of SignalGiven.


def told(kind: Kind) -> Event:
    return Event.objects.filter(kind=kind).latest("id")


def enter_and_search(bank: UUID, *signals: SignalGiven) -> int:
    new = enter(bank, signals, by=SYSTEM)
    search_back(told(Kind.BANK_ENTERED))
    return new


def decide(case: Case, outcome: str) -> None:
    settle_decided_case(
        Event.objects.create(
            kind="test.decided",
            at=clock.now(),
            by=str(SYSTEM),
            about={"case": str(case.id), "decision": str(uuid4())},
            facts={"outcome": outcome, "category": case.category},
        )
    )


def test_what_is_registered_already_becomes_a_case_at_once(
    world: World, bank: UUID
) -> None:
    picture = photograph()
    known = world.post("1", encoded(picture))
    bordered = world.post("2", encoded(ImageOps.expand(picture, 60, "white")))
    repost = world.post("3", repost_of="1")
    other = world.post("4", encoded(photograph("coffee")))
    assert enter_and_search(bank, pdq_of(encoded(picture, quality=60))) == 1
    case = Case.objects.get()
    assert (case.category, case.child_safety, case.state) == (CATEGORY, True, "open")
    assert Deadline.objects.filter(case=case, met_at=None).exists()
    for item in (known, bordered, repost):
        item.refresh_from_db()
        assert item.state == "frozen"
    roles = dict(CaseItem.objects.values_list("item", "role"))
    assert roles == {known.id: "known", bordered.id: "known", repost.id: "repost"}
    other.refresh_from_db()
    assert other.state == "visible"
    for match in Match.objects.all():
        assert match.against is None
        assert match.entry is not None
        assert match.basis == Basis.PDQ


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_bytes_are_found_on_arrival_and_back(
    world: World, bank: UUID, kind: str
) -> None:
    data = encoded(photograph())
    before = world.post("1", data)
    digest = hashlib.new(kind, data, usedforsecurity=False).digest()
    enter_and_search(bank, SignalGiven(kind, digest))
    after = world.post("2", data)
    places = CaseItem.objects.filter(item__in=[before.id, after.id])
    assert {(each.basis, each.case_id) for each in places} == {
        (Basis.DIGEST, Case.objects.get().id)
    }
    # Two files with one MD5 can be made: people look at what it found. What has the
    # very bytes of that is found by them.
    assert places.get(item=before).exact == (kind == "sha256")
    assert places.get(item=after).exact
    after.refresh_from_db()
    assert after.state == "frozen"


def test_what_a_bank_knows_by_its_bytes_stands_for_its_copies(
    world: World, bank: UUID
) -> None:
    """A bank with an MD5 finds one file; people who look for it want every copy."""
    picture = photograph()
    data = encoded(picture)
    known = world.post("known", data)
    before = world.post("before", encoded(picture.resize((200, 200))))
    other = world.post("other", encoded(photograph("coffee")))
    enter_and_search(bank, SignalGiven("md5", hashlib.md5(data).digest()))
    after = world.post("after", encoded(picture.resize((160, 160))))
    for item in (known, before, after, other):
        item.refresh_from_db()
    assert (known.state, before.state, after.state) == ("frozen",) * 3
    assert other.state == "visible"
    assert CaseItem.objects.filter(case=Case.objects.get()).count() == 3


def test_a_turned_upload_is_found_by_an_entry(world: World, bank: UUID) -> None:
    picture = photograph()
    enter_and_search(bank, pdq_of(encoded(picture)))
    turned = world.post("1", encoded(picture.transpose(Image.Transpose.ROTATE_90)))
    assert turned.state == "frozen"
    assert CaseItem.objects.get(item=turned).variant == "turned_90"


def test_a_bank_with_the_hash_alone_finds_what_was_turned_before(
    world: World, bank: UUID
) -> None:
    """Turned, mirrored, with a border and without, re-encoded: and said how."""
    picture = photograph()
    made = {
        "turned_90": picture.transpose(Image.Transpose.ROTATE_90),
        "turned_180": picture.transpose(Image.Transpose.ROTATE_180),
        "turned_270": picture.transpose(Image.Transpose.ROTATE_270),
        "mirrored": ImageOps.mirror(picture),
        "mirrored_180": ImageOps.flip(picture),
        "mirrored_90": picture.transpose(Image.Transpose.TRANSPOSE),
        "mirrored_270": picture.transpose(Image.Transpose.TRANSVERSE),
    }
    before = {}
    for name, each in made.items():
        framed = ImageOps.expand(each.resize((300, 300)), 40, "white")
        before[name] = world.post(name, encoded(each, quality=50))
        before[f"{name} framed"] = world.post(f"{name} framed", encoded(framed))
    other = world.post("other", encoded(ImageOps.mirror(photograph("coffee"))))
    given = pdq_of(encoded(picture))
    enter_and_search(bank, given)
    for name, item in before.items():
        item.refresh_from_db()
        assert item.state == "frozen", name
        match = Match.objects.get(item=item)
        assert (match.variant, match.certain) == (name.partition(" ")[0], True)
        assert match.trimmed == name.endswith("framed")
        # Measured by the copy's own turned forms, and by no guess.
        views = sign_picture(open_upload(item)).views
        true = min(
            hamming(each.bits, given.signal)
            for view in views
            if (view.part == Part.TRIMMED) == match.trimmed
            for each in view.variants
        )
        assert match.distance_bits == true
    other.refresh_from_db()
    assert other.state == "visible"
    # And what arrives later is found the same way.
    for name, each in made.items():
        late = world.post(f"late {name}", encoded(each, quality=60))
        assert late.state == "frozen", name
        assert Match.objects.get(item=late, entry__isnull=False).variant == name


def open_upload(item: Item) -> bytes:
    """The bytes of an item's picture, as it was posted."""
    return media_bytes(item.media.get())


def test_it_is_no_decision_of_ours(world: World, bank: UUID) -> None:
    """People have still to look, and nobody's account is concerned."""
    data = encoded(photograph())
    enter_and_search(bank, SignalGiven("sha256", hashlib.sha256(data).digest()))
    item = world.post("1", data)
    assert not is_known_violation(item.id)


def test_what_has_expired_matches_no_more_until_it_is_given_again(
    world: World, bank: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encoded(photograph())
    now = clock.now()
    soon = now + timedelta(hours=1)
    enter_and_search(bank, pdq_of(data, expires_at=soon))
    with monkeypatch.context() as later:
        later.setattr(clock, "now", lambda: now + timedelta(hours=2))
        item = world.post("1", data)
        assert item.state == "visible"
        longer = now + timedelta(days=9)
        assert enter(bank, [pdq_of(data, expires_at=longer)], by=SYSTEM) == 0
        search_back(told(Kind.BANK_ENTERED))
        assert BankEntry.objects.count() == 1
        item.refresh_from_db()
        assert item.state == "frozen"


def test_entering_the_same_again_changes_nothing(world: World, bank: UUID) -> None:
    given = pdq_of(encoded(photograph()))
    assert enter(bank, [given, given], by=SYSTEM) == 1
    events = Event.objects.filter(kind=Kind.BANK_ENTERED).count()
    assert enter(bank, [given], by=SYSTEM) == 0
    assert Event.objects.filter(kind=Kind.BANK_ENTERED).count() == events


def test_bad_signals_are_refused_and_poor_ones_left_out(
    world: World, bank: UUID
) -> None:
    with pytest.raises(InvalidInput, match="32 bytes"):
        enter(bank, [SignalGiven("pdq", bytes(31))], by=SYSTEM)
    plain = open_bank("plain", "Plain", BankKind.IMPORTED, by=SYSTEM)
    with pytest.raises(InvalidInput, match="category"):
        enter(plain, [SignalGiven("pdq", bytes(32))], by=SYSTEM)
    assert enter(bank, [SignalGiven("pdq", bytes(32), quality=49)], by=SYSTEM) == 0
    with pytest.raises(NotAllowed):
        enter(bank, [], by=By("staff", "x"))
    with pytest.raises(InvalidInput):
        open_bank("mine", "Mine", BankKind.DECIDED, by=SYSTEM)
    assert not BankEntry.objects.exists()


@pytest.mark.parametrize("slug", ["decided-here", "reported-here", "watched-plaza"])
def test_no_list_takes_the_name_of_a_bank_of_our_own(world: World, slug: str) -> None:
    """Before anything is decided there is no such bank yet, and it would become it."""
    with pytest.raises(InvalidInput, match="of Holdfast itself"):
        open_bank(slug, "A list", BankKind.IMPORTED, category=CATEGORY, by=SYSTEM)
    item = world.post("1", encoded(photograph()))
    world.report("https://plaza.example/p/1")
    decide(Case.objects.get(), "violation")
    assert BankEntry.objects.filter(item=item, bank__kind="decided").exists()


def test_revoked_it_matches_no_more_and_is_not_imported_again(
    world: World, bank: UUID
) -> None:
    data = encoded(photograph())
    enter_and_search(bank, pdq_of(data))
    entry = BankEntry.objects.get()
    with pytest.raises(InvalidInput):
        revoke([entry.id], "no", by=SYSTEM)
    assert revoke([entry.id], WHY, by=SYSTEM) == 1
    assert revoke([entry.id], WHY, by=SYSTEM) == 0
    assert enter(bank, [pdq_of(data)], by=SYSTEM) == 0
    assert world.post("1", data).state == "visible"


def test_revoking_sends_what_it_touched_to_people_and_shows_nothing_again(
    world: World, bank: UUID
) -> None:
    data = encoded(photograph())
    item = world.post("1", data)
    enter_and_search(bank, pdq_of(data))
    case = Case.objects.get()
    decide(case, "violation")
    # People have decided on it since; a bank of ours holds it now, too.
    BankEntry.objects.filter(item=item).delete()
    revoke([BankEntry.objects.get().id], WHY, by=SYSTEM)
    case.refresh_from_db()
    assert (case.state, case.round) == ("open", 2)
    assert told(Kind.CASE_REOPENED).facts["because"] == "revoked"
    assert told(Kind.MATCH_WITHDRAWN).about["item"] == str(item.id)
    item.refresh_from_db()
    assert item.state == "frozen"


def find_two_copies(world: World, bank: UUID) -> None:
    """One entry of a bank finds two copies of one picture."""
    picture = photograph()
    for name, quality in (("1", 90), ("2", 60)):
        world.post(name, encoded(picture, quality=quality))
    enter_and_search(bank, pdq_of(encoded(picture)))


def test_what_one_entry_brought_together_does_not_hold_itself(
    world: World, bank: UUID
) -> None:
    """Two copies that people decided on are banked, and each is like the other."""
    find_two_copies(world, bank)
    case = Case.objects.get()
    assert CaseItem.objects.filter(case=case, role="known").count() == 2
    decide(case, "violation")
    revoke([BankEntry.objects.get(bank=bank).id], WHY, by=SYSTEM)
    case.refresh_from_db()
    assert (case.state, case.round) == ("open", 2)
    assert Event.objects.filter(kind=Kind.MATCH_WITHDRAWN).count() == 2


def test_what_was_reported_as_well_stands_without_the_entry(
    world: World, bank: UUID
) -> None:
    find_two_copies(world, bank)
    world.report("https://plaza.example/p/1")
    decide(Case.objects.get(), "violation")
    revoke([BankEntry.objects.get(bank=bank).id], WHY, by=SYSTEM)
    assert Case.objects.get().state == "decided"
    assert not Event.objects.filter(kind=Kind.MATCH_WITHDRAWN).exists()


def test_revoking_touches_nothing_that_something_else_holds(
    world: World, bank: UUID
) -> None:
    data = encoded(photograph())
    world.post("1", data)
    second = open_bank("b", "B", BankKind.EXCHANGE, category=CATEGORY, by=SYSTEM)
    enter_and_search(bank, pdq_of(data))
    enter_and_search(second, pdq_of(data))
    decide(Case.objects.get(), "violation")
    [entry] = BankEntry.objects.filter(bank=bank)
    revoke([entry.id], WHY, by=SYSTEM)
    assert Case.objects.get().state == "decided"
    assert not Event.objects.filter(kind=Kind.MATCH_WITHDRAWN).exists()


def test_a_bank_that_contradicts_people_makes_them_look_and_freezes_nothing(
    world: World, bank: UUID
) -> None:
    data = encoded(photograph())
    item = world.post("1", data)
    world.report("https://plaza.example/p/1")
    case = Case.objects.get()
    clear(case, item)
    enter_and_search(bank, pdq_of(data))
    case.refresh_from_db()
    assert case.state == "decided"
    enter_and_search(bank, SignalGiven("sha256", hashlib.sha256(data).digest()))
    case.refresh_from_db()
    item.refresh_from_db()
    assert (case.state, item.state) == ("open", "visible")


def clear(case: Case, item: Item) -> None:
    """People find no violation, and it is shown again."""
    decide(case, "no_violation")
    Item.objects.filter(id=item.id).update(state="visible")
    case.freezes.filter(thawed_at=None).update(
        thawed_at=clock.now(), thawed_by="system", thaw_reason="cleared"
    )


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_what_a_source_takes_back_and_brings_again_is_a_new_claim(
    world: World, bank: UUID, kind: str
) -> None:
    """People cleared it meanwhile: they look again, and nothing is frozen till then."""
    data = encoded(photograph())
    item = world.post("1", data)
    digest = hashlib.new(kind, data, usedforsecurity=False).digest()
    enter_and_search(bank, SignalGiven(kind, digest))
    case, entry = Case.objects.get(), BankEntry.objects.get(bank=bank)
    revoke([entry.id], WHY, by=SYSTEM)
    clear(case, item)
    for round_ in (2, 3):
        assert renew(bank, [entry.id], by=SYSTEM) == 1
        assert renew(bank, [entry.id], by=SYSTEM) == 0
        for _twice in range(2):
            search_back(told(Kind.BANK_ENTERED))
        case.refresh_from_db()
        item.refresh_from_db()
        assert (case.state, case.round, item.state) == ("open", round_, "visible")
        assert told(Kind.CASE_REOPENED).facts["because"] == "bank"
        assert Match.objects.filter(item=item, entry=entry).count() == 1
        clear(case, item)
        # The same claim again says nothing new.
        search_back(told(Kind.BANK_ENTERED))
        case.refresh_from_db()
        assert case.state == "decided"
        revoke([entry.id], WHY, by=SYSTEM)


def test_what_comes_again_after_it_had_ended_is_a_new_claim(
    world: World, bank: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encoded(photograph())
    item, now = world.post("1", data), clock.now()
    digest = hashlib.sha256(data).digest()

    def claim(hours: int) -> None:
        ends = clock.now() + timedelta(hours=hours)
        enter_and_search(bank, SignalGiven("sha256", digest, expires_at=ends))

    claim(1)
    case = Case.objects.get()
    clear(case, item)
    # What merely lasts longer is the claim that people have answered.
    claim(2)
    case.refresh_from_db()
    assert case.state == "decided"
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=3))
    claim(4)
    case.refresh_from_db()
    item.refresh_from_db()
    assert (case.state, item.state) == ("open", "visible")


def test_what_people_said_is_no_copy_stays_none_when_it_is_claimed_again(
    world: World, bank: UUID
) -> None:
    data = encoded(photograph())
    item = world.post("1", data)
    enter_and_search(bank, pdq_of(data))
    match, entry = Match.objects.get(), BankEntry.objects.get(bank=bank)
    said = {"certain": False, "rejected_at": clock.now(), "rejected_by": "staff:1"}
    Match.objects.filter(id=match.id).update(**said)
    CaseItem.objects.filter(item=item).delete()
    revoke([entry.id], WHY, by=SYSTEM)
    renew(bank, [entry.id], by=SYSTEM)
    search_back(told(Kind.BANK_ENTERED))
    assert not CaseItem.objects.filter(item=item).exists()
    assert Match.objects.get().rejected_by == "staff:1"


def test_precision_of_each_source(world: World, bank: UUID) -> None:
    pictures = [encoded(photograph(name)) for name in ("astronaut", "coffee", "cat")]
    for number, data in enumerate(pictures):
        world.post(str(number), data)
    enter_and_search(bank, *(pdq_of(data) for data in pictures))
    right, wrong, _waiting = Case.objects.order_by("items__item__external_id")
    decide(right, "violation")
    decide(wrong, "no_violation")
    lines = {line.slug: line for line in precision_by_bank(by=SYSTEM)}
    line = lines["a-list"]
    assert (line.entries, line.found, line.decided, line.violating) == (3, 3, 2, 1)
    assert line.precision == 0.5
    with pytest.raises(NotAllowed):
        precision_by_bank(by=By("staff", "x"))


def test_exact_and_perceptual_are_kept_apart(world: World, bank: UUID) -> None:
    enter(bank, [pdq_of(encoded(photograph()))], by=SYSTEM)
    for wrong in ({"digest": bytes(32)}, {"kind": "sha256"}, {"decision_id": uuid4()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            BankEntry.objects.update(**wrong)
