"""The form for the police: what they report, and how to reach them.

Unlike everybody else they are asked who they are, because a case number without an
agency is of no use; nothing else is needed but where it is or what it is. Nothing here
proves that it is the police: people verify that, and not by an e-mail address.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from holdfast.intake.operations import MAX_TARGETS, MAX_WORDS, TargetGiven
from holdfast.items.queries import PlatformLine, platform_of_url
from holdfast.policy.rules import Category
from holdfast.web.once import once_field
from holdfast.web.portal.forms import MAX_POLICE_NUMBER, platforms_in, targets_of

MAX_AGENCY = 150  # characters; with the country it fits its column of 255.
MAX_COUNTRY = 80
MAX_NAME = 120
MAX_REACH = 120
"""Characters of an e-mail address or a telephone number; all of it fits 400."""


NEEDED = {"aria-required": "true"}


class OneOfTwo(forms.CharField):
    """One of two boxes is needed, so that neither is "optional"."""

    when_needed = True


class PoliceReport(forms.Form):
    """A report by the police."""

    # A browser calls what is required and empty invalid, before anything is sent.
    use_required_attribute = False

    once = once_field()
    agency = forms.CharField(
        label=_("Your agency and unit"),
        max_length=MAX_AGENCY,
        error_messages={"required": _("Write the name of your agency.")},
        widget=forms.TextInput(attrs=NEEDED),
    )
    country = forms.CharField(
        label=_("Country"), required=False, max_length=MAX_COUNTRY
    )
    number = forms.CharField(
        label=_("Your case number"),
        required=False,
        max_length=MAX_POLICE_NUMBER,
        widget=forms.TextInput(attrs={"autocapitalize": "characters"}),
    )
    name = forms.CharField(label=_("Your name"), required=False, max_length=MAX_NAME)
    email = OneOfTwo(
        label=_("Your e-mail address at work"),
        required=False,
        max_length=MAX_REACH,
        widget=forms.EmailInput,
        validators=[validate_email],
    )
    phone = OneOfTwo(
        label=_("Your telephone number at work"),
        required=False,
        max_length=MAX_REACH,
        widget=forms.TextInput(attrs={"inputmode": "tel"}),
    )
    category = forms.ChoiceField(
        label=_("What is it about?"),
        error_messages={"required": _("Choose what it is about.")},
        widget=forms.Select(attrs=NEEDED),
    )
    address = OneOfTwo(
        label=_("Where is it?"),
        help_text=_("Of the post, the account or the chat. Several: one on each line."),
        required=False,
        max_length=MAX_WORDS,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )
    words = OneOfTwo(
        label=_("What should we know?"),
        help_text=_("Do not send us pictures or copies of them."),
        required=False,
        max_length=MAX_WORDS,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    danger = forms.BooleanField(
        label=_("Somebody is in danger right now"), required=False
    )
    platform = forms.ChoiceField(label=_("On which site or app is it?"), required=False)

    def __init__(
        self,
        platforms: Sequence[PlatformLine],
        categories: Sequence[Category],
        **given: Any,
    ) -> None:
        super().__init__(**given)
        self._platforms = platforms
        self.platform_id: UUID | None = None
        self.targets: list[TargetGiven] = []
        self.fields["category"].choices = [  # type: ignore[attr-defined]  # A ChoiceField.
            ("", _("Choose")),
            *((each.code, _(each.label)) for each in categories),
        ]
        self.fields["platform"].choices = [  # type: ignore[attr-defined]  # A ChoiceField.
            ("", _("As the address says")),
            *((each.slug, each.name) for each in platforms),
        ]
        if len(platforms) < 2:
            del self.fields["platform"]

    def clean(self) -> dict[str, Any]:
        """Somebody to reach, something reported, on one site."""
        answers: dict[str, Any] = super().clean() or {}
        tried = {"email", "phone"} & set(self.errors)
        if not (answers.get("email") or answers.get("phone") or tried):
            self.add_error("email", _("Give an e-mail address or a telephone number."))
        self.targets = targets_of(answers.get("address", ""))
        tried = {"address", "words"} & set(self.errors)
        if not (self.targets or answers.get("words") or tried):
            self.add_error("address", _("Give an address, or say what it is."))
        if len(self.targets) > MAX_TARGETS:
            self.add_error(
                "address",
                _("One report holds up to %(most)d addresses. Send the rest after it.")
                % {"most": MAX_TARGETS},
            )
        self._choose_platform(answers.get("platform", ""))
        return answers

    def reach(self) -> str:
        """Who to ask for, and how, in one line."""
        answers = self.cleaned_data
        given = (answers["name"], answers["email"], answers["phone"])
        return " · ".join(each for each in given if each)

    def office(self) -> str:
        """The agency and its country, in one line."""
        answers = self.cleaned_data
        return ", ".join(filter(None, (answers["agency"], answers["country"])))

    def _choose_platform(self, chosen: str) -> None:
        on = {platform_of_url(each.url) for each in self.targets if each.url} - {None}
        found = [each for each in on if each is not None]
        if len(found) > 1:
            names = ", ".join(sorted(each.name for each in found))
            self.add_error(
                "address",
                _(
                    "These addresses are on different sites (%(names)s). Send one "
                    "report for each site."
                )
                % {"names": names},
            )
        named = [each for each in self._platforms if each.slug == chosen]
        in_words = platforms_in(self.cleaned_data.get("words", ""))
        self.platform_id = [*found, *named, *in_words, *self._platforms][0].id
