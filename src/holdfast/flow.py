"""READ FIRST."""

from __future__ import annotations

from holdfast.base.events import Event, Every, Kind, On, every, on, settle
from holdfast.fingerprints import operations as fingerprints
from holdfast.freeze import operations as freeze
from holdfast.intake import operations as intake
from holdfast.matching import operations as matching
from holdfast.notifications import operations as notifications
from holdfast.triage import clocks
from holdfast.triage import operations as triage

FLOW: tuple[On | Every, ...] = (
    on(Kind.ITEM_REGISTERED, soon=(fingerprints.fingerprint_item,)),
    on(Kind.ITEM_CHANGED, soon=(fingerprints.fingerprint_item,)),
    on(
        Kind.ITEM_FINGERPRINTED,
        soon=(matching.compare_with_known, triage.catch_up),
    ),
    on(
        Kind.REPORT_RECEIVED,
        at_once=(
            triage.place_report_in_case,
            freeze.freeze_what_it_shows,
            notifications.make_receipt,
        ),
        soon=(intake.locate_again, matching.look_again, clocks.watch_waves),
    ),
    on(
        Kind.REPORT_EXTENDED,
        at_once=(triage.place_report_in_case, freeze.freeze_what_it_shows),
        soon=(matching.look_again,),
    ),
    on(
        Kind.MATCH_FOUND,
        at_once=(triage.place_match_in_case, freeze.freeze_what_it_shows),
    ),
    on(Kind.REPORT_CHALLENGED, at_once=(triage.reopen_challenged,)),
    on(Kind.ITEM_FROZEN, at_once=(matching.bank_reported,)),
    every(5, clocks.watch_deadlines),
)

TICKS: tuple[Every, ...] = tuple(line for line in FLOW if isinstance(line, Every))

_ARRIVAL = frozenset({Kind.ITEM_REGISTERED, Kind.ITEM_CHANGED, Kind.ITEM_FINGERPRINTED})


def settle_arrival(event: Event) -> None:
    """Fingerprint and compare an item here and now, for a caller that waits."""
    settle(event, _ARRIVAL)
