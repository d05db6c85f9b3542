"""A browser without a screen: opens pages, fills in their forms, presses buttons.

The people of the demo use the portal and the console through it, over HTTP and with
the forms as they stand on the page, hidden fields and all. It knows no address that is
not given to it or found on a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urljoin, urlsplit

import httpx
from lxml import html

from holdfast.base.errors import Unavailable

TIMEOUT_S = 30.0
Value = str | Sequence[str]


class Browser:
    """One person's browser, with cookies of its own."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.Client(
            base_url=base_url,
            timeout=TIMEOUT_S,
            follow_redirects=True,
            trust_env=False,
        )
        self.url = base_url
        self.status = 0
        self.page: html.HtmlElement = html.fromstring("<html/>")

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def open(self, address: str) -> None:
        """Open a page; raises ``Unavailable`` for one that is not there."""
        self._take(self._http.get(urljoin(self.url, address)))

    def fetch(self, address: str) -> bytes:
        """What a page refers to, such as a picture; the page stays as it is."""
        answer = self._http.get(urljoin(self.url, address))
        if answer.is_error:
            raise Unavailable(f"{address} answered {answer.status_code}.")
        return answer.content

    def submit(
        self, form: html.FormElement, answers: Mapping[str, Value] | None = None
    ) -> None:
        """Send a form with what it holds already and ``answers`` on top."""
        fields: dict[str, list[str]] = {}
        for name, value in form.form_values():
            fields.setdefault(name, []).append(value)
        for name, given in (answers or {}).items():
            fields[name] = [given] if isinstance(given, str) else list(given)
        action = urljoin(self.url, form.action or self.url)
        parts = urlsplit(action)
        headers = {"Referer": self.url, "Origin": f"{parts.scheme}://{parts.netloc}"}
        if form.method.upper() == "POST":
            answer = self._http.post(action, data=fields, headers=headers)
        else:
            answer = self._http.get(action, params=fields, headers=headers)
        self._take(answer)

    def form(self, *fields: str, action: str = "") -> html.FormElement:
        """The form of the page that has these fields, and ``action`` in its address.

        Raises ``Unavailable`` if there is none.
        """
        for each in self.page.forms:
            there = {name for name in each.fields if name}
            if set(fields) <= there and action in (each.action or self.url):
                return each
        raise Unavailable(
            f"{self.url} has no form with {', '.join(fields) or action}. It says:\n"
            + self.words()[:600]
        )

    def words(self) -> str:
        """What the page says, without its markup."""
        for each in self.page.xpath("//script | //style"):
            each.drop_tree()
        return " ".join(self.page.text_content().split())

    def _take(self, answer: httpx.Response) -> None:
        self.status = answer.status_code
        self.url = str(answer.url)
        if answer.content:
            self.page = html.fromstring(answer.content)
        if answer.is_server_error or answer.status_code in (401, 403, 404):
            raise Unavailable(
                f"{self.url} answered {answer.status_code}: {self.words()[:300]}"
            )
