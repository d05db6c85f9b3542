"""The forms of the console for banks: what never comes again, and why."""

from __future__ import annotations

from typing import Any

from django import forms

MAX_HASH = 64  # hexadecimal digits of the longest, SHA-256 and PDQ.
MAX_REASON = 2000  # characters.


class WhyBank(forms.Form):
    """A reason in writing."""

    reason = forms.CharField(
        label="Why",
        help_text="In a sentence. It is kept for ever.",
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class NeverAgain(WhyBank):
    """One hash of one bank."""

    bank = forms.ChoiceField(label="Bank")
    signal = forms.CharField(
        label="Hash",
        help_text="32 hexadecimal digits (MD5) or 64 (SHA-256, PDQ), as the bank"
        " has it.",
        max_length=MAX_HASH,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("bank", "signal", "reason")

    def __init__(self, data: Any = None, *, banks: list[tuple[str, str]]) -> None:
        super().__init__(data)
        self.fields["bank"].choices = banks  # type: ignore[attr-defined]  # A ChoiceField.
