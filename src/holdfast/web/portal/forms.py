"""The portal's questions. One form, one question.

Nothing here is required except where it is or what it is, and for that "I don't know"
is an answer. Never asks for a file, a name, an account or a paper.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django import forms
from django.forms.boundfield import BoundWidget
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from holdfast.intake.answering import MAX_NAME
from holdfast.intake.operations import MAX_TARGETS, MAX_WORDS, TargetGiven
from holdfast.intake.questions import Question
from holdfast.intake.rules import MAX_ADDRESS, Way, read_address
from holdfast.items.addresses import addresses_in, joined, trimmed
from holdfast.items.queries import (
    PlatformLine,
    known_hosts,
    platform_among,
    platforms,
)
from holdfast.languages.choice import in_words
from holdfast.policy.rules import Category
from holdfast.web.once import once_field
from holdfast.web.portal.words import FREQUENCIES

MAX_POLICE_NUMBER = 100  # characters; the column's own length.
MAX_EMAIL = 254  # characters; RFC 5321, 4.5.3.1.3, with the erratum 1690 of RFC 3696.
MAX_ACCOUNTS = 2_000  # characters
# An address without its scheme, as people type it: elsewhere.example/p/1.
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


class OneOfSeveral(forms.CharField):
    """A box beside others of which one has to be filled in: not called optional."""

    when_needed = True


class WhereForm(forms.Form):
    """Where is it, or what is it?"""

    # Sent along with the answer, so that a visit that was idle for too long loses
    # nothing.
    category = forms.CharField(widget=forms.HiddenInput, max_length=64)
    once = once_field()
    account = OneOfSeveral(
        label=_("What is the name of their account?"),
        help_text=_(
            "As you see it, such as @sunny. Or the address of their page or of the "
            "chat. Several: one on each line."
        ),
        required=False,
        max_length=MAX_ACCOUNTS,
        widget=forms.Textarea(
            attrs={"rows": 2, "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    address = OneOfSeveral(
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
    words = OneOfSeveral(
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

    def __init__(
        self, platforms: Sequence[PlatformLine], *, by_account: bool, **given: Any
    ) -> None:
        super().__init__(**given)
        self._platforms = platforms
        if not by_account:
            del self.fields["account"]
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
        self.targets = [
            *accounts_of(answers.get("account", "")),
            *targets_of(answers.get("address", "")),
        ]
        # What is in a box that is wrong for another reason was given all the same.
        tried = {"account", "address", "words"} & set(self.errors)
        given = self.targets or answers.get("words") or answers.get("unknown")
        if not (given or tried):
            self.add_error(
                "account" if "account" in self.fields else "address",
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
        in_words = platforms_in(self.cleaned_data.get("words", ""))
        # Who does not know the site is not refused: people look at it all the same.
        self.platform_id = [*found, *named, *in_words, *self._platforms][0].id

    def _must_ask(self) -> bool:
        """Whether there are several platforms and no address says which."""
        if len(self._platforms) < 2 or not self.is_bound:
            return False
        said = f"{self.data.get('account', '')}\n{self.data.get('address', '')}"
        if _platforms_of(targets_of(said)):
            return False
        return len(platforms_in(self.data.get("words", "")[:MAX_WORDS])) != 1


class AnswerForm(forms.Form):
    """One further question, whatever its kind; made from the question's own data."""

    def __init__(
        self, question: Question, *, answers: Mapping[str, str], **given: Any
    ) -> None:
        super().__init__(**given)
        self.fields["answer"] = _field(question, question.words_for(answers))
        if question.kind == "message":
            self.fields["once"] = once_field()

    def targets(self) -> list[TargetGiven]:
        """The places that were written down, for a question about places."""
        return accounts_of(self.cleaned_data["answer"])


def _field(question: Question, words: str | Promise) -> forms.Field:
    said: dict[str, Any] = {"label": words, "help_text": question.hint}
    skipped = {"required": _("Write something, or skip this question.")}
    plain = {"autocapitalize": "none", "spellcheck": "false"}
    match question.kind:
        case "choice":
            return forms.ChoiceField(
                choices=[(each.code, each.words) for each in question.choices],
                widget=forms.RadioSelect,
                error_messages={"required": _("Choose one, or skip this question.")},
                **said,
            )
        case "message":
            box = forms.Textarea(attrs={"rows": 6})
            return forms.CharField(
                max_length=MAX_WORDS, widget=box, error_messages=skipped, **said
            )
        case "places":
            box = forms.Textarea(attrs={"rows": 4, **plain})
            return forms.CharField(
                max_length=MAX_WORDS, widget=box, error_messages=skipped, **said
            )
        case "email":
            line = forms.EmailInput(attrs={"autocomplete": "off", **plain})
            return forms.EmailField(
                max_length=MAX_EMAIL,
                widget=line,
                error_messages=skipped
                | {"invalid": _("Write it with an @, such as name@example.org.")},
                **said,
            )
        case "signature":
            said["label"] = _("Your name")
            said["help_text"] = _("Writing it here is the same as signing on paper.")
            return forms.CharField(
                max_length=MAX_NAME,
                widget=forms.TextInput(),
                error_messages=skipped,
                **said,
            )
    letters = forms.TextInput(attrs={"autocapitalize": "characters"})
    return forms.CharField(
        max_length=MAX_POLICE_NUMBER, widget=letters, error_messages=skipped, **said
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
    targets, hosts = [], known_hosts()
    for line in filter(None, (each.strip() for each in joined(given).splitlines())):
        addresses = addresses_in(line, hosts)
        if not addresses and _BARE_ADDRESS.fullmatch(bare := trimmed(line)):
            addresses = [bare]
        targets += [TargetGiven(url=each) for each in addresses]
        if not addresses:
            targets.append(TargetGiven(description=line))
    return list(dict.fromkeys(targets))


def accounts_of(given: str) -> list[TargetGiven]:
    """The same, where a single word is the name of an account and not just a word."""
    return [
        TargetGiven(account=f"@{each.description.lstrip('@')}")
        if each.description and len(each.description.split()) == 1
        else each
        for each in targets_of(given)
    ]


def platforms_in(words: str) -> list[PlatformLine]:
    """The platforms on which the addresses in somebody's words are, in order."""
    lines = platforms()
    found = (platform_among(lines, each) for each in addresses_in(words, known_hosts()))
    return list(dict.fromkeys(each for each in found if each is not None))


def _platforms_of(targets: Iterable[TargetGiven]) -> set[PlatformLine]:
    lines = platforms()
    found = (platform_among(lines, each.url) for each in targets if each.url)
    return {each for each in found if each is not None}
