"""The same press of a button twice is one report, told twice.

A page that takes a report holds a random token. From the token, whoever sends it and
what it says follow the report's id and its codename, by this installation's key. So the
second press of an impatient or trembling hand finds the first one's report and shows
the same receipt, and no secret is stored for that: without the token, which only that
page holds, nobody gets from the id to the words. A page that was changed before it was
sent again is another report, since nothing that somebody wrote may be lost.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError

from holdfast.base import clock
from holdfast.base.by import By
from holdfast.base.ids import uuid8
from holdfast.intake import codename as codenames
from holdfast.intake.models import Codename, Report
from holdfast.intake.operations import ReportGiven, add_to_report, receive_report
from holdfast.vault.installation import keys

TOLD_AGAIN_FOR = timedelta(hours=1)
"""For so long the words are told to the same press again: longer than any hand needs,
and too short for whoever opens the browser's old pages in the evening."""


@dataclass(frozen=True)
class Filed:
    """What a press became. The codename is here and nowhere else."""

    report_id: UUID
    codename: str | None
    """None when no words were asked for, or they are not told any more."""
    is_new: bool


def token() -> str:
    """A new token for a page that takes a report: 128 random bits."""
    return secrets.token_urlsafe(16)


def receive_once(given: ReportGiven, pressed: str, *, by: By) -> Filed:
    """File a report unless the same press filed it. Raises as ``receive_report`` does.

    ``pressed`` is the page's token; without one every press is a report.
    """
    if not pressed:
        received = receive_report(given, by=by)
        return Filed(received.report_id, received.codename, is_new=True)
    said = _said(given, pressed, by)
    report_id = uuid8(_keyed("report", said)[:16])
    words = codenames.codename_from(_keyed("words", said))
    if before := _before(report_id, words):
        return before
    known = replace(given, report_id=report_id, codename=words)
    try:
        received = receive_report(known, by=by)
    except IntegrityError:
        # The other press was committed first, while this one was under way.
        if before := _before(report_id, words):
            return before
        raise
    return Filed(report_id, received.codename, is_new=True)


def add_once(report_id: UUID, kind: str, words: str, pressed: str, *, by: By) -> None:
    """Add to a report unless the same press did. Raises as ``add_to_report`` does.

    What was written, pressed and erased since does not come back by an old page.
    """
    if not pressed:
        return add_to_report(report_id, kind, words, by=by)
    said = json.dumps([pressed, str(report_id), kind, words.strip()]).encode()
    known = uuid8(_keyed("addition", said)[:16])
    return add_to_report(report_id, kind, words, addition_id=known, by=by)


def _before(report_id: UUID, words: str) -> Filed | None:
    if not Report.objects.filter(id=report_id).exists():
        return None
    # Whoever has got other words since is not told the old ones.
    still = Codename.objects.filter(
        report=report_id,
        lookup=codenames.lookup(words),
        made_at__gt=clock.now() - TOLD_AGAIN_FOR,
    )
    return Filed(report_id, words if still.exists() else None, is_new=False)


def _said(given: ReportGiven, pressed: str, by: By) -> bytes:
    # How and from where it came differs between two presses, and whether there were
    # looks left; what it says does not.
    same = asdict(replace(given, address="", marks=(), tells=True))
    return json.dumps([pressed, str(by), same], default=str, sort_keys=True).encode()


def _keyed(what: str, said: bytes) -> bytes:
    key = keys().hmac_key("pressed-once")
    return hmac.new(key, what.encode() + b"\0" + said, hashlib.sha512).digest()
