"""READ FIRST: what follows what.

Each line is an event, the steps done *at once* (inside the transaction that tells of
it: they stand or fall together) and the steps done *soon* (durable jobs, enqueued in
that same transaction). The tuple is the whole wiring: ``docs/flow.md`` is drawn from
it, and no stage calls a later one in any other way.

A report comes in, and in one transaction it stands in a case, what it shows and every
known copy is frozen, every clock runs, and the receipt is made. Soon after the
platform is told and confirms, and the originals are sealed. People decide. At once the
decision is banked, enforced, referred and told; soon it is carried out.
"""

from __future__ import annotations

from holdfast.authorities import operations as authorities
from holdfast.base.events import Event, Every, Kind, On, every, on, settle
from holdfast.decisions import operations as decisions
from holdfast.enforcement import contact, delivery, statements
from holdfast.enforcement import operations as enforcement
from holdfast.evidence import operations as evidence
from holdfast.fingerprints import operations as fingerprints
from holdfast.freeze import contact_holds
from holdfast.freeze import operations as freeze
from holdfast.intake import arrival, contacts, flaggers, helplines, mail
from holdfast.intake import operations as intake
from holdfast.items import answers
from holdfast.matching import bank, closer, exchange, search, watches
from holdfast.matching import operations as matching
from holdfast.notifications import alarms, letters, mail_answers, receipts
from holdfast.notifications import operations as notifications
from holdfast.review import claims
from holdfast.triage import clocks, doubts, languages, waves
from holdfast.triage import operations as triage
from holdfast.vault import sequencer as log

HIDING, FINDING, LOOKING = 20, 10, -10
"""Priorities. Telling the platform what to hide comes before every other job, and
finding what to hide comes before sealing, referring and telling. A closer look at every
upload comes last, so that a flood of them delays nothing that follows a report."""

