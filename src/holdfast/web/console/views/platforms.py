"""The platforms of this installation, how they take what they are told, their keys."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse

from holdfast.base.by import Permission
from holdfast.enforcement.queries import webhook_health
from holdfast.items.keys import create_key, revoke_key
from holdfast.items.queries import api_keys, platforms
from holdfast.web.console.forms import NewKey
from holdfast.web.console.page import FormPage, Page


class PlatformsPage(FormPage):
    """Platforms and keys, and a form for a new key."""

    needs = Permission.PLATFORM_MANAGE
    template = "console/platforms.html"

    def form(self, data: Any = None) -> NewKey:
        """Which platform, and what for."""
        return NewKey(data, platforms=platform_choices())

    def done(self, form: forms.Form) -> HttpResponse:
        """Make it and show it, this once."""
        given = form.cleaned_data
        token = create_key(UUID(given["platform"]), given["label"], by=self.by)
        names = dict(platform_choices())
        shown = {"key": token, "platform": names[given["platform"]]}
        return self.show("console/key_once.html", shown)

    def around(self) -> dict[str, Any]:
        """The lists."""
        health = {each.platform_id: each for each in webhook_health(by=self.by)}
        keys = api_keys(by=self.by)
        return {
            "platforms": [
                {
                    "line": each,
                    "health": health.get(each.id),
                    "keys": [key for key in keys if key.platform_id == each.id],
                }
                for each in platforms()
            ]
        }


class RevokeKey(Page):
    """End a key."""

    http_method_names = ["post"]
    needs = Permission.PLATFORM_MANAGE

    def post(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Now."""
        revoke_key(key, by=self.by)
        return self.go("platforms", said="The key is revoked.")


def platform_choices() -> list[tuple[str, str]]:
    """Platforms to choose from."""
    return [(str(each.id), each.name) for each in platforms()]
