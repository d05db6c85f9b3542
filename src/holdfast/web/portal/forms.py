"""The portal's questions. One form, one question.

Nothing here is required except where it is or what it is, and for that "I don't know"
is an answer. Never asks for a file, a name, an account or a paper.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from django import forms
from django.forms.boundfield import BoundWidget
from django.utils.translation import gettext_lazy as _

from holdfast.intake.operations import MAX_TARGETS, MAX_WORDS, TargetGiven
from holdfast.intake.rules import MAX_ADDRESS, Way, read_address
from holdfast.items.queries import PlatformLine, platform_of_url
from holdfast.languages.choice import in_words
from holdfast.policy.rules import Category
from holdfast.web.portal.words import ABOUT, FREQUENCIES

MAX_POLICE_NUMBER = 100  # characters; the column's own length.
_ADDRESS: Final = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
# An address without its scheme, as people type it: plaza.example/p/1.
_BARE_ADDRESS: Final = re.compile(r"[\w-]+(\.[\w-]+)+(:\d+)?(/\S*)?")


class StartForm(forms.Form):
    """What is wrong?"""

    category = forms.ChoiceField(
        label=_("What is it about?"),
        help_text=_("Choose what fits best. You need not be sure."),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose what it is about. If nothing fits, choose the last."),
            "invalid_choice": _("Choose one of these."),
        },
    )

    def __init__(self, categories: Sequence[Category], **given: Any) -> None:
        super().__init__(**given)
        self.fields["category"].choices = [  # type: ignore[attr-defined]  # A ChoiceField.
            (each.code, in_words(each.label)) for each in categories
        ]
        self._of_children = {each.code for each in categories if each.child_safety}

    def about_children(self) -> list[BoundWidget]:
        """The answers about somebody under 18."""
        return self._choices(among_children=True)

    def about_others(self) -> list[BoundWidget]:
        """All other answers."""
        return self._choices(among_children=False)

    def _choices(self, *, among_children: bool) -> list[BoundWidget]:
        return [
            each
            for each in self["category"].subwidgets
            if (each.data["value"] in self._of_children) == among_children
        ]


class WhereForm(forms.Form):
    """Where is it, or what is it?"""

    # Sent along with the answer, so that a visit that was idle for too long loses
    # nothing.
    category = forms.CharField(widget=forms.HiddenInput, max_length=64)
    address = forms.CharField(
        label=_("Address"),
        help_text=_("Of the post, the account or the chat. Several: one on each line."),
        required=False,
        max_length=MAX_WORDS,
        widget=forms.Textarea(
            attrs={
                "rows": 3,
                "inputmode": "url",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )
    words = forms.CharField(
        label=_("Or: what is it, and where did you see it?"),
        help_text=_("A few words are enough. A name that was used there helps."),
        required=False,
        max_length=MAX_WORDS,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    unknown = forms.BooleanField(
        label=_("I don't know where it is"), required=False, initial=False
    )
    platform = forms.ChoiceField(
        label=_("On which site or app is it?"),
        required=False,
        widget=forms.RadioSelect,
    )

    def __init__(self, platforms: Sequence[PlatformLine], **given: Any) -> None:
        super().__init__(**given)
        self._platforms = platforms
        self.platform_id: UUID | None = None
        self.targets: list[TargetGiven] = []
        field = self.fields["platform"]
        field.choices = [  # type: ignore[attr-defined]  # A ChoiceField.
            *((each.slug, each.name) for each in platforms),
            ("unknown", _("I don't know")),
        ]
        if not self._must_ask():
            del self.fields["platform"]

    def clean(self) -> dict[str, Any]:
        """Read the addresses, and find out on which platform they are."""
        answers = super().clean() or {}
        if not answers.get("category"):
            self.add_error(None, _("Go back and choose what it is about."))
        self.targets = targets_of(answers.get("address", ""))
        if not (self.targets or answers.get("words") or answers.get("unknown")):
            self.add_error(
                "address",
                _(
                    "Give an address, or a few words. If you know neither, tick "
                    "“I don't know where it is”."
                ),
            )
        if len(self.targets) > MAX_TARGETS:
            self.add_error(
                "address",
                _("One report holds up to %(most)d addresses. Send the rest after it.")
                % {"most": MAX_TARGETS},
            )
        self._choose_platform(answers.get("platform", ""))
        return answers

    def _choose_platform(self, chosen: str) -> None:
        found = _platforms_of(self.targets)
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
            return
        named = [each for each in self._platforms if each.slug == chosen]
        if not found and not chosen and "platform" in self.fields:
            self.add_error("platform", _("Choose the site or app, or “I don't know”."))
            return
        # Who does not know the site is not refused: people look at it all the same.
        self.platform_id = [*found, *named, *self._platforms][0].id

    def _must_ask(self) -> bool:
        """Whether there are several platforms and the address does not say which."""
        if len(self._platforms) < 2 or not self.is_bound:
            return False
        address = str(self.data.get("address", ""))
        return not _platforms_of(targets_of(address))


class DangerForm(forms.Form):
    """Is somebody in danger?"""

    answer = forms.ChoiceField(
        label=_("Is somebody in danger right now?"),
        choices=(("yes", _("Yes")), ("no", _("No")), ("unknown", _("I don't know"))),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one, or skip this question.")},
    )


class AboutForm(forms.Form):
    """Who is it about?"""

    answer = forms.ChoiceField(
        label=_("Who is it about?"),
        help_text=_("We believe you, and we will not ask for a paper."),
        choices=ABOUT,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one, or skip this question.")},
    )


class PoliceForm(forms.Form):
    """Do the police know?"""

    answer = forms.CharField(
        label=_("Have you told the police, and do you have a number from them?"),
        help_text=_("It is on what they gave you. You do not have to tell the police."),
        max_length=MAX_POLICE_NUMBER,
        widget=forms.TextInput(attrs={"autocapitalize": "characters"}),
        error_messages={"required": _("Write the number, or skip this question.")},
    )


class WordsForm(forms.Form):
    """Anything else?"""

    answer = forms.CharField(
        label=_("Is there anything you want to add?"),
        help_text=_("Do not send us the picture. Your words are enough."),
        max_length=MAX_WORDS,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": _("Write something, or leave this out.")},
    )


class LinkForm(forms.Form):
    """Where else is it?"""

    answer = forms.CharField(
        label=_("Where else did you see it?"),
        help_text=_("Paste the address of the post, the account or the chat."),
        max_length=MAX_WORDS,
        widget=forms.TextInput(
            attrs={
                "inputmode": "url",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
        error_messages={"required": _("Paste an address, or leave this out.")},
    )


class HearingForm(forms.Form):
    """Do you want to hear from us?"""

    address = forms.CharField(
        max_length=MAX_ADDRESS,
        widget=forms.TextInput(
            attrs={
                "autocapitalize": "none",
                "autocorrect": "off",
                "spellcheck": "false",
            }
        ),
        error_messages={"required": _("Write it here, or go back without it.")},
    )
    frequency = forms.ChoiceField(
        label=_("How often?"),
        choices=FREQUENCIES,
        initial="decisions_only",
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how often.")},
    )

    def __init__(self, ways: Sequence[Way], **given: Any) -> None:
        super().__init__(**given)
        self._ways = ways
        both = Way.EMAIL in ways and Way.PHONE in ways
        label = _("Your e-mail address or phone number") if both else _LABELS[ways[0]]
        self.fields["address"].label = label
        if Way.PHONE in ways:
            self.fields["address"].help_text = _(
                "A phone number begins with + and the number of the country."
            )

    def clean_address(self) -> str:
        """Only what can be written to from here."""
        way, address = read_address(self.cleaned_data["address"])
        if way is Way.OTHER:
            raise forms.ValidationError(_("Look at it again: something is missing."))
        if way not in self._ways:
            raise forms.ValidationError(
                _("We can only write to e-mail addresses.")
                if way is Way.PHONE
                else _("We can only write to phones.")
            )
        return address


class CodenameForm(forms.Form):
    """The words of the receipt."""

    codename = forms.CharField(
        label=_("What are your words?"),
        help_text=_("The five words that we gave you when you sent your report."),
        max_length=200,
        widget=forms.TextInput(
            attrs={
                "autocapitalize": "none",
                "autocorrect": "off",
                "spellcheck": "false",
            }
        ),
        error_messages={"required": _("Write the words of your report.")},
    )


_LABELS: Final = {
    Way.EMAIL: _("Your e-mail address"),
    Way.PHONE: _("Your phone number"),
}


def targets_of(given: str) -> list[TargetGiven]:
    """What somebody wrote into the box for addresses, line by line.

    A line may be an address, the text that an app shares around one, or just words.
    """
    targets = []
    for line in filter(None, (each.strip() for each in given.splitlines())):
        addresses = _ADDRESS.findall(line)
        if not addresses and _BARE_ADDRESS.fullmatch(line):
            addresses = [line]
        targets += [TargetGiven(url=each.rstrip(".,;)")) for each in addresses]
        if not addresses:
            targets.append(TargetGiven(description=line))
    return list(dict.fromkeys(targets))


def _platforms_of(targets: Iterable[TargetGiven]) -> set[PlatformLine]:
    found = (platform_of_url(each.url) for each in targets if each.url)
    return {each for each in found if each is not None}
