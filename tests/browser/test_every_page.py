"""Each page of the portal and each of its mistakes, for everybody, in each language.

A scene walks a part of the portal and says which pages it looks at. The scenes together
are held against the addresses of the portal, so that a page cannot be added unseen.
Each is looked at on a desk and on a telephone, light and dark, at 400 % zoom and with
text spaced out, and weighed.

Set ``HOLDFAST_PAGES`` to a folder and pictures of the pages are left there to look at.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.urls import resolve
from playwright.sync_api import Page, Response, expect
from pytest_django import Settings

from holdfast.intake import questions
from holdfast.intake.models import Contact
from holdfast.triage.models import Case
from holdfast.web.portal import urls
from tests.browser.browser import (
    NARROW,
    WIDE,
    Visitor,
    Weighed,
    assert_accessible,
    assert_fits,
    follow,
)
from tests.browser.zoomed import assert_holds_at_400_percent
from tests.stages.report.test_whole_way import violate
from tests.world import World, encoded, photograph

CHILD = "child_sexual_abuse_material"
POST = "https://plaza.example/p/1"
MAX_PAGE = 60_000  # bytes, with everything that a first visit brings along.
LANGUAGES = {"en": "English", "nb": "Norsk bokmål"}
PICTURES = os.environ.get("HOLDFAST_PAGES", "")

pytestmark = pytest.mark.django_db(transaction=True)


def route(path: str, method: str) -> str:
    """A page's name, such as ``where POST``; of the questions each has its own."""
    found = resolve(path)
    one = f"/{found.kwargs['name']}" if found.url_name == "more" else ""
    return f"{found.url_name}{one} {method}"


@dataclass
class Walk:
    """Somebody on their way through the portal, and the pages they looked at."""

    page: Page
    language: str
    world: World
    visitor: Visitor
    method: str = "GET"
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("response", self._note)
        self.choose_language(self.page)

    def choose_language(self, page: Page) -> None:
        """Have the portal speak this walk's language; the page has come when it ends.

        Chromium may never close a page that is still on its way to another.
        """
        if self.language != "en":
            follow(page.get_by_role("button", name=LANGUAGES[self.language]))

    def _note(self, response: Response) -> None:
        asked = response.request
        if asked.is_navigation_request() and not 300 <= response.status < 400:
            self.method = asked.method

    def look(self, path: str = "") -> None:
        """This page, or the one at ``path``: right for everybody."""
        if path:
            self.page.goto(path)
        self.page.wait_for_load_state()
        at = urlsplit(self.page.url).path
        self.seen.append(route(at, self.method))
        assert self.page.locator("html").get_attribute("lang") == self.language
        weighed = self._weighed()
        self._on(WIDE, 800, dark=False)
        self._on(NARROW, 640, dark=True)
        assert_holds_at_400_percent(self.page)
        self.page.set_viewport_size({"width": WIDE, "height": 800})
        if weighed:
            brought = weighed.weight()
            assert 0 < brought <= MAX_PAGE, f"{at} brings {brought} bytes"
            weighed.page.close()

    def _weighed(self) -> Weighed | None:
        """This page once more; it comes to rest while the other one is looked at."""
        # In the language whose words take more bytes.
        if self.method != "GET" or self.language != "nb":
            return None
        return Weighed(self.page.context.new_page(), self.page.url)

    def _on(self, width: int, height: int, *, dark: bool) -> None:
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme="dark" if dark else "light")
        if PICTURES:
            name = f"{len(self.seen):02d}-{self.seen[-1].replace('/', '-')}"
            picture = Path(PICTURES) / self.language / f"{name}-{width}.png"
            self.page.screenshot(path=picture, full_page=True)
        assert_fits(self.page)
        assert_accessible(self.page)

    def send(self, **answers: str) -> None:
        """Fill in what is named, and press the button of the question."""
        for name, answer in answers.items():
            choice = self.page.locator(f"input[name={name}][value='{answer}'] + label")
            if choice.count():
                choice.click()
            else:
                self.page.locator(f"[name={name}]").fill(answer)
        follow(self.page.locator("main form button[type=submit]").first)

    def report(self, category: str = CHILD, address: str = POST) -> str:
        """From the first page to the receipt; the words on it."""
        self.page.goto("/")
        self.send(category=category)
        self.send(address=address)
        return self.page.locator(".codename").inner_text()


def reporting(walk: Walk) -> None:
    """The first page to the receipt, and each mistake on the way."""
    walk.look("/")
    walk.send()
    walk.look()
    walk.send(category=CHILD)
    walk.look()
    walk.send()
    walk.look()
    walk.page.goto("/")
    walk.send(category="sextortion")
    walk.look()  # Asks for an account, too.
    walk.send(address=POST)
    walk.look()  # With advice.


