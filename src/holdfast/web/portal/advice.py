"""Advice that belongs to what somebody has told, with the source that it rests on.

Short, plain and checked; never a promise, never blame. What is said here is said by
those who help children every day, and the page names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise


@dataclass(frozen=True)
class Advice:
    """A few lines for somebody in one situation."""

    code: str
    title: Words
    lines: tuple[Words, ...]
    source: Words = ""
    source_url: str = ""
    verified_on: str = ""
    """The day on which the source was read, as YYYY-MM-DD."""


EXTORTION: Final = Advice(
    "extortion",
    _("If somebody threatens you"),
    (
        _("It is not your fault. The person who threatens you does wrong."),
        _("Do not pay, and do not send more. Paying hardly ever makes it stop."),
        _("Stop answering, and block them."),
        _("Keep the chat and the account. They help to find who did this."),
        _("Tell somebody you trust. You do not have to be alone with this."),
    ),
    # The page hands on the advice of NCMEC, the US centre for missing and exploited
    # children; missingkids.org/blog/2023/sextortion-parents-should-know says the same.
    _("This is what NCMEC says, the US centre for missing and exploited children."),
    "https://www.nationalcac.org/steps-to-take-following-financial-sextortion/",
    "2026-11-22",
)
ADULTS: Final = Advice(
    "adults",
    _("Do not look at it, do not save it, do not send it on"),
    (
        _("Not to the police, not to the school, not to us. Its address is enough."),
        _(
            "Looking for it, saving it or sending it on can be a crime, also for "
            "somebody who wants to help."
        ),
        _("Tell the child that it is not their fault, and that it was right to tell."),
    ),
    # 18 U.S.C. 2252A; Norway: straffeloven section 311.
    _(
        "The laws of most countries say so, for example 18 U.S.C. 2252A in the United "
        "States and § 311 of the Norwegian penal code."
    ),
)
_OF_ADULTS: Final = frozenset({"parent", "relative", "professional"})


def for_category(code: str) -> tuple[Advice, ...]:
    """What is said as soon as a report of that category is in."""
    return (EXTORTION,) if code in ("sextortion", "grooming") else ()


def for_answers(
    answers: Mapping[str, str], *, child_safety: bool
) -> tuple[Advice, ...]:
    """What is said once somebody has told who it is about."""
    return (ADULTS,) if child_safety and answers.get("about") in _OF_ADULTS else ()
