"""A platform looks like itself and speaks in its own words, without a fork."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from tests.world import World

pytestmark = pytest.mark.django_db
LINK = '<link rel="stylesheet" href="/brand.css">'


def test_a_stylesheet_of_its_own_is_loaded_after_ours(
    world: World, settings: LazySettings, tmp_path: Path
) -> None:
    settings.HOLDFAST_HOME = tmp_path
    client = Client()
    assert LINK not in client.get("/").content.decode()
    assert client.get("/brand.css").status_code == 404
    (tmp_path / "brand.css").write_text(":root { --brand: #5b2a86; }")
    head = client.get("/").content.decode().partition("</head>")[0]
    assert head.rindex("stylesheet") == head.index(LINK) + len('<link rel="')
    served = client.get("/brand.css")
    assert served.content == b":root { --brand: #5b2a86; }"
    assert served["Content-Type"].startswith("text/css")


def test_it_calls_itself_what_its_platform_says(
    world: World, settings: LazySettings
) -> None:
    settings.HOLDFAST_SITE_NAME = "Plaza help"
    assert "Plaza help" in Client().get("/").content.decode()
