"""What we tell whom: the whole table, with the texts for one real case."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from holdfast.base.by import Permission
from holdfast.notifications.letters import problems
from holdfast.notifications.preview import preview
from holdfast.web.console.page import Page
from holdfast.web.console.words import TOLD_BY


class MessagesPage(Page):
    """Every event and every audience, and what is said, or why nothing is."""

    needs = Permission.CASE_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it with a case, the last that was decided unless one is named."""
        number, lines = preview(request.GET.get("case", ""), by=self.by)
        context = {
            "number": number,
            "by": TOLD_BY,
            "telling": [each for each in lines if each.tellings],
            "silent": [each for each in lines if not each.tellings],
            "problems": problems(),
        }
        return self.show("console/messages.html", context)