FLOW: tuple[On | Every, ...] = (
    # What the platform registers is fingerprinted, and compared with what is known.
    on(
        Kind.ITEM_REGISTERED,
        soon=(fingerprints.fingerprint_item, matching.follow_repost),
        priority=FINDING,
    ),
    on(
        Kind.ITEM_CHANGED,
        soon=(fingerprints.fingerprint_item, evidence.seal_original),
    ),
    on(Kind.ITEM_DELETED, soon=(evidence.seal_original,)),
    on(
        Kind.ITEM_FINGERPRINTED,
        soon=(matching.compare_with_known, triage.catch_up),
        priority=FINDING,
    ),
    on(Kind.ITEM_DESCRIBED, soon=(closer.compare_closer,), priority=LOOKING, slow=True),
    # Copies of something reported or decided were looked for at a glance.
    on(Kind.ITEM_COMPARED, soon=(closer.look_closer,), priority=FINDING, slow=True),
    on(
        Kind.VIDEO_POSTPONED,
        soon=(fingerprints.fingerprint_whole_video,),
        priority=FINDING,
        slow=True,
    ),
    # What a bank learns is searched back; what it takes back goes to people again.
    on(Kind.BANK_ENTERED, soon=(bank.search_back,), priority=FINDING),
    on(Kind.BANK_REVOKED, at_once=(doubts.withdraw_matches,)),
    # A report, or a match, is placed in one case and freezes what it shows.
    on(
        Kind.REPORT_RECEIVED,
        at_once=(
            watches.bank_fingerprints,
            triage.place_report_in_case,
            freeze.freeze_what_it_shows,
            contact_holds.hold_when_asked,
            receipts.make_receipt,
            notifications.tell_decided_before,
        ),
        soon=(
            intake.locate_again,
            matching.look_again,
            watches.look_again_by_fingerprint,
            waves.watch_waves,
        ),
        priority=FINDING,
    ),
    # Of somebody who may not report for a while it is kept, and told so: see misuse.
    # What they add is report.kept_aside, with nothing after it, unless about a child.
    on(Kind.REPORT_SET_ASIDE, at_once=(receipts.make_receipt,)),
    on(
        Kind.REPORT_EXTENDED,
        at_once=(
            watches.bank_fingerprints,
            triage.place_report_in_case,
            freeze.freeze_what_it_shows,
            contact_holds.hold_when_asked,
            notifications.tell_decided_before,
        ),
        soon=(matching.look_again, watches.look_again_by_fingerprint),
        priority=FINDING,
    ),
    on(
        Kind.MATCH_FOUND,
        at_once=(triage.place_match_in_case, freeze.freeze_what_it_shows),
    ),
    on(Kind.COPY_CONFIRMED, at_once=(freeze.freeze_what_it_shows,)),
    # A report that came by e-mail is answered there, once.
    on(Kind.MAIL_RECEIVED, soon=(mail_answers.answer_mail,)),
    on(Kind.REPORT_CHALLENGED, at_once=(triage.reopen_challenged,)),
    on(
        Kind.CASE_MERGED,
        at_once=(freeze.move_to_merged_case, claims.follow_merge),
    ),
    on(Kind.REPORTER_ERASED, at_once=(receipts.forget_words,)),
    on(Kind.CASE_REOPENED, at_once=(notifications.tell_looking_again,)),
    on(Kind.DEADLINE_BREACHED, at_once=(notifications.tell_late,)),
    # A freeze is told to the platform until it is confirmed; the original is sealed.
    on(
        Kind.ITEM_FROZEN,
        at_once=(matching.bank_reported, enforcement.order_freeze),
        soon=(evidence.seal_original, decisions.state_freeze_reasons),
    ),
    on(
        Kind.ITEM_THAWED,
        at_once=(
            enforcement.order_thaw,
            decisions.state_thaw_reasons,
            notifications.tell_shown_again,
        ),
    ),
    # Extortion often has no post yet: then the contact is held.
    on(Kind.CONTACT_HELD, at_once=(contact.order_contact_hold,)),
    on(Kind.CONTACT_RELEASED, at_once=(contact.order_contact_release,)),
    on(Kind.DELIVERY_ORDERED, soon=(delivery.hand_over,), priority=HIDING),
    on(
        Kind.DELIVERY_CONFIRMED,
        at_once=(enforcement.mark_confirmed, notifications.tell_hidden),
    ),
    # People look, and decide.
    on(Kind.CASE_CLAIMED, at_once=(triage.meet_first_look,)),
    on(Kind.ITEM_REVEALED, at_once=(triage.meet_first_look,)),
    on(Kind.CASE_READ, at_once=(decisions.decide_when_ripe,)),
    # One decision, and everything that follows from it.
    on(
        Kind.CASE_DECIDED,
        at_once=(
            triage.settle_decided_case,
            freeze.freeze_what_violates,
            freeze.thaw_what_was_cleared,
            contact_holds.release_what_was_cleared,
            decisions.state_decision_reasons,
            enforcement.plan,
            authorities.open_referral,
            evidence.set_retention,
            notifications.tell_of_decision,
        ),
        soon=(enforcement.carry_out, triage.look_for_copies),
    ),
    on(
        Kind.COPY_COVERED,
        at_once=(enforcement.extend_decision,),
    ),
    on(Kind.STATEMENT_DUE, at_once=(statements.deliver_statement,)),
    on(
        Kind.ORIGINAL_SEALED,
        soon=(enforcement.carry_out, authorities.advance_referral),
    ),
    on(Kind.REFERRAL_OPENED, soon=(authorities.advance_referral,)),
    on(
        Kind.REFERRAL_FINISHED,
        at_once=(notifications.tell_of_referral, evidence.set_retention),
    ),
    # Whoever left an address hears that there is news, and nothing of what it is.
    on(Kind.CONTACT_GIVEN, soon=(letters.ask,)),
    on(Kind.NOTIFICATION_MADE, soon=(letters.tell_of_news,)),
    # Misuse of reporting: a person warned, or suspended for a while.
    on(Kind.MISUSE_WARNED, at_once=(notifications.tell_of_misuse,)),
    on(Kind.REPORTING_SUSPENDED, at_once=(notifications.tell_of_misuse,)),
    # What goes wrong reaches people who are not looking at a screen.
    on(
        Kind.ALARM_RAISED,
        at_once=(alarms.open_alarm,),
        soon=(alarms.page_on_call,),
    ),
    # What follows the clock and not an event.
    every(1, enforcement.hand_over_due, log.append_to_log),
    every(5, intake.locate_late, clocks.watch_deadlines, authorities.advance_due),
    every(10, alarms.escalate),
    every(20, mail.read_mail),
    every(30, decisions.send_due_statements, letters.post_due),
    every(
        60,
        exchange.sync_due,
        contact_holds.release_ended,
        languages.watch_languages,
    ),
    every(
        3600,
        answers.forget_old,
        contacts.forget_old,
        arrival.forget_tokens,
        helplines.watch_helplines,
        flaggers.watch_listings,
        search.keep_up,
    ),
)

TICKS: tuple[Every, ...] = tuple(line for line in FLOW if isinstance(line, Every))

_ARRIVAL = frozenset({Kind.ITEM_REGISTERED, Kind.ITEM_CHANGED, Kind.ITEM_FINGERPRINTED})


def settle_arrival(event: Event) -> None:
    """Fingerprint and compare an item here and now, for a caller that waits.

    A copy of something frozen is so frozen before its platform shows it to anybody.
    """
    settle(event, _ARRIVAL)
