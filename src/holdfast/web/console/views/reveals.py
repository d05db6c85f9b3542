"""Opening an original: an act with a reason, and then a page of its own.

The page of a reveal is for the one who made it, for its case, and for a few minutes;
the picture upon it stays grey and small until that person says otherwise. Nothing is
shown that has no row in the log (promise 8).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from holdfast.base.by import Permission
from holdfast.base.errors import NotAllowed, NotFound
from holdfast.review.case_page import case_page
from holdfast.review.lines import CasePage, ItemLine, MediaLine
from holdfast.review.operations import reveal
from holdfast.review.queries import living_case, open_reveal
from holdfast.staff.operations import confirm_presence
from holdfast.staff.queries import person_of
from holdfast.web.components.shapes import Media
from holdfast.web.console import case_view
from holdfast.web.console.forms import Reveal, RevealTogether
from holdfast.web.console.page import Page, attempt


class RevealPage(Page):
    """Why one picture, or an item's words, are to be opened."""

    needs = Permission.ITEM_REVEAL

    def get(
        self, request: HttpRequest, number: str, item: UUID, media: UUID | None = None
    ) -> HttpResponse:
        """Ask. Nothing is opened by looking at this page."""
        page = case_page(number, self.by)
        return self._asked(page, item, media, self._form(page), HTTPStatus.OK)

    def post(
        self, request: HttpRequest, number: str, item: UUID, media: UUID | None = None
    ) -> HttpResponse:
        """Write it down, then show it."""
        page = case_page(number, self.by)
        form = self._form(page, request.POST)

        def open_it(form: forms.Form) -> HttpResponse:
            grant = reveal(
                case_id=page.case_id,
                item_id=item,
                media_id=media,
                reason=_words(form),
                second_person_id=self._second(form),
                by=self.by,
            )
            return self.go("opened", number=page.number, reveal=grant.reveal_id)

        return attempt(form, open_it) or self._asked(
            page, item, media, form, HTTPStatus.UNPROCESSABLE_ENTITY
        )

    def _form(self, page: CasePage, data: Any = None) -> Reveal:
        holds = page.claimed_by == person_of(self.by)
        return Reveal(data) if holds else RevealTogether(data)

    def _second(self, form: forms.Form) -> UUID | None:
        """The colleague who has shown that they are here; None for the claim's holder.

        Asked last, when the rest of the form is right: their code works once.
        """
        if not isinstance(form, RevealTogether):
            return None
        return confirm_presence(
            email=form.cleaned_data["second_email"],
            code=form.cleaned_data["second_code"],
            by=self.by,
        )

    def _asked(
        self,
        page: CasePage,
        item_id: UUID,
        media_id: UUID | None,
        form: Reveal,
        status: HTTPStatus,
    ) -> HttpResponse:
        item, media = _find(page, item_id, media_id)
        context = {
            "page": page,
            "form": form,
            "together": isinstance(form, RevealTogether),
            "what": _called(item, media),
            "preview_url": case_view.preview_url(media) if media else "",
            "back_url": _case_url(page),
        }
        return self.show("console/reveal.html", context, status)


class Opened(Page):
    """What a reveal opened, for as long as it lasts."""

    needs = Permission.ITEM_REVEAL

    def get(self, request: HttpRequest, number: str, reveal: UUID) -> HttpResponse:
        """Show it to the one who opened it. Raises ``NotAllowed`` for anybody else."""
        grant = open_reveal(reveal, self.by)
        page = case_page(number, self.by)
        if living_case(grant.case_id) != page.case_id:
            raise NotAllowed("Open the item again, with a reason.", reveal=reveal)
        item, media = _find(page, grant.item_id, grant.media_id)
        context = {
            "page": page,
            "grant": grant,
            "what": _called(item, media),
            "back_url": _case_url(page),
            "media": _shown(grant.reveal_id, media, _case_url(page)) if media else None,
        }
        return self.show("console/opened.html", context)


def _shown(reveal_id: UUID, media: MediaLine, back: str) -> Media:
    kind = case_view.media_kind(media.media_type)
    return Media(
        id=str(media.media_id),
        name=f"{kind} {media.position + 1}",
        kind=kind.lower(),
        preview_url=case_view.preview_url(media),
        reveal_url="",
        original_url=reverse("console:original", kwargs={"reveal": reveal_id}),
        hide_url=back,
    )


def _find(
    page: CasePage, item_id: UUID, media_id: UUID | None
) -> tuple[ItemLine, MediaLine | None]:
    item = next((each for each in page.items if each.item_id == item_id), None)
    if item is None:
        raise NotFound("This item is not in the case.", item=item_id)
    if media_id is None:
        return item, None
    media = next((each for each in item.media if each.media_id == media_id), None)
    if media is None:
        raise NotFound("This picture is not part of the item.", media=media_id)
    return item, media


def _called(item: ItemLine, media: MediaLine | None) -> str:
    thing = f"{item.kind} {item.external_id}"
    if media is None:
        return f"The words of {thing}"
    kind = case_view.media_kind(media.media_type)
    return f"{kind} {media.position + 1} of {thing}"


def _words(form: forms.Form) -> str:
    assert isinstance(form, Reveal)
    return form.words()


def _case_url(page: CasePage) -> str:
    return reverse("console:case", kwargs={"number": page.number})
