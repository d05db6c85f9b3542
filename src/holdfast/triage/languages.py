"""In which languages the open cases were reported, and who reads them.

The language of a report is carried here from the door. It never moves a case from what
urgency and deadline say (promises 7 and 14), and a case that nobody reads is shown to
everybody, and is an alarm.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from holdfast.base import clock
from holdfast.base.events import Event, Kind, alarm
from holdfast.staff.queries import languages_read
from holdfast.staff.rules import reads
from holdfast.triage.models import CaseState, CaseTarget

REMIND_AFTER = timedelta(days=1)
"""How often the same language is an alarm again, while nobody reads it."""


def open_languages() -> list[str]:
    """The languages in which open cases were reported, in the order of their tags."""
    rows = CaseTarget.objects.filter(case__state=CaseState.OPEN)
    found = rows.values_list("target__report__language", flat=True)
    return sorted(set(found.distinct()))


def languages_of(cases: Collection[UUID]) -> dict[UUID, tuple[str, ...]]:
    """In which languages each of these was reported; one of a match alone has none."""
    rows = CaseTarget.objects.filter(case__in=cases)
    found: dict[UUID, tuple[str, ...]] = {}
    named = rows.order_by("target__report__language")
    for case, tag in named.values_list("case", "target__report__language").distinct():
        found[case] = (*found.get(case, ()), tag)
    return found


def unread_languages() -> list[str]:
    """Those of open cases that nobody says they read.

    None while nobody has said anything: then nothing is known.
    """
    known = languages_read()
    if not known:
        return []
    return [each for each in open_languages() if not reads(known, [each])]


def watch_languages() -> None:
    """Tick: tell staff of a language that nobody here reads."""
    unread = unread_languages()
    if not unread:
        return
    told = Event.objects.filter(
        kind=Kind.ALARM_RAISED,
        facts__code="language.unread",
        at__gte=clock.now() - REMIND_AFTER,
    )
    for tag in set(unread) - set(told.values_list("about__language", flat=True)):
        alarm("language.unread", about={"language": tag})
