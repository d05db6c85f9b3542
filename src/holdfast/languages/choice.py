"""Which language somebody is spoken to in.

By what their browser or platform asks for, nearest first, and English when nothing
fits. Where somebody is, is never guessed from their network's address.
"""

from __future__ import annotations

from babel import Locale, UnknownLocaleError
from django.conf import settings
from django.utils.translation import (
    get_language,
    get_supported_language_variant,
    gettext,
)
from django.utils.translation.trans_real import parse_accept_lang_header


def nearest(wanted: str) -> str:
    """The language we have that serves ``wanted`` best; blank when none does."""
    also: dict[str, str] = settings.HOLDFAST_LANGUAGES_ALSO
    code = wanted.lower().replace("_", "-")
    for each in (code, also.get(code), also.get(code.partition("-")[0])):
        if each:
            try:
                return get_supported_language_variant(each)
            except LookupError:
                continue
    return ""


def of_browser(accepted: str) -> str:
    """The first language of an ``Accept-Language`` header that we have."""
    asked = (nearest(code) for code in asked_for(accepted))
    return next(filter(None, asked), settings.LANGUAGE_CODE)


def asked_for(accepted: str) -> list[str]:
    """The languages of an ``Accept-Language`` header, the most wanted first."""
    return [code for code, _weight in parse_accept_lang_header(accepted)]


def country_name(code: str) -> str:
    """A country in the language at hand; its code where no name of it is known."""
    try:
        locale = Locale.parse(get_language() or settings.LANGUAGE_CODE, sep="-")
    except (UnknownLocaleError, ValueError):
        locale = Locale(settings.LANGUAGE_CODE)
    return str(locale.territories.get(code, code))


def language_name(tag: str) -> str:
    """What a language is called in the language at hand; its tag where nobody knows."""
    try:
        named = Locale.parse(tag, sep="_" if "_" in tag else "-").get_display_name(
            get_language() or settings.LANGUAGE_CODE
        )
    except (UnknownLocaleError, ValueError):
        named = None
    return named or tag


def in_words(label: str) -> str:
    """A text of the policy, such as a category's label, in the language at hand.

    An empty text stays empty; gettext would answer with the file's own headers.
    """
    return gettext(label) if label else ""