def telling_more(walk: Walk) -> None:
    """Each question after the receipt, left empty and answered, and all answers."""
    walk.report("sextortion")
    for question in questions.QUESTIONS:
        walk.look(f"/report/more/{question.code}")
        walk.send()
        walk.look()
    walk.page.goto("/report/more/danger")
    walk.send(answer="hurt")
    walk.look()
    walk.page.goto("/report/more/danger")
    walk.send(answer="suicide")
    walk.look()
    walk.page.goto("/report/more/about")
    walk.send(answer="parent")
    expect(walk.page.locator(".advice")).to_be_visible()
    walk.look()
    walk.page.goto("/report/more/about")
    walk.send(answer="shown")
    walk.look("/report/review")  # With what helps now.
    walk.look("/report/change/about")
    walk.send(answer="unknown")
    walk.page.goto("/report/change/signature")
    walk.send()
    walk.look()
    walk.look("/report/law")
    walk.look("/report/change")
    walk.page.evaluate("document.querySelector('input:checked').checked = false")
    walk.send()
    walk.look()


def asking_by_law(walk: Walk) -> None:
    """A private picture: what a statute wants, what lacks and what is full."""
    walk.report("intimate_image")
    walk.look("/report/law")
    walk.page.goto("/report/more/about")
    walk.send(answer="shown")
    walk.page.goto("/report/more/consent")
    walk.send(answer="no")
    walk.page.goto("/report/more/email")
    walk.send(answer="me@example.org")
    walk.page.goto("/report/more/words")
    walk.send(answer="I never agreed to this.")
    walk.look("/report/more/signature")
    walk.send(answer="Kim Sample")
    walk.look()  # All answers.
    walk.look("/report/law")


def coming_back(walk: Walk) -> None:
    """The words, the page of the report, and what can be done on it."""
    words = walk.report()
    walk.look("/follow/status")  # The words are not saved yet.
    walk.page.goto("/follow/add/link")
    walk.send(answer=f"https://plaza.example/p/{'x' * 200}")
    walk.look()
    walk.look("/follow/add/words")
    walk.send()
    walk.look()
    walk.send(answer="They keep writing to me.")
    follow(walk.page.locator(".message-foot a").last)
    walk.look()
    walk.send()
    walk.look()
    walk.look("/follow")
    walk.send(codename="a b c d e")
    walk.look()
    walk.send(codename=words)
    walk.look()
    walk.send()
    walk.look("/follow/new-words")
    walk.send()
    walk.look()
    walk.look("/open")
    walk.page.goto("/follow/status")
    follow(walk.page.locator("form[action='/follow/finished'] button"))
    walk.look()


def being_told(walk: Walk) -> None:
    """People have decided: the message, and one tap to say that it is wrong."""
    item = walk.world.post("decided", encoded(photograph("coffee")))
    walk.report(address="https://plaza.example/p/decided")
    violate(Case.objects.get(), item)
    walk.look("/follow/status")
    follow(walk.page.locator("form[action='/follow/challenge'] button"))
    walk.look()
    walk.report(address="https://plaza.example/p/decided")
    walk.look()


def being_away(walk: Walk) -> None:
    """A visit that was closed while somebody wrote: nothing is lost."""
    words = walk.report()
    for path, box in (("/follow/add/words", "answer"), ("/follow/hold", "mine")):
        walk.page.goto(path)
        walk.page.context.clear_cookies(name="portal")
        page = walk.page.context.new_page()
        page.goto("/")
        walk.choose_language(page)
        page.close()
        walk.send(**{box: "What I wrote for a long time"})
        expect(walk.page.locator(f"[name={box}]")).to_have_value(
            "What I wrote for a long time"
        )
        walk.look()
        walk.send(codename="a b c d e")
        walk.look()
        walk.send(codename=words)
        # Open again: it asks for nothing but the answer, or shows the report.
        expect(walk.page.locator("[name=codename]")).to_have_count(0)


def hearing_from_us(walk: Walk) -> None:
    """E-mail or telephone: asked for, mistaken, kept, and where its link leads."""
    walk.report()
    walk.look("/follow/contact")
    follow(walk.page.locator("main form[novalidate] button"))
    walk.look()
    walk.send(address="me@example.org", frequency="every_step")
    walk.look()
    walk.look("/follow/contact")
    walk.look(f"/m/{Contact.objects.get().link}")
    follow(walk.page.locator("button[name=confirm]"))
    walk.look()
    follow(walk.page.locator("button[name=refuse]"))
    walk.look()


def having_the_picture(walk: Walk) -> None:
    """Looked for without being sent, reported, and looked out for."""
    walk.look("/report/picture")
    walk.page.locator("#picture").set_input_files(
        {
            "name": "a.jpg",
            "mimeType": "image/jpeg",
            "buffer": encoded(photograph("chelsea")),
        }
    )
    expect(walk.page.locator("[data-ready]")).to_be_visible()
    walk.look()
    follow(walk.page.locator("[data-ready] button"))
    walk.look()
    walk.send()
    walk.look()
    walk.send(category="sextortion")
    walk.look()
    walk.look("/follow/status")


