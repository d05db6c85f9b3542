"""Every address, in one place."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, URLResolver, include, path

from holdfast.base.errors import Unavailable
from holdfast.web.api.api import BASE, api
from holdfast.web.brand import stylesheet
from holdfast.web.components.gallery import gallery
from holdfast.web.health import check

BLANK = (
    '<!doctype html><html lang="en"><meta charset="utf-8">'
    '<meta name="color-scheme" content="light dark"><title>Blank</title></html>'
)
"""Where somebody lands who leaves in a hurry: a page that says nothing, as dark as
the one before it: a white flash in a dark room is seen."""


def blank(request: HttpRequest) -> HttpResponse:
    """A page without anything on it."""
    # Not "cookies", which would sign the person out of the platform: see leaving.py.
    return HttpResponse(BLANK, headers={"Clear-Site-Data": '"cache"'})


def healthz(request: HttpRequest) -> HttpResponse:
    """For whatever watches this process: 200 when it can do its work, else 503."""
    try:
        check()
    except Unavailable as unavailable:
        return JsonResponse({"status": unavailable.code}, status=503)
    return JsonResponse({"status": "ok"})


urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{BASE.removeprefix('/')}/", api.urls),
    path("console/", include("holdfast.web.console.urls")),
    path("flaggers/", include("holdfast.web.flaggers.urls")),
    path("gallery", gallery),
    path("blank", blank),
    path("brand.css", stylesheet, name="brand"),
    path("healthz", healthz),
    # The portal is at the front, so it comes last and catches nothing of the above.
    path("", include("holdfast.web.portal.urls")),
]

handler400 = "holdfast.web.errors.bad_request"
handler403 = "holdfast.web.errors.forbidden"
handler404 = "holdfast.web.errors.not_found"
handler500 = "holdfast.web.errors.fault"
