"""The sample forms of the gallery.

For what: every kind of field that the field template draws. Never does: reach a page
that anybody uses; the real questions are written with their stage.
"""

from __future__ import annotations

from typing import Final

from django import forms

CATEGORIES: Final = (
    ("child", "It is about somebody under 18"),
    ("image", "A picture of me that I did not want shared"),
    ("threat", "Somebody threatens me"),
    ("other", "Something else"),
)
# Hints by field name, then by the value of the choice.
CATEGORY_HINTS: Final = {
    "category": {"child": "You, or somebody else. You need not be sure."}
}


class Category(forms.Form):
    """One question with radio buttons."""

    category = forms.ChoiceField(
        label="What do you want to tell us about?",
        help_text="Choose the one that fits best. We look at all of them.",
        choices=CATEGORIES,
        widget=forms.RadioSelect,
    )


class EveryQuestion(forms.Form):
    """Every kind of field in one form."""

    category = forms.ChoiceField(
        label="What do you want to tell us about?",
        choices=CATEGORIES,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what it is about"},
    )
    also = forms.MultipleChoiceField(
        label="Is one of these so?",
        help_text="Choose all that fit.",
        choices=(("me", "I am the person shown"), ("police", "The police know")),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    where = forms.URLField(
        label="Where is it?",
        help_text="Copy the address from the app, if you can.",
        assume_scheme="https",
        error_messages={"invalid": "This address is not complete"},
    )
    name = forms.CharField(label="What may we call you?", required=False)
    words = forms.CharField(
        label="Tell us in your own words",
        widget=forms.Textarea(attrs={"rows": 5}),
        required=False,
    )
    agree = forms.BooleanField(label="Send me an e-mail", required=False)


class Decision(forms.Form):
    """A decision with its ground and reason."""

    outcome = forms.ChoiceField(
        label="Decision",
        choices=(
            ("remove", "Remove, and refer to the authority"),
            ("age", "Limit by age"),
            ("none", "No violation"),
        ),
        widget=forms.RadioSelect,
    )
    ground = forms.ChoiceField(
        label="Ground", choices=(("", "Choose"), ("4.1", "4.1 Child safety"))
    )
    reason = forms.CharField(label="Reason, in writing", widget=forms.Textarea)


class SignIn(forms.Form):
    """Name and password."""

    username = forms.CharField(
        label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        label="Password",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class Code(forms.Form):
    """The code of the second factor."""

    code = forms.CharField(
        label="Code",
        max_length=6,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}
        ),
    )
