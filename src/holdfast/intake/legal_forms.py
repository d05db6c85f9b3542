"""Which legal forms a report is, and what would make each of them whole. Pure.

One report can be several at once: a notice under Article 16 of the EU's Digital
Services Act, a request under the TAKE IT DOWN Act, an intimate image content report
under the UK's Online Safety Act. Nobody has to know these names: the answers decide.
Where an answer is missing the report counts as the form, so that its clock runs from
receipt; only an answer that rules a form out ends it. Nothing is ever refused for
being incomplete, and about a child's safety an incomplete report counts as complete.

Sources: Regulation (EU) 2022/2065, Article 16(2); Pub. L. 119-12, section 3(a)(1)(B);
Online Safety Act 2023, sections 10(3A) and 20A.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class LegalForm(StrEnum):
    """The forms that this program knows."""

    DSA_NOTICE = "dsa_notice"
    TAKE_IT_DOWN = "take_it_down"
    UK_INTIMATE_IMAGE = "uk_intimate_image"


class Element(StrEnum):
    """What a statute wants to be in a request."""

    ADDRESS = "address"
    """Where it is, exactly: Article 16(2)(b); section 3(a)(1)(B)(ii); section 20A."""
    REASONS = "reasons"
    """Why it is held to be illegal: Article 16(2)(a)."""
    WHO = "who"
    """The person shown, or somebody acting for them: section 3(a)(1); section 20A."""
    MAY_ACT = "may_act"
    """That somebody else may act for the person shown."""
    NOT_AGREED = "not_agreed"
    """That the person shown did not agree: section 3(a)(1)(B)(iii)."""
    EMAIL = "email"
    """An e-mail address: Article 16(2)(c); any contact: section 3(a)(1)(B)(iv)."""
    UNLAWFUL = "unlawful"
    """That it is held to be against a law: Article 3(h) and 16(1). A category can say
    so, and else the person does: whatever the terms call it, it can be illegal."""
    SIGNATURE = "signature"
    """A name under the statement that it is true and in good faith: Article 16(2)(c)
    and (d); section 3(a)(1)(B)(i) and (iii); section 20A."""


@dataclass(frozen=True)
class FormFacts:
    """What of a report decides about its forms. Blank: nobody has said."""

    child_safety: bool
    alleges_illegal: bool
    """Whether the category rests on a law, and not on the platform's terms alone."""
    intimate: bool
    """Whether the category is about intimate pictures that are on the platform."""
    about: str = ""
    """``shown``, ``parent``, ``relative``, ``professional``, ``witness`` or blank."""
    pictured: str = ""
    """``posted``, ``held``, ``no``, ``unknown`` or blank."""
    unlawful: str = ""
    """``yes``, ``no``, or blank: whether the person says that it is against the law."""
    may_act: str = ""
    consent: str = ""
    has_address: bool = False
    has_reasons: bool = False
    has_email: bool = False
    has_contact: bool = False
    """By whatever way: e-mail, telephone, or one that a platform handed on."""
    signed: frozenset[str] = field(default_factory=frozenset)
    """The forms that a signed statement is for."""


@dataclass(frozen=True)
class FormState:
    """One form that a report is, and what it still lacks."""

    form: LegalForm
    missing: tuple[Element, ...]
    complete: bool
    """Nothing is missing, or it is about a child and counts as complete."""


def forms_of(facts: FormFacts, offered: Sequence[str]) -> tuple[FormState, ...]:
    """The forms that a report is, in their fixed order, among those offered."""
    found = [form for form in LegalForm if form in offered and _is(form, facts)]
    return tuple(_state(form, facts) for form in found)


def to_ask(states: Sequence[FormState]) -> tuple[Element, ...]:
    """What is worth asking for: what some form lacks, and no child's report.

    Whether it is against the law is asked before all that only such a notice wants.
    """
    lacking = {each for state in states for each in _worth(state)}
    return tuple(each for each in Element if each in lacking)


def may_be_asked(
    *,
    child_safety: bool,
    alleges_illegal: bool,
    intimate: bool,
    offered: Sequence[str],
) -> tuple[Element, ...]:
    """What :func:`to_ask` can name at the most, whatever is answered."""
    if child_safety:
        return ()
    facts = FormFacts(child_safety, alleges_illegal, intimate)
    states = forms_of(facts, offered)
    wanted = {each for state in states for each in _WANTED[state.form]}
    if alleges_illegal:
        wanted.discard(Element.UNLAWFUL)
    return tuple(each for each in Element if each in wanted)


def _worth(state: FormState) -> tuple[Element, ...]:
    if state.complete:
        return ()
    first = Element.UNLAWFUL
    return (first,) if first in state.missing else state.missing


def _is(form: LegalForm, facts: FormFacts) -> bool:
    if form == LegalForm.DSA_NOTICE:
        return facts.child_safety or facts.unlawful != "no"
    pictured = facts.intimate or (facts.child_safety and facts.pictured == "posted")
    agreed = facts.consent == "yes" and not facts.child_safety
    stranger = facts.about == "witness" or facts.may_act == "no"
    return pictured and not agreed and not stranger


def _state(form: LegalForm, facts: FormFacts) -> FormState:
    missing = tuple(each for each in _WANTED[form] if not _has(each, form, facts))
    return FormState(form, missing, complete=not missing or facts.child_safety)


def _has(element: Element, form: LegalForm, facts: FormFacts) -> bool:
    match element:
        case Element.ADDRESS:
            return facts.has_address
        case Element.REASONS:
            # That a child is harmed needs no further reason.
            return facts.has_reasons or facts.child_safety
        case Element.WHO:
            return bool(facts.about)
        case Element.MAY_ACT:
            # A parent acts for their child by law.
            return facts.about in ("", "shown", "parent") or facts.may_act == "yes"
        case Element.NOT_AGREED:
            # A child cannot agree.
            return facts.consent == "no" or facts.child_safety
        case Element.EMAIL:
            # Article 16(2)(c): no name and no address where a child is abused.
            is_notice = form == LegalForm.DSA_NOTICE
            enough = facts.child_safety if is_notice else facts.has_contact
            return facts.has_email or enough
        case Element.UNLAWFUL:
            alleged = facts.alleges_illegal or facts.unlawful == "yes"
            return alleged or facts.child_safety
        case Element.SIGNATURE:
            return form in facts.signed


_WANTED = {
    LegalForm.DSA_NOTICE: (
        Element.UNLAWFUL,
        Element.ADDRESS,
        Element.REASONS,
        Element.EMAIL,
        Element.SIGNATURE,
    ),
    LegalForm.TAKE_IT_DOWN: (
        Element.ADDRESS,
        Element.WHO,
        Element.MAY_ACT,
        Element.NOT_AGREED,
        Element.EMAIL,
        Element.SIGNATURE,
    ),
    LegalForm.UK_INTIMATE_IMAGE: (
        Element.ADDRESS,
        Element.WHO,
        Element.MAY_ACT,
        Element.EMAIL,
        Element.SIGNATURE,
    ),
}
"""What each statute wants; the names and numbers stand at the elements."""
