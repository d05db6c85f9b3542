"""The words of the law, without legalese: what is signed, and what a form is called.

Read by reporters, so plain and short. What is signed is kept word for word, in the
language in which it stood above the name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from holdfast.intake.legal_forms import Element, FormState, LegalForm, to_ask
from holdfast.languages.catalogues import SOURCE
from holdfast.languages.choice import nearest

Words = str | Promise

NAMES: Final[dict[LegalForm, Words]] = {
    LegalForm.DSA_NOTICE: _("A notice under EU law"),
    LegalForm.TAKE_IT_DOWN: _("A request under US law to take a picture down"),
    LegalForm.UK_INTIMATE_IMAGE: _("A report under UK law about a private picture"),
}
REFERENCES: Final[dict[LegalForm, str]] = {
    LegalForm.DSA_NOTICE: "Regulation (EU) 2022/2065, Article 16",
    LegalForm.TAKE_IT_DOWN: "TAKE IT DOWN Act, Pub. L. 119-12, section 3",
    LegalForm.UK_INTIMATE_IMAGE: "Online Safety Act 2023, sections 10(3A) and 20A",
}
LACKING: Final[dict[Element, Words]] = {
    Element.ADDRESS: _("The address of each place where it is"),
    Element.REASONS: _("A few words on what is wrong with it"),
    Element.WHO: _("Who it is about"),
    Element.MAY_ACT: _("Whether the person in the picture wants you to speak for them"),
    Element.NOT_AGREED: _(
        "Whether the person in the picture agreed that others see it"
    ),
    Element.UNLAWFUL: _("Whether you think that it is against the law"),
    Element.EMAIL: _("An e-mail address of yours"),
    Element.SIGNATURE: _("Your name, as a signature"),
}
"""What would make a request full."""

_TRUE: Final = _("What I have told is true, as far as I know.")
_SENTENCES: Final[dict[LegalForm, tuple[Words, ...]]] = {
    # Article 16(2)(d).
    LegalForm.DSA_NOTICE: (
        _("I believe in good faith that what I report is against the law."),
    ),
    # Section 3(a)(1)(B)(iii).
    LegalForm.TAKE_IT_DOWN: (
        _("I am the person in the picture, or I may speak for that person."),
        _("I believe in good faith that this person did not agree to its being shown."),
    ),
    # Section 20A.
    LegalForm.UK_INTIMATE_IMAGE: (
        _("I am the person in the picture, or I may speak for that person."),
        _("It is an intimate picture: naked, or in a private or sexual moment."),
    ),
}


def sentences(forms: Sequence[LegalForm]) -> list[Words]:
    """What is signed for these forms, sentence by sentence, none of them twice."""
    said = [each for form in forms for each in _SENTENCES[form]]
    return list(dict.fromkeys([_TRUE, *said]))


def statement(forms: Sequence[LegalForm], language: str) -> str:
    """The same as one text in a language, as it is kept beside the name."""
    with translation.override(language):
        return "\n".join(str(each) for each in sentences(forms))


def request(forms: Sequence[FormState], language: str) -> dict[str, Any]:
    """What the law makes of a report, as a platform is told it, in a language.

    Nothing is to be signed where all that lacks a signature is full without: a child
    is not asked for a name.
    """
    unsigned = Element.SIGNATURE in to_ask(forms)
    language = nearest(language) or SOURCE
    with translation.override(language):
        told = [
            {
                "code": str(each.form),
                "name": str(NAMES[each.form]),
                "law": REFERENCES[each.form],
                "complete": each.complete,
                "missing": [
                    {"code": str(lack), "words": str(LACKING[lack])}
                    for lack in each.missing
                ],
            }
            for each in forms
        ]
    to_sign = statement([each.form for each in forms], language) if unsigned else None
    return {"legal_forms": told, "to_sign": to_sign}


def forms_in(
    read: str, forms: Sequence[LegalForm], languages: Sequence[str]
) -> tuple[list[LegalForm], str]:
    """The forms whose every sentence stands in what somebody read, and its language."""
    lines = {each.strip() for each in read.splitlines()}
    for language in languages:
        whole = [
            form
            for form in forms
            if lines >= set(statement([form], language).splitlines())
        ]
        if whole:
            return whole, language
    return [], ""
