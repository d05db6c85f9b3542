"""Away at once; asked before anything is shown again; no network address kept."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import LazySettings, settings
from django.test import Client

from holdfast.base import clock
from holdfast.intake.models import Report
from holdfast.web.portal import session
from holdfast.web.server import NamelessLogger
from tests.stages.portal import walk
from tests.world import World

pytestmark = pytest.mark.django_db
ADDRESS = "203.0.113.77"  # RFC 5737: set aside for documentation.


def test_leaving_forgets_the_visit_before_it_goes_anywhere(
    world: World, settings: LazySettings
) -> None:
    settings.HOLDFAST_LEAVE_URL = "https://weather.example/"
    client = Client()
    walk.report(client)
    answer = client.get("/leave")
    assert answer["Location"] == "https://weather.example/"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "no-store"
    for page in (answer, client.get("/blank")):
        assert "cookies" not in page["Clear-Site-Data"], (
            "It would sign out of the site."
        )
    assert client.cookies[session.COOKIE].value == ""
    assert client.get("/follow/status")["Location"] == "/follow"


def test_every_page_has_the_way_out_twice_and_what_it_cannot_do(world: World) -> None:
    client = Client()
    walk.report(client)
    paths = ("/", "/follow", "/follow/status", "/open", "/safety", "/there-is-none")
    for path in paths:
        page = client.get(path).content.decode()
        head = page.partition("<main")[0]
        assert head.count('href="/leave" data-leave') == 2, path
        assert head.index('class="skip" href="#main"') < head.index(
            '"/leave" data-leave'
        ), path
    said = client.get("/safety").content.decode()
    for words in ("history of the browser", "downloaded", "printed"):
        assert words in said


def test_the_page_between_says_nothing_of_what_follows(world: World) -> None:
    client = Client()
    number = walk.report(client).number
    page = client.get("/open").content.decode()
    assert number not in page
    assert "report" not in page.partition("<main")[2].lower()
    assert settings.HOLDFAST_SITE_NAME not in page
    assert 'href="/follow/status"' in page
    assert 'href="/follow"' in Client().get("/open").content.decode()


def test_after_a_while_away_the_page_between_comes_first(world: World) -> None:
    client = Client()
    walk.report(client)
    client.post("/language", {"language": "nb", "next": "/"})
    with clock.shifted(timedelta(minutes=16)):
        assert client.get("/follow/add/words")["Location"] == "/open"
    again = Client()
    walk.report(again)
    with clock.shifted(timedelta(minutes=16)):
        page = again.get("/open").content.decode()
    assert "You were away for a while" in page


def test_only_a_page_of_a_report_is_covered(world: World) -> None:
    client = Client()
    assert "data-cover" not in client.get("/").content.decode()
    walk.report(client)
    shown = client.get("/follow/status").content.decode()
    assert f'data-cover="{session.IDLE_S}"' in shown


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Every line that an installation may log: all of ours, and Django's from INFO."""
    lines: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Keeping(logging.DEBUG)
    levels = {"": logging.INFO, "django": logging.INFO, "holdfast": logging.DEBUG}
    loggers = {logging.getLogger(name): level for name, level in levels.items()}
    before = {each: each.level for each in loggers}
    for each, level in loggers.items():
        each.setLevel(level)
    logging.getLogger().addHandler(handler)
    yield lines
    logging.getLogger().removeHandler(handler)
    for each, level in before.items():
        each.setLevel(level)


def test_no_line_of_the_log_has_an_address_words_or_a_codename(
    world: World, logged: list[str]
) -> None:
    client = Client(
        REMOTE_ADDR=ADDRESS, HTTP_X_FORWARDED_FOR=ADDRESS, raise_request_exception=False
    )
    walk.report(client, words="Secret words of a child")
    codename = walk.codename(client)
    client.post("/follow", {"codename": "plank otter mango drum stir"})
    client.post("/follow", {"codename": codename})
    client.get("/there-is-no-such-page")
    client.get("/", headers={"host": "elsewhere.example"})
    strict = Client(REMOTE_ADDR=ADDRESS, enforce_csrf_checks=True)
    strict.post("/report/where", {"words": "Secret words of a child"})
    assert logged, "Nothing was logged, so nothing was proved."
    assert any("/there-is-no-such-page" in line for line in logged)
    for line in logged:
        for secret in (ADDRESS, "Secret words", codename, "plank otter"):
            assert secret not in line
    assert Report.objects.count() == 1


def test_the_web_server_keeps_no_address_of_a_broken_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Settings:
        errorlog, accesslog, loglevel, capture_output = "-", None, "warning", False
        logconfig = logconfig_dict = logconfig_json = syslog = None
        user = group = None

    logger = NamelessLogger(Settings())
    logger.error_log.propagate = True
    with caplog.at_level(logging.WARNING, logger="gunicorn.error"):
        # As gunicorn words it, in workers/base.py.
        logger.warning(f"Invalid request from ip={ADDRESS}: Invalid line 'x'")
    assert "Invalid line" in caplog.text
    assert ADDRESS not in caplog.text
