"""Choosing the language, on any page. Only the visit's own sealed cookie keeps it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from holdfast.web.portal.page import Page


class Language(Page):
    """The switch of a page that asks nothing; a question's own form takes its own."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Somebody came by the address: it alone changes nothing."""
        return self.go("start")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Speak it from here on, and show the page again."""
        self.speak(request.POST.get("language", ""))
        onward = request.POST.get("next", "")
        # Never to another site: a stranger's form could send somebody there.
        if not url_has_allowed_host_and_scheme(onward, allowed_hosts=None):
            onward = reverse("portal:start")
        return HttpResponseRedirect(onward)
