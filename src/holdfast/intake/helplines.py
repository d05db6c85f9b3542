"""Help near by: whom a person can turn to, by country, for as long as it is verified.

The data is ``helplines.yaml``, and over it an installation's own. Each entry names the
page that was read and the day from which it must not be shown any more: a wrong number
is worse than none, and public lists of them are often wrong. An entry that expires is
hidden by itself, and staff are told two weeks before. Where somebody is, is taken from
the languages their browser asks for, never from their network's address.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

from holdfast.base import clock
from holdfast.base.errors import InvalidInput
from holdfast.base.events import Kind, alarm
from holdfast.base.models import Event

OURS = Path(__file__).with_name("helplines.yaml")
OWN_NAME = "helplines.yaml"
WARN_BEFORE = timedelta(days=14)
"""Staff are told so long before an entry is hidden."""
REMIND_AFTER = timedelta(days=7)
"""And again after this, for as long as nobody has renewed it."""
ALARM = "helpline.unchecked"


@dataclass(frozen=True)
class Line:
    """One entry. ``phone``, ``text``, ``url`` and ``hours`` may be blank."""

    name: str
    phone: str
    text: str
    """A number that is not called: a text message goes there."""
    url: str
    hours: str
    who: str
    source: str
    source_of: str
    verified_on: date
    expires_on: date


@dataclass(frozen=True)
class Country:
    """What there is in one country (ISO 3166-1 alpha-2)."""

    code: str
    languages: tuple[str, ...]
    emergency: Line | None
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Book:
    """All entries."""

    countries: tuple[Country, ...]
    everywhere: tuple[Line, ...]
    emergency: tuple[Line, ...] = ()
    """The numbers for danger where a country is not known; ``name`` says where."""

    def entries(self) -> Iterator[tuple[str, Line]]:
        """Each entry with the name by which staff are told of it."""
        for country in self.countries:
            for line in filter(None, (country.emergency, *country.lines)):
                yield f"{country.code} {line.name}", line
        for line in self.everywhere:
            yield f"everywhere {line.name}", line
        for line in self.emergency:
            yield f"emergency {line.name}", line

    def on(self, today: date) -> Book:
        """Only what may be shown on that day."""
        return Book(
            tuple(
                Country(
                    each.code,
                    each.languages,
                    next(_valid([each.emergency], today), None),
                    tuple(_valid(each.lines, today)),
                )
                for each in self.countries
            ),
            tuple(_valid(self.everywhere, today)),
            tuple(_valid(self.emergency, today)),
        )

    def nearest(self, languages: Sequence[str]) -> Country | None:
        """The country that these languages point to, such as ``nb-no`` or ``en-gb``.

        A region counts before a language; English alone points nowhere.
        """
        asked = [each.lower().replace("_", "-") for each in languages]
        by_code = {each.code.lower(): each for each in self.countries}
        for each in asked:
            region = each.rpartition("-")[2]
            if "-" in each and region in by_code:
                return by_code[region]
        spoken = {
            language: country
            for country in self.countries
            for language in country.languages
        }
        bases = (each.partition("-")[0] for each in asked)
        return next((spoken[each] for each in bases if each in spoken), None)


def read_book(*texts: str) -> Book:
    """The entries of these YAML texts; a country of a later one replaces an earlier.

    Raises ``InvalidInput`` for an entry without its source or its dates.
    """
    countries: dict[str, Any] = {}
    everywhere: list[Any] = []
    emergency: list[Any] = []
    for text in texts:
        given = yaml.safe_load(text) or {}
        countries |= given.get("countries", {})
        everywhere = given.get("everywhere", everywhere)
        emergency = given.get("emergency", emergency)
    try:
        return Book(
            tuple(_country(code, each) for code, each in countries.items()),
            tuple(_line(each) for each in everywhere),
            tuple(
                _line({"name": each["where"], "who": "", **each}) for each in emergency
            ),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            "A helpline needs who, source, source_of, verified_on and expires_on.",
            missing=str(error),
        ) from error


@cache
def book() -> Book:
    """The entries of this installation, as they were when it started."""
    own = settings.HOLDFAST_HOME / OWN_NAME
    files = [OURS, own] if own.exists() else [OURS]
    return read_book(*(path.read_text(encoding="utf-8") for path in files))


def shown() -> Book:
    """What may be shown today."""
    return book().on(clock.now().date())


def watch_helplines() -> None:
    """Tick: tell staff of each entry that is hidden, or is about to be."""
    today = clock.now().date()
    told = set(
        Event.objects.filter(
            kind=Kind.ALARM_RAISED,
            facts__code=ALARM,
            at__gte=clock.now() - REMIND_AFTER,
        ).values_list("about__entry", flat=True)
    )
    for name, line in book().entries():
        if line.expires_on - WARN_BEFORE <= today and name not in told:
            alarm(
                ALARM,
                about={"entry": name},
                facts={"days_left": (line.expires_on - today).days},
            )


def _valid(lines: Sequence[Line | None], today: date) -> Iterator[Line]:
    return (each for each in lines if each and each.expires_on > today)


def _country(code: str, given: dict[str, Any]) -> Country:
    emergency = given.get("emergency")
    return Country(
        str(code),
        tuple(given.get("languages", ())),
        _line({"name": "emergency", "who": "", **emergency}) if emergency else None,
        tuple(_line(each) for each in given["lines"]),
    )


def _line(given: dict[str, Any]) -> Line:
    verified_on, expires_on = given["verified_on"], given["expires_on"]
    if not isinstance(verified_on, date) or not isinstance(expires_on, date):
        raise TypeError("a date such as 2027-05-22")
    return Line(
        name=given["name"],
        phone=str(given.get("phone", "")),
        text=str(given.get("text", "")),
        url=given.get("url", ""),
        hours=given.get("hours", ""),
        who=given["who"],
        source=given["source"],
        source_of=given["source_of"],
        verified_on=verified_on,
        expires_on=expires_on,
    )
