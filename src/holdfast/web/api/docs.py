"""The page of the document: ours, readable without scripts, and nothing from elsewhere.

Django Ninja brings pages of its own, made of scripts; this is a page of Holdfast.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

from holdfast.web.api import guide
from holdfast.web.api.reference import read


class Docs(DocsBase):
    """Renders the page."""

    def render_page(
        self, request: HttpRequest, api: NinjaAPI, **kwargs: Any
    ) -> HttpResponse:
        """The document as it is at this moment."""
        context = {
            "reference": read(api.get_openapi_schema(path_params=kwargs)),
            "introduction": guide.INTRODUCTION,
            "sections": guide.SECTIONS,
            "document_url": self.get_openapi_url(api, kwargs),
        }
        return render(request, "api/docs.html", context)
