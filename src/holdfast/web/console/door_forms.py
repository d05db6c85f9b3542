"""The forms of the console for the other doors: a call or a letter, trusted
flaggers."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any, Final

from django import forms
from django.conf import settings

from holdfast.base import clock
from holdfast.policy.rules import Policy
from holdfast.web.console.forms import WordsWhenNeeded
from holdfast.web.console.words import CLAIMS
from holdfast.web.once import once_field

MAX_CONTACT = 400  # characters; the width of the column.
SAID_OF_THEMSELVES: Final = ("shown", "parent", "relative", "professional", "witness")
"""Claims that a caller can make; being a trusted flagger is not one of them."""
_TIME = "%Y-%m-%dT%H:%M"


class Listing(forms.Form):
    """Where a public list names an organisation, for what, and until when."""

    listed_as = forms.CharField(
        label="Where a public list names it",
        help_text="For a trusted flagger: its entry in the list of the Commission or of"
        " the Digital Services Coordinator. A hotline without that status has none.",
        required=False,
        max_length=400,
    )
    listed_until = forms.DateField(
        label="To be looked up again by",
        help_text="From that day (UTC) on its reports have no priority, and you are"
        " alarmed. Within a year.",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": "Write it as 2027-03-01."},
    )
    scope = forms.MultipleChoiceField(
        label="Scope: where its reports have priority",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(
        self, data: Any = None, *, policy: Policy, initial: Any = None
    ) -> None:
        super().__init__(data, initial=initial)
        self.fields["scope"].choices = [  # type: ignore[attr-defined]  # A ChoiceField.
            (each.code, each.label) for each in policy.categories
        ]

    def until(self) -> datetime | None:
        """The first moment without priority."""
        day = self.cleaned_data["listed_until"]
        return datetime.combine(day, time(), UTC) if day else None


class NewFlagger(Listing):
    """An organisation that gets an account."""

    field_order = ("name", "contact", "platform")
    name = forms.CharField(label="Name of the organisation", max_length=120)
    contact = forms.CharField(
        label="How to reach it",
        help_text="E-mail or telephone of whoever answers for its reports.",
        max_length=MAX_CONTACT,
    )
    platform = forms.ChoiceField(label="For which platform")

    def __init__(
        self, data: Any = None, *, platforms: list[tuple[str, str]], policy: Policy
    ) -> None:
        super().__init__(data, policy=policy)
        self.fields["platform"].choices = platforms  # type: ignore[attr-defined]  # A ChoiceField.


class NewFlaggerPerson(forms.Form):
    """Somebody of such an organisation, who will sign in to its page."""

    name = forms.CharField(label="Name", max_length=120)
    email = forms.EmailField(label="E-mail, with which they sign in")


class WhyFlagger(forms.Form):
    """Why an account loses its priority, or is closed."""

    why = forms.CharField(
        label="Why, in writing",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
    )


class TakeDown(forms.Form):
    """What somebody said on the telephone, or wrote in a letter."""

    use_required_attribute = False

    once = once_field()
    channel = forms.ChoiceField(
        label="How did it come?",
        choices=[("phone", "By telephone"), ("letter", "By letter")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how it came."},
    )
    received_at = forms.DateTimeField(
        label="When did it reach us? (UTC)",
        help_text="The clocks run from then, and not from now.",
        widget=forms.DateTimeInput(format=_TIME, attrs={"type": "datetime-local"}),
        error_messages={
            "required": "Say when it came.",
            "invalid": "Write it as 2026-03-01 14:30.",
        },
    )
    platform = forms.ChoiceField(label="On which platform is it?")
    category = forms.ChoiceField(
        label="What is it about?",
        error_messages={"required": "Choose what it is about."},
        # Not ``required``: a browser calls that invalid before anything is sent.
        widget=forms.Select(attrs={"aria-required": "true"}),
    )
    addresses = WordsWhenNeeded(
        label="Where is it?",
        help_text="Addresses or account names, one on each line.",
    )
    words = WordsWhenNeeded(label="What they said, in their own words")
    claim = forms.ChoiceField(
        label="Who they say they are",
        required=False,
        choices=[
            ("", "not said"),
            *((each, CLAIMS[each]) for each in SAID_OF_THEMSELVES),
        ],
    )
    in_danger_now = forms.BooleanField(
        label="Somebody is in danger now", required=False
    )
    police_number = forms.CharField(
        label="Number from the police", required=False, max_length=100
    )
    contact = forms.CharField(
        label="E-mail or telephone, if they want to hear from us",
        required=False,
        max_length=MAX_CONTACT,
    )
    language = forms.ChoiceField(
        label="Language for our messages", choices=settings.LANGUAGES
    )

    def __init__(
        self, data: Any = None, *, platforms: list[tuple[str, str]], policy: Policy
    ) -> None:
        # To the minute, as the form asks for it; to the second it would be refused.
        now = clock.now().replace(second=0, microsecond=0)
        super().__init__(data, initial={"received_at": now})
        self.fields["platform"].choices = platforms  # type: ignore[attr-defined]  # A ChoiceField.
        self.fields["category"].choices = [  # type: ignore[attr-defined]  # A ChoiceField.
            ("", "Choose"),
            *((each.code, each.label) for each in policy.categories),
        ]

    def clean(self) -> dict[str, Any]:
        """Something must be said, and not tomorrow."""
        given: dict[str, Any] = super().clean() or {}
        said = given.get("addresses", "").strip() or given.get("words", "").strip()
        if not (said or {"addresses", "words"} & set(self.errors)):
            self.add_error("words", "Write where it is, or what they said.")
        received_at = given.get("received_at")
        if received_at and received_at > clock.now():
            self.add_error("received_at", "This is in the future.")
        return given
