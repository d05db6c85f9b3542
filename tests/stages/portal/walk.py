"""Walking through the portal with Django's test client, page by page."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client, RequestFactory

from holdfast.intake.models import Report
from holdfast.web.portal import session

CHILD = "child_sexual_abuse_material"
POST = "https://plaza.example/p/1"


def report(client: Client, category: str = CHILD, **where: Any) -> Report:
    """The two pages of a report; the report that they made."""
    before = set(Report.objects.values_list("id", flat=True))
    assert client.post("/", {"category": category}).status_code == 302
    answers = {"category": category, **(where or {"address": POST})}
    answer = client.post("/report/where", answers)
    assert answer.status_code == 302, errors(answer)
    assert answer["Location"] == "/report/received"
    return Report.objects.exclude(id__in=before).get()


def pages_until_received(client: Client, category: str) -> int:
    """How many pages are answered until the receipt, following each answer on."""
    path, pages = "/", 0
    while path != "/report/received":
        page = client.get(path)
        form = page.context["form"]
        answers = {name: form.initial.get(name, "") for name in form.fields}
        given = {**answers, "category": category, "address": POST}
        path = client.post(path, given)["Location"]
        pages += 1
    return pages


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
    request.COOKIES[session.COOKIE] = client.cookies[session.COOKIE].value
    return session.read(request)
