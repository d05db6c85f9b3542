"""The people of the story, each acting through the door that such a person has.

The stranger uses the network's own report menu (``network.py``). Victim and mother use
the portal, without an account, page by page. Reviewers use the console. All of it is
HTTP, with the forms as they stand on the pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.base.errors import Unavailable
from holdfast.demo.browser import Browser

CATEGORY = "child_sexual_abuse_material"
GROUND = "child_sexual_abuse_illegal"


@dataclass(frozen=True)
class Receipt:
    """What a reporter takes away from the portal."""

    number: str
    codename: str


class Reporter:
    """Somebody at the portal, without an account."""

    def __init__(self, holdfast_url: str) -> None:
        self.browser = Browser(holdfast_url)

    def report(
        self, address: str, words: str, *, about: str, police_number: str = ""
    ) -> Receipt:
        """Report an address; then say who it is about, and the police's number."""
        browser = self.browser
        browser.open("/")
        browser.submit(browser.form("category"), {"category": CATEGORY})
        browser.submit(
            browser.form("category", "address"), {"address": address, "words": words}
        )
        receipt = Receipt(self._shown("number"), self._shown("codename"))
        # "I have saved my words"; then some of the questions that follow.
        browser.submit(browser.form(action="/report/received"))
        self._answer("danger", "no")
        self._answer("about", about)
        if police_number:
            self._answer("police", police_number)
        return receipt

    def come_back(self, codename: str) -> str:
        """Enter the words, and read what the page of the report says."""
        browser = self.browser
        browser.open("/follow")
        browser.submit(browser.form("codename"), {"codename": codename})
        if "/words" in browser.url:
            # The first time they are shown once more: "I have saved my words".
            browser.submit(browser.form(action="/follow/words"))
        if "/status" not in browser.url:
            raise Unavailable(f"The words opened nothing: {browser.words()[:300]}")
        return browser.words()

    def close(self) -> None:
        """Close the browser."""
        self.browser.close()

    def _answer(self, question: str, answer: str) -> None:
        self.browser.open(f"/report/more/{question}")
        self.browser.submit(self.browser.form("answer"), {"answer": answer})

    def _shown(self, name: str) -> str:
        found = self.browser.page.xpath(f"//*[@class='{name}']")
        if not found:
            raise Unavailable(f"No {name} on the page: {self.browser.words()[:600]}")
        return " ".join(found[0].text_content().split())


@dataclass(frozen=True)
class Staff:
    """Somebody who works at the desk, with what they need to sign in."""

    id: str
    email: str
    name: str
    roles: tuple[str, ...]
    password: str
    secret: str
    otpauth: str

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Staff:
        """From what ``founding.run`` answered."""
        return cls(
            id=said["id"],
            email=said["email"],
            name=said["name"],
            roles=tuple(said["roles"]),
            password=said["password"],
            secret=said["secret"],
            otpauth=said["otpauth"],
        )
