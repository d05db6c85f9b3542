"""The form of whoever decides that reporting was misused, or was not."""

from __future__ import annotations

from typing import Any

from django import forms

from holdfast.decisions.misuse import LONGEST_DAYS, Standing
from holdfast.languages.choice import in_words
from holdfast.policy.queries import category_of
from holdfast.web.console.forms import words_field


class Misuse(forms.Form):
    """Which reports were manifestly unfounded, and what shows that it was meant so."""

    unfounded = forms.MultipleChoiceField(
        label="Reports that were manifestly unfounded",
        help_text="Only those in which people have found nothing can count.",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose the reports that count."},
    )
    intention = words_field(
        "What shows the intention?", hint="What can be seen, and where it was seen."
    )
    reason = words_field("Why is this misuse, and not a mistake?")
    days = forms.IntegerField(
        label="For how many days?", min_value=1, max_value=LONGEST_DAYS
    )

    def __init__(self, data: Any = None, *, standing: Standing) -> None:
        super().__init__(data)
        since = standing.counts_from
        count = [
            (each, in_words(category_of(each.category).label))
            for each in standing.reports
            if each.may_count and (since is None or each.received_at > since)
        ]
        self.fields["unfounded"].choices = [  # type: ignore[attr-defined]  # A ChoiceField.
            (str(each.id), f"{each.number}, {about}") for each, about in count
        ]
        if since is None:
            del self.fields["days"]
