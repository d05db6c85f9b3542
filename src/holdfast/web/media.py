"""Pictures over HTTP: previews for who reads a case, an original for who opened it.

An original is never cached, never a page of its own origin's rights, and never of a
kind that a browser would run: what its bytes are is told from the bytes, and what is
neither a picture nor a film is not shown at all. Only for staff; the portal has no way
here, so a report is no way to pass files on.
"""

from __future__ import annotations

import logging
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.templatetags.static import static
from django.views import View

from holdfast.base.errors import HoldfastError, NotAllowed
from holdfast.evidence.originals import opened_original, preview
from holdfast.staff.queries import by_of_session
from holdfast.web import signed_in as session

log = logging.getLogger(__name__)

SANDBOX = "sandbox; default-src 'none'"


class _ForStaff(View):
    """Bytes for somebody who has signed in; a refusal is an empty answer."""

    def dispatch(
        self, request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        """Answer, and let nobody on the way keep it."""
        answer: HttpResponseBase
        try:
            there = session.seated(request, by_of_session)
            if there.must_enrol:
                raise NotAllowed("Set up the second factor first.")
            self.by = there.by
            answer = super().dispatch(request, *args, **kwargs)
        except NotAllowed:
            answer = HttpResponse(status=403)
        except HoldfastError as refusal:
            log.info("no picture: %s", refusal.diagnostics())
            answer = self.instead()
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Content-Security-Policy"] = SANDBOX
        answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return answer

    def instead(self) -> HttpResponse:
        """What stands where no picture can."""
        return HttpResponseRedirect(static("holdfast/no-preview.svg"))


class Preview(_ForStaff):
    """A few grey, blurred pixels."""

    def get(self, request: HttpRequest, media: UUID) -> HttpResponse:
        """Make it, or take the one that was made."""
        return HttpResponse(preview(media, by=self.by), content_type="image/jpeg")


class Original(_ForStaff):
    """What a reveal opened."""

    def get(self, request: HttpRequest, reveal: UUID) -> HttpResponse:
        """The bytes. The reveal is in the log before this can be asked."""
        original = opened_original(reveal, by=self.by)
        answer = HttpResponse(original.data, content_type=original.media_type)
        answer.headers["Content-Disposition"] = "inline"
        return answer

    def instead(self) -> HttpResponse:
        """A picture that says that this cannot be shown."""
        return HttpResponseRedirect(static("holdfast/no-original.svg"))
