"""Each thing that the portal can find wrong, as a page, for everybody, in each tongue.

What can be wrong is read from the code: every text that a form of the portal, or an
operation behind one, can refuse with. One that nobody brings about here fails the test.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import translation
from django.utils.translation import gettext
from playwright.sync_api import Page, expect
from pytest_django import Settings

import holdfast
from holdfast.base.by import SYSTEM
from holdfast.intake import contacts
from holdfast.intake.models import Report
from holdfast.intake.operations import MAX_TARGETS
from holdfast.intake.rules import CONTACTS_A_DAY
from holdfast.items.keys import PlatformGiven, put_platform
from holdfast.web.portal.page import BY
from holdfast.web.portal.words import UNSENT
from tests.browser.browser import (
    NARROW,
    Visitor,
    assert_accessible,
    assert_fits,
    follow,
)
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(holdfast.__file__).parent
LANGUAGES = {"en": "English", "nb": "Norsk bokmål"}
OPERATIONS = (
    "freeze/contact_holds.py",
    "intake/answering.py",
    "intake/contacts.py",
    "intake/fingerprint.py",
    "intake/operations.py",
    "intake/returning.py",
    "review/challenges.py",
)
"""Where the operations behind the portal's forms refuse."""
REFUSING = frozenset(
    {
        *("add_error", "ValidationError"),
        *("InvalidInput", "Refused", "NotFound", "Unavailable"),
    }
)
FAULTS = {"required", "invalid", "invalid_choice"}
"""What a form's field finds wrong by itself, by the name of its text."""
MANY = "\n".join(f"https://plaza.example/p/{at}" for at in range(MAX_TARGETS + 1))
BOTH = "https://plaza.example/p/1\nhttps://agora.example/p/1"
CHILD = "child_sexual_abuse_material"


def refusals() -> dict[str, set[str]]:
    """The texts that each file can refuse with."""
    paths = [*ROOT.glob("web/portal/**/*.py"), *(ROOT / each for each in OPERATIONS)]
    found = {path: set(_said_in(path)) for path in paths}
    return {
        path.relative_to(ROOT).as_posix(): said for path, said in found.items() if said
    }


def _said_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        parts: list[ast.expr] = []
        if isinstance(node, ast.Call) and _called(node) in REFUSING:
            parts = [*node.args, *(each.value for each in node.keywords)]
        if isinstance(node, ast.Dict) and FAULTS & {_key(each) for each in node.keys}:
            parts = node.values
        for part in parts:
            yield from _texts(part)


def _key(node: ast.expr | None) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""


def _texts(part: ast.expr) -> Iterator[str]:
    for each in ast.walk(part):
        if isinstance(each, ast.Call) and _called(each) in ("_", "gettext_lazy"):
            text = each.args[0]
            assert isinstance(text, ast.Constant)
            yield str(text.value)


def _called(node: ast.Call) -> str:
    return str(getattr(node.func, "attr", getattr(node.func, "id", "")))


@dataclass(frozen=True)
class Wrong:
    """One thing that is wrong: what is sent from which page, and what is said then."""

    file: str
    says: str
    page: str
    answers: dict[str, str] = field(default_factory=dict)
    to: str = ""
    """Where it is sent, if not to the page itself; ``GET``: it is only looked at."""


