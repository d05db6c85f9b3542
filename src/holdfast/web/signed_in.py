"""Who has signed in: a session that begins with two factors and ends early.

The console and the flaggers' page have it alike, and each knows its own people alone: a
session of the one is nobody's at the other.

Held on the server; the cookie names it and says nothing. It ends after half an hour
without a click, after a working day in any case, at once when its person is deactivated
or has a new password, and when they leave. Never in it: a password, a code, content.

Rule: NIST SP 800-63B section 7.2 (30 idle minutes, 12 hours at AAL2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from holdfast.base import clock
from holdfast.base.by import By
from holdfast.base.errors import NotAllowed

IDLE_S = 30 * 60
"""Seconds without a click after which a session ends."""
NOTE_EVERY_S = 60
"""A click is written down at most this often, so that reading a page writes little."""


class SignedOut(NotAllowed):
    """A session came to its end; its person is told so at the door."""


@dataclass(frozen=True)
class Seated:
    """Somebody who has signed in. With ``must_enrol`` only enrolment is open."""

    by: By
    must_enrol: bool


def begin(
    request: HttpRequest, person_id: object, session_hash: str, *, must_enrol: bool
) -> None:
    """Start a session, under a name that nobody knew before."""
    request.session.flush()
    at_s = clock.now().timestamp()
    request.session.update(
        {
            "person": str(person_id),
            "hash": session_hash,
            "began_at": at_s,
            "seen_at": at_s,
            "must_enrol": must_enrol,
        }
    )


def renew(request: HttpRequest, session_hash: str, *, must_enrol: bool = False) -> None:
    """Go on after a new password, which ended every other session of the person."""
    begin(request, request.session["person"], session_hash, must_enrol=must_enrol)


def end(request: HttpRequest) -> None:
    """Leave."""
    request.session.flush()


def seated(request: HttpRequest, known: Callable[[str, str], By]) -> Seated:
    """Who asks. Raises ``NotAllowed`` when they have to sign in first.

    ``known`` says whose session it is: ``by_of_session`` for staff, or
    ``by_of_guest_session``.
    """
    kept = request.session
    if "person" not in kept:
        raise NotAllowed(_("Please sign in."))
    at_s = clock.now().timestamp()
    idle = at_s - kept["seen_at"] > IDLE_S
    if idle or at_s - kept["began_at"] > settings.SESSION_COOKIE_AGE:
        end(request)
        raise SignedOut(_("You were signed out, because nothing happened for a while."))
    try:
        by = known(kept["person"], kept["hash"])
    except NotAllowed:
        end(request)
        raise
    if at_s - kept["seen_at"] > NOTE_EVERY_S:
        kept["seen_at"] = at_s
    return Seated(by, bool(kept["must_enrol"]))