def stopping_somebody(walk: Walk) -> None:
    """That an account no longer writes: asked for, mistaken, standing."""
    walk.world.actor("sam")
    walk.world.post("pay", actor="nightowl", kind="message", text="Pay.")
    walk.report("sextortion", "https://plaza.example/p/pay")
    walk.look("/follow/hold")
    walk.send()
    walk.look()
    walk.send(mine="nobody-of-that-name")
    walk.look()
    walk.send(mine="sam")
    walk.look()


def at_work(walk: Walk) -> None:
    """The police's page."""
    walk.look("/police")
    walk.send()
    walk.look()


def reading(walk: Walk) -> None:
    """Pages that ask nothing."""
    walk.look("/safety")
    walk.look("/hidden")
    walk.look("/help")
    for each in walk.page.locator("details").all():
        each.locator("summary").click()
    walk.look()
    walk.look("/open")


Scene = Callable[[Walk], None]
SCENES: dict[Scene, set[str]] = {
    reporting: {
        "start GET",
        "start POST",
        "where GET",
        "where POST",
        "received GET",
    },
    telling_more: {
        f"more/{each.code} {method}"
        for each in questions.QUESTIONS
        for method in ("GET", "POST")
    }
    | {
        "danger GET",
        "review GET",
        "law GET",
        "change GET",
        "change POST",
        "category GET",
        "category POST",
    },
    asking_by_law: {"law GET", "more/signature GET", "review GET"},
    coming_back: {
        "status GET",
        "add GET",
        "add POST",
        "erase GET",
        "follow GET",
        "follow POST",
        "words GET",
        "new_words GET",
        "pause GET",
        "finished GET",
    },
    being_told: {"status GET", "received GET"},
    being_away: {"add POST", "hold_contact POST"},
    hearing_from_us: {
        "contact GET",
        "contact POST",
        "status GET",
        "letter GET",
        "letter POST",
    },
    having_the_picture: {
        "picture GET",
        "picture POST",
        "picture_send POST",
        "received GET",
        "status GET",
    },
    stopping_somebody: {"hold_contact GET", "hold_contact POST", "status GET"},
    at_work: {"police GET", "police POST"},
    reading: {"safety GET", "hidden GET", "help GET", "pause GET"},
}
"""What each scene looks at, all of it."""

NO_PAGE = {
    "link GET": "It keeps the platform's link and leads to the first page.",
    "leave GET": "It empties the page.",
    "language GET": "Its address alone changes nothing.",
    "language POST": "It leads back to the page that was switched.",
    "saved GET": "It is a file.",
    "saved POST": "There is nothing to send.",
    "received POST": "It leads to the first question.",
    "words POST": "It leads to the report.",
    "erase POST": "It leads to the report.",
    "new_words POST": "It leads to the new words, or to the report.",
    "challenge GET": "Its address alone does nothing.",
    "challenge POST": "It leads to the report.",
    "forget_contact GET": "Its address alone does nothing.",
    "forget_contact POST": "It leads to the report.",
    "stop_watching GET": "Its address alone does nothing.",
    "stop_watching POST": "It leads to the report.",
    "release_contact GET": "Its address alone does nothing.",
    "release_contact POST": "It leads to the report.",
    "finished POST": "It leads to the page that says so.",
    "picture_send GET": "It leads to where the picture is chosen.",
}
"""What answers with no page of its own, and why."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_scene_can_be_walked_by_everybody(
    world: World, visitor: Visitor, settings: Settings, scene: Scene, language: str
) -> None:
    settings.EMAIL_HOST = "127.0.0.1"
    settings.HOLDFAST_TEXT_WEBHOOK = "http://127.0.0.1:1/"
    world.post("1", encoded(photograph()))
    world.post("2", encoded(photograph()), actor="other")
    walk = Walk(visitor.open("/"), language, world, visitor)
    scene(walk)
    assert set(walk.seen) == SCENES[scene]


def test_the_scenes_look_at_every_page() -> None:
    pages = set().union(*SCENES.values())
    assert not pages & NO_PAGE.keys()
    assert pages | NO_PAGE.keys() == set(answering())


def answering() -> dict[str, str]:
    """Every address and method that the portal answers, with the code that does."""
    found: dict[str, str] = {}
    for each in urls.urlpatterns:
        view = getattr(each.callback, "view_class")  # noqa: B009  # Django's as_view sets it.
        names = [str(each.name)]
        if each.name == "more":
            names = [f"more/{question.code}" for question in questions.QUESTIONS]
        for method in ("get", "post"):
            handler = getattr(view, method, None)
            if handler is not None:
                source = inspect.getsource(handler)
                found |= {f"{name} {method.upper()}": source for name in names}
    return found


DRAWS = ("render(", "self.show(", "self.shown(", "super().")
"""What stands in the source of an answer that is a page."""


def test_what_is_said_to_be_no_page_draws_none() -> None:
    for name, source in answering().items():
        draws = any(each in source for each in DRAWS)
        assert draws != (name in NO_PAGE), name