FORMS, PICTURES, POLICE = (
    f"web/portal/{each}.py" for each in ("forms", "picture_forms", "police_form")
)
WHERE, PICTURE, SEND = "/report/where", "/report/picture", "/report/picture/send"
START_AGAIN = "Choose what it is about. If nothing fits, choose the last."
MANY_AT_ONCE = "One report holds up to %(most)d addresses. Send the rest after it."
ELSEWHERE = (
    "These addresses are on different sites (%(names)s). Send one report for each site."
)
EMAIL_ONLY = "We can only write to e-mail addresses."
PHONE_ONLY = "We can only write to phones."
NO_SITE = "No site is connected yet, so nothing can be reported here."
BEFORE = (
    Wrong(FORMS, START_AGAIN, "/"),
    Wrong(FORMS, "Choose one of these.", "/", {"category": "x"}),
    Wrong(FORMS, "Go back and choose what it is about.", WHERE, {"words": "x"}),
    Wrong(
        FORMS,
        "Give an address, or a few words. If you know neither, tick “I don't know "
        "where it is”.",
        WHERE,
        {"category": CHILD},
    ),
    Wrong(FORMS, MANY_AT_ONCE, WHERE, {"category": CHILD, "address": MANY}),
    Wrong(FORMS, ELSEWHERE, WHERE, {"category": CHILD, "address": BOTH}),
    Wrong(
        FORMS,
        "Choose the site or app, or “I don't know”.",
        WHERE,
        {"category": CHILD, "words": "Somewhere."},
    ),
    Wrong(FORMS, "Write the words of your report.", "/follow"),
    Wrong(
        "intake/operations.py",
        "We could not find a report with these words. Check them.",
        "/follow",
        {"codename": "a b c d e"},
    ),
    Wrong(PICTURES, "Choose the site or app.", PICTURE),
    Wrong(
        PICTURES,
        "Choose a picture first. Its fingerprint is made here.",
        PICTURE,
        {"platform": "plaza"},
    ),
    Wrong(
        "intake/fingerprint.py",
        "This picture is too plain to be found again by its fingerprint.",
        PICTURE,
        {"platform": "plaza", "pdq": "0" * 64, "quality": "0"},
    ),
    *(
        Wrong(
            "intake/fingerprint.py",
            says,
            PICTURE,
            {"platform": "plaza", "pdq": pdq, "quality": quality},
        )
        for says, pdq, quality in (
            ("A fingerprint is written in hexadecimal.", "z" * 64, "90"),
            ("A fingerprint has 32 bytes, or 256 with its turns.", "00", "90"),
            ("The quality is a number up to %(most)d.", "0f" * 32, "101"),
        )
    ),
    Wrong(PICTURES, START_AGAIN, PICTURE, {"platform": "plaza"}, SEND),
    Wrong(
        PICTURES,
        "Choose one of these.",
        PICTURE,
        {"platform": "plaza", "category": "x"},
        SEND,
    ),
    *(
        Wrong(POLICE, says, "/police")
        for says in (
            "Write the name of your agency.",
            "Choose what it is about.",
            "Give an e-mail address or a telephone number.",
            "Give an address, or say what it is.",
        )
    ),
    Wrong(POLICE, MANY_AT_ONCE, "/police", {"address": MANY}),
    Wrong(POLICE, ELSEWHERE, "/police", {"address": BOTH}),
    Wrong("intake/contacts.py", "This link leads nowhere any more.", "/m/x", to="GET"),
)
"""By somebody who has not reported yet."""
AFTER = (
    Wrong(FORMS, "Write something, or skip this question.", "/report/more/words"),
    Wrong(FORMS, "Choose one, or skip this question.", "/report/more/danger"),
    Wrong(
        FORMS,
        "Write it with an @, such as name@example.org.",
        "/report/more/email",
        {"answer": "me"},
    ),
    Wrong(
        "intake/answering.py",
        "Write an e-mail address, such as name@example.org.",
        "/report/more/email",
        {"answer": '"ab"@example.org'},
    ),
    Wrong(
        "intake/operations.py",
        "One report holds up to %(most)d things.",
        "/report/more/link",
        {"answer": MANY},
    ),
    Wrong(
        "web/portal/views/adding.py",
        "Your report is about %(mine)s. Send another report about %(other)s.",
        "/report/more/link",
        {"answer": "https://agora.example/p/1"},
    ),
    Wrong(
        "review/challenges.py",
        "Nothing is decided yet that could be looked at again. Please wait.",
        "/follow/add/words",
        to="/follow/challenge",
    ),
    Wrong(FORMS, "Write it here, or go back without it.", "/follow/contact"),
    Wrong(FORMS, "Choose how often.", "/follow/contact"),
    Wrong(
        FORMS,
        "Look at it again: something is missing.",
        "/follow/contact",
        {"address": "me"},
    ),
    Wrong(FORMS, EMAIL_ONLY, "/follow/contact", {"address": "+47 22 22 55 55"}),
    Wrong(FORMS, PHONE_ONLY, "/follow/contact", {"address": "me@example.org"}),
    Wrong(
        "web/portal/views/contact_hold.py",
        "Write what you are called on the site.",
        "/follow/hold",
    ),
    Wrong(
        "freeze/contact_holds.py",
        "Give the name or the address of their account.",
        "/follow/hold",
        {"mine": "sam"},
    ),
    Wrong(
        "freeze/contact_holds.py",
        "These are the same account. Give yours, and theirs.",
        "/follow/hold",
        {"mine": "sam", "theirs": "sam"},
    ),
    *(
        Wrong(file, "There is no such message.", f"/follow/erase/{uuid4()}", to="GET")
        for file in ("intake/returning.py", "web/portal/views/follow.py")
    ),
    Wrong(
        "intake/answering.py",
        "You gave us a phone number, and we keep one way to reach you. Forget the "
        "number on the page of your report first, or leave this out.",
        "/report/more/email",
        {"answer": "me@example.org"},
    ),
    Wrong(
        "intake/contacts.py",
        "You have changed this a few times today. Try again tomorrow.",
        "/follow/contact",
        {"address": "again@example.org", "frequency": "never"},
    ),
    *(
        Wrong(f"web/portal/views/{file}.py", NO_SITE, page, to="GET")
        for file, page in (
            ("on_device", PICTURE),
            ("police", "/police"),
            ("report", WHERE),
        )
    ),
)
"""By somebody whose report is open."""
NEVER_SEEN = {
    "Write an e-mail address or a phone number.": "The form refuses it before.",
    "Write something, up to %(most)d characters.": "The form refuses it before.",
    "Say where it is or what it is; either is enough.": "The form refuses it before.",
    "The text is longer than %(most)d characters.": "The form refuses it before.",
    "There is no such report.": "A visit without a report is sent to its words.",
}
"""What no page of the portal shows, and why."""


