"""What is longer than any form of ours: refused before it is read, and nothing lost."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory

from holdfast.intake.models import Report
from holdfast.intake.operations import MAX_WORDS
from holdfast.web.flaggers.forms import MAX_FILE_BYTES
from holdfast.web.length import MAX_FLAGGER_BYTES, MAX_FORM_BYTES, LengthMiddleware
from tests.stages.portal import walk
from tests.stages.portal.walk import Browser as Client
from tests.world import World

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
TOO_LONG = b"category=hate&words=" + b"x" * MAX_FORM_BYTES


class Unread(BytesIO):
    """A body of which not one byte may be asked for."""

    def read(self, *given: Any) -> bytes:
        """Somebody asked."""
        raise AssertionError("the body was read")


@pytest.mark.parametrize(
    "path", ["/", "/report/where", "/follow", "/police", "/console/sign-in", "/no/page"]
)
def test_what_is_too_long_is_never_read(world: World, path: str) -> None:
    client = Client()
    sent = {
        "CONTENT_LENGTH": str(MAX_FORM_BYTES + 1),
        "CONTENT_TYPE": FORM,
        "wsgi.input": Unread(),
    }
    answer = client.post(path, **sent)  # type: ignore[arg-type]  # Of WSGI.
    assert answer.status_code == 413
    assert len(answer.content) < 60_000


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "This is too much at once"), ("nb", "Dette er for mye på én gang")],
)
def test_it_is_said_in_the_language_of_the_visit_and_loses_nothing(
    world: World, language: str, words: str
) -> None:
    client = Client(headers={"accept-language": language})
    client.post("/", {"category": walk.CHILD})
    answer = client.generic("POST", "/report/where", TOO_LONG, content_type=FORM)
    assert answer.status_code == 413
    page = answer.content.decode()
    assert words in page
    assert 'class="back" href="/report/where"' in page
    assert walk.memory(client).category == walk.CHILD
    given = {"category": walk.CHILD, "words": "again"}
    assert client.post("/report/where", given).status_code == 302
    assert Report.objects.get().words == "again"


def test_a_report_that_is_open_stays_open(world: World) -> None:
    client = Client()
    walk.report(client)
    body = b"answer=" + TOO_LONG
    answer = client.generic("POST", "/follow/add/words", body, content_type=FORM)
    assert answer.status_code == 413
    assert client.get("/follow/status").status_code == 200


def test_the_longest_that_people_can_write_is_taken(world: World) -> None:
    words = "😭" * MAX_WORDS
    client = Client()
    report = walk.report(client, words=words)
    assert report.words == words
    both = {"category": walk.CHILD, "address": words + "!", "words": words}
    # Not too long to be read, so that it is said beside the box what is too long.
    assert client.post("/report/where", both).status_code == 422
    added = client.post("/follow/add/words", {"answer": words})
    assert added.status_code == 302


@pytest.mark.parametrize("path", ["/report/where", "/follow/add/words"])
def test_a_file_of_some_size_is_refused_too(world: World, path: str) -> None:
    client = Client()
    walk.report(client)
    file = SimpleUploadedFile("a.jpg", b"x" * MAX_FORM_BYTES)
    answer = client.post(path, {"category": walk.CHILD, "unknown": "on", "file": file})
    assert answer.status_code == 413
    assert Report.objects.count() == 1


def test_flaggers_files_and_the_api_have_limits_of_their_own(world: World) -> None:
    passed = LengthMiddleware(lambda request: None)  # type: ignore[arg-type,return-value]
    requests = RequestFactory()

    def let_through(path: str, length: int) -> bool:
        return passed(requests.post(path, CONTENT_LENGTH=str(length))) is None

    assert let_through("/flaggers/file", 2 * MAX_FILE_BYTES)
    assert let_through("/api/v1/items/1", 64 * 1024 * 1024)
    assert let_through("/report/where", MAX_FORM_BYTES)
    assert (
        Client()
        .post("/flaggers/file", CONTENT_LENGTH=str(MAX_FLAGGER_BYTES + 1))
        .status_code
        == 413
    )
