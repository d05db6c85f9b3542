"""Help near by, in the shapes that the pages draw: the nearest country, and all.

Which country is nearest is told by the language that was chosen or that the browser
asks for; a page never says that it knows where somebody is.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest

from holdfast.intake.helplines import Country, Line, shown
from holdfast.languages.choice import asked_for, country_name, in_words
from holdfast.web.components.shapes import Helpline, HelpNear
from holdfast.web.portal.words import FALLBACK

ENGLISH = "en"
"""What lines are called in where no language of its own points to a country."""

AS_SOLD = {"en", "en-us", "en-gb"}
"""What many telephones and computers ask for wherever they are. Another region of
English, such as ``en-SE``, was set by somebody."""


def near(request: HttpRequest) -> HelpNear | None:
    """What there is in the nearest country; nothing when none is nearer."""
    asked = asked_for(request.headers.get("Accept-Language", ""))
    spoken = getattr(request, "LANGUAGE_CODE", "")
    found = None
    if AS_SOLD.issuperset(each.lower() for each in asked):
        # Who has chosen another language on the page has said more about where they
        # live than such a telephone does.
        found = shown().nearest([spoken])
    found = found or shown().nearest([*asked, spoken])
    return _drawn(found) if found else None


def numbers(request: HttpRequest) -> list[tuple[str, str]]:
    """Where to call in danger: a place and its number, the nearest country first.

    Never none: what is not verified any more is hidden, and then there is still the
    number that reaches help from most telephones.
    """
    here = near(request)
    found = [(here.country, here.emergency)] if here and here.emergency else []
    known = {number for _place, number in found}
    found += [
        (in_words(each.name), each.phone)
        for each in shown().emergency
        if each.phone not in known
    ]
    return found or [(str(FALLBACK[0]), FALLBACK[1])]


def everywhere() -> tuple[list[HelpNear], list[Helpline]]:
    """Every country by its name, and what helps in all others."""
    book = shown()
    countries = [_drawn(each) for each in book.countries]
    return sorted(countries, key=lambda each: each.country), _lines(
        book.everywhere, ENGLISH
    )


def _drawn(country: Country) -> HelpNear:
    return HelpNear(
        country=country_name(country.code),
        emergency=country.emergency.phone if country.emergency else "",
        lines=tuple(_lines(country.lines, next(iter(country.languages), ENGLISH))),
    )


def _lines(lines: Iterable[Line], language: str) -> list[Helpline]:
    return [
        Helpline(
            each.name,
            each.phone,
            in_words(each.hours),
            each.url,
            in_words(each.who),
            language,
            each.text,
        )
        for each in lines
    ]
