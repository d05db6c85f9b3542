"""Every kind of event and every audience: what is told, when, by what, or nothing.

One table, walked whole by a test. A cell names a text, its channel, and the facts that
the text claims (:class:`~holdfast.notifications.rules.Need`): it is refused while they
are not so. Where nobody is told, the reason stands in the cell. It reads no row.

Who reported is told the same at every door: the flagger and the police officer who
reported are told what a reporter is told, on the page of their report. Nothing here
tells a poster who reported, or that anybody did, and nothing is told to a suspect
before people have decided and the policy's waiting is over (promise 15).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from holdfast.base.events import Kind
from holdfast.enforcement.rules import STATE_AFTER
from holdfast.notifications.rules import ASKED, Need


class Audience(StrEnum):
    """Who is told."""

    REPORTER = "reporter"
    PERSON_SHOWN = "person_shown"
    POSTER = "poster"
    PLATFORM = "platform"
    FLAGGER = "flagger"
    POLICE = "police"
    """Police and other authorities."""
    STAFF = "staff"


WHO_REPORTED = (Audience.REPORTER, Audience.FLAGGER, Audience.POLICE)
"""Audiences that can be behind a report, and then have a page of it."""


class Channel(StrEnum):
    """By what it is told."""

    RECEIPT = "receipt"
    """The receipt, in the answer to the report itself."""
    THREAD = "thread"
    """The page of the report, behind the codename."""
    LETTER = "letter"
    """E-mail or phone, when an address was left: neutral words only. Nothing but the
    question if it is right goes out before its reader has said yes."""
    STATEMENT = "statement"
    """A statement of reasons, which the platform hands to the account's owner."""
    ORDER = "order"
    """The signed webhook and the change feed: ids and verbs."""
    REFERRAL = "referral"
    """The authority's own system."""
    PAGE = "page"
    """E-mail and signed webhook to the people on call: codes and ids."""


class When(StrEnum):
    """When it is told."""

    AT_ONCE = "at once"
    """In the transaction of the event: it stands or falls with it."""
    SOON = "soon"
    """By a durable job, tried again until it is done."""
    AFTER_WAITING = "when the policy's waiting is over"
    """Written at once, handed over when telling can warn nobody any more."""


class Tongue(StrEnum):
    """In which language."""

    REPORTERS = "the report's"
    POSTERS = "the item's"
    ENGLISH = "English"
    NONE = "none: ids and codes"


@dataclass(frozen=True)
class Cell:
    """One text, or one order, that one audience gets because of one event."""

    template: str
    channel: Channel
    when: When
    tongue: Tongue
    needs: tuple[Need, ...] = ()

    @property
    def asserts_review(self) -> bool:
        """Whether it says that somebody looked; the database has a rule for those."""
        return Need.VIEWED in self.needs


@dataclass(frozen=True)
class Silence:
    """Nobody of this audience is told of this event, and this is why."""

    why: str


Said = tuple[Cell, ...] | Silence
Row = Mapping[Audience, Said]

PLUMBING = Silence("It concerns the installation itself and nobody outside it.")
FOLLOWS = Silence("What comes of it is told by the event that says so.")
NOTHING_KNOWN = Silence("Nothing is known yet that would help anybody.")
OWN_ACT = Silence("They did it themselves, and the page they did it on said so.")
IS_TELLING = Silence("It is a telling itself; telling of it would go on for ever.")
STATUS_SHOWS = Silence(
    "The page of the report shows it as it is now. It asks nothing of anybody, so no"
    " phone rings for it."
)
WOULD_HINT = Silence("It would hint at somebody else's report.")
WOULD_WARN = Silence(
    "Telling could warn somebody before people have decided, or lead to whoever asked"
    " for help."
)
NOT_KNOWN_WHO = Silence(
    "Nobody knows for sure who that is, and asking around would spread it. Who says so"
    " in a report is told as its reporter."
)
ORDERS_ONLY = Silence("A platform is told what to do, by an order, and nothing else.")
BY_REFERRAL = Silence("An authority is told by a referral, after people have decided.")
ON_CASE_PAGE = Silence("It stands on the case's page; nobody has to be called for it.")
ALARM_FOLLOWS = Silence("The alarm that goes with it calls the people on call.")
NEVER_TO_POSTER = Silence(
    "How things went with the report is between us and who reported."
)
ONLY_WHO_MISUSED = Silence(
    "It concerns an account of the platform alone. A flagger's precision is told to the"
    " coordinator who gave the status, by people."
)
RECEIPT_SAID_SO = Silence(
    "Their receipt said that their report is kept, and until when it is not worked on."
)
ANSWERED_BY_MAIL = Silence("Only who wrote a mail is answered by one.")
HANDED_OVER = Silence("It only hands over what was written when the thing happened.")


