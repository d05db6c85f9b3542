"""Two pages, and the report is in: nothing else is asked first (promises 1 and 2)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers
from django.forms import Form
from django.http import HttpResponse

from holdfast.base.by import SYSTEM
from holdfast.intake import questions
from holdfast.intake.models import Report
from holdfast.intake.queries import told_by
from holdfast.items.keys import PlatformGiven, put_platform
from holdfast.items.models import Item, ItemState
from holdfast.policy.queries import current
from holdfast.triage.models import Case, CaseTarget
from holdfast.web.portal.forms import WhereForm
from holdfast.web.portal.views.report import Where
from tests.stages.portal import walk
from tests.stages.portal.walk import Browser as Client
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return Client()


def test_the_report_is_stored_and_frozen_before_anything_more_is_asked(
    world: World, client: Client
) -> None:
    picture = photograph()
    world.post("1", encoded(picture))
    world.post("2", encoded(picture, quality=60), actor="other")
    report = walk.report(client)
    # Here the reporter closes the browser. Nothing is lost.
    assert set(Item.objects.values_list("state", flat=True)) == {ItemState.FROZEN}
    assert CaseTarget.objects.get(target__report=report).case.state == "open"
    page = client.get("/report/received").content.decode()
    told = "We have told Plaza to hide this and 1 copy that everybody could see."
    assert told in page
    assert report.number in page
    assert report.channel == "portal"
    assert report.language == "en"


def test_the_receipt_says_hidden_when_the_site_has_confirmed_and_not_before(
    world: World, client: Client
) -> None:
    world.post("1", encoded(photograph()))
    walk.report(client)
    before = client.get("/report/received").content.decode()
    assert "it is hidden" not in before
    Item.objects.update(confirmed_state=ItemState.FROZEN)
    after = client.get("/report/received").content.decode()
    assert "Plaza has confirmed it: it is hidden." in after


def test_the_receipt_can_be_kept_as_a_file_that_says_nothing_by_its_name(
    world: World, client: Client
) -> None:
    report = walk.report(client)
    words = walk.codename(client)
    kept = client.get("/report/notes.txt")
    assert 'filename="notes.txt"' in kept["Content-Disposition"]
    assert kept["Cache-Control"] == "no-store"
    text = kept.content.decode()
    for said in (report.number, words, "People decide: by"):
        assert said in text
    assert walk.POST not in text
    client.post("/report/received")
    assert words not in client.get("/report/notes.txt").content.decode()
    assert Client().get("/report/notes.txt")["Location"] == "/follow"


def test_child_safety_comes_first_and_takes_no_more_steps_than_copyright(
    world: World, client: Client
) -> None:
    first = client.get("/").content.decode()
    codes = re.findall(r'name="category" value="([^"]+)"', first)
    assert codes == [each.code for each in current().categories]
    children = [current().category(code).child_safety for code in codes]
    assert children == sorted(children, reverse=True)
    steps = {code: walk.steps(code) for code in codes}
    for code in codes:
        if current().category(code).child_safety:
            for name, count in steps[code].items():
                assert count <= steps["copyright"][name], (code, name)
    # So that a count that misses something is seen: two pages, two answers, and then
    # "saved my words" and "stop here" lead to where the report stands.
    assert steps["copyright"] == {"pages": 2, "answers": 2, "until_finished": 5}


def test_a_step_more_is_counted(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The count above would see a question more, and a page more."""
    clean, answered = WhereForm.clean, Where.answered

    def ask_more(form: WhereForm) -> dict[str, Any]:
        answers = clean(form)
        if not answers.get("words"):
            form.add_error("words", "Say more.")
        return answers

    seen: list[str] = []

    def send_round(page: Where, form: Form) -> HttpResponse:
        seen.append(page.request.path)
        return answered(page, form) if len(seen) > 1 else page.go("where")

    monkeypatch.setattr(WhereForm, "clean", ask_more)
    assert walk.steps("copyright")["answers"] == 3
    monkeypatch.setattr(Where, "answered", send_round)
    assert walk.steps("copyright")["pages"] == 3


