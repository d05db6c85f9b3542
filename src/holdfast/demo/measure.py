"""What the demo measured, from inside: times and numbers out of the database.

Nothing here is typed in: what could not be measured is None. Runs inside the
installation; see ``inside.py``. The exposure is not measured here but by the network
on which it would have happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from lxml import etree

from holdfast.authorities.connectors.cybertipline.schema import own_schema, validate
from holdfast.authorities.models import Referral, ReferralFile, ReferralState
from holdfast.base.events import Event, Kind
from holdfast.decisions.models import Decision
from holdfast.enforcement.models import Delivery, Enforcement, Verb
from holdfast.fingerprints.models import Fingerprint
from holdfast.intake.models import Report
from holdfast.items.models import Item, ItemState
from holdfast.notifications.models import Notification
from holdfast.review.models import Reveal
from holdfast.triage.models import Case, CaseState
from holdfast.vault.sequencer import append_to_log, verify_log


def run(given: Mapping[str, Any]) -> dict[str, Any]:
    """``{number, pressed_at, related, planted}`` → see the JSON object of the demo.

    ``number`` is the first report's; ``pressed_at`` is when its reporter pressed the
    button (Unix seconds); ``related`` and ``planted`` are digests of files, in
    hexadecimal: all that show the reported picture, and the planted copies alone.
    """
    first = Report.objects.get(number=given["number"])
    pressed_at = float(given["pressed_at"])
    decision = Decision.objects.order_by("decided_at").first()
    referral = Referral.objects.filter(state=ReferralState.FINISHED).first()
    return {
        "seconds": {
            "report_to_confirmed": _confirmed_after(first, pressed_at, closer=False),
            "report_to_closer_confirmed": _confirmed_after(
                first, pressed_at, closer=True
            ),
            "report_to_decision": _since(
                pressed_at, decision.decided_at if decision else None
            ),
            "decision_to_referral_finished": _since(
                decision.decided_at.timestamp() if decision else None,
                referral.finished_at if referral else None,
            ),
        },
        "copies": _copies(given["related"], given["planted"]),
        "reports": {
            "received": Report.objects.count(),
            "cases": Case.objects.exclude(state=CaseState.MERGED).count(),
        },
        "reveals": Reveal.objects.count(),
        "messages_sent": Notification.objects.count(),
        "referral": _referral(referral),
        "log": _log(),
        "frozen_items": _frozen_items(),
        "suspended": _enforced(Verb.SUSPEND),
        "removed": len(_enforced(Verb.REMOVE)),
    }


def _confirmed_after(first: Report, pressed_at: float, *, closer: bool) -> float | None:
    """Seconds until the last item that the first report froze was confirmed.

    With ``closer``, of those that the closer look found after it; else of the others.
    """
    received = Event.objects.get(kind=Kind.REPORT_RECEIVED, about__report=str(first.id))
    items = [event.about["item"] for event in _frozen_after(received, closer=closer)]
    orders = Delivery.objects.filter(item__in=items, verb=Verb.FREEZE)
    confirmed = [each.confirmed_at for each in orders]
    known = [each for each in confirmed if each is not None]
    if not known or len(known) < len(set(items)):
        return None
    return _since(pressed_at, max(known))


def _frozen_after(
    event: Event, *, closer: bool, looked: bool = False
) -> Iterable[Event]:
    """Every freeze that an event caused; by a closer look, or without one."""
    for each in Event.objects.filter(cause=event):
        if each.kind == Kind.ITEM_FROZEN and looked == closer:
            yield each
        by_look = looked or each.kind == Kind.ITEM_COMPARED
        yield from _frozen_after(each, closer=closer, looked=by_look)


def _copies(related: Sequence[str], planted: Sequence[str]) -> dict[str, int]:
    hidden = Item.objects.exclude(state=ItemState.VISIBLE)
    prints = Fingerprint.objects.filter(item__in=hidden).values_list("item", "sha256")
    digests = [(item, bytes(sha256).hex()) for item, sha256 in prints]
    shown_by = {item for item, digest in digests if digest in set(related)}
    wrongly = 0
    for item in hidden:
        # A repost has no picture of its own: it shows what it reposts.
        shows = item.repost_of_id or item.id
        wrongly += shows not in shown_by
    return {
        "registered_pictures": Fingerprint.objects.count(),
        "planted": len(planted),
        "found": len(set(planted) & {digest for _, digest in digests}),
        "frozen": hidden.count(),
        "wrongly_frozen": wrongly,
    }


def _referral(referral: Referral | None) -> dict[str, Any]:
    if referral is None:
        return {"number": None, "xml_valid": None, "file_viewed_by_esp": None}
    files = ReferralFile.objects.filter(referral=referral).exclude(details="")
    viewed = {
        etree.fromstring(each.details.encode()).findtext("fileViewedByEsp") == "true"
        for each in files
    }
    documents = [referral.document, *(each.details for each in files)]
    return {
        "number": referral.external_id,
        "xml_valid": not any(
            validate(each.encode(), own_schema()) for each in documents
        ),
        "file_viewed_by_esp": (True in viewed) if viewed else None,
    }


def _log() -> dict[str, Any]:
    append_to_log()
    found = verify_log()
    return {"events": found.events, "verified": found.ok}


def _frozen_items() -> list[str]:
    """The platform's ids of everything that is hidden and is no repost."""
    hidden = Item.objects.exclude(state=ItemState.VISIBLE).filter(repost_of=None)
    return list(hidden.values_list("external_id", flat=True))


def _enforced(verb: Verb) -> list[str]:
    done = Enforcement.objects.filter(verb=verb, confirmed_at__isnull=False)
    return [
        row.actor.external_id if row.actor else row.item.external_id  # type: ignore[union-attr]  # A constraint: one of the two.
        for row in done.select_related("actor", "item")
    ]


def _since(start: float | None, end: datetime | None) -> float | None:
    if start is None or end is None:
        return None
    return round(end.timestamp() - start, 4)
