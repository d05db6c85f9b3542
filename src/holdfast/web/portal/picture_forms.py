"""Questions about a picture that stays on the device: only its fingerprint comes here.

None of them has a box for a file. What a browser sends is checked like any other
answer: it could come from anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from holdfast.base.errors import InvalidInput
from holdfast.intake.operations import FingerprintGiven
from holdfast.items.queries import PlatformLine
from holdfast.policy.rules import Category
from holdfast.web.once import once_field


class PictureForm(forms.Form):
    """The fingerprint, and the site that it is looked for on."""

    pdq = forms.CharField(max_length=512, widget=forms.HiddenInput, required=False)
    quality = forms.IntegerField(widget=forms.HiddenInput, required=False)
    platform = forms.ChoiceField(
        label=_("On which site or app is it?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the site or app.")},
    )

    def __init__(self, platforms: Sequence[PlatformLine], **given: Any) -> None:
        super().__init__(**given)
        self._platforms = {each.slug: each for each in platforms}
        self.fingerprint: FingerprintGiven | None = None
        field = self.fields["platform"]
        field.choices = [(each.slug, each.name) for each in platforms]  # type: ignore[attr-defined]  # A ChoiceField.
        if len(platforms) == 1:
            field.required = False
            field.initial = platforms[0].slug
            field.widget = forms.HiddenInput()

    @property
    def platform_id(self) -> UUID:
        """The site; the only one there is, or the one that was chosen."""
        chosen = self.cleaned_data.get("platform")
        known = self._platforms.get(chosen) if chosen else None
        return (known or next(iter(self._platforms.values()))).id

    def clean(self) -> dict[str, Any]:
        """Read the fingerprint."""
        answers = super().clean() or {}
        if not answers.get("pdq"):
            self.add_error(
                None, _("Choose a picture first. Its fingerprint is made here.")
            )
        else:
            try:
                self.fingerprint = FingerprintGiven.from_hex(
                    answers["pdq"],
                    answers.get("quality") or 0,
                    watch=bool(answers.get("watch")),
                )
            except InvalidInput as refusal:
                self.add_error(None, refusal.message)
        return answers


class SendPictureForm(PictureForm):
    """The report of a picture by its fingerprint."""

    once = once_field()
    answer = forms.CharField(widget=forms.HiddenInput, required=False, max_length=8)
    category = forms.ChoiceField(
        label=_("What is it about?"),
        help_text=_("Choose what fits best. You need not be sure."),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose what it is about. If nothing fits, choose the last."),
            "invalid_choice": _("Choose one of these."),
        },
    )
    watch = forms.BooleanField(
        label=_("Look out for it, if somebody posts it later"),
        required=False,
        initial=True,
    )

    def __init__(
        self,
        platforms: Sequence[PlatformLine],
        categories: Sequence[Category],
        *,
        adds: bool,
        **given: Any,
    ) -> None:
        super().__init__(platforms, **given)
        self.fields["category"].choices = [  # type: ignore[attr-defined]  # A ChoiceField.
            (each.code, each.label) for each in categories
        ]
        # The site was chosen on the page before.
        self.fields["platform"].widget = forms.HiddenInput()
        if adds:
            del self.fields["category"]