def test_whatever_the_code_can_refuse_is_brought_about() -> None:
    here = {(each.file, each.says) for each in (*BEFORE, *AFTER)}
    told = {(file, says) for file, all_ in refusals().items() for says in all_}
    assert len(told) > 40
    seen = {each for each in told if each[1] not in NEVER_SEEN}
    assert seen - here == set(), "Say here how it is brought about."
    assert here - told == set(), "Nobody says this any more."
    assert NEVER_SEEN.keys() <= {says for _file, says in told}


@dataclass
class Teller:
    """Somebody who sends what is wrong, and looks at what the page says then."""

    page: Page
    language: str

    def choose_language(self) -> None:
        self.page.goto("/")
        if self.language != "en":
            follow(self.page.get_by_role("button", name=LANGUAGES[self.language]))

    def send(self, to: str, answers: dict[str, str]) -> None:
        """Send answers as the page's own form would, whatever its boxes allow."""
        with self.page.expect_navigation():
            self.page.evaluate(
                """([to, answers]) => {
                  const marks = {};
                  for (const name of ["csrfmiddlewaretoken", "whose"]) {
                    const mark = document.querySelector(`[name=${name}]`);
                    if (mark) marks[name] = mark.value;
                  }
                  const form = document.createElement("form");
                  form.method = "post";
                  form.action = to;
                  const all = {...marks, ...answers};
                  for (const [name, value] of Object.entries(all)) {
                    const box = document.createElement("textarea");
                    box.name = name;
                    box.value = value;
                    form.append(box);
                  }
                  document.body.append(form);
                  form.submit();
                }""",
                [to, answers],
            )

    def bring_about(self, wrong: Wrong) -> None:
        """The page says it, and everybody can read it."""
        self.page.goto(wrong.page)
        if wrong.to != "GET":
            self.send(wrong.to or wrong.page, wrong.answers)
        with translation.override(self.language):
            self.look(gettext(wrong.says).partition("%(")[0])

    def look(self, words: str) -> None:
        expect(self.page.locator("main")).to_contain_text(words)
        assert self.page.locator("html").get_attribute("lang") == self.language
        assert_fits(self.page)
        assert_accessible(self.page)


@pytest.fixture
def teller(world: World, visitor: Visitor, settings: Settings, language: str) -> Teller:
    settings.EMAIL_HOST = "127.0.0.1"
    settings.HOLDFAST_TEXT_WEBHOOK = "http://127.0.0.1:1/"
    world.post("1", encoded(photograph()))
    world.actor("sam")
    there = PlatformGiven(
        slug="agora", name="Agora", url="https://agora.example", hosts=["agora.example"]
    )
    put_platform(there, by=SYSTEM)
    page = visitor.open("/")
    page.set_viewport_size({"width": NARROW, "height": 640})
    made = Teller(page, language)
    made.choose_language()
    return made


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_wrong_before_a_report_is_said_to_everybody(teller: Teller) -> None:
    teller.page.goto("/")
    teller.send("/", {"category": CHILD})
    for wrong in BEFORE:
        teller.bring_about(wrong)
    teller.page.goto("/")
    teller.send("/", {"category": CHILD, "csrfmiddlewaretoken": "x" * 64})
    with translation.override(teller.language):
        teller.look(str(UNSENT))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_wrong_after_a_report_is_said_to_everybody(
    teller: Teller, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    teller.page.goto("/")
    teller.send("/", {"category": "intimate_image"})
    where = {"category": "intimate_image", "words": "Somewhere.", "platform": "plaza"}
    teller.send(WHERE, where)
    report = Report.objects.get()
    for wrong in AFTER:
        with monkeypatch.context() as patch:
            if wrong.says == EMAIL_ONLY:
                settings.HOLDFAST_TEXT_WEBHOOK = ""
            if wrong.says == PHONE_ONLY:
                settings.HOLDFAST_TEXT_WEBHOOK = "http://127.0.0.1:1/"
                settings.EMAIL_HOST = ""
            if wrong.says.startswith("You gave us"):
                settings.EMAIL_HOST = "127.0.0.1"
                contacts.keep(report.id, "+4722225555", "never", by=BY)
            if wrong.says.startswith("You have changed"):
                for at in range(CONTACTS_A_DAY - 1):
                    contacts.keep(report.id, f"{at}@example.org", "never", by=BY)
            if wrong.says == NO_SITE:
                patch.setattr("holdfast.items.queries.platforms", list)
                teller.page.goto("/")
                teller.send("/", {"category": CHILD})
            teller.bring_about(wrong)
