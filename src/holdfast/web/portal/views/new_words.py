"""Getting other words for one's report, when somebody else has seen the ones there are.

Whoever told us on the telephone was given their words by a member of staff; a parent
may have found them. The old words open nothing from then on, and every visit that they
opened is closed, but for the one in which the new ones are made. Those are in the
visit's sealed cookie until they are said to be saved, and nowhere else.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from holdfast.intake import operations as intake
from holdfast.intake.codename import lookup
from holdfast.web.portal.page import BY
from holdfast.web.portal.views.follow import Mine

MADE = "new_words"
"""Beside a codename in the visit: it replaced another. Nothing is said of it."""


class NewWords(Mine):
    """Ask first, then show them until they are saved."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """What it means, or the words if they were just made."""
        if self.memory.codename and self.memory.said != MADE:
            # The first words are not saved yet, and there are no old ones.
            return self.go("received")
        return self.shown("portal/new_words.html", {"codename": self.memory.codename})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make them; or, when they are saved, forget them here."""
        if "saved" in request.POST:
            self.memory.codename = self.memory.said = ""
            return self.go("status")
        self.memory.codename = intake.new_codename(self.report_id, by=BY)
        self.memory.opened_by = lookup(self.memory.codename)
        self.memory.said = MADE
        return self.go("new_words")
