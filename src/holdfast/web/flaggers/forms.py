"""The forms of the flaggers' page. They check shape; operations rule what may be."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from holdfast.intake.flaggers import MAX_REFERENCE
from holdfast.intake.operations import MAX_TARGETS, MAX_WORDS
from holdfast.languages.choice import in_words, nearest
from holdfast.policy.rules import Category
from holdfast.web.once import once_field
from holdfast.web.portal.forms import targets_of

NEEDED: Final = {"aria-required": "true"}
PASSWORD_CHARS: Final = 1024
MAX_FILE_BYTES: Final = 1024 * 1024
MAX_FILE_LINES: Final = 200
"""Reports of one file on the page, which somebody waits for; the API takes more."""


def _password(label: Any, autocomplete: str, hint: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=hint,
        strip=False,
        max_length=PASSWORD_CHARS,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
    )


def _code(hint: Any, *, required: bool) -> forms.CharField:
    return forms.CharField(
        label=_("Code"),
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
        label=_("E-mail"), widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    password = _password(_("Password"), "current-password")
    code = _code(
        _(
            "Six digits from your app, or a recovery code. Leave it empty the first"
            " time."
        ),
        required=False,
    )


class Enrol(forms.Form):
    """The first code of a new second factor, and a password of one's own."""

    token = forms.CharField(widget=forms.HiddenInput)
    code = _code(_("Six digits, as the app shows them now."), required=True)
    new_password = _password(
        _("Your own password"),
        "new-password",
        _("At least 12 characters. It replaces the one you were given."),
    )


class ChangePassword(forms.Form):
    """The old password and a new one."""

    old_password = _password(_("Present password"), "current-password")
    new_password = _password(
        _("New password"), "new-password", _("At least 12 characters.")
    )


class OneOfTwo(forms.CharField):
    """One of two boxes is needed, so that neither is "optional"."""

    when_needed = True


class NewReport(forms.Form):
    """One report of several items: the organisation's reference, and where they are."""

    # A required choice would be said to be invalid before anything was sent.
    use_required_attribute = False

    reference = forms.CharField(
        label=_("Your own reference"),
        help_text=_("Your case number, a new one for each report."),
        max_length=MAX_REFERENCE,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", **NEEDED}
        ),
        error_messages={"required": _("Write the reference that you gave it.")},
    )
    category = forms.ChoiceField(
        label=_("What is it about?"),
        widget=forms.Select(attrs=NEEDED),
        error_messages={"required": _("Choose what it is about.")},
    )
    addresses = OneOfTwo(
        label=_("Where is it?"),
        help_text=_("Of posts or accounts. Several: one on each line."),
        required=False,
        max_length=MAX_WORDS,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )
    words = OneOfTwo(
        label=_("What should we know?"),
        help_text=_("Do not send us pictures or copies of them."),
        required=False,
        max_length=MAX_WORDS,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    language = forms.ChoiceField(
        label=_("Language for our messages"), choices=settings.LANGUAGES
    )

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        categories: list[Category],
        scope: tuple[str, ...],
        language: str,
    ) -> None:
        super().__init__(data, files, initial={"language": nearest(language)})
        self.fields["category"].choices = category_choices(categories, scope)  # type: ignore[attr-defined]  # A ChoiceField.

    def clean_addresses(self) -> list[str]:
        """The addresses of each line, each once; a line without one is a name."""
        given = targets_of(self.cleaned_data["addresses"])
        found = list(dict.fromkeys(each.named_as for each in given))
        if len(found) > MAX_TARGETS:
            raise forms.ValidationError(
                gettext_lazy("One report holds up to %(most)d things."),
                params={"most": MAX_TARGETS},
            )
        return found


def category_choices(categories: list[Category], scope: tuple[str, ...]) -> list[Any]:
    """All of them: those that go first, and those that everybody's reports are of."""
    named = [(each.code, in_words(each.label)) for each in categories]
    inside = [each for each in named if each[0] in scope]
    outside = [each for each in named if each[0] not in scope]
    groups = (
        (_("In your scope: goes first"), inside),
        (_("Outside your scope: taken like everybody's"), outside),
    )
    return [("", _("Choose")), *(group for group in groups if group[1])]


class NewFile(forms.Form):
    """A file of reports."""

    use_required_attribute = False

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV with a heading, or NDJSON; in UTF-8."),
        widget=forms.FileInput(
            attrs={"accept": ".csv,.ndjson,.jsonl,text/csv", **NEEDED}
        ),
        error_messages={
            "required": _("Choose a file."),
            "empty": _("The file is empty."),
        },
    )

    def clean_file(self) -> UploadedFile[Any]:
        """Not larger than somebody waits for."""
        given: UploadedFile[Any] = self.cleaned_data["file"]
        if (given.size or 0) > MAX_FILE_BYTES:
            raise forms.ValidationError(_("The file is larger than 1 MiB. Split it."))
        return given


class Addition(forms.Form):
    """More about a report: a place or words."""

    once = once_field()
    kind = forms.ChoiceField(
        label=_("What do you add?"),
        choices=[
            ("link", _("Another place where it is")),
            ("words", _("Words to the people who decide")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what you add.")},
    )
    words = forms.CharField(
        label=_("The address, or your words"),
        max_length=MAX_WORDS,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Write something here.")},
    )


class Reason(forms.Form):
    """Why a report is taken back, or a decision is wrong."""

    words = forms.CharField(
        label=_("Why?"),
        max_length=MAX_WORDS,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Write why, in a sentence.")},
    )
