"""Who is being extorted has no post to show: an account or a chat is enough."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from holdfast.intake.models import Target
from holdfast.intake.operations import locate_late
from holdfast.items.models import Actor, Conversation, Platform
from holdfast.items.operations import ActorGiven, put_actor
from holdfast.triage.models import Case
from tests.stages.portal import walk
from tests.stages.portal.walk import Browser as Client
from tests.world import PLATFORM_BY, World

pytestmark = pytest.mark.django_db
ADVICE = "Do not look at it, do not save it, do not send it on"
CHAT = "https://plaza.example/chat/77"


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def knows_chats(world: World) -> Iterator[None]:
    """A platform that says which of its conversations an address is."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = "chat%2F77" in self.path
            body = json.dumps({"conversation": "talk-77"} if known else {}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Platform.objects.update(lookup_url=f"http://127.0.0.1:{server.server_port}/")
    yield
    server.shutdown()
    server.server_close()


def sunny(world: World, name: str = "a-1", handle: str = "Sunny") -> Actor:
    given = ActorGiven(
        screen_name=handle, profile_url=f"https://www.plaza.example/u/{name}/"
    )
    actor_id, _new = put_actor(world.platform_id, name, given, by=PLATFORM_BY)
    return Actor.objects.get(id=actor_id)


@pytest.mark.parametrize(
    "account",
    ["sunny", "@SUNNY", "plaza.example/u/a-1", "https://m.plaza.example/u/a-1"],
)
def test_an_account_is_found_by_its_name_or_its_page(
    world: World, client: Client, account: str
) -> None:
    actor = sunny(world)
    report = walk.report(client, "sextortion", account=account)
    assert report.targets.get().actor_id == actor.id
    assert Case.objects.get().child_safety


def test_the_page_asks_for_the_account_first_where_there_is_often_no_post(
    world: World, client: Client
) -> None:
    for category, asked in (("sextortion", True), (walk.CHILD, False)):
        client.post("/", {"category": category})
        page = client.get("/report/where").content.decode()
        assert ("What is the name of their account?" in page) is asked
    client.post("/", {"category": "sextortion"})
    sent = client.post("/report/where", {"category": "sextortion"})
    assert sent.status_code == 422
    assert list(sent.context["form"].errors) == ["account"]


def test_a_name_that_two_accounts_have_finds_neither(
    world: World, client: Client
) -> None:
    sunny(world, "a-1")
    sunny(world, "a-2", "sunny")
    report = walk.report(client, "sextortion", account="sunny")
    target = report.targets.get()
    assert not target.located
    assert target.named_as == "@sunny"
    assert Case.objects.filter(targets__target=target).exists()


def test_an_account_that_is_registered_later_is_found_later(
    world: World, client: Client
) -> None:
    walk.report(client, "grooming", account="sunny")
    assert not Target.objects.get().located
    actor = sunny(world)
    locate_late()
    assert Target.objects.get().actor_id == actor.id


@pytest.mark.usefixtures("knows_chats")
@pytest.mark.parametrize("field", ["account", "address"])
def test_a_chat_is_reported_by_its_address(
    world: World, client: Client, field: str
) -> None:
    report = walk.report(client, "sextortion", **{field: CHAT})
    talk = Conversation.objects.get()
    assert talk.external_id == "talk-77"
    assert report.targets.get().conversation_id == talk.id


def test_two_reports_of_one_account_are_one_case(world: World) -> None:
    sunny(world)
    for _time in range(2):
        walk.report(Client(), "sextortion", account="@sunny")
    assert Case.objects.count() == 1


def test_advice_comes_with_the_receipt_and_names_its_source(
    world: World, client: Client
) -> None:
    walk.report(client, "sextortion", account="sunny")
    for path in ("/report/received", "/report/review"):
        page = client.get(path).content.decode()
        for words in (
            "Do not pay",
            "Stop answering",
            "Keep the chat",
            "not your fault",
        ):
            assert words in page
        assert "This is what NCMEC says" in page
    walk.report(client, "scam")
    assert "Do not pay" not in client.get("/report/received").content.decode()


@pytest.mark.parametrize("about", ["parent", "relative", "professional"])
def test_who_says_so_on_the_page_of_their_report_is_told_not_to_look(
    world: World, about: str
) -> None:
    client = Client()
    walk.report(client)
    assert ADVICE not in client.get("/follow/status").content.decode()
    said = client.post("/follow/add/about", {"answer": about}, follow=True)
    assert said.redirect_chain[-1][0] == "/follow/status"
    assert ADVICE in said.content.decode()


def test_so_is_everybody_before_the_first_answer(world: World) -> None:
    client = Client()
    client.post("/", {"category": walk.CHILD})
    for path in ("/", "/report/where"):
        page = client.get(path).content.decode()
        assert "do not look at it, do not save it" in page
        assert "do not send it to anybody" in page
