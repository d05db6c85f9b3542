"""One report, several legal forms: what each is, and what it lacks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.intake.legal_forms import (
    Element,
    FormFacts,
    LegalForm,
    forms_of,
    to_ask,
)

ALL = tuple(LegalForm)
FULL = FormFacts(
    child_safety=False,
    alleges_illegal=True,
    intimate=True,
    about="shown",
    pictured="posted",
    consent="no",
    has_address=True,
    has_reasons=True,
    has_email=True,
    signed=frozenset(ALL),
)
facts = st.builds(
    FormFacts,
    child_safety=st.booleans(),
    alleges_illegal=st.booleans(),
    intimate=st.booleans(),
    about=st.sampled_from(
        ["", "shown", "parent", "relative", "professional", "witness"]
    ),
    pictured=st.sampled_from(["", "posted", "held", "no"]),
    unlawful=st.sampled_from(["", "yes", "no"]),
    may_act=st.sampled_from(["", "yes", "no"]),
    consent=st.sampled_from(["", "yes", "no"]),
    has_address=st.booleans(),
    has_reasons=st.booleans(),
    has_email=st.booleans(),
    has_contact=st.booleans(),
    signed=st.frozensets(st.sampled_from([str(each) for each in ALL])),
)


def missing(facts: FormFacts, form: LegalForm) -> tuple[Element, ...] | None:
    found = [each for each in forms_of(facts, ALL) if each.form == form]
    return found[0].missing if found else None


def test_one_report_can_be_all_of_them_at_once() -> None:
    states = forms_of(FULL, ALL)
    assert [each.form for each in states] == list(ALL)
    assert all(each.complete and not each.missing for each in states)
    assert to_ask(states) == ()


@pytest.mark.parametrize(
    ("change", "form", "lacks"),
    [
        # Article 16(2) (a), (b), (c) and (d).
        ({"has_reasons": False}, LegalForm.DSA_NOTICE, Element.REASONS),
        ({"has_address": False}, LegalForm.DSA_NOTICE, Element.ADDRESS),
        ({"has_email": False}, LegalForm.DSA_NOTICE, Element.EMAIL),
        ({"signed": frozenset()}, LegalForm.DSA_NOTICE, Element.SIGNATURE),
        # TAKE IT DOWN Act, section 3(a)(1)(B) (i) to (iv), and (A): who may ask.
        ({"signed": frozenset()}, LegalForm.TAKE_IT_DOWN, Element.SIGNATURE),
        ({"has_address": False}, LegalForm.TAKE_IT_DOWN, Element.ADDRESS),
        ({"consent": ""}, LegalForm.TAKE_IT_DOWN, Element.NOT_AGREED),
        ({"has_email": False}, LegalForm.TAKE_IT_DOWN, Element.EMAIL),
        ({"about": ""}, LegalForm.TAKE_IT_DOWN, Element.WHO),
        ({"about": "relative"}, LegalForm.TAKE_IT_DOWN, Element.MAY_ACT),
        # Online Safety Act 2023, section 20A.
        ({"about": "relative"}, LegalForm.UK_INTIMATE_IMAGE, Element.MAY_ACT),
        ({"signed": frozenset()}, LegalForm.UK_INTIMATE_IMAGE, Element.SIGNATURE),
        ({"has_address": False}, LegalForm.UK_INTIMATE_IMAGE, Element.ADDRESS),
        ({"has_email": False}, LegalForm.UK_INTIMATE_IMAGE, Element.EMAIL),
    ],
)
def test_what_a_statute_wants_is_named_when_it_is_missing(
    change: dict[str, object], form: LegalForm, lacks: Element
) -> None:
    assert missing(replace(FULL, **change), form) == (lacks,)  # type: ignore[arg-type]  # Field names with their own types.


@pytest.mark.parametrize(
    "change", [{"about": "witness"}, {"may_act": "no"}, {"consent": "yes"}]
)
def test_an_answer_can_rule_a_form_out_and_leaves_the_notice(
    change: dict[str, str],
) -> None:
    states = forms_of(replace(FULL, **change), ALL)  # type: ignore[arg-type]  # Field names with their own types.
    assert [each.form for each in states] == [LegalForm.DSA_NOTICE]


def test_a_telephone_is_contact_enough_but_for_a_notice() -> None:
    states = forms_of(replace(FULL, has_email=False, has_contact=True), ALL)
    lacking = {each.form: each.missing for each in states if each.missing}
    assert lacking == {LegalForm.DSA_NOTICE: (Element.EMAIL,)}


def test_whatever_the_terms_call_it_the_person_says_whether_it_is_a_notice() -> None:
    plain = FormFacts(child_safety=False, alleges_illegal=False, intimate=False)
    (silent,) = forms_of(plain, ALL)
    assert silent.form == LegalForm.DSA_NOTICE
    assert Element.UNLAWFUL in silent.missing
    # Nothing more is asked for a notice before they have said that it is one.
    assert to_ask((silent,)) == (Element.UNLAWFUL,)
    said = forms_of(replace(plain, unlawful="yes"), ALL)
    assert set(to_ask(said)) == {
        Element.ADDRESS,
        Element.REASONS,
        Element.EMAIL,
        Element.SIGNATURE,
    }
    full = replace(FULL, alleges_illegal=False, intimate=False, unlawful="yes")
    assert [each.complete for each in forms_of(full, ALL)] == [True]
    assert forms_of(replace(plain, unlawful="no"), ALL) == ()
    assert missing(replace(FULL, unlawful="no"), LegalForm.DSA_NOTICE) is None


def test_what_the_category_or_a_childs_age_says_is_not_asked() -> None:
    by_law = FormFacts(child_safety=False, alleges_illegal=True, intimate=False)
    child = FormFacts(child_safety=True, alleges_illegal=False, intimate=False)
    for known in (by_law, child):
        assert Element.UNLAWFUL not in (missing(known, LegalForm.DSA_NOTICE) or ())
    assert missing(replace(child, unlawful="no"), LegalForm.DSA_NOTICE) is not None


@given(facts)
def test_about_a_child_nothing_is_ever_incomplete(given: FormFacts) -> None:
    states = forms_of(replace(given, child_safety=True), ALL)
    assert all(each.complete for each in states)
    assert to_ask(states) == ()
    notice = missing(replace(given, child_safety=True), LegalForm.DSA_NOTICE)
    # Article 16(2)(c): neither name nor e-mail address may be wanted.
    assert Element.EMAIL not in (notice or ())


@given(facts)
def test_without_an_answer_a_form_is_not_ruled_out(given: FormFacts) -> None:
    silent = replace(given, about="", may_act="", consent="", unlawful="")
    asked = {each.form for each in forms_of(given, ALL)}
    assert asked <= {each.form for each in forms_of(silent, ALL)}


@given(facts, st.sets(st.sampled_from(ALL)))
def test_only_what_is_offered_is_found(
    given: FormFacts, offered: set[LegalForm]
) -> None:
    found = {each.form for each in forms_of(given, [str(each) for each in offered])}
    assert found == {each.form for each in forms_of(given, ALL)} & offered