def test_the_link_beside_an_item_brings_its_address_along(
    world: World, client: Client
) -> None:
    answer = client.get("/report", {"url": walk.POST})
    assert answer["Location"] == "/", "The address must not stay in the history."
    client.post("/", {"category": "copyright"})
    assert walk.POST in client.get("/report/where").content.decode()


@pytest.mark.parametrize(
    ("where", "named"),
    [
        ({"address": "plaza.example/p/1"}, ["plaza.example/p/1"]),
        ({"address": f"{walk.POST}\n{walk.POST}\n"}, [walk.POST]),
        ({"address": f"Look: {walk.POST}, on Plaza"}, [walk.POST]),
        ({"address": "an account called sunny"}, ["an account called sunny"]),
        ({"words": "On Plaza, by sunny"}, ["On Plaza, by sunny"]),
        ({"unknown": "on"}, ["I don't know where it is"]),
    ],
)
def test_whatever_somebody_has_of_it_is_a_report(
    world: World, client: Client, where: dict[str, str], named: list[str]
) -> None:
    report = walk.report(client, **where)
    assert list(report.targets.values_list("named_as", flat=True)) == named
    assert CaseTarget.objects.filter(target__report=report).count() == len(named)


@pytest.mark.parametrize("box", ["account", "address", "words"])
def test_of_a_box_that_is_too_full_it_is_not_said_that_it_is_empty(
    world: World, client: Client, box: str
) -> None:
    full = {"category": "sextortion", box: "x" * 20_001}
    answer = client.post("/report/where", full)
    assert answer.status_code == 422
    assert set(walk.errors(answer)) == {box}
    if box != "account":
        officer = {"agency": "Police of the North", "email": "berg@police.example"}
        answer = client.post("/police", {**officer, **full})
        assert set(walk.errors(answer)) == {box}


def test_of_another_site_it_is_said_that_it_cannot_be_hidden_from_here(
    world: World, client: Client
) -> None:
    said = "We can only have things hidden on Plaza. Please report it to the other site"
    paths = ("/report/received", "/report/notes.txt", "/follow/status")
    for elsewhere in ("https://elsewhere.example/p/abc", "elsewhere.example/p/abc"):
        walk.report(client, address=elsewhere)
        for path in paths:
            assert said in client.get(path).content.decode()
    here = ("https://plaza.example/p/404", "@sunny", "an account of Ms. Sunny")
    for address in here:
        walk.report(client, address=address)
        for path in paths:
            assert said not in client.get(path).content.decode(), address