def _nobody(why: Silence, *, staff: Said = PLUMBING) -> Row:
    return {**dict.fromkeys(Audience, why), Audience.STAFF: staff}


def _about_case(
    who_reported: Said,
    *,
    poster: Said = WOULD_WARN,
    person_shown: Said = NOT_KNOWN_WHO,
    platform: Said = ORDERS_ONLY,
    authority: Said = BY_REFERRAL,
    staff: Said = ON_CASE_PAGE,
) -> Row:
    """A row of an event in a report's life. An officer who reported is who reported."""
    reported = isinstance(who_reported, tuple)
    return {
        Audience.REPORTER: who_reported,
        Audience.PERSON_SHOWN: person_shown,
        Audience.POSTER: poster,
        Audience.PLATFORM: platform,
        Audience.FLAGGER: who_reported,
        Audience.POLICE: who_reported if reported else authority,
        Audience.STAFF: staff,
    }


def _about_misuse(told: Cell) -> Row:
    """A row of what follows misuse of reporting: told to who did it, and to nobody."""
    nobody = _about_case(ONLY_WHO_MISUSED, poster=NEVER_TO_POSTER)
    return {**nobody, Audience.REPORTER: (told,)}


def _thread(template: str, *needs: Need) -> Cell:
    return Cell(template, Channel.THREAD, When.AT_ONCE, Tongue.REPORTERS, needs)


def _letter(template: str) -> tuple[Cell, ...]:
    return (Cell(template, Channel.LETTER, When.SOON, Tongue.REPORTERS),)


def _statement(template: str, when: When, *needs: Need) -> tuple[Cell, ...]:
    return (Cell(template, Channel.STATEMENT, when, Tongue.POSTERS, needs),)


def _page(template: str) -> tuple[Cell, ...]:
    return (Cell(template, Channel.PAGE, When.SOON, Tongue.ENGLISH),)


_ORDERS = tuple(
    Cell(verb, Channel.ORDER, When.SOON, Tongue.NONE)
    for verb in (*STATE_AFTER, "statement", "hold_contact", "release_contact")
)
_REASONS = _statement(
    "statement_decision", When.AFTER_WAITING, Need.DECIDED, Need.VIOLATION
)

_BEFORE = _thread("violation_before", Need.DECIDED, Need.VIOLATION)
"""To who reports what people have decided on already: it is the answer to them."""

