"""A picture that somebody has on their device, found and reported without sending it.

The browser computes its fingerprint and sends that alone; there is no way here for a
file. The answer says whether the picture stands where everybody can see it, and never
where, whose or how often, or anything of what is private or hidden, so that it helps
nobody to look for a person. Asking is limited for each visit and for all together, and
so is what the answer to a report tells; the report itself is not.
"""

from __future__ import annotations

from secrets import token_urlsafe
from typing import Any, Final

from django import forms as django_forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from holdfast.base import clock
from holdfast.base.errors import Unavailable
from holdfast.base.events import alarm
from holdfast.intake import operations as intake
from holdfast.items import queries as items
from holdfast.items.answers import take
from holdfast.matching import watches
from holdfast.policy import queries as policies
from holdfast.web.portal.door import Door
from holdfast.web.portal.page import BY, Page, Question
from holdfast.web.portal.picture_forms import PictureForm, SendPictureForm
from holdfast.web.portal.views.follow import Act

LOOKS_OF_A_VISIT: Final = 10
"""How often one visit may look at once; a person has a few pictures. To be told what a
report of one found is to look, too."""
LOOKS_OF_A_VISIT_PER_S: Final = 10 / 3600
LOOKS_OF_ALL: Final = 120
"""How often all visits together may look at once."""
LOOKS_OF_ALL_PER_S: Final = 1.0
"""A thousand times a person's rate, and years for a list of a hundred million."""
ALARM_EVERY_S: Final = 3600.0


class Picture(Question):
    """The page that explains it, and on which the fingerprint is made."""

    template = "portal/picture.html"
    of_report = True

    def form(self, **given: Any) -> PictureForm:
        """The fingerprint, and the site where there are several."""
        return PictureForm(_platforms(), **given)

    def around(self) -> dict[str, Any]:
        """The way back: to the report, or to the question that led here."""
        return {"back_url": _back_url(self)}

    def answered(self, form: django_forms.Form) -> HttpResponse:
        """Look, and answer on a page from which it can be reported."""
        assert isinstance(form, PictureForm)
        assert form.fingerprint is not None
        # On the page of the answer stands the button that reports.
        self.memory.asked_at = clock.now().timestamp()
        answer = "busy"
        if _may_look(self):
            known = watches.is_in_plain_sight(form.platform_id, form.fingerprint, by=BY)
            answer = "known" if known else "unknown"
        report = SendPictureForm(
            _platforms(),
            policies.current().categories,
            adds=self.memory.report_id is not None,
            initial={
                **form.cleaned_data,
                "answer": answer,
                "category": self.memory.category,
            },
        )
        context = {
            "form": report,
            "is_question": True,
            "answer": answer,
            "back_url": _here(),
        }
        return self.shown("portal/picture_answer.html", context)


class Send(Door):
    """The answer, and under it the report."""

    template = "portal/picture_answer.html"
    of_report = True

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Somebody came by the address: there is no fingerprint yet."""
        return self.go("picture")

    def form(self, **given: Any) -> SendPictureForm:
        """The report; less is asked where it is added to one."""
        return SendPictureForm(
            _platforms(),
            policies.current().categories,
            adds=self.memory.report_id is not None,
            **given,
        )

    def around(self) -> dict[str, Any]:
        """What was answered on the page before."""
        return {"answer": self.request.POST.get("answer", ""), "back_url": _here()}

    def answered(self, form: django_forms.Form) -> HttpResponse:
        """Received at once; or one more thing of the report that this visit follows."""
        assert isinstance(form, SendPictureForm)
        assert form.fingerprint is not None
        # What its reporter is told of it is a look, and limited as looking is.
        tells = _may_look(self)
        if self.memory.report_id is not None:
            intake.add_fingerprint(
                self.memory.report_id, form.fingerprint, tells=tells, by=BY
            )
            self.memory.said = "added"
            return self.go("status")
        given = intake.ReportGiven(
            platform_id=form.platform_id,
            channel=intake.Channel.PORTAL,
            category=form.cleaned_data["category"],
            targets=[intake.TargetGiven(fingerprint=form.fingerprint)],
            language=self.request.LANGUAGE_CODE,
            wants_codename=True,
            tells=tells,
        )
        visit = self.memory.visit
        answer = self.file(given, form.cleaned_data["once"])
        # The looks of a visit are counted on beyond its report.
        self.memory.visit = visit
        return answer


class StopWatching(Act):
    """Do not look out for my picture any more: said by its reporter."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """End it, for the report of this visit."""
        watches.stop_watching(self.report_id, by=BY)
        self.memory.said = "unwatched"
        return self.go("status")


def _may_look(page: Page) -> bool:
    """Whether this visit, and all together, may look once more."""
    page.memory.visit = page.memory.visit or token_urlsafe(9)
    own = take(
        f"picture-looks:{page.memory.visit}",
        1.0,
        per_s=LOOKS_OF_A_VISIT_PER_S,
        burst=LOOKS_OF_A_VISIT,
    )
    if own:
        return False
    if not take("picture-looks", 1.0, per_s=LOOKS_OF_ALL_PER_S, burst=LOOKS_OF_ALL):
        return True
    bell = "bell:picture-looks"
    if not take(bell, 1.0, per_s=1 / ALARM_EVERY_S, burst=1.0):
        alarm("rate.picture_looks", about={})
    return False


def _platforms() -> list[items.PlatformLine]:
    platforms = list(items.platforms())
    if not platforms:
        raise Unavailable(
            _("No site is connected yet, so nothing can be reported here.")
        )
    return platforms


def _back_url(page: Page) -> str:
    if page.memory.report_id is not None:
        return reverse("portal:status")
    return reverse("portal:where" if page.memory.category else "portal:start")


def _here() -> str:
    return reverse("portal:picture")