def test_an_unanswered_question_is_asked_again_with_the_answers_kept(
    world: World, client: Client
) -> None:
    answer = client.post("/", {})
    assert answer.status_code == 422
    assert "Choose what it is about" in answer.content.decode()
    client.post("/", {"category": "scam"})
    answer = client.post("/report/where", {"category": "scam"})
    assert answer.status_code == 422
    many = "\n".join(f"https://plaza.example/p/{each}" for each in range(51))
    answer = client.post(
        "/report/where", {"category": "scam", "address": many, "words": "kept <b>"}
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "up to 50" in page
    assert "p/50" in page
    assert "kept &lt;b&gt;" in page
    assert not Report.objects.exists()


def test_an_old_page_still_sends_what_was_written(world: World) -> None:
    # The visit was idle for too long, or its cookie is gone: the answer is all there.
    answer = Client().post(
        "/report/where", {"category": walk.CHILD, "address": walk.POST}
    )
    assert answer["Location"] == "/report/received"
    assert Report.objects.get().category == walk.CHILD


def test_the_site_is_taken_from_the_address_and_asked_only_when_it_must_be(
    world: World, client: Client
) -> None:
    harbour = put_platform(
        PlatformGiven(
            slug="harbour",
            name="Harbour",
            url="https://harbour.example",
            hosts=["harbour.example"],
            aliases=[],
        ),
        by=SYSTEM,
    )
    assert walk.report(client, address="harbour.example/x").platform_id == harbour
    client.post("/", {"category": walk.CHILD})
    given = {"category": walk.CHILD, "words": "A picture"}
    answer = client.post("/report/where", given)
    assert "On which site or app is it?" in answer.content.decode()
    chosen = walk.report(client, words="A picture", platform="harbour")
    assert chosen.platform_id == harbour
    unsure = walk.report(client, words="A picture", platform="unknown")
    assert unsure.platform_id == world.platform_id
    both = client.post(
        "/report/where",
        {"category": walk.CHILD, "address": f"{walk.POST}\nharbour.example/x"},
    )
    assert "on different sites (Harbour, Plaza)" in both.content.decode()


def test_later_answers_count_as_if_they_had_been_in_the_report(
    world: World, client: Client
) -> None:
    report = walk.report(client, "harassment")
    case = Case.objects.get()
    assert case.urgency == "urgent"
    client.post("/report/received")
    answers = {
        "danger": "hurt",
        "about": "parent",
        "police": "2020-881",
        "words": "They write every day.",
    }
    asked = walk.further_questions(client, answers)
    assert [each for each in asked if each in answers] == list(answers)
    told = told_by(report)
    assert told.claims == ("parent",)
    assert told.police_number == "2020-881"
    assert told.in_danger_now
    case.refresh_from_db()
    assert case.urgency == "immediate"


def test_no_and_i_do_not_know_are_no_danger(world: World, client: Client) -> None:
    report = walk.report(client)
    for answer in ("no", "unknown"):
        client.post("/report/more/danger", {"answer": answer})
        assert told_by(report).answers == {"danger": answer}
        assert not told_by(report).in_danger_now


@pytest.mark.parametrize("name", [each.code for each in questions.QUESTIONS])
def test_a_further_question_without_an_answer_says_that_it_can_be_skipped(
    world: World, client: Client, name: str
) -> None:
    walk.report(client)
    answer = client.post(f"/report/more/{name}", {})
    assert answer.status_code == 422
    assert "Skip this question" in answer.content.decode()


def test_nobody_claims_more_than_the_page_offers(world: World, client: Client) -> None:
    report = walk.report(client)
    answer = client.post("/report/more/about", {"answer": "trusted_flagger"})
    assert answer.status_code == 422
    assert told_by(report).claims == ()


def test_the_address_of_the_network_is_stored_nowhere(world: World) -> None:
    client = Client(REMOTE_ADDR="203.0.113.77", HTTP_X_FORWARDED_FOR="203.0.113.78")
    walk.report(client)
    client.post("/report/more/words", {"answer": "More."})
    client.get("/follow/status")
    for model in apps.get_models():
        if model._meta.managed:
            rows = serializers.serialize("json", model._base_manager.all())
            assert "203.0.113." not in rows, model
            assert isinstance(json.loads(rows), list)


def test_every_answer_is_neutral_and_kept_by_no_browser(
    world: World, client: Client
) -> None:
    walk.report(client)
    for path in ("/", "/report/received", "/report/more/danger", "/follow/status"):
        answer = client.get(path)
        title = re.search(r"<title>(.*?)</title>", answer.content.decode())
        assert title
        assert title.group(1) in ("Questions", "Answers")
        assert answer["Cache-Control"] == "no-store"


def test_a_form_without_its_mark_is_shown_again_with_what_was_written(
    world: World,
) -> None:
    client = Client(enforce_csrf_checks=True)
    given = {"category": walk.CHILD, "address": walk.POST, "words": "It is me."}
    answer = client.post("/report/where", given)
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "nothing you wrote is lost" in page
    assert walk.POST in page
    assert "It is me." in page
    assert not Report.objects.exists()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    again = client.post(
        "/report/where", given | {"csrfmiddlewaretoken": token.group(1)}
    )
    assert again["Location"] == "/report/received"


@pytest.mark.parametrize("path", ["/follow/challenge", "/follow/finished"])
def test_a_button_without_its_mark_does_nothing(world: World, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(path)
    assert answer.status_code == 403
    assert "press the button once more" in answer.content.decode()
