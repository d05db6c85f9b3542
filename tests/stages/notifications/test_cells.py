"""Each cell of the table happens, through the real operations; and nothing beside it.

Every scene ends with the same look at the rows: what was said to anybody stands in the
table. The scenes together make every cell; one that nobody made is a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import transaction

from holdfast.authorities.models import Environment, Referral, ReferralState
from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.base.events import Kind, alarm, emit
from holdfast.base.jobs import drain
from holdfast.base.models import Event
from holdfast.decisions.models import ActorPart, StatementOfReasons
from holdfast.enforcement.confirming import confirm_delivery
from holdfast.enforcement.models import Delivery
from holdfast.freeze.contact_holds import hold_contact, release_of_report
from holdfast.freeze.operations import thaw
from holdfast.intake import contacts
from holdfast.intake.connectors.mailbox.fake import FakeMailbox
from holdfast.intake.mail import take_in
from holdfast.intake.models import Contact, Mail, Report
from holdfast.intake.operations import (
    Channel,
    ReportGiven,
    TargetGiven,
    add_targets,
    receive_report,
)
from holdfast.items.models import Item
from holdfast.notifications import alarms
from holdfast.notifications.asking import ask_reporter
from holdfast.notifications.facts import audience_of
from holdfast.notifications.matrix import MATRIX, WHO_REPORTED, Audience, cells
from holdfast.notifications.models import Letter, Notification, Page, Receipt
from holdfast.notifications.rules import ASKED
from holdfast.review import claims
from holdfast.review.challenges import challenge
from holdfast.triage.clocks import watch_deadlines
from holdfast.triage.models import Case, CaseItem, Deadline
from holdfast.web.portal.page import BY
from tests.stages.alarms.post import Mailbox
from tests.stages.door.test_waves_and_misuse import report as report_as
from tests.stages.door.test_waves_and_misuse import suspend, unfounded, warn
from tests.stages.mail.test_mail import written
from tests.stages.report.test_whole_way import (
    address,
    clear,
    living_case,
    read,
    specialist,
    violate,
)
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db(transaction=True)
pytest_plugins = ["tests.stages.alarms.post"]
CSAM = "child_sexual_abuse_material"
Told = tuple[Kind, Audience, str]
LATE = timedelta(hours=25)


def told() -> set[Told]:
    """All that was said to anybody, as cells, read from what was written down."""
    return {*_to_who_reported(), *_to_posters(), *_to_others()}


def _to_who_reported() -> Iterator[Told]:
    for receipt in Receipt.objects.select_related("report"):
        about = {"report": str(receipt.report_id)}
        aside = Event.objects.filter(kind=Kind.REPORT_SET_ASIDE, about__contains=about)
        if aside.exists():
            yield Kind.REPORT_SET_ASIDE, Audience.REPORTER, "receipt_set_aside"
        else:
            yield Kind.REPORT_RECEIVED, audience_of(receipt.report), "receipt"
    for said in Notification.objects.select_related("report"):
        yield Kind(said.kind), audience_of(said.report), said.template
    for letter in Letter.objects.exclude(sent_at=None):
        kind = Kind.NOTIFICATION_MADE if letter.notification else Kind.CONTACT_GIVEN
        yield kind, audience_of(letter.contact.report), letter.template
    if Mail.objects.exclude(answered_at=None).exists():
        yield Kind.MAIL_RECEIVED, Audience.REPORTER, "mail_answer"


def _to_posters() -> Iterator[Told]:
    for row in StatementOfReasons.objects.all():
        kind = {"freeze": Kind.ITEM_FROZEN, "thaw": Kind.ITEM_THAWED}.get(row.kind)
        who = Audience.POSTER
        if row.decision is not None and row.kind == "decision":
            place = CaseItem.objects.get(item=row.item_id)
            late = place.placed_at > row.decision.decided_at
            kind = Kind.ITEM_FROZEN if late else Kind.CASE_DECIDED
            parts = ActorPart.objects.filter(decision=row.decision, actor=row.actor)
            if parts.filter(part="person_shown").exists():
                who = Audience.PERSON_SHOWN
        assert kind is not None
        yield kind, who, f"statement_{row.kind}"


def _to_others() -> Iterator[Told]:
    for verb in Delivery.objects.values_list("verb", flat=True):
        yield Kind.DELIVERY_ORDERED, Audience.PLATFORM, verb
    if Referral.objects.exclude(state=ReferralState.DECLINED).exists():
        yield Kind.REFERRAL_OPENED, Audience.POLICE, "referral"
    for page in Page.objects.exclude(sent_at=None):
        kind = Kind.ALARM_ESCALATED if page.level else Kind.ALARM_RAISED
        yield kind, Audience.STAFF, "alarm"


def three_report(world: World, name: str = "1", category: str = CSAM) -> list[Report]:
    """A reporter, a trusted flagger and an officer report the same."""
    made = [
        world.report(address(name), category=category),
        world.report(address(name), category=category),
        world.report(address(name), category=category),
    ]
    Report.objects.filter(id=made[1].report_id).update(channel="flagger")
    Report.objects.filter(id=made[2].report_id).update(channel="police")
    reports = [Report.objects.get(id=each.report_id) for each in made]
    assert [audience_of(each) for each in reports] == list(WHO_REPORTED)
    return reports


def confirm_all() -> None:
    for each in Delivery.objects.filter(confirmed_at=None).order_by("number"):
        confirm_delivery(each.id, by=SYSTEM)


def reported(world: World, category: str = CSAM) -> Item:
    item = world.post("1", encoded(photograph()))
    three_report(world, category=category)
    drain()
    return item


def report(world: World, mailbox: Mailbox) -> None:
    reported(world)


def hide(world: World, mailbox: Mailbox) -> None:
    reported(world)
    confirm_all()


def be_late(world: World, mailbox: Mailbox) -> None:
    reported(world)
    with clock.shifted(LATE):
        watch_deadlines()


def show_again(world: World, mailbox: Mailbox) -> None:
    item = reported(world, category="intimate_image")
    thaw(item.id, "It is a picture of a landscape.", by=SYSTEM)


def decide_violation(world: World, mailbox: Mailbox) -> None:
    item = reported(world)
    violate(Case.objects.get(), item, poster="offender")
    confirm_all()
    # A copy that comes later falls under what was decided.
    world.post("2", encoded(photograph()), actor="fan")
    drain()


def report_what_was_decided(world: World, mailbox: Mailbox) -> None:
    item = reported(world)
    violate(Case.objects.get(), item)
    for channel in (Channel.PORTAL, Channel.FLAGGER, Channel.POLICE):
        # One reports it first of all; one adds it to a report about something else.
        for first in (address("1"), address("nobody-knows")):
            made = receive_report(
                ReportGiven(
                    world.platform_id, channel, CSAM, targets=[TargetGiven(url=first)]
                ),
                by=BY,
            )
            if first != address("1"):
                more = [TargetGiven(url=address("1"))]
                add_targets(made.report_id, more, by=BY)
            # Nobody decides again, so no time is promised for it.
            running = Deadline.objects.filter(report_id=made.report_id, met_at=None)
            assert running.exists() == (first != address("1"))


def decide_that_the_poster_is_shown(world: World, mailbox: Mailbox) -> None:
    item = reported(world)
    violate(Case.objects.get(), item, poster="person_shown")


def decide_unseen(world: World, mailbox: Mailbox) -> None:
    three_report(world, "nobody-knows")
    for case in Case.objects.all():
        by = specialist()
        claims.claim(case_id=case.id, by=by)
        read(case, "violation", by)


def decide_known(world: World, mailbox: Mailbox) -> None:
    item = reported(world)
    violate(Case.objects.get(), item)
    # The same bytes on another network: people need not see them once more.
    town = World(platform_id=world_elsewhere())
    other = town.post("town-1", encoded(photograph()), actor="there")
    for channel in ("portal", "flagger", "police"):
        made = town.report(items=("town-1",))
        Report.objects.filter(id=made.report_id).update(channel=channel)
    drain()
    case = Case.objects.get(items__item=other)
    by = specialist()
    claims.claim(case_id=case.id, by=by)
    read(case, "violation", by)


def world_elsewhere() -> UUID:
    from tests.world import _platform  # noqa: PLC0415  # Made by that module alone.

    return _platform("town")


def decide_no_violation(world: World, mailbox: Mailbox) -> None:
    item = reported(world)
    clear(Case.objects.get(), item)


def decide_no_violation_unseen(world: World, mailbox: Mailbox) -> None:
    three_report(world, "nobody-knows")
    for case in Case.objects.all():
        clear(case)


def reverse(world: World, mailbox: Mailbox) -> None:
    item = reported(world)
    violate(Case.objects.get(), item, poster="offender")
    for each in Report.objects.all():
        challenge(each.id, by=BY)
    clear(living_case(), item)


def refer(world: World, mailbox: Mailbox) -> None:
    item = reported(world)
    violate(Case.objects.get(), item)
    referral = Referral.objects.exclude(state=ReferralState.DECLINED).get()
    assert not Notification.objects.filter(template="referred").exists()
    finished = Referral.objects.filter(id=referral.id)
    finished.update(
        state=ReferralState.FINISHED,
        environment=Environment.PRODUCTION,
        finished_at=clock.now(),
        external_id="1",
    )
    with transaction.atomic():
        about = {"referral": referral.id, "case": referral.case_id}
        emit(Kind.REFERRAL_FINISHED, about=about, by=SYSTEM)


def write(world: World, mailbox: Mailbox) -> None:
    world.post("1", encoded(photograph()))
    for each in three_report(world):
        contacts.keep(each.id, f"{each.number}@example.org", "every_step", by=BY)
    drain()
    for contact in Contact.objects.all():
        contacts.confirm(contact.link, by=BY)
    confirm_all()
    drain()
    assert len(mailbox.mails) == 6


def ring(world: World, mailbox: Mailbox) -> None:
    alarm("freeze.unconfirmed", about={"platform": world.platform_id})
    drain()
    with clock.shifted(timedelta(hours=1)):
        alarms.escalate()


def ask(world: World, mailbox: Mailbox) -> None:
    reported(world)
    case = Case.objects.get()
    for each in Report.objects.all():
        for code in ASKED:
            ask_reporter(case.id, each.id, code, by=specialist())


def misuse(world: World, mailbox: Mailbox) -> None:
    actor, before = unfounded(world, 3)
    warn(actor, before)
    _actor, after = unfounded(world, 3, start=10)
    suspend(actor, after)
    report_as(world, "u0", reporter="zealot")


def hold_a_contact(world: World, mailbox: Mailbox) -> None:
    for name in ("victim", "stranger"):
        world.actor(name)
    made = world.report(words="They write to me.")
    hold_contact(made.report_id, "victim", "stranger", by=BY)
    release_of_report(made.report_id, by=BY)
    drain()


def write_a_mail(world: World, mailbox: Mailbox) -> None:
    box = FakeMailbox()
    box.deliver(written("Help").as_bytes())
    take_in(box)
    drain()
    assert len(mailbox.mails) == 1


def who_reported(kind: Kind, *templates: str) -> set[Told]:
    return {(kind, who, each) for who in WHO_REPORTED for each in templates}


def ordered(*verbs: str) -> set[Told]:
    return {(Kind.DELIVERY_ORDERED, Audience.PLATFORM, each) for each in verbs}


REASONS = "statement_decision"
SCENES: dict[Callable[[World, Mailbox], None], set[Told]] = {
    report: who_reported(Kind.REPORT_RECEIVED, "receipt")
    | ordered("freeze")
    | {(Kind.ITEM_FROZEN, Audience.POSTER, "statement_freeze")},
    hide: who_reported(Kind.DELIVERY_CONFIRMED, "hidden"),
    be_late: who_reported(Kind.DEADLINE_BREACHED, "late"),
    show_again: who_reported(Kind.ITEM_THAWED, "shown_again")
    | ordered("thaw", "statement")
    | {(Kind.ITEM_THAWED, Audience.POSTER, "statement_thaw")},
    decide_violation: who_reported(Kind.CASE_DECIDED, "violation")
    | who_reported(Kind.DELIVERY_CONFIRMED, "removed")
    | ordered("remove", "suspend")
    | {
        (Kind.CASE_DECIDED, Audience.POSTER, REASONS),
        (Kind.ITEM_FROZEN, Audience.POSTER, REASONS),
        (Kind.REFERRAL_OPENED, Audience.POLICE, "referral"),
    },
    report_what_was_decided: who_reported(Kind.REPORT_RECEIVED, "violation_before")
    | who_reported(Kind.REPORT_EXTENDED, "violation_before"),
    decide_that_the_poster_is_shown: {
        (Kind.CASE_DECIDED, Audience.PERSON_SHOWN, REASONS)
    },
    decide_unseen: who_reported(Kind.CASE_DECIDED, "violation_unseen"),
    decide_known: who_reported(Kind.CASE_DECIDED, "violation_known"),
    decide_no_violation: who_reported(Kind.CASE_DECIDED, "no_violation"),
    decide_no_violation_unseen: who_reported(Kind.CASE_DECIDED, "no_violation_unseen"),
    reverse: who_reported(Kind.CASE_REOPENED, "looking_again")
    | ordered("restore", "reinstate"),
    refer: who_reported(Kind.REFERRAL_FINISHED, "referred"),
    write: who_reported(Kind.CONTACT_GIVEN, "confirm")
    | who_reported(Kind.NOTIFICATION_MADE, "news"),
    ask: who_reported(Kind.REPORTER_ASKED, *(f"asked_{code}" for code in ASKED)),
    misuse: {
        (Kind.MISUSE_WARNED, Audience.REPORTER, "misuse_warned"),
        (Kind.REPORTING_SUSPENDED, Audience.REPORTER, "reporting_suspended"),
        (Kind.REPORT_SET_ASIDE, Audience.REPORTER, "receipt_set_aside"),
    },
    write_a_mail: {(Kind.MAIL_RECEIVED, Audience.REPORTER, "mail_answer")},
    hold_a_contact: ordered("hold_contact", "release_contact"),
    ring: {
        (Kind.ALARM_RAISED, Audience.STAFF, "alarm"),
        (Kind.ALARM_ESCALATED, Audience.STAFF, "alarm"),
    },
}
TABLE = {
    (kind, who, each.template)
    for kind in MATRIX
    for who in Audience
    for each in cells(kind, who)
}


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_scene_tells_what_the_table_says_and_nothing_else(
    world: World, mailbox: Mailbox, scene: Callable[[World, Mailbox], None]
) -> None:
    scene(world, mailbox)
    said = told()
    assert said >= SCENES[scene]
    assert said <= TABLE
    for row in Notification.objects.all():
        assert row.facts["platform"] in ("Plaza", "Town")


def test_a_message_says_of_which_of_several_things_it_speaks(world: World) -> None:
    world.post("1", encoded(photograph()))
    second = world.post("2", encoded(photograph("coffee")))
    world.report(address("1"), address("2"))
    drain()
    confirm_delivery(Delivery.objects.get(item=second, verb="freeze").id, by=SYSTEM)
    words = Notification.objects.get().words
    assert words.startswith("This is about number 2 of the 2 things")
    assert "Plaza has confirmed it" in words


def test_what_nobody_reported_is_told_to_nobody_as_a_reporter(world: World) -> None:
    item = world.post("1", encoded(photograph()))
    world.report(address("1"))
    drain()
    violate(Case.objects.get(), item)
    world.post("2", encoded(photograph()), actor="fan")
    drain()
    confirm_all()
    assert Notification.objects.values("report").distinct().count() == 1


def test_the_scenes_make_every_cell() -> None:
    assert set().union(*SCENES.values()) == TABLE
