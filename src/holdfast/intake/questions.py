"""The questions of the front door. Questions are data: add one here, and it is asked.

A question has a code, words, a kind, its answers, and a condition under which it is
asked, in the language that policies use (CEL). A condition sees ``category`` (code,
child_safety, if_under_18), ``answers`` (code of the question: answer, blank when there
is none) and ``missing`` (what a legal form still lacks). None of them has to be
answered, "I don't know" is a choice or the button that skips the question, and none
asks for a picture, a screenshot or a paper.

What somebody was asked is archived word for word in their language, by its hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from holdfast.policy.rules import Category, holds

Words = str | Promise
Kind = Literal["choice", "text", "message", "places", "email", "signature"]
"""``choice`` and ``text`` are answers; ``message`` becomes a message of the thread,
``places`` become things reported; ``email`` and ``signature`` are kept apart."""


@dataclass(frozen=True)
class Choice:
    """One answer that can be chosen."""

    code: str
    words: Words
    hint: Words = ""


@dataclass(frozen=True)
class Question:
    """One question; ``short`` names it where the answers are looked over.

    ``words_to_shown`` are for somebody who has said that it is about them.
    """

    code: str
    kind: Kind
    short: Words
    words: Words
    hint: Words = ""
    choices: tuple[Choice, ...] = ()
    when: str = "true"
    words_to_shown: Words = ""

    def words_for(self, answers: Mapping[str, str]) -> Words:
        """The words for somebody who has answered so far as ``answers`` say."""
        if self.words_to_shown and answers.get("about") == "shown":
            return self.words_to_shown
        return self.words


UNKNOWN: Final = Choice("unknown", _("I don't know"))
YES: Final = Choice("yes", _("Yes"))
NO: Final = Choice("no", _("No"))
CLAIMED: Final = ("shown", "parent", "relative", "professional", "witness")
"""Answers to "Who is it about?"; each is a claim (``operations.CLAIMS``)."""
DANGERS: Final = ("hurt", "suicide")
"""Answers to "Is somebody in danger?" on which people are called."""
MINOR: Final = ("under_10", "10_12", "13_15", "16_17")
"""Ages under 18."""

_AGES = (
    Choice("under_10", _("Under 10")),
    Choice("10_12", _("10 to 12")),
    Choice("13_15", _("13 to 15")),
    Choice("16_17", _("16 or 17")),
    Choice("adult", _("18 or over")),
    UNKNOWN,
)
_PERSON = '(category.child_safety || category.code == "intimate_image")'
# Also where it is another matter if the person is a child. What is asked of children
# is asked of all there, so that no question comes up behind somebody who said so.
_MAY_BE_CHILD = f'({_PERSON} || category.if_under_18 != "")'
# Of these it is known that there is a picture: nobody is asked once more.
_PICTURE_SAID = 'category.code in ["child_sexual_abuse_material", "intimate_image"]'
_HARM = '!(category.code in ["copyright", "scam"])'
_CONTACT = '(category.child_safety || category.code in ["harassment", "threats_violence", "intimate_image"])'  # noqa: E501  # One condition on one line.

QUESTIONS: Final[tuple[Question, ...]] = (
    Question(
        "danger",
        "choice",
        _("Danger"),
        _("Is somebody in danger right now?"),
        choices=(
            Choice("hurt", _("Yes, somebody is being hurt, or could be soon")),
            Choice(
                "suicide",
                _("Yes, somebody does not want to live any more"),
                _("You yourself, or somebody else."),
            ),
            NO,
            UNKNOWN,
        ),
        when=_HARM,
    ),
    Question(
        "about",
        "choice",
        _("Who it is about"),
        _("Who is it about?"),
        _("We believe you, and we will not ask for a paper."),
        (
            Choice("shown", _("Me")),
            Choice("parent", _("My child")),
            Choice("relative", _("A friend, or somebody in my family")),
            Choice(
                "professional",
                _("Somebody I know through my work"),
                _("As a teacher, for example."),
            ),
            Choice("witness", _("Somebody I do not know")),
            UNKNOWN,
        ),
        when=_HARM,
    ),
    Question(
        "contact_again",
        "choice",
        _("Still in touch"),
        _("Does the person who does this still write or call?"),
        choices=(YES, NO, UNKNOWN),
        when=f'{_CONTACT} && answers.about != "witness"',
    ),
    Question(
        "pictured",
        "choice",
        _("A picture"),
        _("Is there a picture or a video of the person it is about?"),
        _("Do not send it to us, and do not look for it."),
        (
            Choice("posted", _("Yes, and it is on the site or app")),
            Choice("held", _("Yes, but I think that nobody has posted it")),
            NO,
            UNKNOWN,
        ),
        when=f"{_MAY_BE_CHILD} && !({_PICTURE_SAID})",
        words_to_shown=_("Is there a picture or a video of you?"),
    ),
    Question(
        "age_now",
        "choice",
        _("Age today"),
        _("How old is the person it is about?"),
        _("A guess is fine."),
        _AGES,
        when=_MAY_BE_CHILD,
        words_to_shown=_("How old are you?"),
    ),
    Question(
        "age_then",
        "choice",
        _("Age then"),
        _("How old were they when it happened, or in the picture?"),
        _("A guess is fine."),
        _AGES,
        when=f'{_MAY_BE_CHILD} && !(answers.age_now in ["", "under_10"])',
        words_to_shown=_("How old were you when it happened, or in the picture?"),
    ),
    Question(
        "consent",
        "choice",
        _("Agreed to it"),
        _("Did the person in the picture agree that others see it?"),
        _("To take a picture together is not to agree that it is shared."),
        (Choice("no", _("No")), Choice("yes", _("Yes")), UNKNOWN),
        when='"not_agreed" in missing',
        words_to_shown=_("Did you agree that others see the picture?"),
    ),
    Question(
        "may_act",
        "choice",
        _("Speaking for them"),
        _("Does the person in the picture want you to speak for them?"),
        _("They asked you to, or you take care of them."),
        (YES, NO, UNKNOWN),
        when='"may_act" in missing',
    ),
    Question(
        "police",
        "text",
        _("Number from the police"),
        _("What number did the police give your case?"),
        _(
            "It is on what they gave you. If you have none, or do not know it, skip "
            "this question. You do not have to tell the police."
        ),
        when=_HARM,
    ),
    Question(
        "link",
        "places",
        _("Where it is"),
        _("Is it in other places, too, or from other accounts?"),
        _("An address or the name of an account, one on each line."),
    ),
    Question(
        "words",
        "message",
        _("Your own words"),
        _("Is there anything you want to add?"),
        _("Do not send us the picture. Your words are enough."),
    ),
    Question(
        "unlawful",
        "choice",
        _("Against the law"),
        _("Do you think that it is against the law?"),
        _("You need not be sure, or know which law. We work on your report anyway."),
        (YES, NO, UNKNOWN),
        # Who may not want to live any more is not asked about laws.
        when='"unlawful" in missing && category.code != "self_harm"',
    ),
    Question(
        "email",
        "email",
        _("E-mail"),
        _("What is your e-mail address?"),
        _(
            "The law of some places asks for one in a full request. Without it we work "
            "on your report all the same. Leave it out if somebody else reads your "
            "e-mail."
        ),
        when='"email" in missing',
    ),
    Question(
        "signature",
        "signature",
        _("Signature"),
        _("Do you want to sign your report?"),
        _(
            "The law of some places asks for a name under a full request. Without it "
            "we work on your report all the same."
        ),
        when='"signature" in missing',
    ),
)

_BY_CODE = {each.code: each for each in QUESTIONS}


def question(code: str) -> Question | None:
    """The question of a code, or None."""
    return _BY_CODE.get(code)


def asked(
    category: Category, answers: Mapping[str, str], missing: Sequence[str]
) -> list[Question]:
    """The questions that are asked after the receipt, in their order."""
    seen = _seen(category, answers, missing)
    return [each for each in QUESTIONS if holds(each.when, **seen)]


def most_to_come(
    code: str,
    category: Category,
    answers: Mapping[str, str],
    may_be_missing: Sequence[str],
) -> int:
    """How many questions can follow one at the most, whatever is answered from it on.

    As more is answered this never grows: a question counts from the start if any one
    answer that is still to be given would bring it up.
    """
    start = next(at for at, each in enumerate(QUESTIONS) if each.code == code)
    still_open = QUESTIONS[start:]

    def may_be_asked(one: Question) -> bool:
        worlds = [dict(answers)] + [
            {**answers, each.code: choice.code}
            for each in still_open
            if f"answers.{each.code}" in one.when
            for choice in each.choices
        ]
        seen = (_seen(category, world, may_be_missing) for world in worlds)
        return any(holds(one.when, **each) for each in seen)

    return sum(map(may_be_asked, still_open[1:]))


def _seen(
    category: Category, answers: Mapping[str, str], missing: Sequence[str]
) -> dict[str, Any]:
    """What a condition sees."""
    return {
        "category": category.seen(),
        "answers": {each.code: answers.get(each.code, "") for each in QUESTIONS},
        "missing": [str(each) for each in missing],
    }


def names_accounts(category: str) -> bool:
    """Whether an account or a chat is asked for first, and an address of a post next.

    Who is being extorted, groomed or bullied often has no post to show yet.
    """
    return category in _ACCOUNT_FIRST


_ACCOUNT_FIRST = frozenset(
    {"sextortion", "grooming", "child_trafficking", "harassment", "threats_violence"}
)


def is_of_life(category: str) -> bool:
    """Whether a life can be in danger from what was chosen on the first page alone."""
    return category in _OF_LIFE


_OF_LIFE = frozenset({"self_harm"})


def is_minor(answers: Mapping[str, str]) -> bool:
    """Whether the person was under 18 when it happened, as far as was said.

    Who is under 18 today was so then.
    """
    return answers.get("age_then") in MINOR or answers.get("age_now") in MINOR


def document(language: str) -> dict[str, Any]:
    """All questions as plain data, word for word in a language."""
    with translation.override(language):
        return {
            "language": language,
            "questions": [
                {
                    "code": each.code,
                    "kind": each.kind,
                    "words": str(each.words),
                    "words_to_shown": str(each.words_to_shown),
                    "hint": str(each.hint),
                    "when": each.when,
                    "choices": [
                        {
                            "code": choice.code,
                            "words": str(choice.words),
                            "hint": str(choice.hint),
                        }
                        for choice in each.choices
                    ],
                }
                for each in QUESTIONS
            ],
        }


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of a document as canonical JSON: 64 hexadecimal digits."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
