"""The first two pages as they are shown, as data: archived with the report they make.

The questions after the receipt are data from the start (``intake.questions``). These
two are forms, so what stood on them is written down here, word for word, in the
language in which each was answered. Never holds an answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from holdfast.policy import queries as policies
from holdfast.web.portal.forms import StartForm, WhereForm
from holdfast.web.portal.words import HINTS


def shown(where: WhereForm, *, language: str, started_in: str) -> dict[str, Any]:
    """Both pages, for ``ReportGiven.shown``. ``started_in``: the first one's language.

    No kind here is one of ``archive.KINDS``: each of these answers has a place of its
    own in the report, and is none of its answers.
    """
    with translation.override(started_in):
        first = _start(StartForm(policies.current().categories))
    with translation.override(language):
        second = list(_where(where))
    return {"language": language, "questions": [first, *second]}


def _start(form: StartForm) -> dict[str, Any]:
    groups = (
        (_("Somebody under 18"), form.about_children()),
        (_("Anything else"), form.about_others()),
    )
    return {
        "code": "category",
        "kind": "category",
        "page": _("Tell us what is wrong"),
        "language": translation.get_language(),
        "words": str(form.fields["category"].label),
        "hint": str(form.fields["category"].help_text),
        "choices": [
            {
                "code": each.data["value"],
                "words": str(each.data["label"]),
                "hint": str(HINTS.get(each.data["value"], "")),
                "under": group,
            }
            for group, choices in groups
            for each in choices
        ],
    }


def _where(form: WhereForm) -> Iterator[dict[str, Any]]:
    for box in form.visible_fields():
        field = box.field
        # One that chooses is of the kinds whose choices are pairs, and known.
        choices = list(getattr(field, "choices", ()))
        yield {
            "code": box.name,
            "kind": "first_page",
            "page": _("Where is it, or what is it?"),
            "words": str(field.label),
            "hint": str(field.help_text),
            "choices": [
                {"code": str(code), "words": str(words), "hint": ""}
                for code, words in choices
            ],
        }
