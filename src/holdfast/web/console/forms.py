"""The forms of the console. They ask and check shape; whether a step may be taken is
ruled by the operation that takes it, whose refusal is shown in the form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django import forms

from holdfast.languages.choice import language_name
from holdfast.policy.rules import URGENCIES, Category, Policy
from holdfast.review.lines import ActorLine
from holdfast.review.rules import MIN_REASON_CHARS
from holdfast.web.console.words import (
    NEEDS,
    OUTCOMES,
    PARTS,
    REASONS,
    ROLES,
    account,
)

ACTORS_ASKED: Final = 12
"""Accounts whose part the form asks for, those behind what was reported first. Nobody
can say of a thousand reposters what part each had, so nothing is said of them."""
PASSWORD_CHARS: Final = 1024
Choices = list[tuple[str, str]]


def words_field(label: str, *, hint: str = "") -> forms.CharField:
    """A box for a reason or a note."""
    return forms.CharField(
        label=label,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=hint,
        max_length=20_000,
        error_messages={"required": "Write something here."},
    )


def _password(label: str, autocomplete: str, hint: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=hint,
        strip=False,
        max_length=PASSWORD_CHARS,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
    )


def _code(label: str, hint: str, *, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=hint,
        required=required,
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "characters"}
        ),
    )


class SignIn(forms.Form):
    """Both factors at once: which of them was wrong is nobody's business."""

    email = forms.EmailField(
        label="E-mail",
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = _password("Password", "current-password")
    code = _code(
        "Code",
        "Six digits from your app, or a recovery code. Leave it empty the first time.",
        required=False,
    )


class Enrol(forms.Form):
    """The first code of a new second factor, and a password of one's own."""

    token = forms.CharField(widget=forms.HiddenInput)
    code = _code("Code", "Six digits, as the app shows them now.")
    new_password = _password(
        "Your own password",
        "new-password",
        "At least 12 characters. It replaces the one you were given.",
    )


class ChangePassword(forms.Form):
    """The old password and a new one."""

    old_password = _password("Present password", "current-password")
    new_password = _password("New password", "new-password", "At least 12 characters.")


class QueueFilter(forms.Form):
    """Which cases of the queue to show. Sent by GET, so that it can be kept."""

    urgency = forms.ChoiceField(
        required=False,
        label="Urgency",
        choices=[("", "any"), *((each, each.capitalize()) for each in URGENCIES)],
    )
    needs = forms.ChoiceField(
        required=False, label="Waits for", choices=[("", "anybody"), *NEEDS.items()]
    )
    claimed = forms.ChoiceField(
        required=False,
        label="Claimed",
        choices=[("", "any"), ("free", "by nobody"), ("mine", "by me")],
    )
    language = forms.ChoiceField(required=False, label="Language")

    def __init__(self, data: Any = None, *, languages: Sequence[str]) -> None:
        super().__init__(data)
        self.fields["language"].choices = [  # type: ignore[attr-defined]  # A ChoiceField.
            ("", "any"),
            ("mine", "that I read, or nobody"),
            *((each, language_name(each)) for each in languages),
        ]


class Languages(forms.Form):
    """What somebody reads."""

    languages = forms.CharField(
        label="Languages that you read",
        help_text="Codes with commas between them, such as: en, nb, pt. Empty: you have"
        " not said, and the queue stays by urgency and clock alone.",
        required=False,
        max_length=400,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def tags(self) -> list[str]:
        """One by one."""
        return re.split(r"[\s,;]+", str(self.cleaned_data["languages"]))


class Note(forms.Form):
    """A remark."""

    words = words_field("Note")


class Reveal(forms.Form):
    """Why an original is opened."""

    reason = forms.ChoiceField(
        label="Why do you need to see it?",
        choices=[("", "Choose a reason"), *REASONS],
    )
    note = forms.CharField(label="More, in your words", required=False, max_length=2000)

    def words(self) -> str:
        """The reason as it is logged."""
        note = self.cleaned_data["note"].strip()
        return (
            f"{self.cleaned_data['reason']}: {note}"
            if note
            else str(self.cleaned_data["reason"])
        )


class RevealTogether(Reveal):
    """The same for somebody who does not hold the case: it takes a second person."""

    second_email = forms.EmailField(
        label="Colleague's e-mail",
        help_text="Somebody beside you who agrees that you look.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    second_code = forms.CharField(
        label="Colleague's code",
        help_text="They type the six digits that their own device shows now.",
        max_length=12,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )


class Thaw(forms.Form):
    """Which frozen item may be shown again, and why."""

    item = forms.ChoiceField(label="What is shown again")
    reason = words_field("Why, in writing")

    def __init__(self, data: Any = None, *, items: Choices) -> None:
        super().__init__(data)
        field = self.fields["item"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = items


class WhenNeeded(forms.ChoiceField):
    """A choice that one finding needs and another does not: neither is "optional"."""

    when_needed = True

    def __init__(self, **more: Any) -> None:
        super().__init__(required=False, **more)


class WordsWhenNeeded(forms.CharField):
    """The same for a text."""

    when_needed = True

    def __init__(self, **more: Any) -> None:
        area = forms.Textarea(attrs={"rows": 4})
        super().__init__(required=False, max_length=20_000, widget=area, **more)


class Decide(forms.Form):
    """One reader's finding, in the order in which one thinks about it."""

    outcome = forms.ChoiceField(
        label="What you find",
        choices=[(code, OUTCOMES[code]) for code in ("violation", "no_violation")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what you find."},
    )
    category = forms.ChoiceField(label="Category")
    ground = WhenNeeded(label="Ground", help_text="The law or the rule that it breaks.")
    refer = forms.ChoiceField(
        label="Tell the authority?",
        choices=[("yes", "Yes, refer it"), ("no", "No")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether an authority is told."},
    )
    why_not_refer = WordsWhenNeeded(label="If not: why no authority is told")
    reason = words_field("Reason, in writing", hint="It is quoted in the decision.")

    def __init__(
        self,
        data: Any = None,
        *,
        policy: Policy,
        category: str,
        actors: Sequence[ActorLine] = (),
    ) -> None:
        # Named apart from the search and the notes, which stand on the same page.
        super().__init__(data, initial={"category": category}, prefix="decide")
        self.asked = actors[:ACTORS_ASKED]
        _choose(
            self, "category", [(each.code, each.label) for each in policy.categories]
        )
        _choose(self, "ground", _grounds(policy, category))
        for at, actor in enumerate(self.asked):
            self.fields[f"part{at}"] = WhenNeeded(
                label=f"Part of {actor_words(actor)}",
                choices=[("", "Choose"), *PARTS.items()],
            )
        order = ["outcome", "category", "ground"]
        order += [f"part{at}" for at in range(len(self.asked))]
        self.order_fields([*order, "refer", "why_not_refer", "reason"])

    def clean(self) -> dict[str, Any]:
        """What can be seen to be missing before anybody is asked."""
        given: dict[str, Any] = super().clean() or {}
        violation = given.get("outcome") == "violation"
        if violation and not given.get("ground"):
            self.add_error("ground", "Name the law or the rule that this breaks.")
        if given.get("outcome") == "no_violation" and given.get("refer") == "yes":
            self.add_error("refer", "What is no violation is not referred.")
        too_short = len(given.get("why_not_refer", "").strip()) < MIN_REASON_CHARS
        if given.get("refer") == "no" and too_short:
            self.add_error("why_not_refer", "Say why; it is kept with the decision.")
        for at in range(len(self.asked)):
            # People name each part: nothing here fills one in (promise 15).
            if violation and not given.get(f"part{at}"):
                self.add_error(f"part{at}", "Choose a part, or “Not known”.")
        return given

    def parts(self) -> dict[UUID | str, str]:
        """What part each account had, as the reader named it."""
        given = {
            actor.actor_id: self.cleaned_data[f"part{at}"]
            for at, actor in enumerate(self.asked)
        }
        return {actor: part for actor, part in given.items() if part}


class AddPerson(forms.Form):
    """Somebody new."""

    name = forms.CharField(label="Name, as colleagues know them", max_length=120)
    email = forms.EmailField(
        label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    roles = forms.MultipleChoiceField(
        label="Roles",
        choices=list(ROLES.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one role."},
    )


class Roles(forms.Form):
    """What somebody is here for."""

    roles = AddPerson.base_fields["roles"]


class NewKey(forms.Form):
    """A platform's new API key."""

    platform = forms.ChoiceField(label="Platform")
    label = forms.CharField(
        label="What it is for", max_length=120, help_text="Such as “production, web”."
    )

    def __init__(self, data: Any = None, *, platforms: Choices) -> None:
        super().__init__(data)
        _choose(self, "platform", platforms)


class Access(forms.Form):
    """A platform's access to an authority."""

    platform = forms.ChoiceField(label="Platform")
    authority = forms.ChoiceField(
        label="Authority", choices=[("cybertipline", "CyberTipline (NCMEC)")]
    )
    base_url = forms.URLField(
        label="Address of its service", assume_scheme="https", max_length=400
    )
    username = forms.CharField(label="User name there", max_length=200)
    password = _password("Password there", "off")
    reporting_email = forms.EmailField(label="E-mail of who speaks for the platform")
    reporting_person = forms.CharField(
        label="Name of who speaks for the platform", required=False, max_length=200
    )

    def __init__(self, data: Any = None, *, platforms: Choices) -> None:
        super().__init__(data)
        _choose(self, "platform", platforms)


class GoLive(Access):
    """The same for production, which somebody takes on by saying so."""

    sure = forms.BooleanField(
        label="From now on referrals are filed with the authority",
        error_messages={"required": "Tick this to go live."},
    )


def actor_words(actor: ActorLine) -> str:
    """What an account is called on its platform."""
    return account(actor.screen_name, actor.external_id)


def _choose(form: forms.Form, name: str, choices: Sequence[Any]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = list(choices)


def _grounds(policy: Policy, category: str) -> Sequence[Any]:
    """The grounds of this category first, then all others, each once."""
    own = _own_grounds(policy.categories, category)
    words: Mapping[str, str] = {
        each.code: f"{each.words} ({each.reference})" for each in policy.grounds
    }
    others = [(code, said) for code, said in words.items() if code not in own]
    return [
        ("", "Choose"),
        ("Of this category", [(code, words[code]) for code in own]),
        ("Of other categories", others),
    ]


def _own_grounds(categories: Sequence[Category], code: str) -> tuple[str, ...]:
    return next((each.grounds for each in categories if each.code == code), ())
