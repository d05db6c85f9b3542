"""The desk: scripted reviewers, at the console, over HTTP.

Each signs in with password and second factor, opens the case from the queue, claims
it, opens the original with a reason, and writes down what they find. The first says
"no violation" and learns that one person cannot; two others read after that. Nothing
is done here that a person at a browser could not do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import pyotp
from lxml import html

from holdfast.base.errors import Unavailable
from holdfast.demo.browser import Browser
from holdfast.demo.people import CATEGORY, GROUND, Staff

REASON_CHOICE = "To decide this case"
QUEUE_WAIT_S = 15.0
PART_OF = "Part of @"
UNKNOWN = "unknown"
NOBODY: Mapping[str, str] = {}


class Reviewer:
    """One of the staff, in a browser of their own."""

    def __init__(self, holdfast_url: str, who: Staff) -> None:
        self.who = who
        self.browser = Browser(holdfast_url)

    def close(self) -> None:
        """Close the browser."""
        self.browser.close()

    def sign_in(self) -> None:
        """With password and the code that the second factor shows now."""
        browser = self.browser
        browser.open("/console/sign-in")
        browser.submit(
            browser.form("email", "password", "code"),
            {
                "email": self.who.email,
                "password": self.who.password,
                "code": pyotp.TOTP(self.who.secret).now(),
            },
        )
        if "/sign-in" in browser.url:
            raise Unavailable(f"{self.who.email} was not let in: {browser.words()}")

    def take_case(self, address: str = "") -> None:
        """Open a case, or else the first one of the queue, and claim it."""
        browser = self.browser
        browser.open(address or self._first_of_queue())
        self.case_url = browser.url
        browser.submit(browser.form("csrfmiddlewaretoken", action="/claim"))

    def _first_of_queue(self) -> str:
        browser = self.browser
        deadline = time.monotonic() + QUEUE_WAIT_S
        found: list[str] = []
        while not found:
            browser.open("/console/")
            found = browser.page.xpath("//a[contains(@href, '/console/case/')]/@href")
            if not found and time.monotonic() > deadline:
                raise Unavailable(f"The queue is empty: {browser.words()[:300]}")
        return found[0]

    def look(self) -> None:
        """Open the reported picture, with a reason; it is logged before it is shown."""
        browser = self.browser
        browser.open(self.case_url)
        browser.submit(
            browser.form("reason", action="/reveal/"), {"reason": REASON_CHOICE}
        )
        # The page of the reveal refers to the original; a browser would load it.
        for address in browser.page.xpath("//img[contains(@src, '/original/')]/@src"):
            browser.fetch(address)
        browser.open(self.case_url)

    def read(self, outcome: str, reason: str, parts: Mapping[str, str] = NOBODY) -> str:
        """Write down a finding; returns what the console says to it.

        ``parts`` are by screen name; of everybody else nothing is known.
        """
        browser = self.browser
        form = browser.form("decide-outcome", action="/read")
        violation = outcome == "violation"
        answers = {
            "decide-outcome": outcome,
            "decide-category": CATEGORY,
            "decide-ground": GROUND if violation else "",
            "decide-refer": "yes" if violation else "no",
            "decide-why_not_refer": "" if violation else "I find no violation here.",
            "decide-reason": reason,
        }
        if violation:
            answers |= {field: parts.get(name, UNKNOWN) for field, name in _asked(form)}
        browser.submit(form, answers)
        if browser.status != 200:
            raise Unavailable(f"The finding was refused: {browser.words()[:1500]}")
        return _said(browser.page)


class Desk:
    """Three readers and one case."""

    def __init__(
        self, holdfast_url: str, staff: Mapping[str, Staff], tell: Callable[[str], None]
    ) -> None:
        self.url, self.staff, self.tell = holdfast_url, staff, tell

    def decide(self, parts: Mapping[str, str]) -> None:
        """Read the case until it is decided; ``parts`` are by screen name."""
        for short, outcome, reason in (
            ("first", "no_violation", "I do not see anything against the rules here."),
            ("second", "violation", "A child is shown; this is what the law forbids."),
            ("third", "violation", "I have read both. A child is shown; it violates."),
        ):
            reviewer = Reviewer(self.url, self.staff[short])
            try:
                reviewer.sign_in()
                reviewer.take_case()
                reviewer.look()
                said = reviewer.read(outcome, reason, parts)
            finally:
                reviewer.close()
            found = outcome.replace("_", " ")
            self.tell(f'{reviewer.who.name} finds "{found}". The console: {said}')


def _asked(form: html.FormElement) -> list[tuple[str, str]]:
    """(field, screen name) of every account whose part the form asks for."""
    found = []
    for label in form.xpath(".//label[@for]"):
        words = " ".join(label.text_content().split())
        fields = form.xpath(f".//select[@id='{label.get('for')}']/@name")
        if words.startswith(PART_OF) and fields:
            found.append((fields[0], words.removeprefix(PART_OF)))
    return found


def _said(page: html.HtmlElement) -> str:
    """The message on top of the page."""
    found = page.xpath("//*[@role='status' or contains(@class, 'notice')]")
    words = [" ".join(each.text_content().split()) for each in found]
    return next((each for each in words if each), "")
