"""Getting away, and being asked before anything is shown again.

Leaving takes the visit away before the browser is sent to a page that says nothing.
What leaving cannot take away is said on a page of its own. Whoever comes by a link from
a message, or comes back after a while, is asked first whether this is a good moment.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views import View

from holdfast.web.portal import help, session
from holdfast.web.portal.page import Page


class Leave(View):
    """Away, at once. A GET, so that it works as a link, without scripts."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Forget the visit and go to the neutral page."""
        response = HttpResponseRedirect(settings.HOLDFAST_LEAVE_URL)
        session.forget(response)
        response.delete_cookie(settings.CSRF_COOKIE_NAME, samesite="Lax")
        # Not "cookies": browsers take that to mean every site of the same domain, and
        # being signed out of the platform would be noticed. Not "storage": leave.js
        # keeps its mark there, by which the back button shows nothing.
        response.headers["Clear-Site-Data"] = '"cache"'
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response


def onward(memory: session.Memory) -> str:
    """Where somebody goes on from a page that asks nothing: the name of an address."""
    return "portal:status" if memory.report_id else "portal:start"


class Safety(Page):
    """What leaving cannot erase, and what to do about it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it."""
        return render(request, "portal/safety.html", {"onward": onward(self.memory)})


class Help(Page):
    """Whom to talk to, here and in other countries."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show what is verified today."""
        countries, others = help.everywhere()
        shown = {
            "countries": countries,
            "others": others,
            "near": help.near(request),
            "onward": onward(self.memory),
        }
        return render(request, "portal/help.html", shown)


class Pause(Page):
    """The page between: go on, or leave. It tells nothing to whoever else looks."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        onward = "portal:status" if self.memory.report_id else "portal:follow"
        shown = {"expired": self.memory.expired, "onward": onward}
        return render(request, "portal/pause.html", shown)
