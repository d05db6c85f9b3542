"""The pages that take a report: usable under load, with an eye on who comes.

Nobody is refused here, and nobody solves a puzzle. A report is marked when it looks
like a program's. When very many come at once each is kept and frozen first, and then
its receipt is held up for a moment; what is about a child for a shorter one. The
network address is looked at once, for the keyed token of ``intake.arrival``, and not
stored.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Final

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from holdfast.base import clock
from holdfast.base.proxies import Proxies
from holdfast.intake.arrival import Mark
from holdfast.intake.once import receive_once
from holdfast.intake.operations import ReportGiven
from holdfast.policy import queries as policies
from holdfast.web import waiting
from holdfast.web.portal.page import BY, Question
from holdfast.web.portal.session import Memory

HONEYPOT: Final = "homepage"
"""The name of a box that people do not see; programs fill in what they find."""
LEAST_S: Final = 2.0
"""Nobody reads a page that takes a report and answers it in less."""
PER_S: Final = 5.0
BURST: Final = 50.0
"""Reports through the portal for long, and at once after a quiet time."""
LONGEST_WAIT_S: Final = 5.0
LONGEST_WAIT_CHILD_S: Final = 2.0
"""Within the patience of a person who presses a button; twice is no harm."""


class Door(Question):
    """A page that takes a report. All of the portal's come in through ``file``."""

    def file(self, given: ReportGiven, pressed: str) -> HttpResponse:
        """File it, once for each press; then its receipt, under load a moment later."""
        arrived = replace(
            given,
            address=address_of(self.request),
            marks=marks_of(self.request, self.memory),
        )
        filed = receive_once(arrived, pressed, by=BY)
        if filed.is_new:
            # Only now: whoever waits, or will not wait, has reported already.
            known = policies.current().category(given.category)
            hold_up(child_safety=known.child_safety)
        return self.receipt_of(filed)

    def show(self, form: forms.Form, status: HTTPStatus) -> HttpResponse:
        """The page, and since when it can be read."""
        if status == HTTPStatus.OK or not self.memory.asked_at:
            self.memory.asked_at = clock.now().timestamp()
        return super().show(form, status)


def address_of(request: HttpRequest) -> str:
    """The network address of whoever asks, as this server or a proxy of ours sees it.

    What anybody can write into a header is not believed: see ``base.proxies``.
    """
    proxies: Proxies = settings.HOLDFAST_TRUSTED_PROXIES
    return proxies.address(
        request.META.get("REMOTE_ADDR", ""),
        request.META.get("HTTP_X_FORWARDED_FOR", ""),
    )


def marks_of(request: HttpRequest, memory: Memory) -> list[Mark]:
    """What a program does and a person does not.

    Who was never shown the page has read it in no time at all.
    """
    marks = []
    if request.POST.get(HONEYPOT):
        marks.append(Mark.HONEYPOT)
    if not memory.asked_at or clock.now().timestamp() - memory.asked_at < LEAST_S:
        marks.append(Mark.TOO_FAST)
    return marks


def hold_up(*, child_safety: bool) -> None:
    """Wait for a moment when very many reports came in; never refuse."""
    wait_s = waiting.turn(
        "portal:reports", per_s=PER_S, burst=BURST, longest_s=LONGEST_WAIT_S
    )
    longest_s = LONGEST_WAIT_CHILD_S if child_safety else LONGEST_WAIT_S
    waiting.hold_up(min(wait_s, longest_s))