MATRIX: Mapping[Kind, Row] = {
    Kind.PLATFORM_REGISTERED: _nobody(PLUMBING),
    Kind.KEY_CREATED: _nobody(PLUMBING),
    Kind.KEY_REVOKED: _nobody(PLUMBING),
    Kind.ACTOR_REGISTERED: _nobody(NOTHING_KNOWN),
    Kind.ITEM_REGISTERED: _nobody(NOTHING_KNOWN),
    Kind.ITEM_CHANGED: _nobody(NOTHING_KNOWN),
    # A poster who deletes is no answer: the case goes on, and its decision is told.
    Kind.ITEM_DELETED: _about_case(STATUS_SHOWS),
    Kind.REPORT_RECEIVED: _about_case(
        (Cell("receipt", Channel.RECEIPT, When.AT_ONCE, Tongue.REPORTERS), _BEFORE),
    ),
    Kind.REPORT_SET_ASIDE: _about_misuse(
        Cell(
            "receipt_set_aside",
            Channel.RECEIPT,
            When.AT_ONCE,
            Tongue.REPORTERS,
            (Need.KEPT_ASIDE, Need.WARNED),
        )
    ),
    Kind.REPORT_KEPT_ASIDE: _nobody(RECEIPT_SAID_SO, staff=RECEIPT_SAID_SO),
    Kind.WATCH_STARTED: _about_case(OWN_ACT),
    Kind.WATCH_ENDED: _about_case(STATUS_SHOWS),
    Kind.CONTACT_HELD: _about_case(STATUS_SHOWS),
    Kind.CONTACT_RELEASED: _about_case(STATUS_SHOWS),
    Kind.MAIL_RECEIVED: {
        **_about_case(ANSWERED_BY_MAIL),
        Audience.REPORTER: _letter("mail_answer"),
    },
    Kind.MAIL_IGNORED: _nobody(PLUMBING),
    Kind.CODENAME_CHANGED: _about_case(OWN_ACT),
    Kind.FLAGGER_ADDED: _nobody(PLUMBING),
    Kind.FLAGGER_CHANGED: _nobody(PLUMBING),
    Kind.REPORT_EXTENDED: _about_case((_BEFORE,)),
    Kind.REPORT_CHALLENGED: _about_case(OWN_ACT),
    Kind.CONTACT_GIVEN: _about_case(_letter("confirm")),
    Kind.CONTACT_CONFIRMED: _about_case(OWN_ACT),
    Kind.REPORT_WITHDRAWN_CONTACT: _about_case(OWN_ACT),
    Kind.ITEM_FINGERPRINTED: _nobody(NOTHING_KNOWN),
    Kind.ITEM_DESCRIBED: _nobody(NOTHING_KNOWN),
    Kind.ITEM_COMPARED: _nobody(NOTHING_KNOWN),
    Kind.MEDIA_REFUSED: _nobody(NOTHING_KNOWN, staff=ALARM_FOLLOWS),
    Kind.VIDEO_POSTPONED: _nobody(NOTHING_KNOWN),
    Kind.BANK_OPENED: _nobody(PLUMBING),
    Kind.BANK_ENTERED: _nobody(PLUMBING),
    Kind.BANK_REVOKED: _nobody(PLUMBING),
    Kind.BANK_BLOCKED: _nobody(PLUMBING),
    Kind.BANK_UNBLOCKED: _nobody(PLUMBING),
    Kind.BANK_IMPORTED: _nobody(PLUMBING),
    Kind.BANK_EXPORTED: _nobody(PLUMBING),
    Kind.EXCHANGE_ADDED: _nobody(PLUMBING),
    Kind.EXCHANGE_SYNCED: _nobody(PLUMBING),
    Kind.MATCH_FOUND: _about_case(STATUS_SHOWS),
    Kind.MATCH_WITHDRAWN: _about_case(STATUS_SHOWS),
    Kind.CASE_OPENED: _about_case(FOLLOWS),
    Kind.CASE_JOINED: _about_case(WOULD_HINT),
    Kind.CASE_MERGED: _about_case(WOULD_HINT),
    Kind.CASE_REOPENED: _about_case((_thread("looking_again", Need.OPEN),)),
    Kind.COPY_COVERED: _about_case(STATUS_SHOWS),
    Kind.COPY_CONFIRMED: _about_case(STATUS_SHOWS),
    Kind.COPY_REJECTED: _about_case(STATUS_SHOWS),
    Kind.COPIES_SOUGHT: _nobody(PLUMBING),
    Kind.CASE_RECLASSIFIED: _about_case(WOULD_HINT),
    Kind.DEADLINE_NEAR: _about_case(STATUS_SHOWS, staff=ALARM_FOLLOWS),
    Kind.DEADLINE_BREACHED: _about_case(
        (_thread("late", Need.OPEN, Need.LATE),),
        poster=NEVER_TO_POSTER,
        staff=ALARM_FOLLOWS,
    ),
    Kind.ITEM_FROZEN: _about_case(
        FOLLOWS,
        # What arrives in a case that people have decided gets the reasons of that.
        poster=(
            *_statement("statement_freeze", When.AFTER_WAITING, Need.OPEN),
            *_REASONS,
        ),
        platform=FOLLOWS,
    ),
    Kind.ITEM_THAWED: _about_case(
        (_thread("shown_again", Need.SHOWN_AGAIN),),
        poster=_statement("statement_thaw", When.AT_ONCE, Need.THAWED),
        platform=FOLLOWS,
    ),
    Kind.CASE_CLAIMED: _about_case(STATUS_SHOWS),
    Kind.CASE_RELEASED: _about_case(STATUS_SHOWS),
    Kind.ITEM_REVEALED: _about_case(STATUS_SHOWS),
    Kind.CASE_NOTED: _about_case(NOTHING_KNOWN),
    # What one reader finds is not yet what people decide.
    Kind.CASE_READ: _about_case(NOTHING_KNOWN),
    Kind.CASE_DECIDED: _about_case(
        (
            _thread(
                "violation", Need.DECIDED, Need.VIOLATION, Need.VIEWED, Need.AUTHORITY
            ),
            _thread(
                "violation_known",
                Need.DECIDED,
                Need.VIOLATION,
                Need.NOT_VIEWED,
                Need.KNOWN,
            ),
            # Also for who must not learn that what somebody opened stands in private.
            _thread("violation_unseen", Need.DECIDED, Need.VIOLATION),
            _thread(
                "no_violation",
                Need.DECIDED,
                Need.NO_VIOLATION,
                Need.VIEWED,
                Need.AUTHORITY,
            ),
            _thread("no_violation_unseen", Need.DECIDED, Need.NO_VIOLATION),
        ),
        poster=_REASONS,
        # The account behind the item can be that of the person shown: people say so.
        person_shown=_REASONS,
        platform=FOLLOWS,
    ),
    Kind.STATEMENT_DUE: _about_case(
        NOTHING_KNOWN, poster=HANDED_OVER, person_shown=HANDED_OVER, platform=FOLLOWS
    ),
    Kind.ENFORCEMENT_PLANNED: _about_case(FOLLOWS, poster=FOLLOWS, platform=FOLLOWS),
    Kind.DELIVERY_ORDERED: _about_case(STATUS_SHOWS, poster=FOLLOWS, platform=_ORDERS),
    Kind.DELIVERY_CONFIRMED: _about_case(
        (_thread("hidden", Need.OPEN, Need.HIDDEN), _thread("removed", Need.REMOVED)),
        poster=FOLLOWS,
        platform=OWN_ACT,
    ),
    Kind.REFERRAL_OPENED: _about_case(
        FOLLOWS,
        authority=(
            Cell(
                "referral", Channel.REFERRAL, When.SOON, Tongue.ENGLISH, (Need.DECIDED,)
            ),
        ),
    ),
    Kind.REFERRAL_DECLINED: _about_case(FOLLOWS),
    Kind.REFERRAL_FINISHED: _about_case((_thread("referred", Need.FILED),)),
    Kind.AUTHORITY_WENT_LIVE: _nobody(PLUMBING),
    Kind.ORIGINAL_SEALED: _about_case(NOTHING_KNOWN),
    Kind.NOTIFICATION_MADE: _about_case(_letter("news"), poster=NEVER_TO_POSTER),
    Kind.LETTER_SENT: _about_case(IS_TELLING, poster=NEVER_TO_POSTER),
    Kind.REPORTER_ASKED: _about_case(
        tuple(_thread(f"asked_{code}") for code in ASKED), poster=NEVER_TO_POSTER
    ),
    Kind.REPORTER_ERASED: _about_case(OWN_ACT, poster=NEVER_TO_POSTER),
    Kind.REPORTER_WROTE: _about_case(OWN_ACT, poster=NEVER_TO_POSTER),
    Kind.ALARM_RAISED: _nobody(PLUMBING, staff=_page("alarm")),
    Kind.ALARM_ACKNOWLEDGED: _nobody(PLUMBING),
    Kind.ALARM_ESCALATED: _nobody(PLUMBING, staff=_page("alarm")),
    Kind.STAFF_ADDED: _nobody(PLUMBING),
    Kind.STAFF_CHANGED: _nobody(PLUMBING),
    Kind.STAFF_SIGNED_IN: _nobody(PLUMBING),
    Kind.GUEST_CHANGED: _nobody(PLUMBING),
    Kind.GUEST_SIGNED_IN: _nobody(PLUMBING),
    Kind.SIGN_IN_REFUSED: _nobody(PLUMBING),
    Kind.MISUSE_WARNED: _about_misuse(
        _thread("misuse_warned", Need.WARNED, Need.DECIDED, Need.NO_VIOLATION)
    ),
    Kind.REPORTING_SUSPENDED: _about_misuse(
        _thread("reporting_suspended", Need.SET_ASIDE, Need.WARNED)
    ),
    Kind.REPORTING_RESUMED: _nobody(FOLLOWS),
    Kind.POLICY_ADOPTED: _nobody(PLUMBING),
}


def cells(kind: Kind, audience: Audience) -> tuple[Cell, ...]:
    """What an audience may be told of an event; nothing where the table is silent."""
    said = MATRIX[kind][audience]
    return said if isinstance(said, tuple) else ()


def cell(kind: Kind, audience: Audience, template: str) -> Cell:
    """The cell of a template. Raises ``KeyError`` where the table does not have it."""
    for each in cells(kind, audience):
        if each.template == template:
            return each
    raise KeyError(template)
