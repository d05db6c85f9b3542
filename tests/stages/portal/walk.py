"""Walking through the portal with Django's test client, page by page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.test import Client, RequestFactory

from holdfast.intake.models import Report
from holdfast.web.portal import session

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse

CHILD = "child_sexual_abuse_material"
POST = "https://plaza.example/p/1"


class Browser(Client):
    """A browser that sends every form from a page of the report that it has open."""

    def post(  # type: ignore[override]  # Forms are all that it is asked to send.
        self, path: str, data: dict[str, Any] | None = None, **kwargs: Any
    ) -> _MonkeyPatchedWSGIResponse:
        """Send a form, which says about which report it is, as the page had it."""
        known = session.cookie_name() in self.cookies
        whose = {"whose": memory(self).whose} if known else {}
        return super().post(path, whose | (data or {}), **kwargs)


def report(client: Client, category: str = CHILD, **where: Any) -> Report:
    """The two pages of a report; the report that they made."""
    before = set(Report.objects.values_list("id", flat=True))
    assert client.post("/", {"category": category}).status_code == 302
    answers = {"category": category, **(where or {"address": POST})}
    answer = client.post("/report/where", answers)
    assert answer.status_code == 302, errors(answer)
    assert answer["Location"] == "/report/received"
    return Report.objects.exclude(id__in=before).get()


def steps(category: str) -> dict[str, int]:
    """What a report takes: pages and answers until it is in, and presses to the end.

    Every answer that a page refuses to do without is counted, one by one.
    """
    client, path, pages, answers = Browser(), "/", 0, 0
    while path != "/report/received":
        given: dict[str, str] = {"category": category} if path != "/" else {}
        sent = client.post(path, given)
        while sent.status_code == 422:
            answers += 1
            missing = next(iter(sent.context["form"].errors))
            given[missing] = {"category": category}.get(missing, POST)
            assert answers < 20, sent.context["form"].errors
            sent = client.post(path, given)
        pages += 1
        path = sent["Location"]
    presses = pages
    for words in ("I have saved my words", "Stop here", "See what is happening"):
        page = client.get(path).content.decode()
        assert words in page, (path, words)
        links = re.findall(r'<a [^>]*href="([^"]+)"[^>]*>([^<]*)</a>', page)
        leads = [link for link, text in links if text.startswith(words)]
        path = leads[0] if leads else client.post(path)["Location"]
        presses += 1
    assert path == "/follow/status"
    return {"pages": pages, "answers": answers, "until_finished": presses}


def further_questions(client: Client, answers: dict[str, str]) -> list[str]:
    """Answer or skip what is asked after the receipt; which questions were asked."""
    path, asked = client.post("/report/received")["Location"], []
    while path.startswith("/report/more/"):
        name = path.rsplit("/", 1)[1]
        asked.append(name)
        page = client.get(path).content.decode()
        if name in answers:
            path = client.post(path, {"answer": answers[name]})["Location"]
            if path == "/report/danger":
                page = client.get(path).content.decode()
                path = re.findall(r'class="button" href="([^"]+)"', page)[0]
        else:
            skip = re.search(r'href="([^"]+)">Skip this question', page)
            assert skip, page
            path = skip[1]
    assert path == "/report/review"
    return asked


def codename(client: Client) -> str:
    """The words on the receipt; empty when they are not shown."""
    page = client.get("/report/received").content.decode()
    found = re.search(r'class="codename"[^>]*>([^<]*)<', page)
    return found.group(1).strip() if found else ""


def errors(answer: Any) -> Any:
    """What a form said was wrong."""
    return answer.context["form"].errors if answer.context else {}


def memory(client: Client) -> session.Memory:
    """What the visit knows, as the server reads it."""
    request = RequestFactory().get("/")
    name = session.cookie_name()
    request.COOKIES[name] = client.cookies[name].value
    return session.read(request)
